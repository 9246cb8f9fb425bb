//! Documents: the summary of a course, and any stored Composition with all that it refers to.
//! <https://hl7.org/fhir/R4/composition-operation-document.html>
//!
//! The summary is not stored: it is put together when it is asked for, under an id that its course makes.

use super::operation::{self, Input, Kind, Operation, refuse};
use crate::{
    api::{error::ApiError, representation::Representation, session::Session},
    fhir::{outcome::IssueType, search::parse_date},
    ingest::course_of_summary,
};
use actix_web::{HttpRequest, HttpResponse, http::header, web};
use bytes::Bytes;
use serde_json::Value;

pub static SUMMARY: Operation = Operation {
    name: "kap-summary",
    definition: "https://kap-gateway.example.org/fhir/OperationDefinition/kap-summary",
    resource_type: Some("EpisodeOfCare"),
};

pub static DOCUMENT: Operation = Operation {
    name: "document",
    definition: "http://hl7.org/fhir/OperationDefinition/Composition-document",
    resource_type: Some("Composition"),
};

const SUMMARY_INPUTS: [Input; 1] = [("asOf", Kind::DateTime)];
const DOCUMENT_INPUTS: [Input; 1] = [("persist", Kind::Boolean)];

pub async fn summary(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let (representation, inputs) = operation::read(&request, payload, &api, &SUMMARY_INPUTS).await?;
    // A day, month or year: up to its end.
    let as_of = inputs.text("asOf").and_then(parse_date).map(|(_, last)| last);
    let document = api.gateway.summary_document(api.rows(), &id, as_of).await?;
    Ok(answer(representation, document.to_string().into()))
}

pub async fn document(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let (representation, inputs) = operation::read(&request, payload, &api, &DOCUMENT_INPUTS).await?;
    if inputs.value("persist") == Some(&Value::Bool(true)) {
        return refuse("persist", IssueType::NotSupported, "cannot be true: documents are not stored here");
    }
    let document = match course_of_summary(&id) {
        Some(course) => api.gateway.summary_document(api.rows(), course, None).await?,
        None => api.gateway.stored_document(api.rows(), &id).await?,
    };
    Ok(answer(representation, document.to_string().into()))
}

/// The Composition of a course's summary, for a read of its id; `None` where the id is no such one.
pub async fn composition(api: &Session, id: &str) -> Result<Option<Value>, ApiError> {
    match course_of_summary(id) {
        Some(course) => Ok(Some(api.gateway.summary(api.rows(), course, None).await?)),
        None => Ok(None),
    }
}

/// What is put together now must not be taken for what it is later.
pub fn answer(representation: Representation, resource: Bytes) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "private, no-store"));
    representation.write(answer, resource)
}
