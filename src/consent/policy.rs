//! The consent room: who may see which row. One rule for all routes.

use super::{Context, Row};

/// May a row leave?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Permit,
    /// The answer must be what it would be if the row were not there.
    Withhold,
}

/// Decides on rows. It is asked for every one, so it must be quick and must not wait.
pub trait Policy: Send + Sync {
    /// May it withhold anything in that context? Where not, searches, totals and includes are the store's own; where it
    /// may, they are made of the rows that it permits, which takes longer.
    fn withholds(&self, context: &Context) -> bool;

    fn decide(&self, context: &Context, row: &Row<'_>) -> Decision;
}

/// Everybody sees everything: the policy until there is access control.
#[derive(Debug, Clone, Copy, Default)]
pub struct PermitAll;

impl Policy for PermitAll {
    fn withholds(&self, _: &Context) -> bool {
        false
    }

    fn decide(&self, _: &Context, _: &Row<'_>) -> Decision {
        Decision::Permit
    }
}
