//! Update: a new version, or the first one at an id of the client's; also of the resource that a search finds.
//! <https://hl7.org/fhir/R4/http.html#update>

use super::{
    acceptance::Purpose,
    resource_body,
    write::{self, At, Intent, Verb, answer, content, links::Links, matching::Matching},
};
use crate::api::{conditional, error::ApiError, fhir, parameters, session::Session};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;
use uuid::Uuid;

pub async fn update(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let (resource_type, id) = path.into_inner();
    let representation = fhir::representation_only(&request)?;
    fhir::check_type(&resource_type)?;
    let (if_match, only_new) = (conditional::if_match(&request)?, conditional::only_new(&request)?);
    let (resource, size) = resource_body::required(&request, payload, &api).await?;
    content::check_type(&resource_type, &resource)?;
    check_id(&resource, &id)?;
    let purpose = Purpose::Update { id: &id, version: None };
    let (resource, report) = content::accept(&api, &resource_type, resource, size, purpose).await?;
    let intent = Intent { resource_type, verb: Verb::Update { at: At::Id(id), resource, only_new }, if_match };
    let done = write::perform(&api, &[intent], &Links::default(), vec![report]).await.map_err(answer::failure)?;
    Ok(answer::one(&api, &request, representation, done))
}

/// Of the resource that the URL's search finds. <https://hl7.org/fhir/R4/http.html#cond-update>
pub async fn conditional_update(
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
    if conditional::only_new(&request)? {
        let problem = "has no meaning in a conditional update; a conditional create has If-None-Exist";
        return Err(ApiError::WrongHeader { header: "If-None-Match", problem });
    }
    let (resource, size) = resource_body::required(&request, payload, &api).await?;
    content::check_type(&resource_type, &resource)?;
    // Whether its own id is the right one shows when the other is found.
    let own_id = resource["id"].as_str().map(str::to_owned);
    let purpose = match &own_id {
        Some(id) => Purpose::Update { id, version: None },
        None => Purpose::Create,
    };
    let (resource, report) = content::accept(&api, &resource_type, resource, size, purpose).await?;
    let at = At::Matching { matching, new_id: Uuid::new_v4().to_string() };
    let intent = Intent { resource_type, verb: Verb::Update { at, resource, only_new: false }, if_match };
    let done = write::perform(&api, &[intent], &Links::default(), vec![report]).await.map_err(answer::failure)?;
    Ok(answer::one(&api, &request, representation, done))
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
