//! Mapping a full dosing session, payload bytes to Bundle bytes with the contract's check, against what
//! `serde_json::Value` takes to parse the same input and write the same output. One run, both in turn.
//!
//! `cargo bench --bench mapping`

use kap_gateway::ingest::preview;
use kap_gateway::kap::contract::Contract;
use kap_gateway::kap::kind::Kind;
use std::hint::black_box;
use std::time::{Duration, Instant};

const BASE: &str = "https://kap-gateway.example.org/fhir";
const ROUNDS: usize = 400;

fn main() {
    let contract = Contract::load().expect("the contract");
    for (kind, name, payload) in [
        (Kind::DosingSession, "case 01", include_bytes!("../fixtures/case-01/03-dosing-session-1.json").as_slice()),
        (Kind::DosingSession, "case 02", include_bytes!("../fixtures/case-02/03-dosing-session-1.json").as_slice()),
        (Kind::Intake, "case 01", include_bytes!("../fixtures/case-01/01-intake.json").as_slice()),
    ] {
        let Ok(sample) = preview(&contract, BASE, kind, payload) else {
            panic!("the fixture maps");
        };
        let tree: serde_json::Value = serde_json::from_slice(&sample.bundle).expect("a Bundle");
        let (mut mapping, mut baseline) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
        for _ in 0..ROUNDS {
            let start = Instant::now();
            black_box(preview(&contract, BASE, kind, black_box(payload)).is_ok());
            mapping.push(start.elapsed());
            let start = Instant::now();
            let parsed: serde_json::Value = serde_json::from_slice(black_box(payload)).expect("JSON");
            black_box(serde_json::to_vec(black_box(&tree)).expect("JSON"));
            black_box(parsed);
            baseline.push(start.elapsed());
        }
        let (mapping, baseline) = (median(&mut mapping), median(&mut baseline));
        println!(
            "{} {name}: {} B in, {} B out; mapping {:.1} us, Value parse and write {:.1} us, ratio {:.2} (at most 3)",
            kind.as_str(),
            payload.len(),
            sample.bundle.len(),
            micros(mapping),
            micros(baseline),
            micros(mapping) / micros(baseline)
        );
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
