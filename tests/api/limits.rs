//! How much one request may ask for: each refusal names the limit and its setting.

use crate::{
    test_app::{TestApp, header, outcome},
    writes::{post, put},
};
use kap_gateway::{app::Options, config::WriteValidation};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// Asserts that an answer is refused by the limit of that setting, with that issue type.
async fn refused(answer: reqwest::Response, status: StatusCode, code: &str, setting: &str) {
    let body = outcome(answer, status).await;
    assert_eq!(body["issue"][0]["code"], code, "{body}");
    assert!(body.to_string().contains(setting), "{body}");
}

fn basic(size: usize) -> Value {
    json!({ "resourceType": "Basic", "code": { "text": "x".repeat(size) } })
}

fn bundle(kind: &str, entries: usize) -> Value {
    let entry = json!({ "resource": basic(1), "request": { "method": "POST", "url": "Basic" } });
    json!({ "resourceType": "Bundle", "type": kind, "entry": vec![entry; entries] })
}

#[tokio::test]
async fn bodies_under_fhir_may_be_larger_than_records() {
    let app = TestApp::start_with(Options {
        fhir_body_limit: Some(3 << 20),
        validate_writes: Some(WriteValidation::Off),
        ..Options::default()
    });
    assert_eq!(post(&app, "/fhir/Basic", &basic(2 << 20)).await.status(), StatusCode::CREATED);
    refused(
        post(&app, "/fhir/Basic", &basic(3 << 20)).await,
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-long",
        "fhir_body_limit",
    )
    .await;
    let request = app.request(Method::POST, "/kap/v1/intake").header("Content-Type", "application/json");
    let answer = request.body(basic(2 << 20).to_string()).send().await.expect("an answer");
    let told = outcome(answer, StatusCode::PAYLOAD_TOO_LARGE).await.to_string();
    assert!(told.contains("setting body_limit"), "{told}");
    // Without a length in the head, and packed: it is counted as it is unpacked.
    let packed = {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(basic(40 << 20).to_string().as_bytes()).expect("packed");
        packer.finish().expect("packed")
    };
    let request = app.request(Method::POST, "/fhir/Basic").header("Content-Type", "application/fhir+json");
    let answer = request.header("Content-Encoding", "gzip").body(packed).send().await.expect("an answer");
    refused(answer, StatusCode::PAYLOAD_TOO_LARGE, "too-long", "fhir_body_limit").await;
}

#[tokio::test]
async fn entries_depth_links_and_includes_are_limited() {
    let app = TestApp::start_with(Options {
        validate_writes: Some(WriteValidation::Off),
        bundle_entries: Some(3),
        content_depth: Some(10),
        chain_links: Some(1),
        include_limit: Some(2),
        page_size: Some(10),
        page_size_max: Some(10),
        ..Options::default()
    });
    for kind in ["batch", "transaction"] {
        assert_eq!(post(&app, "/fhir", &bundle(kind, 3)).await.status(), StatusCode::OK);
        refused(
            post(&app, "/fhir", &bundle(kind, 4)).await,
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-costly",
            "bundle_entries",
        )
        .await;
    }
    let nested = (0..12).fold(
        json!({ "url": "urn:x", "valueString": "x" }),
        |inner, _| json!({ "url": "urn:x", "extension": [inner] }),
    );
    for body in [json!({ "resourceType": "Basic", "extension": [nested] }).to_string(), "[".repeat(100_000)] {
        let request = app.request(Method::POST, "/fhir/Basic").header("Content-Type", "application/fhir+json");
        refused(
            request.body(body).send().await.expect("an answer"),
            StatusCode::BAD_REQUEST,
            "too-costly",
            "content_depth",
        )
        .await;
    }
    let chained = app.get("/fhir/Observation?patient.organization.name=x").await;
    refused(chained, StatusCode::BAD_REQUEST, "too-costly", "chain_links").await;
    assert_eq!(app.get("/fhir/Observation?patient.name=x").await.status(), StatusCode::OK);
    let told = app.json("/fhir/metadata").await["rest"][0]["documentation"].as_str().expect("text").to_owned();
    assert!(told.contains("up to 1 links"), "{told}");
    for number in 0..3 {
        let patient = json!({ "resourceType": "Patient", "id": format!("p{number}") });
        assert!(put(&app, &format!("/fhir/Patient/p{number}"), &patient).await.status().is_success());
        let goal = json!({ "resourceType": "Goal", "id": format!("g{number}"), "lifecycleStatus": "active",
            "description": { "text": "x" }, "subject": { "reference": format!("Patient/p{number}") } });
        assert!(put(&app, &format!("/fhir/Goal/g{number}"), &goal).await.status().is_success());
    }
    refused(app.get("/fhir/Goal?_include=Goal:subject").await, StatusCode::BAD_REQUEST, "too-costly", "include_limit")
        .await;
    assert_eq!(app.get("/fhir/Goal?_include=Goal:subject&_count=2").await.status(), StatusCode::OK);
    // A page is never larger than it may be, and says so.
    let page = app.json("/fhir/Goal?_count=5000").await;
    assert!(page.to_string().contains("page_size_max"), "{page}");
}

