//! The fhir room: contained resources, dom-2 to dom-5 and ref-1,
//! <https://hl7.org/fhir/R4/references.html#contained>.

use super::place::Place;
use super::primitive::shown;
use super::walk::Walk;
use crate::fhir::outcome::{IssueType, Severity};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// The contained resources of one resource, and what points at them.
#[derive(Debug, Default)]
pub(super) struct Locals<'v> {
    by_id: HashMap<&'v str, &'v Value>,
    pointed_at: HashSet<&'v str>,
    /// Ids of contained resources that point back at their container.
    pointing_back: HashSet<&'v str>,
    /// Id of the contained resource that is being walked.
    current: Option<&'v str>,
}

impl<'v> Locals<'v> {
    pub(super) fn new(resource: &'v Map<String, Value>) -> Self {
        let contained = resource.get("contained").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let by_id = contained
            .iter()
            .filter_map(|inner| inner.get("id").and_then(Value::as_str).map(|id| (id, inner)))
            .collect();
        Self { by_id, ..Self::default() }
    }

    pub(super) fn contained(&self, id: &str) -> Option<&'v Value> {
        self.by_id.get(id).copied()
    }

    pub(super) fn enter(&mut self, id: Option<&'v str>) {
        self.current = id;
    }

    /// Notes a `#id`, wherever a Reference, uri, url or canonical has one.
    pub(super) fn point_at(&mut self, reference: &'v str) {
        match reference.strip_prefix('#') {
            None => {}
            Some("") => self.pointing_back.extend(self.current),
            Some(id) => {
                self.pointed_at.insert(id);
            }
        }
    }

    fn is_linked(&self, id: &str) -> bool {
        self.pointed_at.contains(id) || self.pointing_back.contains(id)
    }
}

impl<'v> Walk<'v> {
    /// After the walk over a resource: what it contains must be linked with it, and carry no identity of its own.
    pub(super) fn contained(&mut self, resource: &'v Map<String, Value>, locals: &Locals<'v>, place: &Place<'_>) {
        let Some(contained) = resource.get("contained").and_then(Value::as_array) else { return };
        let mut ids = HashSet::new();
        for (index, inner) in contained.iter().enumerate() {
            let known = |name: &&str| self.validator.type_named(name).is_some();
            let Some(type_name) = super::reference::type_of(inner).filter(known) else { continue };
            let at = Place::child(place, "contained", Some(index), None, "", "Resource").with_type(type_name);
            match inner.get("id").and_then(Value::as_str) {
                None => self.issue(Severity::Error, IssueType::Required, "contained-id", &at, || {
                    "a contained resource needs an id, so that it can be referred to".into()
                }),
                Some(id) if !ids.insert(id) => {
                    self.issue(Severity::Error, IssueType::Value, "contained-id", &at, || {
                        format!("more than one contained resource has the id {}: give each its own", shown(id))
                    })
                }
                Some(id) if locals.is_linked(id) => {}
                Some(id) => self.issue(Severity::Error, IssueType::Invariant, "dom-3", &at, || {
                    format!("nothing refers to the contained resource #{id}: refer to it, or leave it out")
                }),
            }
            if inner.get("contained").is_some() {
                self.issue(Severity::Error, IssueType::Invariant, "dom-2", &at, || {
                    "a contained resource contains no others: move them to the outer resource".into()
                });
            }
            let meta = inner.get("meta");
            let has = |key: &str| meta.and_then(|meta| meta.get(key)).is_some();
            if has("versionId") || has("lastUpdated") {
                self.issue(Severity::Error, IssueType::Invariant, "dom-4", &at, || {
                    "a contained resource has no meta.versionId and no meta.lastUpdated".into()
                });
            }
            if has("security") {
                self.issue(Severity::Error, IssueType::Invariant, "dom-5", &at, || {
                    "a contained resource has no security labels of its own: label the outer resource".into()
                });
            }
        }
    }
}
