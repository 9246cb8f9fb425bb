//! The fhir room: the walk that holds an element to a profile, <https://hl7.org/fhir/R4/profiling.html>.
//!
//! The base type has been checked before. Only what a profile says is looked at, and only where it says something.

use super::compile::{Compiled, TypeKind};
use super::fixed;
use super::place::Place;
use super::primitive::shown;
use super::reference::Scope;
use super::walk::{Instance, Walk};
use crate::fhir::definitions::structure::{Element, ElementIndex};
use crate::fhir::outcome::{IssueType, Severity};
use crate::fhir::path::Type;
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// Profiles within profiles at one place or on the way to it: a circle of definitions ends here.
const MAX_HOPS: usize = 200;

/// How many steps the profile walk may take for each element of the data, on top of a fixed number.
const STEPS_PER_ELEMENT: u64 = 2_000;
const STEPS: u64 = 1_000_000;

/// An element with its place among its siblings.
#[derive(Clone, Copy)]
pub(super) struct Occurrence<'v> {
    pub instance: Instance<'v>,
    pub index: Option<usize>,
    pub of_type: Option<&'v str>,
}

impl<'v> Walk<'v> {
    /// One element against one element of a profile.
    pub(super) fn conform(
        &mut self,
        instance: &Instance<'v>,
        compiled: &'v Compiled,
        index: ElementIndex,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        if self.is_over() || !self.may_go_on(place) {
            return;
        }
        self.hops += 1;
        self.element_rules(instance, compiled, index, place, scope);
        // The walk over the base type has been in what that type says.
        let element = compiled.element(index);
        let within = if element.content_of_base { index } else { compiled.with_children(index) };
        if !compiled.element(within).children.is_empty() {
            self.children(instance, compiled, within, place, scope);
        }
        self.type_profiles(instance, compiled, index, place, scope);
        self.hops -= 1;
    }

    /// Bounds what hostile profiles can cost.
    fn may_go_on(&mut self, place: &Place<'_>) -> bool {
        self.steps += 1;
        let too_deep = self.hops >= MAX_HOPS;
        let too_much = self.steps > STEPS + STEPS_PER_ELEMENT * self.elements;
        if too_deep || too_much {
            let probing = self.is_probing();
            if too_much {
                self.gave_up = true;
            }
            self.end_probe();
            self.issue(Severity::Error, IssueType::TooCostly, "profile-budget", place, || {
                if too_deep {
                    "profiles refer to each other in a circle: what lies further in was not checked".into()
                } else {
                    "the profiles ask for too much work on this resource: the rest was not checked".into()
                }
            });
            self.resume_probe(probing);
            return false;
        }
        true
    }

    /// What the profile says of the element itself.
    fn element_rules(
        &mut self,
        instance: &Instance<'v>,
        compiled: &'v Compiled,
        index: ElementIndex,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let element = compiled.element(index);
        let node = &compiled.nodes[index];
        self.rules(&node.rules, instance, place, scope);
        let Some(value) = instance.value else { return };
        if let Some(wanted) = &element.fixed
            && !fixed::equals(wanted, value)
        {
            self.issue(Severity::Error, IssueType::Value, "fixed", place, || {
                format!("{} must be exactly {}", element.name, shown(&wanted.to_string()))
            });
        }
        if let Some(wanted) = &element.pattern
            && !fixed::contains(wanted, value)
        {
            self.issue(Severity::Error, IssueType::Value, "pattern", place, || {
                format!("{} must contain {}", element.name, shown(&wanted.to_string()))
            });
        }
        if index > 0
            && let Some(binding) = &element.binding
        {
            let kind = node.types.iter().zip(&element.types).find(|(_, of)| of.code == instance.type_name);
            if let Some((of, _)) = kind.or_else(|| node.types.iter().zip(&element.types).next()) {
                self.binding(binding, node, of.kind, instance, place);
            }
        }
        self.limits(element, value, place);
    }

