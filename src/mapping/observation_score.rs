//! Observation: the score of one instrument. Mapping specification §2.6, §2.9, §3, D-14.
//!
//! Each score rests on its answers (`derivedFrom`) or says that only the total is known (`kap-total-only`).
//! <https://hl7.org/fhir/R4/observation.html>

use super::concepts::instruments::{RISK_LEVEL, SCALES, SCORE_PART, Scale, scale};
use super::draft::{self, Draft, word};
use super::observation_score_change::{self as score_change, score_change};
use super::observation_vitals::{read_timepoint, timepoint};
use super::questionnaire_response::{self, Answered, answered, is_raw, questionnaire_response};
use super::reading::{self, Reading, RebuildError};
use super::systems::{OBSERVATION_CATEGORY, extension_url};
use super::{encounter, procedure};
use crate::fhir::build;
use crate::fhir::model::resources::{
    Observation, ObservationComponent, ObservationComponentValue, ObservationEffective, ObservationValue,
    QuestionnaireResponse,
};
use crate::fhir::model::types::{Coding, DateTime as FhirDateTime, Extension, ExtensionValue, Quantity, Reference};
use crate::kap::records::measurement::{AnsweredBy, RiskLevel, Score};
use crate::kap::values::{DateTime, Decimal};

const LIST: &str = "results";

/// What a record's scores belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreContext {
    /// The record's Encounter and the session's Procedure.
    Session,
    /// The record's Encounter.
    Contact,
    /// No contact: an outcome measured by itself.
    Alone,
}

/// What the resources of one score share.
pub struct Frame<'s> {
    pub slot: String,
    pub score: &'s Score,
    pub scale: &'static Scale,
    /// The score as sent, or the sum of the items.
    pub total: Option<String>,
    pub effective: FhirDateTime,
    pub encounter: Option<Reference>,
    pub part_of: Option<Reference>,
    pub performer: Option<Reference>,
}

/// Pushes each score with its answers and its change from baseline; gives references to the scores. `at` is the
/// record's time, for scores without one of their own.
pub fn scores(
    draft: &mut Draft<'_>,
    results: &[Score],
    at: &DateTime,
    pointer: &str,
    within: ScoreContext,
) -> Vec<Reference> {
    let mut references = Vec::with_capacity(results.len());
    for (place, score) in results.iter().enumerate() {
        let frame = frame(draft, score, at, within);
        let in_whole = matches!(answered(score), Answered::Whole { .. });
        let derived = score.score.is_none() && frame.total.is_some();
        if derived {
            draft.notice(format!("{pointer}/{place}/score"), "The gateway computed this score from the items.");
        }
        references.push(draft.reference("Observation", &frame.slot));
        if !score.items.is_empty() {
            let answers = questionnaire_response(draft, &frame);
            draft.push(answers);
        }
        let observation = score_observation(draft, &frame, in_whole, derived);
        draft.push(observation);
        if let Some(baseline) = &score.baseline {
            let change = score_change(draft, &frame, baseline);
            draft.push(change);
        }
    }
    references
}

fn frame<'s>(draft: &mut Draft<'_>, score: &'s Score, at: &DateTime, within: ScoreContext) -> Frame<'s> {
    let slot = draft.slot(LIST, score.id.as_deref(), &natural(score));
    let encounter = draft.reference("Encounter", encounter::SLOT);
    let (encounter, part_of) = match within {
        ScoreContext::Session => (Some(encounter), Some(draft.reference("Procedure", procedure::SESSION_SLOT))),
        ScoreContext::Contact => (Some(encounter), None),
        ScoreContext::Alone => (None, None),
    };
    let effective = match &score.at {
        Some(own) => build::date_time(own.as_str()),
        None => FhirDateTime { extension: vec![draft::from_record()], ..build::date_time(at.as_str()) },
    };
    let total = match (&score.score, answered(score)) {
        (Some(sent), _) => Some(sent.text()),
        (None, Answered::Whole { total }) => total.map(|total| total.to_string()),
        (None, Answered::InPart | Answered::Nothing) => None,
    };
    let performer = score.performer.as_ref().map(|who| draft.practitioner(who));
    Frame { slot, score, scale: scale(score.instrument), total, effective, encounter, part_of, performer }
}

