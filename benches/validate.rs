//! The validator: what its start costs, what one MedicationAdministration with its profile and a session's Bundle cost
//! against `serde_json::Value` parsing the same bytes, and whether Bundles of 100, 1,000 and 10,000 entries cost in
//! proportion. One run, both in turn, processor time. Entries are those that a dosing session is mapped to, all claiming their profiles.
//!
//! `cargo bench --bench validate`; with `-- FILE ROUNDS` only that file, one JSON line: the other half of
//! `benches/against-hl7`.

use kap_gateway::fhir::definitions::Definitions;
use kap_gateway::fhir::validate::{Options, Validator};
use kap_gateway::ingest::preview;
use kap_gateway::kap::contract::Contract;
use kap_gateway::kap::kind::Kind;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Duration;

const SESSION: &[u8] = include_bytes!("../fixtures/case-01/03-dosing-session-1.json");
const BASE: &str = "https://kap-gateway.example.org/fhir";

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    if let Some(file) = arguments.next() {
        let rounds = arguments.next().map_or(50, |rounds| rounds.parse().expect("a number of rounds"));
        return one_file(&file, rounds);
    }
    let bundle = session();
    let (validator, started) = timed(|| {
        let (definitions, read) = timed(Definitions::base);
        println!("definitions {:.1} ms", millis(read));
        Validator::new(definitions)
    });
    println!("definitions and validator {:.1} ms (under 100), {:.1} MB resident", millis(started), resident());
    let (report, first) = timed(|| validator.validate(&bundle, &Options::default()));
    assert!(report.is_valid(), "{:?}", report.errors().next());
    println!("first Bundle, with the types and profiles that it needs, {:.1} ms, {:.1} MB", millis(first), resident());

    let entries = bundle["entry"].as_array().expect("entries");
    let administration = entries
        .iter()
        .map(|entry| &entry["resource"])
        .find(|resource| resource["resourceType"] == "MedicationAdministration")
        .expect("a dosing session gives ketamine");
    assert!(!administration["meta"]["profile"].is_null(), "it claims its profile");
    let (own, parse, size) = against_parse(&validator, administration, 100);
    println!(
        "MedicationAdministration with its profile, {size} B: {:.1} us (under 150), {:.2} x parsing it ({:.1} us)",
        micros(own),
        own.as_secs_f64() / parse.as_secs_f64(),
        micros(parse)
    );
    let mut first_each = None;
    for (count, rounds) in [(50, 60), (100, 40), (1_000, 7), (10_000, 3)] {
        let many = repeated(&bundle, count);
        let (own, parse, size) = against_parse(&validator, &many, rounds);
        let each = micros(own) / count as f64;
        let of_first = each / *first_each.get_or_insert(each);
        println!(
            "Bundle of {count} entries, {size} B: {:.2} ms{}, {each:.1} us an entry ({of_first:.2} x that of 50), {:.2} x parsing it",
            millis(own),
            if count == 50 { " (under 5)" } else { "" },
            own.as_secs_f64() / parse.as_secs_f64(),
        );
    }
}

/// Medians of validating and of parsing, and the size in bytes.
fn against_parse(validator: &Validator, resource: &Value, rounds: usize) -> (Duration, Duration, usize) {
    let text = serde_json::to_vec(resource).expect("JSON");
    let options = Options { max_issues: 100, ..Options::default() };
    // Reading the clock takes some microseconds.
    let batch = if text.len() < 10_000 { 20 } else { 1 };
    let (mut own, mut parse) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    for _ in 0..rounds {
        let ((), time) = timed(|| {
            for _ in 0..batch {
                black_box(serde_json::from_slice::<Value>(black_box(&text)).expect("JSON"));
            }
        });
        parse.push(time / batch);
        let (report, time) = timed(|| {
            (1..batch).for_each(|_| drop(black_box(validator.validate(black_box(resource), &options))));
            validator.validate(black_box(resource), &options)
        });
        own.push(time / batch);
        assert!(report.is_valid(), "{:?}", report.errors().next());
    }
    (median(&mut own), median(&mut parse), text.len())
}

/// A Bundle of so many entries: the session again and again, each time as another patient's, references kept whole.
fn repeated(bundle: &Value, count: usize) -> Value {
    let text = bundle.to_string();
    let entries = bundle["entry"].as_array().expect("entries");
    let ids: Vec<&str> = entries.iter().filter_map(|entry| entry["resource"]["id"].as_str()).collect();
    let mut all = Vec::with_capacity(count);
    for copy in 0_u32.. {
        let renamed = ids.iter().fold(text.clone(), |text, id| text.replace(id, &format!("{copy:08x}{}", &id[8..])));
        let Value::Object(mut renamed) = serde_json::from_str(&renamed).expect("JSON") else { break };
        let Some(Value::Array(entries)) = renamed.remove("entry") else { break };
        all.extend(entries.into_iter().take(count - all.len()));
        if all.len() == count {
            break;
        }
    }
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": all })
}

fn session() -> Value {
    let contract = Contract::load().expect("the contract");
    let Ok(sample) = preview(&contract, BASE, Kind::DosingSession, SESSION) else { panic!("the fixture maps") };
    serde_json::from_slice(&sample.bundle).expect("a Bundle")
}

/// As HL7's half has it: the first time with what must be read for it, and the median of the rounds after it.
fn one_file(file: &str, rounds: usize) {
    let resource: Value = serde_json::from_slice(&std::fs::read(file).expect("the file")).expect("JSON");
    let validator = Validator::new(Definitions::base());
    let (report, first) = timed(|| validator.validate(&resource, &Options::default()));
    let mut times: Vec<Duration> =
        (0..rounds).map(|_| timed(|| validator.validate(black_box(&resource), &Options::default())).1).collect();
    let line = json!({
        "file": file,
        "errors": report.errors().count(),
        "first_ms": millis(first),
        "median_ms": millis(median(&mut times)),
    });
    println!("{line}");
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = processor_time();
    let made = run();
    (made, processor_time().saturating_sub(start))
}

/// What this thread has had of a processor: other work on the machine does not count.
fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs().try_into().expect("below a second"))
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Memory of the process in MB; 0 where the system does not tell.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) / 1e3
}
