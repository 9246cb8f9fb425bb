//! What every request passes: it gets an id, errors get their body, it is counted and timed, and one log line and one
//! span are written.
//!
//! Log, spans and metrics hold method, route pattern, status, duration and id: never the path, the query, a header or
//! the body, which may hold patient data.

use crate::api::{Api, error::ApiError};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use opentelemetry::{global, propagation::Extractor, trace::Status};
use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tracing::{Instrument, Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Target of the spans: they are written for OpenTelemetry alone, not into the log.
pub const TRACES: &str = "kap_gateway_traces";

/// The middleware: see the header of this file.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = request_id(&request);
    let metrics = request.app_data::<web::Data<Api>>().cloned();
    let _under_way = metrics.as_ref().map(|api| api.metrics.begin());
    let span = span(&request, &id);
    let mut response = match next.call(request).instrument(span.clone()).await?.map_into_boxed_body() {
        refused if refused.response().error().is_some() => write_error(refused, &id),
        // The compression refuses with a text of its own where no coding that it knows is accepted.
        refused if refused.status() == StatusCode::NOT_ACCEPTABLE => uncodable(refused),
        answered => answered,
    };
    let took = started.elapsed();
    let method = method_name(response.request().method());
    let pattern = response.request().match_pattern();
    let route = pattern.as_deref().unwrap_or("none");
    let status = response.status().as_u16();
    if let Some(api) = &metrics {
        api.metrics.answered(method, route, status, took);
    }
    tracing::info!(
        method,
        route,
        status,
        duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        request_id = id.to_str().unwrap_or_default(),
        "request"
    );
    if !span.is_disabled() {
        // Of unsigned numbers OpenTelemetry makes texts.
        span.record("http.response.status_code", i64::from(status));
        if response.status().is_server_error() {
            span.set_status(Status::error(""));
        }
    }
    response.headers_mut().insert(REQUEST_ID, id);
    Ok(response)
}

/// The span of a request, a child of the caller's where it sends `traceparent`, <https://www.w3.org/TR/trace-context/>.
/// Attributes: <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>.
fn span(request: &ServiceRequest, id: &HeaderValue) -> Span {
    if !tracing::enabled!(target: TRACES, tracing::Level::INFO) {
        return Span::none();
    }
    let (method, pattern) = (method_name(request.method()), request.match_pattern());
    let route = pattern.as_deref().unwrap_or("none");
    let span = tracing::info_span!(
        target: TRACES,
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        request_id = id.to_str().unwrap_or_default(),
    );
    let caller = global::get_text_map_propagator(|propagator| propagator.extract(&Headers(request)));
    // Without a layer that traces there is nothing to put it in.
    let _ = span.set_parent(caller);
    span
}

/// The headers of a request, as the propagator of traces reads them.
struct Headers<'a>(&'a ServiceRequest);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.headers().get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.headers().keys().map(HeaderName::as_str).collect()
    }
}

/// A client may send any word as the method: only the standard ones are named.
fn method_name(method: &Method) -> &'static str {
    const STANDARD: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"];
    STANDARD.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
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

fn uncodable(refused: ServiceResponse) -> ServiceResponse {
    let (request, _) = refused.into_parts();
    let answer = ApiError::CodingNotAcceptable.response(&request);
    ServiceResponse::new(request, answer)
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
