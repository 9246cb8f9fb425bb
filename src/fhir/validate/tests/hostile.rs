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

/// That the time is linear is measured by `benches/validate.rs`.
#[test]
fn ten_thousand_entries_are_each_looked_at() {
    let entry = |n: usize| {
        json!({ "fullUrl": format!("http://example.org/fhir/Observation/o{n}"),
            "resource": with(observation(), json!({ "id": format!("o{n}") })) })
    };
    let mut entries: Vec<Value> = (0..10_000).map(entry).collect();
    let bundle = |entries: &[Value]| json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
    valid(&bundle(&entries));
    entries[9_999]["resource"]["status"] = json!("banana");
    error(&bundle(&entries), "binding-required", "Bundle.entry[9999].resource.ofType(Observation).status");
}
