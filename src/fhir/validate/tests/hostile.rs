//! The fhir room: what is meant to hurt ends soon, with a clear issue.

use super::*;
use std::time::{Duration, Instant};

/// The tests run without optimization on a shared machine: this catches what is not linear, no more.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn nesting_ends_at_the_limit() {
    let mut item = json!({ "linkId": "1", "text": "x", "type": "group" });
    for _ in 0..2_000 {
        let mut outer = json!({ "linkId": "1", "text": "x", "type": "group" });
        outer["item"] = Value::Array(vec![item]);
        item = outer;
    }
    let mut questionnaire = json!({ "resourceType": "Questionnaire", "status": "draft" });
    questionnaire["item"] = Value::Array(vec![item]);
    let report = report(&questionnaire);
    assert!(report.issues.iter().any(|issue| issue.rule == "depth-limit"), "{:?}", report.issues.first());
    // Taking it apart recursively is not the validator's to bound.
    std::mem::forget(questionnaire);
}

#[test]
fn a_million_faults_are_counted_and_not_listed() {
    let start = Instant::now();
    let given: Vec<Value> = vec![json!(""); 1_000_000];
    let report = report(&with(patient(), json!({ "name": [{ "given": given }] })));
    assert_eq!(report.issues.len(), Options::default().max_issues + 1);
    let last = report.issues.last().unwrap();
    assert_eq!(last.rule, "issue-limit");
    assert!(last.text.contains("999000 more"), "{}", last.text);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn time_is_linear_in_the_entries() {
    let entry = |n: usize| {
        json!({ "fullUrl": format!("http://example.org/fhir/Observation/o{n}"),
            "resource": with(observation(), json!({ "id": format!("o{n}") })) })
    };
    let time = |count: usize| {
        let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": (0..count).map(entry).collect::<Vec<_>>() });
        // The best of five: others work on the machine too.
        let once = || {
            let start = Instant::now();
            assert!(report(&bundle).is_valid());
            start.elapsed()
        };
        (0..5).map(|_| once()).min().unwrap()
    };
    time(10);
    let (small, large) = (time(1_000), time(8_000));
    assert!(large < small * 8 * 5, "{small:?} for 1000, {large:?} for 8000");
}
