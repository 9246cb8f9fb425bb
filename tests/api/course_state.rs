//! The state of a course and of its plan over HTTP: intake and closures in any order say the same in the end.

use crate::test_app::{TestApp, fixture};
use reqwest::StatusCode;
use serde_json::{Value, json};

fn intake() -> Value {
    fixture("case-09/01-intake.json")
}

fn pause() -> Value {
    fixture("case-09/11-course-closure-pause.json")
}

fn end() -> Value {
    fixture("case-09/13-course-closure-end.json")
}

fn corrected(mut record: Value, revision: u32) -> Value {
    record["source"]["revision"] = json!(revision);
    record
}

fn path(record: &Value) -> String {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).expect("text");
    format!("/kap/v1/{}/{}", text("/kind"), text("/source/recordId"))
}

async fn put(app: &TestApp, record: &Value) -> Value {
    let request = app.request(reqwest::Method::PUT, &path(record)).header("Content-Type", "application/json");
    let response = request.body(record.to_string()).send().await.expect("an answer");
    let status = response.status();
    let answer = response.json().await.expect("JSON");
    assert!(status == StatusCode::CREATED || status == StatusCode::OK, "{status}: {answer}");
    answer
}

/// The course and the plan, as they are read.
async fn states(app: &TestApp) -> (Value, Value) {
    let found = app.json("/fhir/EpisodeOfCare?identifier=urn:kap:test%7Ccase09-course").await;
    assert_eq!(found["entry"].as_array().map(Vec::len), Some(1), "{found}");
    let course = found["entry"][0]["resource"].clone();
    let found = app
        .json(&format!("/fhir/CarePlan?patient={}", course["patient"]["reference"].as_str().expect("a value")))
        .await;
    (course, found["entry"][0]["resource"].clone())
}

fn statuses(course: &Value) -> Vec<&str> {
    let past = course["statusHistory"].as_array().into_iter().flatten();
    past.chain([course]).map(|state| state["status"].as_str().expect("a status")).collect()
}

async fn assert_given_back(app: &TestApp, records: &[Value]) {
    for record in records {
        assert_eq!(&app.json(&path(record)).await, record);
    }
}

#[tokio::test]
async fn a_pause_and_an_end_show_in_course_and_plan() {
    let app = TestApp::start();
    put(&app, &intake()).await;
    put(&app, &pause()).await;
    let (course, plan) = states(&app).await;
    assert_eq!((statuses(&course), &plan["status"]), (vec!["active", "onhold"], &json!("on-hold")));
    let receipt = put(&app, &end()).await;
    let changed: Vec<_> = receipt["resources"].as_array().expect("a value").iter().map(|it| &it["reference"]).collect();
    let (course, plan) = states(&app).await;
    assert_eq!((statuses(&course), &plan["status"]), (vec!["active", "onhold", "finished"], &json!("revoked")));
    for resource in [&course, &plan] {
        let reference = format!(
            "{}/{}",
            resource["resourceType"].as_str().expect("a value"),
            resource["id"].as_str().expect("a value")
        );
        assert!(changed.contains(&&json!(reference)), "{changed:?}");
    }
    assert_eq!(course["period"], json!({"start": "2024-02-01", "end": "2026-04-20T11:00:00-05:00"}));
    assert_eq!(course["extension"][0]["valueCodeableConcept"]["coding"][0]["code"], "adverse-effect");
    // What the intake said of the rest is there still.
    assert_eq!(course["diagnosis"].as_array().map(Vec::len), Some(2));
    assert_eq!(plan["description"], intake()["plan"]["description"]);
    assert_eq!(plan["goal"].as_array().map(Vec::len), Some(1));
    assert_given_back(&app, &[intake(), pause(), end()]).await;
}

#[tokio::test]
async fn in_whatever_order_the_records_come_the_state_is_the_same() {
    let mut shown = Vec::new();
    for order in [[intake(), pause(), end()], [end(), intake(), pause()], [pause(), end(), intake()]] {
        let app = TestApp::start();
        for record in &order {
            put(&app, record).await;
        }
        let (mut course, mut plan) = states(&app).await;
        for resource in [&mut course, &mut plan] {
            resource["meta"]["versionId"] = Value::Null;
            resource["meta"]["lastUpdated"] = Value::Null;
        }
        assert_given_back(&app, &order).await;
        shown.push((course, plan));
    }
    assert_eq!(shown[0], shown[1]);
    assert_eq!(shown[0], shown[2]);
    assert_eq!(statuses(&shown[0].0), ["active", "onhold", "finished"]);
}

