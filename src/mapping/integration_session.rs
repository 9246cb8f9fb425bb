//! Stub until the kind is written.
use super::draft::Draft;
use super::provenance::HeaderValues;
use super::reading::{Reading, RebuildError};
use crate::kap::records::integration_session::IntegrationSession;
pub fn map(_: &mut Draft<'_>, _: &IntegrationSession) {}
pub fn read(_: &Reading<'_>, _: HeaderValues) -> Result<IntegrationSession, RebuildError> {
    Err(RebuildError::new("integration-session", "is not mapped yet"))
}
