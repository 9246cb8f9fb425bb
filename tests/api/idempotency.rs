//! `Idempotency-Key`: <https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header>

use crate::test_app::{TestApp, fixture, header, outcome};
use kap_gateway::{
    app::{self, Options},
    config::Config,
};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn keyed(app: &TestApp, method: Method, path: &str, key: &str, body: &Value) -> Response {
    let kind = if path.starts_with("/kap") { "application/json" } else { "application/fhir+json" };
    let request = app.request(method, path).header("Content-Type", kind).header("Idempotency-Key", key);
    request.body(body.to_string()).send().await.expect("an answer")
}

/// Status, the headers that tell what was done, and the body.
async fn whole(answer: Response) -> (StatusCode, Vec<String>, String) {
    let headers = ["etag", "last-modified", "location", "content-type"].map(|name| header(&answer, name)).to_vec();
    (answer.status(), headers, answer.text().await.expect("text"))
}

fn basic(text: &str) -> Value {
    json!({ "resourceType": "Basic", "code": { "text": text } })
}

async fn count(app: &TestApp, resource_type: &str) -> Value {
    app.json(&format!("/fhir/{resource_type}?_summary=count")).await["total"].clone()
}

#[tokio::test]
async fn create_sent_again_with_its_key_is_answered_alike_and_makes_nothing_more() {
    let app = TestApp::start();
    let first = whole(keyed(&app, Method::POST, "/fhir/Basic", "k-1", &basic("one")).await).await;
    assert_eq!(first.0, StatusCode::CREATED);
    assert!(first.1.iter().all(|value| !value.is_empty()) && first.2.contains("one"), "{first:?}");
    // Quotes around it are the header's syntax, and no part of the key.
    for key in ["k-1", "\"k-1\""] {
        assert_eq!(whole(keyed(&app, Method::POST, "/fhir/Basic", key, &basic("one")).await).await, first);
    }
    assert_eq!(count(&app, "Basic").await, 1);
    // Later changes do not change the answer of before.
    let path = format!("/fhir/{}", first.1[2].split("/fhir/").nth(1).expect("below the base"));
    let path = path.split("/_history").next().expect("a path").to_owned();
    assert_eq!(app.request(Method::DELETE, &path).send().await.expect("an answer").status(), StatusCode::NO_CONTENT);
    assert_eq!(whole(keyed(&app, Method::POST, "/fhir/Basic", "k-1", &basic("one")).await).await, first);
    // Another key makes another.
    keyed(&app, Method::POST, "/fhir/Basic", "k-2", &basic("one")).await;
    assert_eq!(count(&app, "Basic").await, 1);
}

