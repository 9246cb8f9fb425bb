//! The fhir room: the walk over a resource, what it has met, and trials that report nothing,
//! <https://hl7.org/fhir/R4/validation.html>.

use super::bundle::BundleIndex;
use super::compile::Slot;
use super::place::Place;
use super::reference::Scope;
use super::report::{Collector, Issue, Report};
use super::{Enforced, Options, Validator};
use crate::fhir::definitions::{Allowance, Membership};
use crate::fhir::outcome::{IssueType, Severity};
use crate::fhir::path::Type;
use serde_json::{Map, Value};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// One element of the data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instance<'v> {
    pub value: Option<&'v Value>,
    /// The `_name` beside a primitive.
    pub sibling: Option<&'v Value>,
    /// `Quantity`, `string`; of a resource its type.
    pub type_name: &'v str,
    pub path_type: Option<Type>,
}

impl<'v> Instance<'v> {
    pub(super) fn resource(validator: &'v Validator, value: &'v Value) -> Self {
        let type_name = super::reference::type_of(value).unwrap_or_default();
        Self { value: Some(value), sibling: None, type_name, path_type: validator.types.named(type_name) }
    }

    /// The object that holds the children: the value, or what stands beside a primitive.
    pub(super) fn children(&self) -> Option<&'v Map<String, Value>> {
        self.value.and_then(Value::as_object).or_else(|| self.sibling.and_then(Value::as_object))
    }
}

/// How a resource came to be looked at.
#[derive(Clone, Copy)]
pub(super) enum Within<'v, 's> {
    Nothing,
    Container(&'s Scope<'v, 's>),
    /// An entry of a Bundle.
    Entry {
        bundle: &'s BundleIndex<'v>,
        full_url: Option<&'v str>,
    },
}

/// A ValueSet, and system, version and code that are asked about.
pub(super) type Asked<'v> = (&'v str, Option<&'v str>, Option<&'v str>, &'v str);

pub(super) struct Walk<'v> {
    pub validator: &'v Validator,
    collector: Collector,
    pub max_depth: usize,
    pub trust_reference_names: bool,
    /// Within a trial nothing is reported; the first error ends it.
    probing: bool,
    pub failed: bool,
    /// Canonical of the profile that is being held against the data.
    pub profile: Option<&'v str>,
    /// Elements of the data met so far, and steps of the profile walk: the second may be a multiple of the first.
    pub elements: u64,
    pub steps: u64,
    pub gave_up: bool,
    /// How deep profiles are in each other on the way here.
    pub hops: usize,
    /// Ids of elements that were met, with the address of their resource.
    pub element_ids: HashSet<(usize, &'v str)>,
    /// Resources that were held to a target profile, by address.
    pub kept: HashMap<(usize, Slot), bool>,
    /// What expressions have cost so far.
    pub path_steps: Cell<u64>,
    /// What questions to the terminology may cost; trials share it.
    pub terms: Rc<Allowance>,
    /// Codes that were asked about: ValueSet, system, version, code.
    pub members: HashMap<Asked<'v>, Membership>,
    /// Whether it was reported that those cost too much.
    pub told_terms_spent: bool,
    /// Whether it was reported that they cost too much.
    pub told_spent: bool,
    /// Whether a rule or a profile could not be checked: a trial without a failure is then no pass for conformsTo().
    pub unsure: bool,
    /// How many conformsTo() led here.
    pub nested: usize,
    enforced: Enforced,
}

pub(super) fn validate(validator: &Validator, resource: &Value, options: &Options<'_>) -> Report {
    let mut walk = Walk::new(validator, options);
    let name = super::reference::type_of(resource).filter(|name| validator.type_named(name).is_some());
    // `$this`: FHIRPath has no other name for what has no type.
    let root = Place::root(name.unwrap_or("$this"));
    walk.resource(resource, &root, Within::Nothing, options.profiles);
    walk.collector.finish(name.unwrap_or("$this"))
}

impl<'v> Walk<'v> {
    fn new(validator: &'v Validator, options: &Options<'_>) -> Self {
        Walk {
            validator,
            collector: Collector::new(options.max_issues),
            max_depth: options.max_depth,
            trust_reference_names: options.trust_reference_names,
            probing: false,
            failed: false,
            profile: None,
            elements: 0,
            steps: 0,
            gave_up: false,
            hops: 0,
            element_ids: HashSet::new(),
            kept: HashMap::new(),
            path_steps: Cell::new(0),
            terms: Rc::default(),
            members: HashMap::new(),
            told_terms_spent: false,
            told_spent: false,
            unsure: false,
            nested: 0,
            enforced: options.enforced,
        }
    }

    /// One that only finds out whether there is an error, from within an expression.
    pub(super) fn trial(
        validator: &'v Validator,
        nested: usize,
        elements: u64,
        path_steps: u64,
        terms: &Rc<Allowance>,
    ) -> Self {
        let walk = Self::new(validator, &Options::default());
        Walk { probing: true, nested, elements, path_steps: Cell::new(path_steps), terms: Rc::clone(terms), ..walk }
    }

    /// Reports. The place and the text are written only if someone will read them.
    pub(super) fn issue(
        &mut self,
        severity: Severity,
        code: IssueType,
        rule: &str,
        place: &Place<'_>,
        text: impl FnOnce() -> String,
    ) {
        if self.probing {
            self.failed |= severity == Severity::Error;
            return;
        }
        let is_told_only = severity == Severity::Error && !self.enforced.takes(rule, self.profile);
        let severity = if is_told_only { Severity::Warning } else { severity };
        if self.collector.is_full() {
            self.collector.count_cut(severity);
        } else {
            self.collector.push(Issue {
                severity,
                code,
                rule: rule.into(),
                profile: self.profile.map(Into::into),
                expression: place.expression(),
                text: text(),
            });
        }
    }

    pub(super) fn error(&mut self, rule: &str, place: &Place<'_>, text: impl FnOnce() -> String) {
        self.issue(Severity::Error, IssueType::Structure, rule, place, text);
    }

    /// Whether a check passes without errors; its issues are not reported.
    pub(super) fn probe(&mut self, check: impl FnOnce(&mut Self)) -> bool {
        let before = (self.probing, self.failed);
        (self.probing, self.failed) = (true, false);
        check(self);
        let passed = !self.failed;
        (self.probing, self.failed) = before;
        passed
    }

    pub(super) fn is_probing(&self) -> bool {
        self.probing
    }

    /// Lets an issue out of a trial; `resume_probe` goes on with it.
    pub(super) fn end_probe(&mut self) {
        self.probing = false;
    }

    pub(super) fn resume_probe(&mut self, probing: bool) {
        self.probing = probing;
        self.failed |= probing;
    }

    /// Whether a trial has failed already, so that the rest need not be looked at.
    pub(super) fn is_over(&self) -> bool {
        self.gave_up || (self.probing && self.failed)
    }
}
