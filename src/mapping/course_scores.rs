//! The scores of a course, each beside its baseline: mapping specification D-12, D-13.
//!
//! The baseline of an instrument is its last score before the first dose of the course, else its first of the course. It
//! hangs on records that may come in any order, so it is reckoned when the course is read, and stored nowhere. A change
//! that a sender asked for with a baseline of its own stays what it is: a resource of its record.

use super::medication_administration::read_effective;
use super::observation_score_change::{Change, change};
use super::reading;
use crate::fhir::model::resources::{MedicationAdministration, Observation, ObservationEffective, ObservationValue};
use crate::kap::instruments::{Points, Registry, Scale, points_of};
use crate::kap::values::Decimal;
use jiff::Timestamp;
use serde::Serialize;

/// The scores of one instrument in the order of true time.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreLine {
    /// Key and name of the scale.
    pub instrument: String,
    pub name: String,
    pub baseline: Point,
    /// Was the baseline taken before the first dose of the course? `false`: it is the first score of the course.
    pub before_first_dose: bool,
    /// Every score, the baseline too.
    pub scores: Vec<Point>,
}

/// One score, and what became of it since the baseline.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// As sent, with its offset.
    pub at: String,
    /// With the digits that were sent.
    pub score: Decimal,
    /// `Observation/id`.
    pub reference: String,
    /// Only of scores after the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<PointChange>,
}

/// Points and percent since the baseline, and what the instrument defines of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PointChange {
    pub points: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remission: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reliable_change: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaningful_change: Option<bool>,
}

/// The scores among a course's Observations; `references` are their `Type/id`. `first_dose`: the start of the first
/// dose that was given, if one was.
pub fn score_lines<'o>(
    observations: impl Iterator<Item = (&'o Observation, String)>,
    first_dose: Option<Timestamp>,
    instruments: &Registry,
) -> Vec<ScoreLine> {
    let mut found: Vec<(&Scale, Timestamp, Point)> =
        observations.filter_map(|(observation, reference)| point(observation, reference, instruments)).collect();
    found.sort_by(|one, other| (&one.0.key, one.1).cmp(&(&other.0.key, other.1)));
    found.chunk_by(|one, other| one.0.key == other.0.key).filter_map(|scores| line(scores, first_dose)).collect()
}

/// A score in points of the form, with its time. T-scores and percentages follow other thresholds and are left to the
/// events of the course.
fn point<'r>(
    observation: &Observation,
    reference: String,
    instruments: &'r Registry,
) -> Option<(&'r Scale, Timestamp, Point)> {
    let (scale, score) = score(observation, instruments)?;
    let method = observation.method.as_ref().and_then(|method| method.text.as_ref()?.value.as_deref());
    if points_of(method) != Points::Raw {
        return None;
    }
    let Some(ObservationEffective::DateTime(at)) = &observation.effective else { return None };
    let at = reading::date_time(at)?;
    Some((scale, at.instant()?, Point { at: at.0, score, reference, change: None }))
}

/// The scale of a score, and the score as sent; of T-scores and percentages too.
pub fn score<'r>(observation: &Observation, instruments: &'r Registry) -> Option<(&'r Scale, Decimal)> {
    let scale = reading::scale(&observation.code, instruments)?;
    let score = match observation.value.as_ref()? {
        ObservationValue::Quantity(points) => reading::quantity(points)?.value,
        ObservationValue::Integer(step) => Decimal::parse(&step.value?.to_string())?,
        ObservationValue::CodeableConcept(_)
        | ObservationValue::String(_)
        | ObservationValue::Boolean(_)
        | ObservationValue::Range(_)
        | ObservationValue::Ratio(_)
        | ObservationValue::SampledData(_)
        | ObservationValue::Time(_)
        | ObservationValue::DateTime(_)
        | ObservationValue::Period(_)
        | ObservationValue::Invalid => return None,
    };
    Some((scale, score))
}

/// `scores` are of one scale, in the order of time.
fn line(scores: &[(&Scale, Timestamp, Point)], first_dose: Option<Timestamp>) -> Option<ScoreLine> {
    let before = scores.iter().rposition(|(_, at, _)| first_dose.is_some_and(|dose| *at < dose));
    let place = before.unwrap_or(0);
    let (scale, _, baseline) = scores.get(place)?;
    let from = baseline.score.value();
    let with_change = scores.iter().enumerate().map(|(own, (_, _, point))| {
        let to = point.score.value().filter(|_| own > place);
        let changed = from.zip(to).and_then(|(from, to)| change(scale, from, to));
        Point { change: changed.as_ref().and_then(told), ..point.clone() }
    });
    Some(ScoreLine {
        instrument: scale.key.clone(),
        name: scale.name.clone(),
        baseline: baseline.clone(),
        before_first_dose: before.is_some(),
        scores: with_change.collect(),
    })
}

