//! Observation: laboratory results and pregnancy tests. Mapping specification §2.2.
//!
//! <https://hl7.org/fhir/R4/observation.html>

use super::concepts;
use super::draft::{Draft, natural_key, word};
use super::label::Label;
use super::observation_vitals::quantity;
use super::reading::{self, Reading, RebuildError};
use super::systems::{LOINC, OBSERVATION_CATEGORY};
use crate::fhir::build;
use crate::fhir::model::resources::{Observation, ObservationEffective, ObservationReferenceRange, ObservationValue};
use crate::fhir::model::types::CodeableConcept;
use crate::kap::records::laboratory::{Lab, PregnancyTest, PregnancyTestResult, PregnancyTestSpecimen};
use crate::kap::values::{DateTime, Termed};

const LABS: &str = "labs";
const PREGNANCY_TESTS: &str = "pregnancy-tests";

/// Drug screens by LOINC, for senders that name them so.
const DRUG_SCREENS: &[&str] = &["65750-2", "20537-7", "19499-3"];

pub fn labs(draft: &mut Draft<'_>, labs: &[Lab]) {
    for (place, lab) in labs.iter().enumerate() {
        let natural = format!("{} {}", lab.at.as_str(), natural_key(&lab.test));
        let slot = draft.slot(LABS, lab.id.as_deref(), &natural);
        let code = draft.termed(concepts::LAB, &lab.test, &format!("/{LABS}/{place}/test"));
        let value = lab.value.as_ref().map(|value| ObservationValue::Quantity(Box::new(quantity(value))));
        let finding = lab.finding.as_deref().map(|finding| ObservationValue::String(finding.into()));
        let resource = Observation {
            value: value.or(finding),
            reference_range: reference_range(lab).into_iter().collect(),
            ..result(draft, &slot, code, label(&lab.test), &lab.at)
        };
        draft.push(resource);
    }
}

fn label(test: &Termed) -> Label {
    let is_screen = test.term.as_deref().is_some_and(|term| term.ends_with("-screen"))
        || test.codes.iter().any(|code| code.system == LOINC && DRUG_SCREENS.contains(&code.code.as_str()));
    if is_screen { Label::SubstanceUse } else { Label::Normal }
}

fn reference_range(lab: &Lab) -> Option<ObservationReferenceRange> {
    (lab.reference_low.is_some() || lab.reference_high.is_some()).then(|| ObservationReferenceRange {
        low: lab.reference_low.as_ref().map(|low| Box::new(quantity(low))),
        high: lab.reference_high.as_ref().map(|high| Box::new(quantity(high))),
        ..Default::default()
    })
}

pub fn pregnancy_tests(draft: &mut Draft<'_>, tests: &[PregnancyTest]) {
    for test in tests {
        let natural = format!("{} {}", test.at.as_str(), test.specimen.as_str());
        let slot = draft.slot(PREGNANCY_TESTS, test.id.as_deref(), &natural);
        let code = word(concepts::PREGNANCY_TEST, test.specimen.as_str());
        let value = word(concepts::TEST_RESULT, test.result.as_str());
        let resource = Observation {
            value: Some(ObservationValue::CodeableConcept(Box::new(value))),
            ..result(draft, &slot, code, Label::Normal, &test.at)
        };
        draft.push(resource);
    }
}

/// A laboratory result without its value. It has no encounter: the sample may be days older than the contact.
fn result(draft: &mut Draft<'_>, slot: &str, code: CodeableConcept, label: Label, at: &DateTime) -> Observation {
    Observation {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, label),
        identifier: vec![draft.identifier(slot)],
        status: "final".into(),
        category: vec![build::concept(build::coding(OBSERVATION_CATEGORY, "laboratory", "Laboratory"))],
        code: Box::new(code),
        subject: Some(Box::new(draft.patient())),
        effective: Some(ObservationEffective::DateTime(build::date_time(at.as_str()))),
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

pub fn read_labs(reading: &Reading<'_>) -> Result<Vec<Lab>, RebuildError> {
    reading.elements(LABS).iter().map(|slot| read_lab(reading, slot)).collect()
}

fn read_lab(reading: &Reading<'_>, slot: &str) -> Result<Lab, RebuildError> {
    let found: &Observation = reading.one(slot)?;
    let range = found.reference_range.first();
    Ok(Lab {
        id: reading::sender_id(slot),
        test: reading::termed(concepts::LAB, &found.code),
        at: taken_at(found).ok_or_else(|| RebuildError::new(slot, "has no time"))?,
        value: if let Some(ObservationValue::Quantity(value)) = &found.value { reading::quantity(value) } else { None },
        finding: if let Some(ObservationValue::String(text)) = &found.value { text.value.clone() } else { None },
        reference_low: range.and_then(|range| reading::quantity(range.low.as_deref()?)),
        reference_high: range.and_then(|range| reading::quantity(range.high.as_deref()?)),
    })
}

pub fn read_pregnancy_tests(reading: &Reading<'_>) -> Result<Vec<PregnancyTest>, RebuildError> {
    reading.elements(PREGNANCY_TESTS).iter().map(|slot| read_pregnancy_test(reading, slot)).collect()
}

fn read_pregnancy_test(reading: &Reading<'_>, slot: &str) -> Result<PregnancyTest, RebuildError> {
    let found: &Observation = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let specimen = reading::table_word(concepts::PREGNANCY_TEST, &found.code);
    let Some(ObservationValue::CodeableConcept(result)) = &found.value else {
        return Err(missing("has no result"));
    };
    Ok(PregnancyTest {
        id: reading::sender_id(slot),
        specimen: specimen
            .and_then(PregnancyTestSpecimen::from_word)
            .ok_or_else(|| missing("has no specimen of ours"))?,
        result: reading::table_word(concepts::TEST_RESULT, result)
            .and_then(PregnancyTestResult::from_word)
            .ok_or_else(|| missing("has no result of ours"))?,
        at: taken_at(found).ok_or_else(|| missing("has no time"))?,
    })
}

fn taken_at(found: &Observation) -> Option<DateTime> {
    let Some(ObservationEffective::DateTime(at)) = &found.effective else { return None };
    reading::date_time(at)
}
