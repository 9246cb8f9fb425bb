//! `ConceptMap/$translate`: what a map says about a code. <https://hl7.org/fhir/R4/conceptmap-operation-translate.html>

use super::{Answer, Question, answered, codings};
use crate::{
    api::{
        Api,
        error::ApiError,
        fhir::operation::{Input, Kind, refuse},
    },
    fhir::{
        definitions::{Artifact, Code, Membership, Translation},
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
    ("target", Kind::Text),
    ("reverse", Kind::Boolean),
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
        let (system, code) = (coding.system.as_deref(), coding.code.as_str());
        let translated = match question.inputs.boolean("reverse") {
            Some(true) => question.definitions.translate_back(&map, system, code),
            Some(false) | None => question.definitions.translate(&map, system, code),
        };
        found.extend(translated.map_err(|error| question.not_told(error.reason))?);
    }
    let said = found.len();
    found.retain(|one| target_system.is_none() || one.system.as_deref() == target_system);
    if let Some(value_set) = question.inputs.text("target") {
        question.members(Artifact::ValueSet, value_set, &[])?;
        found = within(&question, found, value_set)?;
    }
    let translates = |one: &Translation| !matches!(one.equivalence.as_str(), "unmatched" | "disjoint");
    let result = found.iter().any(translates);
    let mut told = vec![json!({ "name": "result", "valueBoolean": result })];
    if !result {
        let text = match (said, found.len()) {
            (0, _) => "the map says nothing about the code",
            (_, 0) => "the map leads the code to others, and none of them is where targetsystem or target asks for it",
            (_, _) => "the map has no match for the code",
        };
        told.push(json!({ "name": "message", "valueString": text }));
    }
    told.extend(found.iter().map(|one| matched(one, &map)));
    Ok(Answer::Parameters(told))
}

/// Those of the translations that are in a ValueSet. One that names no code (`unmatched`) is in none.
fn within(question: &Question, found: Vec<Translation>, value_set: &str) -> Result<Vec<Translation>, ApiError> {
    let mut kept = Vec::new();
    for one in found {
        let Some(code) = one.code.as_deref() else { continue };
        let code = Code { system: one.system.as_deref().or(Some("")), code, ..Code::default() };
        match question.definitions.validate_code_within(value_set, &code, &question.allowance) {
            Membership::Member(_) => kept.push(one),
            Membership::NotMember => {}
            Membership::Unknown(reason) => return Err(question.not_told(reason)),
        }
    }
    Ok(kept)
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
