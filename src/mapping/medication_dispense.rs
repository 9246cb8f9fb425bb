//! MedicationDispense: medicine handed over for use at home. Mapping specification §2.5.
//!
//! <https://hl7.org/fhir/R4/medicationdispense.html>

use super::concepts;
use super::draft::Draft;
use super::encounter;
use super::label::Label;
use super::medication::{self, Medicine};
use super::observation_vitals::quantity;
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::Resource;
use crate::fhir::model::resources::{MedicationDispense, MedicationDispenseMedication, MedicationDispensePerformer};
use crate::fhir::model::types::Dosage;
use crate::kap::records::dosing_session::Dispense;

const LIST: &str = "dispenses";

/// `order`: the slot of the order of the same record, which the dispense fills.
pub fn medication_dispense(draft: &mut Draft<'_>, dispense: &Dispense, order: Option<&str>, pointer: &str) {
    let natural = format!("{} {:?}", dispense.handed_over_at.as_str(), dispense.medicine.term);
    let slot = draft.slot(LIST, dispense.id.as_deref(), &natural);
    let (medication, contained) =
        match medication::medicine(draft, &dispense.medicine, dispense.product.as_ref(), pointer) {
            Medicine::Concept(concept) => (MedicationDispenseMedication::CodeableConcept(concept), Vec::new()),
            Medicine::Product { reference, contained } => {
                (MedicationDispenseMedication::Reference(reference), vec![Resource::Medication(contained)])
            }
        };
    let resource = MedicationDispense {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, Label::MentalHealth),
        contained,
        identifier: vec![draft.identifier(&slot)],
        status: "completed".into(),
        medication,
        subject: Some(Box::new(draft.patient())),
        context: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        performer: performers(draft, dispense),
        authorizing_prescription: order.iter().map(|slot| draft.reference("MedicationRequest", slot)).collect(),
        quantity: Some(Box::new(quantity(&dispense.quantity))),
        days_supply: dispense.days_supply.map(|days| Box::new(build::quantity(days.to_string(), "d"))),
        when_handed_over: Some(build::date_time(dispense.handed_over_at.as_str())),
        destination: dispense.destination.as_deref().map(|place| Box::new(build::described(place))),
        dosage_instruction: dispense.instructions.iter().map(|words| instruction(words)).collect(),
        ..Default::default()
    };
    draft.push(resource);
}

/// Who handed it over, and for which pharmacy.
fn performers(draft: &mut Draft<'_>, dispense: &Dispense) -> Vec<MedicationDispensePerformer> {
    let person = dispense.dispenser.as_ref().map(|who| draft.practitioner(who));
    let pharmacy = dispense.pharmacy.as_ref().map(|pharmacy| draft.organization(pharmacy));
    let performer = |actor| MedicationDispensePerformer { actor: Box::new(actor), ..Default::default() };
    person.into_iter().chain(pharmacy).map(performer).collect()
}

fn instruction(words: &str) -> Dosage {
    Dosage { text: Some(words.into()), ..Default::default() }
}

pub fn read(reading: &Reading<'_>) -> Result<Vec<Dispense>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_one(reading, slot)).collect()
}

fn read_one(reading: &Reading<'_>, slot: &str) -> Result<Dispense, RebuildError> {
    let found: &MedicationDispense = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let of_type = |name: &'static str| found.performer.iter().find(move |who| reading::is_to(&who.actor, name));
    let (medicine, product) = match &found.medication {
        MedicationDispenseMedication::CodeableConcept(concept) => (reading::termed(concepts::MEDICINE, concept), None),
        MedicationDispenseMedication::Reference(_) => medication::read_contained(&found.contained)
            .map(|(medicine, product)| (medicine, Some(product)))
            .ok_or_else(|| missing("has no product"))?,
        MedicationDispenseMedication::Invalid => return Err(missing("has no medicine")),
    };
    Ok(Dispense {
        id: reading::sender_id(slot),
        medicine,
        product,
        quantity: found.quantity.as_deref().and_then(reading::quantity).ok_or_else(|| missing("has no quantity"))?,
        days_supply: found.days_supply.as_deref().and_then(|days| days.value.as_ref()?.value.as_deref()?.parse().ok()),
        handed_over_at: found
            .when_handed_over
            .as_ref()
            .and_then(reading::date_time)
            .ok_or_else(|| missing("has no time"))?,
        destination: found.destination.as_deref().and_then(|place| place.display.as_ref()?.value.clone()),
        dispenser: of_type("Practitioner").and_then(|who| reading::practitioner(&who.actor)),
        pharmacy: of_type("Organization").and_then(|who| reading::organization(&who.actor)),
        instructions: found.dosage_instruction.first().and_then(|told| told.text.as_ref()?.value.clone()),
    })
}
