//! The outcome as a whole: scored instruments at one time, and what long-term monitoring finds. Mapping specification
//! §2.9, §2.10.

use super::condition::{self, ConditionList};
use super::draft::Draft;
use super::observation_score::{self, ScoreContext};
use super::observation_vitals::{self, Belongs};
use super::provenance::HeaderValues;
use super::reading::{Reading, RebuildError};
use super::{medication_statement, observation_assessment, observation_lab};
use crate::kap::kind::Kind;
use crate::kap::records::outcome::Outcome;
use crate::kap::records::shared::{Course, PatientReference};

pub fn map(draft: &mut Draft<'_>, record: &Outcome) {
    draft.name_patient_and_course();
    let scores = observation_score::scores(draft, &record.results, &record.at, "/results", ScoreContext::Alone);
    observation_assessment::assessment(draft, &record.at, record.phase, scores);
    observation_vitals::vitals(draft, &record.vitals, &Belongs::default());
    observation_lab::labs(draft, &record.labs);
    condition::conditions(draft, &record.conditions, ConditionList::History);
    medication_statement::medications(draft, &record.medications);
}

pub fn read(reading: &Reading<'_>, header: HeaderValues) -> Result<Outcome, RebuildError> {
    let (at, phase) = observation_assessment::read(reading)?;
    Ok(Outcome {
        kind: Kind::Outcome.as_str().to_owned(),
        source: header.source,
        recorded_at: header.recorded_at,
        author: header.author,
        patient: PatientReference { identifier: header.patient },
        course: Course { identifier: header.course },
        security: header.security,
        at,
        phase,
        results: observation_score::read_scores(reading)?,
        vitals: observation_vitals::read(reading)?,
        labs: observation_lab::read_labs(reading)?,
        conditions: condition::read(reading, ConditionList::History)?,
        medications: medication_statement::read(reading)?,
    })
}

#[cfg(test)]
mod tests {
    use crate::kap::instruments::Registry;
    use crate::kap::json;
    use crate::kap::kind::Kind;
    use crate::mapping::round_trip;
    use serde_json::{Value, json};

    const HEADER: &str = r#""kind": "outcome", "source": {"system": "urn:kap:test", "recordId": "o-1", "revision": 1},
        "recordedAt": "2026-02-19T12:00:00-05:00",
        "author": {"identifier": {"system": "urn:kap:test", "value": "therapist"}, "name": "Test Therapist"},
        "patient": {"identifier": {"system": "urn:kap:test", "value": "patient"}},
        "course": {"identifier": {"system": "urn:kap:test", "value": "course"}},
        "security": ["test-data"], "at": "2026-02-19T11:00:00-05:00""#;

    fn record(rest: &str) -> Value {
        json::read_strict(format!("{{{HEADER}, {rest}}}").as_bytes()).unwrap()
    }

    fn there_and_back(record: &Value) -> Vec<Value> {
        round_trip::there_and_back(Kind::Outcome, record)
    }