    fn limits(&mut self, element: &Element, value: &Value, place: &Place<'_>) {
        if let (Some(most), Value::String(text)) = (element.max_length, value)
            && text.chars().count() > most
        {
            self.issue(Severity::Error, IssueType::TooLong, "max-length", place, || {
                format!("{} has more than {most} characters", element.name)
            });
        }
        let limits =
            [(&element.min_value, Ordering::Less, "min-value"), (&element.max_value, Ordering::Greater, "max-value")];
        for (limit, wrong, rule) in limits {
            let Some(limit) = limit else { continue };
            match compare(value, limit) {
                Some(order) if order == wrong => {
                    self.issue(Severity::Error, IssueType::Value, rule, place, || {
                        format!("{} is beyond its limit {}", element.name, shown(&limit.to_string()))
                    });
                }
                Some(_) => {}
                None => self.issue(Severity::Warning, IssueType::NotSupported, rule, place, || {
                    format!("{} could not be compared with its limit {}", element.name, shown(&limit.to_string()))
                }),
            }
        }
    }

    /// The children of an element against those of the profile.
    fn children(
        &mut self,
        instance: &Instance<'v>,
        compiled: &'v Compiled,
        index: ElementIndex,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let children = instance.children();
        let is_primitive = instance.value.is_some_and(|value| !value.is_object()) || instance.sibling.is_some();
        let mut found = Vec::new();
        for &child_index in &compiled.nodes[index].own_children {
            if self.is_over() {
                return;
            }
            self.steps += 1;
            let child = compiled.element(child_index);
            // The value of a primitive is no child of it in JSON.
            if is_primitive && child.name == "value" {
                continue;
            }
            found.clear();
            if let Some(map) = children {
                self.occurrences(map, instance.path_type, compiled, child_index, &mut found);
            }
            if found.len() < child.min as usize {
                self.missing(child, found.len(), place);
            }
            if let Some(max) = child.max
                && found.len() > max as usize
            {
                self.issue(Severity::Error, IssueType::Structure, "cardinality-max", place, || {
                    format!("{} is there {} times: at most {max} allowed", child.name, found.len())
                });
            }
            for occurrence in &found {
                let at = self.at(occurrence, child, place);
                if child.is_choice
                    && !child.types.is_empty()
                    && !child.types.iter().any(|of| of.code == occurrence.instance.type_name)
                {
                    self.issue(Severity::Error, IssueType::Structure, "choice-type", &at, || {
                        let allowed: Vec<&str> = child.types.iter().map(|of| of.code.as_str()).collect();
                        format!(
                            "{}[x] is a {} here, and only {} is allowed",
                            child.name,
                            occurrence.instance.type_name,
                            allowed.join(", ")
                        )
                    });
                    continue;
                }
                self.conform(&occurrence.instance, compiled, child_index, &at, scope);
            }
            if !child.slices.is_empty() {
                self.slices(&found, compiled, child_index, place, scope);
            }
        }
    }

    pub(super) fn at<'p>(&self, occurrence: &Occurrence<'v>, child: &'p Element, place: &'p Place<'p>) -> Place<'p>
    where
        'v: 'p,
    {
        let instance = &occurrence.instance;
        let at =
            Place::child(place, &child.name, occurrence.index, occurrence.of_type, &child.path, instance.type_name);
        let known = |name: &&str| self.validator.type_named(name).is_some();
        match instance.value.and_then(super::reference::type_of).filter(known) {
            Some(type_name) if child.types.iter().any(|of| self.is_a(&of.code, "Resource")) => at.with_type(type_name),
            _ => at,
        }
    }

