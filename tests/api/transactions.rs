//! Batch and transaction: <https://hl7.org/fhir/R4/http.html#transaction>

use crate::{
    test_app::{PATIENT, TestApp, fixture, outcome, patient},
    writes::{goal, post, put, request},
};
use kap_gateway::{app::Options, fhir::codec};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};
use tokio::task::JoinSet;

const URN: &str = "urn:uuid:0c0ffee0-0000-4000-8000-000000000001";

fn bundle(kind: &str, entries: Value) -> Value {
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

fn entry(method: &str, url: &str, resource: Option<Value>) -> Value {
    let mut entry = json!({ "request": { "method": method, "url": url } });
    if let Some(resource) = resource {
        entry["resource"] = resource;
    }
    entry
}

fn named(full_url: &str, mut entry: Value) -> Value {
    entry["fullUrl"] = full_url.into();
    entry
}

/// The answer to a Bundle that must be taken.
async fn done(app: &TestApp, sent: &Value) -> Value {
    let answer = post(app, "/fhir", sent).await;
    let status = answer.status();
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["resourceType"], "Bundle");
    codec::from_json(body.to_string().as_bytes()).expect("FHIR R4");
    let count = |bundle: &Value| bundle["entry"].as_array().map_or(0, Vec::len);
    assert_eq!(count(&body), count(sent));
    body
}

fn statuses(answer: &Value) -> Vec<&str> {
    let entries = answer["entry"].as_array().expect("entries");
    entries.iter().map(|entry| entry["response"]["status"].as_str().expect("text")).collect()
}

/// `Goal/id` out of `Goal/id/_history/1`.
fn made(answer: &Value, place: usize) -> String {
    let location = answer["entry"][place]["response"]["location"].as_str().expect("a location");
    location.split("/_history").next().expect("a part").to_owned()
}

/// Places of all errors of a refused transaction.
fn places(outcome: &Value) -> Vec<&str> {
    let issues = outcome["issue"].as_array().expect("issues");
    issues
        .iter()
        .filter(|issue| issue["severity"] == "error")
        .map(|issue| issue["expression"][0].as_str().expect("a place"))
        .collect()
}

fn goal_of(reference: &str) -> Value {
    let mut goal = goal("x", "one");
    goal["subject"]["reference"] = reference.into();
    goal
}

#[tokio::test]
async fn transaction_resolves_references_between_its_entries() {
    let app = TestApp::start();
    let sent = bundle(
        "transaction",
        json!([
            entry("POST", "Goal", Some(goal_of(URN))),
            named(URN, entry("POST", "Patient", Some(patient("x", "A-1")))),
        ]),
    );
    let answer = done(&app, &sent).await;
    assert_eq!(answer["type"], "transaction-response");
    assert_eq!(statuses(&answer), ["201 Created", "201 Created"]);
    let goal = app.json(&format!("/fhir/{}", made(&answer, 0))).await;
    assert_eq!(goal["subject"]["reference"], made(&answer, 1));
    assert_eq!(app.json(&format!("/fhir/Goal?patient={}", made(&answer, 1))).await["total"], 1);
    assert_eq!(answer["entry"][0]["response"]["etag"], "W/\"1\"");
    assert_eq!(answer["entry"][0]["response"]["lastModified"], goal["meta"]["lastUpdated"]);
}

