//! The store room: several changes that are done together or not at all, each on conditions that are looked at in the
//! same transaction. <https://hl7.org/fhir/R4/http.html#transaction>
//!
//! Whoever builds a transaction has looked into the store before: which resource a search finds, which version is
//! there. Meanwhile another may have written. So the transaction says what it was built on, and the store tells if that
//! no longer holds.

use crate::store::history::Method;
use crate::store::{SearchQuery, StoredResource, Write, WriteMode};

/// Changes that are done in the order given, all of them or none.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    pub conditions: Vec<Condition>,
    /// No resource may stand in more than one of them.
    pub changes: Vec<Change>,
    /// Only look whether it could be done: then `Done` holds nothing.
    pub trial: bool,
    /// By which request each change is asked for, in the same order; the history tells it. May be shorter: then it is not
    /// known of the rest.
    pub methods: Vec<Method>,
}

/// What a search finds before the changes. Its page size and place do not count: all matches do.
#[derive(Debug, Clone)]
pub struct Condition {
    pub query: SearchQuery,
    pub finds: Finds,
}

/// Which resources a search finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finds {
    Nothing,
    /// Exactly the resource with that id.
    One(String),
}

#[derive(Debug, Clone)]
pub struct Change {
    pub action: Action,
    pub expected: Expected,
}

#[derive(Debug, Clone)]
pub enum Action {
    /// A first or a new version; its `mode` is heeded as in a record.
    Put(Write),
    /// A version without a body: the resource is read and found no more, its versions stay.
    Delete { resource_type: String, id: String },
}

impl Action {
    pub fn resource_type(&self) -> &str {
        match self {
            Self::Put(write) => &write.resource_type,
            Self::Delete { resource_type, .. } => resource_type,
        }
    }

    /// What the gateway concludes belongs to no record, and takes the place of what was written as if it did.
    pub(super) fn is_unowned(&self) -> bool {
        match self {
            Self::Put(write) => write.mode == WriteMode::Unowned,
            Self::Delete { .. } => false,
        }
    }

    pub fn id(&self) -> &str {
        match self {
            Self::Put(write) => &write.id,
            Self::Delete { id, .. } => id,
        }
    }
}

/// What must be there for a change to be done. What was deleted is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Anything or nothing.
    Any,
    Nothing,
    Something,
    Version(u64),
}

/// What became of a transaction.
#[derive(Debug, Clone)]
pub enum Transacted {
    /// Durable. One for each change, in the order given.
    Done(Vec<Changed>),
    /// A condition no longer holds: look again and decide again. Nothing is stored.
    Superseded,
    /// Changes that must not be done, all of them, by their places in the list. Nothing is stored.
    Refused(Vec<(usize, Refusal)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not what was expected: this version is there, or nothing.
    Expectation { current: Option<u64> },
    /// A record made it, and only the record changes it: see `ResourceStore::commit`.
    OfRecord,
}

/// What became of one change.
#[derive(Debug, Clone)]
pub struct Changed {
    pub outcome: ChangeOutcome,
    /// The version that is there now; of a deletion without a body.
    pub resource: StoredResource,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// Also where it had been deleted: then it is not the first version.
    Created,
    Updated,
    /// It said the same already.
    Unchanged,
    Deleted,
    /// There was nothing to delete.
    Absent,
}
