//! What several records speak of: one patient by several identifiers, one course and one team in two systems' records.

use crate::test_app::{TestApp, fixture};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Stores a record; gives the receipt.
async fn put(app: &TestApp, record: &Value) -> Value {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).expect("text");
    let path = format!("/kap/v1/{}/{}", text("/kind"), text("/source/recordId"));
    let request = app.request(Method::PUT, &path).header("Content-Type", "application/json");
    let response = request.body(record.to_string()).send().await.expect("an answer");
    let status = response.status();
    let body: Value = response.json().await.expect("JSON");
    assert!(matches!(status, StatusCode::OK | StatusCode::CREATED), "{status}: {body}");
    body
}

/// The intake of case 08 as another system's record.
fn intake_of(system: &str, revision: u32) -> Value {
    let mut intake = fixture("case-08/01-intake.json");
    intake["source"]["system"] = json!(system);
    intake["source"]["revision"] = json!(revision);
    intake
}

fn labels(resource: &Value) -> Vec<&str> {
    let labels = resource["meta"]["security"].as_array().expect("labels");
    labels.iter().filter_map(|label| label["code"].as_str()).collect()
}

#[tokio::test]
async fn correction_leaves_alone_what_another_record_describes() {
    let app = TestApp::start();
    let first = put(&app, &intake_of("urn:kap:test:a", 1)).await;
    put(&app, &intake_of("urn:kap:test:b", 1)).await;
    let course = format!("/fhir/{}", first["course"].as_str().expect("a course"));
    assert_eq!(app.json(&course).await["status"], "active");
    let mut moved = intake_of("urn:kap:test:a", 2);
    moved["course"]["identifier"]["value"] = json!("another-course");
    put(&app, &moved).await;
    let current = app.json(&course).await;
    assert_eq!(current["status"], "active", "{current}");
    assert!(current["meta"]["source"].as_str().expect("a source").starts_with("urn:kap:test:b#"));
}

#[tokio::test]
async fn correction_retracts_what_only_the_record_described() {
    let app = TestApp::start();
    let first = put(&app, &intake_of("urn:kap:test:a", 1)).await;
    let mut moved = intake_of("urn:kap:test:a", 2);
    moved["course"]["identifier"]["value"] = json!("another-course");
    put(&app, &moved).await;
    let course = app.json(&format!("/fhir/{}", first["course"].as_str().expect("a course"))).await;
    assert_eq!(course["status"], "entered-in-error");
}

#[tokio::test]
async fn session_finds_the_patient_by_any_identifier_of_the_intake() {
    let app = TestApp::start();
    let mut intake = fixture("case-08/01-intake.json");
    intake["patient"]["identifiers"]
        .as_array_mut()
        .expect("identifiers")
        .push(json!({ "system": "urn:kap:test:other", "value": "MRN-7" }));
    let known = put(&app, &intake).await;
    let mut session = fixture("case-08/02-dosing-session-1.json");
    session["patient"]["identifier"] = json!({ "system": "urn:kap:test:other", "value": "MRN-7" });
    let receipt = put(&app, &session).await;
    assert_eq!(receipt["patient"], known["patient"]);
    let timeline = app.json("/kap/v1/courses/case08-course").await;
    assert_eq!(timeline["records"].as_array().expect("records").len(), 2);
    // The sender still gets the identifier that it sent.
    assert_eq!(app.json("/kap/v1/dosing-session/case08-dosing-1").await, session);
}

#[tokio::test]
async fn intake_that_comes_last_describes_the_patient_a_session_named() {
    let app = TestApp::start();
    let named = put(&app, &fixture("case-08/02-dosing-session-1.json")).await;
    let mut intake = fixture("case-08/01-intake.json");
    let identifiers = intake["patient"]["identifiers"].as_array_mut().expect("identifiers");
    identifiers.insert(0, json!({ "system": "urn:kap:test:other", "value": "MRN-7" }));
    let described = put(&app, &intake).await;
    assert_eq!(described["patient"], named["patient"]);
    let patient = app.json(&format!("/fhir/{}", named["patient"].as_str().expect("a patient"))).await;
    assert_eq!(patient["name"][0]["family"], "Testpatient");
}

#[tokio::test]
async fn course_of_another_patient_is_warned_of() {
    let app = TestApp::start();
    put(&app, &fixture("case-08/01-intake.json")).await;
    let mut session = fixture("case-08/02-dosing-session-1.json");
    session["patient"]["identifier"]["value"] = json!("somebody-else");
    let receipt = put(&app, &session).await;
    let warnings = receipt["warnings"].to_string();
    assert!(warnings.contains("/course/identifier"), "{receipt}");
}

#[tokio::test]
async fn label_of_one_record_is_not_taken_away_by_another() {
    let app = TestApp::start();
    let mut marked = intake_of("urn:kap:test:a", 1);
    marked["security"] = json!(["test-data", "employee-record"]);
    let receipt = put(&app, &marked).await;
    put(&app, &intake_of("urn:kap:test:b", 1)).await;
    for member in ["patient", "course"] {
        let resource = app.json(&format!("/fhir/{}", receipt[member].as_str().expect("text"))).await;
        assert!(labels(&resource).contains(&"EMP"), "{member}: {:?}", labels(&resource));
        assert!(labels(&resource).contains(&"R"), "{member}: {:?}", labels(&resource));
    }
}

#[tokio::test]
async fn course_is_found_by_an_identifier_with_a_slash_a_plus_and_a_percent_sign() {
    let app = TestApp::start();
    let mut session = fixture("case-08/02-dosing-session-1.json");
    session["course"]["identifier"]["value"] = json!("C/2+3%4");
    put(&app, &session).await;
    let timeline = app.json("/kap/v1/courses/C%2F2%2B3%254").await;
    assert_eq!(timeline["records"][0]["recordId"], "case08-dosing-1");
}
