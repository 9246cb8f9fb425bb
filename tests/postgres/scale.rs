//! How PostgreSQL finds what is searched, at any size: the figures and plans of docs/scale.md.
//!
//! `KAP_TEST_SCALE=1000000 cargo test --test postgres scale -- --ignored --nocapture`

use crate::database::Server;
use crate::gateway::Gateway;
use kap_gateway::fhir::search::extract;
use kap_gateway::store::postgres::{Place, PostgresStore};
use kap_gateway::store::{
    Committed, DEFAULT_TENANT, RecordKey, RecordWrite, ResourceStore, StoreError, Write, WriteMode,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Resources of one patient: the patient and Observations.
const EACH: usize = 100;

/// A patient with Observations of ten codes over four years.
fn course(number: usize) -> Vec<Value> {
    let id = format!("p{number}");
    let mut all = vec![json!({
        "resourceType": "Patient", "id": id, "meta": {},
        "identifier": [{ "system": "urn:test:mrn", "value": number.to_string() }],
        "name": [{ "family": format!("Testpatient{}", number % 1000), "given": ["Ada"] }],
        "birthDate": format!("19{:02}-03-01", number % 100),
    })];
    all.extend((1..EACH).map(|n| {
        let day = (number * 7 + n * 13) % 1400;
        json!({
            "resourceType": "Observation", "id": format!("{id}-{n}"), "meta": {},
            "status": if n % 50 == 0 { "amended" } else { "final" },
            "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs" }] }],
            "code": { "coding": [{ "system": "http://loinc.org", "code": format!("8867-{}", n % 10) }] },
            "subject": { "reference": format!("Patient/{id}") },
            "effectiveDateTime": format!("{}-{:02}-{:02}T10:00:00Z", 2022 + day / 350, day % 12 + 1, day % 28 + 1),
            "valueQuantity": { "value": 60 + (number + n) % 90, "system": "http://unitsofmeasure.org", "code": "/min" },
        })
    }));
    all
}

async fn fill(store: Arc<PostgresStore>, patients: usize) {
    let began = Instant::now();
    let tasks = (0..6).map(|lane| {
        let store = Arc::clone(&store);
        async move {
            for number in (lane..patients).step_by(6) {
                let writes = course(number).into_iter().map(|resource| {
                    let text = |member: &str| resource[member].as_str().unwrap().to_owned();
                    let body = resource.to_string();
                    Write {
                        resource_type: text("resourceType"),
                        id: text("id"),
                        index: extract(&text("resourceType"), body.as_bytes()).unwrap(),
                        body: body.into(),
                        mode: WriteMode::Put,
                        patient: Some(format!("p{number}")),
                    }
                });
                let record = RecordWrite {
                    key: RecordKey { kind: "intake".into(), system: "urn:t".into(), record_id: number.to_string() },
                    revision: "1".into(),
                    digest: [0; 32],
                    based_on: None,
                    writes: writes.collect(),
                    retractions: vec![],
                };
                // A checkpoint may hold up everybody for longer than a writer waits; said again, a record is stored once.
                let mut done = store.commit(DEFAULT_TENANT, record.clone()).await;
                while let Err(StoreError::Unavailable(reason)) = done {
                    println!("record {number} again: {reason}");
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    done = store.commit(DEFAULT_TENANT, record.clone()).await;
                }
                assert!(matches!(done.unwrap(), Committed::Stored(_)));
                if number % 10_000 == 0 {
                    println!("{} resources after {:.0} s", number * EACH, began.elapsed().as_secs_f64());
                }
            }
        }
    });
    crate::gateway::all(tasks).await;
}

