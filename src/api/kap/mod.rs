//! The KAP API, by openapi.yaml: records in, records and courses out.

mod courses;
mod instruments;
mod map;
mod patients;
mod records;
mod withdraw;

use crate::{
    api::{
        self, Api, Endpoint,
        error::ApiError,
        parameters::{self, Parameter},
        representation::{Format, Representation},
    },
    ingest::Kind,
};
use actix_web::{
    HttpRequest,
    http::{Method, header},
    web,
};
use bytes::Bytes;

const JSON: &str = "application/json";
/// Names the sender's system where more than one uses the same id.
const SYSTEM: &str = "system";

/// `courses` and `instruments` come first: they are no kinds of record.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoint = |method, path, route| Endpoint { method, path, interaction: None, route };
    vec![
        endpoint(Method::GET, "/kap/v1/courses/{id}", || web::route().to(courses::course)),
        endpoint(Method::GET, "/kap/v1/courses/{id}/rules", || web::route().to(courses::rules)),
        endpoint(Method::POST, "/kap/v1/patients/$merge", || web::route().to(patients::merge)),
        endpoint(Method::POST, "/kap/v1/patients/$unmerge", || web::route().to(patients::unmerge)),
        endpoint(Method::GET, "/kap/v1/instruments", || web::route().to(instruments::list)),
        endpoint(Method::GET, "/kap/v1/instruments/{key}", || web::route().to(instruments::show)),
        endpoint(Method::POST, "/kap/v1/{kind}/$map", || web::route().to(map::map)),
        endpoint(Method::POST, "/kap/v1/{kind}/{record_id}/$withdraw", || web::route().to(withdraw::withdraw)),
        endpoint(Method::POST, "/kap/v1/{kind}", || web::route().to(records::post)),
        endpoint(Method::PUT, "/kap/v1/{kind}/{record_id}", || web::route().to(records::put)),
        endpoint(Method::GET, "/kap/v1/{kind}/{record_id}", || web::route().to(records::get)),
    ]
}

/// A segment of the path, decoded; the router leaves malformed encoding as it stands.
fn segment(request: &HttpRequest, name: &str) -> Result<String, ApiError> {
    parameters::decode_percent(request.uri().path())?;
    // The router leaves `%2F`, `%2B` and `%25` as they stand, so that a slash in a value is no step of the path.
    parameters::decode_percent(request.match_info().query(name))
}

fn kind(request: &HttpRequest) -> Result<Kind, ApiError> {
    Kind::from_word(&segment(request, "kind")?).ok_or(ApiError::UnknownKind)
}

/// The record's bytes, sent as JSON.
async fn body(request: &HttpRequest, payload: web::Payload, api: &Api) -> Result<Bytes, ApiError> {
    if !is_json(request) {
        return Err(ApiError::UnsupportedMediaType { expected: "application/json in UTF-8" });
    }
    api::body(request, payload, &api.limits, api.limits.of_records()).await
}

fn is_json(request: &HttpRequest) -> bool {
    let named = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut parts = named.unwrap_or_default().split(';').map(|part| part.trim().to_ascii_lowercase());
    parts.next().as_deref() == Some(JSON)
        && parts.all(|part| match part.split_once('=') {
            Some(("charset", charset)) => charset.trim_matches('"') == "utf-8",
            Some(_) | None => true,
        })
}

/// The query's parameters, each of which must be known and stand once.
fn query(request: &HttpRequest, known: &[&str]) -> Result<Vec<Parameter>, ApiError> {
    let parameters = parameters::decode(request.query_string())?;
    let errors = parameters::check_names(&parameters, known);
    if errors.is_empty() { Ok(parameters) } else { Err(ApiError::Parameters(errors)) }
}

/// The one parameter that records and courses take.
fn system(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    Ok(query(request, &[SYSTEM])?.pop().map(|parameter| parameter.value))
}

/// Answers that are no FHIR resources have no XML form.
fn check_json_is_accepted(request: &HttpRequest) -> Result<(), ApiError> {
    match Representation::chosen(&[], request.headers()) {
        Ok(Representation { format: Format::Json, .. }) => Ok(()),
        Ok(Representation { format: Format::Xml, .. }) | Err(_) => Err(ApiError::JsonNotAcceptable),
    }
}

/// `Prefer: return=OperationOutcome`. <https://hl7.org/fhir/R4/http.html#ops>
fn wants_outcome(request: &HttpRequest) -> bool {
    parameters::prefers(request, "return=OperationOutcome")
}
