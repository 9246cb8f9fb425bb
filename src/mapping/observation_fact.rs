//! Observation: single facts that the intake asks for. Mapping specification §2.1, §2.2.
//!
//! Each is taken at the contact. <https://hl7.org/fhir/R4/observation.html>

use super::concepts;
use super::draft::{Draft, word};
use super::encounter;
use super::label::Label;
use super::medication_statement;
use super::reading::{self, Reading};
use super::systems::OBSERVATION_CATEGORY;
use crate::fhir::build;
use crate::fhir::model::resources::{Observation, ObservationEffective, ObservationValue};
use crate::fhir::model::types::{CodeableConcept, Coding};
use crate::kap::records::intake::{Intake, Occupation, Pregnancy, PregnancyStatus, PriorKetamine};
use crate::kap::records::shared::CodedText;

// The slots; the words of the table of facts too.
const CHIEF_COMPLAINT: &str = "chief-complaint";
const FAILED_TRIALS: &str = "failed-antidepressant-trials";
const PRIOR_KETAMINE: &str = "prior-ketamine";
const OCCUPATION: &str = "occupation";
const HEALTHCARE_WORKER: &str = "healthcare-worker";
const TOBACCO: &str = "tobacco";
const PREGNANCY_STATUS: &str = "pregnancy-status";
const CHILDBEARING: &str = "childbearing-potential";
const BREASTFEEDING: &str = "breastfeeding";
const LAST_PERIOD: &str = "last-menstrual-period";

const ABSENT_REASON: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";

/// Pushes the facts, pregnancy's too; pregnancy tests are laboratory results.
pub fn facts(draft: &mut Draft<'_>, record: &Intake) {
    let at = record.contact.start.as_str();
    let text = |words: &str| ObservationValue::String(words.into());
    let flag = |flag: bool| ObservationValue::Boolean(flag.into());
    if let Some(complaint) = &record.chief_complaint {
        let fact = fact(draft, CHIEF_COMPLAINT, None, Label::Psychiatric, at);
        draft.push(Observation { value: Some(text(complaint)), ..fact });
    }
    if let Some(trials) = record.failed_antidepressant_trials.and_then(|trials| i32::try_from(trials).ok()) {
        let fact = fact(draft, FAILED_TRIALS, None, Label::Psychiatric, at);
        draft.push(Observation { value: Some(ObservationValue::Integer(trials.into())), ..fact });
    }
    if let Some(prior) = &record.prior_ketamine {
        let note = prior.note.iter().map(|note| build::annotation(note)).collect();
        let fact = fact(draft, PRIOR_KETAMINE, None, Label::MentalHealth, at);
        draft.push(Observation { value: Some(flag(prior.exposed)), note, ..fact });
    }
    if let Some(told) = &record.occupation
        && (told.title.is_some() || !told.codes.is_empty())
    {
        let title = draft.coded(None, &told.codes, told.title.as_deref(), "/occupation/codes");
        let value = ObservationValue::CodeableConcept(Box::new(title));
        let fact = fact(draft, OCCUPATION, Some(social_history()), Label::Normal, at);
        draft.push(Observation { value: Some(value), ..fact });
    }
    if let Some(is_one) = record.occupation.as_ref().and_then(|occupation| occupation.healthcare_worker) {
        let fact = fact(draft, HEALTHCARE_WORKER, Some(social_history()), Label::Normal, at);
        draft.push(Observation { value: Some(flag(is_one)), ..fact });
    }
    if let Some(tobacco) = &record.tobacco {
        let value = ObservationValue::CodeableConcept(Box::new(draft.coded_text(tobacco, "/tobacco")));
        let fact = fact(draft, TOBACCO, Some(social_history()), Label::Normal, at);
        draft.push(Observation { value: Some(value), ..fact });
    }
    if let Some(pregnancy) = &record.pregnancy {
        pregnancy_facts(draft, pregnancy, at);
    }
}

