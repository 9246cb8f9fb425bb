//! MedicationAdministration: each dose of ketamine, and each rescue medicine. Mapping specification §2.5, §2.6,
//! D-04 to D-08.
//!
//! <https://hl7.org/fhir/R4/medicationadministration.html>

use super::concepts;
use super::draft::{Draft, word};
use super::encounter;
use super::label::Label;
use super::medication::{self, Medicine};
use super::observation_vitals::{WEIGHT, quantity};
use super::procedure;
use super::reading::{self, Reading, RebuildError};
use super::systems::extension_url;
use crate::fhir::build;
use crate::fhir::model::Resource;
use crate::fhir::model::resources::{
    MedicationAdministration, MedicationAdministrationDosage, MedicationAdministrationDosageRate,
    MedicationAdministrationEffective, MedicationAdministrationMedication, MedicationAdministrationPerformer,
};
use crate::fhir::model::types::{CodeableConcept, Extension, ExtensionValue, Reference};
use crate::kap::records::dosing_session::{
    AdministrationPerformer, Dose, DoseRole, DoseStatus, DosingWeight, Pause, PerformerFunction, StatusReason,
    StatusReasonTerm, Strength, Wasted, WeightBasis,
};
use crate::kap::units;
use crate::kap::values::{DateTime, Quantity, Termed, round_milligrams};
use rust_decimal::Decimal;

/// Adds the dose; `order` is the slot of the order that it carries out.
pub fn dose(draft: &mut Draft<'_>, dose: &Dose, order: Option<&str>, pointer: &str) {
    let slot = draft.slot("doses", dose.id.as_deref(), &format!("{} {:?}", dose.start.as_str(), dose.sequence));
    let (medication, contained) = choice(medication::medicine(draft, &dose.medicine, dose.product.as_ref(), pointer));
    let route = dose.route.as_ref().map(|route| route_concept(draft, route, &format!("{pointer}/route")));
    let site = dose.site.as_ref().map(|site| draft.coded_text(site, &format!("{pointer}/site")));
    let amount = amount(draft, dose, pointer);
    let mut extension = extensions(draft, dose);
    // mad-1: a dosage needs a dose or a rate; without either, route and site stand beside it.
    let dosage = if amount.is_some() || dose.rate.is_some() {
        Some(MedicationAdministrationDosage {
            extension: dose
                .volume
                .iter()
                .map(|volume| {
                    build::extension(extension_url("kap-volume"), ExtensionValue::Quantity(Box::new(quantity(volume))))
                })
                .collect(),
            text: volume_text(dose).map(|text| text.as_str().into()),
            site: site.map(Box::new),
            route: route.map(Box::new),
            dose: amount.map(Box::new),
            rate: dose.rate.as_ref().map(|rate| MedicationAdministrationDosageRate::Quantity(Box::new(quantity(rate)))),
            ..Default::default()
        })
    } else {
        let aside = [("kap-route", route), ("kap-site", site)];
        extension.extend(aside.into_iter().filter_map(|(name, concept)| {
            Some(build::extension(extension_url(name), ExtensionValue::CodeableConcept(Box::new(concept?))))
        }));
        None
    };
    let resource = MedicationAdministration {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, Label::MentalHealth),
        contained,
        extension,
        identifier: vec![draft.identifier(&slot)],
        part_of: vec![draft.reference("Procedure", procedure::SESSION_SLOT)],
        status: dose.status.as_str().into(),
        status_reason: dose.status_reasons.iter().map(status_reason).collect(),
        medication,
        subject: Box::new(draft.patient()),
        context: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        effective: match &dose.end {
            Some(end) => MedicationAdministrationEffective::Period(Box::new(build::period(
                Some(dose.start.as_str()),
                Some(end.as_str()),
            ))),
            None => MedicationAdministrationEffective::DateTime(build::date_time(dose.start.as_str())),
        },
        performer: dose.performers.iter().map(|who| performer(draft, who)).collect(),
        request: order.map(|slot| Box::new(draft.reference("MedicationRequest", slot))),
        note: dose.note.iter().map(|note| build::annotation(note)).collect(),
        dosage,
        ..Default::default()
    };
    draft.push(resource);
}