    /// The resources of one result, by the slot behind `results/x/`, with the id `x`.
    fn result(rest: &str) -> impl Fn(&str) -> Value + use<> {
        let resources = there_and_back(&record(&format!(r#""results": [{{"id": "x", {rest}}}]"#)));
        move |slot| {
            let ends = format!("o-1/results/x{slot}");
            let found = |resource: &&Value| resource["meta"]["source"].as_str().is_some_and(|it| it.ends_with(&ends));
            resources.iter().find(found).cloned().unwrap_or_default()
        }
    }

    fn items(points: &[i64]) -> String {
        let items: Vec<_> = points
            .iter()
            .enumerate()
            .map(|(place, points)| format!(r#"{{"item": "{}", "answer": {points}}}"#, place + 1))
            .collect();
        items.join(",")
    }

    #[test]
    fn a_score_of_every_instrument_comes_back() {
        let scales = Registry::built_in().scales();
        let results: Vec<_> =
            scales.iter().map(|scale| format!(r#"{{"instrument": "{}", "score": 3}}"#, scale.key)).collect();
        let resources = there_and_back(&record(&format!(r#""results": [{}]"#, results.join(","))));
        let scores = resources
            .iter()
            .filter(|it| it["extension"][0]["url"].as_str().is_some_and(|url| url.ends_with("kap-total-only")));
        assert_eq!(scores.count(), scales.len());
    }

    #[test]
    fn everything_that_a_result_can_say_comes_back() {
        there_and_back(&record(
            r#""phase": "end-of-course", "results": [
            {"id": "a", "instrument": "madrs", "at": "2026-02-19T11:00:00-05:00",
             "timepoint": {"phase": "post-discharge", "minutes": -7}, "score": 9.50, "method": "raw",
             "answeredBy": "clinician", "performer": {"identifier": {"system": "urn:kap:test", "value": "nurse"}},
             "baseline": {"score": 34.0, "record": {"recordId": "o-0"}}},
            {"instrument": "madrs", "score": 9, "answeredBy": "patient",
             "performer": {"identifier": {"system": "urn:kap:test", "value": "nurse"}, "name": "Test Nurse"},
             "baseline": {"score": 34, "record": {"system": "urn:kap:test", "recordId": "o-0"}}},
            {"instrument": "madrs", "score": 9, "answeredBy": "clinician", "baseline": {"score": 0}},
            {"instrument": "c-ssrs-screener", "riskLevel": "low", "score": 1, "method": "Columbia",
             "items": [{"item": "1", "answer": 1}, {"item": "2", "answer": 0}, {"item": "6-3-months", "answer": 0}]},
            {"instrument": "c-ssrs-screener", "items": [{"item": "6-lifetime", "answer": 1}]},
            {"instrument": "pcl-5", "items": [{"item": "20", "answer": 4}]},
            {"instrument": "rass", "score": -2}, {"instrument": "moaa-s", "score": 3.0},
            {"instrument": "audit-c", "items": [{"item": "3", "answer": 4}, {"item": "1", "answer": 0}], "score": 5}]"#,
        ));
    }

    #[test]
    fn phq_9_items_are_answered_with_their_points_and_summed() {
        // 1 + 0 + 1 + 1 + 0 + 0 + 1 + 0 + 0 = 4; the difficulty does not count.
        let items = items(&[1, 0, 1, 1, 0, 0, 1, 0, 0]);
        let result = result(&format!(
            r#""instrument": "phq-9", "items": [{items}, {{"item": "difficulty", "answer": 2}}], "baseline": {{"score": 21}}"#
        ));
        let answers = result("/answers");
        assert_eq!(answers["status"], "completed");
        assert_eq!(answers["questionnaire"], "https://kap-gateway.example.org/fhir/Questionnaire/phq-9");
        assert_eq!(answers["item"][0]["linkId"], "/44250-9");
        let first = &answers["item"][0]["answer"][0]["valueCoding"];
        assert_eq!((&first["code"], &first["extension"][0]["valueDecimal"]), (&json!("LA6569-3"), &json!(1)));
        assert_eq!(answers["item"][10], json!({"linkId": "/44261-6", "answer": [{"valueDecimal": 4}]}));
        let score = result("");
        assert_eq!(score["valueQuantity"]["value"], json!(4));
        assert_eq!(score["valueQuantity"]["code"], "{score}");
        assert_eq!(
            score["derivedFrom"][0]["reference"],
            json!(format!("QuestionnaireResponse/{}", answers["id"].as_str().unwrap()))
        );
        let change = result("/change");
        let parts: Vec<_> = change["component"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["code"]["coding"][0]["code"].as_str().unwrap())
            .collect();
        assert_eq!(
            parts,
            ["baseline", "current", "points", "percent", "direction", "response", "remission", "meaningful-change"]
        );
        assert_eq!(change["component"][2]["valueQuantity"]["value"].to_string(), "-17");
        assert_eq!(change["component"][3]["valueQuantity"]["value"].to_string(), "-80.95");
        assert_eq!(change["component"][5]["valueBoolean"], true);
        assert_eq!(change["component"][6]["valueBoolean"], true);
    }

    #[test]
    fn with_an_item_missing_no_total_is_computed() {
        let items = items(&[3, 3, 3, 3, 3, 3, 3, 3]);
        let result = result(&format!(r#""instrument": "phq-9", "items": [{items}], "baseline": {{"score": 21}}"#));
        let answers = result("/answers");
        assert_eq!(answers["status"], "in-progress");
        assert_eq!(answers["item"].as_array().unwrap().len(), 8);
        let score = result("");
        assert_eq!((&score["status"], &score["valueQuantity"]), (&json!("preliminary"), &Value::Null));
        assert_eq!(score["dataAbsentReason"]["coding"][0]["code"], "unknown");
        assert_eq!(result("/change")["component"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_total_beside_a_missing_item_stands_for_itself() {
        let items = items(&[3, 3, 3, 3, 3, 3, 3, 3]);
        let result = result(&format!(r#""instrument": "phq-9", "items": [{items}], "score": 25"#));
        assert_eq!(result("/answers")["status"], "in-progress");
        let score = result("");
        assert_eq!(score["valueQuantity"]["value"], json!(25));
        assert_eq!(score["extension"][0]["valueBoolean"], true);
        assert_eq!(score["derivedFrom"], Value::Null);
    }

    #[test]
    fn meq_30_is_told_in_percent_of_its_maximum() {
        let score = result(r#""instrument": "meq30-mystical", "score": 52"#)("");
        assert_eq!(score["valueQuantity"]["value"], json!(52));
        assert_eq!(score["component"][0]["code"]["coding"][0]["code"], "percent-of-maximum");
        // 52 / 75 = 0.69333...
        assert_eq!(score["component"][0]["valueQuantity"]["value"].to_string(), "69.33");
    }

    #[test]
    fn a_score_in_other_points_is_neither_summed_nor_held_against_thresholds() {
        let items = items(&[1, 0, 1, 1, 0, 0, 1, 0, 0]);
        let t_score = result(&format!(
            r#""instrument": "phq-9", "method": "T-score", "items": [{items}], "baseline": {{"score": 70}}"#
        ));
        assert_eq!(t_score("")["valueQuantity"], Value::Null);
        let t_score = result(r#""instrument": "phq-9", "method": "T-score", "score": 35, "baseline": {"score": 70}"#);
        let change = t_score("/change")["component"].to_string();
        assert!(change.contains("-50.00") && !change.contains("response") && !change.contains("remission"), "{change}");
        let percent = result(r#""instrument": "meq30-positive", "method": "percent", "score": 70"#)("");
        assert_eq!(percent["component"], Value::Null);
    }

    #[test]
    fn more_items_than_the_scale_has_are_not_summed() {
        let items = items(&[1, 1, 1, 1, 1, 1, 1]);
        let score = result(&format!(r#""instrument": "cadss-6", "items": [{items}]"#))("");
        assert_eq!(score["valueQuantity"], Value::Null);
    }

    #[test]
    fn alcohol_and_drug_screens_carry_the_substance_use_label() {
        let score = result(r#""instrument": "audit", "score": 6"#)("");
        let labels = score["meta"]["security"].to_string();
        assert!(labels.contains("\"SUD\"") && labels.contains("\"HTEST\""), "{labels}");
    }

    #[test]
    fn the_same_record_makes_the_same_resources() {
        let record = record(r#""results": [{"instrument": "phq-9", "score": 4}, {"instrument": "phq-9", "score": 4}]"#);
        assert_eq!(there_and_back(&record), there_and_back(&record));
    }
}
