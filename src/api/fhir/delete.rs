//! Delete: a version without a body. What was stored stays in the history. <https://hl7.org/fhir/R4/http.html#delete>

use super::write::{self, At, Intent, Verb, answer, links::Links, matching::Matching};
use crate::{
    api::{conditional, error::ApiError, fhir, parameters, session::Session},
    fhir::validate::Report,
};
use actix_web::{HttpRequest, HttpResponse, web};

pub async fn delete(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let (resource_type, id) = path.into_inner();
    let representation = fhir::representation_only(&request)?;
    fhir::check_type(&resource_type)?;
    let if_match = conditional::if_match(&request)?;
    let intent = Intent { resource_type, verb: Verb::Delete { at: At::Id(id) }, if_match };
    let done =
        write::perform(&api, &[intent], &Links::default(), vec![Report::default()]).await.map_err(answer::failure)?;
    Ok(answer::one(&api, &request, representation, done))
}

/// Of the one resource that the URL's search finds; more than one is an error.
/// <https://hl7.org/fhir/R4/http.html#3.1.0.7.1>
pub async fn conditional_delete(
    request: HttpRequest,
    resource_type: web::Path<String>,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let resource_type = resource_type.into_inner();
    let parameters = parameters::decode(request.query_string())?;
    let representation = fhir::representation(&request, &parameters, Vec::new())?;
    fhir::check_type(&resource_type)?;
    let matching = Matching::parse(&api, &resource_type, &parameters)?;
    let if_match = conditional::if_match(&request)?;
    let at = At::Matching { matching, new_id: String::new() };
    let intent = Intent { resource_type, verb: Verb::Delete { at }, if_match };
    let done =
        write::perform(&api, &[intent], &Links::default(), vec![Report::default()]).await.map_err(answer::failure)?;
    Ok(answer::one(&api, &request, representation, done))
}
