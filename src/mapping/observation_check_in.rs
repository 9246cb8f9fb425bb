//! Observation: the check-in itself: when, how long after which dose, and what was asked. Mapping specification §2.8.
//!
//! <https://hl7.org/fhir/R4/observation.html#obsgrouping>

use super::concepts;
use super::draft::{Draft, word};
use super::label::Label;
use super::observation_score::survey;
use super::procedure::SESSION_SLOT;
use super::reading::{self, Reading, RebuildError};
use super::systems::KAP;
use crate::fhir::build;
use crate::fhir::model::resources::{Observation, ObservationEffective, ObservationValue};
use crate::fhir::model::types::Reference;
use crate::kap::kind::Kind;
use crate::kap::records::check_in::CheckIn;
use crate::kap::records::follow_up::Timing;
use crate::kap::records::shared::RecordReference;
use crate::kap::values::DateTime;

const SLOT: &str = "check-in";

/// Pushes it; `members` are the answers and the scores.
pub fn check_in(draft: &mut Draft<'_>, record: &CheckIn, members: Vec<Reference>) {
    let session = session(draft, record.follows.as_ref());
    let timing = record.timing.map(|timing| Box::new(word(concepts::TIMING, timing.as_str())));
    let observation = Observation {
        id: Some(draft.id(SLOT).as_str().into()),
        meta: draft.meta(SLOT, Label::MentalHealth),
        identifier: vec![draft.identifier(SLOT)],
        part_of: session.into_iter().collect(),
        status: "final".into(),
        category: vec![survey()],
        code: Box::new(build::concept(build::coding(KAP, "check-in", "Check-in"))),
        subject: Some(Box::new(draft.patient())),
        encounter: draft.contact(),
        effective: Some(ObservationEffective::DateTime(build::date_time(record.at.as_str()))),
        value: timing.map(ObservationValue::CodeableConcept),
        has_member: members,
        ..Default::default()
    };
    draft.push(observation);
}

/// The dosing session that a check-in follows: its Procedure, in another record.
pub fn session(draft: &Draft<'_>, follows: Option<&RecordReference>) -> Option<Reference> {
    follows.map(|record| draft.reference_to_record("Procedure", Kind::DosingSession, record, SESSION_SLOT))
}

// ---------------------------------------------------------------- the way back

/// What the Observation says about the check-in.
pub struct About {
    pub at: DateTime,
    pub timing: Option<Timing>,
    pub follows: Option<RecordReference>,
}

pub fn read(reading: &Reading<'_>) -> Result<About, RebuildError> {
    let found: &Observation = reading.one(SLOT)?;
    let at = match &found.effective {
        Some(ObservationEffective::DateTime(at)) => reading::date_time(at),
        _ => None,
    };
    let timing = match &found.value {
        Some(ObservationValue::CodeableConcept(timing)) => reading::table_word(concepts::TIMING, timing),
        _ => None,
    };
    Ok(About {
        at: at.ok_or_else(|| RebuildError::new(SLOT, "has no time"))?,
        timing: timing.and_then(Timing::from_word),
        follows: found.part_of.first().and_then(reading::record_reference),
    })
}
