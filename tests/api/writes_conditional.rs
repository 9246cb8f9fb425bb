//! Conditional create, update and delete: <https://hl7.org/fhir/R4/http.html#ccreate>

use crate::{
    test_app::{TestApp, header, ids, outcome, patient},
    writes::{delete, location, put, request},
};
use kap_gateway::config::Options;
use reqwest::{Method, Response, StatusCode};
use std::{collections::BTreeSet, sync::Arc};
use tokio::task::JoinSet;

async fn create_unless(app: &TestApp, criteria: &str, identifier: &str) -> Response {
    let request = request(app, Method::POST, "/fhir/Patient").header("If-None-Exist", criteria);
    request.body(patient("x", identifier).to_string()).send().await.expect("an answer")
}

#[tokio::test]
async fn conditional_create_creates_once_and_tells_what_is_there() {
    let app = TestApp::start();
    let first = create_unless(&app, "identifier=urn:test:mrn|A-1", "A-1").await;
    assert_eq!(first.status(), StatusCode::CREATED);
    let made = location(&app, &first);
    for criteria in ["identifier=urn:test:mrn|A-1", "identifier=urn%3Atest%3Amrn%7CA-1", "?identifier=A-1"] {
        let again = create_unless(&app, criteria, "A-1").await;
        assert_eq!((again.status(), location(&app, &again)), (StatusCode::OK, made.clone()), "{criteria}");
    }
    assert_eq!(create_unless(&app, "identifier=A-2", "A-1").await.status(), StatusCode::CREATED);
    let many = create_unless(&app, "identifier=urn:test:mrn|A-1", "A-1").await;
    let told = outcome(many, StatusCode::PRECONDITION_FAILED).await;
    assert_eq!(told["issue"][0]["code"], "multiple-matches");
    assert_eq!(app.json("/fhir/Patient").await["total"], 2);
}

#[tokio::test]
async fn criteria_that_do_not_say_which_are_refused() {
    let app = TestApp::start();
    for criteria in ["", "banana=1", "_count=1", "identifier=A-1&_sort=_lastUpdated", "identifier=%", "_format=json"] {
        outcome(create_unless(&app, criteria, "A-1").await, StatusCode::BAD_REQUEST).await;
    }
    outcome(put(&app, "/fhir/Patient", &patient("x", "A")).await, StatusCode::BAD_REQUEST).await;
    outcome(put(&app, "/fhir/Patient?banana=1", &patient("x", "A")).await, StatusCode::BAD_REQUEST).await;
    outcome(delete(&app, "/fhir/Patient").await, StatusCode::BAD_REQUEST).await;
    outcome(delete(&app, "/fhir/Patient?_count=1").await, StatusCode::BAD_REQUEST).await;
    assert_eq!(app.json("/fhir/Patient").await["total"], 0);
}

#[tokio::test]
async fn of_many_parallel_conditional_creates_exactly_one_creates() {
    let app = Arc::new(TestApp::start_with(Options { workers: Some(4), ..Options::default() }));
    for round in 0..4 {
        let mut clients = JoinSet::new();
        for _ in 0..48 {
            let app = Arc::clone(&app);
            clients.spawn(async move {
                let identifier = format!("R-{round}");
                let answer = create_unless(&app, &format!("identifier=urn:test:mrn|{identifier}"), &identifier).await;
                (answer.status(), location(&app, &answer))
            });
        }
        let answers = clients.join_all().await;
        let created = answers.iter().filter(|(status, _)| *status == StatusCode::CREATED).count();
        assert_eq!(created, 1, "{answers:?}");
        assert!(answers.iter().all(|(status, _)| [StatusCode::CREATED, StatusCode::OK].contains(status)));
        let named: BTreeSet<_> = answers.iter().map(|(_, location)| location).collect();
        assert_eq!(named.len(), 1, "all name the same: {named:?}");
    }
    assert_eq!(app.json("/fhir/Patient").await["total"], 4);
}

