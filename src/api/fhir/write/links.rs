//! References between the entries of a transaction, and references by search.
//! <https://hl7.org/fhir/R4/http.html#trules>, <https://hl7.org/fhir/R4/http.html#transaction>

use super::{Failure, Intent, Verb, content, matching::Matching, plan::Step};
use crate::{
    api::{Api, error::ApiError, fhir::acceptance, parameters, session::Session},
    consent::Found,
    store::transaction::Condition,
};
use serde_json::Value;
use std::{borrow::Cow, collections::HashMap};

/// What a transaction's entries are called in it, and what they mean by search.
#[derive(Default)]
pub struct Links {
    /// `fullUrl` of each intent.
    full_urls: Vec<Option<String>>,
    /// References such as `Patient?identifier=…`, each once.
    searched: Vec<Searched>,
}

struct Searched {
    reference: String,
    resource_type: String,
    matching: Matching,
    /// Where it stands first.
    place: usize,
}

/// Texts and what they are replaced by.
pub type Replacements = HashMap<String, String>;

impl Links {
    /// Of the intents of a transaction, each with its `fullUrl`.
    pub fn of(api: &Api, intents: &[Intent], full_urls: Vec<Option<String>>) -> Result<Self, Vec<Failure>> {
        let mut searched: Vec<Searched> = Vec::new();
        let mut failures = Vec::new();
        for (place, intent) in intents.iter().enumerate() {
            let Some(resource) = carried(intent) else { continue };
            for_each_reference(resource, &mut |reference| {
                let Some((resource_type, query)) = reference.split_once('?') else { return };
                if !acceptance::is_resource_type(resource_type) || searched.iter().any(|s| s.reference == reference) {
                    return;
                }
                let parsed = parameters::decode(query).and_then(|sent| Matching::parse(api, resource_type, &sent));
                match parsed {
                    Ok(matching) => searched.push(Searched {
                        reference: reference.to_owned(),
                        resource_type: resource_type.to_owned(),
                        matching,
                        place,
                    }),
                    Err(error) => failures.push(Failure { place, error }),
                }
            });
        }
        if failures.is_empty() { Ok(Self { full_urls, searched }) } else { Err(failures) }
    }

    /// No Bundle: references are kept as they came.
    pub fn is_none(&self) -> bool {
        self.full_urls.is_empty()
    }

    /// Looks up what is meant by search.
    pub async fn find(&self, api: &Session, conditions: &mut Vec<Condition>) -> Result<Replacements, Vec<Failure>> {
        let mut found = Replacements::new();
        let mut failures = Vec::new();
        for searched in &self.searched {
            let error = match searched.matching.find(api).await {
                Ok(Found::One(resource, condition)) => {
                    conditions.push(condition);
                    found.insert(searched.reference.clone(), format!("{}/{}", searched.resource_type, resource.id));
                    continue;
                }
                Ok(Found::Nothing(_)) => ApiError::NoTarget,
                Ok(Found::Many) => ApiError::MultipleMatches,
                Err(error) => error,
            };
            failures.push(Failure { place: searched.place, error });
        }
        if failures.is_empty() { Ok(found) } else { Err(failures) }
    }

    /// What each entry is called outside of the Bundle.
    pub fn name(&self, intents: &[Intent], steps: &[Step], replacements: &mut Replacements) {
        for ((intent, step), full_url) in intents.iter().zip(steps).zip(&self.full_urls) {
            let (Some(full_url), Some(id)) = (full_url, step.id()) else { continue };
            let name = format!("{}/{id}", intent.resource_type);
            // References in the Bundle may also leave out the base of a full url that is an address.
            let parts: Vec<&str> = full_url.rsplitn(3, '/').collect();
            if let [old_id, resource_type, _base] = parts[..]
                && resource_type == intent.resource_type
            {
                replacements.insert(format!("{resource_type}/{old_id}"), name.clone());
            }
            replacements.insert(full_url.clone(), name);
        }
    }
}

/// The resource that an intent carries.
fn carried(intent: &Intent) -> Option<&Value> {
    match &intent.verb {
        Verb::Create { resource, .. } | Verb::Update { resource, .. } => Some(resource),
        Verb::Delete { .. } | Verb::Patch { .. } => None,
    }
}

/// As deep as the reader of the body lets content be.
fn for_each_reference<'v>(value: &'v Value, take: &mut impl FnMut(&'v str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| for_each_reference(item, take)),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str().filter(|_| name == "reference") {
                    Some(reference) => take(reference),
                    None => for_each_reference(member, take),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Does it refer to one of these?
pub fn refers_to(resource: &Value, full_urls: &[String]) -> bool {
    let mut refers = false;
    for_each_reference(resource, &mut |reference| refers |= full_urls.iter().any(|url| url == reference));
    refers
}

/// References that name this server by its whole address become relative, as all others to what is here: so searches,
/// compartments, chains and includes meet them, and they outlive a change of the address. The entries of a Bundle refer to
/// each other by their addresses, and stay. <https://hl7.org/fhir/R4/references.html#literal>
pub fn without_base<'v>(resource: &'v Value, fhir_base: &str) -> Cow<'v, Value> {
    let mut found = false;
    for_each_reference(resource, &mut |reference| found |= local(reference, fhir_base).is_some());
    if !found || resource["resourceType"] == "Bundle" {
        return Cow::Borrowed(resource);
    }
    let mut relative = resource.clone();
    make_relative(&mut relative, fhir_base);
    Cow::Owned(relative)
}

