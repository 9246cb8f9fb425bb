//! The api room: HTTP in and out. `fhir/` is the FHIR REST API, `kap/` the KAP contract.
//!
//! `routes` is the one list of what is served: the server, the CapabilityStatement and the tests that compare
//! them with openapi.yaml all read it.

pub mod conditional;
pub mod docs;
pub mod error;
pub mod fhir;
pub mod health;
pub mod idempotency;
pub mod kap;
pub mod limits;
pub mod metrics;
pub mod observe;
pub mod parameters;
pub mod representation;
pub mod session;

use crate::{
    consent::Door,
    fhir::{
        definitions::Definitions,
        validate::{Enforced, Validator},
    },
    ingest::Gateway,
};
use actix_web::{
    HttpRequest, Resource, Route,
    body::{BodyStream, MessageBody},
    dev::Decompress,
    guard::{self, Guard},
    http::{Method, header},
    middleware::from_fn,
    web,
};
use bytes::{Bytes, BytesMut};
use error::ApiError;
use fhir::search_filter::Surroundings;
use limits::{BodyLimit, LARGE_BODY, Limits};
use metrics::Metrics;
use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// What the handlers work with.
pub struct Api {
    pub door: Door,
    pub gateway: Arc<Gateway>,
    /// Where clients reach the server, without a slash at the end: `https://kap.example.org`.
    pub base_url: String,
    pub page_size: PageSize,
    pub limits: Limits,
    pub definitions: Definitions,
    /// Made of the definitions when it is first asked for.
    pub validator: OnceLock<Arc<Validator>>,
    pub metrics: Arc<Metrics>,
    pub idempotency: Idempotency,
    /// Is what comes through `/fhir` validated before it is stored?
    pub validate_writes: bool,
    /// Which faults keep a resource from being written.
    pub enforced: Enforced,
}

impl Api {
    pub fn validator(&self) -> &Arc<Validator> {
        self.validator.get_or_init(|| Arc::new(Validator::new(self.definitions.clone())))
    }

    /// The validator that a write asks; `None` where the operator has switched that off.
    pub fn validator_on_write(&self) -> Option<&Arc<Validator>> {
        self.validate_writes.then(|| self.validator())
    }

    /// What reading a search needs; `fhir_base` is this server's.
    pub fn surroundings<'a>(&'a self, fhir_base: &'a str) -> Surroundings<'a> {
        Surroundings {
            definitions: &self.definitions,
            fhir_base,
            chain_links: self.limits.chain_links,
            include_limit: self.limits.include_limit,
        }
    }

    /// The FHIR service base URL.
    pub fn fhir_base(&self) -> String {
        format!("{}/fhir", self.base_url)
    }
}

/// Requests with an `Idempotency-Key`.
pub struct Idempotency {
    /// How long the answers are kept.
    pub kept_for: Duration,
    pub under_way: idempotency::UnderWay,
}

/// How many resources a page of a Bundle holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    /// Where `_count` is not given.
    pub default: usize,
    /// The most, whatever `_count` says.
    pub max: usize,
}

/// One method on one path.
pub struct Endpoint {
    pub method: Method,
    /// As actix-web and openapi.yaml write it; patterns of path segments (`{id:...}`) are actix-web's.
    pub path: &'static str,
    /// The code of the FHIR interaction that it is, for the CapabilityStatement.
    pub interaction: Option<fhir::Interaction>,
    pub route: fn() -> Route,
}

/// Everything that is served. Where two patterns could match, the earlier wins.
pub fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = fhir::endpoints();
    endpoints.extend(kap::endpoints());
    endpoints.extend(health::endpoints());
    endpoints.extend(metrics::endpoints());
    endpoints.extend(docs::endpoints());
    endpoints
}

/// Registers every endpoint; a path with another method answers 405, anything else 404.
pub fn configure(config: &mut web::ServiceConfig) {
    let mut order = Vec::new();
    let mut by_path: BTreeMap<&str, Vec<Endpoint>> = BTreeMap::new();
    for endpoint in endpoints() {
        if !by_path.contains_key(endpoint.path) {
            order.push(endpoint.path);
        }
        by_path.entry(endpoint.path).or_default().push(endpoint);
    }
    for path in order {
        config.service(resource(path, by_path.remove(path).unwrap_or_default()));
    }
    config.default_service(web::to(unknown_route));
}