/// Of what `auto_explain` told: statements, their time in milliseconds, and the pages that they looked at.
fn summed(told: &str) -> (usize, f64, u64) {
    let (mut statements, mut took, mut pages) = (0, 0.0, 0);
    // The first line of pages behind a statement is that of its whole plan.
    let mut is_counted = true;
    for line in told.lines() {
        if let Some((_, rest)) = line.split_once("duration: ") {
            (statements, is_counted) = (statements + 1, false);
            took += rest.split(' ').next().and_then(|number| number.parse::<f64>().ok()).unwrap();
        } else if let Some((_, rest)) = line.split_once("Buffers: shared ").filter(|_| !is_counted) {
            is_counted = true;
            let counts =
                rest.split_whitespace().filter_map(|part| part.strip_prefix("hit=").or(part.strip_prefix("read=")));
            pages += counts.map(|count| count.parse::<u64>().unwrap()).sum::<u64>();
        }
    }
    (statements, took, pages)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; for docs/scale.md"]
async fn main_queries_and_their_plans() {
    let resources: usize = std::env::var("KAP_TEST_SCALE").ok().and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let server = Server::start(&[
        "session_preload_libraries=auto_explain",
        "auto_explain.log_min_duration=-1",
        "auto_explain.log_analyze=on",
        "auto_explain.log_buffers=on",
        "shared_buffers=512MB",
        "max_wal_size=12GB",
        "checkpoint_timeout=30min",
    ]);
    let database = server.empty_database().await;
    let store = PostgresStore::open(Place { url: &database, password: None, authority: None, connections: 8 }).unwrap();
    let began = Instant::now();
    fill(Arc::new(store), resources / EACH).await;
    println!("{resources} resources in {:.0} s", began.elapsed().as_secs_f64());
    crate::database::sql(&database, "VACUUM ANALYZE").await;
    let size = crate::database::sql(&database, "SELECT pg_size_pretty(pg_database_size(current_database()))").await;
    println!("size {size:?}");
    let gateway = Gateway::on(&database).await;
    let middle = resources / EACH / 2;
    let queries = [
        format!("/fhir/Patient/p{middle}"),
        format!("/fhir/Patient?identifier=urn:test:mrn|{middle}"),
        format!("/fhir/Observation?patient=Patient/p{middle}&code=http://loinc.org|8867-3&_sort=-date&_count=20"),
        format!("/fhir/Patient/p{middle}/Observation?_count=20"),
        "/fhir/Observation?code=http://loinc.org|8867-3&_sort=-date&_count=20".to_owned(),
        "/fhir/Observation?date=ge2025-06-01&_count=20".to_owned(),
        "/fhir/Observation?value-quantity=gt148|http://unitsofmeasure.org|/min&_count=20".to_owned(),
        format!("/fhir/Observation?patient.identifier=urn:test:mrn|{middle}&_include=Observation:patient&_count=20"),
        format!("/fhir/Patient?_has:Observation:patient:code=8867-3&identifier=urn:test:mrn|{middle}"),
        "/fhir/Observation?status:not=final&_count=20".to_owned(),
        "/fhir/Patient?family=Testpatient12&_count=20".to_owned(),
        "/fhir/_history?_count=20".to_owned(),
    ];
    for query in &queries {
        let mut took = Vec::new();
        for _ in 0..30 {
            let began = Instant::now();
            gateway.json(query).await;
            took.push(began.elapsed());
        }
        took.sort();
        println!("TIME {query}: median {:?}, slowest {:?}", took[took.len() / 2], took[took.len() - 1]);
    }
    drop(gateway);
    // New sessions tell what they do.
    let name = database.rsplit_once('/').unwrap().1;
    crate::database::sql(&server.url(), &format!("ALTER DATABASE {name} SET auto_explain.log_min_duration = 0")).await;
    let gateway = Gateway::on(&database).await;
    let log = server.data().with_file_name("log");
    for query in &queries {
        let before = std::fs::read_to_string(&log).unwrap().len();
        gateway.json(query).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let all = std::fs::read_to_string(&log).unwrap();
        let told = &all[before..];
        let (statements, took, pages) = summed(told);
        println!("SUM {query}: {statements} statements, {took:.1} ms, {pages} pages");
        println!("PLANS {query}\n{told}\nEND");
    }
}