/// What tells a score from its neighbours: not its value, which a correction would change.
fn natural(score: &Score) -> String {
    let at = score.at.as_ref().map_or("", |at| at.as_str());
    let (phase, minutes) = score.timepoint.as_ref().map_or(("", None), |point| (point.phase.as_str(), point.minutes));
    format!("{}\n{at}\n{phase}\n{}", score.instrument.as_str(), minutes.unwrap_or_default())
}

fn score_observation(draft: &mut Draft<'_>, frame: &Frame<'_>, in_whole: bool, derived: bool) -> Observation {
    let Frame { score, scale, slot, .. } = frame;
    let value = value(frame);
    Observation {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, scale.label),
        extension: extensions(score, value.is_some() && !in_whole, derived),
        identifier: vec![draft.identifier(slot)],
        part_of: frame.part_of.iter().cloned().collect(),
        status: if value.is_some() { "final" } else { "preliminary" }.into(),
        category: vec![survey()],
        code: Box::new(draft::concept(&scale.score)),
        subject: Some(Box::new(draft.patient())),
        encounter: frame.encounter.clone().map(Box::new),
        effective: Some(ObservationEffective::DateTime(frame.effective.clone())),
        performer: performers(draft, frame),
        data_absent_reason: value.is_none().then(|| Box::new(build::concept(no_total()))),
        value,
        method: score.method.as_deref().map(|method| Box::new(build::words(method))),
        derived_from: if in_whole {
            vec![draft.reference("QuestionnaireResponse", &questionnaire_response::slot(slot))]
        } else {
            Vec::new()
        },
        component: components(frame),
        ..Default::default()
    }
}

/// An item is missing, and no total was sent.
fn no_total() -> Coding {
    build::coding("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown", "Unknown")
}

pub fn survey() -> crate::fhir::model::types::CodeableConcept {
    build::concept(build::coding(OBSERVATION_CATEGORY, "survey", "Survey"))
}

/// Whoever took the score, and the patient where the patient answered.
fn performers(draft: &Draft<'_>, frame: &Frame<'_>) -> Vec<Reference> {
    let patient = (frame.score.answered_by == Some(AnsweredBy::Patient)).then(|| draft.patient());
    frame.performer.clone().into_iter().chain(patient).collect()
}

