//! The fhir room: every rule broken once, and caught with its name, severity and place.

mod base;
mod codings;
mod contexts;
mod costs;
mod documents;
mod hostile;
mod identity;
mod inherited;
mod native;
mod profiles;
mod references;
mod slices;

use super::{Options, Report, Validator};
use crate::fhir::definitions::Definitions;
use crate::fhir::outcome::Severity;
use crate::fhir::path::{Context, Expression, Item};
use serde_json::{Value, json};
use std::sync::LazyLock;

static R4: LazyLock<Validator> = LazyLock::new(|| Validator::new(Definitions::base()));

/// A resource that is right but for what a test changes.
fn observation() -> Value {
    json!({
        "resourceType": "Observation",
        "id": "o1",
        "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Weight</div>" },
        "status": "final",
        "code": { "coding": [{ "system": "http://loinc.org", "code": "1234-5" }], "text": "Something measured" },
        "subject": { "reference": "Patient/p1" },
        "valueQuantity": { "value": 70.0, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg" }
    })
}

fn patient() -> Value {
    json!({
        "resourceType": "Patient",
        "id": "p1",
        "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Testpatient</div>" },
        "name": [{ "family": "Testpatient", "given": ["Ada", "B"] }],
        "gender": "female",
        "birthDate": "1980-02-29"
    })
}

/// `base` with members put in their places; `null` takes one out.
fn with(mut base: Value, members: Value) -> Value {
    let (Value::Object(all), Value::Object(members)) = (&mut base, members) else { panic!("objects only") };
    for (key, value) in members {
        if value.is_null() {
            all.shift_remove(&key);
        } else {
            all.insert(key, value);
        }
    }
    base
}

fn report(resource: &Value) -> Report {
    R4.validate(resource, &Options::default())
}

/// That there is just this fault, and that FHIRPath finds something at its place.
#[track_caller]
fn broken(resource: &Value, rule: &str, severity: Severity, expression: &str) {
    check(&R4, &report(resource), resource, rule, severity, expression);
}

#[track_caller]
fn check(validator: &Validator, report: &Report, resource: &Value, rule: &str, severity: Severity, expression: &str) {
    let found = report
        .issues
        .iter()
        .any(|issue| issue.rule == rule && issue.severity == severity && issue.expression == expression);
    assert!(found, "{rule} at {expression} not among {:#?}", report.issues);
    let others: Vec<_> = report.errors().filter(|issue| issue.rule != rule).collect();
    assert!(others.is_empty(), "further errors: {others:#?}");
    for issue in &report.issues {
        // What is wrong in form may be nothing to FHIRPath, or many: then what holds it is there.
        let expression = match issue.rule.as_str() {
            "json-array" | "json-null" | "json-type" | "empty-array" | "sibling" => {
                Expression::parse(&issue.expression).expect("FHIRPath");
                issue.expression.rsplit_once('.').map_or(issue.expression.as_str(), |(holder, _)| holder)
            }
            _ => &issue.expression,
        };
        resolves(validator, resource, expression);
    }
}

/// Every place that is told can be looked up.
#[track_caller]
fn resolves(validator: &Validator, resource: &Value, expression: &str) {
    let types = validator.types();
    let parsed = Expression::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let item = Item::resource(resource, types);
    let found = parsed.evaluate(&Context::new(types, item.clone()), item).unwrap();
    assert_eq!(found.len(), 1, "{expression} does not lead to one element");
}

#[track_caller]
fn error(resource: &Value, rule: &str, expression: &str) {
    broken(resource, rule, Severity::Error, expression);
}

#[track_caller]
fn valid(resource: &Value) {
    let report = report(resource);
    assert!(report.is_valid(), "{:#?}", report.issues);
}
