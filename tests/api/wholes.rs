//! `$everything` and `$lastn`. <https://hl7.org/fhir/R4/patient-operation-everything.html>,
//! <https://hl7.org/fhir/R4/observation-operation-lastn.html>

use crate::{
    test_app::{TestApp, fixture, ids, link, outcome},
    writes::{delete, post, put},
};
use kap_gateway::{app::Options, config::WriteValidation, fhir::codec};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn app() -> TestApp {
    TestApp::start_with(Options { validate_writes: Some(WriteValidation::Off), ..Options::default() })
}

async fn stored(app: &TestApp, resource: Value) {
    let path = format!(
        "/fhir/{}/{}",
        resource["resourceType"].as_str().expect("a type"),
        resource["id"].as_str().expect("an id")
    );
    let answer = put(app, &path, &resource).await;
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.expect("text"));
}

fn about(patient: &str) -> Value {
    json!({ "reference": format!("Patient/{patient}") })
}

/// Two patients with an encounter each, and what belongs to them.
async fn with_two_patients() -> TestApp {
    let app = app();
    for resource in [
        json!({ "resourceType": "Organization", "id": "clinic", "name": "Test Clinic" }),
        json!({ "resourceType": "Practitioner", "id": "dr", "name": [{ "family": "Testpractitioner" }] }),
        json!({ "resourceType": "Location", "id": "room" }),
    ] {
        stored(&app, resource).await;
    }
    for name in ["a", "b"] {
        let id = |what: &str| format!("{name}-{what}");
        for resource in [
            json!({ "resourceType": "Patient", "id": name, "name": [{ "family": "Testpatient" }],
                "managingOrganization": { "reference": "Organization/clinic" } }),
            json!({ "resourceType": "Encounter", "id": id("visit"), "status": "finished", "class": { "code": "AMB" },
                "subject": about(name), "period": { "start": "2026-02-02", "end": "2026-02-02" },
                "location": [{ "location": { "reference": "Location/room" } }] }),
            json!({ "resourceType": "Observation", "id": id("early"), "status": "final", "code": { "text": "pulse" },
                "subject": about(name), "effectiveDateTime": "2026-01-01" }),
            json!({ "resourceType": "Observation", "id": id("late"), "status": "final", "code": { "text": "pulse" },
                "subject": about(name), "effectiveDateTime": "2026-03-01",
                "encounter": { "reference": format!("Encounter/{name}-visit") },
                "performer": [{ "reference": "Practitioner/dr" }] }),
            // In no compartment by R4's definition, and about the patient all the same.
            json!({ "resourceType": "Task", "id": id("task"), "status": "requested", "intent": "order", "for": about(name) }),
            json!({ "resourceType": "AllergyIntolerance", "id": id("allergy"), "patient": about(name) }),
            json!({ "resourceType": "Provenance", "id": id("origin"), "recorded": "2026-03-01T10:00:00Z",
                "target": [{ "reference": format!("Observation/{name}-late") }],
                "agent": [{ "who": { "reference": "Practitioner/dr" } }] }),
        ] {
            stored(&app, resource).await;
        }
    }
    app
}

