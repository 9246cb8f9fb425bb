//! A Composition with all that it refers to, as a document. <https://hl7.org/fhir/R4/documents.html>

use super::view::{View, instant};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet, VecDeque};
use uuid::Uuid;

/// More resources than these make no document: somebody has to read it.
pub const MOST_ENTRIES: usize = 20_000;

/// Types that are in nobody's compartment and may stand in anybody's document.
const PUBLIC: [&str; 6] = ["Practitioner", "PractitionerRole", "Organization", "Location", "Medication", "Device"];

/// Resources by their reference, `Type/id`; `None`: looked for, and not there or not to be shown.
pub type Pool = HashMap<String, Option<Value>>;

/// What never stands in a document: psychotherapy notes, what was entered in error, what the patient restricted.
pub fn is_hidden(resource: &Value) -> bool {
    let view = View(resource);
    view.is_psychotherapy_note() || view.is_in_error() || view.labels().any(|code| code == "PRS")
}

/// Every `Type/id` that a resource refers to.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(target) = View(value).target("reference") {
                found.push(target);
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| references(element, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What can be reached from a Composition.
#[derive(Debug, Default)]
pub struct Reach {
    /// In the order in which they are met.
    pub included: Vec<String>,
    /// To be looked for: of public types, and not in the pool yet.
    pub wanted: Vec<String>,
}

/// Follows references from the Composition through the pool, each resource once.
pub fn reach(composition: &Value, pool: &Pool) -> Reach {
    let mut reach = Reach::default();
    let mut seen = HashSet::new();
    let mut queue = VecDeque::from([composition]);
    while let Some(resource) = queue.pop_front() {
        let mut targets = Vec::new();
        references(resource, &mut targets);
        for target in targets {
            if !seen.insert(target.clone()) || reach.included.len() >= MOST_ENTRIES {
                continue;
            }
            match pool.get(&target) {
                Some(Some(found)) => {
                    reach.included.push(target);
                    queue.push_back(found);
                }
                Some(None) => {}
                None => {
                    let kind = target.split('/').next().unwrap_or_default();
                    if PUBLIC.contains(&kind) {
                        reach.wanted.push(target);
                    }
                }
            }
        }
    }
    reach
}

/// When the newest of these versions was written.
pub fn newest<'a>(resources: impl Iterator<Item = View<'a>>) -> Option<String> {
    let times = resources.filter_map(|resource| resource.text("meta.lastUpdated"));
    times.max_by_key(|time| instant(time)).map(str::to_owned)
}

/// Takes away references to what is not shown: nothing dangles, and nothing tells that it is there.
fn without_hidden(value: &mut Value, pool: &Pool) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(|member| without_hidden(member, pool));
            members.retain(|_, member| !is_hidden_reference(member, pool) && !is_empty(member));
        }
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| without_hidden(element, pool));
            elements.retain(|element| !is_hidden_reference(element, pool) && !is_empty(element));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_hidden_reference(value: &Value, pool: &Pool) -> bool {
    let target = value.is_object().then(|| View(value).target("reference")).flatten();
    target.is_some_and(|target| pool.get(&target).is_some_and(Option::is_none))
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

/// The Bundle. `base` is the server's address with `/fhir`. Its time is that of the newest version in it, and its
/// identifier comes from its content: as long as nothing changes, it is the same document.
pub fn document(composition: Value, pool: &Pool, base: &str) -> Value {
    let included = reach(&composition, pool).included;
    let security = composition.pointer("/meta/security").cloned();
    let parts = included.iter().filter_map(|name| pool.get(name)?.as_ref()).chain([&composition]);
    let timestamp = newest(parts.map(View)).or_else(|| composition["date"].as_str().map(str::to_owned));
    let entry = |resource: Value| {
        let reference = View(&resource).reference();
        json!({ "fullUrl": format!("{base}/{reference}"), "resource": resource })
    };
    let mut entries = Vec::with_capacity(included.len() + 1);
    for mut resource in std::iter::once(composition).chain(included.iter().filter_map(|name| pool.get(name)?.clone())) {
        without_hidden(&mut resource, pool);
        entries.push(entry(resource));
    }
    let mut bundle = Map::new();
    bundle.insert("resourceType".into(), "Bundle".into());
    if let Some(security) = security {
        bundle.insert("meta".into(), json!({ "security": security }));
    }
    let content = Value::Array(entries);
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{base}\n{content}").as_bytes());
    bundle.insert("identifier".into(), json!({ "system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{id}") }));
    bundle.insert("type".into(), "document".into());
    bundle.insert("timestamp".into(), timestamp.into());
    bundle.insert("entry".into(), content);
    Value::Object(bundle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(resources: Vec<Value>) -> Pool {
        let hide = |resource: Value| (!is_hidden(&resource)).then_some(resource);
        resources.into_iter().map(|resource| (View(&resource).reference(), hide(resource))).collect()
    }

    #[test]
    fn a_document_holds_what_is_reached_and_nothing_that_is_hidden() {
        let note = json!({
            "resourceType": "DocumentReference", "id": "note", "meta": { "security": [{ "code": "PSYTHPN" }] },
        });
        let contact = json!({ "resourceType": "Encounter", "id": "e", "diagnosis": [{ "condition": { "reference": "Condition/c" } }] });
        let score = json!({
            "resourceType": "Observation", "id": "o", "encounter": { "reference": "Encounter/e" },
            "derivedFrom": [{ "reference": "DocumentReference/note" }], "performer": [{ "reference": "Practitioner/p" }],
        });
        let other = json!({ "resourceType": "Observation", "id": "unreached" });
        let composition = json!({
            "resourceType": "Composition", "id": "x", "section": [{ "entry": [
                { "reference": "Observation/o" }, { "reference": "DocumentReference/note" },
            ] }],
        });
        let pool = pool(vec![note, contact, score, other]);
        let reach = reach(&composition, &pool);
        assert_eq!(reach.included, ["Observation/o", "Encounter/e"]);
        assert_eq!(reach.wanted, ["Practitioner/p"]);
        let bundle = document(composition, &pool, "http://x/fhir").to_string();
        assert!(!bundle.contains("DocumentReference/note") && !bundle.contains("unreached"), "{bundle}");
        assert!(!bundle.contains("derivedFrom"), "an empty list is no FHIR: {bundle}");
    }

    #[test]
    fn resources_that_point_at_each_other_are_taken_once() {
        let one = json!({ "resourceType": "Observation", "id": "1", "hasMember": [{ "reference": "Observation/2" }] });
        let two = json!({ "resourceType": "Observation", "id": "2", "hasMember": [{ "reference": "http://x/fhir/Observation/1/_history/3" }] });
        let composition =
            json!({ "resourceType": "Composition", "id": "x", "subject": { "reference": "Observation/1" } });
        assert_eq!(reach(&composition, &pool(vec![one, two])).included, ["Observation/1", "Observation/2"]);
    }
}
