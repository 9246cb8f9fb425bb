//! The import of generated records into an empty store, tenth by tenth: records and resources a second, durable.
//!
//! `cargo bench --bench import`; `KAP_BENCH_RECORDS=10000` makes it shorter, `KAP_BENCH_FOLDER` says on which disk the
//! file lies. The first tenth against the last shows whether the store falls off as it grows.

use kap_gateway::app::generate::{Size, generate};
use kap_gateway::app::import::{Job, Tally, import};
use kap_gateway::config::{Config, Options};
use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TENTHS: u64 = 10;

fn main() {
    let records: u64 = std::env::var("KAP_BENCH_RECORDS").map_or(100_000, |text| text.parse().expect("a number"));
    let folder = match std::env::var_os("KAP_BENCH_FOLDER") {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.expect("a temporary folder");
    let file = folder.path().join("records.ndjson");
    let started = Instant::now();
    let mut out = BufWriter::new(File::create(&file).expect("a file"));
    let made = generate(1, Size::Records(records), &mut out).expect("written");
    drop(out);
    let bytes = file.metadata().expect("a file").len();
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{} records of {} patients, {} MB, made in {seconds:.1} s",
        made.records,
        made.patients,
        bytes / 1_000_000
    );
    let data_file = folder.path().join("import.db");
    let config = Config::try_from(Options { data_file: Some(data_file.clone()), ..Options::default() });
    let config = config.expect("a configuration");
    let job = Job { files: vec![file], errors: None };
    let first = run(&config, &job, records);
    println!("data file {} MB", data_file.metadata().expect("a file").len() / 1_000_000);
    println!("last tenth against the first: {:.2}", first[first.len() - 1] / first[0]);
    println!("again:");
    run(&config, &job, records);
}

/// Imports, prints each tenth, and gives their resources a second.
fn run(config: &Config, job: &Job, records: u64) -> Vec<f64> {
    let tally = Arc::new(Tally::default());
    let watched = Arc::clone(&tally);
    let started = Instant::now();
    let watch = std::thread::spawn(move || {
        let mut rates = Vec::new();
        let (mut at, mut seen, mut written) = (started, 0, 0);
        for tenth in 1..=TENTHS {
            while watched.records() < records * tenth / TENTHS {
                std::thread::sleep(Duration::from_millis(2));
            }
            let (now, count, resources) = (Instant::now(), watched.records(), watched.resources());
            let seconds = now.duration_since(at).as_secs_f64();
            let rate = (resources - written) as f64 / seconds;
            println!("{tenth:>3}/10: {:>6.0} records/s {rate:>7.0} resources/s", (count - seen) as f64 / seconds);
            rates.push(rate);
            (at, seen, written) = (now, count, resources);
        }
        rates
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(import(config, job, Arc::clone(&tally))).expect("an import");
    let seconds = started.elapsed().as_secs_f64();
    println!("{} in {seconds:.1} s: {:.0} resources/s", tally.sentence(), tally.resources() as f64 / seconds);
    watch.join().expect("the rates")
}