fn of_mode<'a>(bundle: &'a Value, mode: &str) -> BTreeSet<&'a str> {
    let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = entries.iter().filter(|entry| entry["search"]["mode"] == mode);
    found.map(|entry| entry["resource"]["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn everything_of_a_patient_is_the_compartment_and_what_it_refers_to() {
    let app = with_two_patients().await;
    let bundle = app.json("/fhir/Patient/a/$everything").await;
    codec::from_json(bundle.to_string().as_bytes()).expect("FHIR R4");
    assert_eq!(bundle["type"], "searchset");
    assert_eq!(ids(&bundle)[0], "a", "the patient comes first");
    assert_eq!(of_mode(&bundle, "match"), ["a", "a-visit", "a-early", "a-late", "a-task", "a-allergy"].into());
    assert_eq!(of_mode(&bundle, "include"), ["clinic", "dr", "room", "a-origin"].into());
    assert_eq!(link(&bundle, "next"), None);
    // As Parameters.
    let parameters =
        json!({ "resourceType": "Parameters", "parameter": [{ "name": "_type", "valueCode": "Observation" }] });
    let posted: Value = post(&app, "/fhir/Patient/a/$everything", &parameters).await.json().await.expect("JSON");
    assert_eq!(of_mode(&posted, "match"), ["a-early", "a-late"].into());
}

#[tokio::test]
async fn everything_is_narrowed_by_type_time_of_care_and_time_of_storing() {
    let app = with_two_patients().await;
    let matches = async |query: &str| {
        let bundle = app.json(&format!("/fhir/Patient/a/$everything?{query}")).await;
        let found: BTreeSet<String> = ids(&bundle).into_iter().map(str::to_owned).collect();
        found.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(matches("_type=Observation").await, "a-early a-late");
    assert_eq!(matches("_type=Observation,Practitioner").await, "a-early a-late dr");
    assert_eq!(matches("_type=Observation,Encounter&start=2026-02-01").await, "a-late a-visit");
    assert_eq!(matches("_type=Observation,Encounter&start=2026-02&end=2026-02-28").await, "a-visit");
    // What has no date may be of any time.
    assert_eq!(matches("_type=AllergyIntolerance&start=2026-02-01").await, "a-allergy");
    let changed = json!({ "resourceType": "AllergyIntolerance", "id": "a-allergy", "patient": about("a"),
        "clinicalStatus": { "text": "active" } });
    let before: Value = app.json("/fhir/Patient/a/$everything?_type=Provenance,Observation").await;
    let newest = before["entry"][1]["resource"]["meta"]["lastUpdated"].as_str().expect("a time").to_owned();
    stored(&app, changed).await;
    let since = app.json("/fhir/AllergyIntolerance/a-allergy").await["meta"]["lastUpdated"]
        .as_str()
        .expect("a time")
        .to_owned();
    assert!(since > newest);
    assert_eq!(matches(&format!("_since={since}")).await, "a-allergy");
}

#[tokio::test]
async fn everything_comes_in_pages_that_lose_and_repeat_nothing() {
    let app = with_two_patients().await;
    let whole = app.json("/fhir/Patient/b/$everything").await;
    for count in [1, 2, 5] {
        let (mut found, mut pages) = (Vec::new(), 0);
        let mut next = Some(app.url(&format!("/fhir/Patient/b/$everything?_count={count}")));
        while let Some(url) = next {
            let page: Value = app.client.get(url).send().await.expect("an answer").json().await.expect("JSON");
            assert!(of_mode(&page, "match").len() <= count);
            found.extend(of_mode(&page, "match").into_iter().map(str::to_owned));
            next = link(&page, "next").map(str::to_owned);
            pages += 1;
        }
        let distinct: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        assert_eq!((distinct.len(), distinct), (found.len(), of_mode(&whole, "match")), "_count={count}");
        assert_eq!(pages, 6_usize.div_ceil(count));
    }
}

/// One Provenance for a whole record, and a list of more than may come along: pages go on all the same.
#[tokio::test]
async fn resource_that_refers_to_very_many_does_not_end_the_pages() {
    let app = TestApp::start_with(Options {
        validate_writes: Some(WriteValidation::Off),
        include_limit: Some(20),
        ..Options::default()
    });
    let everybody: Vec<Value> =
        (0..40).map(|number| json!({ "reference": format!("Practitioner/d{number}") })).collect();
    for number in 0..40 {
        stored(&app, json!({ "resourceType": "Practitioner", "id": format!("d{number}") })).await;
        let goal = json!({ "resourceType": "Goal", "id": format!("g{number}"), "lifecycleStatus": "active",
            "description": { "text": "x" }, "subject": about("a") });
        stored(&app, goal).await;
    }
    let mut targets: Vec<Value> = (0..40).map(|number| json!({ "reference": format!("Goal/g{number}") })).collect();
    targets.push(about("a"));
    for resource in [
        json!({ "resourceType": "Patient", "id": "a" }),
        json!({ "resourceType": "Provenance", "id": "all", "recorded": "2026-03-01T10:00:00Z", "target": targets,
            "agent": [{ "who": { "reference": "Practitioner/d1" } }] }),
        json!({ "resourceType": "Observation", "id": "crowd", "status": "final", "code": { "text": "x" }, "subject": about("a"),
            "performer": everybody }),
    ] {
        stored(&app, resource).await;
    }
    let (mut found, mut told) = (BTreeSet::new(), false);
    let mut next = Some(app.url("/fhir/Patient/a/$everything"));
    while let Some(url) = next {
        let answer = app.client.get(url).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let page: Value = answer.json().await.expect("JSON");
        found.extend(of_mode(&page, "match").into_iter().map(str::to_owned));
        told |= page.to_string().contains("include_limit");
        next = link(&page, "next").map(str::to_owned);
    }
    assert_eq!((found.len(), told), (43, true), "{found:?}");
}

#[tokio::test]
async fn everything_of_an_encounter_is_its_compartment() {
    let app = with_two_patients().await;
    let bundle = app.json("/fhir/Encounter/a-visit/$everything").await;
    assert_eq!(of_mode(&bundle, "match"), ["a-visit", "a-late"].into());
    assert_eq!(of_mode(&bundle, "include"), ["a", "dr", "room", "a-origin"].into());
}

/// Linked to each other, as two who are one: the other comes along, and nobody twice.
#[tokio::test]
async fn everything_of_a_patient_brings_the_patient_that_it_is_linked_to() {
    let app = app();
    let linked = |id: &str, to: &str| json!({ "resourceType": "Patient", "id": id, "link": [{ "other": about(to), "type": "seealso" }] });
    stored(&app, linked("one", "other")).await;
    stored(&app, linked("other", "one")).await;
    let goal = json!({ "resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": { "text": "x" }, "subject": about("one") });
    stored(&app, goal).await;
    for query in ["", "?_count=1"] {
        let mut met = Vec::new();
        let mut next = Some(format!("/fhir/Patient/one/$everything{query}"));
        while let Some(path) = next {
            let page = app.json(&path).await;
            met.extend(ids(&page).into_iter().map(str::to_owned));
            next = link(&page, "next").map(|url| url.strip_prefix(&app.running.base_url).expect("our own").to_owned());
        }
        met.sort();
        assert_eq!(met, ["g", "one", "other"], "{query}");
    }
}

#[tokio::test]
async fn everything_of_what_is_not_there_or_with_wrong_inputs_is_an_error() {
    let app = with_two_patients().await;
    outcome(app.get("/fhir/Patient/none/$everything").await, StatusCode::NOT_FOUND).await;
    stored(&app, json!({ "resourceType": "Patient", "id": "gone" })).await;
    assert_eq!(delete(&app, "/fhir/Patient/gone").await.status(), StatusCode::NO_CONTENT);
    outcome(app.get("/fhir/Patient/gone/$everything").await, StatusCode::GONE).await;
    for query in
        ["_type=Banana", "_count=0", "_count=x", "start=yesterday", "_since=x", "banana=1", "_cursor=x", "_type="]
    {
        let told =
            outcome(app.get(&format!("/fhir/Patient/a/$everything?{query}")).await, StatusCode::BAD_REQUEST).await;
        assert!(!told.to_string().contains("yesterday"), "{told}");
    }
    outcome(app.get("/fhir/Encounter/a-visit/$everything?start=2026").await, StatusCode::BAD_REQUEST).await;
}

/// A whole course of records: everything of its patient is everything that its records wrote.
#[tokio::test]
async fn everything_of_a_kap_patient_is_all_that_records_wrote() {
    let app = TestApp::start();
    let (mut written, mut patient) = (BTreeSet::new(), String::new());
    for name in ["01-intake", "03-dosing-session-1"] {
        let record = fixture(&format!("case-01/{name}.json"));
        let path = format!("/kap/v1/{}", record["kind"].as_str().expect("a kind"));
        let request = app.request(Method::POST, &path).header("Content-Type", "application/json");
        let answer = request.body(record.to_string()).send().await.expect("an answer");
        assert!(answer.status().is_success());
        let receipt: Value = answer.json().await.expect("JSON");
        patient = receipt["patient"].as_str().expect("a patient").to_owned();
        let resources = receipt["resources"].as_array().expect("resources");
        written.extend(resources.iter().map(|one| one["reference"].as_str().expect("text").to_owned()));
    }
    let mut found = BTreeSet::new();
    let mut next = Some(app.url(&format!("/fhir/{patient}/$everything")));
    while let Some(url) = next {
        let page: Value = app.client.get(url).send().await.expect("an answer").json().await.expect("JSON");
        for entry in page["entry"].as_array().expect("entries") {
            let resource = &entry["resource"];
            let text = |name: &str| resource[name].as_str().expect("text").to_owned();
            found.insert(format!("{}/{}", text("resourceType"), text("id")));
        }
        next = link(&page, "next").map(str::to_owned);
    }
    let missing: Vec<&String> = written.difference(&found).collect();
    // Roles, organizations and medications of the care team are reached from what refers to them, two steps away.
    let is_far =
        |name: &&&String| ["Organization", "Practitioner", "PractitionerRole"].iter().any(|far| name.starts_with(far));
    let lost: Vec<_> = missing.iter().filter(|name| !is_far(name)).collect();
    assert!(lost.is_empty() && written.len() > 60, "{lost:?} of {}", written.len());
}

fn coded(id: &str, codes: &[&str], time: &str) -> Value {
    let coding: Vec<Value> = codes.iter().map(|code| json!({ "system": "http://loinc.org", "code": code })).collect();
    json!({ "resourceType": "Observation", "id": id, "status": "final", "code": { "coding": coding }, "subject": about("a"),
        "category": [{ "coding": [{ "code": "vital-signs" }] }], "effectiveDateTime": time })
}

#[tokio::test]
async fn lastn_gives_the_newest_of_each_code() {
    let app = app();
    for resource in [
        coded("p1", &["8867-4"], "2026-01-01T10:00:00Z"),
        coded("p2", &["8867-4"], "2026-01-02T10:00:00Z"),
        coded("p3", &["8867-4"], "2026-01-03T10:00:00Z"),
        coded("tie", &["8867-4"], "2026-01-03T10:00:00Z"),
        coded("w1", &["29463-7"], "2026-01-01"),
        coded("w2", &["29463-7", "3141-9"], "2026-01-02"),
        coded("w3", &["3141-9"], "2026-01-03"),
        coded("none", &["8302-2"], "2025-01-01"),
    ] {
        stored(&app, resource).await;
    }
    let mut wrong = coded("wrong", &["8867-4"], "2026-02-01");
    wrong["status"] = "entered-in-error".into();
    stored(&app, wrong).await;
    let mut other = coded("other", &["8867-4"], "2026-02-02");
    other["subject"] = about("b");
    stored(&app, other).await;
    let found = async |query: &str| {
        let bundle = app.json(&format!("/fhir/Observation/$lastn?{query}")).await;
        codec::from_json(bundle.to_string().as_bytes()).expect("FHIR R4");
        let mut found: Vec<String> = ids(&bundle).into_iter().map(str::to_owned).collect();
        assert_eq!(bundle["total"], found.len());
        found.sort();
        found.join(" ")
    };
    // Two at one time both count; the second of w2's codings makes both one code.
    assert_eq!(found("patient=a&category=vital-signs").await, "none p3 tie w3");
    assert_eq!(found("patient=a&category=vital-signs&max=2").await, "none p3 tie w2 w3");
    assert_eq!(found("subject=Patient/a&code=8867-4&max=3").await, "p2 p3 tie");
    assert_eq!(found("patient=a&code=8867-4&date=lt2026-01-03").await, "p2");
    assert_eq!(found("patient=a&code=8867-4&status=entered-in-error").await, "wrong");
    for query in [
        "patient=a",
        "code=8867-4",
        "patient=a&code=x&max=0",
        "patient=a&code=x&max=1&max=2",
        "patient=a&code=x&_count=3",
        "patient=a&code=x&banana=1",
        "patient=a&code=x&_sort=date",
    ] {
        outcome(app.get(&format!("/fhir/Observation/$lastn?{query}")).await, StatusCode::BAD_REQUEST).await;
    }
}
