//! Bundles for answers, put together from stored bytes: no resource is parsed or written again.
//!
//! <https://hl7.org/fhir/R4/bundle.html>

use crate::{
    api::parameters::{self, Parameter},
    store::StoredResource,
};
use bytes::Bytes;
use serde_json::{Value, json};

/// The kinds of Bundle that answers are. <https://hl7.org/fhir/R4/valueset-bundle-type.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleType {
    Searchset,
    History,
}

impl BundleType {
    fn code(self) -> &'static str {
        match self {
            Self::Searchset => "searchset",
            Self::History => "history",
        }
    }
}

/// Each entry has an identity, also the one that is about the search: there is one at most.
const TOLD: &str = "urn:uuid:6f0c9d0e-5c0f-4f6e-9a77-0a1d7f2b3c4d";

/// A Bundle in the making; `finish` gives its JSON.
pub struct Bundle {
    head: Value,
    entries: Vec<u8>,
}

impl Bundle {
    pub fn new(kind: BundleType, total: Option<u64>) -> Self {
        let mut head = json!({ "resourceType": "Bundle", "type": kind.code() });
        if let Some(total) = total {
            head["total"] = total.into();
        }
        head["link"] = json!([]);
        Self { head, entries: Vec::new() }
    }

    /// A paging link: `self` or `next`.
    pub fn link(&mut self, relation: &str, url: &str, query: &[Parameter]) {
        let query = parameters::encode(query);
        let separator = if query.is_empty() { "" } else { "?" };
        if let Value::Array(links) = &mut self.head["link"] {
            links.push(json!({ "relation": relation, "url": format!("{url}{separator}{query}") }));
        }
    }

    /// An entry with a stored resource; `rest` holds the members that come after it.
    pub fn resource(&mut self, fhir_base: &str, stored: &StoredResource, rest: &Value) {
        let url = Value::String(format!("{fhir_base}/{}/{}", stored.resource_type, stored.id));
        self.separate();
        self.entries.extend_from_slice(b"{\"fullUrl\":");
        self.entries.extend_from_slice(url.to_string().as_bytes());
        self.entries.extend_from_slice(b",\"resource\":");
        self.entries.extend_from_slice(&stored.body);
        self.close_with(rest);
    }

    /// An entry of a history: one that says that the resource was deleted has none.
    pub fn version(&mut self, fhir_base: &str, version: &StoredResource, rest: &Value) {
        if !version.is_deletion() {
            return self.resource(fhir_base, version, rest);
        }
        let url = Value::String(format!("{fhir_base}/{}/{}", version.resource_type, version.id));
        self.separate();
        self.entries.extend_from_slice(b"{\"fullUrl\":");
        self.entries.extend_from_slice(url.to_string().as_bytes());
        self.close_with(rest);
    }

    /// An entry that tells the client about its search: an OperationOutcome.
    pub fn outcome(&mut self, outcome: &Value) {
        self.separate();
        self.entries.extend_from_slice(format!("{{\"fullUrl\":\"{TOLD}\",\"resource\":").as_bytes());
        self.entries.extend_from_slice(outcome.to_string().as_bytes());
        self.close_with(&json!({ "search": { "mode": "outcome" } }));
    }

    pub fn finish(self) -> Bytes {
        let mut bundle = self.head.to_string().into_bytes();
        // FHIR JSON has no empty arrays.
        if !self.entries.is_empty() {
            bundle.pop();
            bundle.extend_from_slice(b",\"entry\":[");
            bundle.extend_from_slice(&self.entries);
            bundle.extend_from_slice(b"]}");
        }
        bundle.into()
    }

    fn separate(&mut self) {
        if !self.entries.is_empty() {
            self.entries.push(b',');
        }
    }

    /// Ends the entry with the members of the object `rest`.
    fn close_with(&mut self, rest: &Value) {
        let rest = rest.to_string();
        self.entries.push(b',');
        self.entries.extend_from_slice(rest.trim_start_matches('{').as_bytes());
    }
}
