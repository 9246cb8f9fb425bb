//! Observation: vital signs, one for each measurement. Mapping specification §2.2, §2.6.
//!
//! <https://hl7.org/fhir/R4/observation-vitalsigns.html>

use super::draft::Draft;
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use super::systems::{LOINC, OBSERVATION_CATEGORY, extension_url};
use crate::fhir::build;
use crate::fhir::model::resources::{
    Observation, ObservationComponent, ObservationComponentValue, ObservationEffective, ObservationValue,
};
use crate::fhir::model::types::{CodeableConcept, Extension, ExtensionValue, Quantity as FhirQuantity, Reference};
use crate::kap::records::measurement::{BloodPressure, Phase, Timepoint, Vitals};
use crate::kap::units;
use crate::kap::values::Quantity;
use rust_decimal::Decimal;

/// One measurement of the contract: its slot and its LOINC codes, the first of which the vital signs profiles ask for.
struct Sign {
    slot: &'static str,
    codes: &'static [(&'static str, &'static str)],
    of: fn(&Vitals) -> Option<&Quantity>,
    set: fn(&mut Vitals, Quantity),
}

pub const BLOOD_PRESSURE: &str = "blood-pressure";

/// The weight's slot below its set's.
pub const WEIGHT: &str = "weight";

const SIGNS: &[Sign] = &[
    Sign {
        slot: "mean-arterial-pressure",
        codes: &[("8478-0", "Mean blood pressure")],
        of: |vitals| vitals.mean_arterial_pressure.as_ref(),
        set: |vitals, value| vitals.mean_arterial_pressure = Some(value),
    },
    Sign {
        slot: "heart-rate",
        codes: &[("8867-4", "Heart rate")],
        of: |vitals| vitals.heart_rate.as_ref(),
        set: |vitals, value| vitals.heart_rate = Some(value),
    },
    Sign {
        slot: "respiratory-rate",
        codes: &[("9279-1", "Respiratory rate")],
        of: |vitals| vitals.respiratory_rate.as_ref(),
        set: |vitals, value| vitals.respiratory_rate = Some(value),
    },
    Sign {
        slot: "oxygen-saturation",
        codes: &[
            ("2708-6", "Oxygen saturation in Arterial blood"),
            ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
        ],
        of: |vitals| vitals.oxygen_saturation.as_ref(),
        set: |vitals, value| vitals.oxygen_saturation = Some(value),
    },
    Sign {
        slot: "temperature",
        codes: &[("8310-5", "Body temperature")],
        of: |vitals| vitals.temperature.as_ref(),
        set: |vitals, value| vitals.temperature = Some(value),
    },
    Sign {
        slot: WEIGHT,
        codes: &[("29463-7", "Body weight")],
        of: |vitals| vitals.weight.as_ref(),
        set: |vitals, value| vitals.weight = Some(value),
    },
    Sign {
        slot: "height",
        codes: &[("8302-2", "Body height")],
        of: |vitals| vitals.height.as_ref(),
        set: |vitals, value| vitals.height = Some(value),
    },
    Sign {
        slot: "body-mass-index",
        codes: &[("39156-5", "Body mass index (BMI) [Ratio]")],
        of: |vitals| vitals.body_mass_index.as_ref(),
        set: |vitals, value| vitals.body_mass_index = Some(value),
    },
];

/// Where measurements belong: `part_of` is the session's Procedure, in a dosing session.
#[derive(Debug, Clone, Default)]
pub struct Belongs {
    pub encounter: Option<Reference>,
    pub part_of: Option<Reference>,
}

/// Pushes an Observation for each measurement of each set.
pub fn vitals(draft: &mut Draft<'_>, sets: &[Vitals], belongs: &Belongs) {
    for set in sets {
        let slot = draft.slot("vitals", set.id.as_deref(), set.at.as_str());
        let frame = frame(draft, set, belongs);
        if let Some(pressure) = &set.blood_pressure {
            let observation = Observation {
                component: vec![
                    component("8480-6", "Systolic blood pressure", &pressure.systolic),
                    component("8462-4", "Diastolic blood pressure", &pressure.diastolic),
                ],
                ..measurement(
                    draft,
                    &frame,
                    &format!("{slot}/{BLOOD_PRESSURE}"),
                    &[("85354-9", "Blood pressure panel")],
                )
            };
            draft.push(observation);
        }
        for sign in SIGNS {
            if let Some(found) = (sign.of)(set) {
                let observation = Observation {
                    value: Some(ObservationValue::Quantity(Box::new(quantity(found)))),
                    ..measurement(draft, &frame, &format!("{slot}/{}", sign.slot), sign.codes)
                };
                draft.push(observation);
            }
        }
    }
}

/// What the Observations of one set share.
struct Frame<'v> {
    at: &'v str,
    extension: Vec<Extension>,
    performer: Vec<Reference>,
    device: Option<&'v str>,
    belongs: &'v Belongs,
}

fn frame<'v>(draft: &mut Draft<'_>, set: &'v Vitals, belongs: &'v Belongs) -> Frame<'v> {
    let mut extension: Vec<_> = set.timepoint.iter().map(timepoint).collect();
    let mut performer: Vec<_> = set.performer.iter().map(|who| draft.practitioner(who)).collect();
    if set.self_reported == Some(true) {
        extension.push(build::extension(extension_url("kap-self-reported"), ExtensionValue::Boolean(true.into())));
        performer.push(draft.patient());
    }
    Frame { at: set.at.as_str(), extension, performer, device: set.device.as_deref(), belongs }
}

