//! Stub until the kind is written.
use super::draft::Draft;
use super::provenance::HeaderValues;
use super::reading::{Reading, RebuildError};
use crate::kap::records::intake::Intake;
pub fn map(_: &mut Draft<'_>, _: &Intake) {}
pub fn read(_: &Reading<'_>, _: HeaderValues) -> Result<Intake, RebuildError> {
    Err(RebuildError::new("intake", "is not mapped yet"))
}
