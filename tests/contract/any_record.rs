//! Any record that the contract accepts is understood, and comes back as it was sent.
//!
//! Records are made from the schemas themselves, so that a field that somebody adds there is tried here. What the
//! rules across fields refuse is taken away again until nothing is left to refuse.

use super::CONTRACT;
use kap_gateway::fhir::codec;
use kap_gateway::fhir::xml::to_xml;
use kap_gateway::kap::check::check;
use kap_gateway::kap::json::read_strict;
use kap_gateway::kap::kind::Kind;
use kap_gateway::kap::records::Record;
use kap_gateway::mapping;
use serde_json::{Map, Value, json};

const RECORDS_OF_A_KIND: u64 = 250;

/// Choices that a seed decides, and a clock that only goes forward so that most times are in order.
struct Maker {
    state: u64,
    minutes: u32,
    names: u32,
}

impl Maker {
    fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, minutes: 0, names: 0 }
    }

    /// A number below `bound`: a linear congruential generator is random enough to choose fields.
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).expect("31 bits fit") % bound
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn next_name(&mut self) -> u32 {
        self.names += 1;
        self.names
    }

    fn value(&mut self, schema: &Value) -> Value {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().expect("a name");
            return self.component(name, CONTRACT.document().pointer(&reference[1..]).expect("the schema"));
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            return words[self.below(words.len())].clone();
        }
        if let Some(ways) = schema.get("oneOf").and_then(Value::as_array) {
            let way = self.below(ways.len());
            return self.value(&ways[way]);
        }
        match schema["type"].as_str().expect("a type") {
            "object" => self.object(schema),
            "array" => {
                let count = 1 + self.below(2);
                Value::Array((0..count).map(|_| self.value(&schema["items"])).collect())
            }
            "boolean" => json!(self.below(2) == 1),
            "integer" => json!(self.within(schema)),
            "number" => {
                let text = format!("{}{}", self.within(schema), self.pick(&["", ".5", ".50", ".0", ".125", ".000001"]));
                let number: Value = serde_json::from_str(&text).expect("a number");
                number
            }
            "string" => self.inline_text(schema),
            other => panic!("no value for {other}"),
        }
    }

    /// A small whole number in the schema's range.
    fn within(&mut self, schema: &Value) -> i64 {
        let least =
            schema["minimum"].as_i64().or(schema["exclusiveMinimum"].as_i64().map(|limit| limit + 1)).unwrap_or(0);
        let most = schema["maximum"].as_i64().unwrap_or(100).min(least + 60);
        least + i64::try_from(self.below(usize::try_from(most - least).expect("a range").max(1))).expect("small")
    }

    fn object(&mut self, schema: &Value) -> Value {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut fields = Map::new();
        for (name, property) in schema["properties"].as_object().expect("properties") {
            if required.contains(&name.as_str()) || self.below(3) > 0 {
                fields.insert(name.clone(), self.value(property));
            }
        }
        Value::Object(fields)
    }

    fn component(&mut self, name: &str, schema: &Value) -> Value {
        match name {
            "DateTime" => {
                self.minutes += 1;
                let (hour, minute) = (self.minutes / 60 % 24, self.minutes % 60);
                let day = 1 + self.minutes / 1440;
                let second = self.pick(&["00", "59", "30.5", "00.000"]);
                json!(format!("2026-02-{day:02}T{hour:02}:{minute:02}:{second}-05:00"))
            }
            "Date" => json!(self.pick(&["2026-02-02", "2024-02-29", "2030-12-31"])),
            "PartialDate" => json!(self.pick(&["2019", "2019-05", "2019-05-31"])),
            "Line" => json!(format!(
                "{} {}",
                self.pick(&[
                    "plain words",
                    "Größe – naïve",
                    "a \"quoted\" <b> & 'c'",
                    "  spaces",
                    "#hash ~tilde/slash|pipe\\back %20"
                ]),
                self.next_name()
            )),
            "Text" => {
                json!(format!("{} {}", self.pick(&["words", "two\nlines\tand a tab", "emoji 🌱 é"]), self.next_name()))
            }
            "Token" => json!(format!("id-{}", self.next_name())),
            "RecordId" => json!(format!("record:{}~x", self.next_name())),
            "Uri" => json!(self.pick(&["urn:kap:test", "https://ehr.example.org/ids/mrn", "urn:oid:1.2.3"])),
            "Code" if self.below(2) == 0 => self.known_code(),
            _ => self.value(schema),
        }
    }

    /// A code that the gateway knows and may put there by itself, too.
    fn known_code(&mut self) -> Value {
        let codes = [
            ("http://snomed.info/sct", "47625008"),
            ("http://snomed.info/sct", "1153570009"),
            ("http://snomed.info/sct", "228557008"),
            ("http://snomed.info/sct", "25064002"),
            ("http://hl7.org/fhir/sid/icd-10-cm", "F33.2"),
            ("http://www.nlm.nih.gov/research/umls/rxnorm", "6130"),
            ("http://loinc.org", "1742-6"),
        ];
        let (system, code) = codes[self.below(codes.len())];
        json!({ "system": system, "code": code })
    }

    /// A whole record, whose elements point at each other where they can.
    fn record(mut self, kind: Kind) -> Value {
        let mut record = self.value(&json!({ "$ref": format!("#/components/schemas/{}", kind.schema()) }));
        let id_in =
            |record: &Value, list: &str| record[list].as_array()?.iter().find_map(|element| element.get("id").cloned());
        for (from, field, to) in [
            ("adverseEvents", "suspectDose", "doses"),
            ("rescueMedications", "forAdverseEvent", "adverseEvents"),
            ("supportMeasures", "forAdverseEvent", "adverseEvents"),
        ] {
            let target = id_in(&record, to);
            for element in record.get_mut(from).and_then(Value::as_array_mut).into_iter().flatten() {
                if let (Some(pointing), Some(id)) = (element.get_mut(field), &target) {
                    *pointing = id.clone();
                }
            }
        }
        let weighed = record["vitals"]
            .as_array()
            .and_then(|sets| sets.iter().find(|set| set.get("weight").is_some())?.get("id").cloned());
        for dose in record.get_mut("doses").and_then(Value::as_array_mut).into_iter().flatten() {
            if let (Some(vitals), Some(id)) = (dose.pointer_mut("/dosingWeight/vitals"), &weighed) {
                *vitals = id.clone();
            }
            if dose.get("volume").is_some()
                && let Some(unit) = dose.pointer_mut("/product/strength/denominator/unit")
            {
                *unit = json!("mL");
            }
        }
        let screened: Vec<(&str, Value)> = ["results", "labs", "vitals"]
            .into_iter()
            .flat_map(|list| {
                let elements = record[list].as_array().cloned().unwrap_or_default();
                let meant = move |it: &Value| list != "vitals" || it.get("bloodPressure").is_some();
                elements.into_iter().filter(meant).filter_map(move |it| Some((list, it.get("id")?.clone())))
            })
            .collect();
        let rests_on = record.pointer_mut("/suitability/restsOn").and_then(Value::as_array_mut);
        for (result, (list, id)) in rests_on.into_iter().flatten().zip(&screened) {
            *result = json!({ "list": list, "id": id });
        }
        for lab in record.get_mut("labs").and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(unit) = lab.pointer("/value/unit").cloned() else { continue };
            for name in ["referenceLow", "referenceHigh"] {
                if let Some(limit) = lab.get_mut(name) {
                    limit["unit"] = unit.clone();
                }
            }
        }
        for result in record.get_mut("results").and_then(Value::as_array_mut).into_iter().flatten() {
            if result.get("riskLevel").is_some() && self.below(4) == 0 {
                result["instrument"] = json!("c-ssrs-screener");
            }
        }
        record
    }

    /// Texts whose pattern stands in the field itself.
    fn inline_text(&mut self, schema: &Value) -> Value {
        match schema["pattern"].as_str().unwrap_or_default() {
            pattern if pattern.contains("difficulty") => json!(self.pick(&["1", "2", "3", "difficulty"])),
            pattern if pattern.contains(r"\d{11}") => json!(self.pick(&["50458-028-02", "12345678901"])),
            pattern if pattern.contains("[A-Z]{1,2}") => json!("AB1234567"),
            pattern if pattern.contains("[a-z]{2,3}") => json!(self.pick(&["en-US", "de"])),
            _ => json!(format!("value {}", self.next_name())),
        }
    }
}

