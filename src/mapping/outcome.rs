//! Stub until the kind is written.
use super::draft::Draft;
use super::provenance::HeaderValues;
use super::reading::{Reading, RebuildError};
use crate::kap::records::outcome::Outcome;
pub fn map(_: &mut Draft<'_>, _: &Outcome) {}
pub fn read(_: &Reading<'_>, _: HeaderValues) -> Result<Outcome, RebuildError> {
    Err(RebuildError::new("outcome", "is not mapped yet"))
}
