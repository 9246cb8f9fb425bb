//! The fhir room: whether an item belongs to a slice, <https://hl7.org/fhir/R4/profiling.html#discriminator>.

use super::conform::Occurrence;
use super::discriminator::{Expectation, Matcher, Step, Test};
use super::fixed;
use super::place::Place;
use super::reference::Scope;
use super::walk::{Instance, Walk};
use crate::fhir::definitions::structure::Binding;
use crate::fhir::definitions::{Code, Membership};
use serde_json::Value;

/// What a test says of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    No,
    Unknown,
}

impl<'v> Walk<'v> {
    pub(super) fn matches(&mut self, matcher: &'v Matcher, item: &Occurrence<'v>, scope: &Scope<'v, '_>) -> Match {
        let mut result = Match::Yes;
        for test in &matcher.tests {
            match self.passes(test, &item.instance, scope) {
                Match::Yes => {}
                Match::No => return Match::No,
                Match::Unknown => result = Match::Unknown,
            }
        }
        result
    }

    fn passes(&mut self, test: &'v Test, instance: &Instance<'v>, scope: &Scope<'v, '_>) -> Match {
        let mut found = vec![*instance];
        for step in &test.path {
            let mut next = Vec::new();
            for instance in &found {
                if *step == Step::Resolve && self.follow(instance, scope, &mut next) == Match::Unknown {
                    return Match::Unknown;
                }
                self.step(instance, step, &mut next);
            }
            found = next;
        }
        let any = |yes: bool| if yes { Match::Yes } else { Match::No };
        match &test.expects {
            Expectation::Fixed(wanted) => any(found.iter().any(|i| i.value.is_some_and(|v| fixed::equals(wanted, v)))),
            Expectation::Pattern(wanted) => {
                any(found.iter().any(|i| i.value.is_some_and(|v| fixed::contains(wanted, v))))
            }
            Expectation::Exists(wanted) => any(found.is_empty() != *wanted),
            Expectation::Types(names) => {
                any(found.iter().any(|i| names.iter().any(|name| self.is_a(i.type_name, name))))
            }
            Expectation::Profiles(profiles) => self.keeps_one(profiles, &found, scope),
            Expectation::Bound(binding) => self.is_bound(binding, &found),
            Expectation::Unknown(_) => Match::Unknown,
        }
    }

    /// One step, except for `resolve()`.
    fn step(&self, instance: &Instance<'v>, step: &'v Step, found: &mut Vec<Instance<'v>>) {
        let push = |value: &'v Value, type_name: &'v str, found: &mut Vec<Instance<'v>>| {
            let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            found.extend(items.iter().map(|item| Instance {
                value: Some(item),
                sibling: None,
                type_name,
                path_type: None,
            }));
        };
        match step {
            Step::Child(name) => {
                let Some(map) = instance.children() else { return };
                if let Some(value) = map.get(name) {
                    let type_name = super::reference::type_of(value).unwrap_or_default();
                    push(value, type_name, found);
                    return;
                }
                for (key, value) in map {
                    if let Some(type_name) =
                        key.strip_prefix(name.as_str()).and_then(|rest| self.validator.suffixes.get(rest))
                    {
                        push(value, type_name, found);
                    }
                }
            }
            Step::OfType(name) => {
                if self.is_a(instance.type_name, name) {
                    found.push(*instance);
                }
            }
            Step::Extension(url) => {
                let extensions = instance.children().and_then(|map| map.get("extension")).and_then(Value::as_array);
                found.extend(
                    extensions
                        .into_iter()
                        .flatten()
                        .filter(|extension| extension.get("url").and_then(Value::as_str) == Some(url))
                        .map(|value| Instance {
                            value: Some(value),
                            sibling: None,
                            type_name: "Extension",
                            path_type: None,
                        }),
                );
            }
            Step::Resolve => {}
        }
    }

    /// `resolve()`. The type of what is not at hand may be named by the reference.
    fn follow(&self, instance: &Instance<'v>, scope: &Scope<'v, '_>, found: &mut Vec<Instance<'v>>) -> Match {
        let Some(reference) = instance.value.and_then(|value| value.get("reference")).and_then(Value::as_str) else {
            return Match::No;
        };
        if let Some(resource) = scope.resolve(reference) {
            found.push(Instance::resource(self.validator, resource));
            return Match::Yes;
        }
        let types = &self.validator.types;
        match crate::fhir::path::reference_type(reference, types) {
            Some(of) => {
                found.push(Instance { value: None, sibling: None, type_name: types.name(of), path_type: Some(of) });
                Match::Yes
            }
            None => Match::Unknown,
        }
    }

    fn keeps_one(&mut self, profiles: &'v [String], found: &[Instance<'v>], scope: &Scope<'v, '_>) -> Match {
        let mut result = Match::No;
        for canonical in profiles {
            let Ok(slot) = self.validator.slot(canonical) else {
                result = Match::Unknown;
                continue;
            };
            for instance in found {
                if instance.value.is_none() {
                    result = Match::Unknown;
                    continue;
                }
                let place = Place::root(instance.type_name);
                if self.probe(|walk| walk.profile(slot, instance, &place, scope)) {
                    return Match::Yes;
                }
            }
        }
        result
    }

    fn is_bound(&mut self, binding: &'v Binding, found: &[Instance<'v>]) -> Match {
        let Some(value_set) = &binding.value_set else { return Match::Unknown };
        let mut result = Match::No;
        for value in found.iter().filter_map(|instance| instance.value) {
            let codings =
                value.get("coding").and_then(Value::as_array).map_or(std::slice::from_ref(value), Vec::as_slice);
            for coding in codings {
                let code = match coding.as_str() {
                    Some(code) => Some(Code { code, ..Code::default() }),
                    None => super::binding::code_of(coding),
                };
                match code.map(|code| self.membership(value_set, &code)) {
                    Some(Membership::Member(_)) => return Match::Yes,
                    Some(Membership::Unknown(_)) => result = Match::Unknown,
                    Some(Membership::NotMember) | None => {}
                }
            }
        }
        result
    }
}