fn pregnancy_facts(draft: &mut Draft<'_>, pregnancy: &Pregnancy, at: &str) {
    let flag = |flag: bool| ObservationValue::Boolean(flag.into());
    if let Some(status) = pregnancy.status {
        let fact = fact(draft, PREGNANCY_STATUS, None, Label::Normal, at);
        draft.push(match status {
            PregnancyStatus::Pregnant | PregnancyStatus::NotPregnant => {
                let value = word(concepts::PREGNANCY, status.as_str());
                Observation { value: Some(ObservationValue::CodeableConcept(Box::new(value))), ..fact }
            }
            PregnancyStatus::Unknown => {
                let reason = build::concept(build::coding(ABSENT_REASON, "unknown", "Unknown"));
                Observation { data_absent_reason: Some(Box::new(reason)), ..fact }
            }
        });
    }
    for (slot, told) in [(CHILDBEARING, pregnancy.childbearing_potential), (BREASTFEEDING, pregnancy.breastfeeding)] {
        if let Some(told) = told {
            let fact = fact(draft, slot, None, Label::Normal, at);
            draft.push(Observation { value: Some(flag(told)), ..fact });
        }
    }
    if let Some(day) = &pregnancy.last_menstrual_period {
        let fact = fact(draft, LAST_PERIOD, None, Label::Normal, at);
        draft.push(Observation { value: Some(ObservationValue::DateTime(build::date_time(day))), ..fact });
    }
}

fn social_history() -> Coding {
    build::coding(OBSERVATION_CATEGORY, "social-history", "Social History")
}

/// The fact without its value.
fn fact(draft: &mut Draft<'_>, slot: &str, category: Option<Coding>, label: Label, at: &str) -> Observation {
    Observation {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, label),
        identifier: vec![draft.identifier(slot)],
        status: "final".into(),
        category: category.map(build::concept).into_iter().collect(),
        code: Box::new(word(concepts::FACT, slot)),
        subject: Some(Box::new(draft.patient())),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        effective: Some(ObservationEffective::DateTime(build::date_time(at))),
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

pub fn read_chief_complaint(reading: &Reading<'_>) -> Option<String> {
    let Some(ObservationValue::String(complaint)) = value(reading, CHIEF_COMPLAINT) else { return None };
    complaint.value.clone()
}

pub fn read_failed_trials(reading: &Reading<'_>) -> Option<i64> {
    let Some(ObservationValue::Integer(trials)) = value(reading, FAILED_TRIALS) else { return None };
    trials.value.map(i64::from)
}

pub fn read_prior_ketamine(reading: &Reading<'_>) -> Option<PriorKetamine> {
    let found: &Observation = reading.find(PRIOR_KETAMINE)?;
    let (medicine, last_use) = medication_statement::read_prior_ketamine(reading);
    Some(PriorKetamine {
        exposed: read_flag(reading, PRIOR_KETAMINE)?,
        medicine,
        last_use,
        note: found.note.first().and_then(|note| note.text.value.clone()),
    })
}

pub fn read_occupation(reading: &Reading<'_>) -> Option<Occupation> {
    let title = read_concept(reading, OCCUPATION);
    let found = Occupation {
        title: title.and_then(reading::sender_text),
        codes: title.map(reading::codes).unwrap_or_default(),
        healthcare_worker: read_flag(reading, HEALTHCARE_WORKER),
    };
    (found != Occupation::default()).then_some(found)
}

pub fn read_tobacco(reading: &Reading<'_>) -> Option<CodedText> {
    reading::coded_text(read_concept(reading, TOBACCO)?)
}

/// Pregnancy without its tests.
pub fn read_pregnancy(reading: &Reading<'_>) -> Pregnancy {
    let status = reading.find::<Observation>(PREGNANCY_STATUS).and_then(|found| {
        if found.data_absent_reason.is_some() {
            return Some(PregnancyStatus::Unknown);
        }
        let status = read_concept(reading, PREGNANCY_STATUS)?;
        reading::table_word(concepts::PREGNANCY, status).and_then(PregnancyStatus::from_word)
    });
    let last_menstrual_period = match value(reading, LAST_PERIOD) {
        Some(ObservationValue::DateTime(day)) => day.value.clone(),
        Some(_) | None => None,
    };
    Pregnancy {
        status,
        childbearing_potential: read_flag(reading, CHILDBEARING),
        breastfeeding: read_flag(reading, BREASTFEEDING),
        last_menstrual_period,
        tests: Vec::new(),
    }
}

fn value<'a>(reading: &Reading<'a>, slot: &str) -> Option<&'a ObservationValue> {
    reading.find::<Observation>(slot)?.value.as_ref()
}

fn read_flag(reading: &Reading<'_>, slot: &str) -> Option<bool> {
    let Some(ObservationValue::Boolean(flag)) = value(reading, slot) else { return None };
    flag.value
}

fn read_concept<'a>(reading: &Reading<'a>, slot: &str) -> Option<&'a CodeableConcept> {
    let Some(ObservationValue::CodeableConcept(concept)) = value(reading, slot) else { return None };
    Some(concept)
}