/// The Observation of one measurement, without its value.
fn measurement(draft: &mut Draft<'_>, frame: &Frame<'_>, slot: &str, codes: &[(&str, &str)]) -> Observation {
    Observation {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, Label::Normal),
        extension: frame.extension.clone(),
        identifier: vec![draft.identifier(slot)],
        part_of: frame.belongs.part_of.iter().cloned().collect(),
        status: "final".into(),
        category: vec![build::concept(build::coding(OBSERVATION_CATEGORY, "vital-signs", "Vital Signs"))],
        code: Box::new(CodeableConcept {
            coding: codes.iter().map(|(code, display)| build::coding(LOINC, code, display)).collect(),
            ..Default::default()
        }),
        subject: Some(Box::new(draft.patient())),
        encounter: frame.belongs.encounter.clone().map(Box::new),
        effective: Some(ObservationEffective::DateTime(build::date_time(frame.at))),
        performer: frame.performer.clone(),
        device: frame.device.map(|device| Box::new(build::described(device))),
        ..Default::default()
    }
}

fn component(code: &str, display: &str, value: &Quantity) -> ObservationComponent {
    ObservationComponent {
        code: Box::new(build::concept(build::coding(LOINC, code, display))),
        value: Some(ObservationComponentValue::Quantity(Box::new(quantity(value)))),
        ..Default::default()
    }
}

/// The quantity in UCUM. Where the sender's unit is another word for it, that word stands as the unit; where the
/// figure had to be converted, the sent one stands beside it.
pub fn quantity(sent: &Quantity) -> FhirQuantity {
    let Some(unit) = units::understand(&sent.unit) else { return build::quantity(sent.value.text(), &sent.unit) };
    let converted =
        sent.value.value().filter(|_| unit.factor != Decimal::ONE).and_then(|it| it.checked_mul(unit.factor));
    match converted {
        None => FhirQuantity { unit: Some(sent.unit.as_str().into()), ..build::quantity(sent.value.text(), unit.code) },
        Some(value) => FhirQuantity {
            extension: vec![build::complex_extension(
                extension_url("kap-original-quantity"),
                vec![
                    build::extension("value", ExtensionValue::Decimal(build::decimal(sent.value.text()))),
                    build::extension("unit", ExtensionValue::String(sent.unit.as_str().into())),
                ],
            )],
            ..build::quantity(value.normalize().to_string(), unit.code)
        },
    }
}

/// Where in the session a measurement was taken.
pub fn timepoint(timepoint: &Timepoint) -> Extension {
    let mut parts = vec![build::extension("phase", ExtensionValue::Code(timepoint.phase.as_str().into()))];
    if let Some(minutes) = timepoint.minutes {
        parts.push(build::extension(
            "minutes",
            ExtensionValue::Quantity(Box::new(build::quantity(minutes.to_string(), "min"))),
        ));
    }
    build::complex_extension(extension_url("kap-timepoint"), parts)
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<Vitals>, RebuildError> {
    reading.elements("vitals").iter().map(|slot| read_set(reading, slot)).collect()
}

fn read_set(reading: &Reading<'_>, slot: &str) -> Result<Vitals, RebuildError> {
    let pressure: Option<&Observation> = reading.find(&format!("{slot}/{BLOOD_PRESSURE}"));
    let signs: Vec<(&Sign, &Observation)> = SIGNS
        .iter()
        .filter_map(|sign| Some((sign, reading.find::<Observation>(&format!("{slot}/{}", sign.slot))?)))
        .collect();
    let first = pressure.or(signs.first().map(|(_, found)| *found));
    let first = first.ok_or_else(|| RebuildError::new(slot, "has no measurement of ours"))?;
    let at = match &first.effective {
        Some(ObservationEffective::DateTime(at)) => reading::date_time(at),
        _ => None,
    };
    let self_reported = reading::extension_bool(&first.extension, "kap-self-reported");
    let mut set = Vitals {
        id: reading::sender_id(slot),
        at: at.ok_or_else(|| RebuildError::new(slot, "has no time"))?,
        timepoint: read_timepoint(&first.extension),
        blood_pressure: pressure.and_then(read_pressure),
        mean_arterial_pressure: None,
        heart_rate: None,
        respiratory_rate: None,
        oxygen_saturation: None,
        temperature: None,
        weight: None,
        height: None,
        body_mass_index: None,
        performer: if self_reported.is_none() { first.performer.first().and_then(reading::practitioner) } else { None },
        self_reported,
        device: first.device.as_deref().and_then(|device| device.display.as_ref()?.value.clone()),
    };
    for (sign, found) in signs {
        if let Some(ObservationValue::Quantity(value)) = &found.value {
            let value = reading::quantity(value).ok_or_else(|| RebuildError::new(slot, "has a value without unit"))?;
            (sign.set)(&mut set, value);
        }
    }
    Ok(set)
}

fn read_pressure(found: &Observation) -> Option<BloodPressure> {
    let value = |code: &str| {
        found.component.iter().find_map(|component| {
            let matches = component
                .code
                .coding
                .iter()
                .any(|coding| coding.code.as_ref().and_then(|c| c.value.as_deref()) == Some(code));
            match &component.value {
                Some(ObservationComponentValue::Quantity(value)) if matches => reading::quantity(value),
                _ => None,
            }
        })
    };
    Some(BloodPressure { systolic: value("8480-6")?, diastolic: value("8462-4")? })
}

pub fn read_timepoint(extensions: &[Extension]) -> Option<Timepoint> {
    let extension = reading::find_extension(extensions, "kap-timepoint")?;
    let minutes = match reading::part(extension, "minutes") {
        Some(ExtensionValue::Quantity(minutes)) => {
            minutes.value.as_ref().and_then(|value| value.value.as_deref()?.parse().ok())
        }
        _ => None,
    };
    Some(Timepoint {
        phase: reading::part(extension, "phase").and_then(reading::value_text).and_then(Phase::from_word)?,
        minutes,
    })
}
