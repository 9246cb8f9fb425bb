//! KAP records in and out over HTTP.

use crate::test_app::{TestApp, fixture, header, outcome};
use kap_gateway::fhir::codec;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

fn session() -> Value {
    fixture("case-01/03-dosing-session-1.json")
}

fn path(record: &Value) -> String {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).expect("text");
    format!("/kap/v1/{}/{}", text("/kind"), text("/source/recordId"))
}

async fn send(app: &TestApp, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Response {
    let request = app.request(method, path).header("Content-Type", "application/json");
    request.body(body).send().await.expect("an answer")
}

async fn put(app: &TestApp, record: &Value) -> Response {
    send(app, Method::PUT, &path(record), record.to_string()).await
}

#[tokio::test]
async fn record_put_is_given_back_as_it_was_sent() {
    let app = TestApp::start();
    let record = session();
    let response = put(&app, &record).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let location = header(&response, "location");
    let receipt: Value = response.json().await.expect("JSON");
    assert_eq!(receipt["outcome"], "created");
    assert_eq!(receipt["recordId"], "case01-dosing-1");

    let response = app.client.get(&location).send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "etag"), "W/\"1\"");
    assert_eq!(response.json::<Value>().await.expect("JSON"), record);
}

#[tokio::test]
async fn every_resource_of_a_receipt_can_be_read() {
    let app = TestApp::start();
    let receipt: Value = put(&app, &session()).await.json().await.expect("JSON");
    let resources = receipt["resources"].as_array().expect("resources");
    assert!(resources.len() > 5);
    for resource in resources {
        let reference = resource["reference"].as_str().expect("text");
        let read = app.json(&format!("/fhir/{reference}")).await;
        assert_eq!(read["meta"]["versionId"], resource["versionId"]);
    }
    for member in ["patient", "course"] {
        app.json(&format!("/fhir/{}", receipt[member].as_str().expect("text"))).await;
    }
}

