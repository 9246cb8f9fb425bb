//! Observation: how a score changed from its baseline. Mapping specification §2.9, D-12, D-13.
//!
//! The sender gives the baseline, the gateway computes the rest. What an instrument does not define stays absent.
//! <https://hl7.org/fhir/R4/observation.html>

use super::concepts::Concept;
use super::concepts::instruments::{DIRECTION, SCORE_CHANGE, SCORE_PART, label};
use super::draft::{Draft, gateway_text, word};
use super::observation_score::{Frame, points, survey};
use super::questionnaire_response::is_raw;
use super::reading::{self, Reading, RebuildError};
use super::systems::extension_url;
use crate::fhir::build;
use crate::fhir::model::resources::{
    Observation, ObservationComponent, ObservationComponentValue as ComponentValue, ObservationEffective,
};
use crate::fhir::model::types::{CodeableConcept, Extension, ExtensionValue, Reference};
use crate::kap::instruments::{Better, ChangeOf, Limit, Scale, Threshold, Verified};
use crate::kap::records::measurement::Baseline;
use crate::kap::records::shared::RecordReference;
use crate::kap::values;
use rust_decimal::{Decimal, RoundingStrategy};

/// The slot of a score's change.
fn slot(score_slot: &str) -> String {
    format!("{score_slot}/change")
}

/// What became of a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Current minus baseline.
    pub points: Decimal,
    /// Of the baseline, with two decimals; absent for a baseline of zero.
    pub percent: Option<String>,
    /// A word of `DIRECTION`; absent where more is neither better nor worse.
    pub direction: Option<&'static str>,
    /// Absent where the instrument defines none, or where nobody has verified its threshold.
    pub response: Option<bool>,
    pub remission: Option<bool>,
    /// Are the points, up or down, as many as the instrument asks for? D-13.
    pub reliable: Option<bool>,
    pub meaningful: Option<bool>,
}

/// `None` only for numbers beyond what the contract takes.
pub fn change(scale: &Scale, baseline: Decimal, current: Decimal) -> Option<Change> {
    let points = current.checked_sub(baseline)?;
    let percent = points.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(baseline).map(two_decimals);
    let direction = match (scale.better, points.is_zero(), points.is_sign_positive()) {
        (_, true, _) => Some("unchanged"),
        (Better::Higher, false, true) | (Better::Lower, false, false) => Some("improved"),
        (Better::Higher, false, false) | (Better::Lower, false, true) => Some("worse"),
        (Better::Neither, false, _) => None,
    };
    Some(Change {
        percent,
        direction,
        response: verdict(scale, scale.response.as_ref(), baseline, current),
        remission: verdict(scale, scale.remission.as_ref(), baseline, current),
        reliable: is_change(scale.reliable.as_ref(), points),
        meaningful: is_change(scale.meaningful.as_ref(), points),
        points,
    })
}

/// No verdict rests on a threshold that nobody has verified: `unjudged` tells of those.
fn verdict(scale: &Scale, threshold: Option<&Threshold>, baseline: Decimal, current: Decimal) -> Option<bool> {
    let threshold = threshold.filter(|threshold| threshold.verified == Verified::Yes)?;
    reached(threshold.limit, scale.better, baseline, current)
}

fn is_change(threshold: Option<&ChangeOf>, points: Decimal) -> Option<bool> {
    let threshold = threshold.filter(|threshold| threshold.verified == Verified::Yes)?;
    Some(points.abs() >= threshold.points)
}

/// The thresholds that are known and not verified, in words: whoever reads the change sees why it is silent.
fn unjudged(scale: &Scale) -> Option<String> {
    let limit = |limit: Limit| match limit {
        Limit::Percent(percent) => format!("{percent} percent of baseline"),
        Limit::Below(points) => format!("below {points}"),
        Limit::AtMost(points) => format!("at most {points}"),
        Limit::AtLeast(points) => format!("at least {points}"),
    };
    let thresholds =
        [("response", &scale.response), ("remission", &scale.remission)].into_iter().filter_map(|(name, it)| {
            let it = it.as_ref().filter(|it| it.verified != Verified::Yes)?;
            Some((name, limit(it.limit), it.note.as_deref()))
        });
    let changes = [("reliable change", &scale.reliable), ("meaningful change", &scale.meaningful)];
    let changes = changes.into_iter().filter_map(|(name, it)| {
        let it = it.as_ref().filter(|it| it.verified != Verified::Yes)?;
        Some((name, format!("{} points", it.points), it.note.as_deref()))
    });
    let facts: Vec<String> = thresholds
        .chain(changes)
        .map(|(name, limit, note)| match note {
            Some(note) => format!("{name} ({limit}; {note})"),
            None => format!("{name} ({limit})"),
        })
        .collect();
    (!facts.is_empty())
        .then(|| format!("{}: not verified in a source and so not judged: {}.", scale.name, facts.join(", ")))
}

