//! Patch: JSON Patch and FHIRPath Patch, also of the resource that a search finds.
//! <https://hl7.org/fhir/R4/http.html#patch>

use super::{
    resource_body,
    write::{Intent, Verb, answer, head::Head},
};
use crate::{
    api::{
        self,
        error::ApiError,
        idempotency::{self, Begun},
        session::Session,
    },
    fhir::{json, patch::Patch, validate::Report},
};
use actix_web::{HttpRequest, HttpResponse, http::header, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

const JSON_PATCH: &str = "application/json-patch+json";
const EXPECTED: &str = "application/json-patch+json, or Parameters as application/fhir+json or application/fhir+xml";

pub async fn patch(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let head = Head::of_id(&request, path.into_inner())?;
    perform(&request, payload, &api, head).await
}

/// Of the one resource that the URL's search finds; none is 404, more than one 412.
pub async fn conditional_patch(
    request: HttpRequest,
    resource_type: web::Path<String>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let head = Head::of_search(&request, &api, resource_type.into_inner())?;
    perform(&request, payload, &api, head).await
}

async fn perform(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Session,
    head: Head,
) -> Result<HttpResponse, ApiError> {
    let Head { representation, resource_type, at, if_match } = head;
    let patch = read(request, payload, api).await?;
    let ticket = match idempotency::begin(request, api).await? {
        Begun::Again(kept) => return Ok(idempotency::send(representation, kept)),
        Begun::First(ticket) => ticket,
    };
    let intent = Intent { resource_type, verb: Verb::Patch { at, patch }, if_match };
    answer::perform_one(api, request, representation, (intent, Report::default()), ticket).await
}

async fn read(request: &HttpRequest, payload: web::Payload, api: &Session) -> Result<Patch, ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let named = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if named.eq_ignore_ascii_case(JSON_PATCH) {
        let body = api::body(request, payload, &api.limits, api.limits.of_fhir()).await?;
        let operations = json::read(&body).map_err(|unreadable| ApiError::UnreadableBody(unreadable.reason))?;
        api.limits.check_depth(&operations)?;
        return Patch::json(&operations).map_err(ApiError::UnreadablePatch);
    }
    match resource_body::required(request, payload, api).await {
        Ok((parameters, _)) => fhirpath_patch(&parameters),
        Err(ApiError::UnsupportedMediaType { .. }) => Err(ApiError::UnsupportedMediaType { expected: EXPECTED }),
        Err(other) => Err(other),
    }
}

fn json_patch(body: &[u8]) -> Result<Patch, ApiError> {
    let operations = json::read(body).map_err(|unreadable| ApiError::UnreadableBody(unreadable.reason))?;
    Patch::json(&operations).map_err(ApiError::UnreadablePatch)
}

fn fhirpath_patch(parameters: &Value) -> Result<Patch, ApiError> {
    if parameters["resourceType"] != "Parameters" {
        let told = "a patch in FHIR is a Parameters resource; another is a JSON Patch as application/json-patch+json";
        return Err(ApiError::NotThatResource(told.to_owned()));
    }
    Patch::path(parameters).map_err(ApiError::UnreadablePatch)
}

/// The patch of a Bundle's entry: Parameters, or a Binary that holds a JSON Patch.
pub fn of_entry(resource: &Value) -> Result<Patch, ApiError> {
    if resource["resourceType"] != "Binary" {
        return fhirpath_patch(resource);
    }
    let data = resource["data"].as_str().filter(|_| resource["contentType"] == JSON_PATCH);
    let bytes = data.and_then(|data| STANDARD.decode(data).ok()).ok_or_else(|| {
        let told = "a Binary that patches has contentType application/json-patch+json and the patch in data";
        ApiError::NotThatResource(told.to_owned())
    })?;
    json_patch(&bytes)
}
