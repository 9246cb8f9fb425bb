//! Delete: a version without a body. What was stored stays in the history. <https://hl7.org/fhir/R4/http.html#delete>

use super::write::{Intent, Verb, answer, head::Head};
use crate::{
    api::{
        error::ApiError,
        idempotency::{self, Begun},
        session::Session,
    },
    fhir::validate::Report,
};
use actix_web::{HttpRequest, HttpResponse, web};

pub async fn delete(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let head = Head::of_id(&request, path.into_inner())?;
    perform(&request, &api, head).await
}

/// Of the one resource that the URL's search finds; more than one is an error.
/// <https://hl7.org/fhir/R4/http.html#3.1.0.7.1>
pub async fn conditional_delete(
    request: HttpRequest,
    resource_type: web::Path<String>,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let head = Head::of_search(&request, &api, resource_type.into_inner())?;
    perform(&request, &api, head).await
}

async fn perform(request: &HttpRequest, api: &Session, head: Head) -> Result<HttpResponse, ApiError> {
    let Head { representation, resource_type, at, if_match } = head;
    let ticket = match idempotency::begin(request, api).await? {
        Begun::Again(kept) => return Ok(idempotency::send(representation, kept)),
        Begun::First(ticket) => ticket,
    };
    let intent = Intent { resource_type, verb: Verb::Delete { at }, if_match };
    answer::perform_one(api, request, representation, (intent, Report::default()), ticket).await
}
