//! The compiled routes against the FHIRPath engine, and what is not served.

use super::catalogue::types;
use super::datatype::Datatype;
use super::node::Node;
use super::value::push_values;
use super::*;
use crate::fhir::definitions::Definitions;
use crate::fhir::path::{Context, Expression, Item};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

fn rows(resource: &Value) -> Vec<IndexRow> {
    extract(resource["resourceType"].as_str().unwrap(), resource.to_string().as_bytes()).unwrap()
}

/// Values of one parameter, by its sources.
fn values_of(parameter: &SearchParameter, rows: &[IndexRow]) -> BTreeSet<String> {
    let is_of = |row: &&IndexRow, source: &Source| {
        let mut target = None;
        if let IndexValue::Reference { resource_type, .. } = &row.value {
            target = Some(resource_type.as_str());
        } else if let IndexValue::Uri(url) = &row.value {
            target = url.split('|').next().and_then(|url| url.rsplit('/').nth(1));
        }
        source.field == row.field && source.target.as_deref().is_none_or(|wanted| target == Some(wanted))
    };
    let of = |source| rows.iter().filter(move |row| is_of(row, source));
    parameter.sources.iter().flat_map(of).map(|row| format!("{:?}", row.value)).collect()
}

/// The same by the engine, from the expression as a whole.
fn values_by_engine(expression: &Expression, kind: SearchType, resource: &Value) -> BTreeSet<String> {
    let root = Item::resource(resource, types());
    let items = expression.evaluate(&Context::new(types(), root.clone()), root).unwrap();
    let mut values = Vec::new();
    for item in items {
        match &item {
            Item::Boolean(flag) => push_values(kind, Datatype::Boolean, &Node::Bool(*flag), &mut values),
            Item::Element(element) => {
                let name = element.of.map(|of| types().name(of)).unwrap_or_default();
                let Some(json) = element.value else { continue };
                // An extension stands for its value.
                let (name, json) = match json.as_object().and_then(|o| o.iter().find(|(k, _)| k.starts_with("value"))) {
                    Some((key, value)) if name == "Extension" => (key["value".len()..].to_owned(), value),
                    _ => (name.to_owned(), json),
                };
                let lower = name[..1].to_lowercase() + &name[1..];
                let of = if json.get("resourceType").is_some() {
                    Some(Datatype::Resource)
                } else {
                    Datatype::named(&name).or_else(|| Datatype::named(&lower))
                };
                let text = json.to_string();
                let node: Node<'_> = serde_json::from_str(&text).unwrap();
                if let Some(of) = of.filter(|of| of.is_read_as(kind)) {
                    push_values(kind, of, &node, &mut values);
                }
            }
            Item::Integer(_)
            | Item::Decimal(_)
            | Item::String(_)
            | Item::Moment(_)
            | Item::Quantity(_)
            | Item::Type(_) => panic!("{item:?}"),
        }
    }
    values.iter().map(|value| format!("{value:?}")).collect()
}

pub(super) fn official_examples() -> Option<Vec<Value>> {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fhir/examples/examples-r4-clinical.tgz");
    let Ok(file) = File::open(archive) else {
        println!("NOT COMPARED: the official examples are not beside the project");
        return None;
    };
    let mut found = Vec::new();
    for entry in tar::Archive::new(GzDecoder::new(file)).entries().unwrap() {
        let mut text = String::new();
        let mut entry = entry.unwrap();
        if entry.path().unwrap().extension().is_some_and(|extension| extension == "json") {
            entry.read_to_string(&mut text).unwrap();
            found.push(serde_json::from_str(&text).unwrap());
        }
    }
    Some(found)
}

#[test]
fn routes_find_what_the_fhirpath_engine_finds_in_all_official_examples() {
    let Some(examples) = official_examples() else { return };
    assert_eq!(examples.len(), 717);
    let definitions = Definitions::base().search_parameters();
    let expression = |parameter: &SearchParameter| {
        let found = definitions.iter().find(|known| known.url == parameter.definition).unwrap();
        Expression::parse(found.expression.as_deref().unwrap()).unwrap()
    };
    let (mut compared, mut found, mut different) = (0, 0, Vec::new());
    let mut parsed = std::collections::HashMap::new();
    for resource in &examples {
        let resource_type = resource["resourceType"].as_str().unwrap();
        let rows = rows(resource);
        for parameter in parameters(resource_type).iter().filter(|p| p.kind != SearchType::Composite) {
            let expression = parsed.entry(parameter.definition.as_str()).or_insert_with(|| expression(parameter));
            let ours = values_of(parameter, &rows);
            let mut theirs = values_by_engine(expression, parameter.kind, resource);
            if parameter.sources.iter().any(|source| source.target.is_some()) {
                // Whose reference names a type may have an identifier too; by that no type can be told.
                theirs.retain(|value| !value.starts_with("ReferenceIdentifier"));
            }
            compared += 1;
            found += theirs.len();
            if ours != theirs {
                different.push(format!(
                    "{resource_type}/{} {}: {ours:?} and not {theirs:?}",
                    resource["id"], parameter.name
                ));
            }
        }
    }
    println!("{compared} evaluations, {found} values");
    assert!(
        different.is_empty(),
        "{} of {compared}:\n{}",
        different.len(),
        different[..different.len().min(12)].join("\n")
    );
    assert!(found > 6_000, "{found}");
}

