//! MedicationAdministration: a rescue medicine, bound to the adverse event that it was given for.
//!
//! R4's reasonReference cannot point to an AdverseEvent: the reason is the event's Condition, and the event itself is
//! supporting information. Mapping specification §2.6.
//! <https://hl7.org/fhir/R4/medicationadministration.html>

use super::adverse_event;
use super::concepts;
use super::draft::{Draft, word};
use super::encounter;
use super::label::Label;
use super::medication_administration::{read_effective, read_medicine, read_note, read_route, route_concept};
use super::observation_vitals::quantity;
use super::procedure;
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::resources::{
    MedicationAdministration, MedicationAdministrationDosage, MedicationAdministrationEffective,
    MedicationAdministrationMedication, MedicationAdministrationPerformer,
};
use crate::kap::records::dosing_session::{PerformerFunction, RescueMedication};

pub fn rescue(draft: &mut Draft<'_>, rescue: &RescueMedication, pointer: &str) {
    let natural = format!("{} {:?} {:?}", rescue.at.as_str(), rescue.medicine.term, rescue.medicine.text);
    let slot = draft.slot("rescue-medications", rescue.id.as_deref(), &natural);
    let medicine = draft.termed(concepts::MEDICINE, &rescue.medicine, &format!("{pointer}/medicine"));
    let route = route_concept(draft, &rescue.route, &format!("{pointer}/route"));
    let event = rescue.for_adverse_event.as_deref();
    let resource = MedicationAdministration {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, Label::MentalHealth),
        identifier: vec![draft.identifier(&slot)],
        part_of: vec![draft.reference("Procedure", procedure::SESSION_SLOT)],
        status: "completed".into(),
        medication: MedicationAdministrationMedication::CodeableConcept(Box::new(medicine)),
        subject: Box::new(draft.patient()),
        context: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        supporting_information: event.map(|id| adverse_event::reference(draft, id)).into_iter().collect(),
        effective: MedicationAdministrationEffective::DateTime(build::date_time(rescue.at.as_str())),
        performer: vec![MedicationAdministrationPerformer {
            function: Some(Box::new(word(concepts::PERFORMER_FUNCTION, PerformerFunction::Performer.as_str()))),
            actor: Box::new(draft.practitioner(&rescue.performer)),
            ..Default::default()
        }],
        reason_reference: event.map(|id| adverse_event::condition_reference(draft, id)).into_iter().collect(),
        note: rescue.note.iter().map(|note| build::annotation(note)).collect(),
        dosage: Some(MedicationAdministrationDosage {
            route: Some(Box::new(route)),
            dose: Some(Box::new(quantity(&rescue.dose))),
            ..Default::default()
        }),
        ..Default::default()
    };
    draft.push(resource);
}

pub fn read(reading: &Reading<'_>) -> Result<Vec<RescueMedication>, RebuildError> {
    reading.elements("rescue-medications").iter().map(|slot| read_one(reading, slot)).collect()
}

fn read_one(reading: &Reading<'_>, slot: &str) -> Result<RescueMedication, RebuildError> {
    let found: &MedicationAdministration = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let dosage = found.dosage.as_ref().ok_or_else(|| missing("has no dosage"))?;
    let dose = dosage.dose.as_deref().and_then(reading::quantity);
    let route = dosage.route.as_deref().map(read_route);
    let (medicine, _) = read_medicine(found).ok_or_else(|| missing("has no medicine"))?;
    let (at, _) = read_effective(&found.effective).ok_or_else(|| missing("has no time"))?;
    let performer = found.performer.first().and_then(|who| reading::practitioner(&who.actor));
    Ok(RescueMedication {
        id: reading::sender_id(slot),
        medicine,
        dose: dose.ok_or_else(|| missing("has no dose"))?,
        route: route.ok_or_else(|| missing("has no route"))?,
        at,
        performer: performer.ok_or_else(|| missing("has no performer"))?,
        for_adverse_event: found.supporting_information.first().and_then(reading::element_id),
        note: read_note(found),
    })
}
