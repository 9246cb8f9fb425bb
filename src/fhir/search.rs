//! Search in the fhir room: which parameters each resource type has, and the rows that a resource puts into the index,
//! both by the definitions' expressions.
//!
//! <https://hl7.org/fhir/R4/search.html>

pub mod added;
mod catalogue;
mod compartment;
mod datatype;
mod date;
mod extract;
mod node;
mod number;
pub mod patient;
mod route;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use catalogue::{
    Component, CompositeBase, SearchParameter, Source, parameter, parameters, resource_types, sort_date, unsupported,
};
pub use compartment::{compartment_parameters, patients};
pub use date::parse_date;
pub use extract::{extract, extract_aside};
pub use number::{Decimal, NumberKey, UCUM};
pub use text::normalize;

use std::sync::Arc;

/// How a search parameter's values are written. <https://hl7.org/fhir/R4/valueset-search-param-type.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SearchType {
    Token,
    Date,
    Reference,
    String,
    Quantity,
    Number,
    Uri,
    Composite,
}

impl SearchType {
    /// `special` is none of them: no search parameter of that type is served.
    pub fn of_code(code: &str) -> Option<Self> {
        Some(match code {
            "token" => Self::Token,
            "date" => Self::Date,
            "reference" => Self::Reference,
            "string" => Self::String,
            "quantity" => Self::Quantity,
            "number" => Self::Number,
            "uri" => Self::Uri,
            "composite" => Self::Composite,
            _ => return None,
        })
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Date => "date",
            Self::Reference => "reference",
            Self::String => "string",
            Self::Quantity => "quantity",
            Self::Number => "number",
            Self::Uri => "uri",
            Self::Composite => "composite",
        }
    }
}

/// One fact about a resource that a search can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRow {
    /// Where in the resource it stands: parameters are made of such fields, and some share them.
    pub field: &'static str,
    /// Which of the repeated elements (`component`) it belongs to, from 1; 0: to none.
    pub element: u32,
    pub value: IndexValue,
}

impl IndexRow {
    /// A fact that belongs to no repeated element.
    pub fn new(field: &'static str, value: IndexValue) -> Self {
        Self { field, element: 0, value }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexValue {
    /// A code, identifier or status. `system` is empty where the element has none.
    Token {
        system: String,
        code: String,
    },
    /// A span of time, both ends inclusive, in microseconds since 1970-01-01T00:00:00Z: a partial date covers
    /// all that it could mean, an open period ends at `i64::MAX`.
    Date {
        low: i64,
        high: i64,
    },
    /// A literal reference to a resource on this server.
    Reference {
        resource_type: String,
        id: String,
    },
    /// The identifier that a reference gives: alone, or beside the literal one.
    ReferenceIdentifier {
        system: String,
        value: String,
        is_alone: bool,
    },
    /// A uri; a canonical, perhaps with `|version`; a reference to elsewhere.
    Uri(String),
    /// As it was written.
    Text(String),
    Number {
        low: NumberKey,
        high: NumberKey,
    },
    Quantity(Box<IndexQuantity>),
}

/// A quantity, or a range of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexQuantity {
    pub low: NumberKey,
    pub high: NumberKey,
    /// Empty where there is none; likewise code and unit.
    pub system: String,
    pub code: String,
    /// In words.
    pub unit: String,
    /// In base units of UCUM.
    pub canonical: Option<(Arc<str>, NumberKey, NumberKey)>,
}
