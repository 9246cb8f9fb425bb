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

/// Members of an entry that come after its resource, ready to be written behind it.
pub struct Rest(String);

impl Rest {
    /// The members of an object.
    pub fn of(members: &Value) -> Self {
        Self(members.to_string().trim_start_matches('{').to_owned())
    }
}

/// A Bundle in the making; `finish` gives its JSON.
pub struct Bundle {
    /// Without its end: the list of links is open.
    head: Vec<u8>,
    has_link: bool,
    entries: Vec<u8>,
    /// The full URL of an entry; kept, so that its memory is.
    url: String,
}

impl Bundle {
    pub fn new(kind: BundleType, total: Option<u64>) -> Self {
        let total = total.map(|total| format!("\"total\":{total},")).unwrap_or_default();
        let head = format!("{{\"resourceType\":\"Bundle\",\"type\":\"{}\",{total}\"link\":[", kind.code());
        Self { head: head.into_bytes(), has_link: false, entries: Vec::new(), url: String::new() }
    }

    /// A paging link: `self` or `next`. A Bundle of this kind has at least one.
    pub fn link(&mut self, relation: &'static str, url: &str, query: &[Parameter]) {
        let query = parameters::encode(query);
        let separator = if query.is_empty() { "" } else { "?" };
        if self.has_link {
            self.head.push(b',');
        }
        self.has_link = true;
        self.head.extend_from_slice(format!("{{\"relation\":\"{relation}\",\"url\":").as_bytes());
        write_text(&mut self.head, &format!("{url}{separator}{query}"));
        self.head.push(b'}');
    }

    /// Makes room for entries with these resources, so that what is written is not moved again and again.
    pub fn expect<'r>(&mut self, resources: impl Iterator<Item = &'r StoredResource>) {
        /// What an entry has beside its resource, about.
        const AROUND: usize = 200;
        self.entries.reserve(resources.map(|resource| resource.body.len() + AROUND).sum());
    }

    /// An entry with a stored resource.
    pub fn resource(&mut self, fhir_base: &str, stored: &StoredResource, rest: &Rest) {
        self.begin(fhir_base, stored);
        self.entries.extend_from_slice(b",\"resource\":");
        self.entries.extend_from_slice(&stored.body);
        self.close_with(rest);
    }

    /// An entry of a history: one that says that the resource was deleted has none.
    pub fn version(&mut self, fhir_base: &str, version: &StoredResource, rest: &Rest) {
        if !version.is_deletion() {
            return self.resource(fhir_base, version, rest);
        }
        self.begin(fhir_base, version);
        self.close_with(rest);
    }

    /// An entry that tells the client about its search: an OperationOutcome.
    pub fn outcome(&mut self, outcome: &Value) {
        self.separate();
        self.entries.extend_from_slice(format!("{{\"fullUrl\":\"{TOLD}\",\"resource\":").as_bytes());
        self.entries.extend_from_slice(outcome.to_string().as_bytes());
        self.close_with(&Rest::of(&json!({ "search": { "mode": "outcome" } })));
    }

    pub fn finish(self) -> Bytes {
        let mut bundle = self.head;
        bundle.reserve_exact(self.entries.len() + b"],\"entry\":[]}".len());
        bundle.push(b']');
        // FHIR JSON has no empty arrays.
        if !self.entries.is_empty() {
            bundle.extend_from_slice(b",\"entry\":[");
            bundle.extend_from_slice(&self.entries);
            bundle.push(b']');
        }
        bundle.push(b'}');
        bundle.into()
    }

    fn begin(&mut self, fhir_base: &str, stored: &StoredResource) {
        self.separate();
        self.url.clear();
        for part in [fhir_base, "/", &stored.resource_type, "/", &stored.id] {
            self.url.push_str(part);
        }
        self.entries.extend_from_slice(b"{\"fullUrl\":");
        write_text(&mut self.entries, &self.url);
    }

    fn separate(&mut self) {
        if !self.entries.is_empty() {
            self.entries.push(b',');
        }
    }

    fn close_with(&mut self, Rest(members): &Rest) {
        self.entries.push(b',');
        self.entries.extend_from_slice(members.as_bytes());
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}
