//! The check-in as a whole. Mapping specification §2.8, §2.10.

use super::document_reference::{self, DocumentKind};
use super::draft::Draft;
use super::encounter::{self, ContactKind};
use super::observation_score::{self, ScoreContext};
use super::observation_vitals::{self, Belongs};
use super::provenance::HeaderValues;
use super::reading::{Reading, RebuildError};
use super::{
    adverse_event, communication, flag, goal, observation_check_in, observation_lab, observation_theme,
    questionnaire_check_in, task_check_in,
};
use crate::kap::kind::Kind;
use crate::kap::records::check_in::CheckIn;
use crate::kap::records::shared::{Course, PatientReference};

const SAFETY_PLAN: &str = "safety-plan";
const SUMMARY: &str = "summary";

pub fn map(draft: &mut Draft<'_>, record: &CheckIn) {
    draft.name_patient_and_course();
    draft.has_contact = record.contact.is_some();
    if let Some(contact) = &record.contact {
        let contact = encounter::encounter(draft, contact, ContactKind::CheckIn(record.visit), None);
        draft.push(contact);
    }
    let mut members = Vec::new();
    if let Some(answers) = &record.answers {
        members.push(questionnaire_check_in::answers(draft, answers, record));
    }
    members.extend(observation_score::scores(draft, &record.results, &record.at, "/results", context(draft)));
    observation_check_in::check_in(draft, record, members);
    for (place, event) in record.adverse_events.iter().enumerate() {
        adverse_event::adverse_event(draft, event, record.follows.as_ref(), &format!("/adverseEvents/{place}"));
    }
    record.communications.iter().for_each(|message| communication::communication(draft, message));
    record.scheduled.iter().for_each(|planned| task_check_in::scheduled(draft, planned));
    let belongs = Belongs { encounter: draft.contact().map(|contact| *contact), part_of: None };
    observation_vitals::vitals(draft, &record.vitals, &belongs);
    observation_lab::labs(draft, &record.labs);
    if let Some(concern) = &record.misuse_concern {
        flag::misuse_concern(draft, concern);
    }
    goal::goals(draft, &record.goals);
    if let Some(next) = &record.next_step {
        observation_theme::next_step(draft, next, &record.at);
    }
    if let Some(plan) = &record.safety_plan {
        document_reference::document(draft, plan, SAFETY_PLAN, DocumentKind::SafetyPlan, &record.at);
    }
    if let Some(summary) = &record.summary {
        document_reference::document(draft, summary, SUMMARY, DocumentKind::IntegrationSummary, &record.at);
    }
}

/// What the scores of a record belong to that may have a contact.
pub fn context(draft: &Draft<'_>) -> ScoreContext {
    if draft.has_contact { ScoreContext::Contact } else { ScoreContext::Alone }
}

pub fn read(reading: &Reading<'_>, header: HeaderValues) -> Result<CheckIn, RebuildError> {
    let about = observation_check_in::read(reading)?;
    Ok(CheckIn {
        kind: Kind::CheckIn.as_str().to_owned(),
        source: header.source,
        recorded_at: header.recorded_at,
        author: header.author,
        patient: PatientReference { identifier: header.patient },
        course: Course { identifier: header.course },
        security: header.security,
        at: about.at,
        timing: about.timing,
        follows: about.follows,
        contact: encounter::find(reading)?,
        visit: encounter::read_visit(reading),
        answers: questionnaire_check_in::read(reading)?,
        adverse_events: adverse_event::read(reading)?,
        communications: communication::read(reading)?,
        scheduled: task_check_in::read(reading)?,
        vitals: observation_vitals::read(reading)?,
        labs: observation_lab::read_labs(reading)?,
        results: observation_score::read_scores(reading)?,
        misuse_concern: flag::read(reading)?,
        goals: goal::read(reading)?,
        next_step: observation_theme::read_next_step(reading)?,
        safety_plan: document_reference::read_document(reading, SAFETY_PLAN)?,
        summary: document_reference::read_document(reading, SUMMARY)?,
    })
}
