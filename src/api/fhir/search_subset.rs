//! Parts of resources: `_elements` and `_summary`. What is left out is told by the tag SUBSETTED.
//! <https://hl7.org/fhir/R4/search.html#summary>

use super::search_filter::{Refusal, bad};
use crate::{
    api::{error::ParameterError, parameters::Parameter},
    fhir::definitions::{
        Definitions,
        structure::{Element, Structure},
    },
    store::{StoreError, StoredResource},
};
use bytes::Bytes;
use serde_json::{Map, Value, json};

pub const ELEMENTS: &str = "_elements";
pub const SUMMARY: &str = "_summary";

/// What of each resource is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Subset {
    #[default]
    Whole,
    /// These members of the resource, and those that every resource of the type has.
    Elements(Vec<String>),
    /// `_summary=true`: what R4 marks as part of a summary.
    Summary,
    /// `_summary=text`: the narrative, and those that every resource of the type has.
    Text,
    /// `_summary=data`: all but the narrative.
    Data,
}

/// `_elements`: names of members, with commas between them.
pub fn elements(value: &str) -> Result<Subset, Refusal> {
    let names: Vec<String> = value.split(',').map(str::to_owned).collect();
    let is_name = |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !names.iter().all(is_name) {
        return Err(bad(ELEMENTS, "must be names of elements of the resource, with commas between them"));
    }
    Ok(Subset::Elements(names))
}

/// `_summary`, but for `count`, which is about the answer.
pub fn summary(value: &str) -> Result<Subset, Refusal> {
    match value {
        "false" => Ok(Subset::Whole),
        "text" => Ok(Subset::Text),
        "data" => Ok(Subset::Data),
        "true" => Ok(Subset::Summary),
        _ => Err(bad(SUMMARY, "must be true, text, data, count or false")),
    }
}

/// What a request that is no search asks for; what is wrong with it goes to the errors.
pub fn asked(parameters: &[Parameter], errors: &mut Vec<ParameterError>) -> Subset {
    let mut subset = Subset::Whole;
    for Parameter { name, value } in parameters {
        let taken = match name.as_str() {
            ELEMENTS => elements(value),
            SUMMARY if value == "count" => Err(bad(SUMMARY, "must be true, text, data or false: searches count")),
            SUMMARY => summary(value),
            _ => continue,
        };
        if let Err(Refusal::Unknown(error) | Refusal::Bad(error)) = taken.and_then(|more| subset.narrow(name, more)) {
            errors.push(error);
        }
    }
    subset
}

impl Subset {
    /// Takes what one of the two parameters asks for; both together have no meaning.
    pub fn narrow(&mut self, name: &str, asked: Self) -> Result<(), Refusal> {
        match (&self, &asked) {
            (_, Self::Whole) => {}
            (Self::Whole, _) => *self = asked,
            (_, _) => {
                return Err(bad(name, format!("is one too many: {ELEMENTS} or {SUMMARY} says what is sent, not both")));
            }
        }
        Ok(())
    }

    /// The resource with what is asked for.
    pub fn of(&self, mut stored: StoredResource, definitions: &Definitions) -> Result<StoredResource, StoreError> {
        stored.body = self.of_body(&stored.resource_type, stored.body, definitions)?;
        Ok(stored)
    }

    /// Likewise, of a resource in JSON.
    pub fn of_body(&self, resource_type: &str, body: Bytes, definitions: &Definitions) -> Result<Bytes, StoreError> {
        // A version that says that the resource was deleted has no body.
        if *self == Subset::Whole || body.is_empty() {
            return Ok(body);
        }
        let Ok(Value::Object(mut resource)) = serde_json::from_slice::<Value>(&body) else {
            return Err(StoreError::Unavailable("a stored resource is not JSON".to_owned()));
        };
        let structure = definitions.structure(resource_type).ok();
        let root = structure.as_ref().and_then(|structure| structure.elements.first());
        let names = |wanted: &dyn Fn(&Element) -> bool| -> Vec<String> {
            let children = root.map_or(&[][..], |root| root.children.as_slice()).iter();
            let elements = structure.as_ref().map_or(&[][..], |structure| structure.elements.as_slice());
            let found = children.filter_map(|child| elements.get(*child)).filter(|child| wanted(child));
            found.map(|child| child.name.clone()).collect()
        };
        // What stays for the resource to be one: its type, id, meta and what the type requires.
        let mut always = names(&|child| child.min > 0);
        always.extend(["resourceType", "id", "meta"].map(str::to_owned));
        let summary = if *self == Subset::Summary { names(&|child| child.is_summary) } else { Vec::new() };
        let is_kept = |name: &str| {
            let plain = name.strip_prefix('_').unwrap_or(name);
            let is_one_of = |names: &[String]| names.iter().any(|known| is_of(known, plain));
            match self {
                Subset::Whole => true,
                Subset::Summary => is_one_of(&summary) || is_one_of(&always),
                Subset::Elements(names) => is_one_of(names) || is_one_of(&always),
                Subset::Text => plain == "text" || is_one_of(&always),
                Subset::Data => plain != "text",
            }
        };
        let before = resource.len();
        resource.retain(|name, _| is_kept(name));
        let mut is_less = resource.len() < before;
        if let (Subset::Summary, Some(structure), Some(root)) = (self, &structure, root) {
            is_less |= summarize(&mut resource, structure, root);
        }
        if is_less {
            tag(&mut resource);
        }
        Ok(Value::Object(resource).to_string().into())
    }
}

/// `value` stands for `valueQuantity` too.
fn is_of(name: &str, member: &str) -> bool {
    member.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_uppercase()))
        && (member == name || name != "id")
}

/// Takes out of the elements with parts of their own what is no part of a summary. Was there any?
fn summarize(object: &mut Map<String, Value>, structure: &Structure, of: &Element) -> bool {
    let mut is_less = false;
    for child in of.children.iter().filter_map(|child| structure.elements.get(*child)) {
        if child.children.is_empty() {
            continue;
        }
        let parts: Vec<&Element> = child.children.iter().filter_map(|part| structure.elements.get(*part)).collect();
        let values = match object.get_mut(&child.name) {
            Some(Value::Array(values)) => values.as_mut_slice(),
            Some(value) => std::slice::from_mut(value),
            None => &mut [],
        };
        for value in values.iter_mut().filter_map(Value::as_object_mut) {
            let before = value.len();
            let is_part = |name: &str, part: &Element| is_of(&part.name, name.strip_prefix('_').unwrap_or(name));
            value.retain(|name, _| !parts.iter().any(|part| is_part(name, part) && !part.is_summary && part.min == 0));
            is_less |= value.len() < before;
            is_less |= summarize(value, structure, child);
        }
    }
    is_less
}

/// <https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html>
const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
const SUBSETTED: &str = "SUBSETTED";

/// Does a resource say that it is only a part of one?
pub fn is_part(resource: &Value) -> bool {
    let tags = resource["meta"]["tag"].as_array().map(Vec::as_slice).unwrap_or_default();
    tags.iter().any(|tag| tag["system"] == OBSERVATION_VALUE && tag["code"] == SUBSETTED)
}

fn tag(resource: &mut Map<String, Value>) {
    let subsetted = json!({ "system": OBSERVATION_VALUE, "code": SUBSETTED });
    let meta = resource.entry("meta").or_insert_with(|| json!({}));
    match meta.get_mut("tag").and_then(Value::as_array_mut) {
        Some(tags) => tags.push(subsetted),
        None => meta["tag"] = json!([subsetted]),
    }
}