fn told(change: &Change) -> Option<PointChange> {
    Some(PointChange {
        points: Decimal::parse(&change.points.to_string())?,
        percent: change.percent.as_deref().and_then(Decimal::parse),
        direction: change.direction,
        response: change.response,
        remission: change.remission,
        reliable_change: change.reliable,
        meaningful_change: change.meaningful,
    })
}

/// When a dose began that was given, in whole or in part. Only doses of a session count, not what rescued the patient.
pub fn dose_start(dose: &MedicationAdministration) -> Option<Timestamp> {
    let source = dose.meta.as_ref()?.source.as_ref()?.value.as_deref()?;
    let is_dose = source.rsplit('/').nth(1) == Some("doses");
    let is_given = matches!(dose.status.value.as_deref(), Some("completed" | "in-progress" | "stopped"));
    if !is_dose || !is_given {
        return None;
    }
    read_effective(&dose.effective)?.0.instant()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::model::Resource;
    use crate::fhir::{codec, resource::Emitted};
    use serde_json::json;

    fn score(code: &str, at: &str, points: &str) -> Resource {
        let system = if code.contains('-') && code.len() < 9 { "http://loinc.org" } else { "x" };
        let text = json!({ "resourceType": "Observation", "status": "final", "effectiveDateTime": at,
            "code": { "coding": [{ "system": system, "code": code }] },
            "valueQuantity": { "value": "VALUE", "system": "http://unitsofmeasure.org", "code": "{score}" } });
        codec::from_json(text.to_string().replace("\"VALUE\"", points).as_bytes()).unwrap()
    }

    fn lines(resources: &[Resource], first_dose: Option<&str>) -> Vec<ScoreLine> {
        let observations =
            resources.iter().filter_map(Observation::from_resource).map(|it| (it, "Observation/x".into()));
        score_lines(observations, first_dose.map(|at| at.parse().unwrap()), Registry::built_in())
    }

    const PHQ: &str = "44261-6";

    #[test]
    fn the_baseline_is_the_last_score_before_the_first_dose() {
        // In the order in which they were stored, not in that of time.
        let scores = [
            score(PHQ, "2026-02-19T11:00:00-05:00", "4"),
            score(PHQ, "2026-01-10T11:00:00-05:00", "23"),
            // 10:00-05:00 is 15:00Z: before the dose by true time.
            score(PHQ, "2026-02-02T14:59:00Z", "21"),
            score(PHQ, "2026-02-05T11:00:00-05:00", "16"),
        ];
        let found = lines(&scores, Some("2026-02-02T10:00:00-05:00"));
        let [line] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((line.baseline.score.text().as_str(), line.before_first_dose), ("21", true));
        let told: Vec<_> = line.scores.iter().map(|point| (point.score.text(), point.change.clone())).collect();
        assert_eq!(told.iter().map(|(score, _)| score.as_str()).collect::<Vec<_>>(), ["23", "21", "16", "4"]);
        assert!(told[0].1.is_none() && told[1].1.is_none());
        let last = told[3].1.clone().unwrap();
        assert_eq!((last.points.text(), last.percent.unwrap().text()), ("-17".to_owned(), "-80.95".to_owned()));
        assert_eq!((last.direction, last.response, last.remission), (Some("improved"), Some(true), Some(true)));
    }

    #[test]
    fn without_a_score_before_the_first_dose_the_first_of_the_course_is_the_baseline() {
        let scores = [score(PHQ, "2026-02-19T11:00:00-05:00", "8"), score(PHQ, "2026-02-05T11:00:00-05:00", "16")];
        for first_dose in [Some("2026-02-02T10:00:00-05:00"), None] {
            let found = lines(&scores, first_dose);
            assert_eq!((found[0].baseline.score.text().as_str(), found[0].before_first_dose), ("16", false));
            let change = found[0].scores[1].change.clone().unwrap();
            assert_eq!((change.points.text().as_str(), change.response), ("-8", Some(true)));
        }
    }

    #[test]
    fn each_instrument_has_a_line_of_its_own_and_what_is_no_score_has_none() {
        let scores = [
            score(PHQ, "2026-02-19T11:00:00-05:00", "8"),
            score("70274-6", "2026-02-19T11:00:00-05:00", "14"),
            score("8867-4", "2026-02-19T11:00:00-05:00", "70"),
        ];
        let found = lines(&scores, None);
        assert_eq!(found.iter().map(|line| line.instrument.as_str()).collect::<Vec<_>>(), ["gad-7", "phq-9"]);
    }
}
