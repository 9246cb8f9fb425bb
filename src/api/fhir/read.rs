//! Read: the current version of one resource. <https://hl7.org/fhir/R4/http.html#read>

use crate::{
    api::{
        conditional::{Version, version_headers},
        error::ApiError,
        fhir::{self, binary, guide, summary},
        representation::Representation,
        session::Session,
    },
    store::StoredResource,
};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;

pub async fn read(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let (resource_type, id) = path.into_inner();
    fhir::check_type(&resource_type)?;
    if binary::is_asked_for(&request, &resource_type)
        && let Some(content) = binary::content(&request, &find(&api, resource_type.clone(), &id).await?)
    {
        return Ok(content);
    }
    let (representation, subset) = fhir::representation_of_part(&request)?;
    if let Some(of_guide) = guide::find(&resource_type, &id) {
        let part = subset.of_body(&resource_type, Bytes::from_static(of_guide), &api.definitions)?;
        return Ok(representation.write(HttpResponse::Ok(), part));
    }
    match find(&api, resource_type.clone(), &id).await {
        Err(ApiError::NotFound { .. }) if resource_type == "Composition" => {
            match summary::composition(&api, &id).await? {
                Some(composition) => {
                    let part = subset.of_body(&resource_type, composition.to_string().into(), &api.definitions)?;
                    Ok(summary::answer(representation, part))
                }
                None => Err(ApiError::NotFound { resource_type }),
            }
        }
        found => Ok(answer(&request, representation, subset.of(found?, &api.definitions)?)),
    }
}

/// The resource, one of the guide's too.
pub async fn find(api: &Session, resource_type: String, id: &str) -> Result<StoredResource, ApiError> {
    if let Some(of_guide) = guide::find(&resource_type, id) {
        return Ok(guide::stored(&resource_type, id, of_guide));
    }
    match api.rows().read(&resource_type, id).await? {
        Some(stored) => Ok(stored),
        None => Err(missing(api, resource_type, id).await?),
    }
}

/// Why there is nothing to read: it was deleted, or never there.
async fn missing(api: &Session, resource_type: String, id: &str) -> Result<ApiError, ApiError> {
    let newest = api.rows().history(&resource_type, id, 1, None).await?;
    Ok(match newest.first() {
        Some(_) => ApiError::Gone { resource_type },
        None => ApiError::NotFound { resource_type },
    })
}

/// One version with its headers, or 304 where the client has it already.
pub(super) fn answer(request: &HttpRequest, representation: Representation, stored: StoredResource) -> HttpResponse {
    let version = Version { tag: &stored.version_id.to_string(), last_updated: stored.last_updated };
    let (mut answer, unchanged) = version_headers(request, version);
    if unchanged {
        return answer.finish();
    }
    representation.write(answer, stored.body)
}