#[tokio::test]
async fn transaction_of_what_a_record_maps_to_is_stored_as_a_whole() {
    let app = TestApp::start();
    let request = app.request(Method::POST, "/kap/v1/dosing-session/$map").header("Content-Type", "application/json");
    let record = fixture("case-01/03-dosing-session-1.json");
    let mapped: Value = request.body(record.to_string()).send().await.expect("an answer").json().await.expect("JSON");
    let answer = done(&app, &mapped).await;
    assert!(statuses(&answer).iter().all(|status| *status == "201 Created"), "{answer}");
    // Sent again it changes nothing.
    let again = done(&app, &mapped).await;
    assert!(statuses(&again).iter().all(|status| *status == "200 OK"), "{again}");
    let etags = |answer: &Value| {
        answer["entry"].as_array().expect("entries").iter().map(|e| e["response"]["etag"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(etags(&again), etags(&answer));
}

#[tokio::test]
async fn verbs_are_done_in_their_order_and_readings_see_the_result() {
    let app = TestApp::start();
    put(&app, "/fhir/Goal/old", &goal("old", "one")).await;
    put(&app, "/fhir/Goal/kept", &goal("kept", "one")).await;
    let sent = bundle(
        "transaction",
        json!([
            entry("GET", "Goal?_id=kept,old,new", None),
            entry("PUT", "Goal/kept", Some(goal("kept", "two"))),
            entry("GET", "Goal/old", None),
            entry("DELETE", "Goal/old", None),
            entry("GET", "Goal/kept", None),
            entry("PUT", "Goal/new", Some(goal("new", "one"))),
            entry("GET", "Goal/kept/_history/1", None),
        ]),
    );
    let answer = done(&app, &sent).await;
    let expected = ["200 OK", "200 OK", "410 Gone", "204 No Content", "200 OK", "201 Created", "200 OK"];
    assert_eq!(statuses(&answer), expected);
    assert_eq!(answer["entry"][0]["resource"]["total"], 2);
    assert_eq!(answer["entry"][4]["resource"]["description"]["text"], "two");
    assert_eq!(answer["entry"][6]["resource"]["description"]["text"], "one");
    assert_eq!(answer["entry"][2]["response"]["outcome"]["issue"][0]["code"], "deleted");
}

#[tokio::test]
async fn one_wrong_entry_stores_nothing_and_all_are_named() {
    let app = TestApp::start();
    put(&app, "/fhir/Goal/g", &goal("g", "one")).await;
    let mut stale = entry("PUT", "Goal/g", Some(goal("g", "two")));
    stale["request"]["ifMatch"] = "W/\"7\"".into();
    let mut absent = entry("DELETE", "Goal/nobody", None);
    absent["request"]["ifMatch"] = "W/\"1\"".into();
    let good = entry("PUT", "Goal/new", Some(goal("new", "one")));
    let sent = bundle("transaction", json!([good, stale, absent]));
    let told = outcome(post(&app, "/fhir", &sent).await, StatusCode::PRECONDITION_FAILED).await;
    assert_eq!(places(&told), ["Bundle.entry[1]", "Bundle.entry[2]"]);
    let sent = bundle(
        "transaction",
        json!([
            good,
            entry("PUT", "Goal/g", Some(goal("h", "two"))),
            entry("PUT", "Banana/g", Some(goal("g", "two"))),
            entry("POST", "Goal", None),
            entry("POST", "Goal/g", Some(goal("g", "two"))),
            entry("PUT", "Goal?banana=1", Some(goal("g", "two"))),
            entry("PUT", "Goal", Some(goal("g", "two"))),
            entry("BANANA", "Goal", None),
            entry("GET", "https://other.example/fhir/Goal/g", None),
            entry("DELETE", "Goal/g/_history/1", None),
            json!({ "resource": goal("g", "two") }),
            json!({ "request": { "method": "POST", "url": "Goal", "ifMatch": "W/\"1\"" }, "resource": goal("g", "x") }),
        ]),
    );
    let told = outcome(post(&app, "/fhir", &sent).await, StatusCode::BAD_REQUEST).await;
    let expected: Vec<String> = (1..=11).map(|place| format!("Bundle.entry[{place}]")).collect();
    assert_eq!(places(&told), expected, "{told}");
    outcome(app.get("/fhir/Goal/new").await, StatusCode::NOT_FOUND).await;
    assert_eq!(app.json("/fhir/Goal/g").await["meta"]["versionId"], "1");
}

#[tokio::test]
async fn content_that_is_not_valid_is_located_in_its_entry() {
    let app = TestApp::start();
    let mut faulty = goal("b", "one");
    faulty["lifecycleStatus"] = "banana".into();
    let sent = bundle(
        "transaction",
        json!([entry("PUT", "Goal/a", Some(goal("a", "one"))), entry("PUT", "Goal/b", Some(faulty))]),
    );
    let told = outcome(post(&app, "/fhir", &sent).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(places(&told), ["Bundle.entry[1].resource.ofType(Goal).lifecycleStatus"], "{told}");
    assert_eq!(app.json("/fhir/Goal").await["total"], 0);
}

#[tokio::test]
async fn resource_may_stand_once_in_a_transaction() {
    let app = TestApp::start();
    put(&app, "/fhir/Patient/p", &patient("p", "A-1")).await;
    for twice in [
        json!([entry("PUT", "Goal/g", Some(goal("g", "1"))), entry("DELETE", "Goal/g", None)]),
        json!([
            entry("PUT", "Patient/p", Some(patient("p", "A-1"))),
            entry("DELETE", "Patient?identifier=urn:test:mrn|A-1", None)
        ]),
    ] {
        let told = outcome(post(&app, "/fhir", &bundle("transaction", twice)).await, StatusCode::BAD_REQUEST).await;
        assert_eq!(told["issue"][0]["code"], "duplicate", "{told}");
        assert_eq!(places(&told), ["Bundle.entry[1]"]);
    }
    assert_eq!(app.json("/fhir/Goal").await["total"], 0);
}

#[tokio::test]
async fn references_by_search_are_resolved_or_refused() {
    let app = TestApp::start();
    put(&app, "/fhir/Patient/p", &patient("p", "A-1")).await;
    let by = |criteria: &str| {
        bundle("transaction", json!([entry("POST", "Goal", Some(goal_of(&format!("Patient?{criteria}"))))]))
    };
    let answer = done(&app, &by("identifier=urn:test:mrn|A-1")).await;
    assert_eq!(app.json(&format!("/fhir/{}", made(&answer, 0))).await["subject"]["reference"], "Patient/p");
    let none = post(&app, "/fhir", &by("identifier=urn:test:mrn|A-2")).await;
    assert_eq!(places(&outcome(none, StatusCode::PRECONDITION_FAILED).await), ["Bundle.entry[0]"]);
    put(&app, "/fhir/Patient/q", &patient("q", "A-1")).await;
    let many = post(&app, "/fhir", &by("identifier=urn:test:mrn|A-1")).await;
    outcome(many, StatusCode::PRECONDITION_FAILED).await;
    outcome(post(&app, "/fhir", &by("banana=1")).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(app.json("/fhir/Goal").await["total"], 1);
}

#[tokio::test]
async fn conditional_entries_of_a_transaction_link_to_what_they_find() {
    let app = TestApp::start();
    let sent = || {
        let mut conditional = named(URN, entry("POST", "Patient", Some(patient("x", "A-1"))));
        conditional["request"]["ifNoneExist"] = "identifier=urn:test:mrn|A-1".into();
        bundle("transaction", json!([conditional, entry("POST", "Goal", Some(goal_of(URN)))]))
    };
    let first = done(&app, &sent()).await;
    let second = done(&app, &sent()).await;
    assert_eq!(statuses(&first), ["201 Created", "201 Created"]);
    assert_eq!(statuses(&second), ["200 OK", "201 Created"]);
    assert_eq!(made(&first, 0), made(&second, 0));
    assert_eq!(app.json(&format!("/fhir/Goal?subject={}", made(&first, 0))).await["total"], 2);
}

#[tokio::test]
async fn many_parallel_transactions_that_name_the_same_patient_make_one() {
    let app = Arc::new(TestApp::start_with(Options { workers: Some(4), ..Options::default() }));
    let mut clients = JoinSet::new();
    for _ in 0..32 {
        let app = Arc::clone(&app);
        clients.spawn(async move {
            let mut conditional = named(URN, entry("POST", "Patient", Some(patient("x", "A-1"))));
            conditional["request"]["ifNoneExist"] = "identifier=urn:test:mrn|A-1".into();
            let sent = bundle("transaction", json!([conditional, entry("POST", "Goal", Some(goal_of(URN)))]));
            made(&done(&app, &sent).await, 0)
        });
    }
    let patients: BTreeSet<String> = clients.join_all().await.into_iter().collect();
    assert_eq!(patients.len(), 1, "{patients:?}");
    assert_eq!(app.json("/fhir/Patient").await["total"], 1);
    assert_eq!(app.json("/fhir/Goal").await["total"], 32);
}

#[tokio::test]
async fn reference_to_no_entry_is_refused() {
    let app = TestApp::start();
    let sent = bundle("transaction", json!([entry("POST", "Goal", Some(goal_of(URN)))]));
    let answer = post(&app, "/fhir", &sent).await;
    assert!(answer.status().is_client_error(), "{}", answer.status());
    assert_eq!(app.json("/fhir/Goal").await["total"], 0);
}

#[tokio::test]
async fn entries_of_a_batch_stand_for_themselves() {
    let app = TestApp::start();
    let mut faulty = goal("b", "one");
    faulty["lifecycleStatus"] = "banana".into();
    let sent = bundle(
        "batch",
        json!([
            entry("PUT", "Goal/a", Some(goal("a", "one"))),
            entry("PUT", "Goal/b", Some(faulty)),
            entry("GET", "Goal/nobody", None),
            named(URN, entry("POST", "Patient", Some(patient("x", "A-1")))),
            entry("POST", "Goal", Some(goal_of(URN))),
            json!({}),
        ]),
    );
    let answer = done(&app, &sent).await;
    assert_eq!(answer["type"], "batch-response");
    let expected = [
        "201 Created",
        "422 Unprocessable Entity",
        "404 Not Found",
        "201 Created",
        "400 Bad Request",
        "400 Bad Request",
    ];
    assert_eq!(statuses(&answer), expected, "{answer}");
    let told = &answer["entry"][1]["response"]["outcome"];
    assert_eq!(told["issue"][0]["expression"][0], "Goal.lifecycleStatus");
    assert_eq!(app.json("/fhir/Goal").await["total"], 1);
}

#[tokio::test]
async fn preferred_bodies_come_with_the_entries() {
    let app = TestApp::start();
    for (preference, member) in [("return=representation", "resource"), ("return=OperationOutcome", "outcome")] {
        let sent = bundle("transaction", json!([entry("POST", "Goal", Some(goal("x", "one")))]));
        let request = request(&app, Method::POST, "/fhir").header("Prefer", preference).body(sent.to_string());
        let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        let entry = &answer["entry"][0];
        assert_eq!(entry.get("resource").is_some(), member == "resource", "{answer}");
        assert_eq!(entry["response"].get("outcome").is_some(), member == "outcome", "{answer}");
    }
}

#[tokio::test]
async fn what_is_no_batch_or_transaction_is_refused() {
    let app = TestApp::start();
    for (sent, status) in [
        (json!({}), StatusCode::BAD_REQUEST),
        (goal("g", "one"), StatusCode::BAD_REQUEST),
        (bundle("collection", json!([])), StatusCode::BAD_REQUEST),
        (bundle("transaction", json!({})), StatusCode::BAD_REQUEST),
        (bundle("batch", json!("x")), StatusCode::BAD_REQUEST),
        (bundle("transaction", json!([1, null, "x"])), StatusCode::BAD_REQUEST),
        (bundle("batch", json!(vec![json!({}); 5001])), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        outcome(post(&app, "/fhir", &sent).await, status).await;
    }
    let empty = json!({ "resourceType": "Bundle", "type": "transaction" });
    done(&app, &empty).await;
    let put = app.request(Method::PUT, "/fhir").send().await.expect("an answer");
    outcome(put, StatusCode::METHOD_NOT_ALLOWED).await;
}

#[tokio::test]
async fn what_a_record_made_is_not_changed_by_a_transaction() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    let sent = bundle(
        "transaction",
        json!([
            entry("PUT", "Goal/g", Some(goal("g", "one"))),
            entry("PUT", &format!("Patient/{PATIENT}"), Some(patient(PATIENT, "A-2"))),
        ]),
    );
    let told = outcome(post(&app, "/fhir", &sent).await, StatusCode::CONFLICT).await;
    assert_eq!(places(&told), ["Bundle.entry[1]"]);
    assert_eq!(app.json("/fhir/Goal").await["total"], 0);
}

/// R4 leaves no read out: what a GET by itself is answered with, an entry holds.
#[tokio::test]
async fn gets_in_a_bundle_are_answered_as_by_themselves() {
    let app = TestApp::start();
    put(&app, "/fhir/Patient/p", &patient("p", "A-1")).await;
    let mut of_patient = goal("g", "Sleep");
    of_patient["subject"] = json!({ "reference": "Patient/p" });
    put(&app, "/fhir/Goal/g", &of_patient).await;
    let urls = [
        "Patient?_id=p",
        "Patient?_total=accurate&_count=1",
        "Patient/p/Goal",
        "Patient/p/*?_type=Goal",
        "?_type=Patient,Goal",
        "Goal/g/_history",
        "Goal/_history?_count=1",
        "_history?_since=2026",
        "Patient/p",
        "Goal/g/_history/1",
    ];
    let gets: Vec<Value> = urls.iter().map(|url| entry("GET", url, None)).collect();
    for kind in ["batch", "transaction"] {
        let answer = done(&app, &bundle(kind, gets.clone().into())).await;
        for (place, url) in urls.iter().enumerate() {
            let url = if url.starts_with('?') { format!("/fhir{url}") } else { format!("/fhir/{url}") };
            assert_eq!(answer["entry"][place]["resource"], app.json(&url).await, "{kind} {url}");
        }
    }
    let refused = [
        "Goal/none/_history",
        "Patient/p/Banana",
        "Goal/p/Patient",
        "Patient?banana=1",
        "_history?banana=1",
        "Patient/p/$everything",
    ];
    let gets: Vec<Value> = refused.iter().map(|url| entry("GET", url, None)).collect();
    let answer = done(&app, &bundle("batch", gets.into())).await;
    let told = statuses(&answer);
    assert_eq!(told[0], "404 Not Found");
    assert!(told.iter().all(|status| status.starts_with('4')), "{told:?}");
}

#[tokio::test]
async fn read_in_a_bundle_heeds_since_when_the_client_has_the_resource() {
    let app = TestApp::start();
    put(&app, "/fhir/Goal/g", &goal("g", "Sleep")).await;
    let changed = app.json("/fhir/Goal/g").await["meta"]["lastUpdated"].clone();
    for (member, value, status) in [
        ("ifModifiedSince", changed, "304 Not Modified"),
        ("ifModifiedSince", json!("2000-01-01T00:00:00Z"), "200 OK"),
        ("ifModifiedSince", json!("yesterday"), "400 Bad Request"),
        ("ifNoneMatch", json!("W/\"1\""), "304 Not Modified"),
    ] {
        let mut asked = entry("GET", "Goal/g", None);
        asked["request"][member] = value;
        let answer = done(&app, &bundle("batch", json!([asked]))).await;
        assert_eq!(statuses(&answer), [status], "{member}");
    }
}
