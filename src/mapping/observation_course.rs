//! Observation: that a course was paused, goes on or is over, and what is to follow. Mapping specification §2.10, D-21.
//!
//! It holds all that the sender said of the change; EpisodeOfCare and CarePlan show what came of it.
//! <https://hl7.org/fhir/R4/observation.html>

use super::care_plan;
use super::concepts;
use super::draft::{Draft, word};
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use super::systems::OBSERVATION_CATEGORY;
use crate::fhir::build;
use crate::fhir::model::resources::{
    Observation, ObservationComponent, ObservationComponentValue, ObservationEffective, ObservationValue,
};
use crate::fhir::model::types::{CodeableConcept, Reference};
use crate::kap::kind::Kind;
use crate::kap::records::course_closure::{CourseChange, CourseClosure};
use crate::kap::records::shared::{Practitioner, RecordReference};
use crate::kap::values::{DateTime, Termed};

/// The change's slot.
pub const SLOT: &str = "change";
const FOLLOW_UP_PLAN: &str = "follow-up-plan";

/// What becomes of the course. It is about the course (`focus`), and on the ground of the plan (`basedOn`).
pub fn change(draft: &mut Draft<'_>, record: &CourseClosure) -> Observation {
    let reason = record.reason.as_ref().map(|reason| {
        let concept = draft.termed(concepts::COURSE_END_REASON, reason, "/reason");
        component("reason", ObservationComponentValue::CodeableConcept(Box::new(concept)))
    });
    let carried_out = record
        .plan_carried_out
        .map(|carried_out| component("plan-carried-out", ObservationComponentValue::Boolean(carried_out.into())));
    let value = word(concepts::COURSE_CHANGE, record.change.as_str());
    Observation {
        based_on: record.intake.iter().map(|intake| plan_reference(draft, intake)).collect(),
        focus: vec![draft.course()],
        performer: record.decided_by.iter().map(|who| draft.practitioner(who)).collect(),
        value: Some(ObservationValue::CodeableConcept(Box::new(value))),
        component: reason.into_iter().chain(carried_out).collect(),
        ..observation(draft, SLOT, &record.at)
    }
}

/// The plan that an intake holds.
fn plan_reference(draft: &Draft<'_>, intake: &RecordReference) -> Reference {
    draft.reference_to_record("CarePlan", Kind::Intake, intake, care_plan::SLOT)
}

pub fn follow_up_plan(draft: &mut Draft<'_>, plan: &str, at: &DateTime) {
    let resource =
        Observation { value: Some(ObservationValue::String(plan.into())), ..observation(draft, FOLLOW_UP_PLAN, at) };
    draft.push(resource);
}

/// The slot is the word of the code, too.
fn observation(draft: &mut Draft<'_>, slot: &str, at: &DateTime) -> Observation {
    Observation {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, Label::MentalHealth),
        identifier: vec![draft.identifier(slot)],
        status: "final".into(),
        category: vec![build::concept(build::coding(OBSERVATION_CATEGORY, "therapy", "Therapy"))],
        code: Box::new(word(concepts::COURSE_FACT, slot)),
        subject: Some(Box::new(draft.patient())),
        encounter: draft.contact(),
        effective: Some(ObservationEffective::DateTime(build::date_time(at.as_str()))),
        ..Default::default()
    }
}

fn component(code: &str, value: ObservationComponentValue) -> ObservationComponent {
    ObservationComponent { code: Box::new(word(concepts::COURSE_FACT, code)), value: Some(value), ..Default::default() }
}

// ---------------------------------------------------------------- the way back

/// What the Observation says of the change.
pub struct Change {
    pub at: DateTime,
    pub change: CourseChange,
    pub reason: Option<Termed>,
    pub plan_carried_out: Option<bool>,
    pub intake: Option<RecordReference>,
    pub decided_by: Option<Practitioner>,
}

pub fn read(reading: &Reading<'_>) -> Result<Change, RebuildError> {
    let found: &Observation = reading.one(SLOT)?;
    let missing = |what| RebuildError::new(SLOT, what);
    Ok(Change {
        at: read_at(found).ok_or_else(|| missing("has no time"))?,
        change: read_change(found).ok_or_else(|| missing("is no change of ours"))?,
        reason: read_reason(found).map(|reason| reading::termed(concepts::COURSE_END_REASON, reason)),
        plan_carried_out: read_carried_out(found),
        intake: found.based_on.first().and_then(reading::record_reference),
        decided_by: found.performer.first().and_then(reading::practitioner),
    })
}

pub fn read_at(found: &Observation) -> Option<DateTime> {
    let Some(ObservationEffective::DateTime(at)) = &found.effective else { return None };
    reading::date_time(at)
}

pub fn read_change(found: &Observation) -> Option<CourseChange> {
    let Some(ObservationValue::CodeableConcept(change)) = &found.value else { return None };
    reading::table_word(concepts::COURSE_CHANGE, change).and_then(CourseChange::from_word)
}

pub fn read_reason(found: &Observation) -> Option<&CodeableConcept> {
    let reason = reading::choice!(part(found, "reason")?, ObservationComponentValue::CodeableConcept)?;
    Some(reason)
}

pub fn read_carried_out(found: &Observation) -> Option<bool> {
    reading::choice!(part(found, "plan-carried-out")?, ObservationComponentValue::Boolean)?.value
}

fn part<'o>(found: &'o Observation, word: &str) -> Option<&'o ObservationComponentValue> {
    let is_it =
        |component: &&ObservationComponent| reading::table_word(concepts::COURSE_FACT, &component.code) == Some(word);
    found.component.iter().find(is_it)?.value.as_ref()
}

pub fn read_follow_up_plan(reading: &Reading<'_>) -> Option<String> {
    let Some(ObservationValue::String(plan)) = &reading.find::<Observation>(FOLLOW_UP_PLAN)?.value else {
        return None;
    };
    plan.value.clone()
}
