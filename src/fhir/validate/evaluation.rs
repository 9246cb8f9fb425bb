//! The fhir room: FHIRPath with the resources and definitions around an element, and what it may cost,
//! <https://hl7.org/fhir/R4/fhirpath.html>.

use super::Validator;
use super::contained::Locals;
use super::narrative;
use super::place::Place;
use super::reference::Scope;
use super::walk::{Instance, Walk};
use crate::fhir::definitions::{Allowance, Code, Membership};
use crate::fhir::outcome::{IssueType, Severity};
use crate::fhir::path::{Context, EvaluationError, Expression, Host, Item, Resolution, Types, reference_type};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What all expressions over one resource may cost together: some second, and more for a large resource. The official
/// examples take some 50 steps for an element.
const STEPS: u64 = 20_000_000;
const STEPS_PER_ELEMENT: u64 = 2_000;
/// What one expression may cost more where the resource is large.
const STEPS_PER_ELEMENT_OF_ONE: u64 = 200;

/// How deep conformsTo() may lead into rules with conformsTo().
const MAX_NESTED: usize = 4;

/// What expressions ask for.
struct Surroundings<'v, 's> {
    validator: &'v Validator,
    scope: &'s Scope<'v, 's>,
    nested: usize,
    elements: u64,
    spent: &'s Cell<u64>,
    terms: &'s Rc<Allowance>,
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
            match self.validator.definitions.validate_code_within(value_set, code, self.terms) {
                Membership::Member(_) => return Some(true),
                Membership::NotMember => {}
                Membership::Unknown(_) => unknown = true,
            }
        }
        (!unknown).then_some(false)
    }

    fn conforms_to(&self, item: &Item<'a>, profile: &str) -> Option<bool> {
        let element = item.as_element()?;
        let slot = self.validator.slot(profile).ok()?;
        self.validator.compiled(slot).ok()?;
        if self.nested >= MAX_NESTED {
            return None;
        }
        let type_name = self.validator.types.name(element.of?);
        let instance = Instance { value: element.value, sibling: element.sibling, type_name, path_type: element.of };
        let mut walk = Walk::trial(self.validator, self.nested + 1, self.elements, self.spent.get(), self.terms);
        let is_resource = super::reference::type_of(element.value?).is_some();
        let resource = if is_resource { element.value? } else { self.scope.resource };
        let locals = RefCell::new(self.scope.root.as_object().map(Locals::new).unwrap_or_default());
        let scope = Scope {
            resource,
            root: self.scope.root,
            locals: &locals,
            bundle: self.scope.bundle,
            full_url: self.scope.full_url,
        };
        walk.profile(slot, &instance, &Place::root(type_name), &scope);
        self.spent.set(walk.path_steps.get());
        if walk.gave_up || walk.is_spent() || walk.terms.is_spent() {
            return None;
        }
        if walk.failed { Some(false) } else { (!walk.unsure).then_some(true) }
    }

    fn html_checks(&self, xhtml: &str) -> Option<bool> {
        Some(narrative::check(xhtml).is_ok())
    }
}

impl<'v> Walk<'v> {
    /// Whether an expression holds for an element. `None`: neither true nor false.
    pub(super) fn holds(
        &self,
        expression: &Expression,
        instance: &Instance<'v>,
        scope: &Scope<'v, '_>,
    ) -> Result<Option<bool>, EvaluationError> {
        let host = self.surroundings(scope);
        let context = self.context(&host);
        let result = expression.holds(&context, item(instance));
        self.pay(&context);
        result
    }

    /// The same for a rule about an extension: `%extension` is that.
    pub(super) fn holds_for_extension(
        &self,
        expression: &Expression,
        holder: &Instance<'v>,
        extension: &Instance<'v>,
        scope: &Scope<'v, '_>,
    ) -> Result<Option<bool>, EvaluationError> {
        let host = self.surroundings(scope);
        let mut context = self.context(&host);
        context.variables.push(("extension", std::iter::once(item(extension)).collect()));
        let result = expression.holds(&context, item(holder));
        self.pay(&context);
        result
    }

    /// Whether an element is among those that an expression finds in its resource.
    pub(super) fn finds(
        &self,
        expression: &Expression,
        wanted: &Instance<'v>,
        scope: &Scope<'v, '_>,
    ) -> Result<bool, EvaluationError> {
        let same = |a: Option<&Value>, b: Option<&Value>| a.zip(b).is_some_and(|(a, b)| std::ptr::eq(a, b));
        let host = self.surroundings(scope);
        let context = self.context(&host);
        let found = expression.evaluate(&context, Item::resource(scope.resource, &self.validator.types));
        self.pay(&context);
        Ok(found?
            .iter()
            .filter_map(Item::as_element)
            .any(|element| same(element.value, wanted.value) || same(element.sibling, wanted.sibling)))
    }

    fn surroundings<'s>(&'s self, scope: &'s Scope<'v, 's>) -> Surroundings<'v, 's> {
        Surroundings {
            validator: self.validator,
            scope,
            nested: self.nested,
            elements: self.elements,
            spent: &self.path_steps,
            terms: &self.terms,
        }
    }

    fn context<'a>(&self, host: &'a Surroundings<'v, 'a>) -> Context<'a> {
        let types = &host.validator.types;
        let mut context = Context::new(types, Item::resource(host.scope.resource, types));
        context.host = host;
        context.root_resource = Item::resource(host.scope.root, types);
        let one = Context::STEPS.saturating_add(STEPS_PER_ELEMENT_OF_ONE.saturating_mul(self.elements));
        context.steps = one.min(self.allowance().saturating_sub(self.path_steps.get()));
        context
    }

    fn pay(&self, context: &Context<'_>) {
        self.path_steps.set(self.path_steps.get().saturating_add(context.used.get()));
    }

    /// Whether all that expressions may cost is used up.
    pub(super) fn is_spent(&self) -> bool {
        self.path_steps.get() >= self.allowance()
    }

    fn allowance(&self) -> u64 {
        STEPS.saturating_add(STEPS_PER_ELEMENT.saturating_mul(self.elements))
    }

    /// Reports that, once; what is not checked is no pass.
    pub(super) fn spent(&mut self, place: &Place<'_>) {
        let probing = self.is_probing();
        self.end_probe();
        if !std::mem::replace(&mut self.told_spent, true) {
            self.issue(Severity::Error, IssueType::TooCostly, "rule-budget", place, || {
                "the rules ask for too much work on this resource: the rest of them was not checked".into()
            });
        }
        self.resume_probe(probing);
    }
}

fn item<'a>(instance: &Instance<'a>) -> Item<'a> {
    Item::element(instance.path_type, instance.value, instance.sibling)
}
