//! The fhir room: which profiles an element is held to, <https://hl7.org/fhir/R4/profiling.html#resources>.

use super::compile::{Compiled, Slot};
use super::place::Place;
use super::primitive::shown;
use super::reference::Scope;
use super::walk::{Instance, Walk};
use crate::fhir::definitions::NoStructure;
use crate::fhir::definitions::structure::{ElementIndex, Structure};
use crate::fhir::outcome::{IssueType, Severity};
use serde_json::{Map, Value};

impl<'v> Walk<'v> {
    /// The profiles in `meta.profile`.
    pub(super) fn claimed_profiles(
        &mut self,
        map: &'v Map<String, Value>,
        instance: &Instance<'v>,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let claimed = map.get("meta").and_then(|meta| meta.get("profile")).and_then(Value::as_array);
        let meta = Place::child(place, "meta", None, None, "", "Meta");
        for (index, canonical) in claimed.into_iter().flatten().enumerate() {
            let Some(canonical) = canonical.as_str() else { continue };
            let at = Place::child(&meta, "profile", Some(index), None, "", "canonical");
            self.asked_profile(canonical, instance, place, &at, scope);
        }
    }

    /// A profile that a resource claims or that the caller asks for. `claim` is where it is asked for: what keeps it
    /// from being looked at is told there.
    pub(super) fn asked_profile(
        &mut self,
        canonical: &str,
        instance: &Instance<'v>,
        place: &Place<'_>,
        claim: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        match self.validator.slot(canonical) {
            Ok(slot) => match self.validator.compiled(slot) {
                Ok(compiled) if !self.is_a(instance.type_name, &compiled.structure.type_name) => {
                    self.of_another_type(&compiled.structure, instance, claim);
                }
                Ok(_) => self.profile(slot, instance, place, scope),
                Err(error) => self.no_profile(error, claim),
            },
            Err(NoStructure::OtherVersion { asked, here }) => {
                self.issue(Severity::Warning, IssueType::NotFound, "profile-version", claim, || {
                    format!("{} is not here in this version: version {here} was used", shown(&asked))
                });
                if let Some(slot) = self.validator.slot_of_any_version(canonical) {
                    self.profile(slot, instance, place, scope);
                }
            }
            Err(error) => self.no_profile(&error, claim),
        }
    }

    fn no_profile(&mut self, error: &NoStructure, place: &Place<'_>) {
        self.unsure = true;
        self.issue(Severity::Warning, IssueType::NotFound, "profile-unknown", place, || {
            format!("a profile could not be checked: {error}")
        });
    }

    fn of_another_type(&mut self, structure: &Structure, instance: &Instance<'v>, place: &Place<'_>) {
        self.issue(Severity::Error, IssueType::Structure, "profile-type", place, || {
            format!("{} is for {}, and this is {}", structure.url, structure.type_name, shown(instance.type_name))
        });
    }

    /// Holds an element to a whole profile.
    pub(super) fn profile(&mut self, slot: Slot, instance: &Instance<'v>, place: &Place<'_>, scope: &Scope<'v, '_>) {
        let compiled = match self.validator.compiled(slot) {
            Ok(compiled) => compiled,
            Err(error) => {
                self.no_profile(error, place);
                return;
            }
        };
        let structure = &compiled.structure;
        if !self.is_a(instance.type_name, &structure.type_name) {
            self.of_another_type(structure, instance, place);
            return;
        }
        // What a base type says has been checked.
        if !structure.is_profile {
            return;
        }
        let before = self.profile.replace(&structure.url);
        self.conform(instance, compiled, 0, place, scope);
        self.profile = before;
    }

    /// Profiles on the type of an element, and on what a reference leads to.
    pub(super) fn type_profiles(
        &mut self,
        instance: &Instance<'v>,
        compiled: &'v Compiled,
        index: ElementIndex,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        // The root of a profile has its own type.
        if index == 0 {
            return;
        }
        let element = compiled.element(index);
        let name = instance.type_name;
        let is_reference = name == "Reference";
        if is_reference {
            self.reference_kind(instance, &element.types, place, scope);
        }
        if is_reference && element.types.iter().any(|of| !of.target_profiles.is_empty()) {
            self.target_profiles(instance, compiled, index, place, scope);
        }
        // Several types with one code are several possibilities.
        let mut profiles = element
            .types
            .iter()
            .filter(|of| of.code == name || (of.code == "Resource" && !is_reference))
            .flat_map(|of| &of.profiles)
            .map(String::as_str);
        let Some(first) = profiles.next() else { return };
        let rest: Vec<&str> = profiles.collect();
        if name == "Extension" {
            // By its url an extension has been held to its definition before.
            let url = instance.value.and_then(|value| value.get("url")).and_then(Value::as_str);
            if url.is_some_and(|url| first == url || rest.contains(&url)) {
                return;
            }
        }
        if rest.is_empty() {
            self.asked_profile(first, instance, place, place, scope);
            return;
        }
        let mut unknown = false;
        for canonical in std::iter::once(first).chain(rest.iter().copied()) {
            match self.validator.slot(canonical) {
                Ok(slot) => {
                    if self.probe(|walk| walk.profile(slot, instance, place, scope)) {
                        return;
                    }
                }
                Err(error) => {
                    unknown = true;
                    self.no_profile(&error, place);
                }
            }
        }
        if !unknown {
            self.issue(Severity::Error, IssueType::Structure, "type-profile", place, || {
                format!("{} keeps none of the profiles asked for: {first}, {}", element.name, rest.join(", "))
            });
        }
    }
}
