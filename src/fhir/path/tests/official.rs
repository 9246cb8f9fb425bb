//! The fhir room: every expression in the official packages parses. They stand beside the checkout, see CONTRIBUTING.md.

use crate::fhir::path::Expression;
use serde_json::{Deserializer, Value};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const PACKAGES: [&str; 2] = ["hl7.fhir.r4.core-4.0.1.tgz", "hl7.fhir.us.core-6.1.0.tgz"];

/// All resources of the kind in the packages; empty where the packages are not at hand.
fn resources(kind: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fhir/packages");
    let mut found = Vec::new();
    for package in PACKAGES.map(|name| folder.join(name)).iter().filter(|package| package.exists()) {
        let files = format!("package/{kind}-*.json");
        let output = Command::new("tar").arg("-xzOf").arg(package).args(["--wildcards", &files]).output().unwrap();
        let values = Deserializer::from_slice(&output.stdout).into_iter::<Value>();
        found.extend(values.map(Result::unwrap).filter(|v| v["resourceType"] == kind));
    }
    found
}

/// Asserts that all parse, and that as many were there as are known to be.
fn all_parse(expressions: &BTreeSet<String>, at_least: usize) {
    let wrong: Vec<String> = expressions
        .iter()
        .filter_map(|text| Expression::parse(text).err().map(|error| format!("{text}\n    {error}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let folder_is_there = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fhir/packages").exists();
    assert!(!folder_is_there || expressions.len() >= at_least, "only {} were found", expressions.len());
}

#[test]
fn every_official_invariant_parses() {
    let mut expressions = BTreeSet::new();
    for definition in resources("StructureDefinition") {
        for view in ["snapshot", "differential"] {
            for element in definition[view]["element"].as_array().into_iter().flatten() {
                for constraint in element["constraint"].as_array().into_iter().flatten() {
                    expressions.extend(constraint["expression"].as_str().map(str::to_owned));
                }
            }
        }
    }
    all_parse(&expressions, 225);
}

#[test]
fn every_official_search_parameter_parses() {
    let parameters = resources("SearchParameter");
    let expressions = parameters.iter().filter_map(|p| p["expression"].as_str().map(str::to_owned)).collect();
    all_parse(&expressions, 1_406);
}
