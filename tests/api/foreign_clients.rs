//! Manners of client libraries that others wrote, each met by one of them: `checks/clients` drives the libraries themselves.

use crate::{
    test_app::{PATIENT, TestApp, ids, outcome, patient},
    writes::{post, put, request},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// fhir-kit-client posts Bundles to, and searches all types at, the base with a slash.
#[tokio::test]
async fn base_and_types_are_found_with_a_slash_behind_them() {
    let app = TestApp::start();
    assert_eq!(put(&app, "/fhir/Patient/a", &patient("a", "1")).await.status(), StatusCode::CREATED);
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": [{ "request": { "method": "GET", "url": "Patient/a" } }] });
    let answer: Value = post(&app, "/fhir/", &batch).await.json().await.expect("JSON");
    assert_eq!(answer["entry"][0]["resource"]["id"], "a");
    for path in ["/fhir/?_type=Patient", "/fhir/Patient/", "/fhir//Patient?identifier=1"] {
        let found = app.json(path).await;
        assert_eq!(ids(&found), ["a"], "{path}");
        assert!(
            !found["link"][0]["url"].as_str().expect("a link").trim_start_matches("http://").contains("//"),
            "{found}"
        );
    }
}

/// HAPI asks for `_elements` and `_summary` on reads.
#[tokio::test]
async fn parts_come_from_reads_versions_histories_and_entries() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    let path = format!("/fhir/Patient/{PATIENT}");
    let names = |resource: &Value| resource.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let expected = ["resourceType", "id", "meta", "name"];
    for place in [path.clone(), format!("{path}/_history/1")] {
        let part = app.json(&format!("{place}?_elements=name")).await;
        assert_eq!(names(&part), expected, "{place}");
        assert_eq!(part["meta"]["tag"].as_array().expect("tags").last().expect("a tag")["code"], "SUBSETTED");
    }
    let history = app.json(&format!("{path}/_history?_elements=name")).await;
    assert_eq!(names(&history["entry"][0]["resource"]), expected);
    let everything = app.json(&format!("{path}/$everything?_elements=name")).await;
    assert_eq!(names(&everything["entry"][0]["resource"]), expected);
    let entry = |url: String| json!({ "request": { "method": "GET", "url": url } });
    let entries = [entry(format!("Patient/{PATIENT}?_elements=name")), entry(format!("Patient/{PATIENT}?name=x"))];
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": entries });
    let answer: Value = post(&app, "/fhir", &batch).await.json().await.expect("JSON");
    assert_eq!(names(&answer["entry"][0]["resource"]), expected);
    assert_eq!(answer["entry"][1]["response"]["status"], "400 Bad Request");
    assert!(app.json(&format!("{path}?_summary=text")).await.get("name").is_none());
    for wrong in ["_summary=count", "_summary=x", "_elements=", "_summary=true&_elements=name"] {
        for place in [path.clone(), format!("{path}/_history"), "/fhir/Patient".to_owned()] {
            if place.ends_with("Patient") && wrong == "_summary=count" {
                continue;
            }
            outcome(app.get(&format!("{place}?{wrong}")).await, StatusCode::BAD_REQUEST).await;
        }
    }
}

