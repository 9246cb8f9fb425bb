//! Search parameters that are added while the gateway runs: <https://hl7.org/fhir/R4/searchparameter.html>. A process of its
//! own, because what is added is the program's.

use kap_gateway::{
    app::{self, Options, Running},
    config::{Config, WriteValidation},
};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tokio::sync::Mutex;

/// One gateway at a time: they share what is added.
static ALONE: Mutex<()> = Mutex::const_new(());

fn start(folder: &Path) -> Running {
    start_with(folder, None)
}

fn start_with(folder: &Path, package: Option<&Path>) -> Running {
    let options = Options {
        packages: package.map(|package| vec![package.to_owned()]),
        listen: Some("127.0.0.1:0".parse().expect("an address")),
        data_file: Some(folder.join("kap.db")),
        validate_writes: Some(WriteValidation::Off),
        workers: Some(1),
        ..Options::default()
    };
    app::run(&Config::try_from(options).expect("right")).expect("a gateway")
}

async fn send(running: &Running, method: Method, path: &str, body: &Value) -> Response {
    let request = Client::new().request(method, format!("{}{path}", running.base_url));
    request.header("Content-Type", "application/fhir+json").body(body.to_string()).send().await.expect("an answer")
}

async fn get(running: &Running, path: &str) -> (StatusCode, Value) {
    let answer = Client::new().get(format!("{}{path}", running.base_url)).send().await.expect("an answer");
    (answer.status(), answer.json().await.expect("JSON"))
}

fn goal(id: &str, note: &str) -> Value {
    json!({ "resourceType": "Goal", "id": id, "lifecycleStatus": "active", "description": { "text": "x" },
        "subject": { "reference": "Patient/p" }, "note": [{ "text": note }],
        "extension": [{ "url": "urn:test:effort", "valueCodeableConcept": { "coding": [{ "system": "urn:e", "code": note }] } }] })
}

fn parameter(id: &str, code: &str, kind: &str, expression: &str) -> Value {
    json!({ "resourceType": "SearchParameter", "id": id, "url": format!("https://clinic.example.org/{id}"), "name": "Test",
        "status": "active", "description": "x", "code": code, "base": ["Goal"], "type": kind, "expression": expression })
}

async fn put(running: &Running, resource: &Value) -> StatusCode {
    let text = |name: &str| resource[name].as_str().expect("text");
    let path = format!("/fhir/{}/{}", text("resourceType"), text("id"));
    send(running, Method::PUT, &path, resource).await.status()
}

