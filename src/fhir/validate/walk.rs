//! The fhir room: the walk that holds every element to its base type, <https://hl7.org/fhir/R4/json.html>.

use super::bundle::BundleIndex;
use super::compile::{Compiled, Key, Slot, TypeKind, TypeNode};
use super::place::Place;
use super::primitive::{json_name, shown};
use super::reference::Scope;
use super::report::{Collector, Issue, Report};
use super::{Options, Validator};
use crate::fhir::definitions::structure::{Element, ElementIndex};
use crate::fhir::outcome::{IssueType, Severity};
use crate::fhir::path::Type;
use serde_json::{Map, Value};
use std::cell::Cell;
use std::collections::HashMap;

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

pub(super) struct Walk<'v> {
    pub validator: &'v Validator,
    collector: Collector,
    max_depth: usize,
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
    /// Resources that were held to a target profile, by address.
    pub kept: HashMap<(usize, Slot), bool>,
    /// What expressions have cost so far.
    pub path_steps: Cell<u64>,
    /// Whether it was reported that they cost too much.
    pub told_spent: bool,
    /// How many conformsTo() led here.
    pub nested: usize,
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
            kept: HashMap::new(),
            path_steps: Cell::new(0),
            told_spent: false,
            nested: 0,
        }
    }

    /// One that only finds out whether there is an error, from within an expression.
    pub(super) fn trial(validator: &'v Validator, nested: usize, elements: u64, path_steps: u64) -> Self {
        let walk = Self::new(validator, &Options::default());
        Walk { probing: true, nested, elements, path_steps: Cell::new(path_steps), ..walk }
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
        } else if self.collector.is_full() {
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

    /// The children of one object.
    pub(super) fn object(
        &mut self,
        map: &'v Map<String, Value>,
        compiled: &'v Compiled,
        index: ElementIndex,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        self.elements += 1;
        if map.is_empty() {
            self.error("empty-object", place, || "an empty object is not allowed: leave the element out".into());
            return;
        }
        if place.depth > self.max_depth {
            let most = self.max_depth;
            self.issue(Severity::Error, IssueType::TooCostly, "depth-limit", place, || {
                format!("elements are nested deeper than {most} levels: what is below was not checked")
            });
            return;
        }
        let is_resource = index == 0 && compiled.is_resource();
        let Some(node) = compiled.nodes.get(index) else { return };
        let has_siblings = map.keys().any(|key| key.starts_with('_'));
        let mut seen = 0u128;
        for (key, value) in map {
            let name = key.strip_prefix('_').unwrap_or(key);
            let Some(known) = node.key(name) else {
                if !(is_resource && key == "resourceType") {
                    self.unknown(key, compiled, index, place);
                }
                continue;
            };
            let is_sibling = name.len() != key.len();
            if is_sibling && map.contains_key(name) {
                continue;
            }
            let bit = 1u128 << known.ordinal;
            if seen & bit != 0 {
                let element = compiled.element(known.child);
                self.error("choice-twice", place, || {
                    format!("{}[x] is given with more than one type: keep one of them", element.name)
                });
            }
            seen |= bit;
            let sibling = if is_sibling {
                Some(value)
            } else if has_siblings {
                map.get(&format!("_{name}"))
            } else {
                None
            };
            self.child((!is_sibling).then_some(value), sibling, compiled, known, place, scope);
        }
        let mut missing = node.required & !seen;
        while missing != 0 {
            let ordinal = missing.trailing_zeros() as usize;
            missing &= missing - 1;
            let child = compiled.element(index).children.get(ordinal).map(|child| compiled.element(*child));
            if let Some(child) = child {
                self.missing(child, 0, place);
            }
        }
    }

    /// Too few of an element; told at its parent, for there may be none to point at.
    pub(super) fn missing(&mut self, child: &Element, found: usize, place: &Place<'_>) {
        let name = if child.is_choice { format!("{}[x]", child.name) } else { child.name.clone() };
        self.issue(Severity::Error, IssueType::Required, "cardinality-min", place, || match found {
            0 => format!("{name} is missing: at least {} needed", child.min),
            _ => format!("{name} is there {found} times: at least {} needed", child.min),
        });
    }

    fn unknown(&mut self, key: &str, compiled: &'v Compiled, index: ElementIndex, place: &Place<'_>) {
        let name = key.strip_prefix('_').unwrap_or(key);
        let choice = compiled.element(index).children.iter().map(|child| compiled.element(*child)).find(|child| {
            child.is_choice
                && name.strip_prefix(child.name.as_str()).is_some_and(|rest| rest.starts_with(char::is_uppercase))
        });
        match choice {
            Some(choice) => self.error("choice-type", place, || {
                format!("{} is not allowed: {}[x] has none of that type here", shown(key), choice.name)
            }),
            None => self.error("unknown-element", place, || {
                format!(
                    "there is no element {} in {}: remove it, or correct its name",
                    shown(key),
                    place.definition_path
                )
            }),
        }
    }

    /// One key of an object: an element with its repetitions.
    fn child(
        &mut self,
        value: Option<&'v Value>,
        sibling: Option<&'v Value>,
        compiled: &'v Compiled,
        key: Key,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let element = compiled.element(key.child);
        let Some(of) = compiled.nodes[key.child].types.get(key.type_index) else { return };
        let type_name = element.types.get(key.type_index).map_or("BackboneElement", |of| of.code.as_str());
        let of_type = element.is_choice.then_some(type_name);
        let at = |index| Place::child(place, &element.name, index, of_type, compiled.path(key.child), type_name);
        if sibling.is_some() && !matches!(of.kind, TypeKind::Primitive(_)) {
            let name = &element.name;
            self.error("sibling", place, || {
                format!("_{name} is not allowed: only a primitive has a property with an underscore")
            });
        }
        if !element.is_list {
            for many in [value, sibling].into_iter().flatten() {
                if many.is_array() {
                    // FHIRPath would see each item of it: told at the parent.
                    self.error("json-array", place, || format!("{} is no list: give it without [ ]", element.name));
                    return;
                }
            }
            self.item(value, sibling, compiled, key, of, &at(None), scope);
            return;
        }
        for single in [value, sibling].into_iter().flatten() {
            if !single.is_array() {
                // FHIRPath sees no element in what is empty.
                let is_empty = single.is_null() || single.as_object().is_some_and(Map::is_empty);
                let at = if is_empty { *place } else { at(None) };
                self.error("json-array", &at, || {
                    format!("{} is a list: give it in [ ], even if there is only one", element.name)
                });
                return;
            }
        }
        let values = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let siblings = sibling.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let count = values.len().max(siblings.len());
        if count == 0 || value.is_some_and(|_| values.is_empty()) {
            self.error("empty-array", place, || format!("{} is an empty list: leave it out", element.name));
        }
        if !siblings.is_empty() && !values.is_empty() && siblings.len() != values.len() {
            self.error("sibling", place, || {
                format!("{0} and _{0} are of different length: fill the shorter one with null", element.name)
            });
        }
        if let Some(max) = element.max
            && count > max as usize
        {
            self.error("cardinality-max", place, || {
                format!("{} is there {count} times: at most {max} allowed", element.name)
            });
        }
        for index in 0..count {
            self.item(values.get(index), siblings.get(index), compiled, key, of, &at(Some(index)), scope);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn item(
        &mut self,
        value: Option<&'v Value>,
        sibling: Option<&'v Value>,
        compiled: &'v Compiled,
        key: Key,
        of: &'v TypeNode,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let element = compiled.element(key.child);
        let node = &compiled.nodes[key.child];
        let type_name = element.types.get(key.type_index).map_or("BackboneElement", |of| of.code.as_str());
        let path_type = if element.is_choice { of.path_type } else { node.path_type };
        let instance = Instance { value, sibling, type_name, path_type };
        match of.kind {
            TypeKind::Primitive(kind) => {
                self.elements += 1;
                if !self.primitive(kind, &instance, element, place, scope) {
                    return;
                }
            }
            TypeKind::Resource => {
                self.inner_resource(value, element, place, scope);
                return;
            }
            TypeKind::Backbone
            | TypeKind::Extension
            | TypeKind::Reference
            | TypeKind::Coding
            | TypeKind::CodeableConcept
            | TypeKind::Quantity
            | TypeKind::Complex => {
                let Some(Value::Object(map)) = value else {
                    let found = value.map_or("nothing", json_name);
                    let is_there = value.is_some_and(|value| !value.is_null());
                    let at = if is_there { place } else { place.parent().unwrap_or(place) };
                    self.error("json-type", at, || format!("{} is a JSON object, and not {found}", element.name));
                    return;
                };
                self.ele_1(map, place);
                self.complex(map, compiled, key.child, of, element, &instance, place, scope);
            }
        }
        if let Some(binding) = &element.binding {
            self.binding(binding, node, of.kind, &instance, place);
        }
        self.rules(&node.rules, &instance, place, scope);
    }

    #[allow(clippy::too_many_arguments)]
    fn complex(
        &mut self,
        map: &'v Map<String, Value>,
        compiled: &'v Compiled,
        child: ElementIndex,
        of: &'v TypeNode,
        element: &'v Element,
        instance: &Instance<'v>,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        if of.kind == TypeKind::Backbone {
            let within = compiled.with_children(child);
            if within == child && element.children.is_empty() {
                // `Element` itself, which has no own definition of children here.
                if let Some(base) = self.validator.type_named("Element") {
                    self.object(map, base, 0, place, scope);
                }
                return;
            }
            // An entry is the surroundings of what stands in it.
            let full_url =
                if element.path == "Bundle.entry" { map.get("fullUrl").and_then(Value::as_str) } else { None };
            let scope = Scope { full_url: full_url.or(scope.full_url), ..*scope };
            self.object(map, compiled, within, place, &scope);
            return;
        }
        let Some(definition) = of.slot.and_then(|slot| self.validator.compiled(slot).ok()) else {
            self.issue(Severity::Warning, IssueType::NotFound, "type-unknown", place, || {
                format!("{} could not be checked: there is no definition of its type here", element.name)
            });
            return;
        };
        self.object(map, definition, 0, place, scope);
        if let Some(root) = definition.nodes.first() {
            let typed = Instance { path_type: of.path_type, ..*instance };
            self.rules(&root.rules, &typed, place, scope);
        }
        match of.kind {
            TypeKind::Extension => self.extension(map, element.name == "modifierExtension", instance, place, scope),
            TypeKind::Reference => self.reference(map, &element.types, place, scope),
            TypeKind::Coding => self.coding(map, place),
            TypeKind::Quantity => self.quantity(map, place),
            TypeKind::Complex if instance.type_name == "Identifier" => self.identifier(map, place),
            TypeKind::Complex if instance.type_name == "Attachment" => self.attachment(map, place),
            TypeKind::Primitive(_)
            | TypeKind::Backbone
            | TypeKind::Resource
            | TypeKind::CodeableConcept
            | TypeKind::Complex => {}
        }
    }
}
