//! Read and version read.

use crate::test_app::{PATIENT, TestApp, header, ids, outcome, patient};
use kap_gateway::fhir::codec;
use reqwest::{Method, StatusCode};
use serde_json::Value;

fn path() -> String {
    format!("/fhir/Patient/{PATIENT}")
}

#[tokio::test]
async fn read_returns_the_stored_bytes_with_version_headers() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;

    let response = app.get(&path()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), "application/fhir+json; charset=utf-8");
    assert_eq!(header(&response, "etag"), "W/\"1\"");
    assert!(header(&response, "last-modified").ends_with(" GMT"));
    assert_eq!(header(&response, "vary"), "Accept");
    let text = response.text().await.expect("text");
    let body: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(body["meta"]["versionId"], "1");
    assert_eq!(body["name"][0]["family"], "Testpatient");
    assert_eq!(body.to_string(), text, "compact, members in the order in which they were stored");
}

#[tokio::test]
async fn read_of_an_unknown_id_returns_404() {
    let app = TestApp::start();
    let body = outcome(app.get("/fhir/Patient/nobody").await, StatusCode::NOT_FOUND).await;
    insta::assert_json_snapshot!(body, @r#"
    {
      "resourceType": "OperationOutcome",
      "issue": [
        {
          "severity": "error",
          "code": "not-found",
          "details": {
            "text": "There is no Patient with that id."
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn read_of_an_unknown_type_returns_404() {
    let app = TestApp::start();
    let body = outcome(app.get("/fhir/Banana/1").await, StatusCode::NOT_FOUND).await;
    assert_eq!(body["issue"][0]["code"], "not-supported");
}

#[tokio::test]
async fn version_read_returns_each_version() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    app.store(&patient(PATIENT, "A-2")).await;
    for (version, identifier) in [("1", "A-1"), ("2", "A-2")] {
        let response = app.get(&format!("{}/_history/{version}", path())).await;
        assert_eq!(header(&response, "etag"), format!("W/\"{version}\""));
        let body: Value = response.json().await.expect("JSON");
        assert_eq!(body["identifier"][0]["value"], identifier);
        assert_eq!(body["meta"]["versionId"], version);
    }
    for version in ["3", "0", "99999999999999999999999999"] {
        outcome(app.get(&format!("{}/_history/{version}", path())).await, StatusCode::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn read_with_the_current_etag_returns_304_without_a_body() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    for (etag, status) in [
        ("W/\"1\"", StatusCode::NOT_MODIFIED),
        ("\"1\"", StatusCode::NOT_MODIFIED),
        ("W/\"7\", W/\"1\"", StatusCode::NOT_MODIFIED),
        ("*", StatusCode::NOT_MODIFIED),
        ("W/\"2\"", StatusCode::OK),
    ] {
        let response = app.request(Method::GET, &path()).header("If-None-Match", etag).send().await.expect("an answer");
        assert_eq!(response.status(), status, "{etag}");
        assert_eq!(header(&response, "etag"), "W/\"1\"");
        assert_eq!(response.bytes().await.expect("a body").is_empty(), status == StatusCode::NOT_MODIFIED);
    }
}

#[tokio::test]
async fn read_if_modified_since_compares_whole_seconds() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    let modified = header(&app.get(&path()).await, "last-modified");
    for (since, status) in [
        (modified.as_str(), StatusCode::NOT_MODIFIED),
        ("Thu, 01 Jan 1970 00:00:00 GMT", StatusCode::OK),
        ("yesterday", StatusCode::OK),
    ] {
        let request = app.request(Method::GET, &path()).header("If-Modified-Since", since);
        assert_eq!(request.send().await.expect("an answer").status(), status, "{since}");
    }
}

#[tokio::test]
async fn if_none_match_decides_over_if_modified_since() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    let modified = header(&app.get(&path()).await, "last-modified");
    let request = app.request(Method::GET, &path()).header("If-None-Match", "W/\"2\"");
    let response = request.header("If-Modified-Since", modified).send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    let got = app.get(&path()).await;
    let asked = app.request(Method::HEAD, &path()).send().await.expect("an answer");
    assert_eq!(asked.status(), StatusCode::OK);
    for name in ["etag", "last-modified", "content-type", "content-length"] {
        assert_eq!(header(&asked, name), header(&got, name), "{name}");
    }
    assert!(asked.bytes().await.expect("a body").is_empty());
}

#[tokio::test]
async fn a_request_id_that_is_a_uuid_comes_back_and_another_does_not() {
    let app = TestApp::start();
    let id = "00000000-0000-4000-8000-000000000001";
    let response = app.request(Method::GET, "/healthz").header("X-Request-Id", id).send().await.expect("an answer");
    assert_eq!(header(&response, "x-request-id"), id);
    let response =
        app.request(Method::GET, "/healthz").header("X-Request-Id", "Testpatient").send().await.expect("an answer");
    assert_eq!(header(&response, "x-request-id").len(), 36);
}

/// Reads come from memory where they can: others that read all the time must not keep an old version there.
#[tokio::test]
async fn read_after_an_acknowledged_write_never_shows_the_version_before() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-0")).await;
    let url = app.url(&path());
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (client, url) = (app.client.clone(), url.clone());
            tokio::spawn(async move {
                loop {
                    client.get(&url).send().await.expect("an answer");
                }
            })
        })
        .collect();
    for version in 2..=100 {
        app.store(&patient(PATIENT, &format!("A-{version}"))).await;
        assert_eq!(header(&app.get(&path()).await, "etag"), format!("W/\"{version}\""));
    }
    readers.iter().for_each(|reader| reader.abort());
}

#[tokio::test]
async fn resources_of_the_guide_are_read_and_found_by_their_canonical() {
    let app = TestApp::start();
    let id = "kap-ketamine-administration";
    let profile = app.json(&format!("/fhir/StructureDefinition/{id}")).await;
    assert_eq!(profile["id"], id);
    let url = profile["url"].as_str().expect("text");
    let found = app.json(&format!("/fhir/StructureDefinition?url={url}")).await;
    assert_eq!(found["entry"][0]["resource"], profile);
    assert_eq!(ids(&app.json(&format!("/fhir/StructureDefinition?_id={id}")).await), vec![id]);
    for path in [
        "url=https://elsewhere.example.org/kap-role",
        "_id=nobody",
        "url=https://elsewhere.example.org/kap-role&_id=kap-role",
    ] {
        assert_eq!(app.json(&format!("/fhir/ValueSet?{path}")).await["total"], 0, "{path}");
    }
    let xml = app.get(&format!("/fhir/StructureDefinition/{id}?_format=xml")).await;
    codec::from_xml(&xml.text().await.expect("text")).expect("FHIR XML");
    outcome(app.get("/fhir/StructureDefinition/nobody").await, StatusCode::NOT_FOUND).await;
    outcome(app.get("/fhir/StructureDefinition/..-kap").await, StatusCode::NOT_FOUND).await;
    // Not all of them at once.
    assert_eq!(app.json("/fhir/StructureDefinition").await["total"], 0);
    outcome(app.get("/fhir/StructureDefinition?banana=x").await, StatusCode::BAD_REQUEST).await;
}
