//! The fhir room: documents and messages, which must hold what they speak of,
//! <https://hl7.org/fhir/R4/documents.html#content>, <https://hl7.org/fhir/R4/messaging.html>.

use super::bundle::{BundleIndex, entries};
use super::place::Place;
use super::reference::{Scope, has_scheme};
use super::walk::Walk;
use crate::fhir::outcome::{IssueType, Severity};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What the first entry of a document or a message refers to must be in it.
const WITHIN: &[&str] = &[
    "Composition.subject",
    "Composition.encounter",
    "Composition.author",
    "Composition.attester.party",
    "Composition.custodian",
    "Composition.event.detail",
    "Composition.section.entry",
    "MessageHeader.focus",
];

/// Whether what a reference of this element leads to must be an entry: it stands in the first resource of the Bundle.
pub(super) fn must_be_within(place: &Place<'_>, scope: &Scope<'_, '_>) -> bool {
    let is_first = |bundle: &BundleIndex<'_>| bundle.first().is_some_and(|first| std::ptr::eq(first, scope.resource));
    WITHIN.contains(&place.definition_path) && scope.bundle.is_some_and(is_first)
}

impl<'v> Walk<'v> {
    /// Entries of a document that no way of references leads to from the Composition, forwards or backwards: a reader
    /// never comes to them.
    pub(super) fn unlinked_entries(
        &mut self,
        bundle: &'v Map<String, Value>,
        index: &BundleIndex<'v>,
        place: &Place<'_>,
    ) {
        let resources: Vec<Option<&'v Value>> = entries(bundle).map(|entry| entry.get("resource")).collect();
        let number_of: HashMap<usize, usize> =
            resources.iter().enumerate().filter_map(|(number, of)| of.map(|of| (address(of), number))).collect();
        let mut groups = Groups((0..resources.len()).collect());
        for (number, entry) in entries(bundle).enumerate() {
            let full_url = entry.get("fullUrl").and_then(Value::as_str);
            let mut todo: Vec<(&str, &'v Value)> = entry.get("resource").map(|of| ("", of)).into_iter().collect();
            while let Some((key, value)) = todo.pop() {
                match value {
                    Value::Object(members) => todo.extend(members.iter().map(|(key, value)| (key.as_str(), value))),
                    Value::Array(items) => todo.extend(items.iter().map(|item| (key, item))),
                    Value::String(text) if key == "reference" || has_scheme(text) => {
                        let led_to = index.resolve(text, full_url).and_then(|found| number_of.get(&address(found)));
                        if let Some(other) = led_to {
                            groups.join(number, *other);
                        }
                    }
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                }
            }
        }
        for (number, resource) in resources.iter().enumerate() {
            if resource.is_some() && groups.of(number) != groups.of(0) {
                let at = Place::child(place, "entry", Some(number), None, "Bundle.entry", "BackboneElement");
                self.issue(Severity::Error, IssueType::Structure, "bundle-unlinked", &at, || {
                    "no reference leads to this entry from the Composition, nor from it to there: refer to it, or leave it out".into()
                });
            }
        }
    }
}

fn address(resource: &Value) -> usize {
    std::ptr::from_ref(resource) as usize
}

/// Which entries hang together: each names another of its group, the last one itself.
struct Groups(Vec<usize>);

impl Groups {
    fn of(&mut self, mut number: usize) -> usize {
        while let Some(&next) = self.0.get(number) {
            if next == number {
                break;
            }
            // Halves the way for the next one who goes it.
            let after = self.0.get(next).copied().unwrap_or(next);
            if let Some(here) = self.0.get_mut(number) {
                *here = after;
            }
            number = after;
        }
        number
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.of(one), self.of(other));
        if let Some(here) = self.0.get_mut(one.max(other)) {
            *here = one.min(other);
        }
    }
}
