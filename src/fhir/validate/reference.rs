//! The fhir room: references, their form and where they lead, <https://hl7.org/fhir/R4/references.html>.

use super::bundle::BundleIndex;
use super::compile::{Compiled, Slot};
use super::contained::Locals;
use super::document::must_be_within;
use super::place::Place;
use super::primitive::{is_id, shown};
use super::walk::{Instance, Walk};
use crate::fhir::definitions::structure::{ElementIndex, TypeRef};
use crate::fhir::outcome::{IssueType, Severity};
use serde_json::{Map, Value};
use std::cell::RefCell;

/// The resources around an element.
#[derive(Clone, Copy)]
pub(super) struct Scope<'v, 's> {
    /// `%resource`
    pub resource: &'v Value,
    /// `%rootResource`: what contains `resource`, or `resource` itself.
    pub root: &'v Value,
    /// The contained resources of `root` and who points at them.
    pub locals: &'s RefCell<Locals<'v>>,
    /// The Bundle that holds `root` in an entry, or that is `root`.
    pub bundle: Option<&'s BundleIndex<'v>>,
    /// `fullUrl` of that entry.
    pub full_url: Option<&'v str>,
}

impl<'v> Scope<'v, '_> {
    /// The entry of the Bundle around that a reference leads to.
    pub(super) fn in_bundle(&self, reference: &str) -> Option<&'v Value> {
        self.bundle.and_then(|bundle| bundle.resolve(reference, self.full_url))
    }

    fn contains(&self, resource: &Value) -> bool {
        let id = resource.get("id").and_then(Value::as_str);
        id.and_then(|id| self.locals.borrow().contained(id)).is_some_and(|found| std::ptr::eq(found, resource))
    }

    /// The resource that a reference leads to, as far as it is at hand.
    pub(super) fn resolve(&self, reference: &str) -> Option<&'v Value> {
        match reference.strip_prefix('#') {
            Some("") => Some(self.root),
            Some(id) => self.locals.borrow().contained(id),
            None => self.in_bundle(reference),
        }
    }
}

/// A literal reference, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Literal<'r> {
    /// `#id`, or `#` for the container.
    Contained,
    /// `Patient/1`, or with a base; the type.
    Resource { type_name: &'r str, is_relative: bool },
    /// `Patient?identifier=1`
    Conditional { type_name: &'r str },
    /// `urn:uuid:`, or a URL of another form: the type cannot be told.
    Opaque,
    /// Relative, and not `[type]/[id]`.
    Malformed,
}

impl<'r> Literal<'r> {
    pub(super) fn of(reference: &'r str, is_resource_type: impl Fn(&str) -> bool) -> Self {
        if reference.starts_with('#') {
            return Self::Contained;
        }
        let is_relative = !has_scheme(reference);
        if let Some((before, _)) = reference.split_once('?') {
            let type_name = before.rsplit('/').next().unwrap_or(before);
            return if is_resource_type(type_name) {
                Self::Conditional { type_name }
            } else if is_relative {
                Self::Malformed
            } else {
                Self::Opaque
            };
        }
        let path = reference.split(['#', '|']).next().unwrap_or(reference);
        let mut segments = path.rsplit('/');
        let mut id = segments.next().unwrap_or_default();
        let mut type_name = segments.next().unwrap_or_default();
        if type_name == "_history" {
            id = segments.next().unwrap_or_default();
            type_name = segments.next().unwrap_or_default();
        }
        let starts_there = segments.next().is_none();
        if is_resource_type(type_name) && is_id(id) && (starts_there || !is_relative) {
            Self::Resource { type_name, is_relative }
        } else if is_relative {
            Self::Malformed
        } else {
            Self::Opaque
        }
    }
}

/// `http:`, `urn:`
pub(super) fn has_scheme(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    })
}

