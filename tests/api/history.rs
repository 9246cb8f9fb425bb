//! History of one resource.

use crate::{
    test_app::{PATIENT, TestApp, link, outcome, patient},
    writes::{delete, goal, put},
};
use kap_gateway::fhir::codec;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

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
async fn history_with_parameters_it_cannot_use_returns_400_naming_each() {
    let app = five_versions().await;
    let path = format!("/fhir/Patient/{PATIENT}/_history?_since=soon&_count=x&_at=2026-13&_sort=x");
    let body = outcome(app.get(&path).await, StatusCode::BAD_REQUEST).await;
    let named: Vec<&str> =
        body["issue"].as_array().expect("issues").iter().filter_map(|issue| issue["location"][0].as_str()).collect();
    assert_eq!(named, ["http._sort", "http._since", "http._count", "http._at"]);
}

/// Three goals: `a` in two versions and deleted, `b`, and a patient between them. Gives their times in the order written.
async fn some_goals(app: &TestApp) -> Vec<String> {
    put(app, "/fhir/Goal/a", &goal("a", "one")).await;
    put(app, &format!("/fhir/Patient/{PATIENT}"), &patient(PATIENT, "A-1")).await;
    put(app, "/fhir/Goal/a", &goal("a", "two")).await;
    put(app, "/fhir/Goal/b", &goal("b", "one")).await;
    delete(app, "/fhir/Goal/a").await;
    let all = app.json("/fhir/_history").await;
    let times = all["entry"].as_array().expect("entries").iter().map(|entry| &entry["response"]["lastModified"]);
    let mut times: Vec<String> = times.map(|time| time.as_str().expect("text").to_owned()).collect();
    times.reverse();
    times
}

/// `Goal/a 2` or, of a deletion, `Goal/a -`.
fn told(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    let version = |entry: &Value| {
        let version = entry["resource"]["meta"]["versionId"].as_str().unwrap_or("-").to_owned();
        format!("{} {version}", entry["request"]["url"].as_str().expect("text"))
    };
    entries.iter().map(version).collect()
}

