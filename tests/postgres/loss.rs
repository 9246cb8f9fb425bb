//! The database goes away, or dies; the gateway dies: what was acknowledged is there afterwards, and what was not possible
//! was said to be so.

use crate::database::Server;
use crate::gateway::{Gateway, goal};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_a_database_get_503_and_later_ones_work_again() {
    let server = Server::start(&[]);
    let gateway = Gateway::on(&server.empty_database().await).await;
    assert_eq!(gateway.put(&goal("g", "before"), None).await.status(), StatusCode::CREATED);
    server.stop();
    for answer in [
        gateway.get("/fhir/Goal/g").await,
        gateway.get("/fhir/Goal?lifecycle-status=active").await,
        gateway.get("/fhir/_history").await,
        gateway.put(&goal("g", "during"), None).await,
        gateway.get("/readyz").await,
    ] {
        let (status, url) = (answer.status(), answer.url().clone());
        let body: Value = answer.json().await.unwrap();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{url}: {body}");
        assert_eq!(body["resourceType"], "OperationOutcome", "{url}: {body}");
        assert_eq!(body["issue"][0]["code"], "transient", "{url}: {body}");
    }
    assert_eq!(gateway.get("/healthz").await.status(), StatusCode::OK);
    server.go_on();
    gateway.until_ready().await;
    assert_eq!(gateway.json("/fhir/Goal/g").await["description"]["text"], "before");
    assert_eq!(gateway.put(&goal("g", "after"), None).await.status(), StatusCode::OK);
    assert_eq!(gateway.json("/fhir/Goal?lifecycle-status=active").await["total"], 1);
}

#[derive(Clone, Copy)]
enum Victim {
    Gateway,
    Database,
}

/// By id: the last version that was sent, and that was acknowledged.
type Journal = Arc<Mutex<HashMap<String, (u64, u64)>>>;

async fn write_until_refused(http: Client, url: String, id: String, journal: Journal, done: Arc<AtomicBool>) {
    for version in 1.. {
        journal.lock().unwrap().entry(id.clone()).or_default().0 = version;
        let request = http.put(format!("{url}/fhir/Goal/{id}")).json(&goal(&id, &version.to_string()));
        match request.send().await {
            Ok(answer) if answer.status().is_success() => {
                journal.lock().unwrap().entry(id.clone()).or_default().1 = version;
            }
            Ok(answer) => {
                assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
                return;
            }
            Err(_) => return,
        }
        if done.load(Ordering::Relaxed) {
            return;
        }
    }
}

async fn acknowledged_writes_survive(victim: Victim) {
    let server = Server::start(&[]);
    let database = server.empty_database().await;
    let mut gateway = Gateway::on(&database).await;
    let mut acknowledged = 0;
    for round in 0..3 {
        let (journal, done) = (Journal::default(), Arc::new(AtomicBool::new(false)));
        let clients: Vec<_> = (0..8)
            .map(|client| {
                let id = format!("r{round}-{client}");
                let client = write_until_refused(
                    Client::new(),
                    gateway.url.clone(),
                    id,
                    Arc::clone(&journal),
                    Arc::clone(&done),
                );
                tokio::spawn(client)
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(700 + 300 * round)).await;
        match victim {
            Victim::Gateway => gateway.kill(),
            Victim::Database => server.kill(),
        }
        done.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.unwrap();
        }
        match victim {
            Victim::Gateway => gateway = Gateway::on(&database).await,
            Victim::Database => {
                server.go_on();
                gateway.until_ready().await;
            }
        }
        let written = std::mem::take(&mut *journal.lock().unwrap());
        for (id, (sent, answered)) in written {
            let answer = gateway.get(&format!("/fhir/Goal/{id}/_history?_count=1000")).await;
            let stored = match answer.status() {
                StatusCode::NOT_FOUND => 0,
                status => {
                    assert_eq!(status, StatusCode::OK);
                    let history: Value = answer.json().await.unwrap();
                    let newest = &history["entry"][0]["resource"];
                    let version: u64 = newest["meta"]["versionId"].as_str().unwrap().parse().unwrap();
                    assert_eq!(newest["description"]["text"], version.to_string(), "{id}");
                    assert_eq!(history["total"], version, "{id}: every version is there");
                    version
                }
            };
            assert!(
                answered <= stored && stored <= sent,
                "{id}: acknowledged {answered}, stored {stored}, sent {sent}"
            );
            acknowledged += answered;
        }
    }
    assert!(acknowledged > 50, "only {acknowledged} were acknowledged");
    println!("{acknowledged} acknowledged versions, all there");
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_kill_9_of_the_gateway() {
    acknowledged_writes_survive(Victim::Gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_kill_9_of_the_database() {
    acknowledged_writes_survive(Victim::Database).await;
}

/// The server's processes stand still, as when a network swallows all: an answer comes all the same.
#[tokio::test(flavor = "multi_thread")]
async fn gateway_starts_only_on_a_database_that_answers() {
    let server = Server::start(&[]);
    let database = server.empty_database().await;
    server.stop();
    let began = Instant::now();
    let refused =
        crate::gateway::program().args(["serve", "--listen", "127.0.0.1:0", "--database", &database]).output();
    let refused = refused.unwrap();
    let text = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert!(text.contains("cannot open the store") && began.elapsed() < Duration::from_secs(20), "{text}");
}
