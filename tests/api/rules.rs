//! The safety rules over HTTP: what is stored, answered, closed, and told as of an instant.

use crate::test_app::{TestApp, fixture, outcome};
use kap_gateway::config::Options;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What fires in a case, and which rules cannot be evaluated.
type Expected = (&'static [(&'static str, usize)], &'static [&'static str]);

/// §7 and §9 of the mapping specification, computed by hand. Information is left out.
fn expected(case: u8) -> Expected {
    match case {
        // Readings at +40 and +90 minutes in each of the six sessions; item 9 at baseline, answered with 0 at the end.
        1 => (&[("R-56 low", 6), ("R-60 moderate", 1)], &["R-54"]),
        // Prazosin in words alone: the interaction screen is incomplete. Neither PHQ-9 nor C-SSRS nor check-in.
        2 => (&[], &["R-20", "R-21", "R-22", "R-23", "R-24", "R-57", "R-60", "R-61", "R-62"]),
        // Eleven of twelve sessions dosed, none integrated, each with readings at 0, 40 and 120 minutes. Session 9: 112
        // minutes, and no pressure at 40; session 11 at home.
        3 => (
            &[("R-41 low", 11), ("R-42 high", 2), ("R-45 high", 1), ("R-56 low", 11), ("R-60 moderate", 1)],
            &["R-57", "R-61"],
        ),
        // Two doses at home: no saturation, 90 minutes from the last reading to the end, no integration. The pharmacy that
        // compounded the troches is no other source.
        4 => (
            &[("R-41 low", 2), ("R-56 low", 2), ("R-60 moderate", 1)],
            &["R-20", "R-21", "R-22", "R-23", "R-24", "R-53", "R-54", "R-57", "R-61"],
        ),
        // Sessions 3 and 4 are dosed per weight, five and seven weeks after the weight; session 3 is not integrated.
        5 => (
            &[("R-03 low", 2), ("R-41 low", 1)],
            &["R-14", "R-20", "R-21", "R-22", "R-23", "R-24", "R-54", "R-57", "R-61"],
        ),
        // A man of 67 with an aneurysm, 176/102 and phenelzine.
        6 => (
            &[("R-10 high", 1), ("R-11 high", 1), ("R-18 low", 1), ("R-22 moderate", 1), ("R-50 moderate", 1)],
            &["R-60"],
        ),
        // 196/112 after 132/84; 80 minutes from 10:50 to 12:10; lisdexamfetamine.
        7 => (
            &[("R-22 moderate", 1), ("R-41 low", 1), ("R-51 high", 1), ("R-52 moderate", 1), ("R-56 low", 1)],
            &["R-54", "R-60"],
        ),
        8 => (&[("R-20 moderate", 1)], &["R-57", "R-60", "R-61", "R-62"]),
        // One of 44 sessions integrated. The second clinic on 2026-03-27, between two doses of the first: two pairs. Bladder
        // and liver looked at in months 0 and 26 only; ALT 92 above three times 30. PHQ-9 as totals.
        9 => (
            &[("R-16 moderate", 1), ("R-17 moderate", 1), ("R-36 high", 2), ("R-41 low", 43), ("R-70 low", 2)],
            &["R-54", "R-57", "R-60"],
        ),
        // The cancer and the dysphagia are words alone. Session 3 is not integrated.
        _ => (
            &[("R-20 moderate", 1), ("R-41 low", 1), ("R-60 moderate", 1), ("R-62 high", 1)],
            &["R-10", "R-11", "R-12", "R-15", "R-16", "R-17", "R-54", "R-57"],
        ),
    }
}

fn records(case: &str) -> Vec<Value> {
    let folder = format!("{}/fixtures/{case}", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a case")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(|first: char| first.is_ascii_digit()) && name.ends_with(".json"))
        .collect();
    names.sort();
    names.iter().map(|name| fixture(&format!("{case}/{name}"))).collect()
}

async fn put(app: &TestApp, record: &Value) -> Value {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).expect("text");
    let path = format!("/kap/v1/{}/{}", text("/kind"), text("/source/recordId"));
    let request = app.request(Method::PUT, &path).header("Content-Type", "application/json");
    let response = request.body(record.to_string()).send().await.expect("an answer");
    let status = response.status();
    let body = response.text().await.expect("a body");
    assert!(status.is_success(), "{path}: {status} {body}");
    serde_json::from_str(&body).expect("JSON")
}

