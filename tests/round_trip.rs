//! Any valid record comes back as it was sent: records generated from openapi.yaml itself, so that no field of the
//! contract is left untried.
//!
//! `KAP_ROUND_TRIPS` sets how many of each kind (default 150), `KAP_SEED` where to start.

use kap_gateway::fhir::codec;
use kap_gateway::kap::kind::Kind;
use kap_gateway::kap::records::Record;
use kap_gateway::kap::{check, contract::Contract, json};
use kap_gateway::mapping;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashSet};

/// A generator of its own, so that a seed makes the same records everywhere (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % limit as u64).expect("small")
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

struct Generator<'c> {
    schemas: &'c Map<String, Value>,
    dice: Dice,
    /// Minutes since the start of 2026: times grow in the order of the document, as in real records.
    minutes: i64,
    tokens: usize,
    /// How likely an optional field is, in percent.
    optional: usize,
}

const TEXTS: &[&str] = &[
    "plain words",
    "with \"quotes\" & <angles>",
    "umlauts äöü, 漢字, 🙂",
    "  spaces at both ends ",
    "two\nlines",
    "tab\there",
    "percent %20 and #hash?",
    "~tilde/slash|pipe\\back",
    "'",
];
const SYSTEMS: &[&str] =
    &["urn:kap:test", "https://ehr.example.org/ids#part", "urn:oid:1.2.3", "https://example.org/a?b=c%7Cd"];
const CODES: &[(&str, &str)] = &[
    ("http://hl7.org/fhir/sid/icd-10-cm", "F33.2"),
    ("http://snomed.info/sct", "47505003"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "36437"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "6130"),
    ("https://example.org/own-codes", "X 1"),
    ("http://snomed.info/sct", "999999999"),
    ("http://loinc.org", "8867-4"),
    ("http://hl7.org/fhir/sid/ndc", "50458-028-02"),
];

impl Generator<'_> {
    fn time(&mut self) -> Value {
        self.minutes += 1 + i64::try_from(self.dice.below(9)).expect("small");
        let (offset, shown) = *self.dice.pick(&[(-300, "-05:00"), (0, "Z"), (330, "+05:30"), (0, "+00:00")]);
        let start: jiff::Timestamp = "2026-01-05T00:00:00Z".parse().expect("a time");
        let at = start + jiff::SignedDuration::from_mins(self.minutes + offset);
        let fraction = *self.dice.pick(&["", "", ".5", ".120"]);
        Value::String(format!("{}{fraction}{shown}", at.strftime("%Y-%m-%dT%H:%M:%S")))
    }

    fn date(&mut self) -> String {
        self.minutes += 1440;
        let start: jiff::Timestamp = "2026-01-05T00:00:00Z".parse().expect("a time");
        (start + jiff::SignedDuration::from_mins(self.minutes)).strftime("%Y-%m-%d").to_string()
    }

    fn named(&mut self, name: &str) -> Option<Value> {
        Some(match name {
            "DateTime" => self.time(),
            "Date" => Value::String(self.date()),
            "PartialDate" => {
                let date = self.date();
                Value::String(date[..*self.dice.pick(&[4, 7, 10])].to_owned())
            }
            "Line" | "Text" => Value::String((*self.dice.pick(TEXTS)).to_owned()),
            "Uri" => Value::String((*self.dice.pick(SYSTEMS)).to_owned()),
            "Token" | "RecordId" => {
                self.tokens += 1;
                Value::String(format!("t{}", self.tokens))
            }
            "Code" => {
                let (system, code) = *self.dice.pick(CODES);
                serde_json::json!({ "system": system, "code": code })
            }
            "SystemIdentifier" => {
                self.tokens += 1;
                let system = *self.dice.pick(SYSTEMS);
                serde_json::json!({ "system": system, "value": format!("value {}|{}", self.tokens, self.dice.below(9)) })
            }
            _ => return None,
        })
    }

    fn number(&mut self, schema: &Value) -> Value {
        let bound = |name: &str| schema.get(name).and_then(|bound| bound.to_string().parse::<i64>().ok());
        let low = bound("minimum").or(bound("exclusiveMinimum").map(|low| low + 1)).unwrap_or(0);
        let high = bound("maximum").unwrap_or(low + 300).min(low + 300);
        let whole =
            low + i64::try_from(self.dice.below(usize::try_from(high - low + 1).expect("small"))).expect("small");
        let text = if schema["type"] == "integer" || whole == high || whole < 0 {
            whole.to_string()
        } else {
            format!("{whole}{}", self.dice.pick(&["", ".0", ".50", ".125", ".000001"]))
        };
        serde_json::from_str(&text).expect("a number")
    }

    fn value(&mut self, schema: &Value) -> Value {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next()) {
            if let Some(value) = self.named(name) {
                return value;
            }
            let target = self.schemas[name].clone();
            return self.value(&target);
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            return self.dice.pick(words).clone();
        }
        if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
            let choice = self.dice.pick(choices).clone();
            return self.value(&choice);
        }
        match schema["type"].as_str().unwrap_or_default() {
            "object" => self.object(schema),
            "array" => {
                let mut items: Vec<Value> = Vec::new();
                for _ in 0..=self.dice.below(3) {
                    let item = self.value(&schema["items"]);
                    if !(schema["uniqueItems"] == true && items.contains(&item)) {
                        items.push(item);
                    }
                }
                Value::Array(items)
            }
            "boolean" => Value::Bool(self.dice.below(2) == 0),
            "integer" | "number" => self.number(schema),
            "string" => Value::String(match schema.get("pattern").and_then(Value::as_str) {
                Some(pattern) if pattern.contains("difficulty") => (1 + self.dice.below(9)).to_string(),
                Some(pattern) if pattern.contains("{11}") => "50458-028-02".to_owned(),
                Some(pattern) if pattern.contains("a-z") => (*self.dice.pick(&["en-US", "de", "es-MX"])).to_owned(),
                _ => format!("value {}", self.dice.below(1000)),
            }),
            other => panic!("a schema of type {other:?}: {schema}"),
        }
    }

    fn object(&mut self, schema: &Value) -> Value {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut members = Map::new();
        for (name, member) in schema["properties"].as_object().expect("properties") {
            if required.contains(&name.as_str()) || self.dice.below(100) < self.optional {
                members.insert(name.clone(), self.value(member));
            }
        }
        Value::Object(members)
    }
}

