//! Stub until it is written.
use super::draft::Draft;
use super::reading::{Reading, RebuildError};
use crate::kap::records::shared::{Document, PsychotherapyNote};
#[derive(Debug, Clone, Copy)]
pub enum DocumentKind { ExperienceNarrative }
pub fn document(_: &mut Draft<'_>, _: &Document, _: &str, _: DocumentKind, _: &str) {}
pub fn psychotherapy_note(_: &mut Draft<'_>, _: &PsychotherapyNote, _: &str) {}
pub fn read_document(_: &Reading<'_>, _: &str) -> Result<Option<Document>, RebuildError> { Ok(None) }
pub fn read_psychotherapy_note(_: &Reading<'_>, _: &str) -> Result<Option<PsychotherapyNote>, RebuildError> { Ok(None) }
