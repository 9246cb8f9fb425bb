//! A resource or Parameters as the body of a request, in JSON or XML. <https://hl7.org/fhir/R4/http.html#mime-type>

use crate::{
    api::{self, Api, error::ApiError, representation::Format},
    fhir::{json, xml_tree},
};
use actix_web::{HttpRequest, http::header, web};
use serde_json::Value;

const EXPECTED: &str = "application/fhir+json or application/fhir+xml, in UTF-8";

/// How the reader of JSON refuses what is deeper than any setting.
const TOO_DEEP: &str = "recursion limit exceeded";

/// The body as JSON; `None` where there is none. What it holds is not looked at.
pub async fn read(request: &HttpRequest, payload: web::Payload, api: &Api) -> Result<Option<Value>, ApiError> {
    Ok(sized(request, payload, api).await?.map(|(value, _)| value))
}

/// The body as JSON, and how many bytes it had.
pub async fn required(request: &HttpRequest, payload: web::Payload, api: &Api) -> Result<(Value, usize), ApiError> {
    sized(request, payload, api).await?.ok_or(ApiError::NoBody)
}

async fn sized(request: &HttpRequest, payload: web::Payload, api: &Api) -> Result<Option<(Value, usize)>, ApiError> {
    let format = format(request);
    let body = api::body(request, payload, &api.limits, api.limits.of_fhir()).await?;
    if body.is_empty() {
        return Ok(None);
    }
    let read = match format.ok_or(ApiError::UnsupportedMediaType { expected: EXPECTED })? {
        Format::Json => json::read(&body),
        Format::Xml => xml_tree::read(&body, api.validator().definitions()),
    };
    let value = read.map_err(|unreadable| match unreadable.reason.contains(TOO_DEEP) {
        true => ApiError::TooDeep { limit: api.limits.content_depth },
        false => ApiError::UnreadableBody(unreadable.reason),
    })?;
    api.limits.check_depth(&value)?;
    Ok(Some((value, body.len())))
}

fn format(request: &HttpRequest) -> Option<Format> {
    let named = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    Format::of_content(named)
}
