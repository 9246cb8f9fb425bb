//! `ValueSet/$expand`: the codes of a ValueSet. <https://hl7.org/fhir/R4/valueset-operation-expand.html>

use super::{Answer, Question, answered};
use crate::{
    api::{
        Api,
        error::ApiError,
        fhir::operation::{Input, Kind},
    },
    fhir::definitions::{Artifact, Concept},
};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

const INPUTS: &[Input] = &[
    ("url", Kind::Text),
    ("valueSet", Kind::Resource),
    ("valueSetVersion", Kind::Text),
    ("filter", Kind::Text),
    ("offset", Kind::Count),
    ("count", Kind::Count),
    ("includeDesignations", Kind::Boolean),
    ("activeOnly", Kind::Boolean),
];

/// What an expansion says of its ValueSet; the definition itself stays out.
const HEAD: [&str; 7] = ["id", "url", "version", "name", "title", "status", "experimental"];

pub async fn expand(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, ApiError> {
    answered(request, payload, api, INPUTS, |question, _| answer(question)).await
}

fn answer(mut question: Question) -> Result<Answer, ApiError> {
    let canonical = question.subject(Artifact::ValueSet, "valueSet", "valueSetVersion")?;
    let head = question.members(Artifact::ValueSet, &canonical, &HEAD)?;
    let expansion = question.definitions.expand_within(&canonical, &question.allowance);
    let expansion = expansion.map_err(|error| question.not_told(error.reason))?;
    let inputs = &question.inputs;
    let active_only = inputs.boolean("activeOnly") == Some(true);
    let words: Vec<String> =
        inputs.text("filter").unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
    let matched: Vec<&Concept> = expansion
        .concepts
        .iter()
        .map(AsRef::as_ref)
        .filter(|concept| !(active_only && concept.inactive) && has_words(concept, &words))
        .collect();
    let offset = inputs.count("offset").unwrap_or(0);
    let count = inputs.count("count").unwrap_or(usize::MAX);
    let designations = inputs.boolean("includeDesignations") == Some(true);
    let page = matched.iter().skip(offset).take(count).map(|concept| contained(concept, designations));
    let page: Vec<Value> = page.collect();

    let mut told = json!({
        "identifier": format!("urn:uuid:{}", Uuid::new_v4()),
        "timestamp": Timestamp::now().to_string(),
        "total": matched.len(),
    });
    let paged = inputs.value("offset").is_some() || inputs.value("count").is_some();
    if paged {
        told["offset"] = offset.into();
    }
    let parameters = used(inputs);
    if !parameters.is_empty() {
        told["parameter"] = parameters.into();
    }
    if !page.is_empty() {
        told["contains"] = page.into();
    }
    let mut set = Map::new();
    set.insert("resourceType".into(), "ValueSet".into());
    set.extend(head);
    // A ValueSet has one; one that was sent or added may lack it.
    set.entry("status").or_insert_with(|| "unknown".into());
    set.insert("expansion".into(), told);
    Ok(Answer::Resource(Value::Object(set)))
}

/// What the expansion was made with, so that who reads it knows what is left out.
fn used(inputs: &crate::api::fhir::operation::Inputs) -> Vec<Value> {
    let key = |kind: Kind| match kind {
        Kind::Boolean => Some("valueBoolean"),
        Kind::DateTime => Some("valueDateTime"),
        Kind::Count => Some("valueInteger"),
        Kind::Text => Some("valueString"),
        Kind::Coding | Kind::CodeableConcept | Kind::Resource => None,
    };
    let made_with = INPUTS.iter().filter(|(name, _)| !matches!(*name, "url" | "valueSet" | "valueSetVersion"));
    made_with.filter_map(|(name, kind)| Some(json!({ "name": name, key(*kind)?: inputs.value(name)? }))).collect()
}

/// Every word stands in the code, the display or a designation.
fn has_words(concept: &Concept, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let designations = concept.designations.iter().map(|designation| designation.value.as_str());
    let texts: Vec<String> = [concept.code.as_str(), concept.display.as_deref().unwrap_or_default()]
        .into_iter()
        .chain(designations)
        .map(str::to_lowercase)
        .collect();
    words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
}

fn contained(concept: &Concept, designations: bool) -> Value {
    let mut told = Map::new();
    let mut tell = |name: &str, value: Value| told.insert(name.to_owned(), value);
    if let Some(system) = &concept.system {
        tell("system", system.as_str().into());
    }
    if concept.is_abstract {
        tell("abstract", true.into());
    }
    if concept.inactive {
        tell("inactive", true.into());
    }
    tell("code", concept.code.as_str().into());
    if let Some(display) = &concept.display {
        tell("display", display.as_str().into());
    }
    if designations && !concept.designations.is_empty() {
        let one = |designation: &crate::fhir::definitions::terminology::Designation| match &designation.language {
            Some(language) => json!({ "language": language, "value": designation.value }),
            None => json!({ "value": designation.value }),
        };
        tell("designation", concept.designations.iter().map(one).collect());
    }
    Value::Object(told)
}