#[tokio::test]
async fn a_corrected_intake_does_not_undo_the_end() {
    let app = TestApp::start();
    put(&app, &intake()).await;
    put(&app, &end()).await;
    let mut correction = corrected(intake(), 2);
    correction["course"]["start"] = json!("2024-01-31");
    correction["plan"]["description"] = json!("Another plan.");
    put(&app, &correction).await;
    let (course, plan) = states(&app).await;
    assert_eq!(statuses(&course), ["active", "finished"]);
    assert_eq!(course["period"]["start"], "2024-01-31");
    assert_eq!((&plan["status"], &plan["description"]), (&json!("revoked"), &json!("Another plan.")));
    assert_given_back(&app, &[correction, end()]).await;
}

#[tokio::test]
async fn a_correction_that_says_nothing_new_of_the_course_makes_no_version_of_it() {
    let app = TestApp::start();
    put(&app, &intake()).await;
    put(&app, &end()).await;
    let before = states(&app).await;
    let mut correction = corrected(intake(), 2);
    correction["chiefComplaint"] = json!("Pain in the arm.");
    put(&app, &correction).await;
    put(&app, &end()).await;
    assert_eq!(states(&app).await, before);
}

#[tokio::test]
async fn a_corrected_closure_takes_back_what_it_said() {
    let app = TestApp::start();
    put(&app, &intake()).await;
    put(&app, &end()).await;
    let mut correction = corrected(end(), 2);
    correction["change"] = json!("pause");
    correction.as_object_mut().expect("a value").remove("planCarriedOut");
    put(&app, &correction).await;
    let (course, plan) = states(&app).await;
    assert_eq!((statuses(&course), &plan["status"]), (vec!["active", "onhold"], &json!("on-hold")));
    assert_eq!((&course["extension"], &course["period"]["end"]), (&Value::Null, &Value::Null));
    // Of another course, and without the plan: both are as the intake says.
    let mut correction = corrected(correction, 3);
    correction["course"]["identifier"]["value"] = json!("case09-other-course");
    correction.as_object_mut().expect("a value").remove("intake");
    put(&app, &correction).await;
    let (course, plan) = states(&app).await;
    assert_eq!((statuses(&course), &plan["status"]), (vec!["active"], &json!("active")));
}

#[tokio::test]
async fn a_plan_that_the_intake_no_longer_holds_is_entered_in_error_although_a_closure_changed_it() {
    let app = TestApp::start();
    put(&app, &intake()).await;
    put(&app, &end()).await;
    let mut correction = corrected(intake(), 2);
    correction.as_object_mut().expect("a value").remove("plan");
    put(&app, &correction).await;
    assert_eq!(states(&app).await.1["status"], "entered-in-error");
    put(&app, &corrected(end(), 2)).await;
    assert_eq!(states(&app).await.1["status"], "entered-in-error");
}

#[tokio::test]
async fn check_in_message_and_concern_stand_in_the_timeline() {
    let app = TestApp::start();
    put(&app, &fixture("case-10/01-intake.json")).await;
    put(&app, &fixture("case-10/05-check-in-1.json")).await;
    put(&app, &fixture("case-09/10-check-in-1.json")).await;
    let timeline = app.json("/kap/v1/courses/case10-course").await;
    let event = |kind: &str, timeline: &Value| {
        timeline["events"]
            .as_array()
            .expect("a value")
            .iter()
            .find(|event| event["kind"] == kind)
            .cloned()
            .expect("an event")
    };
    let answers = event("answers", &timeline);
    assert_eq!(answers["at"], "2026-06-12T10:30:00-05:00");
    assert_eq!(
        answers["value"],
        "mood 3 of 10, sleep 4 of 10, anything unwanted no, suicidal thoughts yes, wants a call yes"
    );
    let message = event("communication", &timeline);
    assert_eq!(
        (&message["what"], &message["value"]),
        (&json!("Message about suicidal thoughts"), &json!("Alert, telephone"))
    );
    let flag = event("flag", &app.json("/kap/v1/courses/case09-course").await);
    assert_eq!((&flag["status"], &flag["at"]), (&json!("active"), &json!("2026-04-01T10:30:00-05:00")));
}
