//! Update: a new version, or the first one at an id of the client's; also of the resource that a search finds.
//! <https://hl7.org/fhir/R4/http.html#update>

use super::{
    acceptance::Purpose,
    binary,
    write::{At, Intent, Verb, answer, content, head::Head},
};
use crate::api::{
    conditional,
    error::ApiError,
    idempotency::{self, Begun},
    session::Session,
};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

pub async fn update(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let head = Head::of_id(&request, path.into_inner())?;
    let only_new = conditional::only_new(&request)?;
    perform(&request, payload, &api, head, only_new).await
}

/// Of the resource that the URL's search finds. <https://hl7.org/fhir/R4/http.html#cond-update>
pub async fn conditional_update(
    request: HttpRequest,
    resource_type: web::Path<String>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let head = Head::of_search(&request, &api, resource_type.into_inner())?;
    if conditional::only_new(&request)? {
        let problem = "has no meaning in a conditional update; a conditional create has If-None-Exist";
        return Err(ApiError::WrongHeader { header: "If-None-Match", problem });
    }
    perform(&request, payload, &api, head, false).await
}

async fn perform(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Session,
    head: Head,
    only_new: bool,
) -> Result<HttpResponse, ApiError> {
    let Head { representation, resource_type, at, if_match } = head;
    let id_of_url = match &at {
        At::Id(id) => Some(id.as_str()),
        At::Matching { .. } => None,
    };
    let (resource, size) = binary::or_resource(request, payload, api, (&resource_type, id_of_url)).await?;
    let ticket = match idempotency::begin(request, api).await? {
        Begun::Again(kept) => return Ok(idempotency::send(representation, kept)),
        Begun::First(ticket) => ticket,
    };
    content::check_type(&resource_type, &resource)?;
    // Of what a search finds it shows later whether the resource's own id is the right one.
    let own_id = resource["id"].as_str().map(str::to_owned);
    if let At::Id(id) = &at {
        check_id(&resource, id)?;
    }
    let purpose = match &own_id {
        Some(id) => Purpose::Update { id, version: None },
        None => Purpose::Create,
    };
    let (resource, report) = content::accept(api, &resource_type, resource, size, purpose).await?;
    let intent = Intent { resource_type, verb: Verb::Update { at, resource, only_new }, if_match };
    answer::perform_one(api, request, representation, (intent, report), ticket).await
}

/// The resource must say the id that the URL says.
pub fn check_id(resource: &Value, id: &str) -> Result<(), ApiError> {
    if !content::is_id(id) {
        return Err(ApiError::NoId);
    }
    match resource["id"].as_str() {
        Some(own) if own == id => Ok(()),
        Some(_) | None => Err(ApiError::OtherId),
    }
}
