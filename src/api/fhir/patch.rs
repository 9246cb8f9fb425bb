//! Patch: JSON Patch and FHIRPath Patch, also of the resource that a search finds.
//! <https://hl7.org/fhir/R4/http.html#patch>

use super::{
    resource_body,
    write::{self, At, Intent, Verb, answer, links::Links, matching::Matching},
};
use crate::{
    api::{self, conditional, error::ApiError, fhir, parameters, session::Session},
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
    let (resource_type, id) = path.into_inner();
    let representation = fhir::representation_only(&request)?;
    fhir::check_type(&resource_type)?;
    let if_match = conditional::if_match(&request)?;
    let patch = read(&request, payload, &api).await?;
    let intent = Intent { resource_type, verb: Verb::Patch { at: At::Id(id), patch }, if_match };
    let done = write::perform(&api, &[intent], &Links::default(), vec![Report::default()]).await;
    Ok(answer::one(&api, &request, representation, done.map_err(answer::failure)?))
}

/// Of the one resource that the URL's search finds; none is 404, more than one 412.
pub async fn conditional_patch(
    request: HttpRequest,
    resource_type: web::Path<String>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let resource_type = resource_type.into_inner();
    let parameters = parameters::decode(request.query_string())?;
    let representation = fhir::representation(&request, &parameters, Vec::new())?;
    fhir::check_type(&resource_type)?;
    let matching = Matching::parse(&api, &resource_type, &parameters)?;
    let if_match = conditional::if_match(&request)?;
    let patch = read(&request, payload, &api).await?;
    let at = At::Matching { matching, new_id: String::new() };
    let intent = Intent { resource_type, verb: Verb::Patch { at, patch }, if_match };
    let done = write::perform(&api, &[intent], &Links::default(), vec![Report::default()]).await;
    Ok(answer::one(&api, &request, representation, done.map_err(answer::failure)?))
}

async fn read(request: &HttpRequest, payload: web::Payload, api: &Session) -> Result<Patch, ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let named = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if named.eq_ignore_ascii_case(JSON_PATCH) {
        let body = api::body(request, payload, api.body_limit).await?;
        return json_patch(&body);
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
