//! Durable writes over HTTP: 64 clients, one session record each at a time, against one client. One run, both.
//!
//! `cargo bench --bench writes`; the figures are of the disk under the temporary folder. A commit waits for the disk;
//! what many clients gain is that they wait together.

use kap_gateway::app;
use kap_gateway::config::{Config, Options};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SESSION: &str = include_str!("../fixtures/case-01/03-dosing-session-1.json");
const RECORD_ID: &str = "\"case01-dosing-1\"";
/// Each record is of a patient and a course of its own: the safety rules look at all of a patient's records, and nobody has
/// thousands of sessions.
const PATIENT: &str = "\"case01-patient\"";
const COURSE: &str = "\"case01-course\"";
const ROUND: Duration = Duration::from_secs(3);
/// Many, because the ratio depends on how much is stored: in an empty file one commit changes few pages.
const ROUNDS: usize = 8;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    assert!([RECORD_ID, PATIENT, COURSE].iter().all(|id| SESSION.contains(id)), "the fixture has those ids");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = Config::try_from(Options {
        listen: Some("127.0.0.1:0".parse().expect("an address")),
        data_file: Some(folder.path().join("writes.db")),
        ..Options::default()
    })
    .expect("a configuration");
    let running = app::run(&config).expect("the service starts");
    let address = format!("http://{}/kap/v1/dosing-session", running.address);
    let next = Arc::new(AtomicUsize::new(0));
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let one = rate(&address, &next, 1).await;
        let many = rate(&address, &next, 64).await;
        let stored = next.load(Ordering::Relaxed);
        let ratio = many / one;
        println!("{stored} records: 1 client {one:.0} records/s, 64 clients {many:.0} records/s, ratio {ratio:.1}");
        ratios.push(ratio);
    }
    println!("ratio from {:.1} (new file) to {:.1} (at least 5)", ratios[0], ratios[ROUNDS - 1]);
}

/// Records stored in a second by so many clients; each sends its next when the last is acknowledged.
async fn rate(address: &str, next: &Arc<AtomicUsize>, clients: usize) -> f64 {
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (address, next) = (address.to_owned(), Arc::clone(next));
        tasks.spawn(async move {
            let client = reqwest::Client::new();
            let mut stored = 0;
            while start.elapsed() < ROUND {
                let id = format!("bench-{}", next.fetch_add(1, Ordering::Relaxed));
                let body = SESSION.replace(RECORD_ID, &format!("\"{id}\""));
                let body =
                    body.replace(PATIENT, &format!("\"{id}-patient\"")).replace(COURSE, &format!("\"{id}-course\""));
                let request = client.put(format!("{address}/{id}")).header("content-type", "application/json");
                let answer = request.body(body).send().await.expect("an answer");
                assert_eq!(answer.status().as_u16(), 201, "{}", answer.text().await.unwrap_or_default());
                stored += 1;
            }
            stored
        });
    }
    let stored: usize = tasks.join_all().await.into_iter().sum();
    stored as f64 / start.elapsed().as_secs_f64()
}
