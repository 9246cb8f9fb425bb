//! `kill -9` at random moments: what was acknowledged is whole, everything else is whole or absent.
//!
//! A record whose acknowledgement the kill cut off may be there: it was durable before it was answered.

use crate::sample::*;
use kap_gateway::store::sqlite::SqliteStore;
use kap_gateway::store::*;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

const STORE_FILE: &str = "KAP_TEST_STORE_FILE";
const ROUND: &str = "KAP_TEST_ROUND";
const ROUNDS: u64 = 10;
const CLIENTS: usize = 8;
const RESOURCES: usize = 5;
/// Each record is stored, then corrected.
const REVISIONS: u64 = 2;

fn record_id(round: u64, client: usize, number: u64) -> String {
    format!("{round}-{client}-{number}")
}

fn content(id: &str, revision: u64) -> String {
    format!("{id} as of {revision} {}", "x".repeat(1500))
}

fn resources(id: &str, revision: u64) -> Vec<Write> {
    let resource = |i| Write {
        patient: Some(id.to_owned()),
        index: vec![token("identifier", "", id), token("status", "", &revision.to_string())],
        ..write("Observation", &format!("{id}-{i}"), &content(id, revision))
    };
    (0..RESOURCES).map(resource).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run in a process of its own by acknowledged_records_survive_kill_9"]
async fn commit_until_killed() {
    let (Ok(file), Ok(round)) = (std::env::var(STORE_FILE), std::env::var(ROUND)) else { return };
    let round: u64 = round.parse().unwrap();
    let store = SqliteStore::open(file).unwrap();
    let client = async |client| {
        for number in 0.. {
            let id = record_id(round, client, number);
            commit(&store, record(&id, resources(&id, 1))).await;
            acknowledge(client, number, 1);
            commit(&store, revision(&id, "1", "2", resources(&id, 2))).await;
            acknowledge(client, number, 2);
        }
    };
    join_all((0..CLIENTS).map(client)).await;
}

/// One line, out of the process before anything else happens.
fn acknowledge(client: usize, number: u64, revision: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {client} {number} {revision}").unwrap();
    out.flush().unwrap();
}

#[tokio::test]
async fn acknowledged_records_survive_kill_9() {
    let seed = std::env::var("KAP_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64);
    println!("KAP_TEST_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kap.db");
    let mut random = seed;
    let mut acknowledged = HashMap::new();
    for round in 0..ROUNDS {
        // From the first acknowledgement to the kill: sometimes at once, sometimes past a few checkpoints.
        let delay = Duration::from_micros(next(&mut random) % 400_000);
        run_and_kill(&file, round, delay, &mut acknowledged);
        let store = SqliteStore::open(&file).unwrap();
        let mut in_flight = 0;
        for client in 0..CLIENTS {
            let mut number = 0;
            while let Some(revision) = acknowledged.get(&(round, client, number)) {
                let id = record_id(round, client, number);
                let stored = whole_revision(&store, &id).await;
                assert!(stored >= *revision, "{id}: acknowledged {revision}, stored {stored}, round {round}");
                number += 1;
            }
            // What was on its way, and nothing after that.
            in_flight += u64::from(whole_revision(&store, &record_id(round, client, number)).await > 0);
            assert_eq!(whole_revision(&store, &record_id(round, client, number + 1)).await, 0);
        }
        println!("round {round}: {} acknowledged in all, {in_flight} more were stored", acknowledged.len());
    }
    let store = SqliteStore::open(&file).unwrap();
    for ((round, client, number), revision) in acknowledged {
        assert!(whole_revision(&store, &record_id(round, client, number)).await >= revision, "of round {round}");
    }
}

/// Runs the child until `delay` after its first acknowledgement and adds the last revision of each record that it
/// acknowledged.
fn run_and_kill(file: &Path, round: u64, delay: Duration, acknowledged: &mut HashMap<(u64, usize, u64), u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::commit_until_killed", "--exact", "--ignored", "--nocapture"])
        .env(STORE_FILE, file)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut note = |line: String| -> bool {
        let Some(numbers) = line.strip_prefix("ack ") else { return false };
        let numbers: Vec<u64> = numbers.split(' ').filter_map(|number| number.parse().ok()).collect();
        // The last line may be cut off by the kill, and is then no acknowledgement.
        if let [client, number, revision] = numbers[..] {
            acknowledged.insert((round, client as usize, number), revision);
        }
        true
    };
    while !note(lines.next().expect("the child acknowledges something")) {}
    let killer = std::thread::spawn(move || {
        std::thread::sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
    });
    lines.for_each(|line| {
        note(line);
    });
    killer.join().unwrap();
}

/// The revision in which the record is stored, 0 if it is not; fails if anything of it contradicts that.
async fn whole_revision(store: &SqliteStore, id: &str) -> u64 {
    let records = store.records(DEFAULT_TENANT, "dosing-session", id, None).await.unwrap();
    let revision = records.first().map_or(0, |record| record.revision.parse().unwrap());
    assert!(revision <= REVISIONS && records.len() <= 1);
    let expected = if revision == 0 { 0 } else { RESOURCES };
    assert_eq!(records.first().map_or(0, |record| record.resources.len()), expected, "{id}");
    for resource in records.iter().flat_map(|record| &record.resources) {
        let body: serde_json::Value = serde_json::from_slice(&resource.body).unwrap();
        assert_eq!(body["note"], content(id, revision), "{id}");
        assert_eq!((resource.version_id, body["meta"]["versionId"].as_str()), (revision, Some(&*revision.to_string())));
    }
    for i in 0..RESOURCES {
        let history = store.history(DEFAULT_TENANT, "Observation", &format!("{id}-{i}"), 10, None).await.unwrap();
        assert_eq!(history.len() as u64, revision, "{id}");
    }
    let by_row = found(store, "Observation", vec![by_token("identifier", None, Some(id))]).await;
    assert_eq!(by_row.len(), expected, "{id}");
    assert_eq!(store.compartment(DEFAULT_TENANT, id).await.unwrap().len(), expected, "{id}");
    revision
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