/// HAPI sends the whole URL of the search, with the format in it.
#[tokio::test]
async fn condition_of_a_create_may_be_a_url() {
    let app = TestApp::start();
    let create = async |criteria: &str| {
        let request = request(&app, Method::POST, "/fhir/Patient").header("If-None-Exist", criteria);
        request.body(patient("x", "once").to_string()).send().await.expect("an answer").status()
    };
    assert_eq!(create("identifier=once").await, StatusCode::CREATED);
    let whole = format!("{}?_format=json&identifier=once", app.url("/fhir/Patient"));
    for criteria in ["?identifier=once", "Patient?identifier=once", "/Patient?identifier=once", &whole] {
        assert_eq!(create(criteria).await, StatusCode::OK, "{criteria}");
    }
    // A question mark in a value is none before a search.
    assert_eq!(create("identifier=http://x?y|once").await, StatusCode::CREATED);
    for wrong in ["Goal?identifier=once", "Patient?", "Patient?_format=json"] {
        assert_eq!(create(wrong).await, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

/// Refused, where it would be passed over: the client believes that its condition is kept.
#[tokio::test]
async fn conditions_without_a_meaning_are_refused() {
    let app = TestApp::start();
    assert_eq!(put(&app, "/fhir/Patient/a", &patient("a", "1")).await.status(), StatusCode::CREATED);
    for (method, path, header, value) in [
        (Method::PUT, "/fhir/Patient/a", "If-None-Exist", "identifier=1"),
        (Method::PUT, "/fhir/Patient?identifier=1", "If-None-Exist", "identifier=1"),
        (Method::DELETE, "/fhir/Patient/a", "If-None-Exist", "identifier=1"),
        (Method::POST, "/fhir/Patient", "If-Match", "W/\"1\""),
        (Method::POST, "/fhir/Patient", "If-None-Match", "*"),
    ] {
        let sent = request(&app, method, path).header(header, value).body(patient("a", "1").to_string());
        let told = outcome(sent.send().await.expect("an answer"), StatusCode::BAD_REQUEST).await;
        assert!(told["issue"][0]["details"]["text"].as_str().expect("text").contains(header), "{told}");
    }
}

/// HAPI asks for the versions of a span by two parameters.
#[tokio::test]
async fn history_of_a_span_takes_its_two_ends() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    let count = async |query: &str| {
        let history = app.json(&format!("/fhir/Patient/{PATIENT}/_history?{query}")).await;
        history["entry"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(count("_at=ge2001&_at=le9998").await, 1);
    assert_eq!(count("_at=ge2001").await, 1);
    assert_eq!(count("_at=gt2001-01-01&_at=lt2002").await, 0);
    assert_eq!(count("_at=le2002").await, 0);
    for wrong in ["_at=ge2001&_at=le2002&_at=2003", "_at=sa2001", "_at=ge"] {
        let path = format!("/fhir/Patient/{PATIENT}/_history?{wrong}");
        outcome(app.get(&path).await, StatusCode::BAD_REQUEST).await;
    }
}

/// HAPI posts operations.
#[tokio::test]
async fn lastn_takes_its_parameters_from_a_body_too() {
    let app = TestApp::with_observations().await;
    let asked = |parameters: Value| json!({ "resourceType": "Parameters", "parameter": parameters });
    let parameter = |name: &str, value: &str| json!({ "name": name, "valueString": value });
    let max = json!({ "name": "max", "valueInteger": 2 });
    let of_patient = parameter("patient", &format!("Patient/{PATIENT}"));
    let all = asked(json!([of_patient, parameter("category", "survey,vital-signs"), max]));
    let posted: Value = post(&app, "/fhir/Observation/$lastn", &all).await.json().await.expect("JSON");
    let path = format!("/fhir/Observation/$lastn?patient=Patient/{PATIENT}&category=survey,vital-signs&max=2");
    let got = app.json(&path).await;
    assert_eq!((&posted["total"], ids(&posted)), (&got["total"], ids(&got)));
    for wrong in [
        json!({ "resourceType": "Patient" }),
        asked(json!({ "name": "max" })),
        asked(json!([of_patient, { "name": "category", "valueCoding": { "code": "x" } }])),
        asked(json!([of_patient, { "valueString": "x" }])),
        asked(json!([of_patient, parameter("nonsense", "x"), parameter("code", "x")])),
    ] {
        outcome(post(&app, "/fhir/Observation/$lastn", &wrong).await, StatusCode::BAD_REQUEST).await;
    }
}

/// Each would make what the other looks for: there would be two.
#[tokio::test]
async fn entries_that_create_on_the_same_condition_are_refused() {
    let app = TestApp::start();
    let create = |criteria: &str| json!({ "resource": patient("x", "twice"), "request": { "method": "POST", "url": "Patient", "ifNoneExist": criteria } });
    let update = json!({ "resource": patient("y", "twice"), "request": { "method": "PUT", "url": "Patient?name=testpatient&identifier=twice" } });
    let same = create("identifier=twice&name=testpatient");
    for entries in [json!([create("identifier=twice"), create("identifier=twice")]), json!([same, update])] {
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
        let told = outcome(post(&app, "/fhir", &bundle).await, StatusCode::BAD_REQUEST).await;
        assert_eq!(told["issue"][0]["code"], "duplicate", "{told}");
    }
    assert_eq!(app.json("/fhir/Patient").await["total"], 0);
    // One finds it, and so does the other.
    assert_eq!(put(&app, "/fhir/Patient/p", &patient("p", "twice")).await.status(), StatusCode::CREATED);
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [create("identifier=twice"), create("identifier=twice")] });
    assert_eq!(post(&app, "/fhir", &bundle).await.status(), StatusCode::OK);
}