#[tokio::test]
async fn the_same_record_twice_changes_nothing() {
    let app = TestApp::start();
    let first: Value = put(&app, &session()).await.json().await.expect("JSON");
    let response = put(&app, &session()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let second: Value = response.json().await.expect("JSON");
    assert_eq!(second["outcome"], "unchanged");
    let versions = |receipt: &Value| -> Vec<Value> {
        let resources = receipt["resources"].as_array().expect("resources");
        resources.iter().map(|resource| resource["versionId"].clone()).collect()
    };
    assert_eq!(versions(&first), versions(&second));
}

#[tokio::test]
async fn post_takes_the_id_from_the_record() {
    let app = TestApp::start();
    let response = send(&app, Method::POST, "/kap/v1/dosing-session", session().to_string()).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let location = header(&response, "location");
    assert_eq!(
        app.neutral(&location),
        "http://gateway/kap/v1/dosing-session/case01-dosing-1?system=urn:kap:test:medical"
    );
}

#[tokio::test]
async fn older_revision_returns_409_and_same_revision_with_other_content_too() {
    let app = TestApp::start();
    let mut record = session();
    record["source"]["revision"] = json!(2);
    assert_eq!(put(&app, &record).await.status(), StatusCode::CREATED);
    record["intention"] = json!("Another one");
    let body = outcome(put(&app, &record).await, StatusCode::CONFLICT).await;
    insta::assert_json_snapshot!(body);
    record["source"]["revision"] = json!(1);
    let body = outcome(put(&app, &record).await, StatusCode::CONFLICT).await;
    assert_eq!(body["issue"][0]["code"], "conflict");
    assert_eq!(body["issue"][0]["expression"][0], "source.revision");
}

#[tokio::test]
async fn bad_record_returns_422_with_every_fault_and_stores_nothing() {
    let app = TestApp::start();
    let mut record = session();
    record["banana"] = json!(1);
    record["doses"][0]["route"] = json!({ "term": "telepathic" });
    record["recordedAt"] = json!("yesterday");
    let body = outcome(put(&app, &record).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    insta::assert_json_snapshot!(body);
    outcome(app.get(&path(&record)).await, StatusCode::NOT_FOUND).await;
    assert_eq!(app.json("/fhir/MedicationAdministration?_count=0").await["total"], 0);
}

#[tokio::test]
async fn body_that_is_no_json_returns_400() {
    let app = TestApp::start();
    for body in [&b""[..], b"{", b"\xff\xfe", b"[1,]", b"{\"a\":1,\"a\":2}", b"null\0"] {
        let response = send(&app, Method::POST, "/kap/v1/outcome", body.to_vec()).await;
        outcome(response, StatusCode::BAD_REQUEST).await;
    }
    let deep = "[".repeat(100_000);
    outcome(send(&app, Method::POST, "/kap/v1/outcome", deep).await, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn other_content_types_return_415() {
    let app = TestApp::start();
    for content_type in ["text/plain", "application/json; charset=latin1", ""] {
        let request = app.request(Method::POST, "/kap/v1/outcome").header("Content-Type", content_type);
        let response = request.body("{}").send().await.expect("an answer");
        outcome(response, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    }
}

#[tokio::test]
async fn record_above_the_limit_returns_413() {
    let app = TestApp::start();
    let response = send(&app, Method::POST, "/kap/v1/outcome", vec![b' '; (1 << 20) + 1]).await;
    outcome(response, StatusCode::PAYLOAD_TOO_LARGE).await;
}

#[tokio::test]
async fn unknown_kind_record_or_course_returns_404() {
    let app = TestApp::start();
    outcome(send(&app, Method::POST, "/kap/v1/banana", "{}").await, StatusCode::NOT_FOUND).await;
    for path in ["/kap/v1/banana/1", "/kap/v1/outcome/nothing", "/kap/v1/courses/nothing"] {
        outcome(app.get(path).await, StatusCode::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn unknown_parameter_returns_400() {
    let app = TestApp::start();
    for path in ["/kap/v1/outcome/1?banana=1", "/kap/v1/courses/1?system=a&system=b"] {
        outcome(app.get(path).await, StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn id_that_two_systems_use_needs_the_system() {
    let app = TestApp::start();
    let mut record = session();
    put(&app, &record).await;
    record["source"]["system"] = json!("urn:kap:test:other");
    assert_eq!(put(&app, &record).await.status(), StatusCode::CREATED);
    let body = outcome(app.get(&path(&record)).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(body["issue"][0]["location"][0], "http.system");
    let found = app.json(&format!("{}?system=urn:kap:test:other", path(&record))).await;
    assert_eq!(found["source"]["system"], "urn:kap:test:other");
}

#[tokio::test]
async fn map_answers_a_transaction_bundle_and_stores_nothing() {
    let app = TestApp::start();
    let response = send(&app, Method::POST, "/kap/v1/dosing-session/$map", session().to_string()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!header(&response, "x-kap-warnings").is_empty());
    let body = response.bytes().await.expect("a body");
    codec::from_json(&body).expect("FHIR R4");
    let bundle: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(bundle["type"], "transaction");
    let url = bundle["entry"][0]["fullUrl"].as_str().expect("text").to_owned();
    assert!(url.starts_with(&app.url("/fhir/")), "{url}");
    assert_eq!(app.client.get(url).send().await.expect("an answer").status(), StatusCode::NOT_FOUND);

    let response = send(&app, Method::POST, "/kap/v1/dosing-session/$map?_format=xml", session().to_string()).await;
    let xml = codec::from_xml(&response.text().await.expect("text")).expect("FHIR XML");
    assert_eq!(xml, codec::from_json(&body).expect("FHIR R4"));
}

#[tokio::test]
async fn map_answers_its_warnings_where_they_are_asked_for() {
    let app = TestApp::start();
    let request = app.request(Method::POST, "/kap/v1/dosing-session/$map").header("Content-Type", "application/json");
    let request = request.header("Prefer", "return=OperationOutcome").body(session().to_string());
    let body = outcome(request.send().await.expect("an answer"), StatusCode::OK).await;
    assert_ne!(body["issue"][0]["severity"], "error");
}

#[tokio::test]
async fn course_is_one_timeline_by_id_and_by_the_senders_identifier() {
    let app = TestApp::start();
    let receipt: Value = put(&app, &session()).await.json().await.expect("JSON");
    let id = receipt["course"].as_str().and_then(|course| course.strip_prefix("EpisodeOfCare/")).expect("a course");
    let by_id = app.json(&format!("/kap/v1/courses/{id}")).await;
    let doses = by_id["events"].as_array().expect("events").iter().filter(|event| event["kind"] == "dose").count();
    assert_eq!(doses, session()["doses"].as_array().expect("doses").len());
    let by_identifier = app.json("/kap/v1/courses/case01-course?system=urn:kap:test").await;
    assert_eq!(by_identifier, by_id);
}

async fn get(app: &TestApp, record: &Value) -> Value {
    app.client.get(app.url(&path(record))).send().await.expect("an answer").json().await.expect("JSON")
}

/// The current version of the practitioner who leads the care team.
async fn practitioner(app: &TestApp, record: &Value) -> Value {
    let identifier = record["careTeam"][0]["practitioner"]["identifier"]["value"].as_str().expect("text");
    let found = app.json(&format!("/fhir/Practitioner?identifier={identifier}")).await;
    assert_eq!(found["total"], 1, "one resource for all records");
    found["entry"][0]["resource"].clone()
}

#[tokio::test]
async fn intakes_that_share_a_practitioner_come_back_each_as_it_was_sent() {
    let app = TestApp::start();
    let first = fixture("case-01/01-intake.json");
    let mut second = first.clone();
    second["source"]["recordId"] = json!("another-intake");
    second["patient"]["identifiers"][0]["value"] = json!("another-patient");
    second["course"]["identifier"]["value"] = json!("another-course");
    second["careTeam"][0]["qualifications"] = json!([{ "credential": "DO" }]);
    assert_eq!(put(&app, &first).await.status(), StatusCode::CREATED);
    assert_eq!(put(&app, &second).await.status(), StatusCode::CREATED);
    assert_eq!(get(&app, &first).await, first);
    assert_eq!(get(&app, &second).await, second);

    // The first takes its description back: the second's stays.
    let mut corrected = first.clone();
    corrected["source"]["revision"] = json!(2);
    corrected["careTeam"][0].as_object_mut().expect("a member").remove("qualifications");
    assert_eq!(put(&app, &corrected).await.status(), StatusCode::OK);
    assert_eq!(get(&app, &corrected).await, corrected);
    assert_eq!(get(&app, &second).await, second);
    let current = practitioner(&app, &first).await;
    assert_eq!(current["qualification"][0]["code"]["coding"][0]["code"], "DO");
}

#[tokio::test]
async fn qualifications_that_an_intake_takes_back_are_gone() {
    let app = TestApp::start();
    let mut record = fixture("case-01/01-intake.json");
    put(&app, &record).await;
    assert!(practitioner(&app, &record).await["qualification"].is_array());
    record["source"]["revision"] = json!(2);
    record["careTeam"][0].as_object_mut().expect("a member").remove("qualifications");
    assert_eq!(put(&app, &record).await.status(), StatusCode::OK);
    assert_eq!(get(&app, &record).await, record);
    let current = practitioner(&app, &record).await;
    assert!(current.get("qualification").is_none());
    assert_eq!(current["meta"]["versionId"], "2");
}

#[tokio::test]
async fn records_have_no_xml() {
    let app = TestApp::start();
    put(&app, &session()).await;
    let request = app.request(Method::GET, &path(&session())).header("Accept", "application/fhir+xml");
    assert_eq!(request.send().await.expect("an answer").status(), StatusCode::NOT_ACCEPTABLE);
}
