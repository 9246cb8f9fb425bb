//! The store room: versions of many resources, newest first. <https://hl7.org/fhir/R4/http.html#history>

use crate::store::StoredResource;

/// Which versions, of one resource, of a type or of all.
#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    /// `None`: of every type.
    pub resource_type: Option<String>,
    /// `None`: of every resource of the type. Only with a type.
    pub id: Option<String>,
    /// Only versions written then or later. Times are microseconds since 1970-01-01T00:00:00Z.
    pub since: Option<i64>,
    /// Only versions that were current at some time of that span, both ends inclusive.
    pub at: Option<(i64, i64)>,
    /// Only versions written before: where the page before ended. No two versions of a store share their time.
    pub before: Option<i64>,
    /// Page size, at least 1.
    pub count: usize,
}

/// The HTTP method of the request by which a version came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Post,
    Put,
    Patch,
}

/// How a version came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeBy {
    pub method: Method,
    /// There was nothing before it, or a deletion.
    pub created: bool,
}

/// Who writes a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Record,
    /// A request with that method, where it is known.
    Other(Option<Method>),
}

impl Origin {
    /// As the engines keep it: 0 not known, else 1 POST, 2 PUT, 3 PATCH, and 4 more where it created the resource.
    pub(super) fn made_by(self, created: bool) -> i64 {
        let method = match self {
            Self::Record | Self::Other(None) => return 0,
            Self::Other(Some(Method::Post)) => 1,
            Self::Other(Some(Method::Put)) => 2,
            Self::Other(Some(Method::Patch)) => 3,
        };
        if created { method + 4 } else { method }
    }
}

impl MadeBy {
    /// The other way round.
    pub(super) fn of(kept: i64) -> Option<Self> {
        let method = match kept & 3 {
            1 => Method::Post,
            2 => Method::Put,
            3 => Method::Patch,
            _ => return None,
        };
        Some(Self { method, created: kept & 4 != 0 })
    }
}

#[derive(Debug, Clone)]
pub struct HistoryPage {
    pub versions: Vec<StoredResource>,
    /// `before` for the next page, if there is one.
    pub next: Option<i64>,
}
