//! The consent room: for whom a row would leave, and what for.

use crate::store::DEFAULT_TENANT;

/// Who asks, what for, and in whose data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    pub tenant: String,
    pub purpose: Purpose,
    pub requester: Requester,
}

/// What the rows are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The request says nothing of it: until there is access control, none does.
    Unstated,
    /// The gateway's own work: the pipeline and the safety rules. What they read does not leave with it.
    OwnWork,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requester {
    /// Nobody was asked who they are.
    Unnamed,
    /// The gateway itself.
    Gateway,
}

impl Context {
    /// A request, until access control says more of it.
    pub fn unnamed() -> Self {
        let (purpose, requester) = (Purpose::Unstated, Requester::Unnamed);
        Self { tenant: DEFAULT_TENANT.to_owned(), purpose, requester }
    }

    pub(super) fn own_work() -> Self {
        let (purpose, requester) = (Purpose::OwnWork, Requester::Gateway);
        Self { tenant: DEFAULT_TENANT.to_owned(), purpose, requester }
    }

    /// A name for the requester that tells one from another, for what is kept for each of them.
    pub fn requester_key(&self) -> &str {
        match self.requester {
            Requester::Unnamed => "unnamed",
            Requester::Gateway => "gateway",
        }
    }
}
