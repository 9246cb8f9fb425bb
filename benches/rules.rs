//! All safety rules on a course of 44 sessions: the facts from stored JSON, then the rules. One run, both.
//!
//! `cargo bench --bench rules`

use kap_gateway::ingest::preview;
use kap_gateway::kap::contract::Contract;
use kap_gateway::kap::kind::Kind;
use kap_gateway::safety::facts::{Facts, Stored};
use kap_gateway::safety::judge;
use kap_gateway::safety::ruleset::Ruleset;
use serde_json::Value;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

const INTAKE: &str = include_str!("../fixtures/case-01/01-intake.json");
const BASELINE: &str = include_str!("../fixtures/case-01/02-outcome-baseline.json");
const SESSION: &str = include_str!("../fixtures/case-01/03-dosing-session-1.json");
const SESSIONS: usize = 44;
const ROUNDS: usize = 200;

fn main() {
    let contract = Contract::load().expect("the contract");
    let mut resources: BTreeMap<(String, String), Vec<u8>> = BTreeMap::new();
    let mut add = |kind, record: &str| {
        let Ok(preview) = preview(&contract, "http://x/fhir", kind, record.as_bytes()) else {
            panic!("the record maps");
        };
        let bundle: Value = serde_json::from_slice(&preview.bundle).expect("a Bundle");
        for entry in bundle["entry"].as_array().expect("entries") {
            let resource = &entry["resource"];
            let text = |name: &str| resource[name].as_str().expect("text").to_owned();
            // What a session names in passing does not take the place of what the intake says.
            let key = (text("resourceType"), text("id"));
            resources.entry(key).or_insert_with(|| resource.to_string().into_bytes());
        }
    };
    add(Kind::Intake, INTAKE);
    add(Kind::Outcome, BASELINE);
    for session in 0..SESSIONS {
        // A session each week, of which there are 44 in the year.
        let day = jiff::civil::date(2026, 2, 2).saturating_add(jiff::Span::new().days(7 * session as i64));
        let record =
            SESSION.replace("case01-dosing-1", &format!("bench-{session}")).replace("2026-02-02", &day.to_string());
        add(Kind::DosingSession, &record);
    }
    let rules = Ruleset::embedded().expect("the rules");
    let stored: Vec<Stored<'_>> =
        resources.iter().map(|((resource_type, id), body)| Stored { resource_type, id, body }).collect();
    let as_of = "2027-06-01T00:00:00Z".parse().expect("an instant");
    let bytes: usize = stored.iter().map(|one| one.body.len()).sum();
    let (mut reading, mut judging) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    let mut found = 0;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let facts = Facts::read(black_box(&stored).iter().copied(), &rules.sets);
        reading.push(start.elapsed());
        let start = Instant::now();
        let verdicts = judge(black_box(&facts), &rules, as_of);
        judging.push(start.elapsed());
        found = verdicts.iter().map(|verdict| verdict.findings.len()).sum();
    }
    println!(
        "{} sessions, {} resources, {bytes} B, {found} findings: facts {:.2} ms, all rules {:.2} ms (rules at most 2 ms)",
        SESSIONS,
        stored.len(),
        millis(&mut reading),
        millis(&mut judging)
    );
}

/// The median.
fn millis(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}
