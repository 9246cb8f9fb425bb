//! The fhir room: invariants, <https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint>.

use super::place::Place;
use super::reference::Scope;
use super::walk::{Instance, Walk};
use crate::fhir::definitions::structure::Constraint;
use crate::fhir::outcome::{IssueType, Severity};
use crate::fhir::path::{EvaluationError, Expression};
use std::sync::Arc;

/// An invariant, ready to be checked.
#[derive(Debug)]
pub(super) struct Rule {
    pub constraint: Arc<Constraint>,
    check: Check,
}

#[derive(Debug)]
enum Check {
    /// The walk itself checks it, by these words of R4; a test holds both to the same answers.
    Native,
    Path(Box<Expression>),
    /// There is no expression, or one that cannot be read; the reason.
    Unusable(String),
}

/// Rules that recur everywhere, in the words of R4, which the walk checks itself. A definition that says something else
/// under the same key is evaluated.
pub(super) const NATIVE: &[(&str, &str)] = &[
    ("ele-1", "hasValue() or (children().count() > id.count())"),
    ("ext-1", "extension.exists() != value.exists()"),
    ("dom-2", "contained.contained.empty()"),
    (
        "dom-3",
        "contained.where((('#'+id in (%resource.descendants().reference | %resource.descendants().as(canonical) | %resource.descendants().as(uri) | %resource.descendants().as(url))) or descendants().where(reference = '#').exists() or descendants().where(as(canonical) = '#').exists() or descendants().where(as(canonical) = '#').exists()).not()).trace('unmatched', id).empty()",
    ),
    ("dom-4", "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()"),
    ("dom-5", "contained.meta.security.empty()"),
    ("dom-6", "text.`div`.exists()"),
    ("txt-1", "htmlChecks()"),
    ("txt-2", "htmlChecks()"),
    (
        "ref-1",
        "reference.startsWith('#').not() or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))",
    ),
    ("qty-3", "code.empty() or system.exists()"),
    (
        "bdl-7",
        "(type = 'history') or entry.where(fullUrl.exists()).select(fullUrl&resource.meta.versionId).isDistinct()",
    ),
];

/// Rules of R4 whose words do not say what they mean, with the words that do. The official validator reads them so too.
const CORRECTED: &[(&str, &str, &str)] = &[
    // Without a fullUrl this is empty, neither true nor false.
    ("bdl-8", "fullUrl.contains('/_history/').not()", "fullUrl.empty() or fullUrl.contains('/_history/').not()"),
    // `Boolean` is FHIRPath's own type; the answer is FHIR's.
    ("que-7", "operator = 'exists' implies (answer is Boolean)", "operator = 'exists' implies (answer is boolean)"),
    (
        "ras-2",
        "probability is decimal implies (probability as decimal) <= 100",
        "probability.ofType(decimal).exists() implies probability.ofType(decimal) <= 100",
    ),
];

impl Rule {
    pub(super) fn new(constraint: &Arc<Constraint>) -> Self {
        let check = if NATIVE.contains(&(constraint.key.as_str(), constraint.expression.as_str())) {
            Check::Native
        } else if constraint.expression.is_empty() {
            Check::Unusable("its definition has no FHIRPath".into())
        } else {
            let corrected = CORRECTED
                .iter()
                .find(|(key, wrong, _)| *key == constraint.key && *wrong == constraint.expression)
                .map(|(_, _, right)| *right);
            match Expression::parse(corrected.unwrap_or(&constraint.expression)) {
                Ok(expression) => Check::Path(Box::new(expression)),
                Err(error) => Check::Unusable(format!("its FHIRPath cannot be read: {error}")),
            }
        };
        Self { constraint: Arc::clone(constraint), check }
    }
}

impl<'v> Walk<'v> {
    /// Checks the rules of one element.
    pub(super) fn rules(
        &mut self,
        rules: &'v [Rule],
        instance: &Instance<'v>,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        for rule in rules {
            let constraint = &rule.constraint;
            let expression = match &rule.check {
                Check::Native => continue,
                Check::Path(expression) => expression,
                Check::Unusable(reason) => {
                    self.unsure = true;
                    self.issue(Severity::Warning, IssueType::NotSupported, &constraint.key, place, || {
                        format!("the rule {} could not be checked: {reason}", constraint.key)
                    });
                    continue;
                }
            };
            match self.holds(expression, instance, scope) {
                // Neither true nor false does not fulfil a rule: the official validator reads it so too.
                Ok(Some(true)) => {}
                Ok(_) => {
                    let severity = if constraint.is_error { Severity::Error } else { Severity::Warning };
                    self.issue(severity, IssueType::Invariant, &constraint.key, place, || words(constraint));
                }
                // What was given up is no pass: else a resource could be made so large that its faults go unseen.
                Err(EvaluationError::GaveUp(_)) if self.is_spent() => {
                    self.spent(place);
                    return;
                }
                Err(error) => {
                    self.unsure = true;
                    let (severity, code) = match error {
                        EvaluationError::GaveUp(_) => (Severity::Error, IssueType::TooCostly),
                        EvaluationError::Cannot(_) | EvaluationError::Fault(_) => {
                            (Severity::Warning, IssueType::NotSupported)
                        }
                    };
                    self.issue(severity, code, &constraint.key, place, || {
                        format!("the rule {} could not be checked: {error}", constraint.key)
                    });
                }
            }
        }
    }
}

fn words(constraint: &Constraint) -> String {
    let rule = if constraint.human.is_empty() { &constraint.expression } else { &constraint.human };
    format!("the rule {} is broken: {rule}", constraint.key)
}
