//! History of one resource.

use crate::test_app::{PATIENT, TestApp, link, outcome, patient};
use kap_gateway::fhir::codec;
use reqwest::StatusCode;
use serde_json::Value;

async fn five_versions() -> TestApp {
    let app = TestApp::start();
    for number in 1..=5 {
        app.store(&patient(PATIENT, &format!("A-{number}"))).await;
    }
    app
}

fn versions(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().map(|entry| entry["resource"]["meta"]["versionId"].as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn history_lists_all_versions_newest_first() {
    let app = five_versions().await;
    let bundle = app.json(&format!("/fhir/Patient/{PATIENT}/_history")).await;
    assert_eq!(bundle["type"], "history");
    assert_eq!(bundle["total"], 5);
    assert_eq!(versions(&bundle), ["5", "4", "3", "2", "1"]);
    assert_eq!(link(&bundle, "next"), None);
    let (newest, oldest) = (&bundle["entry"][0], &bundle["entry"][4]);
    assert_eq!(newest["request"]["method"], "PUT");
    assert_eq!(newest["request"]["url"], format!("Patient/{PATIENT}"));
    assert_eq!(newest["response"]["status"], "200");
    assert_eq!(newest["response"]["etag"], "W/\"5\"");
    assert_eq!(newest["response"]["lastModified"], newest["resource"]["meta"]["lastUpdated"]);
    assert_eq!(oldest["response"]["status"], "201");
    codec::from_json(bundle.to_string().as_bytes()).expect("FHIR R4");
}

#[tokio::test]
async fn history_pages_cover_every_version_once() {
    let app = five_versions().await;
    let mut seen = Vec::new();
    let mut next = Some(format!("/fhir/Patient/{PATIENT}/_history?_count=2"));
    while let Some(path) = next {
        let bundle = app.json(&path).await;
        assert_eq!(bundle["total"], 5);
        seen.extend(versions(&bundle));
        next = link(&bundle, "next").map(|url| url.strip_prefix(&app.running.base_url).expect("our own").to_owned());
    }
    assert_eq!(seen, ["5", "4", "3", "2", "1"]);
}

#[tokio::test]
async fn history_count_zero_gives_the_number_alone() {
    let app = five_versions().await;
    let bundle = app.json(&format!("/fhir/Patient/{PATIENT}/_history?_count=0")).await;
    assert_eq!(bundle["total"], 5);
    assert_eq!(bundle.get("entry"), None);
}

#[tokio::test]
async fn history_of_an_unknown_id_returns_404() {
    let app = TestApp::start();
    outcome(app.get("/fhir/Patient/nobody/_history").await, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn history_with_parameters_it_does_not_know_returns_400_naming_each() {
    let app = five_versions().await;
    let path = format!("/fhir/Patient/{PATIENT}/_history?_since=2026-01-01&_count=x&_at=2026");
    let body = outcome(app.get(&path).await, StatusCode::BAD_REQUEST).await;
    let named: Vec<&str> =
        body["issue"].as_array().expect("issues").iter().filter_map(|issue| issue["location"][0].as_str()).collect();
    assert_eq!(named, ["http._since", "http._at", "http._count"]);
}