async fn load(case: &str) -> TestApp {
    let app = TestApp::start();
    for record in records(case) {
        put(&app, &record).await;
    }
    app
}

/// Rule and severity, with how many findings fire, information left out.
fn firing(report: &Value) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for rule in report["rules"].as_array().expect("rules") {
        for finding in rule["findings"].as_array().into_iter().flatten() {
            if finding["state"] == "fires" && finding["severity"] != "information" {
                let name = format!(
                    "{} {}",
                    rule["rule"].as_str().expect("a value"),
                    finding["severity"].as_str().expect("a value")
                );
                *found.entry(name).or_default() += 1;
            }
        }
    }
    found
}

fn lacking(report: &Value) -> Vec<String> {
    let rules = report["rules"].as_array().expect("rules").iter();
    rules
        .filter(|rule| rule["state"] == "cannot-evaluate")
        .map(|rule| rule["rule"].as_str().expect("a value").to_owned())
        .collect()
}

#[tokio::test]
async fn the_cases_fire_as_expected_and_no_more() {
    for case in 1..=10 {
        let app = load(&format!("case-{case:02}")).await;
        let report = app.json(&format!("/kap/v1/courses/case{case:02}-course/rules")).await;
        let (fires, lacks) = expected(case);
        let fires: BTreeMap<String, usize> = fires.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        assert_eq!(firing(&report), fires, "case {case}");
        assert_eq!(lacking(&report), lacks, "case {case}");
    }
}

/// A rectal dose has no psychiatric range, and that is all there is to say of it (case 10).
#[tokio::test]
async fn a_rectal_dose_is_remarked_on_as_information() {
    let app = load("case-10").await;
    let report = app.json("/kap/v1/courses/case10-course/rules").await;
    let rule = report["rules"].as_array().expect("rules").iter().find(|rule| rule["rule"] == "R-30").expect("R-30");
    let told: Vec<&Value> = rule["findings"].as_array().expect("findings").iter().map(|one| &one["severity"]).collect();
    assert_eq!(told, ["information"]);
}

#[tokio::test]
async fn findings_are_stored_with_the_record_and_closed_by_a_later_one() {
    let app = TestApp::start();
    let all = records("case-01");
    put(&app, &all[0]).await;
    let receipt = put(&app, &all[1]).await;
    let remark = receipt["rules"].as_array().expect("a value").iter().find(|one| one["rule"] == "R-60").expect("R-60");
    assert_eq!((&remark["state"], &remark["severity"]), (&json!("fires"), &json!("moderate")));
    let stored: Vec<&str> =
        remark["stored"].as_array().expect("a value").iter().map(|one| one.as_str().expect("a value")).collect();
    let of = |name: &str| stored.iter().find(|one| one.starts_with(name)).expect("stored").to_string();
    let flag = app.json(&format!("/fhir/{}", of("Flag/"))).await;
    assert_eq!((&flag["status"], &flag["period"]["start"]), (&json!("active"), &json!("2026-01-28T15:00:00-05:00")));
    let issue = app.json(&format!("/fhir/{}", of("DetectedIssue/"))).await;
    assert_eq!((&issue["status"], &issue["severity"]), (&json!("final"), &json!("moderate")));
    assert_eq!(issue["code"]["coding"][1]["code"], "R-60");
    assert!(issue["detail"].as_str().expect("a value").contains("it decides nothing"));
    let labels: Vec<&str> = issue["meta"]["security"]
        .as_array()
        .expect("a value")
        .iter()
        .map(|one| one["code"].as_str().expect("a value"))
        .collect();
    assert!(labels.contains(&"R") && labels.contains(&"MH") && labels.contains(&"HTEST"), "{labels:?}");
    let course = app.json("/kap/v1/courses/case01-course").await;
    assert_eq!(course["issues"].as_array().expect("a value").len(), 2, "a Flag and a DetectedIssue stand");
    // The same record again changes nothing, and says the same.
    let again = put(&app, &all[1]).await;
    assert_eq!(again["outcome"], "unchanged");
    assert!(again["rules"].as_array().expect("a value").iter().any(|one| one["rule"] == "R-60"));
    assert_eq!(app.json(&format!("/fhir/{}", of("Flag/"))).await["meta"]["versionId"], "1");
    for record in &all[2..] {
        put(&app, record).await;
    }
    let flag = app.json(&format!("/fhir/{}", of("Flag/"))).await;
    assert_eq!((&flag["status"], &flag["period"]["end"]), (&json!("inactive"), &json!("2026-02-23T10:00:00-05:00")));
    let issue = app.json(&format!("/fhir/{}", of("DetectedIssue/"))).await;
    assert_eq!(issue["status"], "cancelled");
    assert_eq!(issue["mitigation"][0]["date"], "2026-02-23T10:00:00-05:00");
    let history = app.json(&format!("/fhir/{}/_history", of("DetectedIssue/"))).await;
    assert_eq!(history["entry"].as_array().expect("a value").len(), 2, "closed, not deleted");
}

