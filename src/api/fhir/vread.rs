//! Version read: one version of one resource. <https://hl7.org/fhir/R4/http.html#vread>

use crate::{
    api::{
        error::ApiError,
        fhir::{self, binary},
        session::Session,
    },
    store::StoredResource,
};
use actix_web::{HttpRequest, HttpResponse, web};

pub async fn vread(
    request: HttpRequest,
    path: web::Path<(String, String, String)>,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let (resource_type, id, version_id) = path.into_inner();
    fhir::check_type(&resource_type)?;
    if binary::is_asked_for(&request, &resource_type)
        && let Some(content) = binary::content(&request, &find(&api, resource_type.clone(), &id, &version_id).await?)
    {
        return Ok(content);
    }
    let (representation, subset) = fhir::representation_of_part(&request)?;
    let stored = find(&api, resource_type, &id, &version_id).await?;
    Ok(fhir::read::answer(&request, representation, subset.of(stored, &api.definitions)?))
}

pub async fn find(
    api: &Session,
    resource_type: String,
    id: &str,
    version_id: &str,
) -> Result<StoredResource, ApiError> {
    // A number that does not fit was never given to a version.
    let stored = match version_id.parse() {
        Ok(version_id) => api.rows().vread(&resource_type, id, version_id).await?,
        Err(_) => None,
    };
    match stored {
        Some(stored) if stored.is_deletion() => Err(ApiError::Gone { resource_type }),
        Some(stored) => Ok(stored),
        None => Err(ApiError::VersionNotFound { resource_type }),
    }
}
