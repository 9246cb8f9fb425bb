//! The fhir room: invariants, <https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint>.

use super::Validator;
use super::narrative;
use super::place::Place;
use super::reference::Scope;
use super::walk::{Instance, Walk};
use crate::fhir::definitions::structure::Constraint;
use crate::fhir::definitions::{Code, Membership};
use crate::fhir::outcome::{IssueType, Severity};
use crate::fhir::path::{Context, EvaluationError, Expression, Host, Item, Resolution, Types, reference_type};
use serde_json::Value;
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

/// What expressions ask for.
pub(super) struct Surroundings<'v, 's> {
    pub validator: &'v Validator,
    pub scope: &'s Scope<'v, 's>,
}

impl<'a, 'v: 'a> Host<'a> for Surroundings<'v, '_> {
    fn resolve(&self, reference: &str, types: &Types) -> Resolution<'a> {
        match self.scope.in_bundle(reference) {
            Some(resource) => Resolution::Resource(resource),
            None => reference_type(reference, types).map_or(Resolution::Nothing, Resolution::TypeOnly),
        }
    }

    fn member_of(&self, item: &Item<'a>, value_set: &str) -> Option<bool> {
        let value = item.as_element()?.value?;
        let codings: Vec<Code<'_>> = match value {
            Value::String(code) => vec![Code { code, ..Code::default() }],
            Value::Object(map) => match map.get("coding").and_then(Value::as_array) {
                Some(codings) => codings.iter().filter_map(super::binding::code_of).collect(),
                None => super::binding::code_of(value).into_iter().collect(),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
        };
        let mut unknown = false;
        for code in &codings {
            match self.validator.definitions.validate_code(value_set, code) {
                Membership::Member(_) => return Some(true),
                Membership::NotMember => {}
                Membership::Unknown(_) => unknown = true,
            }
        }
        (!unknown).then_some(false)
    }

    fn html_checks(&self, xhtml: &str) -> Option<bool> {
        Some(narrative::check(xhtml).is_ok())
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
                Err(error) => {
                    let code = match error {
                        EvaluationError::GaveUp(_) => IssueType::TooCostly,
                        EvaluationError::Cannot(_) | EvaluationError::Fault(_) => IssueType::NotSupported,
                    };
                    self.issue(Severity::Warning, code, &constraint.key, place, || {
                        format!("the rule {} could not be checked: {error}", constraint.key)
                    });
                }
            }
        }
    }

    /// Evaluates an expression on an element.
    pub(super) fn holds(
        &self,
        expression: &'v Expression,
        instance: &Instance<'v>,
        scope: &Scope<'v, '_>,
    ) -> Result<Option<bool>, EvaluationError> {
        let types = &self.validator.types;
        let host = Surroundings { validator: self.validator, scope };
        let mut context = Context::new(types, Item::resource(scope.resource, types));
        context.host = &host;
        context.root_resource = Item::resource(scope.root, types);
        expression.holds(&context, Item::element(instance.path_type, instance.value, instance.sibling))
    }
}

fn words(constraint: &Constraint) -> String {
    let rule = if constraint.human.is_empty() { &constraint.expression } else { &constraint.human };
    format!("the rule {} is broken: {rule}", constraint.key)
}
