//! JSON and XML, `Accept`, `_format` and `_pretty`.

use crate::test_app::{PATIENT, TestApp, header, outcome, patient};
use kap_gateway::fhir::codec;
use reqwest::{Method, StatusCode};

const XML: &str = "application/fhir+xml; charset=utf-8";
const JSON: &str = "application/fhir+json; charset=utf-8";

async fn one_patient() -> TestApp {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    app
}

#[tokio::test]
async fn format_parameter_wins_over_accept() {
    let app = one_patient().await;
    for (accept, format, expected) in [
        ("*/*", "", JSON),
        ("application/fhir+xml", "", XML),
        ("application/xml", "", XML),
        ("application/fhir+json;q=0.3, text/xml;q=0.4", "", XML),
        ("application/fhir+xml", "json", JSON),
        ("application/fhir+xml", "application/fhir%2Bjson", JSON),
        ("application/fhir+xml", "application/fhir+json", JSON),
        ("text/html", "xml", XML),
        ("*/*", "text/xml", XML),
    ] {
        let query = if format.is_empty() { String::new() } else { format!("?_format={format}") };
        let request = app.request(Method::GET, &format!("/fhir/Patient/{PATIENT}{query}"));
        let response = request.header("Accept", accept).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "{accept} {format}");
        assert_eq!(header(&response, "content-type"), expected, "{accept} {format}");
    }
}

#[tokio::test]
async fn unacceptable_formats_return_406() {
    let app = one_patient().await;
    let request = app.request(Method::GET, &format!("/fhir/Patient/{PATIENT}")).header("Accept", "text/turtle");
    outcome(request.send().await.expect("an answer"), StatusCode::NOT_ACCEPTABLE).await;
    let response = app.get(&format!("/fhir/Patient/{PATIENT}?_format=ttl")).await;
    outcome(response, StatusCode::NOT_ACCEPTABLE).await;
}

#[tokio::test]
async fn xml_holds_the_same_resource() {
    let app = one_patient().await;
    let json = app.get(&format!("/fhir/Patient/{PATIENT}")).await.bytes().await.expect("a body");
    let xml = app.get(&format!("/fhir/Patient/{PATIENT}?_format=xml")).await.text().await.expect("text");
    let from_xml = codec::from_xml(&xml).expect("FHIR XML");
    assert_eq!(from_xml, codec::from_json(&json).expect("FHIR JSON"), "{xml}");
}

/// XML readers turn a plain line break in an attribute into a space, and FHIR keeps strings in attributes.
#[tokio::test]
async fn xml_keeps_line_breaks_and_tabs() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "first\nsecond\tthird\r")).await;
    let xml = app.get(&format!("/fhir/Patient/{PATIENT}?_format=xml")).await.text().await.expect("text");
    assert!(xml.contains("first&#10;second&#9;third&#13;"), "{xml}");
}

#[tokio::test]
async fn pretty_json_is_laid_out_and_the_same() {
    let app = one_patient().await;
    let path = format!("/fhir/Patient/{PATIENT}");
    let text = app.get(&format!("{path}?_pretty=true")).await.text().await.expect("text");
    assert!(text.contains("\n  \"id\""), "{text}");
    let laid_out: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(laid_out, app.json(&path).await);
}

#[tokio::test]
async fn bundles_and_capabilities_come_as_xml_too() {
    let app = TestApp::with_observations().await;
    for path in [
        "/fhir/Observation?_format=xml&_count=2".to_owned(),
        format!("/fhir/Patient/{PATIENT}/_history?_format=xml"),
        "/fhir/metadata?_format=xml".to_owned(),
    ] {
        let response = app.get(&path).await;
        assert_eq!(header(&response, "content-type"), XML, "{path}");
        codec::from_xml(&response.text().await.expect("text")).expect("FHIR XML");
    }
}

#[tokio::test]
async fn errors_come_as_xml_where_xml_is_asked_for() {
    let app = TestApp::start();
    let request = app.request(Method::GET, "/fhir/Patient/nobody").header("Accept", "application/fhir+xml");
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(header(&response, "content-type"), XML);
    let text = response.text().await.expect("text");
    codec::from_xml(&text).expect("FHIR XML");
    assert!(text.contains("OperationOutcome"));
}

#[tokio::test]
async fn answers_of_patients_are_kept_by_no_shared_cache_and_kap_has_json_alone() {
    let app = one_patient().await;
    let response = app.get(&format!("/fhir/Patient/{PATIENT}/_history")).await;
    assert_eq!(header(&response, "cache-control"), "private, no-cache");
    let request = app.request(Method::GET, "/kap/v1/intake/x").header("Accept", "text/html");
    let body = outcome(request.send().await.expect("an answer"), StatusCode::NOT_ACCEPTABLE).await;
    assert!(body["issue"][0]["details"]["text"].as_str().expect("text").contains("application/json"), "{body}");
}
