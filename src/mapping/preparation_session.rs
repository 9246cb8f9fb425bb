//! The preparation session as a whole. Mapping specification §2.4.

use super::document_reference::{self, DocumentKind};
use super::draft::Draft;
use super::encounter::{self, ContactKind};
use super::observation_score::{self, ScoreContext};
use super::provenance::HeaderValues;
use super::reading::{Reading, RebuildError};
use super::{goal, observation_session, observation_theme, procedure_preparation, procedure_psychotherapy};
use crate::kap::kind::Kind;
use crate::kap::records::preparation_session::{Intention, PreparationSession};
use crate::kap::records::shared::{Course, PatientReference};

const SUMMARY: &str = "summary";
const GROUP_NOTE: &str = "group-note";
const PSYCHOTHERAPY_NOTE_SLOT: &str = "psychotherapy-note";

pub fn map(draft: &mut Draft<'_>, record: &PreparationSession) {
    draft.name_patient_and_course();
    let at = &record.contact.start;
    let contact = encounter::encounter(draft, &record.contact, ContactKind::Preparation, None);
    draft.push(contact);
    procedure_psychotherapy::psychotherapy(
        draft,
        record.format,
        record.group.as_ref(),
        &record.modalities,
        &record.contact,
    );
    for activity in &record.activities {
        procedure_preparation::activity(draft, activity, &record.contact);
    }
    if let Some(intention) = &record.intention {
        let mut told = observation_session::intention(draft, &intention.text, at);
        if intention.restricted == Some(true) {
            observation_theme::restrict(draft, &mut told);
        }
        draft.push(told);
    }
    if let Some(setting) = &record.set_and_setting {
        observation_session::set_and_setting(draft, setting, at);
    }
    goal::goals(draft, &record.goals);
    observation_score::scores(draft, &record.results, at, "/results", ScoreContext::Session);
    if let Some(summary) = &record.summary {
        document_reference::document(draft, summary, SUMMARY, DocumentKind::IntegrationSummary, at);
    }
    if let Some(note) = &record.group_note {
        document_reference::document(draft, note, GROUP_NOTE, DocumentKind::GroupNote, at);
    }
    if let Some(note) = &record.psychotherapy_note {
        document_reference::psychotherapy_note(draft, note, PSYCHOTHERAPY_NOTE_SLOT, at);
    }
}

pub fn read(reading: &Reading<'_>, header: HeaderValues) -> Result<PreparationSession, RebuildError> {
    Ok(PreparationSession {
        kind: Kind::PreparationSession.as_str().to_owned(),
        source: header.source,
        recorded_at: header.recorded_at,
        author: header.author,
        patient: PatientReference { identifier: header.patient },
        course: Course { identifier: header.course },
        security: header.security,
        contact: encounter::read(reading)?,
        format: procedure_psychotherapy::read_session_format(reading)?,
        group: procedure_psychotherapy::read_session_group(reading)?,
        activities: procedure_preparation::read(reading)?,
        modalities: procedure_psychotherapy::read_modalities(reading)?,
        intention: observation_session::read_intention(reading)
            .map(|text| Intention { text, restricted: observation_session::read_intention_restricted(reading) }),
        set_and_setting: observation_session::read_set_and_setting(reading),
        goals: goal::read(reading)?,
        results: observation_score::read_scores(reading)?,
        summary: document_reference::read_document(reading, SUMMARY)?,
        group_note: document_reference::read_document(reading, GROUP_NOTE)?,
        psychotherapy_note: document_reference::read_psychotherapy_note(reading, PSYCHOTHERAPY_NOTE_SLOT)?,
    })
}
