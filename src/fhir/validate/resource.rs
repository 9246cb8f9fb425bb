//! The fhir room: one resource with what is around and in it, <https://hl7.org/fhir/R4/resource.html>.

use super::bundle::BundleIndex;
use super::contained::Locals;
use super::place::Place;
use super::primitive::{json_name, shown};
use super::reference::Scope;
use super::walk::{Instance, Walk, Within};
use crate::fhir::definitions::structure::Element;
use crate::fhir::outcome::{IssueType, Severity};
use serde_json::Value;
use std::cell::RefCell;

impl<'v> Walk<'v> {
    /// A resource with all that is in it. `place` names the element that holds it, or is the root.
    pub(super) fn resource(&mut self, value: &'v Value, place: &Place<'_>, within: Within<'v, '_>, profiles: &[&str]) {
        let Value::Object(map) = value else {
            self.error("json-type", place, || format!("a resource is a JSON object, and not {}", json_name(value)));
            return;
        };
        let Some(name) = map.get("resourceType").and_then(Value::as_str) else {
            self.error("resource-type", place, || "a resource needs its resourceType, a string".into());
            return;
        };
        let known = self.validator.type_named(name).filter(|of| of.is_resource() && !of.structure.is_abstract);
        let Some(compiled) = known else {
            self.error("resource-type", place, || format!("'{}' is no resource type of R4", shown(name)));
            return;
        };
        let typed = if matches!(within, Within::Nothing) { Place::root(name) } else { place.with_type(name) };
        let locals = RefCell::new(Locals::new(map));
        let index = (name == "Bundle").then(|| BundleIndex::new(map));
        let (outer_bundle, full_url) = match within {
            Within::Nothing => (None, None),
            Within::Container(scope) => (scope.bundle, scope.full_url),
            Within::Entry { bundle, full_url } => (Some(bundle), full_url),
        };
        let bundle = index.as_ref().or(outer_bundle);
        let scope = match within {
            Within::Container(outer) => Scope { resource: value, bundle, ..*outer },
            Within::Nothing | Within::Entry { .. } => {
                Scope { resource: value, root: value, locals: &locals, bundle, full_url }
            }
        };
        let instance = Instance::resource(self.validator, value);
        self.object(map, compiled, 0, &typed, &scope);
        if let Some(root) = compiled.nodes.first() {
            self.rules(&root.rules, &instance, &typed, &scope);
        }
        if !matches!(within, Within::Container(_)) {
            // Bundle, Binary and Parameters have neither narrative nor contained resources.
            let is_domain = compiled.structure.base.as_deref().is_some_and(|base| base.ends_with("/DomainResource"));
            if is_domain {
                self.contained(map, &locals.borrow(), &typed);
            }
            // dom-6, a recommendation.
            if is_domain && map.get("text").and_then(|text| text.get("div")).is_none() {
                self.issue(Severity::Information, IssueType::Invariant, "dom-6", &typed, || {
                    "a resource should have a narrative, so that it can be read without knowing its elements".into()
                });
            }
        }
        if let Some(index) = &index {
            self.bundle(map, index, &typed);
        }
        if name == "Observation" {
            self.vital_signs(map, &instance, &typed, &scope);
        }
        self.claimed_profiles(map, &instance, &typed, &scope);
        for canonical in profiles {
            self.asked_profile(canonical, &instance, &typed, &typed, &scope);
        }
    }

    pub(super) fn inner_resource(
        &mut self,
        value: Option<&'v Value>,
        element: &Element,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let Some(value) = value else { return };
        if element.name == "contained" {
            scope.locals.borrow_mut().enter(value.get("id").and_then(Value::as_str));
            self.resource(value, place, Within::Container(scope), &[]);
            scope.locals.borrow_mut().enter(None);
            return;
        }
        match scope.bundle {
            Some(bundle) if element.path.starts_with("Bundle.") => {
                self.resource(value, place, Within::Entry { bundle, full_url: scope.full_url }, &[]);
            }
            _ => self.resource(value, place, Within::Entry { bundle: &BundleIndex::default(), full_url: None }, &[]),
        }
    }
}