/// R4's parameters that no search takes: what each would need is not an expression over the resource.
#[test]
fn parameters_that_are_not_served_are_these() {
    let expected = [
        "DomainResource._text",
        "Location.near",
        "Patient.age",
        "Patient.birthOrderBoolean",
        "Resource._content",
        "Resource._filter",
        "Resource._query",
    ];
    let found = unsupported();
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

/// What is left to the engine is slower on every write.
#[test]
fn expressions_that_the_engine_evaluates_are_these() {
    let mut found = Vec::new();
    for resource_type in resource_types() {
        for field in &catalogue::index(resource_type).unwrap().fields {
            if field.name.contains("()") {
                found.push(format!("{resource_type} {}", field.name));
            }
        }
    }
    assert_eq!(found, ["Patient deceased()"]);
}

#[test]
fn every_type_of_r4_has_parameters() {
    assert_eq!(resource_types().count(), 146);
    let all: usize = resource_types().map(|name| parameters(name).len()).sum();
    for resource_type in resource_types() {
        let names: BTreeSet<_> = parameters(resource_type).iter().map(|parameter| &parameter.name).collect();
        assert_eq!(names.len(), parameters(resource_type).len(), "{resource_type}");
        let fields = &catalogue::index(resource_type).unwrap().fields;
        let distinct: BTreeSet<_> = fields.iter().map(|field| field.name).collect();
        assert_eq!(distinct.len(), fields.len(), "{resource_type}");
    }
    assert!(all > 2000, "{all}");
}

#[test]
fn parameters_share_fields() {
    let fields = |resource_type: &str, name: &str| -> Vec<String> {
        let sources = &parameter(resource_type, name).unwrap().sources;
        sources
            .iter()
            .map(|s| format!("{}{}", s.field, s.target.iter().map(|t| format!(" to {t}")).collect::<String>()))
            .collect()
    };
    assert_eq!(fields("Observation", "subject"), ["subject"]);
    assert_eq!(fields("Observation", "patient"), ["subject to Patient"]);
    assert_eq!(fields("Observation", "combo-code"), ["code", "component.code"]);
    assert_eq!(fields("Observation", "date"), ["effective:date"]);
    assert_eq!(fields("Observation", "value-string"), ["value[string]:string", "valueCodeableConcept.text"]);
    assert_eq!(fields("Patient", "phone"), ["telecom(system=phone)"]);
    assert_eq!(fields("AllergyIntolerance", "code"), ["code", "reaction.substance"]);
    assert_eq!(fields("Observation", "_tag"), ["meta.tag"]);
}

#[test]
fn composite_parts_are_of_the_same_element() {
    let pressure = json!({
        "resourceType": "Observation",
        "component": [
            { "code": { "coding": [{ "code": "systolic" }] }, "valueQuantity": { "value": 120, "unit": "mm[Hg]" } },
            { "code": { "coding": [{ "code": "diastolic" }] }, "valueQuantity": { "value": 80 } }
        ]
    });
    let found: Vec<_> = rows(&pressure).iter().map(|row| (row.field, row.element)).collect();
    let value = "component.value[Quantity]:quantity";
    assert_eq!(found, [("component.code", 1), (value, 1), ("component.code", 2), (value, 2)]);
    let base = &parameter("Observation", "component-code-value-quantity").unwrap().composite[0];
    assert!(base.is_numbered);
    assert_eq!(base.components.iter().map(|part| part.sources[0].field).collect::<Vec<_>>(), ["component.code", value]);
}

#[test]
fn each_datatype_gives_its_rows() {
    let patient = json!({
        "resourceType": "Patient", "id": "p1",
        "meta": { "tag": [{ "system": "t", "code": "HTEST" }], "profile": ["http://x/p|1"] },
        "name": [{ "family": "Testpatient", "given": ["Zoë", "B"] }],
        "telecom": [{ "system": "phone", "value": "1" }, { "system": "email", "value": "a@b" }],
        "active": true, "birthDate": "1980-02", "deceasedBoolean": false,
        "generalPractitioner": [
            { "reference": "Practitioner/d1/_history/2" }, { "reference": "https://else/fhir/Practitioner/2" },
            { "reference": "#inside" }, { "identifier": { "system": "npi", "value": "7" } }
        ]
    });
    let text = |row: &IndexRow| match &row.value {
        IndexValue::Token { system, code } => format!("{} {system}|{code}", row.field),
        IndexValue::Reference { resource_type, id } => format!("{} {resource_type}/{id}", row.field),
        IndexValue::ReferenceIdentifier { system, value, .. } => format!("{} by {system}|{value}", row.field),
        IndexValue::Date { low, high } => format!("{} {low}..{high}", row.field),
        IndexValue::Uri(text) | IndexValue::Text(text) => format!("{} {text}", row.field),
        IndexValue::Number { .. } | IndexValue::Quantity(_) => panic!("{row:?}"),
    };
    let mut found: Vec<String> = rows(&patient).iter().map(text).collect();
    found.sort();
    let (low, high) = parse_date("1980-02").unwrap();
    let mut expected = vec![
        "active |true".to_owned(),
        format!("birthDate {low}..{high}"),
        "deceased() |false".to_owned(),
        "generalPractitioner Practitioner/d1".into(),
        "generalPractitioner https://else/fhir/Practitioner/2".into(),
        "generalPractitioner by npi|7".into(),
        "meta.profile http://x/p|1".into(),
        "meta.tag t|HTEST".into(),
        "name Testpatient".into(),
        "name Zoë".into(),
        "name B".into(),
        "name.family Testpatient".into(),
        "name.given Zoë".into(),
        "name.given B".into(),
        "telecom |1".into(),
        "telecom |a@b".into(),
        "telecom(system=phone) |1".into(),
        "telecom(system=email) |a@b".into(),
    ];
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn faulty_bytes_are_an_error_and_other_types_have_no_rows() {
    for body in ["", "{", "[]", "{\"code\":", "{} {}"] {
        assert!(extract("Observation", body.as_bytes()).is_err(), "{body}");
    }
    assert_eq!(extract("Banana", b"{}").unwrap(), []);
    assert_eq!(
        rows(
            &json!({ "resourceType": "Observation", "code": 7, "subject": [], "effectiveDateTime": {}, "component": [null] })
        ),
        []
    );
}

#[test]
fn patients_are_those_whose_compartments_it_is_in() {
    let provenance = json!({ "resourceType": "Provenance", "target": [
        { "reference": "Patient/a" }, { "reference": "Observation/o" }, { "reference": "Patient/b" }] });
    let found = patients("Provenance", "x", &rows(&provenance));
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(patients("Patient", "me", &[]).into_iter().collect::<Vec<_>>(), ["me"]);
    assert!(patients("Organization", "x", &[]).is_empty());
    assert_eq!(compartment_parameters("Patient", "Observation").unwrap(), ["subject", "performer"]);
    assert_eq!(compartment_parameters("Banana", "Observation"), None);
}

#[test]
fn periods_and_timings_go_from_their_first_to_their_last() {
    let span = |resource: Value, field: &str| -> Vec<(i64, i64)> {
        let of = |row: &IndexRow| match row.value {
            IndexValue::Date { low, high } if row.field == field => Some((low, high)),
            IndexValue::Date { .. }
            | IndexValue::Token { .. }
            | IndexValue::Reference { .. }
            | IndexValue::ReferenceIdentifier { .. }
            | IndexValue::Uri(_)
            | IndexValue::Text(_)
            | IndexValue::Number { .. }
            | IndexValue::Quantity(_) => None,
        };
        rows(&resource).iter().filter_map(of).collect()
    };
    let observation = |member: &str, value: Value| json!({ "resourceType": "Observation", member: value });
    let (low, high) = (parse_date("2026-01").unwrap().0, parse_date("2026-03-04").unwrap().1);
    for (member, value, expected) in [
        ("effectivePeriod", json!({ "start": "2026-01", "end": "2026-03-04" }), vec![(low, high)]),
        ("effectivePeriod", json!({ "start": "2026-01" }), vec![(low, i64::MAX)]),
        ("effectivePeriod", json!({ "end": "2026-03-04" }), vec![(i64::MIN, high)]),
        ("effectivePeriod", json!({}), vec![]),
        ("effectiveTiming", json!({ "event": ["2026-03-04", "2026-01"] }), vec![(low, high)]),
        (
            "effectiveTiming",
            json!({ "event": ["2026-01"], "repeat": { "boundsPeriod": { "start": "2026-02", "end": "2026-03-04" } } }),
            vec![(low, high)],
        ),
        ("effectiveTiming", json!({ "code": { "text": "daily" } }), vec![]),
        ("effectiveDateTime", json!("not a date"), vec![]),
    ] {
        assert_eq!(span(observation(member, value.clone()), "effective:date"), expected, "{member} {value}");
    }
}

#[test]
fn a_condition_on_the_resource_itself_is_held() {
    let scored = |category: &str| {
        rows(&json!({
            "resourceType": "Observation", "code": { "coding": [{ "system": "s", "code": "score" }] },
            "category": [{ "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": category }] }]
        }))
    };
    let of_score = |rows: Vec<IndexRow>| rows.iter().filter(|row| row.field.contains("category.coding(")).count();
    assert_eq!((of_score(scored("survey")), of_score(scored("vital-signs"))), (1, 0));
}
