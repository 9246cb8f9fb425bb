//! The official examples of R4 and of US Core beside the verdicts of HL7's validator.

use super::tables::{Comparison, package, verdicts};
use super::*;

const US_CORE: &str = "us-core-6.1.0/";

#[test]
fn the_official_examples_are_judged_as_hl7_judges_them() {
    compare("examples/examples-r4-clinical.tgz", "", "", 717);
}

#[test]
fn the_examples_of_us_core_are_judged_as_hl7_judges_them() {
    compare("packages/hl7.fhir.us.core-6.1.0.tgz", "package/example", US_CORE, 183);
}

/// The examples stand in `folder` of the package, and their verdicts under `prefix`.
fn compare(file: &str, folder: &str, prefix: &str, expected: usize) {
    let examples = package(&shared(file), folder);
    let mut comparison = Comparison::default();
    let mut false_alarms = Vec::new();
    for verdict in verdicts() {
        let Some(name) = verdict.name.strip_prefix(prefix).filter(|name| !name.contains('/')) else { continue };
        let example = examples.get(name).unwrap_or_else(|| panic!("{name} has a verdict, and is not in {file}"));
        let report = judge(example);
        if verdict.errors == 0 && !report.is_valid() {
            false_alarms.push((name.to_owned(), told(report.errors().cloned())));
        }
        comparison.add(&verdict, &Ok(report));
    }
    assert_eq!(false_alarms, [], "HL7's validator passes these");
    assert_eq!(comparison.count, expected);
    comparison.hold(0.98, |name| name.starts_with(US_CORE) != prefix.is_empty() && !name.starts_with("mutants-"));
}
