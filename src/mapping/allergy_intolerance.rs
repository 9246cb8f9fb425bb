//! AllergyIntolerance: allergies, and that there are none. Mapping specification §2.2.
//!
//! <https://hl7.org/fhir/R4/allergyintolerance.html>

use super::concepts;
use super::draft::{Draft, natural_key, word};
use super::encounter;
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use crate::fhir::model::resources::{AllergyIntolerance, AllergyIntoleranceReaction};
use crate::kap::records::intake::{Allergy, AllergyStatus, Criticality};

const LIST: &str = "allergies";
const NONE_SLOT: &str = "no-known-allergies";

pub fn allergies(draft: &mut Draft<'_>, allergies: &[Allergy]) {
    for (place, allergy) in allergies.iter().enumerate() {
        let slot = draft.slot(LIST, allergy.id.as_deref(), natural_key(&allergy.substance));
        let resource = allergy_intolerance(draft, allergy, &slot, &format!("/{LIST}/{place}"));
        draft.push(resource);
    }
}

fn allergy_intolerance(draft: &mut Draft<'_>, allergy: &Allergy, slot: &str, pointer: &str) -> AllergyIntolerance {
    let code = draft.termed(concepts::MEDICINE, &allergy.substance, &format!("{pointer}/substance"));
    let reaction = allergy
        .reactions
        .iter()
        .enumerate()
        .map(|(place, reaction)| AllergyIntoleranceReaction {
            manifestation: vec![draft.coded_text(reaction, &format!("{pointer}/reactions/{place}"))],
            ..Default::default()
        })
        .collect();
    AllergyIntolerance {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, Label::Normal),
        identifier: vec![draft.identifier(slot)],
        clinical_status: Some(Box::new(word(concepts::ALLERGY_STATUS, allergy.clinical_status.as_str()))),
        criticality: allergy.criticality.map(|criticality| criticality.as_str().into()),
        code: Some(Box::new(code)),
        patient: Box::new(draft.patient()),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        reaction,
        ..Default::default()
    }
}

/// Pushes that the patient was asked and has no allergy known.
pub fn no_known_allergies(draft: &mut Draft<'_>) {
    let resource = AllergyIntolerance {
        id: Some(draft.id(NONE_SLOT).as_str().into()),
        meta: draft.meta(NONE_SLOT, Label::Normal),
        identifier: vec![draft.identifier(NONE_SLOT)],
        clinical_status: Some(Box::new(word(concepts::ALLERGY_STATUS, "active"))),
        code: Some(Box::new(word(concepts::ASSERTION, "no-known-allergies"))),
        patient: Box::new(draft.patient()),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        ..Default::default()
    };
    draft.push(resource);
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<Allergy>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_allergy(reading, slot)).collect()
}

fn read_allergy(reading: &Reading<'_>, slot: &str) -> Result<Allergy, RebuildError> {
    let found: &AllergyIntolerance = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let status =
        found.clinical_status.as_deref().and_then(|status| reading::table_word(concepts::ALLERGY_STATUS, status));
    Ok(Allergy {
        id: reading::sender_id(slot),
        substance: found
            .code
            .as_deref()
            .map(|code| reading::termed(concepts::MEDICINE, code))
            .ok_or_else(|| missing("has no substance"))?,
        clinical_status: status
            .and_then(AllergyStatus::from_word)
            .ok_or_else(|| missing("has no clinical status of ours"))?,
        criticality: found
            .criticality
            .as_ref()
            .and_then(|criticality| Criticality::from_word(criticality.value.as_deref()?)),
        reactions: found
            .reaction
            .iter()
            .flat_map(|reaction| &reaction.manifestation)
            .filter_map(reading::coded_text)
            .collect(),
    })
}

/// `true` where the intake says that there are none; absent otherwise.
pub fn read_none(reading: &Reading<'_>) -> Option<bool> {
    reading.find::<AllergyIntolerance>(NONE_SLOT).map(|_| true)
}
