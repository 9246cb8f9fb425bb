//! Read: the current version of one resource. <https://hl7.org/fhir/R4/http.html#read>

use crate::{
    api::{
        Api,
        conditional::{Version, version_headers},
        error::ApiError,
        fhir::{self, guide, summary},
        representation::Representation,
    },
    store::{DEFAULT_TENANT, StoredResource},
};
use actix_web::{HttpRequest, HttpResponse, web};

pub async fn read(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    api: web::Data<Api>,
) -> Result<HttpResponse, ApiError> {
    let representation = fhir::representation_only(&request)?;
    let (resource_type, id) = path.into_inner();
    if guide::has_type(&resource_type) {
        return guide::read(representation, &resource_type, &id);
    }
    fhir::check_type(&resource_type)?;
    match api.store.read(DEFAULT_TENANT, &resource_type, &id).await? {
        Some(stored) => Ok(answer(&request, representation, stored)),
        None if resource_type == "Composition" => match summary::composition(&api, &id).await? {
            Some(composition) => Ok(summary::answer(representation, &composition)),
            None => Err(ApiError::NotFound { resource_type }),
        },
        None => Err(ApiError::NotFound { resource_type }),
    }
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
