//! Version headers of an answer, and conditional reads. <https://hl7.org/fhir/R4/http.html#cread>

use crate::api::{error::ApiError, fhir::write::IfMatch};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header::{self, HeaderMap, HeaderName, HeaderValue, HttpDate},
};
use std::time::{Duration, UNIX_EPOCH};

/// Which version an answer shows.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// What stands between the quotes of the ETag.
    pub tag: &'a str,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub last_updated: i64,
}

/// Starts the answer: 200, or 304 (then `true`) where the client has this version already.
pub fn version_headers(request: &HttpRequest, version: Version) -> (HttpResponseBuilder, bool) {
    let etag = etag(version.tag);
    let modified = http_date(version.last_updated);
    let unchanged = is_unchanged(request.headers(), &etag, modified);
    let mut answer = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header((header::ETAG, etag))
        .insert_header((header::LAST_MODIFIED, modified))
        .insert_header((header::VARY, HeaderValue::from_static("Accept")))
        // A patient's data: no shared cache may keep it, and a private one asks again.
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")));
    (answer, unchanged)
}

/// Weak, because the same version may be written as JSON or as XML.
pub fn etag(tag: impl std::fmt::Display) -> String {
    format!("W/\"{tag}\"")
}

/// Whole seconds: the format has no smaller unit.
pub fn http_date(microseconds: i64) -> HttpDate {
    let seconds = u64::try_from(microseconds / 1_000_000).unwrap_or(0);
    HttpDate::from(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// What a write's `If-Match` names: one version, or `*` for any. <https://hl7.org/fhir/R4/http.html#concurrency>
pub fn if_match(request: &HttpRequest) -> Result<Option<IfMatch>, ApiError> {
    let mut sent = request.headers().get_all(header::IF_MATCH);
    let Some(value) = sent.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| sent.next().is_none());
    text.and_then(version_of).map(Some).ok_or(ApiError::WrongHeader { header: "If-Match", problem: TAG })
}

const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

/// A condition that the interaction does not have would be passed over, and the client would not know.
pub fn refuse_meaningless(request: &HttpRequest, creates: bool) -> Result<(), ApiError> {
    const OF_UPDATES: &str = "has no meaning in a create: If-None-Exist says when nothing is to be created";
    let has = |name: HeaderName| request.headers().contains_key(name);
    if creates && has(header::IF_MATCH) {
        return Err(ApiError::WrongHeader { header: "If-Match", problem: OF_UPDATES });
    }
    if creates && has(header::IF_NONE_MATCH) {
        return Err(ApiError::WrongHeader { header: "If-None-Match", problem: OF_UPDATES });
    }
    if !creates && has(IF_NONE_EXIST) {
        let problem = "is for creates: in other interactions the URL has the search";
        return Err(ApiError::WrongHeader { header: "If-None-Exist", problem });
    }
    Ok(())
}

const TAG: &str = "must be one version as an ETag names it, such as W/\"3\", or *";

/// `*`, `W/"3"`, `"3"`. A tag that is not of ours names a version that is never there.
pub fn version_of(text: &str) -> Option<IfMatch> {
    let text = text.trim();
    if text == "*" {
        return Some(IfMatch::Any);
    }
    let tag = text.strip_prefix("W/").unwrap_or(text).strip_prefix('"')?.strip_suffix('"')?;
    (!tag.contains(['"', ','])).then(|| IfMatch::Version(tag.parse().unwrap_or(0)))
}

/// `If-None-Match: *` of an update: only where nothing is there.
pub fn only_new(request: &HttpRequest) -> Result<bool, ApiError> {
    match request.headers().get(header::IF_NONE_MATCH).map(|value| value.to_str().unwrap_or_default().trim()) {
        None => Ok(false),
        Some("*") => Ok(true),
        Some(_) => {
            let problem = "of a write must be *; If-Match names the version that is to be changed";
            Err(ApiError::WrongHeader { header: "If-None-Match", problem })
        }
    }
}

/// If-None-Match decides alone where it is given.
fn is_unchanged(headers: &HeaderMap, etag: &str, modified: HttpDate) -> bool {
    if headers.contains_key(header::IF_NONE_MATCH) {
        return headers
            .get_all(header::IF_NONE_MATCH)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|candidate| is_same(candidate.trim(), etag));
    }
    headers
        .get(header::IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok()?.parse::<HttpDate>().ok())
        .is_some_and(|since| since >= modified)
}

/// Weak comparison: `W/"1"` and `"1"` name the same version.
fn is_same(candidate: &str, etag: &str) -> bool {
    candidate == "*" || candidate.trim_start_matches("W/") == etag.trim_start_matches("W/")
}
