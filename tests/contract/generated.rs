//! What `generate` makes: valid by the contract, valid as FHIR, and back from FHIR as it was.
//!
//! `KAP_TEST_RECORDS=100000 cargo test --release --test contract generated` does it with more.

use super::{CONTRACT, kind_of};
use kap_gateway::app::generate::{Size, course, generate};
use kap_gateway::fhir::codec;
use kap_gateway::fhir::definitions::Definitions;
use kap_gateway::fhir::validate::{Options, Validator};
use kap_gateway::kap::check::check;
use kap_gateway::kap::instruments::Registry;
use kap_gateway::kap::json::read_strict;
use kap_gateway::kap::records::Record;
use kap_gateway::mapping;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SEED: u64 = 20_261_122;

/// So many records, or as many as the environment asks for.
fn records(usually: usize) -> impl Iterator<Item = Value> {
    let asked = std::env::var("KAP_TEST_RECORDS").ok().map(|asked| asked.parse().expect("a number"));
    (1..).flat_map(|patient| course(SEED, patient)).take(asked.unwrap_or(usually))
}

fn typed(record: &Value) -> Record {
    Record::from_value(kind_of(record), record.clone()).expect("a typed record")
}

#[test]
fn every_generated_record_keeps_the_contract() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for record in records(3000) {
        let text = record.to_string();
        let read = read_strict(text.as_bytes()).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
        let faults = check(&CONTRACT, kind_of(&record), &read, None);
        assert!(faults.errors.is_empty(), "{:#?}\n{text}", faults.errors);
        assert_eq!(record["security"][0], "test-data");
        *kinds.entry(kind_of(&record).as_str().to_owned()).or_default() += 1;
    }
    assert_eq!(kinds.len(), kap_gateway::kap::kind::Kind::ALL.len(), "a kind is never made: {kinds:?}");
}

#[test]
fn every_generated_record_comes_back_from_fhir_as_it_was() {
    for record in records(500) {
        let kind = kind_of(&record);
        let (system, id) = (record["source"]["system"].as_str(), record["source"]["recordId"].as_str());
        let entries = mapping::map(&typed(&record), None, Registry::built_in()).entries;
        let bytes = entries.iter().map(|entry| codec::to_json(&entry.resource).expect("JSON"));
        let resources: Vec<_> = bytes.map(|bytes| codec::from_json(&bytes).expect("our own JSON")).collect();
        let back =
            mapping::rebuild(kind, system.expect("a system"), id.expect("an id"), &resources, Registry::built_in())
                .expect("a record");
        assert_eq!(back.to_value().expect("JSON"), record);
    }
}

#[test]
fn what_generated_records_become_has_no_error_by_the_validator() {
    let validator = Validator::new(Definitions::base());
    let mut wrong: BTreeMap<String, usize> = BTreeMap::new();
    for record in records(150) {
        for entry in mapping::map(&typed(&record), None, Registry::built_in()).entries {
            let json: Value = serde_json::from_slice(&codec::to_json(&entry.resource).expect("JSON")).expect("JSON");
            let report = validator.validate(&json, &Options::default());
            for issue in report.errors() {
                *wrong.entry(format!("{}: [{}] {}", issue.expression, issue.rule, issue.text)).or_default() += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn generated_courses_vary() {
    let all: Vec<Value> = records(3000).collect();
    let words = |pointer: &str| -> BTreeSet<String> {
        let lists = all.iter().filter_map(|record| {
            let (list, field) = pointer.split_once("/*").unwrap_or((pointer, ""));
            let found = record.pointer(list)?;
            let elements = found.as_array().map_or(std::slice::from_ref(found), Vec::as_slice);
            Some(elements.iter().filter_map(|element| element.pointer(field)).map(Value::to_string).collect::<Vec<_>>())
        });
        lists.flatten().collect()
    };
    assert_eq!(words("/doses/*/route/term").len(), 9, "all eight routes, and another");
    assert_eq!(
        words("/doses/*/status").len(),
        5,
        "completed, stopped, not done; and while the session runs: under way, held"
    );
    for status in ["in-progress", "on-hold"] {
        let running = |record: &&Value| record.pointer("/doses/0/status").is_some_and(|own| own == status);
        for record in all.iter().filter(running) {
            let whole = all.iter().filter(|one| {
                one["source"]["recordId"] == record["source"]["recordId"]
                    && one["source"]["system"] == record["source"]["system"]
            });
            assert!(whole.clone().any(|one| one["source"]["revision"] == 2), "the whole session follows: {record}");
            assert_eq!((&record["contact"]["status"], &record["discharge"]), (&json!("in-progress"), &Value::Null));
        }
    }
    assert_eq!(words("/format").len(), 3);
    assert_eq!(words("/doses/*/medicine/term").len(), 2);
    assert_eq!(words("/suitability/decision").len(), 5);
    assert!(words("/adverseEvents/*/event/term").len() >= 28, "{:?}", words("/adverseEvents/*/event/term"));
    assert_eq!(words("/change").len(), 4, "pause, resume, end, cancel: {:?}", words("/change"));
    assert_eq!(words("/doses/*/role").len(), 4, "{:?}", words("/doses/*/role"));
    assert_eq!(words("/doses/*/product/formulation").len(), 9, "{:?}", words("/doses/*/product/formulation"));
    assert!(words("/consents/*/type").len() >= 5, "{:?}", words("/consents/*/type"));
    assert_eq!(words("/contact/companions/*/role").len(), 2, "a second adult, a partner");
    assert_eq!(words("/atHome/secondAdultPresent").len(), 2, "there, and not there");
    assert!(!words("/rems/monitoring/start").is_empty() && !words("/referrals/*/service").is_empty());
    assert!(words("/results/*/instrument").len() >= 18, "{:?}", words("/results/*/instrument"));
    assert!(words("/source/revision").contains("2"), "no record is corrected");
    assert!(words("/contact/setting").len() >= 3);
    let names = words("/patient/name/family");
    assert_eq!(names, BTreeSet::from([json!("Testpatient").to_string()]));
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_a_larger_set_holds_the_smaller() {
    let bytes = |seed, size| {
        let mut out = Vec::new();
        let made = generate(seed, size, &mut out).expect("written");
        (made, out)
    };
    let (made, five) = bytes(7, Size::Patients(5));
    assert_eq!(made.patients, 5);
    assert_eq!(five.iter().filter(|byte| **byte == b'\n').count() as u64, made.records);
    assert_eq!(bytes(7, Size::Patients(5)).1, five);
    assert!(bytes(7, Size::Patients(6)).1.starts_with(&five));
    assert_ne!(bytes(8, Size::Patients(5)).1, five);
    let (cut, some) = bytes(7, Size::Records(9));
    assert_eq!(cut.records, 9);
    assert!(five.starts_with(&some));
}
