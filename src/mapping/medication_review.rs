//! Procedure: the review of the patient's medicines. Mapping specification §2.2.
//!
//! <https://hl7.org/fhir/R4/procedure.html>

use super::concepts;
use super::draft::{Draft, word};
use super::encounter;
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::resources::{Procedure, ProcedurePerformed, ProcedurePerformer};
use crate::kap::records::intake::MedicationReview;

const SLOT: &str = "medication-review";

pub fn medication_review(draft: &mut Draft<'_>, review: &MedicationReview) {
    let resource = Procedure {
        id: Some(draft.id(SLOT).as_str().into()),
        meta: draft.meta(SLOT, Label::Normal),
        identifier: vec![draft.identifier(SLOT)],
        status: "completed".into(),
        code: Some(Box::new(word(concepts::ASSERTION, SLOT))),
        subject: Box::new(draft.patient()),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        performed: Some(ProcedurePerformed::DateTime(build::date_time(review.at.as_str()))),
        performer: review
            .performer
            .iter()
            .map(|who| ProcedurePerformer { actor: Box::new(draft.practitioner(who)), ..Default::default() })
            .collect(),
        ..Default::default()
    };
    draft.push(resource);
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Option<MedicationReview>, RebuildError> {
    let Some(found) = reading.find::<Procedure>(SLOT) else { return Ok(None) };
    let at = match &found.performed {
        Some(ProcedurePerformed::DateTime(at)) => reading::date_time(at),
        Some(_) | None => None,
    };
    Ok(Some(MedicationReview {
        at: at.ok_or_else(|| RebuildError::new(SLOT, "has no time"))?,
        performer: found.performer.first().and_then(|who| reading::practitioner(&who.actor)),
    }))
}