#[tokio::test]
async fn history_of_a_type_and_of_all_lists_every_version_and_deletion() {
    let app = TestApp::start();
    some_goals(&app).await;
    let of_type = app.json("/fhir/Goal/_history").await;
    assert_eq!(told(&of_type), ["Goal/a -", "Goal/b 1", "Goal/a 2", "Goal/a 1"]);
    assert_eq!((&of_type["type"], of_type.get("total")), (&Value::from("history"), None));
    codec::from_json(of_type.to_string().as_bytes()).expect("FHIR R4");
    let patient = format!("Patient/{PATIENT} 1");
    let all = ["Goal/a -", "Goal/b 1", "Goal/a 2", &patient, "Goal/a 1"];
    assert_eq!(told(&app.json("/fhir/_history").await), all);
    assert_eq!(told(&app.json("/fhir/Condition/_history").await), [""; 0]);
    outcome(app.get("/fhir/Banana/_history").await, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn history_pages_of_all_types_cover_every_version_once() {
    let app = TestApp::start();
    some_goals(&app).await;
    let mut seen = Vec::new();
    let mut next = Some("/fhir/_history?_count=2".to_owned());
    while let Some(path) = next {
        let bundle = app.json(&path).await;
        // What is written meanwhile does not move the pages.
        put(&app, "/fhir/Goal/c", &goal("c", &format!("{}", seen.len()))).await;
        seen.extend(told(&bundle));
        next = link(&bundle, "next").map(|url| url.strip_prefix(&app.running.base_url).expect("our own").to_owned());
    }
    let patient = format!("Patient/{PATIENT} 1");
    assert_eq!(seen, ["Goal/a -", "Goal/b 1", "Goal/a 2", &patient, "Goal/a 1"]);
}

#[tokio::test]
async fn history_since_a_time_begins_there() {
    let app = TestApp::start();
    let times = some_goals(&app).await;
    let since = |path: &str, time: &str| format!("/fhir/{path}_history?_since={time}");
    assert_eq!(told(&app.json(&since("Goal/", &times[2])).await), ["Goal/a -", "Goal/b 1", "Goal/a 2"]);
    assert_eq!(told(&app.json(&since("Goal/a/", &times[2])).await), ["Goal/a -", "Goal/a 2"]);
    assert_eq!(app.json(&since("Goal/a/", &times[2])).await.get("total"), None);
    assert_eq!(told(&app.json(&since("", "2999")).await), [""; 0]);
    assert_eq!(told(&app.json(&since("", "2020-01-01")).await).len(), 5);
}

#[tokio::test]
async fn history_at_a_time_has_what_was_current_then() {
    let app = TestApp::start();
    let times = some_goals(&app).await;
    let at = |path: &str, time: &str| format!("/fhir/{path}_history?_at={time}");
    let patient = format!("Patient/{PATIENT} 1");
    for (time, expected) in [
        (&times[0], vec!["Goal/a 1"]),
        (&times[1], vec![patient.as_str(), "Goal/a 1"]),
        (&times[2], vec!["Goal/a 2", &patient]),
        (&times[3], vec!["Goal/b 1", "Goal/a 2", &patient]),
        (&times[4], vec!["Goal/a -", "Goal/b 1", &patient]),
    ] {
        assert_eq!(told(&app.json(&at("", time)).await), expected, "{time}");
    }
    assert_eq!(told(&app.json(&at("Goal/a/", &times[3])).await), ["Goal/a 2"]);
    assert_eq!(told(&app.json(&at("Goal/", "2020")).await), [""; 0]);
}

/// The method by which each version was asked for, and whether it made the resource.
#[tokio::test]
async fn history_says_by_which_method_each_version_came_to_be() {
    let app = TestApp::start();
    let created =
        crate::writes::post(&app, "/fhir/Basic", &json!({ "resourceType": "Basic", "code": { "text": "1" } })).await;
    let basic: Value = created.json().await.expect("JSON");
    let path = format!("/fhir/Basic/{}", basic["id"].as_str().expect("an id"));
    let patch = |text: &str| json!([{ "op": "replace", "path": "/code/text", "value": text }]).to_string();
    let patched =
        app.request(Method::PATCH, &path).header("Content-Type", "application/json-patch+json").body(patch("2"));
    assert_eq!(patched.send().await.expect("an answer").status(), StatusCode::OK);
    let mut put = basic.clone();
    put["code"]["text"] = "3".into();
    assert_eq!(crate::writes::put(&app, &path, &put).await.status(), StatusCode::OK);
    assert_eq!(crate::writes::delete(&app, &path).await.status(), StatusCode::NO_CONTENT);
    // Made again at its id.
    assert_eq!(crate::writes::put(&app, &path, &put).await.status(), StatusCode::CREATED);
    let history = app.json(&format!("{path}/_history")).await;
    codec::from_json(history.to_string().as_bytes()).expect("FHIR R4");
    let told = |bundle: &Value| -> Vec<String> {
        let entries = bundle["entry"].as_array().expect("entries").iter();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        entries
            .map(|entry| format!("{} {}", text(&entry["request"]["method"]), text(&entry["response"]["status"])))
            .collect()
    };
    let expected = ["PUT 201", "DELETE 204", "PUT 200", "PATCH 200", "POST 201"];
    assert_eq!(told(&history), expected);
    assert_eq!(history["entry"][4]["request"]["url"], "Basic");
    assert_eq!(told(&app.json("/fhir/_history").await), expected);
    // In a transaction each entry has its own.
    let entry = |method: &str, url: &str, resource: Value| json!({ "resource": resource, "request": { "method": method, "url": url } });
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        entry("PUT", "Basic/b", json!({ "resourceType": "Basic", "id": "b", "code": { "text": "x" } })),
        entry("POST", "Basic", json!({ "resourceType": "Basic", "code": { "text": "y" } })),
    ] });
    assert_eq!(crate::writes::post(&app, "/fhir", &bundle).await.status(), StatusCode::OK);
    assert_eq!(told(&app.json("/fhir/_history?_count=2").await), ["PUT 201", "POST 201"]);
}
