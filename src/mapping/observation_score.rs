//! Observation: the score of one instrument. Mapping specification §2.6, §2.9, §3, D-13 to D-15.
//!
//! Each score rests on its answers (`derivedFrom`) or says that only the total is known (`kap-total-only`). What of its
//! instrument nobody has verified stands in a note.
//! <https://hl7.org/fhir/R4/observation.html>

use super::concepts::instruments::{RISK_LEVEL, SCORE_PART, coding, label, score_code};
use super::draft::{self, Draft, gateway_text, word};
use super::observation_score_change::{self as score_change, score_change};
use super::observation_vitals::{read_timepoint, timepoint};
use super::questionnaire_response::{self, answers, is_raw, questionnaire_response};
use super::reading::{self, Reading, RebuildError};
use super::systems::{OBSERVATION_CATEGORY, extension_url};
use super::{encounter, observation_verdict, procedure};
use crate::fhir::build;
use crate::fhir::model::resources::{
    Observation, ObservationComponent, ObservationComponentValue, ObservationEffective, ObservationValue,
    QuestionnaireResponse,
};
use crate::fhir::model::types::{
    CodeableConcept, Coding, DateTime as FhirDateTime, Extension, ExtensionValue, Quantity, Reference,
};
use crate::kap::instruments::{Answered, Scale, Tiered, Tiering, Verified};
use crate::kap::records::measurement::{AnsweredBy, RiskLevel, Score};
use crate::kap::records::shared::InstrumentKey;
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
    pub scale: &'s Scale,
    /// The score as sent, or what the items make.
    pub total: Option<String>,
    /// The tier as sent, or what the answers make, with the tiering that made it.
    pub tier: Option<&'s str>,
    pub tiering: Option<&'s Tiering>,
    /// All answers are there.
    pub in_whole: bool,
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
    let instruments = draft.instruments;
    let mut frames = Vec::with_capacity(results.len());
    for (place, score) in results.iter().enumerate() {
        // The check lets no record pass with an instrument that it does not know.
        let Some(scale) = instruments.find(score.instrument.as_str()) else {
            draft.notice(format!("{pointer}/{place}/instrument"), "The gateway does not know this instrument.");
            continue;
        };
        let frame = frame(draft, score, scale, at, within);
        if frame.is_derived() {
            let what = if frame.tiering.is_some() { "/riskLevel" } else { "/score" };
            let sentence = match frame.tiering {
                Some(tiering) => format!("The gateway computed this tier from the answers: {}.", method_of(tiering)),
                None => "The gateway computed this score from the items.".to_owned(),
            };
            draft.notice(format!("{pointer}/{place}{what}"), sentence);
        }
        references.push(draft.reference("Observation", &frame.slot));
        if !score.items.is_empty() {
            let answers = questionnaire_response(draft, &frame);
            draft.push(answers);
        }
        let observation = score_observation(draft, &frame);
        draft.push(observation);
        if let Some(baseline) = &score.baseline {
            let change = score_change(draft, &frame, baseline);
            draft.push(change);
        }
        frames.push(frame);
    }
    observation_verdict::verdicts(draft, &frames, pointer);
    references
}

impl Frame<'_> {
    /// Did the gateway compute what the sender did not send?
    fn is_derived(&self) -> bool {
        self.tiering.is_some() || (self.score.score.is_none() && self.total.is_some())
    }
}

fn frame<'s>(
    draft: &mut Draft<'_>,
    score: &'s Score,
    scale: &'s Scale,
    at: &DateTime,
    within: ScoreContext,
) -> Frame<'s> {
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
    let own = answers(score);
    let answered = scale.answered(&own);
    let computed = match answered {
        Answered::Whole { total } if is_raw(score) => total.map(in_words),
        Answered::Whole { .. } | Answered::InPart { .. } | Answered::Nothing => None,
    };
    let (tier, tiering) = match (score.risk_level, scale.tier(&own, score.method.as_deref())) {
        (Some(sent), _) => (Some(sent.as_str()), None),
        (None, Some(Tiered::By(tiering, tier))) => (Some(tier), Some(tiering)),
        (None, Some(Tiered::Undecided(_)) | None) => (None, None),
    };
    let performer = score.performer.as_ref().map(|who| draft.practitioner(who));
    Frame {
        slot,
        score,
        scale,
        total: score.score.as_ref().map(Decimal::text).or(computed),
        tier,
        tiering,
        in_whole: matches!(answered, Answered::Whole { .. }),
        effective,
        encounter,
        part_of,
        performer,
    }
}

/// A sum is a whole number; a mean is told with two decimals.
fn in_words(total: rust_decimal::Decimal) -> String {
    if total.is_integer() { total.normalize().to_string() } else { score_change::two_decimals(total) }
}

/// What `method` says of a tier that the gateway made.
fn method_of(tiering: &Tiering) -> String {
    match tiering.verified {
        Verified::Yes => tiering.title.clone(),
        Verified::Partly | Verified::No => format!("{} (not verified in a source)", tiering.title),
    }
}

/// What tells a score from its neighbours: not its value, which a correction would change.
fn natural(score: &Score) -> String {
    let at = score.at.as_ref().map_or("", |at| at.as_str());
    let (phase, minutes) = score.timepoint.as_ref().map_or(("", None), |point| (point.phase.as_str(), point.minutes));
    format!("{}\n{at}\n{phase}\n{}", score.instrument.as_str(), minutes.unwrap_or_default())
}

