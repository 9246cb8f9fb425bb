//! What is kept of the content of a write: references to this server, and parts of resources.

use crate::{
    test_app::{TestApp, header, ids, outcome, patient},
    writes::{goal, post, put, request},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn observation(id: &str, subject: &str) -> Value {
    json!({ "resourceType": "Observation", "id": id, "status": "final", "code": { "text": "x" },
            "subject": { "reference": subject } })
}

/// R4: a relative reference and an absolute one that lead to the same resource are the same to a search.
#[tokio::test]
async fn reference_by_the_servers_own_address_is_met_by_every_search() {
    let app = TestApp::start();
    put(&app, "/fhir/Patient/p", &patient("p", "A-1")).await;
    let whole = app.url("/fhir/Patient/p");
    assert_eq!(put(&app, "/fhir/Observation/o", &observation("o", &whole)).await.status(), StatusCode::CREATED);
    for query in [
        "Observation?subject=Patient/p".to_owned(),
        "Observation?subject=p".to_owned(),
        "Observation?patient=p".to_owned(),
        format!("Observation?subject={whole}"),
        "Observation?subject:Patient.family=testpatient".to_owned(),
        "Patient/p/Observation".to_owned(),
    ] {
        assert_eq!(ids(&app.json(&format!("/fhir/{query}")).await), ["o"], "{query}");
    }
    for query in ["Patient?_id=p&_revinclude=Observation:subject", "Patient/p/$everything"] {
        assert_eq!(ids(&app.json(&format!("/fhir/{query}")).await), ["p", "o"], "{query}");
    }
    assert_eq!(app.json("/fhir/Observation/o").await["subject"]["reference"], "Patient/p");
    // Another server's patient stays another's.
    put(&app, "/fhir/Observation/else", &observation("else", "https://other.example/fhir/Patient/p")).await;
    assert_eq!(ids(&app.json("/fhir/Observation?patient=p").await), ["o"]);
    let kept = app.json("/fhir/Observation/else").await;
    assert_eq!(kept["subject"]["reference"], "https://other.example/fhir/Patient/p");
}

#[tokio::test]
async fn patches_and_transactions_too_keep_references_to_this_server_relative() {
    let app = TestApp::start();
    put(&app, "/fhir/Patient/p", &patient("p", "A-1")).await;
    put(&app, "/fhir/Observation/o", &observation("o", "Group/g")).await;
    let whole = app.url("/fhir/Patient/p");
    let patch = json!([{ "op": "replace", "path": "/subject/reference", "value": whole }]);
    let patch = app.request(Method::PATCH, "/fhir/Observation/o").body(patch.to_string());
    let patch = patch.header("Content-Type", "application/json-patch+json").send().await.expect("an answer");
    assert_eq!(patch.status(), StatusCode::OK);
    let entry = json!({ "resource": observation("t", &whole), "request": { "method": "PUT", "url": "Observation/t" } });
    let sent = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry] });
    assert_eq!(post(&app, "/fhir", &sent).await.status(), StatusCode::OK);
    assert_eq!(ids(&app.json("/fhir/Observation?patient=p&_sort=_id").await), ["o", "t"]);
    // What is stored already makes no version, by whichever of its names the patient is called.
    let again = put(&app, "/fhir/Observation/t", &observation("t", &whole)).await;
    assert_eq!(header(&again, "etag"), "W/\"1\"");
}

/// A client that reads a summary and sends it back would take away what the summary left out.
#[tokio::test]
async fn part_of_a_resource_does_not_take_the_place_of_the_whole() {
    let app = TestApp::start();
    put(&app, "/fhir/Patient/p", &patient("p", "A-1")).await;
    let part = app.json("/fhir/Patient/p?_elements=name").await;
    assert!(part["identifier"].is_null());
    let by_search = "/fhir/Patient?identifier=urn:test:mrn|A-1";
    for path in ["/fhir/Patient/p", by_search] {
        let told = outcome(put(&app, path, &part).await, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(told["issue"][0]["code"], "business-rule");
    }
    let entry = json!({ "resource": part, "request": { "method": "PUT", "url": "Patient/p" } });
    let sent = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry] });
    outcome(post(&app, "/fhir", &sent).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    let kept = app.json("/fhir/Patient/p").await;
    assert_eq!((&kept["meta"]["versionId"], &kept["identifier"][0]["value"]), (&json!("1"), &json!("A-1")));
    // Where nothing is overwritten a part may be kept as one.
    let mut copy = part.clone();
    copy["id"] = "copy".into();
    assert_eq!(put(&app, "/fhir/Patient/copy", &copy).await.status(), StatusCode::CREATED);
    // Another system's code of that name says nothing.
    let mut other = goal("g", "sleep");
    put(&app, "/fhir/Goal/g", &other).await;
    other["meta"]["tag"] = json!([{ "system": "urn:other", "code": "SUBSETTED" }]);
    let sent = request(&app, Method::PUT, "/fhir/Goal/g").body(other.to_string()).send().await.expect("an answer");
    assert_eq!(sent.status(), StatusCode::OK);
}