#[tokio::test]
async fn a_correction_closes_what_it_takes_the_ground_from() {
    let app = TestApp::start();
    let all = records("case-08");
    put(&app, &all[0]).await;
    let report = app.json("/kap/v1/courses/case08-course/rules").await;
    assert_eq!(firing(&report).into_keys().collect::<Vec<_>>(), ["R-20 moderate"]);
    let mut corrected = all[0].clone();
    corrected["source"]["revision"] = json!(2);
    corrected["medications"] = json!([{ "id": "sertraline", "status": "active",
        "medicine": { "text": "sertraline", "codes": [{ "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "36437" }] } }]);
    let receipt = put(&app, &corrected).await;
    let closed =
        receipt["rules"].as_array().expect("a value").iter().find(|one| one["state"] == "closed").expect("closed");
    assert_eq!(closed["rule"], "R-20");
    let issue = app.json(&format!("/fhir/{}", closed["stored"][0].as_str().expect("a value"))).await;
    assert_eq!(issue["status"], "entered-in-error", "the medicine was never taken");
}

#[tokio::test]
async fn one_fact_removed_cannot_be_evaluated_and_says_what_is_missing() {
    let all = records("case-01");
    for (pointer, rule, missing) in [
        ("/discharge", "R-56", ""),
        ("/vitals/0/bloodPressure", "R-50", "a blood pressure before the dose"),
        ("/doses/0/performers", "R-06", "the performer of the administration"),
    ] {
        let app = TestApp::start();
        put(&app, &all[0]).await;
        let mut record = all[2].clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a value");
        let removed = record.pointer_mut(parent).and_then(Value::as_object_mut).expect("a value").remove(name);
        assert!(removed.is_some(), "{pointer}");
        let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).expect("a value").to_owned();
        let path = format!("/kap/v1/{}/{}", text("/kind"), text("/source/recordId"));
        let request = app.request(Method::PUT, &path).header("Content-Type", "application/json");
        let response = request.body(record.to_string()).send().await.expect("an answer");
        // What the contract demands is refused before any rule looks at it.
        if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
            continue;
        }
        let receipt: Value = response.json().await.expect("JSON");
        let remark = receipt["rules"].as_array().expect("a value").iter().find(|one| one["rule"] == rule);
        let remark = remark.unwrap_or_else(|| panic!("{rule} says nothing without {pointer}: {}", receipt["rules"]));
        if !missing.is_empty() {
            assert_eq!((&remark["state"], &remark["missing"]), (&json!("cannot-evaluate"), &json!([missing])));
        }
    }
}

#[tokio::test]
async fn what_time_brings_about_is_told_when_it_is_due() {
    let app = TestApp::start();
    let all = records("case-01");
    put(&app, &all[0]).await;
    let receipt = put(&app, &all[2]).await;
    assert!(!receipt["rules"].as_array().expect("a value").iter().any(|one| one["rule"] == "R-41"), "not at a write");
    let as_of = |instant: &str| format!("/kap/v1/courses/case01-course/rules?asOf={instant}");
    let state = |report: &Value| {
        report["rules"].as_array().expect("a value").iter().find(|one| one["rule"] == "R-41").expect("a value")["state"]
            .clone()
    };
    assert_eq!(state(&app.json(&as_of("2026-02-16T15:00:00Z")).await), "holds");
    assert_eq!(state(&app.json(&as_of("2026-02-16T15:00:01Z")).await), "fires");
    assert_eq!(state(&app.json(&as_of("2026-02-01T00:00:00Z")).await), "not-applicable", "before the dose");
    for wrong in ["soon", "2026-02-16", "2026-02-16T15:00:00", ""] {
        let refused = outcome(app.get(&as_of(wrong)).await, StatusCode::BAD_REQUEST).await;
        assert!(refused["issue"][0]["details"]["text"].as_str().expect("a value").contains("instant"), "{refused}");
    }
    outcome(app.get("/kap/v1/courses/none/rules").await, StatusCode::NOT_FOUND).await;
    // On the schedule it is stored, and the integration session closes it.
    let changed = app.running.gateway.judge_all(kap_gateway::ingest::Occasion::Scheduled).await.expect("judged");
    assert_eq!(changed, (1, 1));
    let stands = |course: Value| {
        course["issues"].as_array().expect("a value").iter().filter(|one| one["rule"] == "R-41").count()
    };
    assert_eq!(stands(app.json("/kap/v1/courses/case01-course").await), 1);
    put(&app, &all[3]).await;
    assert_eq!(stands(app.json("/kap/v1/courses/case01-course").await), 0);
}

#[tokio::test]
async fn trying_out_tells_the_rules_and_stores_nothing() {
    let app = TestApp::start();
    let request = app.request(Method::POST, "/kap/v1/dosing-session/$map").header("Content-Type", "application/json");
    let request = request.header("Prefer", "return=OperationOutcome");
    let response = request.body(records("case-01")[2].to_string()).send().await.expect("an answer");
    let told = outcome(response, StatusCode::OK).await;
    let rule = |name: &str| {
        let is_it = |issue: &&Value| issue["details"]["coding"][0]["code"] == name;
        told["issue"].as_array().expect("a value").iter().find(is_it).cloned()
    };
    let consent = rule("R-01").expect("no consent is stored");
    assert_eq!((&consent["severity"], &consent["code"]), (&json!("warning"), &json!("business-rule")));
    assert_eq!(rule("R-54").expect("no sedation score")["severity"], "information");
    outcome(app.get("/kap/v1/courses/case01-course/rules").await, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn a_clinic_s_figures_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rules.toml");
    std::fs::write(&file, "[rules.R-56]\nlimits.minutes.value = 60\n[rules.R-60]\nenabled = false\n").expect("written");
    let app = TestApp::start_with(Options { safety_rules: Some(file), ..Options::default() });
    for record in records("case-01") {
        put(&app, &record).await;
    }
    let report = app.json("/kap/v1/courses/case01-course/rules").await;
    assert!(firing(&report).is_empty(), "{:?}", firing(&report));
    assert_eq!(
        report["rules"].as_array().expect("a value").iter().find(|one| one["rule"] == "R-60").expect("a value")["state"],
        "disabled"
    );
}

/// What another system's client writes to `/fhir` counts like a record, and its deletion too.
#[tokio::test]
async fn resource_of_another_system_fires_a_rule_until_it_is_deleted() {
    let app = load("case-01").await;
    let patient = app.get("/fhir/EpisodeOfCare").await.json::<Value>().await.expect("JSON");
    let patient = patient["entry"][0]["resource"]["patient"]["reference"].as_str().expect("a patient").to_owned();
    let issues = || async {
        let found = app.get(&format!("/fhir/DetectedIssue?patient={patient}&_count=100")).await;
        let found: Value = found.json().await.expect("JSON");
        let entries = found["entry"].as_array().cloned().unwrap_or_default();
        let of_r_10 = entries
            .into_iter()
            .map(|entry| entry["resource"].clone())
            .filter(|issue| issue.to_string().contains("R-10"));
        of_r_10.map(|issue| issue["status"].as_str().expect("a status").to_owned()).collect::<Vec<_>>()
    };
    assert!(issues().await.is_empty());
    let condition = json!({ "resourceType": "Condition", "subject": { "reference": patient },
        "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active" }] },
        "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "233985008" }] } });
    let request = app.request(Method::POST, "/fhir/Condition").header("Content-Type", "application/fhir+json");
    let created = request.body(condition.to_string()).send().await.expect("an answer");
    assert_eq!(created.status(), StatusCode::CREATED, "{}", created.text().await.unwrap_or_default());
    assert_eq!(issues().await.iter().filter(|status| *status != "cancelled").count(), 1);
    let location = created.headers()["location"].to_str().expect("text").to_owned();
    let path =
        location.split_once("/fhir/").map(|(_, rest)| rest.split("/_history").next().unwrap_or(rest)).expect("a path");
    let deleted = app.request(Method::DELETE, &format!("/fhir/{path}")).send().await.expect("an answer");
    assert!(deleted.status().is_success());
    let statuses = issues().await;
    assert!(!statuses.is_empty() && statuses.iter().all(|status| status != "final"), "{statuses:?}");
}