/// Takes away what the check refuses, until it refuses nothing; `None` where something needed would go.
fn accepted(kind: Kind, mut record: Value) -> Option<Value> {
    for _ in 0..200 {
        let faults = check(&CONTRACT, kind, &record, None);
        let Some(fault) = faults.errors.last() else { return Some(record) };
        let mut pointer = fault.pointer.clone();
        if record.pointer(&pointer).is_none() {
            pointer.truncate(pointer.rfind('/')?);
        }
        let (parent, name) = pointer.rsplit_once('/')?;
        match record.pointer_mut(parent)? {
            Value::Object(fields) => drop(fields.remove(name)?),
            Value::Array(elements) => drop(elements.remove(name.parse().ok()?)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        }
    }
    None
}

pub fn made(kind: Kind) -> Vec<(u64, Value)> {
    let records: Vec<_> = (1..=RECORDS_OF_A_KIND)
        .filter_map(|seed| Some((seed, accepted(kind, Maker::new(seed).record(kind))?)))
        .collect();
    let enough = usize::try_from(RECORDS_OF_A_KIND / 2).expect("small");
    assert!(records.len() > enough, "only {} records of {} are accepted", records.len(), kind.as_str());
    records
}

#[test]
fn any_record_that_the_contract_accepts_is_read_and_written_alike() {
    for kind in Kind::ALL {
        for (seed, record) in made(*kind) {
            let text = record.to_string();
            let read = read_strict(text.as_bytes()).unwrap_or_else(|faults| panic!("{seed}: {faults:?}\n{text}"));
            let typed =
                Record::from_value(*kind, read.clone()).unwrap_or_else(|error| panic!("{seed}: {error}\n{text}"));
            let written = typed.to_value().expect("a record");
            assert!(written == read, "{} {seed}: {}", kind.as_str(), difference("", &read, &written));
        }
    }
}

#[test]
fn any_record_that_the_contract_accepts_comes_back_from_fhir_as_it_was_sent() {
    let mut lost = Vec::new();
    for kind in Kind::ALL {
        for (seed, record) in made(*kind) {
            let typed = Record::from_value(*kind, record.clone()).expect("a typed record");
            let source = &record["source"];
            let (system, id) =
                (source["system"].as_str().expect("a system"), source["recordId"].as_str().expect("an id"));
            // Through the bytes: what the store keeps is what the way back reads.
            let resources: Vec<_> = mapping::map(&typed, None)
                .entries
                .iter()
                .map(|entry| codec::to_json(&entry.resource).expect("JSON"))
                .map(|bytes| codec::from_json(&bytes).expect("our own JSON"))
                .collect();
            match mapping::rebuild(*kind, system, id, &resources) {
                Ok(rebuilt) => {
                    let written = rebuilt.to_value().expect("a record");
                    if written != record {
                        lost.push(format!("{} {seed}: {}", kind.as_str(), difference("", &record, &written)));
                    }
                }
                Err(error) => lost.push(format!("{} {seed}: {error}", kind.as_str())),
            }
        }
    }
    assert!(lost.is_empty(), "{} records:\n{}", lost.len(), lost.join("\n"));
}

#[test]
fn any_record_says_in_xml_what_it_says_in_json() {
    for kind in Kind::ALL {
        for (seed, record) in made(*kind).into_iter().step_by(5) {
            let typed = Record::from_value(*kind, record).expect("a typed record");
            for entry in mapping::map(&typed, None).entries {
                let json = codec::to_json(&entry.resource).expect("JSON");
                let xml = String::from_utf8(to_xml(&entry.resource).expect("XML")).expect("UTF-8");
                let read = codec::from_xml(&xml).unwrap_or_else(|error| panic!("{seed}: {error}\n{xml}"));
                let again = codec::to_json(&read).expect("JSON");
                assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&json), "{} {seed}", kind.as_str());
            }
        }
    }
}

