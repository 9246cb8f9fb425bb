//! The validator beside HL7's own: over the official examples, over broken ones, over the guide and its trials, and over
//! all that the mapping writes. What is compared and how it came about: docs/conformance.md.
//!
//! Needs the specification's packages in `../shared` (or where `KAP_SHARED` says); without them these tests fail.

#[path = "conformance/emitted.rs"]
mod emitted;
#[path = "conformance/guide.rs"]
mod guide;
#[path = "conformance/mutants.rs"]
mod mutants;
#[path = "conformance/official.rs"]
mod official;
#[path = "conformance/tables.rs"]
mod tables;

use kap_gateway::fhir::definitions::{Definitions, Lookup};
use kap_gateway::fhir::path::{Context, Expression, Item};
use kap_gateway::fhir::validate::{Issue, Options, Report, Validator};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| Validator::new(Definitions::base()));

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A package of the specification.
fn shared(path: &str) -> PathBuf {
    let root = std::env::var_os("KAP_SHARED").map_or_else(|| here("../shared"), PathBuf::from);
    let file = root.join("fhir").join(path);
    assert!(file.exists(), "{} is not here: set KAP_SHARED to the folder of the packages", file.display());
    file
}

/// What is wrong with how an element is written: then FHIRPath may see none there, or several, and sees what holds it.
const OF_FORM: &[&str] = &["json-array", "json-null", "json-type", "empty-array", "sibling"];

/// What we say of a resource. Each place that is told leads to one element, and each rule has a meaning.
fn judge(resource: &Value) -> Report {
    let report = VALIDATOR.validate(resource, &Options::default());
    let types = VALIDATOR.types();
    for issue in &report.issues {
        assert!(is_defined(&issue.rule), "nothing tells what {} means", issue.rule);
        Expression::parse(&issue.expression).expect("an expression");
        let mut place = issue.expression.as_str();
        if OF_FORM.contains(&issue.rule.as_str()) {
            place = place.rsplit_once(".ofType(").filter(|(_, of)| !of.contains('.')).map_or(place, |(choice, _)| choice);
            place = place.rsplit_once('.').map_or(place, |(holder, _)| holder);
        }
        let expression = Expression::parse(place).expect("an expression");
        let item = Item::resource(resource, types);
        let found = expression.evaluate(&Context::new(types, item.clone()), item).expect("a place");
        assert_eq!(found.len(), 1, "{issue:?} does not lead to one element");
    }
    report
}

/// Is it the key of an invariant (`obs-6`, `kap-bundle-bp`), or a code of the guide's system of rules?
fn is_defined(rule: &str) -> bool {
    const RULES: &str = "https://kap-gateway.example.org/fhir/CodeSystem/validation-rule";
    let is_key = rule.rsplit('-').next().is_some_and(|end| end.starts_with(|first: char| first.is_ascii_digit()));
    is_key || rule.starts_with("kap-") || matches!(VALIDATOR.definitions().lookup(RULES, rule), Lookup::Found(_))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn read(file: &Path) -> Value {
    json(&std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

/// The JSON files of a folder of this repository, by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(here(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    found.sort();
    found
}

fn name(file: &Path) -> String {
    file.file_name().expect("a file").to_string_lossy().into_owned()
}

fn told(issues: impl Iterator<Item = Issue>) -> Vec<String> {
    issues.map(|issue| format!("{} {}: {}", issue.rule, issue.expression, issue.text)).collect()
}
