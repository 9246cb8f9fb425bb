//! The fhir room: what hostile profiles and resources may cost. What was given up is an error, and no pass.

use super::profiles::{URL, definition, held, trial, validator};
use super::*;
use crate::fhir::outcome::IssueType;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(60);

/// Patients' names are held to one rule.
fn ruled(expression: &str) -> Validator {
    let rule = json!([{ "key": "kap-1", "severity": "error", "human": "x", "expression": expression, "source": URL }]);
    trial("Patient", json!([{ "id": "Patient.name", "type": [{ "code": "HumanName" }], "constraint": rule }]))
}

fn names(count: usize) -> Value {
    with(patient(), json!({ "name": vec![json!({ "given": ["a", "b", "c", "d", "e", "f", "g", "h"] }); count] }))
}

#[test]
fn an_expression_that_takes_too_long_is_an_error() {
    let start = Instant::now();
    let nested = "%resource.descendants().select(%resource.descendants().select(%resource.descendants())).empty()";
    let report = held(&ruled(nested), &names(20));
    let given_up: Vec<_> = report.errors().filter(|issue| issue.code == IssueType::TooCostly).collect();
    assert!(given_up.iter().any(|issue| issue.rule == "kap-1"), "{:#?}", report.issues);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn the_expressions_over_a_resource_share_one_allowance() {
    let start = Instant::now();
    // Each is within what one may cost, and there are many.
    let report = held(&ruled("%resource.descendants().select(%resource.name.count()).count() >= 0"), &names(2_000));
    let spent: Vec<_> = report.errors().filter(|issue| issue.rule == "rule-budget").collect();
    assert_eq!(spent.len(), 1, "{:#?}", report.issues.iter().take(5).collect::<Vec<_>>());
    assert!(!report.is_valid());
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn a_hostile_regular_expression_ends() {
    let start = Instant::now();
    let long = format!("{}!", "a".repeat(50_000));
    let resource = with(patient(), json!({ "name": [{ "family": long }] }));
    for pattern in ["(a+)+$", "(a|aa)+$", "^(a?){1000}a{1000}$", "((a{1,100}){1,100}){1,100}"] {
        let report = held(&ruled(&format!("family.matches('{pattern}') or true")), &resource);
        assert!(!report.issues.is_empty() || report.is_valid(), "it ends");
    }
    let report = held(&ruled("family.matches('^(a+)+$')"), &resource);
    assert!(report.errors().any(|issue| issue.rule == "kap-1"), "{:#?}", report.issues);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn profiles_that_ask_for_each_other_by_conforms_to_end() {
    let start = Instant::now();
    let other = "http://kap.example/StructureDefinition/other";
    let asks = |url: &str, of: &str| {
        let rule = json!([{ "key": "kap-8", "severity": "error", "human": "x",
            "expression": format!("name.all(%resource.conformsTo('{of}'))"), "source": url }]);
        let mut profile = definition(url, "Patient", json!([]));
        profile["snapshot"]["element"][0]["constraint"] = rule;
        profile
    };
    let circle = validator(&[asks(URL, other), asks(other, URL)]);
    let report = held(&circle, &names(10));
    assert!(report.issues.iter().any(|issue| issue.rule == "kap-8"), "{:#?}", report.issues);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn a_million_items_are_dealt_out_to_slices() {
    let start = Instant::now();
    let sliced = trial(
        "Patient",
        json!([{ "id": "Patient.identifier", "type": [{ "code": "Identifier" }],
                 "slicing": { "discriminator": [{ "type": "value", "path": "system" }], "rules": "open" } },
               { "id": "Patient.identifier:a", "sliceName": "a", "min": 0, "max": "1", "type": [{ "code": "Identifier" }] },
               { "id": "Patient.identifier:a.system", "min": 1, "max": "1", "base": { "max": "1" },
                 "type": [{ "code": "uri" }], "fixedUri": "http://kap.example/a" }]),
    );
    let many = vec![json!({ "system": "http://kap.example/a" }); 1_000_000];
    let report = held(&sliced, &with(patient(), json!({ "identifier": many })));
    assert!(report.errors().any(|issue| issue.rule == "slice-max"), "{:#?}", report.issues);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

/// Patients' marital status must be in a ValueSet: the first of those that `parts` tells of, each by its number.
fn bound_to(count: usize, parts: impl Fn(usize) -> Value) -> Validator {
    let mut all = Definitions::base();
    for number in 0..count {
        let set = json!({ "resourceType": "ValueSet", "url": set_url(number), "status": "draft",
            "compose": { "include": parts(number) } });
        all.add_resource(set).unwrap();
    }
    let bound = json!([{ "id": "Patient.maritalStatus", "type": [{ "code": "CodeableConcept" }],
        "binding": { "strength": "required", "valueSet": set_url(0) } }]);
    all.add_resource(definition(URL, "Patient", bound)).unwrap();
    Validator::new(all)
}

fn set_url(number: usize) -> String {
    format!("http://kap.example/ValueSet/{number}")
}

fn with_codings(count: usize) -> Value {
    let codings: Vec<Value> = (0..count)
        .map(|number| json!({ "system": "http://hl7.org/fhir/resource-types", "code": format!("x{number}") }))
        .collect();
    with(patient(), json!({ "maritalStatus": { "coding": codings } }))
}

#[test]
fn value_sets_that_name_each_other_many_times_are_each_looked_at_once() {
    let start = Instant::now();
    let last = 14;
    let tree = bound_to(last + 1, |number| match number {
        14 => json!([{ "system": "http://hl7.org/fhir/resource-types" }]),
        other => json!(vec![json!({ "valueSet": [set_url(other + 1)] }); 10]),
    });
    let report = held(&tree, &with_codings(10));
    // It is told for sure, and not given up.
    assert!(report.errors().any(|issue| issue.rule == "binding-required"), "{:#?}", report.issues);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn the_codes_of_a_resource_share_one_allowance_and_what_is_beyond_it_is_an_error() {
    let start = Instant::now();
    let wide = bound_to(1, |_| json!(vec![json!({ "valueSet": ["http://hl7.org/fhir/ValueSet/all-types"] }); 5_000]));
    let report = held(&wide, &with_codings(900));
    let told: Vec<_> = report.errors().filter(|issue| issue.rule == "binding-budget").collect();
    assert_eq!(told.len(), 1, "{:#?}", report.issues.iter().filter(|i| i.rule.starts_with("bind")).collect::<Vec<_>>());
    assert_eq!((told[0].code, told[0].expression.as_str()), (IssueType::TooCostly, "Patient.maritalStatus"));
    let few = held(&wide, &with_codings(20));
    assert!(few.errors().all(|issue| issue.rule != "binding-budget"), "{:#?}", few.issues);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}