/// The first difference, for the one who has to find it.
fn difference(pointer: &str, sent: &Value, got: &Value) -> String {
    match (sent, got) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
            let mut unlike = names.filter(|name| a.get(*name) != b.get(*name));
            let name = unlike.next().expect("a difference");
            difference(
                &format!("{pointer}/{name}"),
                a.get(name).unwrap_or(&Value::Null),
                b.get(name).unwrap_or(&Value::Null),
            )
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let index = a.iter().zip(b).position(|(a, b)| a != b).expect("a difference");
            difference(&format!("{pointer}/{index}"), &a[index], &b[index])
        }
        _ => format!("{pointer}: sent {sent}, got {got}"),
    }
}

/// The fields of a record, list positions left out: `/doses/*/route/term`.
fn fields(value: &Value, pointer: &str, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(inner) => inner.iter().for_each(|(name, value)| {
            found.insert(format!("{pointer}/{name}"));
            fields(value, &format!("{pointer}/{name}"), found);
        }),
        Value::Array(elements) => elements.iter().for_each(|value| fields(value, &format!("{pointer}/*"), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_records_that_are_made_hold_every_field_of_the_contract() {
    for kind in Kind::ALL {
        let (mut kept, mut possible) = (Default::default(), Default::default());
        made(*kind).iter().for_each(|(_, record)| fields(record, "", &mut kept));
        (1..=RECORDS_OF_A_KIND).for_each(|seed| fields(&Maker::new(seed).record(*kind), "", &mut possible));
        let never: Vec<_> = possible.difference(&kept).collect();
        assert!(never.is_empty(), "{}: {never:#?}", kind.as_str());
    }
}
