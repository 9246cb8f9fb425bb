//! What every request passes: it gets an id, errors get their body, and one log line is written.
//!
//! The log holds method, route pattern, status, duration and id: never the path, the query, a header or the body,
//! which may hold patient data.

use crate::api::error::ApiError;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
};
use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use uuid::Uuid;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The middleware: see the header of this file.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = request_id(&request);
    let mut response = match next.call(request).await?.map_into_boxed_body() {
        refused if refused.response().error().is_some() => write_error(refused, &id),
        answered => answered,
    };
    if tracing::enabled!(tracing::Level::INFO) {
        tracing::info!(
            method = method_name(response.request().method()),
            route = response.request().match_pattern().as_deref().unwrap_or("none"),
            status = response.status().as_u16(),
            duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            request_id = id.to_str().unwrap_or_default(),
            "request"
        );
    }
    response.headers_mut().insert(REQUEST_ID, id);
    Ok(response)
}

/// A client may send any word as the method: only the standard ones are logged.
fn method_name(method: &Method) -> &str {
    const STANDARD: [Method; 9] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ];
    if STANDARD.contains(method) { method.as_str() } else { "other" }
}

/// The client's own id where it is a UUID; other texts might name a patient, and the id is logged.
fn request_id(request: &ServiceRequest) -> HeaderValue {
    let sent = request.headers().get(&REQUEST_ID);
    let client = sent.and_then(|value| Uuid::try_parse_ascii(value.as_bytes()).ok());
    let mut buffer = Uuid::encode_buffer();
    let text = client.unwrap_or_else(next_id).hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none"))
}

/// A random half for the process and a counter: asking the system for randomness took longer than the rest of this.
fn next_id() -> Uuid {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| Uuid::new_v4().as_u64_pair().0);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // The highest bit says, as in every UUID of today, which layout this is.
    Uuid::from_u64_pair(*PROCESS, 1 << 63 | COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Gives an error its OperationOutcome, in the format that the request asked for.
fn write_error(refused: ServiceResponse, id: &HeaderValue) -> ServiceResponse {
    let (request, response) = refused.into_parts();
    let answer = match response.error().and_then(|error| error.as_error::<ApiError>()) {
        Some(error) => {
            if response.status().is_server_error() {
                tracing::error!(request_id = id.to_str().unwrap_or_default(), %error, "cannot answer");
            }
            error.response(&request)
        }
        None => ApiError::Framework(response.status()).response(&request),
    };
    ServiceResponse::new(request, answer)
}