/// References between the elements of a record, to elements that are there.
fn link(record: &mut Value) {
    for (list, field, target) in [
        ("adverseEvents", "suspectDose", "doses"),
        ("rescueMedications", "forAdverseEvent", "adverseEvents"),
        ("supportMeasures", "forAdverseEvent", "adverseEvents"),
    ] {
        let first = record[target].as_array().into_iter().flatten().find_map(|element| element.get("id")).cloned();
        for element in record.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let (Some(place), Some(id)) = (element.get_mut(field), &first) {
                *place = id.clone();
            }
        }
    }
}

/// Takes away what breaks a rule across fields, until nothing does: the rules leave some combinations out, the
/// generator knows none of them.
fn repair(contract: &Contract, kind: Kind, mut record: Value) -> Option<Value> {
    for _ in 0..60 {
        let faults = check::check(contract, kind, &record, None).errors;
        let Some(fault) = faults.first() else { return Some(record) };
        let mut pointer = fault.pointer.as_str();
        loop {
            if remove(&mut record, pointer) {
                break;
            }
            pointer = &pointer[..pointer.rfind('/')?];
            if pointer.is_empty() {
                println!("cannot be repaired: {} {}", fault.pointer, fault.sentence);
                return None;
            }
        }
    }
    None
}

fn remove(record: &mut Value, pointer: &str) -> bool {
    let Some((parent, step)) = pointer.rsplit_once('/') else { return false };
    match record.pointer_mut(parent) {
        Some(Value::Object(members)) => members.shift_remove(step).is_some(),
        Some(Value::Array(items)) => match step.parse::<usize>() {
            // An empty list is no list: the element above goes.
            Ok(place) if place < items.len() && items.len() > 1 => {
                items.remove(place);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

fn round_trip(kind: Kind, record: &Value) -> Result<Value, String> {
    let typed = Record::from_value(kind, record.clone()).map_err(|error| error.to_string())?;
    let mapped = mapping::map(&typed);
    let mut resources = Vec::new();
    for entry in &mapped.entries {
        let bytes = codec::to_json(&entry.resource).map_err(|e| format!("{}: {e}", entry.resource_type))?;
        let xml = codec::to_xml(&entry.resource).map_err(|e| format!("{}: {e}", entry.resource_type))?;
        let xml = String::from_utf8(xml).map_err(|e| e.to_string())?;
        codec::from_xml(&xml).map_err(|e| format!("{} in XML: {e}", entry.resource_type))?;
        resources.push(codec::from_json(&bytes).map_err(|e| format!("{}: {e}", entry.resource_type))?);
    }
    let source = typed.header().source;
    let rebuilt =
        mapping::rebuild(kind, &source.system, &source.record_id, &resources).map_err(|error| error.to_string())?;
    rebuilt.to_value().map_err(|error| error.to_string())
}

/// Every path of a record, without places in lists: to see what was tried.
fn paths(value: &Value, at: &str, found: &mut HashSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = format!("{at}/{name}");
                found.insert(path.clone());
                paths(member, &path, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, at, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every path that the contract has.
fn schema_paths(schemas: &Map<String, Value>, schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next()) {
        return schema_paths(schemas, &schemas[name], at, found);
    }
    if let Some(items) = schema.get("items") {
        return schema_paths(schemas, items, at, found);
    }
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = format!("{at}/{name}");
        found.insert(path.clone());
        schema_paths(schemas, member, &path, found);
    }
}

/// What differs, by JSON Pointer.
fn differences(sent: &Value, back: &Value, at: &str, found: &mut Vec<String>) {
    match (sent, back) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                let (a, b) = (a.get(name), b.get(name));
                match (a, b) {
                    (Some(a), Some(b)) => differences(a, b, &format!("{at}/{name}"), found),
                    _ => found.push(format!("{at}/{name}: sent {a:?}, came back {b:?}")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(place, (a, b))| differences(a, b, &format!("{at}/{place}"), found));
        }
        (a, b) if a == b => {}
        (a, b) => found.push(format!("{at}: sent {a}, came back {b}")),
    }
}

fn number_from(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn any_valid_record_round_trips(kind: Kind) {
    let contract = Contract::load().expect("the contract");
    let schemas = contract.document()["components"]["schemas"].as_object().expect("schemas").clone();
    let (count, seed) = (number_from("KAP_ROUND_TRIPS", 150), number_from("KAP_SEED", 1));
    println!("seed {seed}, {count} records of {}", kind.as_str());
    let (mut tried, mut seen) = (0, HashSet::new());
    for round in 0..count {
        let optional = [15, 50, 75, 95][usize::try_from(round % 4).expect("small")];
        let dice = Dice(seed.wrapping_mul(1_000_003).wrapping_add(round));
        let mut generator = Generator { schemas: &schemas, dice, minutes: 0, tokens: 0, optional };
        let mut raw = generator.value(&schemas[kind.schema()]);
        link(&mut raw);
        // Through bytes: numbers as the strict reader makes them.
        let raw = json::read_strict(raw.to_string().as_bytes()).expect("strict JSON");
        let Some(record) = repair(&contract, kind, raw) else { continue };
        tried += 1;
        paths(&record, "", &mut seen);
        let back =
            round_trip(kind, &record).unwrap_or_else(|error| panic!("seed {seed}, round {round}: {error}\n{record}"));
        let mut found = Vec::new();
        differences(&record, &back, "", &mut found);
        assert!(found.is_empty(), "seed {seed}, round {round}:\n{}", found.join("\n"));
    }
    assert!(tried * 2 > count, "only {tried} of {count} records were valid");
    let mut all = BTreeSet::new();
    schema_paths(&schemas, &schemas[kind.schema()], "", &mut all);
    let untried: Vec<_> = all.iter().filter(|path| !seen.contains(*path)).collect();
    assert!(count < 150 || untried.is_empty(), "never tried: {untried:?}");
}

#[test]
fn any_valid_dosing_session_round_trips() {
    any_valid_record_round_trips(Kind::DosingSession);
}

#[test]
fn any_valid_integration_session_round_trips() {
    any_valid_record_round_trips(Kind::IntegrationSession);
}

#[test]
fn any_valid_outcome_round_trips() {
    any_valid_record_round_trips(Kind::Outcome);
}

#[test]
fn any_valid_intake_round_trips() {
    any_valid_record_round_trips(Kind::Intake);
}