#[tokio::test]
async fn key_of_another_request_is_refused() {
    let app = TestApp::start();
    assert_eq!(keyed(&app, Method::POST, "/fhir/Basic", "k", &basic("one")).await.status(), StatusCode::CREATED);
    outcome(keyed(&app, Method::POST, "/fhir/Basic", "k", &basic("two")).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    outcome(
        keyed(&app, Method::POST, "/fhir/Basic?_pretty=true", "k", &basic("one")).await,
        StatusCode::UNPROCESSABLE_ENTITY,
    )
    .await;
    let request = app.request(Method::POST, "/fhir/Basic").header("Content-Type", "application/fhir+json");
    let request =
        request.header("Idempotency-Key", "k").header("Prefer", "return=minimal").body(basic("one").to_string());
    outcome(request.send().await.expect("an answer"), StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(count(&app, "Basic").await, 1);
    for wrong in ["", "\"\"", &"x".repeat(256), "a\"b"] {
        outcome(keyed(&app, Method::POST, "/fhir/Basic", wrong, &basic("one")).await, StatusCode::BAD_REQUEST).await;
    }
    let twice = app.request(Method::POST, "/fhir/Basic").header("Idempotency-Key", "a").header("Idempotency-Key", "b");
    let twice = twice.header("Content-Type", "application/fhir+json").body(basic("x").to_string());
    outcome(twice.send().await.expect("an answer"), StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn patch_update_and_delete_are_done_once() {
    let app = TestApp::start();
    let mut resource = basic("one");
    resource["id"] = "b".into();
    let created = keyed(&app, Method::PUT, "/fhir/Basic/b", "put", &resource).await;
    assert_eq!(created.status(), StatusCode::CREATED);
    let patch = json!([{ "op": "add", "path": "/identifier", "value": [{ "value": "x" }] }]);
    let patched = async || {
        let request = app.request(Method::PATCH, "/fhir/Basic/b").header("Content-Type", "application/json-patch+json");
        whole(request.header("Idempotency-Key", "patch").body(patch.to_string()).send().await.expect("an answer")).await
    };
    let first = patched().await;
    assert_eq!(first.0, StatusCode::OK);
    assert_eq!(patched().await, first);
    assert_eq!(app.json("/fhir/Basic/b").await["meta"]["versionId"], "2");
    // The update of before is still answered with 201, and does not undo the patch.
    assert_eq!(keyed(&app, Method::PUT, "/fhir/Basic/b", "put", &resource).await.status(), StatusCode::CREATED);
    assert_eq!(app.json("/fhir/Basic/b").await["meta"]["versionId"], "2");
    for _ in 0..2 {
        let answer = app.request(Method::DELETE, "/fhir/Basic/b").header("Idempotency-Key", "delete");
        let answer = answer.send().await.expect("an answer");
        assert_eq!((answer.status(), header(&answer, "etag").as_str()), (StatusCode::NO_CONTENT, "W/\"3\""));
    }
}

#[tokio::test]
async fn transaction_is_done_once_and_its_bundle_comes_again() {
    let app = TestApp::start();
    let entry = |number: usize| {
        json!({ "fullUrl": format!("urn:uuid:0000000{number}-0000-4000-8000-000000000000"),
        "resource": basic("x"), "request": { "method": "POST", "url": "Basic" } })
    };
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry(1), entry(2)] });
    let first = whole(keyed(&app, Method::POST, "/fhir", "t", &bundle).await).await;
    assert_eq!(first.0, StatusCode::OK);
    assert_eq!(whole(keyed(&app, Method::POST, "/fhir", "t", &bundle).await).await, first);
    assert_eq!(count(&app, "Basic").await, 2);
    // What cannot be answered alike later is refused, and nothing of it is done.
    let reading = json!({ "resourceType": "Bundle", "type": "transaction",
        "entry": [entry(1), { "request": { "method": "GET", "url": "Basic" } }] });
    outcome(keyed(&app, Method::POST, "/fhir", "u", &reading).await, StatusCode::BAD_REQUEST).await;
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": [entry(1)] });
    outcome(keyed(&app, Method::POST, "/fhir", "v", &batch).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(count(&app, "Basic").await, 2);
}

#[tokio::test]
async fn record_is_taken_once_and_answered_as_at_first() {
    let app = TestApp::start();
    let record = fixture("case-01/01-intake.json");
    let first = whole(keyed(&app, Method::POST, "/kap/v1/intake", "r", &record).await).await;
    assert_eq!(first.0, StatusCode::CREATED);
    assert_eq!(whole(keyed(&app, Method::POST, "/kap/v1/intake", "r", &record).await).await, first);
    // Without the key it is the record's own rule: there already, unchanged.
    let request = app.request(Method::POST, "/kap/v1/intake").header("Content-Type", "application/json");
    let unchanged = request.body(record.to_string()).send().await.expect("an answer");
    assert_eq!(unchanged.status(), StatusCode::OK);
    // An unchanged record under a new key has its own answer, again and again.
    for _ in 0..2 {
        let answer = keyed(&app, Method::POST, "/kap/v1/intake", "s", &record).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.json::<Value>().await.expect("JSON")["outcome"], "unchanged");
    }
    let mut other = record.clone();
    other["source"]["revision"] = json!(9);
    outcome(keyed(&app, Method::POST, "/kap/v1/intake", "r", &other).await, StatusCode::UNPROCESSABLE_ENTITY).await;
}

#[tokio::test]
async fn request_that_was_refused_may_be_mended_under_its_key() {
    let app = TestApp::start();
    let wrong = json!({ "resourceType": "Basic" });
    outcome(keyed(&app, Method::POST, "/fhir/Basic", "k", &wrong).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(keyed(&app, Method::POST, "/fhir/Basic", "k", &basic("x")).await.status(), StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_with_one_key_one_is_done() {
    let app = TestApp::start_with(Options { workers: Some(4), ..Options::default() });
    let url = app.url("/fhir/Basic");
    let send = |client: Client, url: String| async move {
        let request = client.post(url).header("Content-Type", "application/fhir+json").header("Idempotency-Key", "k");
        whole(request.body(basic("x").to_string()).send().await.expect("an answer")).await
    };
    let tasks: Vec<_> = (0..64).map(|_| tokio::spawn(send(app.client.clone(), url.clone()))).collect();
    let mut bodies = BTreeSet::new();
    for task in tasks {
        let (status, _, body) = task.await.expect("no panic");
        assert!([StatusCode::CREATED, StatusCode::CONFLICT].contains(&status), "{status}: {body}");
        if status == StatusCode::CREATED {
            bodies.insert(body);
        }
    }
    assert_eq!((bodies.len(), count(&app, "Basic").await), (1, json!(1)));
}

#[tokio::test]
async fn answers_are_kept_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = || {
        let options = Options {
            listen: Some("127.0.0.1:0".parse().expect("an address")),
            data_file: Some(folder.path().join("kap.db")),
            public_base_url: Some("https://kap.example.org".into()),
            workers: Some(1),
            ..Options::default()
        };
        app::run(&Config::try_from(options).expect("right")).expect("a gateway")
    };
    let client = Client::new();
    let mut answers = Vec::new();
    for _ in 0..2 {
        let running = start();
        let request = client.post(format!("http://{}/fhir/Basic", running.address)).header("Idempotency-Key", "k");
        let request = request.header("Content-Type", "application/fhir+json").body(basic("x").to_string());
        answers.push(whole(request.send().await.expect("an answer")).await);
        running.stop().await.expect("an end");
    }
    assert_eq!(answers[0].0, StatusCode::CREATED);
    assert_eq!(answers[0], answers[1]);
}
