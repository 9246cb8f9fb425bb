//! FHIR holds the hand-computed figures of the fixture cases, to the last digit.
//!
//! `fixtures/case-NN/figures.json` says where each must appear; nothing there was written by a program.

use kap_gateway::fhir::codec;
use kap_gateway::kap::instruments::Registry;
use kap_gateway::kap::json;
use kap_gateway::kap::kind::Kind;
use kap_gateway::kap::records::Record;
use kap_gateway::mapping;
use serde_json::Value;
use std::path::Path;

/// The resources of one record, as the bytes that leave say them.
fn resources(record: &Path) -> Vec<Value> {
    let value = json::read_strict(&std::fs::read(record).expect("a record")).expect("strict JSON");
    let kind = value["kind"].as_str().and_then(Kind::from_word).expect("a kind");
    let record = Record::from_value(kind, value).expect("the contract");
    let mapped = mapping::map(&record, None, Registry::built_in());
    mapped
        .entries
        .iter()
        .chain(&mapped.amendments)
        .map(|entry| serde_json::from_slice(&codec::to_json(&entry.resource).expect("FHIR")).expect("JSON"))
        .collect()
}

/// All values at a path; lists are walked through. `name[word]` keeps the elements whose url ends with the word, or
/// whose code or linkId is the word.
fn at<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    path.split('.').filter(|step| !step.is_empty()).fold(vec![value], |found, step| {
        let (name, keep) = match step.split_once('[') {
            Some((name, rest)) => (name, Some(rest.trim_end_matches(']'))),
            None => (step, None),
        };
        let mut next = Vec::new();
        for value in found {
            match value.get(name) {
                Some(Value::Array(items)) => next.extend(items),
                Some(other) => next.push(other),
                None => {}
            }
        }
        next.retain(|value| keep.is_none_or(|word| is_named(value, word)));
        next
    })
}

fn is_named(value: &Value, word: &str) -> bool {
    let url = value.get("url").and_then(Value::as_str).is_some_and(|url| url.ends_with(word));
    let link = value.get("linkId").and_then(Value::as_str) == Some(word);
    url || link || at(value, "code.coding.code").iter().any(|code| code.as_str() == Some(word))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            other.to_string()
        }
    }
}

/// The times a resource may be known by.
const TIMES: &[&str] = &[
    "effectiveDateTime",
    "effectivePeriod.start",
    "performedDateTime",
    "performedPeriod.start",
    "date",
    "authored",
    "period.start",
    "onsetDateTime",
    "authoredOn",
];

fn is_meant(resource: &Value, figure: &Value) -> bool {
    let is = |name: &str, paths: &[&str]| match figure.get(name).and_then(Value::as_str) {
        Some(wanted) => paths.iter().any(|path| at(resource, path).iter().any(|found| found.as_str() == Some(wanted))),
        None => true,
    };
    resource["resourceType"] == figure["resource"]
        && is("code", &["code.coding.code", "event.coding.code", "type.coding.code"])
        && is("at", TIMES)
}

/// What is wrong with one figure, or nothing.
fn fault(resources: &[Value], figure: &Value) -> Option<String> {
    let what = text(&figure["what"]);
    let element = figure["element"].as_str().expect("an element");
    let meant: Vec<&Value> = resources.iter().filter(|resource| is_meant(resource, figure)).collect();
    if meant.is_empty() {
        return Some(format!("{what}: no such {}", figure["resource"]));
    }
    let wanted = text(&figure["value"]);
    let found: Vec<String> = meant.iter().flat_map(|resource| at(resource, element)).map(text).collect();
    if !found.contains(&wanted) {
        return Some(format!("{what}: {element} is {found:?}, not {wanted}"));
    }
    let unit = figure.get("unit").map(text)?;
    let quantity = element.strip_suffix(".value")?;
    let quantities: Vec<&Value> = meant.iter().flat_map(|resource| at(resource, quantity)).collect();
    let fits = |quantity: &&&Value| text(&quantity["value"]) == wanted && text(&quantity["code"]) == unit;
    quantities.iter().find(fits).is_none().then(|| format!("{what}: not in {unit}"))
}

#[test]
fn fhir_holds_the_hand_computed_figures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (mut checked, mut faults) = (0, Vec::new());
    for case in
        ["case-01", "case-02", "case-03", "case-04", "case-05", "case-06", "case-07", "case-08", "case-09", "case-10"]
    {
        let file = std::fs::read(root.join(case).join("figures.json")).expect("figures");
        let figures: Value = serde_json::from_slice(&file).expect("JSON");
        for figure in figures["figures"].as_array().expect("a list") {
            if figure["element"] == "-" {
                continue;
            }
            checked += 1;
            let record = figure["record"].as_str().expect("a record");
            let found = resources(&root.join(case).join(record));
            faults.extend(fault(&found, figure).map(|fault| format!("{case}/{record}: {fault}")));
        }
    }
    assert!(checked > 150, "only {checked} figures were checked");
    assert!(faults.is_empty(), "{} of {checked}:\n{}", faults.len(), faults.join("\n"));
}