impl<'v> Walk<'v> {
    /// Checks one Reference against what the element allows.
    pub(super) fn reference(
        &mut self,
        map: &'v Map<String, Value>,
        types: &'v [TypeRef],
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let declared = map.get("type").and_then(Value::as_str);
        let of_declared =
            declared.map(|name| name.strip_prefix("http://hl7.org/fhir/StructureDefinition/").unwrap_or(name));
        let mut target = None;
        let mut by_name_only = false;
        if let Some(reference) = map.get("reference").and_then(Value::as_str) {
            let validator = self.validator;
            let literal = Literal::of(reference, |name| validator.type_named(name).is_some_and(Compiled::is_resource));
            match literal {
                Literal::Contained => {
                    scope.locals.borrow_mut().point_at(reference);
                    let Some(resource) = scope.resolve(reference) else {
                        self.issue(Severity::Error, IssueType::NotFound, "ref-1", place, || {
                            format!(
                                "the reference {} leads to no contained resource: contain it, or correct the id",
                                shown(reference)
                            )
                        });
                        return;
                    };
                    target = type_of(resource);
                }
                Literal::Resource { type_name, .. } => {
                    let resolved = scope.resolve(reference).and_then(type_of);
                    by_name_only = resolved.is_none() && !self.trust_reference_names;
                    target = resolved.or(Some(type_name));
                }
                Literal::Conditional { type_name } => {
                    by_name_only = !self.trust_reference_names;
                    target = Some(type_name);
                }
                Literal::Opaque => target = scope.resolve(reference).and_then(type_of),
                Literal::Malformed => {
                    let severity = self.malformed(reference, scope);
                    self.issue(severity, IssueType::Value, "reference-format", place, || {
                        format!("the reference '{}' is neither [type]/[id], nor absolute, nor #[id] of a contained resource", shown(reference))
                    });
                    return;
                }
            }
            if let (Some(actual), Some(of_declared)) = (target, of_declared)
                && actual != of_declared
            {
                self.issue(Severity::Error, IssueType::Structure, "reference-type", place, || {
                    format!("the reference says that it is of type {of_declared}, and leads to {actual}: correct one of them")
                });
            }
        }
        if let Some(reference) = map.get("reference").and_then(Value::as_str)
            && scope.resolve(reference).is_none()
            && let Some(bundle) = scope.bundle
        {
            let must = bundle.is_whole() && !reference.starts_with('#');
            if must || reference.starts_with("urn:") {
                let severity = if must && must_be_within(place, scope) { Severity::Error } else { Severity::Warning };
                self.issue(severity, IssueType::NotFound, "bundle-reference", place, || {
                    format!("no entry of the Bundle has the fullUrl that {} leads to", shown(reference))
                });
            }
        }
        if let Some(actual) = target.or(of_declared) {
            // Nothing but a word says of what type it is: the official validator does not take it at that word.
            let by_name_only = by_name_only || (target.is_none() && !self.trust_reference_names);
            let severity = if by_name_only { Severity::Warning } else { Severity::Error };
            self.target_type(actual, types, severity, place);
        }
    }

    /// How grave a relative reference of no known form is. The official validator looks at the form only in a Bundle,
    /// where it must tell which entry is meant; white space makes it no URL anywhere.
    fn malformed(&self, reference: &str, scope: &Scope<'v, '_>) -> Severity {
        let is_url = !reference.chars().any(|character| character.is_whitespace() || character.is_control());
        let is_bare_in_bundle = scope.bundle.is_some() && !reference.contains('/');
        if is_url && !is_bare_in_bundle && !self.trust_reference_names { Severity::Warning } else { Severity::Error }
    }

    fn target_type(&mut self, actual: &str, types: &'v [TypeRef], severity: Severity, place: &Place<'_>) {
        let mut unknown = None;
        let mut any = false;
        for canonical in types.iter().flat_map(|of| &of.target_profiles) {
            any = true;
            match self.type_of_profile(canonical) {
                Some("Resource") => return,
                Some(allowed) if allowed == actual => return,
                Some(_) => {}
                None => unknown = Some(canonical),
            }
        }
        if let Some(canonical) = unknown {
            self.issue(Severity::Warning, IssueType::NotFound, "profile-unknown", place, || {
                format!("whether a {actual} is allowed here could not be checked: there is no definition of {canonical} here")
            });
        } else if any {
            self.issue(severity, IssueType::Structure, "reference-target", place, || {
                let allowed: Vec<&str> = types
                    .iter()
                    .flat_map(|of| &of.target_profiles)
                    .map(|canonical| canonical.rsplit('/').next().unwrap_or(canonical))
                    .collect();
                format!("the reference leads to {actual}, and only {} is allowed here", allowed.join(", "))
            });
        }
    }

