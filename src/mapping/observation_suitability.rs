//! Observation: the suitability decision. Mapping specification §2.3.
//!
//! It has no encounter: it may be taken after the contact. <https://hl7.org/fhir/R4/observation.html>

use super::concepts;
use super::condition::diagnosis_label;
use super::draft::{Draft, word};
use super::label::Label;
use super::observation_vitals::BLOOD_PRESSURE;
use super::reading::{self, Reading, RebuildError};
use super::systems::OBSERVATION_CATEGORY;
use crate::fhir::build;
use crate::fhir::model::resources::{
    Observation, ObservationComponent, ObservationComponentValue, ObservationEffective, ObservationValue,
};
use crate::fhir::model::types::Reference;
use crate::kap::records::intake::{RestsOn, ScreeningList, Suitability, SuitabilityDecision};

const SLOT: &str = "suitability";

/// Pushes the decision; `role` is the decider's as prescriber, where the care team names them.
pub fn suitability(draft: &mut Draft<'_>, suitability: &Suitability, role: Option<Reference>) {
    let reasons: Vec<_> = suitability
        .reasons
        .iter()
        .enumerate()
        .map(|(place, reason)| {
            let reason = draft.termed(concepts::DIAGNOSIS, reason, &format!("/suitability/reasons/{place}"));
            component("reason", ObservationComponentValue::CodeableConcept(Box::new(reason)))
        })
        .collect();
    let conditions = suitability
        .conditions
        .iter()
        .map(|condition| component("condition", ObservationComponentValue::String(condition.as_str().into())));
    let label = suitability.reasons.iter().map(diagnosis_label).max().unwrap_or(Label::Normal);
    let decision = word(concepts::DECISION, suitability.decision.as_str());
    let resource = Observation {
        id: Some(draft.id(SLOT).as_str().into()),
        meta: draft.meta(SLOT, label.max(Label::MentalHealth)),
        identifier: vec![draft.identifier(SLOT)],
        status: "final".into(),
        category: vec![build::concept(build::coding(OBSERVATION_CATEGORY, "exam", "Exam"))],
        code: Box::new(word(concepts::SUITABILITY, "decision")),
        subject: Some(Box::new(draft.patient())),
        effective: Some(ObservationEffective::DateTime(build::date_time(suitability.decided_at.as_str()))),
        performer: std::iter::once(draft.practitioner(&suitability.decided_by)).chain(role).collect(),
        value: Some(ObservationValue::CodeableConcept(Box::new(decision))),
        note: suitability.risk_benefit.iter().map(|weighed| build::annotation(weighed)).collect(),
        derived_from: suitability.rests_on.iter().map(|result| screening(draft, result)).collect(),
        component: reasons.into_iter().chain(conditions).collect(),
        ..Default::default()
    };
    draft.push(resource);
}

/// The Observation of a screening result of this intake; of vital signs the blood pressure.
fn screening(draft: &Draft<'_>, result: &RestsOn) -> Reference {
    let slot = format!("{}/{}", result.list.as_str(), result.id);
    match result.list {
        ScreeningList::Results | ScreeningList::Labs => draft.reference_to_element("Observation", &slot),
        ScreeningList::Vitals => draft.reference_to_element("Observation", &format!("{slot}/{BLOOD_PRESSURE}")),
    }
}

fn read_screening(found: &Reference) -> Option<RestsOn> {
    let (list, rest) = reading::element_slot(found)?.split_once('/')?;
    let id = rest.split('/').next()?.to_owned();
    Some(RestsOn { list: ScreeningList::from_word(list)?, id })
}

fn component(what: &str, value: ObservationComponentValue) -> ObservationComponent {
    ObservationComponent { code: Box::new(word(concepts::SUITABILITY, what)), value: Some(value), ..Default::default() }
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Option<Suitability>, RebuildError> {
    let Some(found) = reading.find::<Observation>(SLOT) else { return Ok(None) };
    let missing = |what| RebuildError::new(SLOT, what);
    let Some(ObservationValue::CodeableConcept(decision)) = &found.value else {
        return Err(missing("has no decision"));
    };
    let decided_at = match &found.effective {
        Some(ObservationEffective::DateTime(at)) => reading::date_time(at),
        Some(_) | None => None,
    };
    let parts = |what: &'static str| {
        found
            .component
            .iter()
            .filter(move |part| reading::table_word(concepts::SUITABILITY, &part.code) == Some(what))
            .filter_map(|part| part.value.as_ref())
    };
    let reasons = parts("reason").filter_map(|value| {
        let ObservationComponentValue::CodeableConcept(reason) = value else { return None };
        Some(reading::termed(concepts::DIAGNOSIS, reason))
    });
    let conditions = parts("condition").filter_map(|value| {
        let ObservationComponentValue::String(condition) = value else { return None };
        condition.value.clone()
    });
    Ok(Some(Suitability {
        decision: reading::table_word(concepts::DECISION, decision)
            .and_then(SuitabilityDecision::from_word)
            .ok_or_else(|| missing("has no decision of ours"))?,
        reasons: reasons.collect(),
        conditions: conditions.collect(),
        risk_benefit: found.note.first().and_then(|note| note.text.value.clone()),
        rests_on: found.derived_from.iter().filter_map(read_screening).collect(),
        decided_by: found.performer.first().and_then(reading::practitioner).ok_or_else(|| missing("has no decider"))?,
        decided_at: decided_at.ok_or_else(|| missing("has no time"))?,
    }))
}