/// `medication[x]`, and the contained product where there is one.
fn choice(medicine: Medicine) -> (MedicationAdministrationMedication, Vec<Resource>) {
    match medicine {
        Medicine::Concept(concept) => (MedicationAdministrationMedication::CodeableConcept(concept), Vec::new()),
        Medicine::Product { reference, contained } => {
            (MedicationAdministrationMedication::Reference(reference), vec![Resource::Medication(contained)])
        }
    }
}

/// One of the eight routes, or the sender's own (D-07): then it is text, tagged for review.
pub fn route_concept(draft: &mut Draft<'_>, route: &Termed, pointer: &str) -> CodeableConcept {
    if route.term.as_deref() == Some("other") {
        draft.review();
        draft.notice(pointer, "The route is not one of the eight: it is kept as text and tagged for review.");
    }
    draft.termed(concepts::ROUTE, route, pointer)
}

/// The dose given: as sent, or computed from volume and strength (D-04).
fn amount(draft: &mut Draft<'_>, dose: &Dose, pointer: &str) -> Option<crate::fhir::model::types::Quantity> {
    if let Some(sent) = &dose.dose {
        return Some(quantity(sent));
    }
    let computed = milligrams(dose.volume.as_ref()?, strength(dose)?)?;
    let rounded = round_milligrams(computed).normalize();
    // The rules refuse such a record: zero is no dose.
    if rounded.is_zero() {
        return None;
    }
    let how = if rounded == computed { "" } else { ", rounded to six decimals" };
    let sentence = format!("The dose was computed from volume and strength: {rounded} mg{how}.");
    draft.notice(format!("{pointer}/volume"), sentence);
    Some(build::quantity(rounded.to_string(), "mg"))
}

fn strength(dose: &Dose) -> Option<&Strength> {
    dose.product.as_ref()?.strength.as_ref()
}

/// Volume × strength in mg.
fn milligrams(volume: &Quantity, strength: &Strength) -> Option<Decimal> {
    let numerator = units::convert(strength.numerator.value.value()?, &strength.numerator.unit, "mg")?;
    // A strength per piece says nothing of a volume; the rules refuse such a record.
    let denominator = units::convert(strength.denominator.value.value()?, &strength.denominator.unit, "mL")?;
    units::convert(volume.value.value()?, &volume.unit, "mL")?.checked_mul(numerator)?.checked_div(denominator)
}

fn volume_text(dose: &Dose) -> Option<String> {
    let (volume, strength) = (dose.volume.as_ref()?, strength(dose)?);
    Some(format!(
        "{} {} of {} {} per {} {}",
        volume.value.text(),
        volume.unit,
        strength.numerator.value.text(),
        strength.numerator.unit,
        strength.denominator.value.text(),
        strength.denominator.unit
    ))
}

fn extensions(draft: &mut Draft<'_>, dose: &Dose) -> Vec<Extension> {
    let mut found = Vec::new();
    let mut add = |name: &str, value: ExtensionValue| found.push(build::extension(extension_url(name), value));
    if let Some(role) = dose.role {
        add("kap-dose-role", ExtensionValue::Code(role.as_str().into()));
    }
    if let Some(sequence) = dose.sequence.and_then(|sequence| u32::try_from(sequence).ok()) {
        add("kap-dose-sequence", ExtensionValue::PositiveInt(sequence.into()));
    }
    if let Some(per_weight) = &dose.dose_per_weight {
        add("kap-dose-per-weight", ExtensionValue::Quantity(Box::new(quantity(per_weight))));
    }
    if let Some(weight) = &dose.dosing_weight {
        let value = build::quantity(weight.value.text(), &weight.unit);
        add("kap-dosing-weight", ExtensionValue::Quantity(Box::new(value)));
        if let Some(basis) = weight.basis {
            add("kap-weight-basis", ExtensionValue::Code(basis.as_str().into()));
        }
        if let Some(id) = &weight.vitals {
            let measured = draft.reference_to_element("Observation", &format!("vitals/{id}/{WEIGHT}"));
            add("kap-dosing-weight-source", ExtensionValue::Reference(Box::new(measured)));
        }
    }
    if let Some(devices) = dose.devices.and_then(|devices| u32::try_from(devices).ok()) {
        add("kap-device-count", ExtensionValue::PositiveInt(devices.into()));
    }
    if let Some(push) = dose.push {
        add("kap-iv-push", ExtensionValue::Boolean(push.into()));
    }
    if let Some(minutes) = &dose.hold_minutes {
        let value = build::quantity(minutes.text(), "min");
        add("kap-hold-minutes", ExtensionValue::Quantity(Box::new(value)));
    }
    if let Some(swallowed) = dose.swallowed {
        add("kap-swallowed", ExtensionValue::Boolean(swallowed.into()));
    }
    found.extend(dose.pauses.iter().map(pause));
    if let Some(wasted) = &dose.wasted {
        let mut parts = vec![build::extension("amount", ExtensionValue::Quantity(Box::new(quantity(&wasted.amount))))];
        if let Some(witness) = &wasted.witness {
            let witness = draft.practitioner(witness);
            parts.push(build::extension("witness", ExtensionValue::Reference(Box::new(witness))));
        }
        found.push(build::complex_extension(extension_url("kap-wasted-amount"), parts));
    }
    found
}

