//! Observation: what an integration session found: themes, insights, the next step. Mapping specification §2.7.
//!
//! Themes are coded and hold no text; an insight is the patient's own words.
//! <https://hl7.org/fhir/R4/observation.html>

use super::concepts;
use super::draft::{Draft, word};
use super::label::{self, Label};
use super::procedure::SESSION_SLOT;
use super::reading::{self, Reading, RebuildError};
use super::systems::{KAP, OBSERVATION_CATEGORY, extension_url};
use crate::fhir::build;
use crate::fhir::model::resources::{Observation, ObservationEffective, ObservationValue};
use crate::fhir::model::types::{Coding, ExtensionValue};
use crate::kap::kind::Kind;
use crate::kap::records::integration_session::{Insight, NextStep, Step, Theme};
use crate::kap::records::shared::SecurityMark;
use crate::kap::values::DateTime;

const THEMES: &str = "themes";
const INSIGHTS: &str = "insights";
const NEXT_STEP: &str = "next-step";

pub fn theme(draft: &mut Draft<'_>, theme: Theme, at: &DateTime) {
    let slot = draft.slot(THEMES, None, theme.as_str());
    let code = build::coding(KAP, "integration-theme", "Integration theme");
    let observation = Observation {
        value: Some(ObservationValue::CodeableConcept(Box::new(word(concepts::THEME, theme.as_str())))),
        ..finding(draft, &slot, Label::Psychiatric, code, at)
    };
    draft.push(observation);
}

pub fn insight(draft: &mut Draft<'_>, insight: &Insight, at: &DateTime) {
    let slot = draft.slot(INSIGHTS, insight.id.as_deref(), &insight.text);
    let code = build::coding(KAP, "integration-insight", "Integration insight");
    let mut observation = Observation {
        performer: vec![draft.patient()],
        value: Some(ObservationValue::String(insight.text.as_str().into())),
        ..finding(draft, &slot, Label::Psychiatric, code, at)
    };
    if insight.restricted == Some(true) {
        restrict(draft, &mut observation);
    }
    draft.push(observation);
}

/// The patient wants these words kept from others.
pub fn restrict(draft: &Draft<'_>, observation: &mut Observation) {
    let mark = build::extension(extension_url("kap-restricted"), ExtensionValue::Boolean(true.into()));
    observation.extension.push(mark);
    let mut marks = draft.header.security.to_vec();
    if !marks.contains(&SecurityMark::PatientRestricted) {
        marks.push(SecurityMark::PatientRestricted);
    }
    if let Some(meta) = &mut observation.meta {
        meta.security = label::security(Label::Psychiatric, &marks);
    }
}

pub fn next_step(draft: &mut Draft<'_>, next: &NextStep, at: &DateTime) {
    let code = build::coding(KAP, "next-step", "Next step");
    let observation = Observation {
        value: Some(ObservationValue::CodeableConcept(Box::new(word(concepts::STEP, next.step.as_str())))),
        note: next.note.iter().map(|note| build::annotation(note)).collect(),
        ..finding(draft, NEXT_STEP, Label::MentalHealth, code, at)
    };
    draft.push(observation);
}

/// Does the record have a session, of which its findings are part?
fn is_session(draft: &Draft<'_>) -> bool {
    match draft.header.kind {
        Kind::PreparationSession | Kind::DosingSession | Kind::IntegrationSession => true,
        Kind::Intake | Kind::CheckIn | Kind::Outcome | Kind::CourseClosure => false,
    }
}

/// A finding of the session, without its value.
fn finding(draft: &mut Draft<'_>, slot: &str, label: Label, code: Coding, at: &DateTime) -> Observation {
    Observation {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, label),
        identifier: vec![draft.identifier(slot)],
        part_of: is_session(draft).then(|| draft.reference("Procedure", SESSION_SLOT)).into_iter().collect(),
        status: "final".into(),
        category: vec![build::concept(build::coding(OBSERVATION_CATEGORY, "therapy", "Therapy"))],
        code: Box::new(build::concept(code)),
        subject: Some(Box::new(draft.patient())),
        encounter: draft.contact(),
        effective: Some(ObservationEffective::DateTime(build::date_time(at.as_str()))),
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

pub fn read_themes(reading: &Reading<'_>) -> Result<Vec<Theme>, RebuildError> {
    let themes = reading.elements(THEMES);
    let read = |slot: &String| {
        let found: &Observation = reading.one(slot)?;
        value_word(found, concepts::THEME)
            .and_then(Theme::from_word)
            .ok_or_else(|| RebuildError::new(slot, "is no theme of ours"))
    };
    themes.iter().map(read).collect()
}

pub fn read_insights(reading: &Reading<'_>) -> Result<Vec<Insight>, RebuildError> {
    reading.elements(INSIGHTS).iter().map(|slot| read_insight(reading, slot)).collect()
}

fn read_insight(reading: &Reading<'_>, slot: &str) -> Result<Insight, RebuildError> {
    let found: &Observation = reading.one(slot)?;
    let text = match &found.value {
        Some(ObservationValue::String(text)) => text.value.clone(),
        _ => None,
    };
    Ok(Insight {
        id: reading::sender_id(slot),
        text: text.ok_or_else(|| RebuildError::new(slot, "has no text"))?,
        restricted: reading::extension_bool(&found.extension, "kap-restricted"),
    })
}

pub fn read_next_step(reading: &Reading<'_>) -> Result<Option<NextStep>, RebuildError> {
    let Some(found) = reading.find::<Observation>(NEXT_STEP) else { return Ok(None) };
    let step = value_word(found, concepts::STEP).and_then(Step::from_word);
    Ok(Some(NextStep {
        step: step.ok_or_else(|| RebuildError::new(NEXT_STEP, "is no step of ours"))?,
        note: found.note.first().and_then(|note| note.text.value.clone()),
    }))
}

fn value_word(found: &Observation, table: &'static [concepts::Concept]) -> Option<&'static str> {
    let ObservationValue::CodeableConcept(value) = found.value.as_ref()? else { return None };
    reading::table_word(table, value)
}
