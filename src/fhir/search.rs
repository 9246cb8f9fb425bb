//! Search in the fhir room: which parameters a resource type has, and the rows a resource puts into the index.
//!
//! <https://hl7.org/fhir/R4/search.html>

mod date;
mod extract;
mod node;
mod parameters;

pub use date::parse_date;
pub use extract::extract;
pub use parameters::{SearchParameter, SearchType, parameters, resource_types, sort_date};

/// One fact about a resource that a search can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRow {
    /// Name of the search parameter, for example `code`.
    pub parameter: &'static str,
    pub value: IndexValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexValue {
    /// A code, identifier or status. `system` is empty where the element has none.
    Token { system: String, code: String },
    /// A span of time, both ends inclusive, in microseconds since 1970-01-01T00:00:00Z: a partial date covers
    /// all that it could mean, an open period ends at `i64::MAX`.
    Date { low: i64, high: i64 },
    /// A literal reference to a resource on this server.
    Reference { resource_type: String, id: String },
}
