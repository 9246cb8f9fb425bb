//! `CodeSystem/$lookup`: what is known of a code. <https://hl7.org/fhir/R4/codesystem-operation-lookup.html>

use super::{Answer, Question, answered, codings};
use crate::{
    api::{
        Api,
        error::ApiError,
        fhir::operation::{Input, Kind, refuse},
        representation::Representation,
    },
    fhir::{
        definitions::{Artifact, Lookup},
        outcome::IssueType,
    },
};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

const INPUTS: &[Input] =
    &[("code", Kind::Text), ("system", Kind::Text), ("version", Kind::Text), ("coding", Kind::Coding)];

pub async fn lookup(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, ApiError> {
    answered(request, payload, api, INPUTS, answer).await
}

fn answer(question: Question, _: Representation) -> Result<Answer, ApiError> {
    let coding = codings(&question.inputs, "version")?.pop().unwrap_or_default();
    if question.inputs.value("coding").is_some() && question.inputs.value("version").is_some() {
        return refuse("version", IssueType::Invalid, "belongs to code: coding says it itself");
    }
    let Some(system) = &coding.system else {
        return refuse("system", IssueType::Required, "is missing: it names the CodeSystem");
    };
    let canonical = coding.version.as_ref().map_or_else(|| system.clone(), |version| format!("{system}|{version}"));
    let concept = match question.definitions.lookup(&canonical, &coding.code) {
        Lookup::Found(concept) => concept,
        Lookup::NotFound => return Err(ApiError::NoDefinition("the CodeSystem has no such code".into())),
        Lookup::Unknown(reason) => return Err(ApiError::NotTold(reason)),
    };
    // UCUM and its like are no CodeSystem resources.
    let named = question.definitions.members(Artifact::CodeSystem, &canonical, &["name", "title"]).unwrap_or_default();
    let name = named.first().and_then(|(_, name)| name.as_str()).unwrap_or(system);
    let mut told = vec![json!({ "name": "name", "valueString": name })];
    told.extend(coding.version.iter().map(|version| json!({ "name": "version", "valueString": version })));
    // The operation has exactly one display: a code without one shows itself.
    let display = concept.display.as_deref().unwrap_or(&concept.code);
    told.push(json!({ "name": "display", "valueString": display }));
    told.extend(concept.designations.iter().map(|designation| {
        let language = designation.language.iter().map(|code| json!({ "name": "language", "valueCode": code }));
        let value = json!({ "name": "value", "valueString": designation.value });
        json!({ "name": "designation", "part": language.chain([value]).collect::<Vec<Value>>() })
    }));
    if let Some(definition) = &concept.definition {
        let code = json!({ "name": "code", "valueCode": "definition" });
        told.push(json!({ "name": "property", "part": [code, { "name": "value", "valueString": definition }] }));
    }
    for (property, holds) in [("inactive", concept.inactive), ("notSelectable", concept.is_abstract)] {
        if holds {
            let code = json!({ "name": "code", "valueCode": property });
            told.push(json!({ "name": "property", "part": [code, { "name": "value", "valueBoolean": true }] }));
        }
    }
    Ok(Answer::Parameters(told))
}
