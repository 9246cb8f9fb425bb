//! Binary as what it holds: unless FHIR is asked for, or sent, by name, its content goes over the wire in its own media type.
//! <https://hl7.org/fhir/R4/binary.html#rest>

use crate::{
    api::{
        self, Api,
        conditional::{Version, version_headers},
        error::ApiError,
        fhir::resource_body,
        representation::Format,
    },
    store::StoredResource,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
    web,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

pub const BINARY: &str = "Binary";

/// Who may see a Binary, where nothing else says so: another resource, to which access is asked instead.
const SECURITY_CONTEXT: HeaderName = HeaderName::from_static("x-security-context");

/// May a read mean the content? Not where FHIR is asked for by name, or a part of the resource.
pub fn is_asked_for(request: &HttpRequest, resource_type: &str) -> bool {
    let is_fhir = |range: String| matches!(range.as_str(), "application/fhir+json" | "application/fhir+xml");
    resource_type == BINARY && request.query_string().is_empty() && !accepted(request.headers()).any(is_fhir)
}

/// The content of a Binary, where the request accepts what it is. `None`: the resource is meant.
pub fn content(request: &HttpRequest, stored: &StoredResource) -> Option<HttpResponse> {
    let binary: Value = serde_json::from_slice(&stored.body).ok()?;
    let media_type = HeaderValue::from_str(binary["contentType"].as_str()?).ok()?;
    if !accepts(request.headers(), media_type.to_str().ok()?) {
        return None;
    }
    let text: String = binary["data"].as_str()?.split_ascii_whitespace().collect();
    let data = STANDARD.decode(text).ok()?;
    let version = Version { tag: &stored.version_id.to_string(), last_updated: stored.last_updated };
    let (mut answer, unchanged) = version_headers(request, version);
    if unchanged {
        return Some(answer.finish());
    }
    if let Some(context) = binary["securityContext"]["reference"].as_str().map(HeaderValue::from_str) {
        answer.insert_header((SECURITY_CONTEXT, context.ok()?));
    }
    // Whoever stored it said what it is: a browser neither guesses anew nor lets it act as a page of this server.
    answer.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    answer.insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"));
    Some(answer.insert_header((header::CONTENT_TYPE, media_type)).body(data))
}

/// Does `Accept` take that media type? Everything where it is not sent.
fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let media_type = essence(media_type);
    let family = media_type.split('/').next().unwrap_or_default();
    let fits = |range: String| range == media_type || range == "*/*" || range == format!("{family}/*");
    !headers.contains_key(header::ACCEPT) || accepted(headers).any(fits)
}

fn accepted(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(essence)
}

/// A media type without its parameters.
fn essence(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The body of a write, and how many bytes it has: a resource, or of a Binary the content. `id`: of the URL.
pub async fn or_resource(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
    (resource_type, id): (&str, Option<&str>),
) -> Result<(Value, usize), ApiError> {
    let named = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // A page of another site may send text and forms without asking this server first, and says where it comes from.
    let may_be = resource_type == BINARY && !request.headers().contains_key(header::ORIGIN);
    let Some(media_type) = named.filter(|name| may_be && is_content(name)) else {
        return resource_body::required(request, payload, api).await;
    };
    let body = api::body(request, payload, &api.limits, api.limits.of_fhir()).await?;
    if body.is_empty() {
        return Err(ApiError::NoBody);
    }
    let mut binary = json!({ "resourceType": BINARY });
    if let Some(id) = id {
        binary["id"] = id.into();
    }
    binary["contentType"] = media_type.trim().into();
    if let Some(context) = request.headers().get(SECURITY_CONTEXT) {
        let wrong = || ApiError::WrongHeader { header: "X-Security-Context", problem: "must be a reference" };
        binary["securityContext"] = json!({ "reference": context.to_str().map_err(|_| wrong())? });
    }
    let text = STANDARD.encode(&body);
    let size = text.len();
    binary["data"] = text.into();
    Ok((binary, size))
}

/// A media type that is none in which this server reads resources.
fn is_content(media_type: &str) -> bool {
    let name = essence(media_type);
    Format::of_content(&name).is_none()
        && name.split_once('/').is_some_and(|(family, kind)| !(family.is_empty() || kind.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn content_is_given_where_it_is_accepted_and_fhir_is_not_asked_for() {
        for (accept, media_type, expected) in [
            ("*/*", "application/pdf", true),
            ("application/pdf", "application/pdf", true),
            ("application/*;q=0.5", "application/pdf", true),
            ("text/plain", "Text/Plain; charset=utf-8", true),
            ("text/html,application/xml;q=0.9,*/*;q=0.8", "text/plain", true),
            ("application/json", "application/pdf", false),
            ("image/png", "application/pdf", false),
        ] {
            let request = TestRequest::default().insert_header(("Accept", accept)).to_http_request();
            assert_eq!(accepts(request.headers(), media_type), expected, "{accept} of {media_type}");
        }
        assert!(accepts(TestRequest::default().to_http_request().headers(), "application/pdf"));
        for accept in ["application/fhir+json", "application/fhir+xml;q=0.1, */*"] {
            let request = TestRequest::default().insert_header(("Accept", accept)).to_http_request();
            assert!(!is_asked_for(&request, BINARY), "{accept}");
        }
        let request = TestRequest::default().insert_header(("Accept", "*/*")).to_http_request();
        assert!(is_asked_for(&request, BINARY) && !is_asked_for(&request, "Patient"));
    }

    #[test]
    fn what_is_fhir_is_no_content() {
        for name in
            ["application/fhir+json", "application/json; charset=utf-8", "application/fhir+xml", "text", "/x", "x/"]
        {
            assert!(!is_content(name), "{name}");
        }
        assert!(is_content("application/pdf") && is_content("text/plain; charset=latin1"));
    }
}