/// Judged on the numbers themselves, not on the rounded percent.
fn reached(limit: Limit, better: Better, baseline: Decimal, current: Decimal) -> Option<bool> {
    match limit {
        Limit::Below(limit) => Some(current < limit),
        Limit::AtMost(limit) => Some(current <= limit),
        Limit::AtLeast(limit) => Some(current >= limit),
        Limit::Percent(_) if baseline <= Decimal::ZERO => None,
        Limit::Percent(percent) => {
            let gain = match better {
                Better::Lower => baseline.checked_sub(current)?,
                Better::Higher => current.checked_sub(baseline)?,
                Better::Neither => return None,
            };
            Some(gain.checked_mul(Decimal::ONE_HUNDRED)? >= baseline.checked_mul(percent)?)
        }
    }
}

/// Halves go away from zero.
pub fn two_decimals(value: Decimal) -> String {
    format!("{:.2}", value.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
}

/// The change of a score, with the baseline as it was sent.
pub fn score_change(draft: &mut Draft<'_>, frame: &Frame<'_>, baseline: &Baseline) -> Observation {
    let slot = slot(&frame.slot);
    // What changed, for whoever reads the change by itself.
    let name = frame.scale.name.as_str();
    Observation {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, label(frame.scale)),
        extension: baseline.record.iter().map(|record| baseline_reference(draft, record)).collect(),
        identifier: vec![draft.identifier(&slot)],
        part_of: frame.part_of.iter().cloned().collect(),
        status: "final".into(),
        category: vec![survey()],
        code: Box::new(CodeableConcept {
            text: Some(gateway_text(&format!("Score change: {name}"))),
            ..word(SCORE_CHANGE, "score-change")
        }),
        subject: Some(Box::new(draft.patient())),
        encounter: frame.encounter.clone().map(Box::new),
        effective: Some(ObservationEffective::DateTime(frame.effective.clone())),
        method: Some(Box::new(word(SCORE_PART, "gateway-derived"))),
        derived_from: vec![Reference { display: Some(name.into()), ..draft.reference("Observation", &frame.slot) }],
        note: unjudged(frame.scale)
            .filter(|_| is_raw(frame.score))
            .iter()
            .map(|text| build::annotation(text))
            .collect(),
        component: components(frame, baseline),
        ..Default::default()
    }
}

/// The sender knows the baseline's record, not its place there: a logical reference.
fn baseline_reference(draft: &Draft<'_>, record: &RecordReference) -> Extension {
    let reference = Reference {
        r#type: Some("Observation".into()),
        identifier: Some(Box::new(draft.record_identifier(record))),
        ..Default::default()
    };
    build::extension(extension_url("kap-baseline"), ExtensionValue::Reference(Box::new(reference)))
}

fn components(frame: &Frame<'_>, baseline: &Baseline) -> Vec<ObservationComponent> {
    let score = |text: &str| ComponentValue::Quantity(Box::new(points(text)));
    let flag = |is: bool| ComponentValue::Boolean(is.into());
    let numbers = frame.total.as_deref().and_then(|total| total.parse().ok()).zip(baseline.score.value());
    let change = numbers.and_then(|(current, baseline)| change(frame.scale, baseline, current));
    let change = change.as_ref();
    // The thresholds are points of the form, not T-scores.
    let judged = change.filter(|_| is_raw(frame.score));
    let percent = change.and_then(|change| change.percent.as_deref());
    let direction = change.and_then(|change| change.direction);
    [
        ("baseline", Some(score(&baseline.score.text()))),
        ("current", frame.total.as_deref().map(score)),
        ("points", change.map(|change| score(&change.points.to_string()))),
        ("percent", percent.map(|percent| ComponentValue::Quantity(Box::new(build::quantity(percent, "%"))))),
        ("direction", direction.map(|it| ComponentValue::CodeableConcept(Box::new(word(DIRECTION, it))))),
        ("response", judged.and_then(|change| change.response).map(flag)),
        ("remission", judged.and_then(|change| change.remission).map(flag)),
        ("reliable-change", judged.and_then(|change| change.reliable).map(flag)),
        ("meaningful-change", judged.and_then(|change| change.meaningful).map(flag)),
    ]
    .into_iter()
    .filter_map(|(code, value)| {
        Some(ObservationComponent {
            code: Box::new(word(SCORE_CHANGE, code)),
            value: Some(value?),
            ..Default::default()
        })
    })
    .collect()
}

// ---------------------------------------------------------------- the way back