fn extensions(score: &Score, total_only: bool, derived: bool) -> Vec<Extension> {
    let flag = |name, is: bool| is.then(|| build::extension(extension_url(name), ExtensionValue::Boolean(true.into())));
    // A patient who answered is a performer; a clinician may have no name, so the word stands by itself.
    let by_clinician = (score.answered_by == Some(AnsweredBy::Clinician))
        .then(|| build::extension(extension_url("kap-answered-by"), ExtensionValue::Code("clinician".into())));
    [
        score.timepoint.as_ref().map(timepoint),
        flag("kap-total-only", total_only),
        flag("kap-derived", derived),
        by_clinician,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn value(frame: &Frame<'_>) -> Option<ObservationValue> {
    if let Some(level) = frame.score.risk_level {
        return Some(ObservationValue::CodeableConcept(Box::new(word(RISK_LEVEL, level.as_str()))));
    }
    let total = frame.total.as_deref()?;
    // A step written otherwise (`3.0`) keeps its digits as a quantity.
    let step = total.parse::<i32>().ok().filter(|step| frame.scale.step && step.to_string() == total);
    Some(match step {
        Some(step) => ObservationValue::Integer(step.into()),
        None => ObservationValue::Quantity(Box::new(points(total))),
    })
}

/// A number of points.
pub fn points(text: &str) -> Quantity {
    build::quantity(text, "{score}")
}

fn components(frame: &Frame<'_>) -> Vec<ObservationComponent> {
    let Some(total) = frame.total.as_deref() else { return Vec::new() };
    let component = |code, value| ObservationComponent {
        code: Box::new(word(SCORE_PART, code)),
        value: Some(ObservationComponentValue::Quantity(Box::new(value))),
        ..Default::default()
    };
    // Beside a risk level the number has no other place.
    let score = frame.score.risk_level.map(|_| component("score", points(total)));
    let maximum = frame.scale.percent_of.filter(|_| is_raw(frame.score));
    let percent = maximum.and_then(|maximum| percent_of(total, maximum));
    let percent = percent.map(|percent| component("percent-of-maximum", build::quantity(percent, "%")));
    score.into_iter().chain(percent).collect()
}

/// In percent with two decimals.
fn percent_of(total: &str, maximum: u32) -> Option<String> {
    let total: rust_decimal::Decimal = total.parse().ok()?;
    let percent = total.checked_mul(100.into())?.checked_div(maximum.into())?;
    Some(score_change::two_decimals(percent))
}

// ---------------------------------------------------------------- the way back

pub fn read_scores(reading: &Reading<'_>) -> Result<Vec<Score>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_score(reading, slot)).collect()
}

fn read_score(reading: &Reading<'_>, slot: &str) -> Result<Score, RebuildError> {
    let found: &Observation = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let scale = read_scale(found).ok_or_else(|| missing("is no score of ours"))?;
    let at = match &found.effective {
        Some(ObservationEffective::DateTime(at)) => at,
        _ => return Err(missing("has no time")),
    };
    let answers: Option<&QuestionnaireResponse> = reading.find(&questionnaire_response::slot(slot));
    let items = answers.map(|answers| questionnaire_response::read_items(answers, scale, slot)).transpose()?;
    let derived = reading::extension_bool(&found.extension, "kap-derived") == Some(true);
    let by_patient = found.performer.iter().any(is_patient);
    Ok(Score {
        id: reading::sender_id(slot),
        instrument: scale.instrument,
        at: if reading::is_from_record(&at.extension) { None } else { reading::date_time(at) },
        timepoint: read_timepoint(&found.extension),
        score: if derived { None } else { read_total(found) },
        risk_level: read_risk_level(found),
        items: items.unwrap_or_default(),
        method: found.method.as_ref().and_then(|method| method.text.as_ref()?.value.clone()),
        answered_by: if by_patient {
            Some(AnsweredBy::Patient)
        } else {
            reading::extension_text(&found.extension, "kap-answered-by").and_then(AnsweredBy::from_word)
        },
        performer: found.performer.iter().filter(|who| !is_patient(who)).find_map(reading::practitioner),
        baseline: score_change::read_baseline(reading, slot)?,
    })
}

/// The scale whose code the Observation carries.
fn read_scale(found: &Observation) -> Option<&'static Scale> {
    let coding = found.code.coding.first()?;
    let (system, code) = (coding.system.as_ref()?.value.as_deref()?, coding.code.as_ref()?.value.as_deref()?);
    SCALES.iter().find(|scale| scale.score.code == code && scale.score.system == system)
}

fn is_patient(who: &Reference) -> bool {
    let literal = who.reference.as_ref().and_then(|reference| reference.value.as_deref());
    literal.is_some_and(|literal| literal.starts_with("Patient/"))
}

fn read_total(found: &Observation) -> Option<Decimal> {
    if let ObservationValue::Quantity(points) = found.value.as_ref()? {
        reading::quantity(points).map(|points| points.value)
    } else if let ObservationValue::Integer(step) = found.value.as_ref()? {
        Decimal::parse(&step.value?.to_string())
    } else {
        score_change::component_quantity(found, SCORE_PART, "score")
    }
}

fn read_risk_level(found: &Observation) -> Option<RiskLevel> {
    let ObservationValue::CodeableConcept(level) = found.value.as_ref()? else { return None };
    reading::table_word(RISK_LEVEL, level).and_then(RiskLevel::from_word)
}
