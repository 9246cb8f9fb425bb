//! The guide's own resources, and its trials: for each rule what keeps it, and what breaks it and nothing else.

use super::*;
use kap_gateway::fhir::outcome::Severity;

#[test]
fn conformance_resources_and_examples_of_the_guide_have_no_errors() {
    let mut wrong = Vec::new();
    for (folder, least) in [("profiles/json", 200), ("profiles/input/examples", 100)] {
        let files = files(folder);
        assert!(files.len() >= least, "only {} in {folder}", files.len());
        for file in files {
            let report = judge(&read(&file));
            wrong.extend(told(report.errors().cloned()).into_iter().map(|text| format!("{}: {text}", name(&file))));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the first word of a trial's name stands for where it is no invariant.
fn rules(word: &str) -> Vec<&str> {
    match word {
        "binding" => vec!["binding-required", "code-unknown"],
        "context" => vec!["extension-context"],
        "fixed" => vec!["fixed", "pattern"],
        "max" => vec!["cardinality-max"],
        "min" => vec!["cardinality-min", "slice-min"],
        "slice" => vec!["slice-min"],
        "type" => vec!["choice-type"],
        invariant => vec![invariant],
    }
}

/// Rules that cannot be kept where the trial's is broken: it says the same as another, or as a part of it.
const FOLLOWS: &[(&str, &str)] = &[
    ("kap-consent-1-fail-no-rule.json", "ppc-1"),
    ("kap-doc-1-fail-not-very-restricted.json", "slice-min"),
    ("kap-dose-1-fail-volume.json", "binding-required"),
    ("kap-iv-2-fail-ends-before.json", "per-1"),
    ("kap-phq9-range-fail-28.json", "kap-phq9-sum"),
    ("kap-route-1-fail-not-of-the-eight.json", "binding-required"),
    ("slice-fail-treatment-consent-of-no-category.json", "cardinality-min"),
];

/// Invariants that the guide means as warnings.
const WARNINGS: &[&str] =
    &["kap-bundle-bp", "kap-comp-1", "kap-escort-1", "kap-esk-2", "kap-lot-1", "kap-rems-1", "kap-wt-1"];

#[test]
fn each_trial_that_should_pass_passes() {
    let trials: Vec<_> = files("profiles/tests").into_iter().filter(|file| name(file).contains("-pass-")).collect();
    assert!(trials.len() >= 30, "only {} trials", trials.len());
    for file in trials {
        let report = judge(&read(&file));
        assert!(report.is_valid(), "{}: {:#?}", name(&file), told(report.errors().cloned()));
    }
}

#[test]
fn each_trial_that_should_fail_fails_by_its_rule_and_what_follows() {
    let trials: Vec<_> = files("profiles/tests").into_iter().filter(|file| name(file).contains("-fail-")).collect();
    assert!(trials.len() >= 40, "only {} trials", trials.len());
    for file in trials {
        let name = name(&file);
        let (word, _) = name.split_once("-fail-").expect("a rule");
        let rules = rules(word);
        let report = judge(&read(&file));
        let severity = if WARNINGS.contains(&word) { Severity::Warning } else { Severity::Error };
        let mut issues = report.issues.iter();
        let is_named = issues.any(|issue| issue.severity == severity && rules.contains(&issue.rule.as_str()));
        assert!(is_named, "{name}: {:#?}", told(report.issues.into_iter()));
        let others: Vec<_> = report
            .errors()
            .filter(|issue| !rules.contains(&issue.rule.as_str()))
            .filter(|issue| !FOLLOWS.contains(&(name.as_str(), issue.rule.as_str())))
            .cloned()
            .collect();
        assert!(others.is_empty(), "{name}: {:#?}", told(others.into_iter()));
    }
}
