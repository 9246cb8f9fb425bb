//! The program itself, killed under load: what it acknowledged over HTTP is whole afterwards, what it did not
//! acknowledge is whole or wholly absent.
//!
//! `KAP_TEST_SEED=n` repeats the moments of a run, as far as the machine lets it.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

const ROUNDS: u64 = 5;
const CLIENTS: u64 = 16;
/// Each record is sent in this many revisions.
const REVISIONS: u64 = 2;
/// From the first request to the kill, at most.
const LONGEST_MS: u64 = 1_500;
const RECORD: &str = include_str!("../fixtures/case-08/02-dosing-session-1.json");

/// Record id, and the last revision that was sent and that was acknowledged.
#[derive(Default)]
struct Journal(HashMap<String, (u64, u64)>);

struct Gateway {
    child: Child,
    url: String,
}

impl Gateway {
    async fn start(file: &Path, http: &Client) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("its address").to_string();
        drop(free);
        let child = Command::new(env!("CARGO_BIN_EXE_kap-gateway"))
            .args(["serve", "--listen", &address, "--log-level", "warn", "--data-file"])
            .arg(file)
            .stdin(Stdio::null())
            .spawn()
            .expect("the program starts");
        let gateway = Self { child, url: format!("http://{address}") };
        let patience = Instant::now() + Duration::from_secs(60);
        while !http.get(format!("{}/readyz", gateway.url)).send().await.is_ok_and(|answer| answer.status().is_success())
        {
            assert!(Instant::now() < patience, "not ready after a minute");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        gateway
    }

    fn kill(&mut self) {
        self.child.kill().expect("it was running");
        self.child.wait().expect("it has ended");
    }

