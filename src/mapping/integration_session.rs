//! The integration session as a whole. Mapping specification §2.7.

use super::document_reference::{self, DocumentKind};
use super::draft::Draft;
use super::encounter::{self, ContactKind};
use super::observation_score::{self, ScoreContext};
use super::procedure::SESSION_SLOT;
use super::provenance::HeaderValues;
use super::reading::{self, Reading, RebuildError};
use super::systems::extension_url;
use super::{goal, observation_theme, procedure_psychotherapy, task_homework};
use crate::fhir::build;
use crate::fhir::model::resources::Encounter;
use crate::fhir::model::types::{Extension, ExtensionValue};
use crate::kap::kind::Kind;
use crate::kap::records::integration_session::IntegrationSession;
use crate::kap::records::shared::{Course, PatientReference, RecordReference};

const SUMMARY: &str = "summary";
const GROUP_NOTE: &str = "group-note";
const PSYCHOTHERAPY_NOTE_SLOT: &str = "psychotherapy-note";
const INTEGRATES: &str = "kap-integrates";

pub fn map(draft: &mut Draft<'_>, record: &IntegrationSession) {
    draft.name_patient_and_course();
    let at = &record.contact.start;
    let mut contact = encounter::encounter(draft, &record.contact, ContactKind::IntegrationSession, None);
    contact.extension.extend(record.integrates.iter().map(|dosing| integrates(draft, dosing)));
    draft.push(contact);
    procedure_psychotherapy::psychotherapy(draft, record);
    for theme in &record.themes {
        observation_theme::theme(draft, *theme, at);
    }
    for insight in &record.insights {
        observation_theme::insight(draft, insight, at);
    }
    for homework in &record.homework {
        task_homework::homework(draft, homework);
    }
    goal::goals(draft, &record.goals);
    if let Some(next) = &record.next_step {
        observation_theme::next_step(draft, next, at);
    }
    observation_score::scores(draft, &record.results, at, "/results", ScoreContext::Session);
    document_reference::document(draft, &record.summary, SUMMARY, DocumentKind::IntegrationSummary, at);
    if let Some(note) = &record.group_note {
        document_reference::document(draft, note, GROUP_NOTE, DocumentKind::GroupNote, at);
    }
    if let Some(note) = &record.psychotherapy_note {
        document_reference::psychotherapy_note(draft, note, PSYCHOTHERAPY_NOTE_SLOT, at);
    }
}

/// The dosing session that this one integrates: its Procedure, in another record.
fn integrates(draft: &Draft<'_>, dosing: &RecordReference) -> Extension {
    let procedure = draft.reference_to_record("Procedure", Kind::DosingSession, dosing, SESSION_SLOT);
    build::extension(extension_url(INTEGRATES), ExtensionValue::Reference(Box::new(procedure)))
}

pub fn read(reading: &Reading<'_>, header: HeaderValues) -> Result<IntegrationSession, RebuildError> {
    let summary = document_reference::read_document(reading, SUMMARY)?;
    Ok(IntegrationSession {
        kind: Kind::IntegrationSession.as_str().to_owned(),
        source: header.source,
        recorded_at: header.recorded_at,
        author: header.author,
        patient: PatientReference { identifier: header.patient },
        course: Course { identifier: header.course },
        security: header.security,
        contact: encounter::read(reading)?,
        format: procedure_psychotherapy::read_session_format(reading)?,
        integrates: read_integrates(reading)?,
        modalities: procedure_psychotherapy::read_modalities(reading)?,
        themes: observation_theme::read_themes(reading)?,
        insights: observation_theme::read_insights(reading)?,
        homework: task_homework::read(reading)?,
        goals: goal::read(reading)?,
        next_step: observation_theme::read_next_step(reading)?,
        results: observation_score::read_scores(reading)?,
        summary: summary.ok_or_else(|| RebuildError::new(SUMMARY, "is missing"))?,
        group_note: document_reference::read_document(reading, GROUP_NOTE)?,
        psychotherapy_note: document_reference::read_psychotherapy_note(reading, PSYCHOTHERAPY_NOTE_SLOT)?,
    })
}

fn read_integrates(reading: &Reading<'_>) -> Result<Vec<RecordReference>, RebuildError> {
    let contact: &Encounter = reading.one(encounter::SLOT)?;
    let url = extension_url(INTEGRATES);
    let read = |extension: &Extension| match &extension.value {
        Some(ExtensionValue::Reference(dosing)) => reading::record_reference(dosing),
        _ => None,
    };
    contact
        .extension
        .iter()
        .filter(|extension| extension.url == url)
        .map(|extension| read(extension).ok_or_else(|| RebuildError::new(encounter::SLOT, "names no dosing session")))
        .collect()
}