pub fn read_baseline(reading: &Reading<'_>, score_slot: &str) -> Result<Option<Baseline>, RebuildError> {
    let slot = slot(score_slot);
    let Some(found) = reading.find::<Observation>(&slot) else { return Ok(None) };
    let score = component_quantity(found, SCORE_CHANGE, "baseline");
    let record = match reading::find_extension(&found.extension, "kap-baseline").and_then(|e| e.value.as_ref()) {
        Some(ExtensionValue::Reference(record)) => reading::record_reference(record),
        _ => None,
    };
    Ok(Some(Baseline { score: score.ok_or_else(|| RebuildError::new(&slot, "has no baseline"))?, record }))
}

/// The number of the component with that word.
pub fn component_quantity(found: &Observation, table: &'static [Concept], name: &str) -> Option<values::Decimal> {
    let component =
        found.component.iter().find(|component| reading::table_word(table, &component.code) == Some(name))?;
    let ComponentValue::Quantity(quantity) = component.value.as_ref()? else { return None };
    reading::quantity(quantity).map(|quantity| quantity.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kap::instruments::Registry;

    fn of(instrument: &str, baseline: &str, current: &str) -> Change {
        let scale = Registry::built_in().find(instrument).unwrap();
        change(scale, baseline.parse().unwrap(), current.parse().unwrap()).unwrap()
    }

    #[test]
    fn phq_9_from_21_to_4_is_a_response_and_a_remission() {
        // 17 / 21 = 0.809523...
        let expected = Change {
            points: Decimal::from(-17),
            percent: Some("-80.95".to_owned()),
            direction: Some("improved"),
            response: Some(true),
            remission: Some(true),
            reliable: None,
            meaningful: Some(true),
        };
        assert_eq!(of("phq-9", "21", "4"), expected);
    }

    #[test]
    fn pcl_5_has_a_percent_and_a_direction_but_no_response() {
        let change = of("pcl-5", "58", "29");
        assert_eq!(change.percent.as_deref(), Some("-50.00"));
        assert_eq!((change.direction, change.response, change.remission), (Some("improved"), None, None));
    }

    #[test]
    fn exactly_half_is_a_response_and_one_point_less_is_not() {
        assert_eq!(of("madrs", "34", "17").response, Some(true));
        let less = of("madrs", "34", "18");
        assert_eq!((less.response, less.percent.as_deref()), (Some(false), Some("-47.06")));
        assert_eq!(less.remission, None, "the threshold of MADRS is in doubt");
    }

    #[test]
    fn response_is_judged_on_the_numbers_and_not_on_the_rounded_percent() {
        // -49.9983... percent rounds to -50.00.
        let change = of("ham-d17", "30.001", "15.001");
        assert_eq!((change.percent.as_deref(), change.response), (Some("-50.00"), Some(false)));
    }

    #[test]
    fn remission_thresholds_are_the_instruments_own() {
        let remission = |instrument, current| of(instrument, "20", current).remission;
        assert_eq!((remission("phq-9", "5"), remission("phq-9", "4")), (Some(false), Some(true)));
        assert_eq!((remission("ham-d17", "8"), remission("ham-d17", "7")), (Some(false), Some(true)));
        assert_eq!((remission("isi", "8"), remission("isi", "7")), (Some(false), Some(true)));
        assert_eq!(remission("gad-7", "1"), None);
    }

    #[test]
    fn pcl_5_change_is_reliable_from_5_points_and_meaningful_from_10() {
        let told = |current| (of("pcl-5", "58", current).reliable, of("pcl-5", "58", current).meaningful);
        assert_eq!(told("54"), (Some(false), Some(false)));
        assert_eq!(told("53"), (Some(true), Some(false)));
        assert_eq!(told("48"), (Some(true), Some(true)));
        assert_eq!(told("68"), (Some(true), Some(true)), "for the worse, too");
    }

    #[test]
    fn a_threshold_that_nobody_verified_is_told_and_not_judged() {
        let madrs = unjudged(Registry::built_in().find("madrs").unwrap()).unwrap();
        assert!(madrs.contains("remission (at most 10; Trials use at most 10 or at most 12.)"), "{madrs}");
        assert_eq!(of("madrs", "34", "9").remission, None);
        assert_eq!(unjudged(Registry::built_in().find("phq-9").unwrap()), None);
    }

    #[test]
    fn a_rise_is_better_where_higher_is_better() {
        assert_eq!(of("who-5-percent", "36", "68").direction, Some("improved"));
        assert_eq!(of("phq-9", "4", "9").direction, Some("worse"));
        assert_eq!(of("cadss", "0", "12").direction, None);
        assert_eq!(of("cadss", "12", "12").direction, Some("unchanged"));
    }

    #[test]
    fn a_baseline_of_zero_has_points_but_neither_percent_nor_response() {
        let change = of("phq-9", "0", "3");
        assert_eq!((change.points, change.percent, change.response), (Decimal::from(3), None, None));
    }
}