fn make_relative(value: &mut Value, fhir_base: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| make_relative(item, fhir_base)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member.as_str().filter(|_| name == "reference").and_then(|text| local(text, fhir_base)) {
                    Some(text) => *member = text.to_owned().into(),
                    None => make_relative(member, fhir_base),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What of a reference stands behind our own base, if it is a resource or a version of one.
fn local<'r>(reference: &'r str, fhir_base: &str) -> Option<&'r str> {
    let rest = reference.strip_prefix(fhir_base)?.strip_prefix('/')?;
    let (resource_type, id) = match rest.split('/').collect::<Vec<_>>()[..] {
        [resource_type, id] => (resource_type, id),
        [resource_type, id, "_history", version] if content::is_id(version) => (resource_type, id),
        _ => return None,
    };
    (acceptance::is_resource_type(resource_type) && content::is_id(id)).then_some(rest)
}

/// Members whose text is an address, and not only looks like one.
const ADDRESSES: [&str; 7] = ["reference", "url", "valueUri", "valueUrl", "valueCanonical", "valueOid", "valueUuid"];

/// Replaces references and addresses, those in narratives too. What refers to an entry and to none that is there is an
/// error: the Bundle would not say the same when it is stored.
pub fn replace(resource: &Value, replacements: &Replacements) -> Result<Value, ApiError> {
    let mut replaced = resource.clone();
    walk(&mut replaced, replacements)?;
    Ok(replaced)
}

fn walk(value: &mut Value, replacements: &Replacements) -> Result<(), ApiError> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, replacements)),
        Value::Object(members) => members.iter_mut().try_for_each(|(name, member)| match member {
            Value::String(text) if ADDRESSES.contains(&name.as_str()) => {
                match replacements.get(text.as_str()) {
                    Some(replacement) => *text = replacement.clone(),
                    None if name == "reference" && (text.starts_with("urn:uuid:") || text.starts_with("urn:oid:")) => {
                        return Err(ApiError::NoEntry);
                    }
                    None => {}
                }
                Ok(())
            }
            Value::String(text) if name == "div" => {
                for (old, new) in replacements.iter().filter(|(old, _)| old.contains(':')) {
                    if text.contains(old.as_str()) {
                        *text = text.replace(&format!("\"{old}\""), &format!("\"{new}\""));
                    }
                }
                Ok(())
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
            Value::Array(_) | Value::Object(_) => walk(member, replacements),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_by_our_own_address_become_relative_and_no_others() {
        let base = "http://h/fhir";
        let refer = |reference: &str| json!({ "resourceType": "Goal", "subject": { "reference": reference } });
        for (reference, expected) in [
            ("http://h/fhir/Patient/1", "Patient/1"),
            ("http://h/fhir/Patient/1/_history/2", "Patient/1/_history/2"),
            ("http://h/fhir/Banana/1", "http://h/fhir/Banana/1"),
            ("http://h/fhir/Patient?identifier=x", "http://h/fhir/Patient?identifier=x"),
            ("http://h/fhirs/Patient/1", "http://h/fhirs/Patient/1"),
            ("https://h/fhir/Patient/1", "https://h/fhir/Patient/1"),
            ("Patient/1", "Patient/1"),
        ] {
            assert_eq!(*without_base(&refer(reference), base), refer(expected), "{reference}");
        }
        let mut contained = json!({ "resourceType": "Goal", "subject": { "reference": "Patient/1" } });
        contained["contained"] = json!([refer("http://h/fhir/Patient/1")]);
        assert_eq!(without_base(&contained, base)["contained"][0], refer("Patient/1"));
        let bundle = json!({ "resourceType": "Bundle", "entry": [{ "resource": refer("http://h/fhir/Patient/1") }] });
        assert_eq!(*without_base(&bundle, base), bundle);
    }

    #[test]
    fn references_addresses_and_narratives_are_replaced_and_nothing_else() {
        let replacements: Replacements = [("urn:uuid:a", "Patient/1"), ("Patient?identifier=x", "Patient/2")]
            .map(|(old, new)| (old.to_owned(), new.to_owned()))
            .into();
        let sent = json!({
            "text": { "div": "<div><a href=\"urn:uuid:a\">urn:uuid:a</a></div>" },
            "identifier": [{ "value": "urn:uuid:a" }],
            "subject": { "reference": "urn:uuid:a", "display": "urn:uuid:a" },
            "other": [{ "reference": "Patient?identifier=x" }, { "reference": "Patient/a" }],
            "extension": [{ "url": "urn:x", "valueUri": "urn:uuid:a" }],
        });
        let expected = json!({
            "text": { "div": "<div><a href=\"Patient/1\">urn:uuid:a</a></div>" },
            "identifier": [{ "value": "urn:uuid:a" }],
            "subject": { "reference": "Patient/1", "display": "urn:uuid:a" },
            "other": [{ "reference": "Patient/2" }, { "reference": "Patient/a" }],
            "extension": [{ "url": "urn:x", "valueUri": "Patient/1" }],
        });
        assert_eq!(replace(&sent, &replacements).expect("all are known"), expected);
    }

    #[test]
    fn reference_to_an_entry_that_is_not_there_is_an_error() {
        let sent = json!({ "subject": { "reference": "urn:uuid:b" } });
        assert!(matches!(replace(&sent, &Replacements::new()), Err(ApiError::NoEntry)));
    }
}