    /// The type that a profile is for.
    fn type_of_profile(&self, canonical: &str) -> Option<&'v str> {
        let base = canonical.strip_prefix("http://hl7.org/fhir/StructureDefinition/");
        let slot =
            base.and_then(|name| self.validator.type_slot(name)).or_else(|| self.validator.slot(canonical).ok())?;
        self.validator.compiled(slot).ok().map(|compiled| compiled.structure.type_name.as_str())
    }

    /// Of a reference in a profile: whether it may lead into the resource, into the Bundle or elsewhere, and whether it
    /// names a version. <https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type.aggregation>
    pub(super) fn reference_kind(
        &mut self,
        instance: &Instance<'v>,
        types: &'v [TypeRef],
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let Some(reference) = instance.value.and_then(|value| value.get("reference")).and_then(Value::as_str) else {
            return;
        };
        let types = || types.iter().filter(|of| of.code == "Reference");
        let kind = if reference.starts_with('#') {
            "contained"
        } else if scope.in_bundle(reference).is_some() {
            "bundled"
        } else {
            "referenced"
        };
        if types().next().is_some()
            && types().all(|of| !of.aggregation.is_empty() && !of.aggregation.iter().any(|allowed| allowed == kind))
        {
            self.issue(Severity::Error, IssueType::Structure, "reference-aggregation", place, || {
                let allowed: Vec<&str> = types().flat_map(|of| &of.aggregation).map(String::as_str).collect();
                format!("the reference {} is {kind}, and only {} is allowed", shown(reference), allowed.join(", "))
            });
        }
        if kind == "contained" {
            return;
        }
        let has_version = reference.contains("/_history/");
        let wrong = |of: &TypeRef| match of.versioning.as_deref() {
            Some("specific") => !has_version,
            Some("independent") => has_version,
            _ => false,
        };
        if types().next().is_some() && types().all(wrong) {
            self.issue(Severity::Error, IssueType::Structure, "reference-versioning", place, || {
                let (must, has) = if has_version { ("not name", "names") } else { ("name", "does not name") };
                format!("the reference {} must {must} a version of the resource, and {has} one", shown(reference))
            });
        }
    }

    /// Of a reference in a profile: what it leads to must keep one of the target profiles, where it is at hand.
    pub(super) fn target_profiles(
        &mut self,
        instance: &Instance<'v>,
        compiled: &'v Compiled,
        index: ElementIndex,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let Some(map) = instance.value.and_then(Value::as_object) else { return };
        let types = &compiled.element(index).types;
        self.reference(map, types, place, scope);
        let Some(reference) = map.get("reference").and_then(Value::as_str) else { return };
        let Some(resource) = scope.resolve(reference) else { return };
        let Some(type_name) = type_of(resource) else { return };
        let mut tried = Vec::new();
        for canonical in types.iter().flat_map(|of| &of.target_profiles) {
            let Ok(slot) = self.validator.slot(canonical) else { return };
            let Ok(target) = self.validator.compiled(slot) else { return };
            if !target.structure.is_profile {
                if matches!(target.structure.type_name.as_str(), "Resource") || target.structure.type_name == type_name
                {
                    return;
                }
                continue;
            }
            if target.structure.type_name == type_name {
                tried.push((slot, canonical.as_str()));
            }
        }
        if tried.is_empty() || tried.iter().any(|(slot, _)| self.keeps(*slot, resource, place, scope)) {
            return;
        }
        self.issue(Severity::Error, IssueType::Structure, "reference-target-profile", place, || {
            let names: Vec<&str> = tried.iter().map(|(_, canonical)| *canonical).collect();
            format!(
                "the resource that {} leads to keeps none of the profiles asked for: {}",
                shown(reference),
                names.join(", ")
            )
        });
    }

    /// Whether a resource keeps a profile. One that is being asked about already counts as kept: a circle of references
    /// ends.
    fn keeps(&mut self, slot: Slot, resource: &'v Value, place: &Place<'_>, scope: &Scope<'v, '_>) -> bool {
        let asked = (std::ptr::from_ref(resource) as usize, slot);
        if let Some(kept) = self.kept.get(&asked) {
            return *kept;
        }
        self.kept.insert(asked, true);
        let Ok(compiled) = self.validator.compiled(slot) else { return true };
        let instance = Instance::resource(self.validator, resource);
        let locals = RefCell::new(resource.as_object().map(Locals::new).unwrap_or_default());
        // What stands in the same container shares its contained resources; another entry has its own.
        let is_local = std::ptr::eq(resource, scope.root) || scope.contains(resource);
        let inner = if is_local {
            Scope { resource, ..*scope }
        } else {
            Scope { resource, root: resource, locals: &locals, ..*scope }
        };
        let kept = self.probe(|walk| walk.conform(&instance, compiled, 0, place, &inner));
        self.kept.insert(asked, kept);
        kept
    }
}

pub(super) fn type_of(resource: &Value) -> Option<&str> {
    resource.get("resourceType").and_then(Value::as_str)
}
