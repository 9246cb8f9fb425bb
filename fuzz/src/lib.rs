//! The rooms under test, compiled alone: they are a leaf, so the targets build in a minute, and only they are watched.

#[path = "../../src/fhir"]
pub mod fhir {
    pub mod definitions;
    pub mod json;
    pub mod outcome;
    pub mod path;
    pub mod validate;
    pub mod xml_tree;
}

use fhir::definitions::Definitions;
use fhir::path::Expression;
use fhir::validate::{Options, Report, Validator};
use serde_json::Value;
use std::sync::LazyLock;

/// With what the program carries.
pub static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| Validator::new(Definitions::base()));

/// Validates, and holds the report to what it promises: it names each place by FHIRPath and keeps to its limit.
pub fn validate(validator: &Validator, resource: &Value, options: &Options<'_>) -> Report {
    let report = validator.validate(resource, options);
    assert!(report.issues.len() <= options.max_issues + 1, "{} issues", report.issues.len());
    for issue in &report.issues {
        assert!(Expression::parse(&issue.expression).is_ok(), "no FHIRPath: {}", issue.expression);
        assert!(!issue.rule.is_empty() && !issue.text.is_empty(), "{issue:?}");
    }
    report.to_operation_outcome("urn:rules");
    report
}
