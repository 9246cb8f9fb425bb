//! JSON Patch and FHIRPath Patch: <https://hl7.org/fhir/R4/http.html#patch>

use crate::{
    test_app::{PATIENT, TestApp, header, outcome, patient},
    writes::{goal, post, put},
};
use kap_gateway::config::Options;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

const JSON_PATCH: &str = "application/json-patch+json";

async fn patch(app: &TestApp, path: &str, content_type: &str, body: &Value) -> Response {
    let request = app.request(Method::PATCH, path).header("Content-Type", content_type);
    request.body(body.to_string()).send().await.expect("an answer")
}

fn replace(text: &str) -> Value {
    json!([{ "op": "replace", "path": "/description/text", "value": text }])
}

fn parameters(path: &str, text: &str) -> Value {
    json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
        { "name": "type", "valueCode": "replace" },
        { "name": "path", "valueString": path },
        { "name": "value", "valueString": text },
    ] }] })
}

#[tokio::test]
async fn both_kinds_of_patch_make_a_version() {
    let app = TestApp::start();
    put(&app, "/fhir/Goal/g", &goal("g", "one")).await;
    let answer = patch(&app, "/fhir/Goal/g", JSON_PATCH, &replace("two")).await;
    assert_eq!((answer.status(), header(&answer, "etag").as_str()), (StatusCode::OK, "W/\"2\""));
    let by_path = parameters("Goal.description.text", "three");
    let answer = patch(&app, "/fhir/Goal/g", "application/fhir+json", &by_path).await;
    assert_eq!((answer.status(), header(&answer, "etag").as_str()), (StatusCode::OK, "W/\"3\""));
    let now = app.json("/fhir/Goal/g").await;
    assert_eq!(now["description"]["text"], "three");
    assert_eq!((&now["meta"]["versionId"], &now["id"]), (&json!("3"), &json!("g")));
}

#[tokio::test]
async fn patch_that_cannot_be_done_changes_nothing() {
    let app = TestApp::start();
    put(&app, "/fhir/Goal/g", &goal("g", "one")).await;
    for (body, status) in [
        (json!({}), StatusCode::BAD_REQUEST),
        (json!([{ "op": "banana", "path": "/a" }]), StatusCode::BAD_REQUEST),
        (json!([{ "op": "test", "path": "/description/text", "value": "x" }]), StatusCode::UNPROCESSABLE_ENTITY),
        (json!([{ "op": "remove", "path": "/banana" }]), StatusCode::UNPROCESSABLE_ENTITY),
        (json!([{ "op": "add", "path": "/banana", "value": 1 }]), StatusCode::UNPROCESSABLE_ENTITY),
        (json!([{ "op": "remove", "path": "/description" }]), StatusCode::UNPROCESSABLE_ENTITY),
        (json!([{ "op": "replace", "path": "/id", "value": "h" }]), StatusCode::UNPROCESSABLE_ENTITY),
        (json!([{ "op": "replace", "path": "", "value": 1 }]), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        outcome(patch(&app, "/fhir/Goal/g", JSON_PATCH, &body).await, status).await;
    }
    for (body, status) in [
        (goal("g", "two"), StatusCode::BAD_REQUEST),
        (parameters("Goal.(", "x"), StatusCode::BAD_REQUEST),
        (parameters("Goal.note.text", "x"), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        outcome(patch(&app, "/fhir/Goal/g", "application/fhir+json", &body).await, status).await;
    }
    let answer = patch(&app, "/fhir/Goal/g", "application/json", &replace("two")).await;
    outcome(answer, StatusCode::BAD_REQUEST).await;
    outcome(patch(&app, "/fhir/Goal/g", "text/plain", &json!([])).await, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    outcome(patch(&app, "/fhir/Goal/nobody", JSON_PATCH, &json!([])).await, StatusCode::NOT_FOUND).await;
    assert_eq!(app.json("/fhir/Goal/g/_history").await["total"], 1);
}

#[tokio::test]
async fn patch_heeds_versions_records_and_searches() {
    let app = TestApp::start();
    put(&app, "/fhir/Patient/p", &patient("p", "A-1")).await;
    let active = json!([{ "op": "add", "path": "/active", "value": true }]);
    let stale = app.request(Method::PATCH, "/fhir/Patient/p").header("If-Match", "W/\"7\"");
    let stale = stale.header("Content-Type", JSON_PATCH).body(active.to_string()).send().await.expect("an answer");
    outcome(stale, StatusCode::PRECONDITION_FAILED).await;
    let by_search = "/fhir/Patient?identifier=urn:test:mrn|A-1";
    assert_eq!(patch(&app, by_search, JSON_PATCH, &active).await.status(), StatusCode::OK);
    assert_eq!(app.json("/fhir/Patient/p").await["active"], true);
    outcome(patch(&app, "/fhir/Patient?identifier=x", JSON_PATCH, &active).await, StatusCode::NOT_FOUND).await;
    put(&app, "/fhir/Patient/q", &patient("q", "A-1")).await;
    outcome(patch(&app, by_search, JSON_PATCH, &active).await, StatusCode::PRECONDITION_FAILED).await;
    app.store(&patient(PATIENT, "A-9")).await;
    let of_record = patch(&app, &format!("/fhir/Patient/{PATIENT}"), JSON_PATCH, &active).await;
    outcome(of_record, StatusCode::CONFLICT).await;
}

#[tokio::test]
async fn parallel_patches_are_all_done() {
    let app = Arc::new(TestApp::start_with(Options { workers: Some(4), ..Options::default() }));
    put(&app, "/fhir/Patient/p", &patient("p", "A-1")).await;
    let mut clients = JoinSet::new();
    for number in 0..12 {
        let app = Arc::clone(&app);
        clients.spawn(async move {
            let add = json!([{ "op": "add", "path": "/identifier/-", "value": { "value": format!("N-{number}") } }]);
            patch(&app, "/fhir/Patient/p", JSON_PATCH, &add).await.status()
        });
    }
    assert!(clients.join_all().await.iter().all(|status| *status == StatusCode::OK));
    let now = app.json("/fhir/Patient/p").await;
    assert_eq!(now["identifier"].as_array().expect("identifiers").len(), 13);
    assert_eq!(now["meta"]["versionId"], "13");
}

#[tokio::test]
async fn patches_stand_in_transactions() {
    let app = TestApp::start();
    put(&app, "/fhir/Goal/g", &goal("g", "one")).await;
    put(&app, "/fhir/Goal/h", &goal("h", "one")).await;
    // [{"op":"replace","path":"/description/text","value":"two"}]
    let data = "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9kZXNjcmlwdGlvbi90ZXh0IiwidmFsdWUiOiJ0d28ifV0=";
    let binary = json!({ "resourceType": "Binary", "contentType": JSON_PATCH, "data": data });
    let sent = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        { "resource": binary, "request": { "method": "PATCH", "url": "Goal/g" } },
        { "resource": parameters("Goal.description.text", "two"), "request": { "method": "PATCH", "url": "Goal/h" } },
    ] });
    let answer = post(&app, "/fhir", &sent).await;
    let status = answer.status();
    assert_eq!(status, StatusCode::OK, "{}", answer.text().await.expect("text"));
    for id in ["g", "h"] {
        assert_eq!(app.json(&format!("/fhir/Goal/{id}")).await["description"]["text"], "two");
    }
}
