//! Stub until it is written.
use super::draft::Draft;
use super::reading::{Reading, RebuildError};
use crate::kap::records::measurement::Score;
use crate::kap::values::DateTime;
#[derive(Debug, Clone, Copy)]
pub enum ScoreContext { Session, Encounter, None }
pub fn scores(_: &mut Draft<'_>, _: &[Score], _: &DateTime, _: &str, _: ScoreContext) {}
pub fn read_scores(_: &Reading<'_>, _: &DateTime) -> Result<Vec<Score>, RebuildError> { Ok(Vec::new()) }