    /// What the data has of a child.
    pub(super) fn occurrences(
        &self,
        map: &'v Map<String, Value>,
        parent: Option<Type>,
        compiled: &'v Compiled,
        index: ElementIndex,
        found: &mut Vec<Occurrence<'v>>,
    ) {
        let child = compiled.element(index);
        let node = &compiled.nodes[index];
        if child.is_choice {
            // A profile may have left types out that the data nevertheless uses: all types of R4 are looked for.
            for (key, value) in map {
                let bare = key.strip_prefix('_').unwrap_or(key);
                let Some(suffix) = bare.strip_prefix(child.name.as_str()) else { continue };
                let Some(type_name) = self.validator.suffixes.get(suffix) else { continue };
                // One that the base type does not have either has been reported, and FHIRPath does not see it.
                let types = &self.validator.types;
                if parent.is_some_and(|parent| types.property(parent, bare).is_none()) {
                    continue;
                }
                if bare.len() != key.len() && map.contains_key(bare) {
                    continue;
                }
                let (value, sibling) = if bare.len() == key.len() {
                    (Some(value), map.get(&format!("_{bare}")))
                } else {
                    (None, Some(value))
                };
                let path_type = self.validator.types.named(type_name);
                let instance = Instance { value, sibling, type_name, path_type };
                found.push(Occurrence { instance, index: None, of_type: Some(type_name) });
            }
            return;
        }
        let value = map.get(&child.name).filter(|value| !value.is_null());
        let is_primitive = matches!(node.types.first().map(|of| of.kind), Some(TypeKind::Primitive(_)));
        // Few objects have one: the key is put together only for those.
        let may_have = is_primitive && map.keys().any(|key| key.starts_with('_'));
        let sibling = if may_have { map.get(&format!("_{}", child.name)) } else { None };
        let type_name = child.types.first().map_or("BackboneElement", |of| of.code.as_str());
        let instance = |value: Option<&'v Value>, sibling: Option<&'v Value>| {
            let mut instance = Instance { value, sibling, type_name, path_type: node.path_type };
            if let Some(TypeKind::Resource) = node.types.first().map(|of| of.kind)
                && let Some(resource) = value
            {
                instance = Instance::resource(self.validator, resource);
            }
            instance
        };
        match (value, sibling) {
            (None, None) => {}
            (Some(Value::Array(values)), sibling) => {
                let siblings = sibling.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                found.extend((0..values.len().max(siblings.len())).map(|place| Occurrence {
                    instance: instance(
                        values.get(place).filter(|v| !v.is_null()),
                        siblings.get(place).filter(|s| !s.is_null()),
                    ),
                    index: Some(place),
                    of_type: None,
                }));
            }
            (None, Some(Value::Array(siblings))) => {
                found.extend(siblings.iter().enumerate().map(|(place, sibling)| Occurrence {
                    instance: instance(None, Some(sibling)),
                    index: Some(place),
                    of_type: None,
                }));
            }
            (value, sibling) => {
                found.push(Occurrence { instance: instance(value, sibling), index: None, of_type: None })
            }
        }
    }
}

/// Numbers by value, text of dates by their common digits; `None`: not comparable here.
fn compare(value: &Value, limit: &Value) -> Option<Ordering> {
    match (value, limit) {
        (Value::Number(value), Value::Number(limit)) => {
            let decimal = |number: &serde_json::Number| {
                let text = number.as_str();
                rust_decimal::Decimal::from_str_exact(text)
                    .or_else(|_| rust_decimal::Decimal::from_scientific(text))
                    .ok()
            };
            Some(decimal(value)?.cmp(&decimal(limit)?))
        }
        (Value::String(value), Value::String(limit)) => {
            // Days and their parts compare as text; times of day with zones do not.
            let is_day =
                |text: &str| text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            let common = value.len().min(limit.len());
            (is_day(value) && is_day(limit)).then(|| value.get(..common).cmp(&limit.get(..common)))
        }
        (Value::Object(value), Value::Object(limit)) => {
            let same_unit = value.get("code") == limit.get("code") && value.get("system") == limit.get("system");
            if same_unit { compare(value.get("value")?, limit.get("value")?) } else { None }
        }
        _ => None,
    }
}
