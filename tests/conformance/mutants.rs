//! Examples with one change each, made by `mutate.py`, beside the verdicts of HL7's validator.

use super::tables::{Comparison, mutants};
use super::*;

#[test]
fn broken_examples_of_r4_are_judged_as_hl7_judges_them() {
    compare("mutants-r4", 600);
}

#[test]
fn broken_examples_of_us_core_are_judged_as_hl7_judges_them() {
    compare("mutants-us-core", 200);
}

fn compare(name: &str, expected: usize) {
    let mut comparison = Comparison::default();
    for (verdict, line) in mutants(name) {
        // What is no JSON (a number such as `1.`) is refused before it comes to the validator.
        let report = serde_json::from_str(&line).map(|resource| judge(&resource));
        comparison.add(&verdict, &report);
    }
    assert_eq!(comparison.count, expected);
    comparison.hold(0.98, |listed| listed.split('/').next() == Some(name));
}
