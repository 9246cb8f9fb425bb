//! Read: the current version of one resource. <https://hl7.org/fhir/R4/http.html#read>

use crate::{
    api::{Api, error::ApiError, fhir, representation::Representation},
    store::{DEFAULT_TENANT, StoredResource},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderMap, HeaderValue, HttpDate},
    web,
};
use std::time::{Duration, UNIX_EPOCH};

pub async fn read(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    api: web::Data<Api>,
) -> Result<HttpResponse, ApiError> {
    let representation = fhir::representation_only(&request)?;
    let (resource_type, id) = path.into_inner();
    fhir::check_type(&resource_type)?;
    match api.store.read(DEFAULT_TENANT, &resource_type, &id).await? {
        Some(stored) => Ok(answer(&request, representation, stored)),
        None => Err(ApiError::NotFound { resource_type }),
    }
}

/// One version with its headers, or 304 where the client has it already.
pub(super) fn answer(request: &HttpRequest, representation: Representation, stored: StoredResource) -> HttpResponse {
    let etag = etag(stored.version_id);
    let modified_seconds = u64::try_from(stored.last_updated / 1_000_000).unwrap_or(0);
    let unchanged = is_unchanged(request.headers(), &etag, modified_seconds);
    let mut answer = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header((header::ETAG, etag))
        .insert_header((header::LAST_MODIFIED, http_date(modified_seconds)))
        // A patient's data: no shared cache may keep it, and a private one asks again.
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")));
    if unchanged {
        answer.insert_header((header::VARY, "Accept"));
        return answer.finish();
    }
    representation.write(answer, stored.body)
}

/// <https://hl7.org/fhir/R4/http.html#versions>
pub(super) fn etag(version_id: u64) -> String {
    format!("W/\"{version_id}\"")
}

fn http_date(seconds: u64) -> HttpDate {
    HttpDate::from(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Conditional read: If-None-Match decides alone where it is given. <https://hl7.org/fhir/R4/http.html#cread>
fn is_unchanged(headers: &HeaderMap, etag: &str, modified_seconds: u64) -> bool {
    if headers.contains_key(header::IF_NONE_MATCH) {
        return headers
            .get_all(header::IF_NONE_MATCH)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|candidate| is_same_etag(candidate.trim(), etag));
    }
    headers
        .get(header::IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok()?.parse::<HttpDate>().ok())
        .is_some_and(|since| since >= http_date(modified_seconds))
}

/// Weak comparison: `W/"1"` and `"1"` name the same version.
fn is_same_etag(candidate: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
    candidate == "*" || opaque(candidate) == opaque(etag)
}
