//! Observation: what several scores of one form say together, yes or no. Mapping specification §3 (MEQ-30).
//!
//! <https://hl7.org/fhir/R4/observation.html#obsgrouping>

use super::concepts::instruments::{SCORE_PART, coding, label};
use super::draft::{Draft, word};
use super::observation_score::{Frame, survey};
use crate::fhir::build;
use crate::fhir::model::resources::{Observation, ObservationEffective, ObservationValue};
use crate::kap::instruments::{Points, Scale, Verdict, Verified, points_of};
use rust_decimal::Decimal;

const LIST: &str = "verdicts";

/// Pushes a verdict for each form and time whose scores were sent. Where one of them is missing the sender is told that
/// it cannot be evaluated.
pub fn verdicts(draft: &mut Draft<'_>, frames: &[Frame<'_>], pointer: &str) {
    let mut judged: Vec<(&str, Option<&str>)> = Vec::new();
    for frame in frames {
        for verdict in &frame.scale.form.verdicts {
            let at = frame.effective.value.as_deref();
            let is_part = verdict.of.contains(&frame.scale.key);
            if !is_part || judged.contains(&(verdict.key.as_str(), at)) {
                continue;
            }
            judged.push((&verdict.key, at));
            let group: Vec<&Frame<'_>> = frames
                .iter()
                .filter(|other| verdict.of.contains(&other.scale.key) && other.effective.value.as_deref() == at)
                .collect();
            let scores: Vec<(&Scale, Decimal)> =
                group.iter().filter_map(|frame| Some((frame.scale, raw(frame)?))).collect();
            match verdict.holds(&scores) {
                Some(holds) => {
                    let observation = observation(draft, verdict, &group, holds);
                    draft.push(observation);
                }
                None => draft.notice(
                    pointer,
                    format!(
                        "`{}` cannot be evaluated: it needs scores of {} of one time.",
                        verdict.key,
                        verdict.of.join(", ")
                    ),
                ),
            }
        }
    }
}

/// The score in points of the form; a percentage is turned back.
fn raw(frame: &Frame<'_>) -> Option<Decimal> {
    let score: Decimal = frame.total.as_deref()?.parse().ok()?;
    match points_of(frame.score.method.as_deref()) {
        Points::Raw => Some(score),
        Points::Other => score.checked_mul(frame.scale.range?.most)?.checked_div(Decimal::ONE_HUNDRED),
        Points::TScore => None,
    }
}

fn observation(draft: &mut Draft<'_>, verdict: &Verdict, group: &[&Frame<'_>], holds: bool) -> Observation {
    let slot = draft.slot(LIST, Some(&verdict.key), "");
    let first = group.first();
    let doubt = (verdict.verified != Verified::Yes).then(|| {
        format!(
            "The rule is that each part reaches {} percent of its maximum: not verified in a source.",
            verdict.percent
        )
    });
    Observation {
        id: Some(draft.id(&slot).as_str().into()),
        meta: first.and_then(|frame| draft.meta(&slot, label(frame.scale))),
        identifier: vec![draft.identifier(&slot)],
        part_of: first.iter().flat_map(|frame| frame.part_of.clone()).collect(),
        status: "final".into(),
        category: vec![survey()],
        code: Box::new(build::concept(coding(&verdict.code))),
        subject: Some(Box::new(draft.patient())),
        encounter: first.and_then(|frame| frame.encounter.clone()).map(Box::new),
        effective: first.map(|frame| ObservationEffective::DateTime(frame.effective.clone())),
        value: Some(ObservationValue::Boolean(holds.into())),
        note: doubt.iter().map(|doubt| build::annotation(doubt)).collect(),
        method: Some(Box::new(word(SCORE_PART, "gateway-derived"))),
        derived_from: group.iter().map(|frame| draft.reference("Observation", &frame.slot)).collect(),
        ..Default::default()
    }
}
