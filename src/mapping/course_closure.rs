//! The course closure as a whole: a pause, a resumption or the end. Mapping specification §2.10, D-21.
//!
//! What it says of the course and of its plan, which the intake owns, goes with it as amendments: see
//! `course_state.rs`.

use super::check_in::context;
use super::document_reference::{self, DocumentKind};
use super::draft::Draft;
use super::encounter::{self, ContactKind};
use super::observation_vitals::{self, Belongs};
use super::provenance::HeaderValues;
use super::reading::{Reading, RebuildError};
use super::{
    communication, course_state, flag, goal, observation_course, observation_lab, observation_score,
    service_request_onward, task_check_in,
};
use crate::kap::kind::Kind;
use crate::kap::records::course_closure::CourseClosure;
use crate::kap::records::shared::{Course, PatientReference};

const SUMMARY: &str = "summary";

pub fn map(draft: &mut Draft<'_>, record: &CourseClosure) {
    draft.name_patient_and_course();
    draft.has_contact = record.contact.is_some();
    if let Some(contact) = &record.contact {
        let contact = encounter::encounter(draft, contact, ContactKind::Closing, None);
        draft.push(contact);
    }
    let change = observation_course::change(draft, record);
    course_state::amend(draft, &change);
    draft.push(change);
    let belongs = Belongs { encounter: draft.contact().map(|contact| *contact), part_of: None };
    observation_vitals::vitals(draft, &record.vitals, &belongs);
    observation_lab::labs(draft, &record.labs);
    observation_score::scores(draft, &record.results, &record.at, "/results", context(draft));
    goal::goals(draft, &record.goals);
    if let Some(concern) = &record.misuse_concern {
        flag::misuse_concern(draft, concern);
    }
    for (place, referral) in record.referrals.iter().enumerate() {
        service_request_onward::referral(draft, referral, &format!("/referrals/{place}"));
    }
    record.communications.iter().for_each(|message| communication::communication(draft, message));
    record.scheduled.iter().for_each(|planned| task_check_in::scheduled(draft, planned));
    if let Some(plan) = &record.follow_up_plan {
        observation_course::follow_up_plan(draft, plan, &record.at);
    }
    if let Some(summary) = &record.summary {
        document_reference::document(draft, summary, SUMMARY, DocumentKind::DischargeSummary, &record.at);
    }
    if record.intake.is_none() {
        draft.notice("/intake", "No intake is named: the care plan of the course keeps its state.");
    }
}

pub fn read(reading: &Reading<'_>, header: HeaderValues) -> Result<CourseClosure, RebuildError> {
    let change = observation_course::read(reading)?;
    Ok(CourseClosure {
        kind: Kind::CourseClosure.as_str().to_owned(),
        source: header.source,
        recorded_at: header.recorded_at,
        author: header.author,
        patient: PatientReference { identifier: header.patient },
        course: Course { identifier: header.course },
        security: header.security,
        at: change.at,
        change: change.change,
        reason: change.reason,
        plan_carried_out: change.plan_carried_out,
        intake: change.intake,
        decided_by: change.decided_by,
        contact: encounter::find(reading)?,
        vitals: observation_vitals::read(reading)?,
        labs: observation_lab::read_labs(reading)?,
        results: observation_score::read_scores(reading)?,
        goals: goal::read(reading)?,
        misuse_concern: flag::read(reading)?,
        referrals: service_request_onward::read(reading)?,
        communications: communication::read(reading)?,
        scheduled: task_check_in::read(reading)?,
        follow_up_plan: observation_course::read_follow_up_plan(reading),
        summary: document_reference::read_document(reading, SUMMARY)?,
    })
}