fn pause(pause: &Pause) -> Extension {
    let mut parts = vec![
        build::extension("start", ExtensionValue::DateTime(build::date_time(pause.start.as_str()))),
        build::extension("end", ExtensionValue::DateTime(build::date_time(pause.end.as_str()))),
    ];
    if let Some(reason) = &pause.reason {
        parts.push(build::extension("reason", ExtensionValue::String(reason.as_str().into())));
    }
    build::complex_extension(extension_url("kap-infusion-pause"), parts)
}

fn status_reason(reason: &StatusReason) -> CodeableConcept {
    CodeableConcept {
        text: reason.text.as_deref().map(Into::into),
        ..word(concepts::STATUS_REASON, reason.term.as_str())
    }
}

fn performer(draft: &mut Draft<'_>, who: &AdministrationPerformer) -> MedicationAdministrationPerformer {
    let actor = match &who.practitioner {
        Some(practitioner) => draft.practitioner(practitioner),
        None => draft.patient(),
    };
    MedicationAdministrationPerformer {
        function: Some(Box::new(word(concepts::PERFORMER_FUNCTION, who.function.as_str()))),
        actor: Box::new(actor),
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

pub fn read_doses(reading: &Reading<'_>) -> Result<Vec<Dose>, RebuildError> {
    reading.elements("doses").iter().map(|slot| read_dose(reading, slot)).collect()
}

fn read_dose(reading: &Reading<'_>, slot: &str) -> Result<Dose, RebuildError> {
    let found: &MedicationAdministration = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let (medicine, product) = read_medicine(found).ok_or_else(|| missing("has no medicine"))?;
    let dosage = found.dosage.as_ref();
    let aside = |name| match reading::find_extension(&found.extension, name).and_then(|e| e.value.as_ref()) {
        Some(ExtensionValue::CodeableConcept(concept)) => Some((**concept).clone()),
        _ => None,
    };
    let route = dosage.and_then(|d| d.route.as_deref().cloned()).or_else(|| aside("kap-route"));
    let site = dosage.and_then(|d| d.site.as_deref().cloned()).or_else(|| aside("kap-site"));
    let volume = dosage.and_then(|d| reading::extension_quantity(&d.extension, "kap-volume"));
    let (start, end) = read_effective(&found.effective).ok_or_else(|| missing("has no time"))?;
    let status = found.status.value.as_deref().and_then(DoseStatus::from_word);
    Ok(Dose {
        id: reading::sender_id(slot),
        sequence: read_count(&found.extension, "kap-dose-sequence"),
        role: reading::extension_text(&found.extension, "kap-dose-role").and_then(DoseRole::from_word),
        status: status.ok_or_else(|| missing("has no status of ours"))?,
        status_reasons: found.status_reason.iter().filter_map(read_status_reason).collect(),
        medicine,
        product,
        route: route.as_ref().map(read_route),
        dose: match volume {
            Some(_) => None,
            None => dosage.and_then(|d| reading::quantity(d.dose.as_deref()?)),
        },
        volume,
        devices: read_count(&found.extension, "kap-device-count"),
        dose_per_weight: reading::extension_quantity(&found.extension, "kap-dose-per-weight"),
        dosing_weight: reading::extension_quantity(&found.extension, "kap-dosing-weight").map(|weight| DosingWeight {
            value: weight.value,
            unit: weight.unit,
            basis: reading::extension_text(&found.extension, "kap-weight-basis").and_then(WeightBasis::from_word),
            vitals: read_weight_source(&found.extension),
        }),
        rate: dosage.and_then(|d| {
            reading::quantity(reading::choice!(d.rate.as_ref()?, MedicationAdministrationDosageRate::Quantity)?)
        }),
        push: reading::extension_bool(&found.extension, "kap-iv-push"),
        start,
        end,
        pauses: found
            .extension
            .iter()
            .filter(|extension| extension.url == extension_url("kap-infusion-pause"))
            .filter_map(read_pause)
            .collect(),
        site: site.as_ref().and_then(reading::coded_text),
        hold_minutes: reading::extension_quantity(&found.extension, "kap-hold-minutes").map(|minutes| minutes.value),
        swallowed: reading::extension_bool(&found.extension, "kap-swallowed"),
        performers: found.performer.iter().filter_map(read_performer).collect(),
        wasted: reading::find_extension(&found.extension, "kap-wasted-amount").and_then(read_wasted),
        note: read_note(found),
    })
}

fn read_count(extensions: &[Extension], name: &str) -> Option<i64> {
    let value = reading::find_extension(extensions, name)?.value.as_ref()?;
    reading::choice!(value, ExtensionValue::PositiveInt)?.value.map(i64::from)
}

/// The sender's id of the vital signs that hold the dosing weight.
fn read_weight_source(extensions: &[Extension]) -> Option<String> {
    let value = reading::find_extension(extensions, "kap-dosing-weight-source")?.value.as_ref()?;
    let slot = reading::element_slot(reading::choice!(value, ExtensionValue::Reference)?)?;
    Some(slot.strip_prefix("vitals/")?.strip_suffix(WEIGHT)?.strip_suffix('/')?.to_owned())
}

pub fn read_note(found: &MedicationAdministration) -> Option<String> {
    found.note.first().and_then(|note| note.text.value.clone())
}

pub fn read_medicine(
    found: &MedicationAdministration,
) -> Option<(Termed, Option<crate::kap::records::dosing_session::Product>)> {
    match &found.medication {
        MedicationAdministrationMedication::CodeableConcept(concept) => {
            Some((reading::termed(concepts::MEDICINE, concept), None))
        }
        MedicationAdministrationMedication::Reference(_) => {
            medication::read_contained(&found.contained).map(|(medicine, product)| (medicine, Some(product)))
        }
        MedicationAdministrationMedication::Invalid => None,
    }
}

/// A route without a row of the table is the sender's own.
pub fn read_route(concept: &CodeableConcept) -> Termed {
    let found = reading::termed(concepts::ROUTE, concept);
    Termed { term: found.term.or_else(|| Some("other".to_owned())), ..found }
}

pub fn read_effective(effective: &MedicationAdministrationEffective) -> Option<(DateTime, Option<DateTime>)> {
    match effective {
        MedicationAdministrationEffective::DateTime(at) => Some((reading::date_time(at)?, None)),
        MedicationAdministrationEffective::Period(period) => {
            Some((reading::date_time(period.start.as_ref()?)?, period.end.as_ref().and_then(reading::date_time)))
        }
        MedicationAdministrationEffective::Invalid => None,
    }
}

fn read_status_reason(concept: &CodeableConcept) -> Option<StatusReason> {
    Some(StatusReason {
        term: reading::table_word(concepts::STATUS_REASON, concept).and_then(StatusReasonTerm::from_word)?,
        text: concept.text.as_ref().and_then(|text| text.value.clone()),
    })
}

fn read_pause(extension: &Extension) -> Option<Pause> {
    let at = |name| reading::part(extension, name).and_then(reading::value_text).map(|text| DateTime(text.to_owned()));
    Some(Pause {
        start: at("start")?,
        end: at("end")?,
        reason: reading::part(extension, "reason").and_then(reading::value_text).map(str::to_owned),
    })
}

fn read_performer(found: &MedicationAdministrationPerformer) -> Option<AdministrationPerformer> {
    let function = found
        .function
        .as_deref()
        .and_then(|function| reading::table_word(concepts::PERFORMER_FUNCTION, function))
        .and_then(PerformerFunction::from_word)?;
    let is_patient = is_patient(&found.actor);
    Some(AdministrationPerformer {
        function,
        practitioner: if is_patient { None } else { reading::practitioner(&found.actor) },
        patient: is_patient.then_some(true),
    })
}

pub fn is_patient(reference: &Reference) -> bool {
    let target = reference.reference.as_ref().and_then(|reference| reference.value.as_deref());
    target.is_some_and(|target| target.starts_with("Patient/"))
}

fn read_wasted(extension: &Extension) -> Option<Wasted> {
    let amount = reading::quantity(reading::choice!(reading::part(extension, "amount")?, ExtensionValue::Quantity)?)?;
    let witness = match reading::part(extension, "witness") {
        Some(ExtensionValue::Reference(witness)) => reading::practitioner(witness),
        _ => None,
    };
    Some(Wasted { amount, witness })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kap::kind::Kind;
    use crate::kap::records::Record;
    use serde_json::{Value, json};

    /// Dose, and what the sender is told, of a volume in mL of a strength in that unit per mL.
    fn given(volume: &str, numerator: &str, unit: &str, denominator: &str) -> (Option<String>, Vec<String>) {
        let number = |text: &str| serde_json::from_str::<Value>(text).expect("a number");
        let record = json!({
            "kind": "dosing-session", "source": {"system": "urn:kap:test", "recordId": "d-1", "revision": 1},
            "recordedAt": "2026-02-02T12:00:00-05:00",
            "author": {"identifier": {"system": "urn:kap:test", "value": "nurse"}},
            "patient": {"identifier": {"system": "urn:kap:test", "value": "patient"}},
            "course": {"identifier": {"system": "urn:kap:test", "value": "course"}},
            "contact": {"status": "finished", "start": "2026-02-02T09:00:00-05:00", "setting": "clinic"},
            "format": "individual",
            "doses": [{"status": "completed", "medicine": {"term": "ketamine"}, "route": {"term": "intramuscular"},
                "performers": [{"function": "performer", "patient": true}],
                "start": "2026-02-02T09:30:00-05:00", "volume": {"value": number(volume), "unit": "mL"},
                "product": {"strength": {"numerator": {"value": number(numerator), "unit": unit},
                    "denominator": {"value": number(denominator), "unit": "mL"}}}}],
        });
        let record = Record::from_value(Kind::DosingSession, record).expect("a record");
        let mut draft = Draft::new(record.header(), None);
        let Record::DosingSession(session) = &record else { panic!("a dosing session") };
        dose(&mut draft, &session.doses[0], None, "/doses/0");
        let found = draft.entries.iter().find_map(|entry| {
            if let Resource::MedicationAdministration(found) = &entry.resource { found.dosage.as_ref() } else { None }
        });
        let milligrams = found.and_then(|dosage| dosage.dose.as_ref()?.value.as_ref()?.value.clone());
        let told = draft.notices.into_iter().map(|notice| format!("{} {}", notice.pointer, notice.sentence)).collect();
        (milligrams, told)
    }

    #[test]
    fn volume_times_strength_is_the_dose_in_milligrams() {
        let (dose, told) = given("0.5", "100", "mg", "1");
        assert_eq!(dose.as_deref(), Some("50"));
        assert_eq!(told, ["/doses/0/volume The dose was computed from volume and strength: 50 mg."]);
        assert_eq!(given("0.75", "0.05", "g", "1").0.as_deref(), Some("37.5"));
        assert_eq!(given("2", "500", "ug", "1").0.as_deref(), Some("1"));
    }

    #[test]
    fn a_computed_dose_has_six_decimals_at_most_and_says_that_it_was_rounded() {
        // 100 / 3 = 33.3333...
        let (dose, told) = given("1", "100", "mg", "3");
        assert_eq!(dose.as_deref(), Some("33.333333"));
        assert!(told[0].ends_with("33.333333 mg, rounded to six decimals."), "{told:?}");
        assert_eq!(given("0.0000005", "1", "mg", "1").0.as_deref(), Some("0.000001"), "halves away from zero");
    }

    #[test]
    fn a_computed_zero_is_no_dose() {
        assert_eq!(given("0.0000004", "1", "mg", "1"), (None, Vec::new()));
    }
}