fn score_observation(draft: &mut Draft<'_>, frame: &Frame<'_>) -> Observation {
    let Frame { score, scale, slot, in_whole, .. } = frame;
    let value = value(frame);
    Observation {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, label(scale)),
        extension: extensions(score, value.is_some() && !in_whole, frame.is_derived()),
        identifier: vec![draft.identifier(slot)],
        part_of: frame.part_of.iter().cloned().collect(),
        status: if value.is_some() { "final" } else { "preliminary" }.into(),
        category: vec![survey()],
        code: Box::new(score_code(scale)),
        subject: Some(Box::new(draft.patient())),
        encounter: frame.encounter.clone().map(Box::new),
        effective: Some(ObservationEffective::DateTime(frame.effective.clone())),
        performer: performers(draft, frame),
        data_absent_reason: value.is_none().then(|| Box::new(build::concept(no_total()))),
        value,
        interpretation: interpretation(frame),
        note: scale.doubt.iter().map(|doubt| build::annotation(doubt)).collect(),
        method: method(frame).map(Box::new),
        derived_from: if *in_whole {
            vec![draft.reference("QuestionnaireResponse", &questionnaire_response::slot(slot))]
        } else {
            Vec::new()
        },
        component: components(frame),
        ..Default::default()
    }
}

/// As sent; where nothing was sent, what the gateway went by: the tiering, or the points of a scale that is scored in
/// T-scores, too.
fn method(frame: &Frame<'_>) -> Option<CodeableConcept> {
    if let Some(sent) = &frame.score.method {
        return Some(build::words(sent));
    }
    let own = match frame.tiering {
        Some(tiering) => method_of(tiering),
        None if !frame.scale.t_bands.0.is_empty() => "raw".to_owned(),
        None => return None,
    };
    Some(CodeableConcept { text: Some(gateway_text(&own)), ..Default::default() })
}

/// D-15: the band of the score; of a screen with a rule whether it is positive.
fn interpretation(frame: &Frame<'_>) -> Vec<CodeableConcept> {
    let Some(total) = frame.total.as_deref().and_then(|total| total.parse().ok()) else { return Vec::new() };
    let band = frame.scale.band(total, frame.score.method.as_deref()).map(|band| &band.code);
    let criterion = frame.scale.criterion.as_ref().filter(|_| is_raw(frame.score));
    let positive = criterion.and_then(|criterion| {
        let is_positive = frame.scale.is_positive(total, &answers(frame.score))?;
        Some(if is_positive { &criterion.positive } else { &criterion.negative })
    });
    band.into_iter().chain(positive).map(|code| build::concept(coding(code))).collect()
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
    if let Some(tier) = frame.tier {
        return Some(ObservationValue::CodeableConcept(Box::new(word(RISK_LEVEL, tier))));
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
    let component = |code, value| ObservationComponent {
        code: Box::new(code),
        value: Some(ObservationComponentValue::Quantity(Box::new(value))),
        ..Default::default()
    };
    let total = frame.total.as_deref();
    // Beside a risk level the number has no other place.
    let score = total.filter(|_| frame.tier.is_some()).map(|total| component(word(SCORE_PART, "score"), points(total)));
    let is_raw = is_raw(frame.score);
    let maximum = frame.scale.range.filter(|_| frame.scale.percent_of_maximum && is_raw).map(|range| range.most);
    let percent = total.zip(maximum).and_then(|(total, maximum)| percent_of(total, maximum));
    let percent = percent.map(|it| component(word(SCORE_PART, "percent-of-maximum"), build::quantity(it, "%")));
    let own = answers(frame.score);
    let subscales = frame.scale.subscales.iter().filter(|_| is_raw).filter_map(|subscale| {
        let sum = frame.scale.subtotal(subscale, &own)?;
        Some(component(build::concept(coding(&subscale.code)), points(&sum.to_string())))
    });
    score.into_iter().chain(percent).chain(subscales).collect()
}

/// In percent with two decimals.
fn percent_of(total: &str, maximum: rust_decimal::Decimal) -> Option<String> {
    let total: rust_decimal::Decimal = total.parse().ok()?;
    let percent = total.checked_mul(100.into())?.checked_div(maximum)?;
    Some(score_change::two_decimals(percent))
}

// ---------------------------------------------------------------- the way back

pub fn read_scores(reading: &Reading<'_>) -> Result<Vec<Score>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_score(reading, slot)).collect()
}

fn read_score(reading: &Reading<'_>, slot: &str) -> Result<Score, RebuildError> {
    let found: &Observation = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let scale = reading::scale(&found.code, reading.instruments)
        .ok_or_else(|| missing("is the score of an instrument that is not in the registry"))?;
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
        instrument: InstrumentKey(scale.key.clone()),
        at: if reading::is_from_record(&at.extension) { None } else { reading::date_time(at) },
        timepoint: read_timepoint(&found.extension),
        score: if derived { None } else { read_total(found) },
        risk_level: if derived { None } else { read_risk_level(found) },
        items: items.unwrap_or_default(),
        method: found.method.as_ref().and_then(|method| reading::sender_text(method)),
        answered_by: if by_patient {
            Some(AnsweredBy::Patient)
        } else {
            reading::extension_text(&found.extension, "kap-answered-by").and_then(AnsweredBy::from_word)
        },
        performer: found.performer.iter().filter(|who| !is_patient(who)).find_map(reading::practitioner),
        baseline: score_change::read_baseline(reading, slot)?,
    })
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