/// Sends a head and a part of the body, and waits for the answer.
fn stalled(app: &TestApp, part: usize, told: usize) -> TcpStream {
    let mut stream = TcpStream::connect(app.running.address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    let head = format!(
        "POST /fhir/Basic HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: {told}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(&vec![b' '; part]).expect("sent");
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    // The end of the connection may come as an error: what was read counts.
    let _ = stream.read_to_string(&mut text);
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn body_that_does_not_come_is_not_waited_for() {
    let app = TestApp::start_with(Options { body_seconds: Some(1), ..Options::default() });
    let stream = stalled(&app, 10, 100);
    let text = tokio::task::spawn_blocking(|| answer(stream)).await.expect("an answer");
    assert!(
        text.starts_with("HTTP/1.1 408") && text.contains("body_seconds") && text.contains("\"timeout\""),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_that_takes_too_long_is_answered_with_504() {
    let app = TestApp::start_with(Options { request_seconds: Some(1), ..Options::default() });
    let stream = stalled(&app, 10, 100);
    let text = tokio::task::spawn_blocking(|| answer(stream)).await.expect("an answer");
    assert!(
        text.starts_with("HTTP/1.1 504") && text.contains("request_seconds") && text.contains("\"timeout\""),
        "{text}"
    );
    assert!(text.to_ascii_lowercase().contains("x-request-id"), "{text}");
    assert_eq!(app.get("/fhir/Basic").await.status(), StatusCode::OK);
}

/// Half a head: the connection is ended, and the gateway goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_that_does_not_come_is_not_waited_for() {
    let app = TestApp::start();
    let mut stream = TcpStream::connect(app.running.address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    stream.write_all(b"GET /fhir/Patient HTTP/1.1\r\nHost: x\r\n").expect("sent");
    let started = Instant::now();
    let text = tokio::task::spawn_blocking(|| answer(stream)).await.expect("an end");
    assert!(started.elapsed() < Duration::from_secs(18), "{text}");
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    assert_eq!(app.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_wait_for_room_and_small_ones_do_not() {
    let app = TestApp::start_with(Options {
        large_bodies: Some(1),
        body_seconds: Some(10),
        validate_writes: Some(WriteValidation::Off),
        ..Options::default()
    });
    // One takes the room and goes no further.
    let holding = stalled(&app, 3 << 19, 2 << 20);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(post(&app, "/fhir/Basic", &basic(10)).await.status(), StatusCode::CREATED);
    refused(
        post(&app, "/fhir/Basic", &basic(2 << 20)).await,
        StatusCode::SERVICE_UNAVAILABLE,
        "throttled",
        "large_bodies",
    )
    .await;
    let text = tokio::task::spawn_blocking(|| answer(holding)).await.expect("an answer");
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    // It has let the room go; many at once take turns.
    let several: Vec<_> = (0..3)
        .map(|_| {
            let request = app.request(Method::POST, "/fhir/Basic").header("Content-Type", "application/fhir+json");
            tokio::spawn(request.body(basic(2 << 20).to_string()).send())
        })
        .collect();
    for one in several {
        let answer = one.await.expect("no panic").expect("an answer");
        assert_eq!((answer.status(), header(&answer, "content-type").is_empty()), (StatusCode::CREATED, false));
    }
}
