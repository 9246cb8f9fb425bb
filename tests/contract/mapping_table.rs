//! docs/mapping-table.tsv: every row of §2 of the mapping specification has a place in the contract and one in FHIR.
//!
//! The table is held to the code, line by line: the field stands in openapi.yaml; a record with it emits the FHIR path;
//! and where the field can be left out, the path says something else without it.

use super::any_record::made;
use super::{CONTRACT, records};
use kap_gateway::fhir::codec;
use kap_gateway::kap::instruments::Registry;
use kap_gateway::kap::kind::Kind;
use kap_gateway::kap::records::Record;
use kap_gateway::mapping;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const TABLE: &str = include_str!("../../docs/mapping-table.tsv");
const PAGE: &str = include_str!("../../docs/mapping-table.md");

struct Line {
    row: &'static str,
    kind: Kind,
    field: &'static str,
    path: &'static str,
}

fn lines() -> Vec<Line> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(cells.len(), 7, "{line}");
            assert!(cells.iter().take(6).all(|cell| !cell.is_empty()), "{line}");
            assert!(["✔", "◐", "✖", "L", "-"].contains(&cells[5]), "{line}");
            let kind = Kind::from_word(cells[2]).unwrap_or_else(|| panic!("no such kind: {line}"));
            Line { row: cells[0], kind, field: cells[3], path: cells[4] }
        })
        .collect()
}

/// The schema of a field of a record, through the references between schemas.
fn schema<'s>(kind: Kind, field: &str) -> Option<&'s Value> {
    fn resolved(schema: &Value) -> Option<&Value> {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => resolved(CONTRACT.document().pointer(reference.strip_prefix('#')?)?),
            None => Some(schema),
        }
    }
    let root = CONTRACT.document().pointer(&format!("/components/schemas/{}", kind.schema()))?;
    field.split('/').skip(1).try_fold(resolved(root)?, |schema, step| {
        resolved(if step == "*" { schema.get("items")? } else { schema.get("properties")?.get(step)? })
    })
}

#[test]
fn every_field_of_the_table_stands_in_the_contract() {
    let lost: Vec<String> = lines()
        .iter()
        .filter(|line| schema(line.kind, line.field).is_none())
        .map(|line| format!("{} {} {}", line.row, line.kind.as_str(), line.field))
        .collect();
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn no_row_of_the_specification_is_missing() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/domain/mapping-spec.md");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let rows: BTreeSet<&str> = lines().iter().map(|line| line.row).collect();
    let mut missing = Vec::new();
    for section in text.split("\n## ").filter(|section| section.starts_with("2.")) {
        // The last section ends where the next chapter begins.
        let section = section.split("\n# ").next().expect("a section");
        let number = section.split(' ').next().expect("a number");
        let mut parts = section.split("\n### ");
        let is_row = |line: &&str| line.starts_with('|') && !line.starts_with("|---");
        let count = |part: &str| part.lines().filter(is_row).count().saturating_sub(1);
        let main = count(parts.next().expect("a section"));
        let indications = parts.find(|part| part.starts_with("Indication value set")).map_or(0, count);
        let wanted = (1..=main).map(|row| format!("{number}/{row}"));
        let wanted = wanted.chain((1..=indications).map(|row| format!("{number}/I{row}")));
        missing.extend(wanted.filter(|row| !rows.contains(row.as_str())));
    }
    assert!(missing.is_empty(), "{missing:?}");
    assert!(rows.len() > 130, "only {} rows", rows.len());
}

#[test]
fn the_page_shows_every_line_of_the_table() {
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        let shown = format!(
            "| {} | {} | {} `{}` | `{}` | {} | {} |",
            cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6]
        );
        assert!(PAGE.lines().any(|own| own == shown), "docs/mapping-table.md has no line\n{shown}");
    }
}

