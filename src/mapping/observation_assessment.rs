//! Observation: an outcome assessment, the panel of the scores taken at one time. Mapping specification §2.9.
//!
//! <https://hl7.org/fhir/R4/observation.html#obsgrouping>

use super::concepts;
use super::draft::{Draft, word};
use super::label::Label;
use super::observation_score::survey;
use super::reading::{self, Reading, RebuildError};
use super::systems::KAP;
use crate::fhir::build;
use crate::fhir::model::resources::{Observation, ObservationEffective, ObservationValue};
use crate::fhir::model::types::{Coding, Reference};
use crate::kap::records::outcome::OutcomePhase;
use crate::kap::values::DateTime;

const SLOT: &str = "assessment";

pub fn assessment(draft: &mut Draft<'_>, at: &DateTime, phase: Option<OutcomePhase>, scores: Vec<Reference>) {
    let observation = Observation {
        id: Some(draft.id(SLOT).as_str().into()),
        meta: draft.meta(SLOT, Label::MentalHealth),
        identifier: vec![draft.identifier(SLOT)],
        status: "final".into(),
        category: vec![survey()],
        code: Box::new(build::concept(build::coding(KAP, "outcome-assessment", "Outcome assessment"))),
        subject: Some(Box::new(draft.patient())),
        effective: Some(ObservationEffective::DateTime(build::date_time(at.as_str()))),
        value: phase
            .map(|phase| ObservationValue::CodeableConcept(Box::new(word(concepts::OUTCOME_PHASE, phase.as_str())))),
        // us-core-2: an Observation that says nothing itself says why.
        data_absent_reason: (phase.is_none() && scores.is_empty()).then(|| Box::new(build::concept(absent()))),
        has_member: scores,
        ..Default::default()
    };
    draft.push(observation);
}

/// No place in the course was told, and nothing was scored.
fn absent() -> Coding {
    build::coding("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown", "Unknown")
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<(DateTime, Option<OutcomePhase>), RebuildError> {
    let found: &Observation = reading.one(SLOT)?;
    let at = match &found.effective {
        Some(ObservationEffective::DateTime(at)) => reading::date_time(at),
        _ => None,
    };
    let phase = match &found.value {
        Some(ObservationValue::CodeableConcept(phase)) => {
            reading::table_word(concepts::OUTCOME_PHASE, phase).and_then(OutcomePhase::from_word)
        }
        _ => None,
    };
    Ok((at.ok_or_else(|| RebuildError::new(SLOT, "has no time"))?, phase))
}