#[tokio::test]
async fn of_many_parallel_updates_of_one_version_exactly_one_is_done() {
    let app = Arc::new(TestApp::start_with(Options { workers: Some(4), ..Options::default() }));
    put(&app, "/fhir/Patient/p", &patient("p", "A-0")).await;
    let mut clients = JoinSet::new();
    for number in 1..=32 {
        let app = Arc::clone(&app);
        clients.spawn(async move {
            let request = request(&app, Method::PUT, "/fhir/Patient/p").header("If-Match", "W/\"1\"");
            let body = patient("p", &format!("A-{number}")).to_string();
            request.body(body).send().await.expect("an answer").status()
        });
    }
    let answers = clients.join_all().await;
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::OK).count(), 1);
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::PRECONDITION_FAILED).count(), 31);
    assert_eq!(app.json("/fhir/Patient/p").await["meta"]["versionId"], "2");
}

#[tokio::test]
async fn conditional_update_creates_updates_or_refuses_by_what_it_finds() {
    let app = TestApp::start();
    let path = "/fhir/Patient?identifier=urn:test:mrn|A-1";
    let mut anonymous = patient("", "A-1");
    anonymous.as_object_mut().expect("an object").shift_remove("id");
    let created = put(&app, path, &anonymous).await;
    assert_eq!(created.status(), StatusCode::CREATED);
    let made: serde_json::Value = created.json().await.expect("JSON");
    anonymous["active"] = true.into();
    let updated = put(&app, path, &anonymous).await;
    assert_eq!((updated.status(), header(&updated, "etag").as_str()), (StatusCode::OK, "W/\"2\""));
    let now: serde_json::Value = updated.json().await.expect("JSON");
    assert_eq!((&now["id"], &now["active"]), (&made["id"], &serde_json::json!(true)));
    // With its own id: that of the found one, another, and of a new one.
    now["id"].as_str().expect("text");
    assert_eq!(put(&app, path, &now).await.status(), StatusCode::OK);
    outcome(put(&app, path, &patient("another", "A-1")).await, StatusCode::BAD_REQUEST).await;
    let fresh = put(&app, "/fhir/Patient?identifier=urn:test:mrn|A-9", &patient("nine", "A-9")).await;
    assert_eq!((fresh.status(), location(&app, &fresh).as_str()), (StatusCode::CREATED, "Patient/nine/_history/1"));
    // A search that finds nothing, and an id that is taken.
    let taken = put(&app, "/fhir/Patient?identifier=urn:test:mrn|A-10", &patient("nine", "A-10")).await;
    outcome(taken, StatusCode::PRECONDITION_FAILED).await;
    put(&app, "/fhir/Patient/twin", &patient("twin", "A-1")).await;
    outcome(put(&app, path, &anonymous).await, StatusCode::PRECONDITION_FAILED).await;
    let stale = request(&app, Method::PUT, "/fhir/Patient?identifier=A-9").header("If-Match", "W/\"7\"");
    let stale = stale.body(patient("nine", "A-9").to_string()).send().await.expect("an answer");
    outcome(stale, StatusCode::PRECONDITION_FAILED).await;
}

#[tokio::test]
async fn conditional_delete_deletes_one_none_or_refuses() {
    let app = TestApp::start();
    for (id, identifier) in [("a", "1"), ("b", "2"), ("c", "2")] {
        put(&app, &format!("/fhir/Patient/{id}"), &patient(id, identifier)).await;
    }
    outcome(delete(&app, "/fhir/Patient?identifier=2").await, StatusCode::PRECONDITION_FAILED).await;
    assert_eq!(delete(&app, "/fhir/Patient?identifier=3").await.status(), StatusCode::NO_CONTENT);
    assert_eq!(app.json("/fhir/Patient").await["total"], 3);
    assert_eq!(delete(&app, "/fhir/Patient?identifier=1").await.status(), StatusCode::NO_CONTENT);
    assert_eq!(ids(&app.json("/fhir/Patient").await), ["b", "c"]);
}
