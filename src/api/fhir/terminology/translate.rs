//! `ConceptMap/$translate`: what a map says about a code. <https://hl7.org/fhir/R4/conceptmap-operation-translate.html>

use super::{Answer, Question, answered, codings};
use crate::{
    api::{
        Api,
        error::ApiError,
        fhir::operation::{Input, Kind, refuse},
    },
    fhir::{
        definitions::{Artifact, Translation},
        outcome::IssueType,
    },
};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

const INPUTS: &[Input] = &[
    ("url", Kind::Text),
    ("conceptMap", Kind::Resource),
    ("conceptMapVersion", Kind::Text),
    ("code", Kind::Text),
    ("system", Kind::Text),
    ("coding", Kind::Coding),
    ("codeableConcept", Kind::CodeableConcept),
    ("targetsystem", Kind::Text),
];

pub async fn translate(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, ApiError> {
    answered(request, payload, api, INPUTS, |question, _| answer(question)).await
}

fn answer(mut question: Question) -> Result<Answer, ApiError> {
    let map = question.subject(Artifact::ConceptMap, "conceptMap", "conceptMapVersion")?;
    question.members(Artifact::ConceptMap, &map, &[])?;
    let codings = codings(&question.inputs, "")?;
    if codings.iter().any(|coding| coding.system.is_none()) {
        return refuse("system", IssueType::Required, "is missing: a code means nothing without its system");
    }
    let target_system = question.inputs.text("targetsystem");
    let mut found = Vec::new();
    for coding in &codings {
        let translated = question.definitions.translate(&map, coding.system.as_deref(), &coding.code);
        found.extend(translated.map_err(|error| ApiError::NotTold(error.reason))?);
    }
    found.retain(|one| target_system.is_none() || one.system.as_deref() == target_system);
    let translates = |one: &Translation| !matches!(one.equivalence.as_str(), "unmatched" | "disjoint");
    let result = found.iter().any(translates);
    let mut told = vec![json!({ "name": "result", "valueBoolean": result })];
    if !result {
        let text =
            if found.is_empty() { "the map says nothing about the code" } else { "the map has no match for the code" };
        told.push(json!({ "name": "message", "valueString": text }));
    }
    told.extend(found.iter().map(|one| matched(one, &map)));
    Ok(Answer::Parameters(told))
}

fn matched(one: &Translation, map: &str) -> Value {
    let mut parts = vec![json!({ "name": "equivalence", "valueCode": one.equivalence })];
    if let Some(code) = &one.code {
        let mut coding = Map::new();
        coding.extend(one.system.iter().map(|system| ("system".to_owned(), Value::from(system.as_str()))));
        coding.insert("code".into(), code.as_str().into());
        coding.extend(one.display.iter().map(|display| ("display".to_owned(), Value::from(display.as_str()))));
        parts.push(json!({ "name": "concept", "valueCoding": coding }));
    }
    parts.push(json!({ "name": "source", "valueUri": map }));
    json!({ "name": "match", "part": parts })
}
