//! The fhir room: what a Bundle asks of its entries, <https://hl7.org/fhir/R4/bundle.html>.

use super::place::Place;
use super::primitive::shown;
use super::reference::{Literal, has_scheme, type_of};
use super::walk::Walk;
use crate::fhir::outcome::{IssueType, Severity};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// The entries of a Bundle by what references call them.
#[derive(Debug, Default)]
pub(super) struct BundleIndex<'v> {
    by_full_url: HashMap<&'v str, &'v Value>,
    kind: &'v str,
    first: Option<&'v Value>,
}

impl<'v> BundleIndex<'v> {
    pub(super) fn new(bundle: &'v Map<String, Value>) -> Self {
        let kind = bundle.get("type").and_then(Value::as_str).unwrap_or_default();
        let mut by_full_url = HashMap::new();
        for entry in entries(bundle) {
            if let (Some(url), Some(resource)) = (entry.get("fullUrl").and_then(Value::as_str), entry.get("resource")) {
                by_full_url.entry(url).or_insert(resource);
            }
        }
        let first = entries(bundle).next().and_then(|entry| entry.get("resource"));
        Self { by_full_url, kind, first }
    }

    /// By `fullUrl`; a relative reference takes the base of the `fullUrl` of the entry in which it stands.
    /// <https://hl7.org/fhir/R4/bundle.html#references>
    pub(super) fn resolve(&self, reference: &str, full_url: Option<&str>) -> Option<&'v Value> {
        let reference = reference.split_once("/_history/").map_or(reference, |(current, _)| current);
        if has_scheme(reference) {
            let without_fragment = reference.split('#').next().unwrap_or(reference);
            return self.by_full_url.get(without_fragment).copied();
        }
        let base = base_of(full_url?)?;
        let mut absolute = String::with_capacity(base.len() + reference.len());
        absolute.push_str(base);
        absolute.push_str(reference);
        self.by_full_url.get(absolute.as_str()).copied()
    }

    /// The resource of the first entry: in a document the Composition.
    pub(super) fn first(&self) -> Option<&'v Value> {
        self.first
    }

    /// Of these Bundles the receiver has no other way to what an entry refers to.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.kind, "document" | "message")
    }
}

/// `http://example.org/fhir/` of `http://example.org/fhir/Patient/1`.
fn base_of(full_url: &str) -> Option<&str> {
    if !full_url.starts_with("http:") && !full_url.starts_with("https:") {
        return None;
    }
    let (before_id, _) = full_url.rsplit_once('/')?;
    let (base, _) = before_id.rsplit_once('/')?;
    full_url.get(..=base.len())
}

pub(super) fn entries(bundle: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    bundle.get("entry").and_then(Value::as_array).into_iter().flatten()
}

impl<'v> Walk<'v> {
    /// The rules that concern all entries together; those of R4 that are FHIRPath run as such.
    pub(super) fn bundle(&mut self, bundle: &'v Map<String, Value>, index: &BundleIndex<'v>, place: &Place<'_>) {
        let kind = index.kind;
        if kind == "document" {
            self.unlinked_entries(bundle, index, place);
        }
        let mut met: HashSet<(&str, &str)> = HashSet::new();
        for (index, entry) in entries(bundle).enumerate() {
            let at = Place::child(place, "entry", Some(index), None, "Bundle.entry", "BackboneElement");
            let resource = entry.get("resource");
            let Some(url) = entry.get("fullUrl").and_then(Value::as_str) else {
                let optional = matches!(kind, "transaction" | "transaction-response" | "batch" | "batch-response");
                if !optional && !kind.is_empty() {
                    self.issue(Severity::Error, IssueType::Required, "bundle-fullurl", &at, || {
                        format!("an entry of a {kind} Bundle needs a fullUrl")
                    });
                }
                continue;
            };
            let version = resource
                .and_then(|resource| resource.get("meta")?.get("versionId"))
                .and_then(Value::as_str)
                .unwrap_or_default();
            if kind != "history" && !met.insert((url, version)) {
                self.issue(Severity::Error, IssueType::Invariant, "bdl-7", &at, || {
                    format!("the fullUrl {} stands in more than one entry: a Bundle has each resource once", shown(url))
                });
            }
            if !has_scheme(url) {
                self.issue(Severity::Error, IssueType::Value, "bundle-fullurl", &at, || {
                    format!("the fullUrl '{}' is not absolute: use the whole URL, or urn:uuid: and a UUID", shown(url))
                });
            } else if let Some(resource) = resource {
                self.full_url_names_its_resource(url, resource, &at);
            }
        }
    }

    fn full_url_names_its_resource(&mut self, url: &str, resource: &'v Value, place: &Place<'_>) {
        let Some(type_name) = type_of(resource) else { return };
        let validator = self.validator;
        let literal =
            Literal::of(url, |name| validator.type_named(name).is_some_and(super::compile::Compiled::is_resource));
        let id = resource.get("id").and_then(Value::as_str);
        if let Literal::Resource { is_relative: false, .. } = literal
            && (url.starts_with("http:") || url.starts_with("https:"))
        {
            let names_it = id.is_some_and(|id| {
                url.strip_suffix(id)
                    .and_then(|rest| rest.strip_suffix('/'))
                    .is_some_and(|rest| rest.strip_suffix(type_name).is_some_and(|rest| rest.ends_with('/')))
            });
            if !names_it {
                self.issue(Severity::Error, IssueType::Value, "bundle-fullurl", place, || {
                    format!(
                        "the fullUrl {} does not end in {type_name}/{}: it must name the resource of its entry",
                        shown(url),
                        id.unwrap_or("[id]")
                    )
                });
            }
        }
    }
}
