//! All that the mapping writes for the fixtures: each resource, the transaction, and what a retraction leaves.

use super::*;
use kap_gateway::fhir::codec;
use kap_gateway::ingest;
use kap_gateway::kap::contract::Contract;
use kap_gateway::kap::instruments::Registry;
use kap_gateway::kap::kind::Kind;
use kap_gateway::kap::records::Record;
use kap_gateway::mapping::{self, retraction};

fn fixtures() -> Vec<PathBuf> {
    let cases = std::fs::read_dir(here("fixtures")).expect("fixtures").flatten().filter(|entry| entry.path().is_dir());
    let mut found: Vec<PathBuf> = cases
        .flat_map(|case| files(&format!("fixtures/{}", case.file_name().to_string_lossy())))
        .filter(|file| name(file).starts_with(|first: char| first.is_ascii_digit()))
        .collect();
    found.sort();
    assert!(found.len() >= 20, "only {} fixtures", found.len());
    found
}

fn kind(record: &Value) -> Kind {
    record["kind"].as_str().and_then(Kind::from_word).expect("a kind")
}

fn faults(file: &Path, resource: &Value) -> Vec<String> {
    let of = resource["resourceType"].as_str().expect("a type");
    told(judge(resource).errors().cloned()).into_iter().map(|text| format!("{}: {of}: {text}", name(file))).collect()
}

#[test]
fn every_resource_of_the_fixtures_is_valid_also_when_it_is_retracted() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in fixtures() {
        let record = read(&file);
        let record = Record::from_value(kind(&record), record).expect("a record");
        for entry in mapping::map(&record, None, Registry::built_in()).entries {
            count += 1;
            wrong.extend(faults(&file, &written(&entry.resource)));
            let retracted = retraction::retract(entry.resource);
            wrong.extend(faults(&file, &written(&retracted)).into_iter().map(|text| format!("retracted: {text}")));
        }
    }
    assert!(count >= 400, "only {count} resources");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_transaction_of_the_fixtures_is_valid() {
    let contract = Contract::load().expect("the contract");
    let mut wrong = Vec::new();
    for file in fixtures() {
        let body = std::fs::read(&file).expect("a fixture");
        let preview =
            ingest::preview(&contract, "http://example.org/fhir", kind(&read(&file)), &body).expect("a Bundle");
        let bundle: Value = serde_json::from_slice(&preview.bundle).expect("JSON");
        assert_eq!(bundle["type"], "transaction");
        wrong.extend(faults(&file, &bundle));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn written(resource: &kap_gateway::fhir::model::Resource) -> Value {
    serde_json::from_slice(&codec::to_json(resource).expect("a resource of ours")).expect("JSON")
}
