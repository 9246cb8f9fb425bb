//! What the store does in a second, as ratios taken in one run: durable writes by many clients against one, reads by
//! id against a map in memory, and the time until a filled store is open.
//!
//! `cargo bench --bench store`; the figures are of the disk under the temporary folder.

use bytes::Bytes;
use kap_gateway::fhir::search::{IndexRow, IndexValue};
use kap_gateway::store::sqlite::SqliteStore;
use kap_gateway::store::*;
use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CLIENTS: usize = 64;
/// About what a dosing session makes.
const SESSION_RESOURCES: usize = 25;
const BODY_BYTES: usize = 1200;
const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
const FILLED: usize = 10_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    writes(&folder.path().join("writes.db")).await;
    let filled = folder.path().join("filled.db");
    fill(&filled).await;
    open(&filled);
    let store = SqliteStore::open(&filled).expect("the store opens");
    reads(&store).await;
    searches(&store).await;
}

fn observation(record: &str, number: usize) -> Write {
    let id = format!("{record}-{number:04}");
    let filler = "x".repeat(BODY_BYTES);
    let body = format!(r#"{{"resourceType":"Observation","id":"{id}","meta":{{}},"note":"{filler}"}}"#);
    let token = |field, system: &str, code: &str| {
        IndexRow::new(field, IndexValue::Token { system: system.into(), code: code.into() })
    };
    let patient =
        |field| IndexRow::new(field, IndexValue::Reference { resource_type: "Patient".into(), id: record.into() });
    let day = number as i64 * 86_400_000_000;
    Write {
        resource_type: "Observation".into(),
        index: vec![
            token("identifier", "https://sender.example", &id),
            token("status", "", "final"),
            token("category", "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs"),
            token("code", "http://loinc.org", ["8480-6", "8462-4", "8867-4", "59408-5"][number % 4]),
            patient("subject"),
            IndexRow::new("effective:date", IndexValue::Date { low: day, high: day }),
        ],
        id,
        body: Bytes::from(body),
        mode: WriteMode::Put,
        patient: Some(record.into()),
    }
}

fn session(record_id: &str) -> RecordWrite {
    RecordWrite {
        key: RecordKey {
            kind: "dosing-session".into(),
            system: "https://sender.example".into(),
            record_id: record_id.into(),
        },
        revision: "1".into(),
        digest: [0; 32],
        based_on: None,
        writes: (0..SESSION_RESOURCES).map(|number| observation(record_id, number)).collect(),
        retractions: vec![],
    }
}

/// One client and 64 in turns, so that both see the same disk.
async fn writes(file: &Path) {
    let store = Arc::new(SqliteStore::open(file).expect("the store opens"));
    let (mut one, mut many) = (0.0, 0.0);
    for round in 0..ROUNDS {
        one += commits_per_second(&store, 1, &format!("one-{round}")).await;
        many += commits_per_second(&store, CLIENTS, &format!("many-{round}")).await;
    }
    let (one, many) = (one / ROUNDS as f64, many / ROUNDS as f64);
    println!("durable writes of {SESSION_RESOURCES} resources: 1 client {one:.0}/s, {CLIENTS} clients {many:.0}/s");
    println!("  ratio {:.1} (target 5)", many / one);
}

async fn commits_per_second(store: &Arc<SqliteStore>, clients: usize, name: &str) -> f64 {
    let done = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients {
        let (store, done, name) = (Arc::clone(store), Arc::clone(&done), name.to_owned());
        tasks.spawn(async move {
            for number in 0.. {
                if start.elapsed() > ROUND {
                    break;
                }
                let committed = store.commit(DEFAULT_TENANT, session(&format!("{name}-{client}-{number}"))).await;
                assert!(matches!(committed, Ok(Committed::Stored(_))));
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tasks.join_all().await;
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

async fn fill(file: &Path) {
    let store = SqliteStore::open(file).expect("the store opens");
    for number in 0..FILLED / SESSION_RESOURCES {
        store.commit(DEFAULT_TENANT, session(&format!("p{number}"))).await.expect("a commit");
    }
}

fn open(file: &Path) {
    let size = std::fs::metadata(file).expect("the file").len();
    let times = (0..10).map(|_| {
        let start = Instant::now();
        let store = SqliteStore::open(file).expect("the store opens");
        let time = start.elapsed();
        drop(store);
        time
    });
    let slowest = times.max().unwrap_or_default();
    println!(
        "open with {FILLED} resources: {slowest:?} at most (target 100 ms); {} bytes on disk for each",
        size / FILLED as u64
    );
}

async fn reads(store: &SqliteStore) {
    let ids: Vec<String> = (0..FILLED)
        .map(|i| format!("p{}-{:04}", i * 7919 % (FILLED / SESSION_RESOURCES), i % SESSION_RESOURCES))
        .collect();
    let mut memory = HashMap::new();
    for id in &ids {
        let resource = store.read(DEFAULT_TENANT, "Observation", id).await.expect("a read").expect("the resource");
        memory.insert((DEFAULT_TENANT.to_owned(), "Observation".to_owned(), id.clone()), resource);
    }
    let start = Instant::now();
    for id in &ids {
        black_box(store.read(DEFAULT_TENANT, "Observation", id).await.expect("a read"));
    }
    let stored = start.elapsed() / FILLED as u32;
    let start = Instant::now();
    for id in &ids {
        black_box(memory.get(&(DEFAULT_TENANT.to_owned(), "Observation".to_owned(), id.clone())).cloned());
    }
    let remembered = start.elapsed() / FILLED as u32;
    println!(
        "read by id: {stored:?}, {:.0}/s on one thread; from a map in memory {remembered:?}",
        1.0 / stored.as_secs_f64()
    );
}

async fn searches(store: &SqliteStore) {
    let by_code = |code: &str| Filter {
        parameter: "code".into(),
        any_of: vec![FilterValue::Token { system: Some("http://loinc.org".into()), code: Some(code.into()) }],
    };
    let by_patient = Filter {
        parameter: "patient".into(),
        any_of: vec![FilterValue::Reference { resource_type: Some("Patient".into()), id: "p7".into() }],
    };
    let since = Filter {
        parameter: "date".into(),
        any_of: vec![FilterValue::Date { prefix: DatePrefix::Ge, low: 86_400_000_000, high: 86_400_000_000 }],
    };
    let newest = vec![SortKey { parameter: "date".into(), descending: true }];
    for (name, filters, sort) in [
        ("a patient's values of one code", vec![by_patient.clone(), by_code("8480-6")], vec![]),
        ("a patient's, newest first", vec![by_patient, since.clone()], newest.clone()),
        ("everybody's of one code", vec![by_code("8480-6")], vec![]),
        ("everybody's since a day, newest first", vec![by_code("8480-6"), since], newest.clone()),
    ] {
        let query =
            SearchQuery { resource_type: "Observation".into(), filters, sort, count: 20, ..SearchQuery::default() };
        let start = Instant::now();
        for _ in 0..100 {
            black_box(store.search(DEFAULT_TENANT, query.clone()).await.expect("a search"));
        }
        println!("search, page of 20, {name}: {:?}", start.elapsed() / 100);
    }
}
