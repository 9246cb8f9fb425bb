//! Instruments over HTTP: what the gateway shows of them, and a clinic's own.

use crate::test_app::{TestApp, fixture, header, outcome};
use kap_gateway::config::Options;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

const SLEEP: &str = r#"
key = "sleep-diary"
title = "Sleep diary of the clinic"
canonical = "https://clinic.example.org/fhir"
source = "The clinic's own"

[licence]
items = "allowed"
terms = "The clinic's own."
verified = "yes"

[items]
numbered = 4
points = [0, 3]
verified = "yes"

[[scores]]
key = "sleep-diary"
name = "Sleep diary"
code = { code = "sleep-diary", display = "Sleep diary total", verified = "yes" }
better = "higher"
range = { least = 0, most = 12, verified = "yes" }
scoring = { rule = "sum", verified = "yes" }
response = { percent = 50, verified = "yes" }

[scores.bands]
verified = "yes"
list = [{ band = "poor", from = 0, to = 5 }, { band = "fair", from = 6, to = 12 }]
"#;

fn folder(text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("sleep-diary.toml"), text).expect("written");
    folder
}

/// The baseline outcome of case 01 with other results.
fn outcome_record(results: Value) -> Value {
    let mut record = fixture("case-01/02-outcome-baseline.json");
    record["results"] = results;
    record
}

async fn send(app: &TestApp, record: &Value) -> Response {
    let request = app.request(Method::POST, "/kap/v1/outcome").header("Content-Type", "application/json");
    request.body(record.to_string()).send().await.expect("an answer")
}

#[tokio::test]
async fn every_listed_instrument_is_shown_by_its_key_and_by_those_of_its_scales() {
    let app = TestApp::start();
    let list = app.json("/kap/v1/instruments").await;
    let all = list["instruments"].as_array().expect("a list");
    assert_eq!(all.len(), 43);
    for instrument in all {
        assert_eq!(instrument["builtIn"], true);
        let key = instrument["key"].as_str().expect("a key");
        let shown = app.json(&format!("/kap/v1/instruments/{key}")).await;
        assert_eq!(shown["key"], key);
        for scale in instrument["scales"].as_array().expect("scales") {
            let by_scale = app.json(&format!("/kap/v1/instruments/{}", scale["key"].as_str().expect("a key"))).await;
            assert_eq!(by_scale, shown);
        }
    }
    let phq = app.json("/kap/v1/instruments/phq-9").await;
    assert_eq!(phq["scales"][0]["remission"], json!({ "below": 5, "verified": "yes", "judged": true }));
    let madrs = app.json("/kap/v1/instruments/madrs").await;
    assert_eq!(madrs["scales"][0]["remission"]["judged"], false);
    assert!(!phq.to_string().contains("little interest"), "no wording of a question");
}

#[tokio::test]
async fn an_instrument_that_is_not_known_is_not_found_and_no_parameter_is_ignored() {
    let app = TestApp::start();
    for key in ["phq-10", "PHQ-9", "%2e%2e", "a%2Fb", "\u{fc}"] {
        outcome(app.get(&format!("/kap/v1/instruments/{key}")).await, StatusCode::NOT_FOUND).await;
    }
    outcome(app.get("/kap/v1/instruments?key=x").await, StatusCode::BAD_REQUEST).await;
    outcome(app.get("/kap/v1/instruments/phq-9?full=1").await, StatusCode::BAD_REQUEST).await;
    outcome(app.get("/kap/v1/instruments/%ff").await, StatusCode::BAD_REQUEST).await;
    let xml = app.request(Method::GET, "/kap/v1/instruments").header("Accept", "application/fhir+xml");
    let refused = xml.send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::NOT_ACCEPTABLE);
    assert_eq!(
        header(&refused, "content-type"),
        "application/fhir+xml; charset=utf-8",
        "the error is in the form asked for"
    );
}