async fn found(running: &Running, query: &str) -> Vec<String> {
    let (status, bundle) = get(running, &format!("/fhir/Goal?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{query}: {bundle}");
    let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().map(|entry| entry["resource"]["id"].as_str().expect("an id").to_owned()).collect()
}

/// State, resources looked at and changed of one parameter, as `$reindex` tells.
async fn progress(running: &Running, id: &str) -> (String, i64, i64) {
    let (status, told) = get(running, "/fhir/SearchParameter/$reindex").await;
    assert_eq!(status, StatusCode::OK);
    let all = told["parameter"].as_array().map(Vec::as_slice).unwrap_or_default();
    let part = |one: &Value, name: &str| {
        let parts = one["part"].as_array().map(Vec::as_slice).unwrap_or_default();
        parts.iter().find(|part| part["name"] == name).cloned().unwrap_or_default()
    };
    let url = format!("https://clinic.example.org/{id}");
    let Some(one) = all.iter().find(|one| part(one, "url")["valueUri"] == url.as_str()) else {
        return ("none".to_owned(), 0, 0);
    };
    let number = |name| part(one, name)["valueInteger"].as_i64().expect("a number");
    (part(one, "state")["valueCode"].as_str().expect("a code").to_owned(), number("lookedAt"), number("changed"))
}

/// It is taken up a moment after its write was answered.
async fn until_known(running: &Running, id: &str) {
    for _ in 0..600 {
        if progress(running, id).await.0 != "none" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{id} is not known after six seconds");
}

async fn until_searchable(running: &Running, id: &str) -> (i64, i64) {
    for _ in 0..600 {
        let (state, looked_at, changed) = progress(running, id).await;
        if state == "searchable" {
            return (looked_at, changed);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{id} is not searchable after a minute");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameter_that_is_added_finds_what_was_there_and_what_comes() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().expect("a folder");
    let running = start(folder.path());
    for number in 0..5 {
        assert_eq!(put(&running, &goal(&format!("g{number}"), &format!("note {number}"))).await, StatusCode::CREATED);
    }
    assert_eq!(get(&running, "/fhir/Goal?remark=note").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(put(&running, &parameter("remark", "remark", "string", "Goal.note.text")).await, StatusCode::CREATED);
    // What is written once it is known gets its rows by itself.
    until_known(&running, "remark").await;
    assert_eq!(put(&running, &goal("meanwhile", "note m")).await, StatusCode::CREATED);
    // Until all rows are made a search would miss some: it is refused, and the statement does not name it.
    assert_eq!(get(&running, "/fhir/Goal?remark=note").await.0, StatusCode::BAD_REQUEST);
    let stated = async || {
        let (_, statement) = get(&running, "/fhir/metadata").await;
        let resources = statement["rest"][0]["resource"].as_array().expect("resources").clone();
        let goal = resources.into_iter().find(|one| one["type"] == "Goal").expect("Goal");
        goal["searchParam"].as_array().expect("parameters").iter().any(|known| known["name"] == "remark")
    };
    assert!(!stated().await);
    let (looked_at, changed) = until_searchable(&running, "remark").await;
    assert_eq!((looked_at, changed), (6, 5));
    assert!(stated().await);
    assert_eq!(found(&running, "remark=note").await.len(), 6);
    assert_eq!(found(&running, "remark=note%203").await, ["g3"]);
    assert_eq!(found(&running, "remark:contains=ote%20m").await, ["meanwhile"]);
    assert_eq!(found(&running, "_sort=-remark&_count=2").await, ["meanwhile", "g4"]);
    put(&running, &goal("later", "note l")).await;
    put(&running, &goal("g3", "other")).await;
    assert_eq!(found(&running, "remark=note%20l,note%203").await, ["later"]);
    assert_eq!(found(&running, "remark:missing=true").await, [""; 0]);
    // By an extension, as a token.
    let effort = parameter("effort", "effort", "token", "Goal.extension.where(url = 'urn:test:effort').value");
    assert_eq!(put(&running, &effort).await, StatusCode::CREATED);
    until_searchable(&running, "effort").await;
    assert_eq!(found(&running, "effort=urn:e%7Cother").await, ["g3"]);
    // Retired: it is searched by no more.
    let mut retired = parameter("remark", "remark", "string", "Goal.note.text");
    retired["status"] = "retired".into();
    assert_eq!(put(&running, &retired).await, StatusCode::OK);
    for _ in 0..100 {
        if !stated().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(get(&running, "/fhir/Goal?remark=note").await.0, StatusCode::BAD_REQUEST);
    // Written without its rows, and active again: those are made.
    put(&running, &goal("between", "note b")).await;
    assert_eq!(put(&running, &parameter("remark", "remark", "string", "Goal.note.text")).await, StatusCode::OK);
    until_searchable(&running, "remark").await;
    assert_eq!(found(&running, "remark=note%20b").await, ["between"]);
    running.stop().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameter_that_gave_way_to_another_and_comes_back_finds_by_its_own_expression() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().expect("a folder");
    let running = start(folder.path());
    put(&running, &goal("g1", "noted")).await;
    let first = |status: &str| {
        let mut first = parameter("first", "word", "string", "Goal.description.text");
        first["status"] = status.into();
        first
    };
    // Of two with one name the one that was stored first counts.
    put(&running, &first("draft")).await;
    put(&running, &parameter("second", "word", "string", "Goal.note.text")).await;
    until_searchable(&running, "second").await;
    assert_eq!(found(&running, "word=noted").await, ["g1"]);
    put(&running, &first("active")).await;
    until_searchable(&running, "first").await;
    let (by_text, by_note) = (found(&running, "word=x").await, found(&running, "word=noted").await);
    assert_eq!((by_text, by_note), (vec!["g1".to_owned()], vec![]));
    // The first goes: the same questions have other answers.
    assert_eq!(put(&running, &first("retired")).await, StatusCode::OK);
    until_searchable(&running, "second").await;
    let (by_text, by_note) = (found(&running, "word=x").await, found(&running, "word=noted").await);
    assert_eq!((by_text, by_note), (vec![], vec!["g1".to_owned()]));
    running.stop().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indexing_goes_on_after_a_restart_and_what_is_indexed_stays() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().expect("a folder");
    let running = start(folder.path());
    let entry = |number: usize| {
        json!({ "resource": goal(&format!("n{number}"), "many"),
        "request": { "method": "PUT", "url": format!("Goal/n{number}") } })
    };
    for part in 0..3 {
        let entries: Vec<Value> = (part * 1000..(part + 1) * 1000).map(entry).collect();
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
        assert_eq!(send(&running, Method::POST, "/fhir", &bundle).await.status(), StatusCode::OK);
    }
    assert_eq!(put(&running, &parameter("again", "again", "string", "Goal.note.text")).await, StatusCode::CREATED);
    // Ended before it has begun, or in the middle.
    running.stop().await.expect("an end");
    let running = start(folder.path());
    for _ in 0..600 {
        let (_, looked_at, _) = progress(&running, "again").await;
        if looked_at > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.stop().await.expect("an end");
    let running = start(folder.path());
    let (looked_at, _) = until_searchable(&running, "again").await;
    assert!(looked_at >= 3000, "{looked_at}");
    let (_, count) = get(&running, "/fhir/Goal?again=many&_summary=count").await;
    assert_eq!(count["total"], 3000);
    running.stop().await.expect("an end");
    // What is indexed is searched by at once.
    let running = start(folder.path());
    assert_eq!(progress(&running, "again").await.0, "searchable");
    let (_, count) = get(&running, "/fhir/Goal?again=many&_summary=count").await;
    assert_eq!(count["total"], 3000);
    running.stop().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameter_that_cannot_be_served_is_refused_with_the_reason() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().expect("a folder");
    let running = start(folder.path());
    // That there is nothing to tell is told, in both formats.
    let (_, told) = get(&running, "/fhir/SearchParameter/$reindex").await;
    assert_eq!(told["parameter"], json!([{ "name": "count", "valueInteger": 0 }]));
    for format in ["json", "xml"] {
        let url = format!("{}/fhir/SearchParameter/$reindex?_format={format}", running.base_url);
        assert_eq!(Client::new().get(url).send().await.expect("an answer").status(), StatusCode::OK, "{format}");
    }
    let base = |base: &str| {
        let mut one = parameter("p", "p", "string", "Goal.note.text");
        one["base"] = json!([base]);
        one
    };
    let mut without = parameter("p", "p", "string", "x");
    without.as_object_mut().expect("an object").remove("expression");
    for (refused, reason) in [
        (parameter("p", "p", "string", "Goal.note.text ++ ("), "expression"),
        (parameter("p", "p", "string", "Goal.banana"), "leads to no element"),
        (parameter("p", "p", "date", "Goal.note.text"), "leads to no element"),
        (parameter("p", "category", "token", "Goal.category"), "already"),
        (parameter("p", "_x", "string", "Goal.note.text"), "code must be"),
        (parameter("p", "p", "composite", "Goal"), "composite"),
        (parameter("p", "p", "special", "Goal"), "special"),
        (base("Banana"), "no resource type"),
        (base("Resource"), "no resource type"),
        (without, "no expression"),
    ] {
        let answer = send(&running, Method::PUT, "/fhir/SearchParameter/p", &refused).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
        let told: Value = answer.json().await.expect("JSON");
        assert!(told.to_string().contains(reason), "{reason}: {told}");
        // As a draft it is kept, and nobody searches by it.
        let mut draft = refused.clone();
        draft["status"] = "draft".into();
        assert!(put(&running, &draft).await.is_success(), "{draft}");
        assert_eq!(get(&running, "/fhir/Goal?p=x").await.0, StatusCode::BAD_REQUEST);
    }
    // Two may not give one name: the second is told, and not served.
    assert_eq!(put(&running, &parameter("one", "twice", "string", "Goal.note.text")).await, StatusCode::CREATED);
    until_searchable(&running, "one").await;
    put(&running, &parameter("two", "twice", "string", "Goal.description.text")).await;
    for _ in 0..100 {
        if progress(&running, "two").await.0 == "refused" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(progress(&running, "two").await.0, "refused");
    assert_eq!(progress(&running, "one").await.0, "searchable");
    running.stop().await.expect("an end");
}

/// A guide of the installation's own brings its search parameters: what was stored before gets their rows, and what is
/// written while the guide is not there gets them when it is there again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_of_a_package_are_searched_by_while_it_is_there() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().expect("a folder");
    let package = folder.path().join("guide");
    std::fs::create_dir(&package).expect("a folder");
    let mut by_note = parameter("of-guide", "of-guide", "string", "Goal.note.text");
    by_note["status"] = "draft".into();
    let mut taken = parameter("taken", "lifecycle-status", "token", "Goal.lifecycleStatus");
    taken["description"] = "R4 has the name".into();
    for resource in [&by_note, &taken] {
        let path = package.join(format!("{}.json", resource["id"].as_str().expect("text")));
        std::fs::write(path, resource.to_string()).expect("written");
    }
    let running = start(folder.path());
    assert_eq!(put(&running, &goal("before", "note a")).await, StatusCode::CREATED);
    assert_eq!(get(&running, "/fhir/Goal?of-guide=note").await.0, StatusCode::BAD_REQUEST);
    running.stop().await.expect("an end");
    let running = start_with(folder.path(), Some(&package));
    until_searchable(&running, "of-guide").await;
    assert_eq!(progress(&running, "taken").await.0, "refused");
    put(&running, &goal("with", "note b")).await;
    assert_eq!(found(&running, "of-guide=note&_sort=of-guide").await, ["before", "with"]);
    running.stop().await.expect("an end");
    // Known from the start where nothing has changed.
    let running = start_with(folder.path(), Some(&package));
    assert_eq!(progress(&running, "of-guide").await.0, "searchable");
    assert_eq!(found(&running, "of-guide=note&_sort=of-guide").await, ["before", "with"]);
    running.stop().await.expect("an end");
    let running = start(folder.path());
    put(&running, &goal("without", "note c")).await;
    // Whoever writes knows the parameters first: those of the gateway before are this process's no more.
    assert_eq!(get(&running, "/fhir/Goal?of-guide=note").await.0, StatusCode::BAD_REQUEST);
    running.stop().await.expect("an end");
    let running = start_with(folder.path(), Some(&package));
    until_searchable(&running, "of-guide").await;
    assert_eq!(found(&running, "of-guide=note&_sort=of-guide").await, ["before", "with", "without"]);
    running.stop().await.expect("an end");
}
