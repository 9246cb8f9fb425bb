//! Every fixture record becomes FHIR and comes back as it was sent.

use kap_gateway::fhir::{codec, resource};
use kap_gateway::kap::instruments::Registry;
use kap_gateway::kap::kind::Kind;
use kap_gateway::kap::records::Record;
use kap_gateway::kap::{check, contract::Contract, json};
use kap_gateway::mapping::{self, Mapped};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files = Vec::new();
    for case in std::fs::read_dir(root).expect("fixtures").flatten().filter(|entry| entry.path().is_dir()) {
        for file in std::fs::read_dir(case.path()).expect("a case").flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            if name.ends_with(".json") && name.starts_with(|first: char| first.is_ascii_digit()) {
                files.push(file.path());
            }
        }
    }
    files.sort();
    assert!(files.len() >= 20, "the fixtures are there");
    files
}

fn load(file: &Path) -> (Kind, Value) {
    let bytes = std::fs::read(file).expect("a fixture");
    let value = json::read_strict(&bytes).expect("strict JSON");
    let kind = value["kind"].as_str().and_then(Kind::from_word).expect("a kind");
    (kind, value)
}

fn map(kind: Kind, value: &Value) -> Mapped {
    let record = Record::from_value(kind, value.clone()).expect("the types agree with the contract");
    mapping::map(&record, None, Registry::built_in())
}

#[test]
fn every_fixture_record_comes_back_as_it_was_sent() {
    let contract = Contract::load().expect("the contract");
    let mut failures = Vec::new();
    for file in fixtures() {
        let (kind, value) = load(&file);
        let faults = check::check(&contract, kind, &value, None);
        assert!(faults.errors.is_empty(), "{}: {:?}", file.display(), faults.errors);
        let mapped = map(kind, &value);
        // Through the bytes: what the store keeps is what the way back reads.
        let resources: Vec<_> = mapped
            .entries
            .iter()
            .map(|entry| {
                let bytes = codec::to_json(&entry.resource)
                    .unwrap_or_else(|e| panic!("{}: {} {e}", file.display(), entry.resource_type));
                codec::from_json(&bytes).unwrap_or_else(|e| panic!("{}: {} {e}", file.display(), entry.resource_type))
            })
            .collect();
        let source = &value["source"];
        let (system, record_id) = (source["system"].as_str().unwrap(), source["recordId"].as_str().unwrap());
        let rebuilt = match mapping::rebuild(kind, system, record_id, &resources, Registry::built_in()) {
            Ok(rebuilt) => sorted(&rebuilt.to_value().expect("a record")),
            Err(error) => {
                failures.push(format!("{}: {error}", file.display()));
                continue;
            }
        };
        let (sent, back) = (lines(&sorted(&value)), lines(&rebuilt));
        if sent != back {
            let lost: Vec<_> = sent.iter().filter(|line| !back.contains(line)).collect();
            let new: Vec<_> = back.iter().filter(|line| !sent.contains(line)).collect();
            failures.push(format!("{}: lost {lost:?}, new {new:?}, or in another order", file.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn lines(value: &Value) -> Vec<String> {
    serde_json::to_string_pretty(value).expect("JSON").lines().map(str::to_owned).collect()
}

/// The same value with members in alphabetical order, so that a difference shows as a line.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other.clone(),
    }
}

#[test]
fn the_same_record_makes_the_same_resources() {
    for file in fixtures() {
        let (kind, value) = load(&file);
        let (first, second) = (map(kind, &value), map(kind, &value));
        let written = |mapped: &Mapped| -> Vec<Vec<u8>> {
            mapped.entries.iter().map(|entry| codec::to_json(&entry.resource).unwrap()).collect()
        };
        assert_eq!(written(&first), written(&second), "{}", file.display());
    }
}

#[test]
fn every_resource_has_its_own_id_and_every_reference_is_answered() {
    for file in fixtures() {
        let (kind, value) = load(&file);
        let mapped = map(kind, &value);
        let mut known = std::collections::HashSet::new();
        for entry in &mapped.entries {
            let (name, id, _) = resource::identify(&entry.resource).expect("a type of ours");
            assert_eq!(Some(entry.id.as_str()), id);
            assert!(known.insert(format!("{name}/{}", entry.id)), "{}: {name} twice", file.display());
        }
        let mut missing = Vec::new();
        for entry in &mapped.entries {
            let value: Value = serde_json::from_slice(&codec::to_json(&entry.resource).unwrap()).unwrap();
            references(&value, &mut |reference| {
                // A dosing session that an integration session names is in another record's Bundle.
                let elsewhere = kind != Kind::DosingSession && reference.starts_with("Procedure/")
                    || reference.starts_with("Observation/") && matches!(kind, Kind::Outcome | Kind::CourseClosure)
                    || reference.starts_with("MedicationAdministration/") && kind == Kind::CheckIn
                    || reference.starts_with("CarePlan/") && kind == Kind::CourseClosure
                    // A group session names the confidentiality agreement that the intake holds.
                    || reference.starts_with("Consent/") && kind != Kind::Intake;
                if !reference.starts_with('#') && !known.contains(reference) && !elsewhere {
                    missing.push(format!("{} -> {reference}", entry.resource_type));
                }
            });
        }
        assert!(missing.is_empty(), "{}: {missing:?}", file.display());
    }
}

fn references(value: &Value, seen: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("reference") {
                seen(reference);
            }
            members.values().for_each(|member| references(member, seen));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, seen)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