    /// As an operator does.
    #[cfg(unix)]
    fn stop(&mut self) {
        let told = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().expect("kill");
        assert!(told.success() && self.child.wait().expect("it has ended").success());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Killed already, in most cases: then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A dosing session of a patient and course of its own, so that nothing of it belongs to another record.
fn record(id: &str, revision: u64) -> Value {
    let mut record: Value = serde_json::from_str(RECORD).expect("the fixture is JSON");
    record["source"]["recordId"] = json!(id);
    record["source"]["revision"] = json!(revision);
    record["patient"]["identifier"]["value"] = json!(format!("{id}-patient"));
    record["course"]["identifier"]["value"] = json!(format!("{id}-course"));
    record["sessionNumber"] = json!(revision);
    record
}

async fn send_until_killed(http: Client, url: String, round: u64, client: u64, journal: Arc<Mutex<Journal>>) {
    for number in 0.. {
        let id = format!("crash-{round}-{client}-{number}");
        for revision in 1..=REVISIONS {
            journal.lock().expect("no panic").0.entry(id.clone()).or_default().0 = revision;
            let request = http.put(format!("{url}/kap/v1/dosing-session/{id}")).json(&record(&id, revision));
            let Ok(answer) = request.send().await else { return };
            assert!(answer.status().is_success(), "{id} in revision {revision}: {}", answer.status());
            journal.lock().expect("no panic").0.entry(id.clone()).or_default().1 = revision;
        }
    }
}

/// The revision in which the record is stored, 0 if it is not; fails if anything of it contradicts that.
async fn whole_revision(http: &Client, url: &str, id: &str) -> u64 {
    let answer = http.get(format!("{url}/kap/v1/dosing-session/{id}")).send().await.expect("an answer");
    let stored = match answer.status() {
        StatusCode::NOT_FOUND => 0,
        status => {
            assert_eq!(status, StatusCode::OK, "{id}");
            let found: Value = answer.json().await.expect("a record");
            let revision = found["source"]["revision"].as_u64().expect("a revision");
            assert_eq!(found, record(id, revision), "{id} is not what was sent");
            revision
        }
    };
    for (reference, shared) in resources(http, url, id).await {
        let status = http.get(format!("{url}/fhir/{reference}")).send().await.expect("an answer").status();
        match (stored, shared) {
            (0, true) => {}
            (0, false) => assert_eq!(status, StatusCode::NOT_FOUND, "{reference} of {id}, which is not stored"),
            _ => assert_eq!(status, StatusCode::OK, "{reference} of {id}"),
        }
    }
    stored
}

/// What the record becomes, as `Type/id`; `true` where another record may have made it too.
async fn resources(http: &Client, url: &str, id: &str) -> Vec<(String, bool)> {
    let request = http.post(format!("{url}/kap/v1/dosing-session/$map")).json(&record(id, 1));
    let bundle: Value = request.send().await.expect("an answer").json().await.expect("a Bundle");
    let entries = bundle["entry"].as_array().expect("entries");
    assert!(entries.len() > 10, "only {} resources", entries.len());
    entries
        .iter()
        .map(|entry| {
            let resource = &entry["resource"];
            let kind = resource["resourceType"].as_str().expect("a type");
            let id = resource["id"].as_str().expect("an id");
            (format!("{kind}/{id}"), entry["request"].get("ifNoneExist").is_some())
        })
        .collect()
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[tokio::test(flavor = "multi_thread")]
async fn records_acknowledged_over_http_survive_kill_9() {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").subsec_nanos();
    let seed: u64 = std::env::var("KAP_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(clock.into());
    println!("KAP_TEST_SEED={seed}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kap.db");
    let http = Client::new();
    let mut random = seed;
    let (mut acknowledged, mut all) = (0, HashMap::new());
    for round in 0..ROUNDS {
        let mut gateway = Gateway::start(&file, &http).await;
        let journal = Arc::new(Mutex::new(Journal::default()));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                tokio::spawn(send_until_killed(http.clone(), gateway.url.clone(), round, client, Arc::clone(&journal)))
            })
            .collect();
        // In every other round under load, however slow the machine is; else at any moment from the start on.
        if round % 2 == 0 {
            first_acknowledgement(&journal).await;
        }
        tokio::time::sleep(Duration::from_millis(next(&mut random) % LONGEST_MS)).await;
        gateway.kill();
        for client in clients {
            client.await.expect("no answer but success");
        }

        let gateway = Gateway::start(&file, &http).await;
        let journal = std::mem::take(&mut *journal.lock().expect("no panic")).0;
        let mut unanswered = 0;
        for (id, (sent, answered)) in journal {
            let stored = whole_revision(&http, &gateway.url, &id).await;
            assert!(
                answered <= stored && stored <= sent,
                "{id}: acknowledged {answered}, stored {stored}, sent {sent}, round {round}"
            );
            acknowledged += usize::from(answered > 0);
            unanswered += usize::from(stored > answered);
            all.insert(id, stored);
        }
        println!("round {round}: {acknowledged} records acknowledged in all, {unanswered} stored without an answer");
    }

    let gateway = Gateway::start(&file, &http).await;
    for (id, stored) in all {
        assert_eq!(whole_revision(&http, &gateway.url, &id).await, stored, "{id} changed in a later round");
    }
    assert!(acknowledged > 0, "the load never reached an acknowledgement: nothing was tested");
}

async fn first_acknowledgement(journal: &Mutex<Journal>) {
    for _ in 0..6000 {
        if journal.lock().expect("no panic").0.values().any(|(_, answered)| *answered > 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Every retry has the key of its request: however often the gateway is killed between the change and its answer, each is
/// done once, and the answer that comes at last is the first one.
#[tokio::test(flavor = "multi_thread")]
async fn requests_with_a_key_are_done_once_although_kill_9_loses_their_answers() {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").subsec_nanos();
    let seed: u64 = std::env::var("KAP_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(clock.into());
    println!("KAP_TEST_SEED={seed}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kap.db");
    let http = Client::new();
    let mut random = seed;
    // Each client's request that has no answer yet; it is sent again in the next round.
    let mut open: Vec<u64> = vec![0; 8];
    let (mut lost, mut answered) = (0, 0);
    for round in 0..ROUNDS {
        let mut gateway = Gateway::start(&file, &http).await;
        let clients: Vec<_> = (0..8)
            .map(|client| tokio::spawn(post_until_killed(http.clone(), gateway.url.clone(), client, open[client])))
            .collect();
        tokio::time::sleep(Duration::from_millis(next(&mut random) % LONGEST_MS)).await;
        gateway.kill();
        for (client, task) in clients.into_iter().enumerate() {
            let number = task.await.expect("no answer but success");
            answered += number - open[client];
            open[client] = number;
        }
        drop(gateway);

        let gateway = Gateway::start(&file, &http).await;
        for (client, number) in open.iter_mut().enumerate() {
            lost += stored(&http, &gateway.url, client, *number).await;
            let (status, first) = post(&http, &gateway.url, client, *number).await.expect("an answer");
            assert_eq!(status, StatusCode::CREATED, "round {round}");
            // The same answer again, to the letter.
            assert_eq!(post(&http, &gateway.url, client, *number).await, Some((status, first)));
            for number in 0..=*number {
                assert_eq!(stored(&http, &gateway.url, client, number).await, 1, "request {number} of {client}");
            }
            *number += 1;
        }
    }
    println!("{answered} answered, {lost} done without an answer");
    assert!(answered > 0, "the load never reached an answer: nothing was tested");
}

async fn post(http: &Client, url: &str, client: usize, number: u64) -> Option<(StatusCode, String)> {
    let name = format!("{client}-{number}");
    let body = json!({ "resourceType": "Basic", "identifier": [{ "system": "urn:test", "value": name }], "code": { "text": "x" } });
    let request = http.post(format!("{url}/fhir/Basic")).header("Idempotency-Key", name);
    let request = request.header("Content-Type", "application/fhir+json").body(body.to_string());
    let answer = request.send().await.ok()?;
    let status = answer.status();
    Some((status, answer.text().await.ok()?))
}

/// The first number that got no answer.
async fn post_until_killed(http: Client, url: String, client: usize, from: u64) -> u64 {
    for number in from.. {
        match post(&http, &url, client, number).await {
            Some((status, _)) => assert_eq!(status, StatusCode::CREATED),
            None => return number,
        }
    }
    from
}

/// How many resources a request has made.
async fn stored(http: &Client, url: &str, client: usize, number: u64) -> u64 {
    let search = format!("{url}/fhir/Basic?identifier=urn:test%7C{client}-{number}&_summary=count");
    let found: Value = http.get(search).send().await.expect("an answer").json().await.expect("JSON");
    found["total"].as_u64().expect("a number")
}

/// Whoever copies the data file of a gateway that was stopped has everything.
#[cfg(unix)]
#[tokio::test]
async fn file_of_a_gateway_that_was_stopped_is_whole_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, copy) = (folder.path().join("kap.db"), folder.path().join("copy.db"));
    let http = Client::new();
    let mut gateway = Gateway::start(&file, &http).await;
    let goal = json!({
        "resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": { "text": "x" },
        "subject": { "display": "Testpatient" },
    });
    let stored = http.put(format!("{}/fhir/Goal/g", gateway.url)).json(&goal).send().await.expect("an answer");
    assert_eq!(stored.status(), StatusCode::CREATED);
    // Readers have the file open, too.
    let found = http.get(format!("{}/fhir/Goal?_id=g", gateway.url)).send().await.expect("an answer");
    assert_eq!(found.status(), StatusCode::OK);
    gateway.stop();
    assert!(!folder.path().join("kap.db-wal").exists());
    std::fs::copy(&file, &copy).expect("a copy");
    let mut gateway = Gateway::start(&copy, &http).await;
    let read = http.get(format!("{}/fhir/Goal/g", gateway.url)).send().await.expect("an answer");
    assert_eq!(read.status(), StatusCode::OK);
    gateway.kill();
}
