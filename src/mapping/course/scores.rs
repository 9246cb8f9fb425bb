//! Scores over a course, each instrument a series, with the change since baseline. Mapping specification D-12.

use super::view::{View, instant};
use crate::mapping::observation_score_change::two_decimals;
use crate::mapping::systems::KAP;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::HashMap;

/// All scores of one instrument, in the order of time.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    pub what: String,
    pub system: String,
    pub code: String,
    pub scores: Vec<Score>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    pub at: String,
    pub score: String,
    /// What it means, as the stored resource says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpretation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    pub reference: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
}

/// Against the baseline that the record names, else the last score before the first dose, else the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub baseline: String,
    pub points: String,
    /// With two decimals; absent for a baseline of zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
    /// `improved`, `worse`, `unchanged`; absent where the record names no baseline, or where more is neither better nor
    /// worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remission: Option<bool>,
}

/// Is it a score by itself: no change of one, no heading over several?
fn is_score(observation: View<'_>) -> bool {
    let is_local = |code| observation.is("code", KAP, code);
    observation.kind() == "Observation"
        && observation.has_category("survey")
        && !is_local("score-change")
        && !is_local("outcome-assessment")
}

/// The scores among these resources. `first_dose`: when ketamine was first given in the course, in microseconds.
pub fn series(resources: &[(View<'_>, bool)], first_dose: Option<i64>) -> Vec<Series> {
    let changes = changes(resources);
    let mut all: Vec<Series> = Vec::new();
    let mut scores: Vec<(View<'_>, bool, String)> = resources
        .iter()
        .filter(|(resource, _)| is_score(*resource))
        .filter_map(|(resource, elsewhere)| Some((*resource, *elsewhere, resource.time("effective")?.0)))
        .collect();
    scores.sort_by_cached_key(|(_, _, at)| instant(at));
    for (resource, elsewhere, at) in scores {
        // The unit of a score says nothing more.
        let Some(score) = resource.value().map(|score| score.trim_end_matches(" {score}").to_owned()) else { continue };
        let (system, code) = resource.at("code").and_then(|code| code.codes().next()).unwrap_or_default();
        let what = resource.at("code").and_then(View::words).unwrap_or_else(|| code.to_owned());
        let place = all
            .iter()
            .position(|known| known.system == system && known.code == code && (!code.is_empty() || known.what == what));
        let place = place.unwrap_or_else(|| {
            all.push(Series { what, system: system.to_owned(), code: code.to_owned(), scores: Vec::new() });
            all.len() - 1
        });
        let reference = resource.reference();
        let change = changes.get(&reference).cloned();
        let interpretation = resource.at("interpretation").and_then(View::words);
        let score = Score { at, score, interpretation, change, reference, elsewhere };
        if let Some(series) = all.get_mut(place) {
            series.scores.push(score);
        }
    }
    // Scales of a session follow the dose, not the course: they have no baseline in it.
    let in_session = |score: &Score| {
        let find = |(resource, _): &&(View<'_>, bool)| resource.reference() == score.reference;
        resources.iter().find(find).is_some_and(|(resource, _)| resource.at("partOf").is_some())
    };
    for series in &mut all {
        if !series.scores.iter().any(in_session) {
            compare(&mut series.scores, first_dose);
        }
    }
    all
}

/// Changes that the records tell, by the score that they are about.
fn changes(resources: &[(View<'_>, bool)]) -> HashMap<String, Change> {
    let told = resources.iter().filter(|(resource, _)| resource.is("code", KAP, "score-change"));
    told.filter_map(|(resource, _)| {
        let part = |code: &str| resource.each("component").find(|component| component.is("code", KAP, code));
        let number = |code: &str| Some(part(code)?.at("valueQuantity.value")?.0.as_number()?.to_string());
        let change = Change {
            baseline: number("baseline")?,
            points: number("points")?,
            percent: number("percent"),
            direction: part("direction")
                .and_then(|part| part.text("valueCodeableConcept.coding.code"))
                .map(str::to_owned),
            response: part("response").and_then(|part| part.flag("valueBoolean")),
            remission: part("remission").and_then(|part| part.flag("valueBoolean")),
        };
        Some((resource.target("derivedFrom.reference")?, change))
    })
    .collect()
}

fn number(text: &str) -> Option<Decimal> {
    text.split(' ').next()?.parse().ok()
}

/// Gives scores without a told change the one against the baseline of the course.
fn compare(scores: &mut [Score], first_dose: Option<i64>) {
    let is_before = |score: &&Score| first_dose.is_some_and(|first| instant(&score.at).is_some_and(|at| at < first));
    let baseline = scores.iter().rfind(is_before).or(scores.first()).cloned();
    let Some((baseline, from)) = baseline.and_then(|baseline| Some((number(&baseline.score)?, baseline))) else {
        return;
    };
    for score in scores.iter_mut().filter(|score| score.change.is_none() && score.reference != from.reference) {
        if instant(&score.at) < instant(&from.at) {
            continue;
        }
        let Some(points) = number(&score.score).and_then(|current| current.checked_sub(baseline)) else { continue };
        let percent = points.checked_mul(Decimal::ONE_HUNDRED).and_then(|points| points.checked_div(baseline));
        score.change = Some(Change {
            baseline: baseline.to_string(),
            points: points.to_string(),
            percent: percent.map(two_decimals),
            direction: None,
            response: None,
            remission: None,
        });
    }
}
