//! CarePlan: the intent of the course. Mapping specification §2.4.
//!
//! <https://hl7.org/fhir/R4/careplan.html>

use super::concepts;
use super::draft::{Draft, word};
use super::encounter;
use super::label::Label;
use super::reading::{Reading, RebuildError};
use super::{goal, medication_request};
use crate::fhir::model::resources::{CarePlan, CarePlanActivity, CarePlanActivityDetail};
use crate::fhir::model::types::Reference;
use crate::kap::records::intake::{Plan, PlanStatus};

/// The plan's slot in its intake.
pub const SLOT: &str = "plan";
pub const TITLE: &str = "Ketamine-assisted psychotherapy course";

/// Pushes the plan with its goals and its order; `addresses` are the indications.
pub fn care_plan(draft: &mut Draft<'_>, plan: &Plan, addresses: Vec<Reference>, team: Option<Reference>) {
    let goal = goal::goals(draft, &plan.goals);
    let order = plan.order.as_ref().map(|order| {
        let slot = medication_request::medication_request(draft, order, "/plan/order");
        CarePlanActivity {
            reference: Some(Box::new(draft.reference("MedicationRequest", &slot))),
            ..Default::default()
        }
    });
    let resource = CarePlan {
        id: Some(draft.id(SLOT).as_str().into()),
        meta: draft.meta(SLOT, Label::MentalHealth),
        identifier: vec![draft.identifier(SLOT)],
        status: plan.status.as_str().into(),
        intent: "plan".into(),
        category: ["assess-plan", "kap-course"]
            .into_iter()
            .map(|category| word(concepts::PLAN_CATEGORY, category))
            .collect(),
        title: Some(TITLE.into()),
        description: Some(plan.description.as_str().into()),
        subject: Box::new(draft.patient()),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        care_team: team.into_iter().collect(),
        addresses,
        goal,
        activity: order.into_iter().chain(plan.activities.iter().map(|step| activity(step))).collect(),
        ..Default::default()
    };
    draft.push(resource);
}

/// A planned step in words. How far it has come is not told.
fn activity(step: &str) -> CarePlanActivity {
    CarePlanActivity {
        detail: Some(CarePlanActivityDetail {
            status: "unknown".into(),
            description: Some(step.into()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Option<Plan>, RebuildError> {
    let Some(found) = reading.find::<CarePlan>(SLOT) else { return Ok(None) };
    let missing = |what| RebuildError::new(SLOT, what);
    let status = found.status.value.as_deref().and_then(PlanStatus::from_word);
    let description = found.description.as_ref().and_then(|description| description.value.clone());
    Ok(Some(Plan {
        status: status.ok_or_else(|| missing("has no status of ours"))?,
        description: description.ok_or_else(|| missing("has no description"))?,
        goals: goal::read(reading)?,
        activities: found
            .activity
            .iter()
            .filter_map(|activity| activity.detail.as_ref()?.description.as_ref()?.value.clone())
            .collect(),
        order: medication_request::read(reading)?,
    }))
}
