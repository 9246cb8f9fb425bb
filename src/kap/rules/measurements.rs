//! Vital signs and scores: what one measurement says about itself.

use super::super::instruments::{Instrument, Items, Total, counts_raw_points};
use super::super::place::{Findings, Place};
use rust_decimal::Decimal;
use std::collections::HashSet;

const MEASUREMENTS: [&str; 9] = [
    "bloodPressure",
    "meanArterialPressure",
    "heartRate",
    "respiratoryRate",
    "oxygenSaturation",
    "temperature",
    "weight",
    "height",
    "bodyMassIndex",
];

pub fn vitals(vitals: Place, findings: &mut Findings) {
    if !MEASUREMENTS.iter().any(|name| vitals.has(name)) {
        findings.conflict_here(vitals, "At least one measurement is needed.");
    }
    if vitals.has("selfReported") && vitals.has("performer") {
        findings.conflict(vitals, "selfReported", "`selfReported` excludes `performer`.");
    }
    // kap-bp-1
    if let Some(pressure) = vitals.at("bloodPressure")
        && let (Some(systolic), Some(diastolic)) = (pressure.at("systolic"), pressure.at("diastolic"))
        && let (Some(high), Some(low)) = (systolic.decimal("value"), diastolic.decimal("value"))
        && high <= low
    {
        findings.conflict(systolic, "value", "The systolic pressure must be above the diastolic.");
    }
}

/// A goal's target is a score of its instrument.
pub fn goal(goal: Place, findings: &mut Findings) {
    if let Some(target) = goal.at("target")
        && let Some(instrument) = target.text("instrument").and_then(Instrument::find)
    {
        score_in_range(instrument, target, findings);
    }
}

pub fn result(result: Place, findings: &mut Findings) {
    let Some(instrument) = result.text("instrument").and_then(Instrument::find) else { return };
    if !["score", "items", "riskLevel"].iter().any(|name| result.has(name)) {
        findings.conflict_here(result, "One of `score`, `items` and (C-SSRS screener) `riskLevel` is needed.");
    }
    if result.has("riskLevel") && instrument.items != Items::SuicideScreener {
        findings.conflict(result, "riskLevel", "Only the `c-ssrs-screener` has a `riskLevel`.");
    }
    if result.has("score") && instrument.total == Total::None {
        findings.conflict(result, "score", "This instrument has no total score: give `items` and `riskLevel`.");
    }
    if result.has("items") && instrument.items == Items::Licensed {
        findings.conflict(
            result,
            "items",
            "The licence of this instrument allows its total only: leave the items out.",
        );
    }
    let is_raw = counts_raw_points(result.text("method").unwrap_or_default());
    if is_raw {
        score_in_range(instrument, result, findings);
        if let Some(baseline) = result.at("baseline") {
            score_in_range(instrument, baseline, findings);
        }
    }
    let items_are_sound = items(instrument, result, findings);
    if is_raw && items_are_sound {
        total(instrument, result, findings);
    }
}

fn score_in_range(instrument: &Instrument, holder: Place, findings: &mut Findings) {
    let Some(score) = holder.decimal("score") else { return };
    if instrument.whole && !score.fract().is_zero() {
        findings.value(holder, "score", "The scores of this instrument are whole numbers.");
    } else if let Some((least, most)) = instrument.enforced_range()
        && (score < Decimal::from(least) || score > Decimal::from(most))
    {
        findings.value(holder, "score", format!("A score of `{}` must be from {least} to {most}.", instrument.key));
    }
}

/// Are the items those of the instrument, each once, with points that it gives? Faulty ones are told.
fn items(instrument: &Instrument, result: Place, findings: &mut Findings) -> bool {
    let mut seen = HashSet::new();
    let mut sound = true;
    for item in result.each("items") {
        let Some(name) = item.text("item") else { continue };
        if !seen.insert(name) {
            findings.conflict(item, "item", "This item stands here more than once.");
            sound = false;
        }
        let Some((least, most)) = points_of(instrument, name) else {
            findings.value(item, "item", format!("`{}` has no such item.", instrument.key));
            sound = false;
            continue;
        };
        if let Some(answer) = item.decimal("answer")
            && (answer < Decimal::from(least) || answer > Decimal::from(most))
        {
            findings.value(
                item,
                "answer",
                format!("This item of `{}` has from {least} to {most} points.", instrument.key),
            );
            sound = false;
        }
    }
    sound
}

/// The points that an item can have; `None` where the instrument has no such item.
fn points_of(instrument: &Instrument, item: &str) -> Option<(i64, i64)> {
    if item == "difficulty" {
        return (instrument.key == "phq-9").then_some((0, 3));
    }
    let number = item.parse::<u32>().ok();
    match instrument.items {
        Items::Numbered { highest, least, most, .. } => {
            number.filter(|number| *number <= highest).map(|_| (least, most))
        }
        Items::SuicideScreener => {
            (number.is_some_and(|number| number <= 5) || matches!(item, "6-lifetime" | "6-3-months")).then_some((0, 1))
        }
        // The contract's own limits.
        Items::Open | Items::Licensed => number.map(|_| (0, 10)),
    }
}

/// With all items there the score is their sum; with one missing no total is computed (D-14).
fn total(instrument: &Instrument, result: Place, findings: &mut Findings) {
    let (Items::Numbered { count, .. }, Total::Sum { factor }) = (instrument.items, instrument.total) else { return };
    let (true, Some(score)) = (result.has("items"), result.decimal("score")) else { return };
    let answers: Vec<Decimal> = result
        .each("items")
        .filter(|item| item.text("item") != Some("difficulty"))
        .filter_map(|item| item.decimal("answer"))
        .collect();
    if answers.len() < count {
        findings.warning(
            result,
            "items",
            format!(
                "{} of the {count} items of `{}` are there, so no total is computed; the score is kept as it was sent.",
                answers.len(),
                instrument.key
            ),
        );
        return;
    }
    let sum = answers.iter().sum::<Decimal>() * Decimal::from(factor);
    if answers.len() > count {
        findings.conflict(result, "items", format!("`{}` has {count} items.", instrument.key));
    } else if sum != score {
        findings.conflict(
            result,
            "score",
            format!("The items make {}, the score says {}.", sum.normalize(), score.normalize()),
        );
    }
}