/// Pointers of all fields that a pattern with `*` means in a record.
fn meant(value: &Value, pattern: &str) -> Vec<String> {
    let mut found = vec![(String::new(), value)];
    for step in pattern.split('/').skip(1) {
        found = found
            .into_iter()
            .flat_map(|(pointer, value)| -> Vec<(String, &Value)> {
                match (step, value) {
                    ("*", Value::Array(elements)) => {
                        elements.iter().enumerate().map(|(place, it)| (format!("{pointer}/{place}"), it)).collect()
                    }
                    (_, Value::Object(fields)) => {
                        fields.get(step).map(|it| (format!("{pointer}/{step}"), it)).into_iter().collect()
                    }
                    (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => vec![],
                }
            })
            .collect();
    }
    found.into_iter().map(|(pointer, _)| pointer).collect()
}

/// What stands at a FHIR path in all resources of a record, as text, in order.
fn at(resources: &[Value], path: &str) -> Vec<String> {
    let mut steps = path.split('.');
    let (name, word) = named(steps.next().expect("a type"));
    let mut found: Vec<&Value> = resources
        .iter()
        .filter(|resource| resource["resourceType"] == name)
        .filter(|resource| word.is_none_or(|word| ["code", "type"].iter().any(|of| codes(&resource[*of], word))))
        .collect();
    for step in steps {
        let (name, word) = named(step);
        let mut next = Vec::new();
        for value in found {
            match value.get(name) {
                Some(Value::Array(items)) => next.extend(items),
                Some(other) => next.push(other),
                None => {}
            }
        }
        next.retain(|value| word.is_none_or(|word| is_named(value, word)));
        found = next;
    }
    found.into_iter().map(Value::to_string).collect()
}

fn named(step: &str) -> (&str, Option<&str>) {
    match step.split_once('[') {
        Some((name, rest)) => (name, Some(rest.trim_end_matches(']'))),
        None => (step, None),
    }
}

fn codes(concept: &Value, word: &str) -> bool {
    concept["coding"].as_array().is_some_and(|codings| codings.iter().any(|coding| coding["code"] == word))
}

fn is_named(value: &Value, word: &str) -> bool {
    let ends =
        |name: &str| value[name].as_str().is_some_and(|text| text == word || text.ends_with(&format!("/{word}")));
    value["code"] == word || value["linkId"] == word || ends("url") || ends("system") || codes(&value["code"], word)
}

fn emitted(kind: Kind, record: &Value) -> Option<Vec<Value>> {
    let record = Record::from_value(kind, record.clone()).ok()?;
    let mapped = mapping::map(&record, None, Registry::built_in());
    Some(
        mapped
            .entries
            .iter()
            .chain(&mapped.amendments)
            .map(|entry| serde_json::from_slice(&codec::to_json(&entry.resource).expect("FHIR")).expect("JSON"))
            .collect(),
    )
}

/// The record without that field; an element of a list goes out of it.
fn without(record: &Value, pointer: &str) -> Value {
    let mut record = record.clone();
    if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(fields)) = record.pointer_mut(parent)
    {
        fields.remove(name);
    }
    record
}

/// The record with one result alone, of each instrument in turn: there are too many for chance to meet all.
fn each_scale(record: &Value) -> impl Iterator<Item = Value> {
    Registry::built_in().scales().iter().map(|scale| {
        let mut record = record.clone();
        let mut result = record["results"][0].clone();
        if let Some(result) = result.as_object_mut() {
            result.retain(|name, _| matches!(name.as_str(), "at" | "timepoint"));
            result.insert("instrument".into(), scale.key.clone().into());
            result.insert("score".into(), 1.into());
        }
        record["results"] = Value::Array(vec![result]);
        record
    })
}

#[test]
fn every_field_of_the_table_is_emitted_where_the_table_says() {
    let mut corpus: BTreeMap<&str, Vec<(Value, Vec<Value>)>> = BTreeMap::new();
    for kind in Kind::ALL {
        let generated = made(*kind).into_iter().map(|(_, record)| record);
        let paths = records();
        let fixtures = paths.iter().map(|path| super::read(path)).filter(|it| it["kind"] == kind.as_str());
        let all: Vec<Value> = fixtures.chain(generated).collect();
        let scored = all.iter().find(|record| record["results"].is_array()).into_iter().flat_map(each_scale);
        let all: Vec<Value> = scored.chain(all.iter().cloned()).collect();
        let all = all.into_iter();
        let with_fhir = all.filter_map(|record| Some((record.clone(), emitted(*kind, &record)?)));
        corpus.insert(kind.as_str(), with_fhir.collect());
    }
    let mut faults = Vec::new();
    for line in lines() {
        let (mut seen, mut changed, mut optional) = (false, false, false);
        'records: for (record, resources) in &corpus[line.kind.as_str()] {
            let pointers = meant(record, line.field);
            if pointers.is_empty() {
                continue;
            }
            let told = at(resources, line.path);
            if told.is_empty() {
                continue;
            }
            seen = true;
            for pointer in pointers {
                let Some(rest) = emitted(line.kind, &without(record, &pointer)) else { continue };
                optional = true;
                if at(&rest, line.path) != told {
                    changed = true;
                    break 'records;
                }
            }
        }
        let what = match (seen, optional && !changed) {
            (false, _) => "no record with the field emits the path",
            (true, true) => "without the field the path says the same",
            (true, false) => continue,
        };
        faults.push(format!("{} {} {} -> {}: {what}", line.row, line.kind.as_str(), line.field, line.path));
    }
    assert!(faults.is_empty(), "{} lines:\n{}", faults.len(), faults.join("\n"));
}
