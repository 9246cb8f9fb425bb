//! MedicationRequest: the order that doses carry out. Mapping specification §2.5.
//!
//! <https://hl7.org/fhir/R4/medicationrequest.html>

use super::concepts;
use super::condition::reasons_label;
use super::draft::Draft;
use super::encounter;
use super::medication_administration::{read_route, route_concept};
use super::observation_vitals::quantity;
use super::reading::{self, Reading, RebuildError};
use super::systems::extension_url;
use crate::fhir::build;
use crate::fhir::model::resources::{MedicationRequest, MedicationRequestDispenseRequest, MedicationRequestMedication};
use crate::fhir::model::types::{
    Dosage, DosageDoseAndRate, DosageDoseAndRateDose, DosageDoseAndRateRate, Duration, ExtensionValue,
    Quantity as FhirQuantity,
};
use crate::kap::records::dosing_session::{Order, OrderDispense, OrderStatus};

const LIST: &str = "order";

/// Adds the order and answers its slot.
pub fn medication_request(draft: &mut Draft<'_>, order: &Order, pointer: &str) -> String {
    let slot = draft.slot(LIST, order.id.as_deref(), LIST);
    let medicine = draft.termed(concepts::MEDICINE, &order.medicine, &format!("{pointer}/medicine"));
    let route = route_concept(draft, &order.route, &format!("{pointer}/route"));
    let reason_code = order
        .reasons
        .iter()
        .enumerate()
        .map(|(place, reason)| draft.termed(concepts::DIAGNOSIS, reason, &format!("{pointer}/reasons/{place}")))
        .collect();
    let resource = MedicationRequest {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, reasons_label(&order.reasons)),
        extension: order
            .dose_per_weight
            .iter()
            .map(|per_weight| {
                build::extension(
                    extension_url("kap-dose-per-weight"),
                    ExtensionValue::Quantity(Box::new(quantity(per_weight))),
                )
            })
            .collect(),
        identifier: vec![draft.identifier(&slot)],
        status: order.status.as_str().into(),
        intent: "order".into(),
        medication: MedicationRequestMedication::CodeableConcept(Box::new(medicine)),
        subject: Box::new(draft.patient()),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        authored_on: Some(build::date_time(order.ordered_at.as_str())),
        requester: Some(Box::new(draft.practitioner(&order.prescriber))),
        reason_code,
        dosage_instruction: vec![Dosage {
            text: order.text.as_deref().map(Into::into),
            route: Some(Box::new(route)),
            dose_and_rate: dose_and_rate(order).into_iter().collect(),
            ..Default::default()
        }],
        dispense_request: order.dispense.as_ref().map(dispense_request),
        ..Default::default()
    };
    draft.push(resource);
    slot
}

fn dose_and_rate(order: &Order) -> Option<DosageDoseAndRate> {
    (order.dose.is_some() || order.rate.is_some()).then(|| DosageDoseAndRate {
        dose: order.dose.as_ref().map(|dose| DosageDoseAndRateDose::Quantity(Box::new(quantity(dose)))),
        rate: order.rate.as_ref().map(|rate| DosageDoseAndRateRate::Quantity(Box::new(quantity(rate)))),
        ..Default::default()
    })
}

fn dispense_request(dispense: &OrderDispense) -> MedicationRequestDispenseRequest {
    let repeats = dispense.repeats.and_then(|repeats| u32::try_from(repeats).ok());
    MedicationRequestDispenseRequest {
        number_of_repeats_allowed: repeats.map(Into::into),
        quantity: dispense.quantity.as_ref().map(|found| Box::new(quantity(found))),
        expected_supply_duration: dispense.days_supply.map(|days| {
            let FhirQuantity { value, unit, system, code, .. } = build::quantity(days.to_string(), "d");
            Box::new(Duration { value, unit, system, code, ..Default::default() })
        }),
        ..Default::default()
    }
}

fn read_dispense(found: &MedicationRequestDispenseRequest) -> OrderDispense {
    let days = found.expected_supply_duration.as_deref();
    OrderDispense {
        quantity: found.quantity.as_deref().and_then(reading::quantity),
        days_supply: days.and_then(|days| days.value.as_ref()?.value.as_deref()?.parse().ok()),
        repeats: found.number_of_repeats_allowed.as_ref().and_then(|repeats| repeats.value).map(i64::from),
    }
}

pub fn read(reading: &Reading<'_>) -> Result<Option<Order>, RebuildError> {
    reading.elements(LIST).first().map(|slot| read_one(reading, slot)).transpose()
}

fn read_one(reading: &Reading<'_>, slot: &str) -> Result<Order, RebuildError> {
    let found: &MedicationRequest = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let MedicationRequestMedication::CodeableConcept(medicine) = &found.medication else {
        return Err(missing("has no medicine of ours"));
    };
    let dosage = found.dosage_instruction.first().ok_or_else(|| missing("has no dosage"))?;
    let amounts = dosage.dose_and_rate.first();
    Ok(Order {
        id: reading::sender_id(slot),
        status: found
            .status
            .value
            .as_deref()
            .and_then(OrderStatus::from_word)
            .ok_or_else(|| missing("has no status of ours"))?,
        medicine: reading::termed(concepts::MEDICINE, medicine),
        route: dosage.route.as_deref().map(read_route).ok_or_else(|| missing("has no route"))?,
        dose: amounts.and_then(|amounts| {
            reading::quantity(reading::choice!(amounts.dose.as_ref()?, DosageDoseAndRateDose::Quantity)?)
        }),
        dose_per_weight: reading::extension_quantity(&found.extension, "kap-dose-per-weight"),
        rate: amounts.and_then(|amounts| {
            reading::quantity(reading::choice!(amounts.rate.as_ref()?, DosageDoseAndRateRate::Quantity)?)
        }),
        text: dosage.text.as_ref().and_then(|text| text.value.clone()),
        reasons: found.reason_code.iter().map(|reason| reading::termed(concepts::DIAGNOSIS, reason)).collect(),
        dispense: found.dispense_request.as_ref().map(read_dispense),
        prescriber: found
            .requester
            .as_deref()
            .and_then(reading::practitioner)
            .ok_or_else(|| missing("has no requester"))?,
        ordered_at: found.authored_on.as_ref().and_then(reading::date_time).ok_or_else(|| missing("has no date"))?,
    })
}
