//! Whatever is wrong, the answer is an OperationOutcome.

use crate::test_app::{PATIENT, TestApp, header, outcome};
use kap_gateway::config::Options;
use reqwest::{Method, StatusCode};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Sends text that no HTTP client would, and gives the whole answer.
async fn raw(app: &TestApp, request: &str) -> String {
    let mut stream = TcpStream::connect(app.running.address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
    read.await.expect("an answer in time").expect("an answer");
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn unknown_paths_return_404() {
    let app = TestApp::start();
    for path in
        ["/banana", "/fhirs", "/fhir/Patient/a_b", "/fhir/Patient/_banana", "/fhir/Patient/1/2/3", "/docs/banana.js"]
    {
        outcome(app.get(path).await, StatusCode::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn other_methods_return_405_with_allow() {
    let app = TestApp::start();
    for (method, path, allow) in [
        (Method::POST, format!("/fhir/Patient/{PATIENT}"), "DELETE, GET, HEAD, PATCH, PUT"),
        (Method::OPTIONS, "/fhir/Patient".to_owned(), "DELETE, GET, HEAD, PATCH, POST, PUT"),
        (Method::PUT, format!("/fhir/Patient/{PATIENT}/_history/1"), "GET, HEAD"),
        (Method::PATCH, "/fhir/metadata".to_owned(), "GET, HEAD"),
        (Method::GET, "/fhir/Patient/_search".to_owned(), "POST"),
        (Method::POST, "/healthz".to_owned(), "GET, HEAD"),
    ] {
        let response = app.request(method.clone(), &path).send().await.expect("an answer");
        assert_eq!(header(&response, "allow"), allow, "{method} {path}");
        let body = outcome(response, StatusCode::METHOD_NOT_ALLOWED).await;
        assert_eq!(body["issue"][0]["code"], "not-supported");
    }
}

#[tokio::test]
async fn malformed_percent_encoding_returns_400() {
    let app = TestApp::start();
    for path in ["/fhir/Patient/%ff", "/fhir/Patient/%zz", "/fhir/Patient?_id=%", "/fhir/Patient?_id=%00", "/%c3"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw(&app, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
        assert!(answer.contains(r#""resourceType":"OperationOutcome""#), "{path}: {answer}");
    }
}

#[tokio::test]
async fn body_above_the_limit_returns_413() {
    let app = TestApp::start_with(Options { body_limit: Some(100), ..Options::default() });
    let request = app.request(Method::POST, "/fhir/Patient/_search");
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    let body =
        outcome(request.body("_id=x&".repeat(20)).send().await.expect("an answer"), StatusCode::PAYLOAD_TOO_LARGE)
            .await;
    assert_eq!(body["issue"][0]["code"], "too-long");
    assert_eq!(
        body["issue"][0]["details"]["text"],
        "The body is larger than 100 bytes, the most that is taken here (setting body_limit)."
    );
}

/// A client that is still sending must get the answer too, not a broken connection.
#[tokio::test]
async fn body_far_above_the_limit_returns_413() {
    let app = TestApp::start();
    let request = app.request(Method::POST, "/fhir/Patient/_search");
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    let response = request.body(vec![b'a'; 20 << 20]).send().await.expect("an answer");
    outcome(response, StatusCode::PAYLOAD_TOO_LARGE).await;
}

#[tokio::test]
async fn body_in_a_coding_that_is_not_known_returns_415() {
    let app = TestApp::start();
    let request = app.request(Method::POST, "/fhir/Patient/_search").header("Content-Encoding", "br");
    outcome(request.body("x").send().await.expect("an answer"), StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
}

#[tokio::test]
async fn read_with_an_unknown_parameter_returns_400() {
    let app = TestApp::start();
    let path = format!("/fhir/Patient/{PATIENT}?_summery=true&_format=json&_format=xml");
    let body = outcome(app.get(&path).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(body["issue"][0]["location"][0], "http._summery");
    assert_eq!(body["issue"][1]["location"][0], "http._format");
}

#[tokio::test]
async fn every_error_names_its_request() {
    let app = TestApp::start();
    let response = app.get("/banana").await;
    assert_eq!(header(&response, "x-request-id").len(), 36);
}