#[tokio::test]
async fn a_record_with_an_unknown_instrument_is_told_those_that_are_known() {
    let app = TestApp::start();
    let record = outcome_record(json!([{ "instrument": "sleep-diary", "score": 4 }]));
    let body = outcome(send(&app, &record).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    let issue = &body["issue"][0];
    assert_eq!(issue["diagnostics"], "/results/0/instrument");
    assert_eq!(issue["code"], "code-invalid");
    let text = issue["details"]["text"].as_str().expect("text");
    assert!(text.contains("`phq-9`") && text.contains("`meq30-mystical`") && !text.contains("sleep"), "{text}");
}

#[tokio::test]
async fn a_clinics_instrument_is_scored_stored_shown_and_given_back() {
    let folder = folder(SLEEP);
    let app = TestApp::start_with(Options { instruments: Some(folder.path().to_owned()), ..Options::default() });
    assert_eq!(app.json("/kap/v1/instruments").await["instruments"].as_array().expect("a list").len(), 44);
    assert_eq!(app.json("/kap/v1/instruments/sleep-diary").await["builtIn"], false);
    let items = |points: [u8; 4]| -> Vec<Value> {
        points.iter().zip(1..).map(|(points, item)| json!({ "item": item.to_string(), "answer": points })).collect()
    };
    let result =
        json!({ "id": "s", "instrument": "sleep-diary", "items": items([2, 2, 1, 1]), "baseline": { "score": 4 } });
    let mut record = outcome_record(json!([result]));
    assert_eq!(send(&app, &record).await.status(), StatusCode::CREATED);
    let bundle =
        app.json("/fhir/Observation?code=https://clinic.example.org/fhir/CodeSystem/kap-score|sleep-diary").await;
    let score = &bundle["entry"][0]["resource"];
    assert_eq!(score["valueQuantity"]["value"], 6);
    let band = &score["interpretation"][0]["coding"][0];
    assert_eq!(band["system"], "https://clinic.example.org/fhir/CodeSystem/kap-band");
    assert_eq!(band["code"], "sleep-diary-fair");
    let answers = app.json("/fhir/QuestionnaireResponse").await;
    let answers = &answers["entry"][0]["resource"];
    assert_eq!(answers["questionnaire"], "https://clinic.example.org/fhir/Questionnaire/sleep-diary");
    assert_eq!(answers["item"][0]["linkId"], "sleep-diary-1");
    let path = format!("/kap/v1/outcome/{}", record["source"]["recordId"].as_str().expect("an id"));
    assert_eq!(app.json(&path).await, record);
    // 4 to 6 is half as much again, and higher is better.
    let changes = app.json("/fhir/Observation?code=score-change").await;
    let parts = changes["entry"][0]["resource"]["component"].to_string();
    assert!(parts.contains("\"50.00\"") || parts.contains("50.00"), "{parts}");
    assert!(parts.contains("improved") && parts.contains("\"valueBoolean\":true"), "{parts}");
    record["results"][0]["score"] = json!(7);
    let body = outcome(send(&app, &record).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    let text = body["issue"][0]["details"]["text"].as_str().expect("text");
    assert_eq!(text, "The items make 6, the score says 7.");
}

#[tokio::test]
async fn the_tiering_of_a_screen_is_a_parameter_and_the_method_names_it() {
    let yes = |item: &str, yes: bool| json!({ "item": item, "answer": u8::from(yes) });
    let items = json!([
        yes("1", true),
        yes("2", true),
        yes("3", false),
        yes("4", true),
        yes("5", false),
        yes("6-lifetime", false),
        yes("6-3-months", false)
    ]);
    let record = outcome_record(json!([{ "id": "c", "instrument": "c-ssrs-screener", "items": items }]));
    let other = Options { tierings: Some(vec!["c-ssrs-screener=spier".to_owned()]), ..Options::default() };
    for (options, code, method) in [
        (Options::default(), "suicide-risk-high", "Columbia tiering (not verified in a source)"),
        (other, "suicide-risk-moderate", "SPiER tiering"),
    ] {
        let app = TestApp::start_with(options);
        assert_eq!(send(&app, &record).await.status(), StatusCode::CREATED);
        let found = app.json("/fhir/Observation?code=93374-7").await;
        let tier = &found["entry"][0]["resource"];
        assert_eq!(tier["valueCodeableConcept"]["coding"][0]["code"], code);
        assert_eq!(tier["method"]["text"], method);
        let path = format!("/kap/v1/outcome/{}", record["source"]["recordId"].as_str().expect("an id"));
        assert_eq!(app.json(&path).await, record, "what was computed is not the sender's");
    }
}
