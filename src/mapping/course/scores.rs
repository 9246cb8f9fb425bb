//! Scores over a course, each instrument a series, with the change since baseline. Mapping specification D-12.

use super::view::{View, instant};
use crate::kap::values::Decimal;
use crate::mapping::course_scores::ScoreLine;
use crate::mapping::systems::KAP;
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

/// Against the last score before the first dose of the course, else the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub baseline: String,
    pub points: String,
    /// With two decimals; absent for a baseline of zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
    /// `improved`, `worse`, `unchanged`; absent where more is neither better nor worse.
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

/// The scores among these resources, each with the change that the course's score lines tell: those of instruments that
/// nobody has registered, and those in other points than the form's, have none.
pub fn series(resources: &[(View<'_>, bool)], lines: &[ScoreLine]) -> Vec<Series> {
    let changes = changes(lines);
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
        let change = changes.get(reference.as_str()).cloned();
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
    for score in all.iter_mut().flat_map(|series| &mut series.scores) {
        if in_session(score) {
            score.change = None;
        }
    }
    all
}

/// What the course's score lines say of each score, by its reference.
fn changes(lines: &[ScoreLine]) -> HashMap<&str, Change> {
    lines.iter().flat_map(of_line).collect()
}

fn of_line(line: &ScoreLine) -> impl Iterator<Item = (&str, Change)> {
    line.scores.iter().filter_map(|point| {
        let change = point.change.as_ref()?;
        let told = Change {
            baseline: line.baseline.score.text(),
            points: change.points.text(),
            percent: change.percent.as_ref().map(Decimal::text),
            direction: change.direction.map(str::to_owned),
            response: change.response,
            remission: change.remission,
        };
        Some((point.reference.as_str(), told))
    })
}
