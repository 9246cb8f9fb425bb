//! The consent room: a row as a policy sees it.

use crate::store::StoredResource;
use serde_json::Value;
use std::collections::BTreeSet;

/// One version of one resource that would leave. What a policy needs of it is read when it asks.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub resource_type: &'a str,
    pub id: &'a str,
    /// JSON, as it would be sent.
    pub body: &'a [u8],
}

impl<'a> Row<'a> {
    pub(super) fn of(resource: &'a StoredResource) -> Self {
        Self { resource_type: &resource.resource_type, id: &resource.id, body: &resource.body }
    }

    /// Ids of all patients whom it names in any reference, extensions and contained resources too; a Patient names itself.
    /// Wider than R4's compartment, in which neither a Task for the patient nor most of Provenance is.
    pub fn patients(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        if self.resource_type == "Patient" {
            found.insert(self.id.to_owned());
        }
        if let Some(resource) = self.json() {
            named(&resource, &mut found);
        }
        found
    }

    /// The resource; `None` where it cannot be read.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body).ok()
    }
}

/// As deep as the reader of JSON lets content be.
fn named(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| named(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str().filter(|_| name == "reference") {
                    Some(reference) => found.extend(patient(reference)),
                    None => named(member, found),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `Patient/x`, with or without a base and a version.
fn patient(reference: &str) -> Option<String> {
    let (before, rest) = match reference.strip_prefix("Patient/") {
        Some(rest) => ("", rest),
        None => reference.rsplit_once("/Patient/")?,
    };
    let id = rest.split(['/', '?', '#']).next().filter(|id| !id.is_empty() && !before.contains('#'))?;
    Some(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_are_named_by_any_reference() {
        let body = r#"{"resourceType":"Task","for":{"reference":"Patient/a"},"extension":[{"valueReference":
            {"reference":"https://x.example/fhir/Patient/b/_history/2"}}],"contained":[{"subject":{"reference":"Patient/c"}}],
            "owner":{"reference":"Practitioner/d"},"note":[{"text":"Patient/e"}],"focus":{"reference":"Patient/"}}"#;
        let row = Row { resource_type: "Task", id: "t", body: body.as_bytes() };
        assert_eq!(row.patients().into_iter().collect::<String>(), "abc");
        let own = Row { resource_type: "Patient", id: "p", body: b"{}" };
        assert_eq!(own.patients().into_iter().collect::<String>(), "p");
    }
}