fn resource(path: &str, endpoints: Vec<Endpoint>) -> Resource {
    let allow = allowed_methods(&endpoints);
    let mut resource = web::resource(path);
    for endpoint in endpoints {
        let route = (endpoint.route)().guard(answers(endpoint.method)).wrap(from_fn(limits::in_time));
        resource = resource.route(route);
    }
    resource.default_service(web::to(move || {
        let allow = allow.clone();
        async move { Err::<String, _>(ApiError::MethodNotAllowed { allow }) }
    }))
}

/// A GET route answers HEAD too; the server leaves the body out.
fn answers(method: Method) -> impl Guard {
    guard::fn_guard(move |context| {
        let asked = &context.head().method;
        asked == method || (asked == Method::HEAD && method == Method::GET)
    })
}

fn allowed_methods(endpoints: &[Endpoint]) -> String {
    let mut methods: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.join(", ")
}

async fn unknown_route(request: HttpRequest) -> Result<String, ApiError> {
    parameters::decode_percent(request.path())?;
    Err(ApiError::UnknownRoute)
}

/// Codings of bodies that are taken: <https://www.rfc-editor.org/rfc/rfc9110#field.content-encoding>.
const CODINGS: [&str; 4] = ["identity", "gzip", "deflate", "zstd"];

/// The whole body, unpacked, up to the limit: unpacking ends where the limit is passed.
pub async fn body(
    request: &HttpRequest,
    payload: web::Payload,
    limits: &Limits,
    limit: BodyLimit,
) -> Result<Bytes, ApiError> {
    let coding = request.headers().get(header::CONTENT_ENCODING);
    if coding
        .is_some_and(|coding| !CODINGS.iter().any(|known| coding.as_bytes().eq_ignore_ascii_case(known.as_bytes())))
    {
        return Err(ApiError::UnsupportedMediaType {
            expected: "it is, or with Content-Encoding gzip, deflate or zstd",
        });
    }
    match tokio::time::timeout(limits.body_time, whole(request, payload, limits, limit)).await {
        Ok(Ok(bytes)) => {
            idempotency::note_body(request, &bytes);
            Ok(bytes)
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(ApiError::BodyTooSlow { seconds: limits.body_time.as_secs() }),
    }
}

async fn whole(
    request: &HttpRequest,
    payload: web::Payload,
    limits: &Limits,
    BodyLimit { bytes: limit, setting }: BodyLimit,
) -> Result<Bytes, ApiError> {
    let told = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let is_packed = request.headers().contains_key(header::CONTENT_ENCODING);
    if told.is_some_and(|told: usize| told > limit) && !is_packed {
        return Err(ApiError::BodyTooLarge { limit, setting });
    }
    let mut body = pin!(BodyStream::new(Decompress::from_headers(payload, request.headers())));
    let mut bytes = BytesMut::with_capacity(told.unwrap_or_default().min(LARGE_BODY));
    while let Some(chunk) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        let chunk = chunk.map_err(|_| ApiError::BodyIncomplete)?;
        let size = bytes.len() + chunk.len();
        if size > limit {
            return Err(ApiError::BodyTooLarge { limit, setting });
        }
        if size > LARGE_BODY {
            limits.room_for_large(request).await?;
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{App, HttpServer};
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
    };
    use tokio::sync::Semaphore;

    #[actix_web::test]
    async fn body_that_does_not_come_returns_408_and_ends_the_connection() {
        async fn read(request: HttpRequest, payload: web::Payload) -> Result<String, ApiError> {
            let limits = Limits {
                body_limit: 100,
                fhir_body_limit: 100,
                large_bodies: Arc::new(Semaphore::new(1)),
                bundle_entries: 1,
                content_depth: 1,
                include_limit: 1,
                chain_links: 1,
                request_time: Duration::ZERO,
                body_time: Duration::from_millis(50),
            };
            body(&request, payload, &limits, limits.of_fhir()).await.map(|_| String::new())
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = || App::new().wrap(from_fn(observe::observe)).route("/", web::post().to(read));
        let server = HttpServer::new(app).workers(1).listen(listener).expect("a server").run();
        let handle = server.handle();
        tokio::spawn(server);
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).expect("a connection");
            stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
            stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na").expect("sent");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("an answer, and its end");
            answer
        });
        let answer = answer.await.expect("an answer");
        handle.stop(false).await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("OperationOutcome"), "{answer}");
    }
}
