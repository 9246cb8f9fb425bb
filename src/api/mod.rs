//! The api room: HTTP in and out. `fhir/` is the FHIR REST API, `kap/` the KAP contract.
//!
//! `routes` is the one list of what is served: the server, the CapabilityStatement and the tests that compare
//! them with openapi.yaml all read it.

pub mod conditional;
pub mod docs;
pub mod error;
pub mod fhir;
pub mod health;
pub mod kap;
pub mod observe;
pub mod parameters;
pub mod representation;

use crate::{ingest::Gateway, store::ResourceStore};
use actix_web::{
    HttpRequest, Resource, Route,
    guard::{self, Guard},
    http::{Method, header},
    web,
};
use bytes::Bytes;
use error::ApiError;
use std::{collections::BTreeMap, sync::Arc};

/// What the handlers work with.
pub struct Api {
    pub store: Arc<dyn ResourceStore>,
    pub gateway: Arc<Gateway>,
    /// Where clients reach the server, without a slash at the end: `https://kap.example.org`.
    pub base_url: String,
    pub page_size: PageSize,
    /// Largest body that is taken, in bytes.
    pub body_limit: usize,
}

impl Api {
    /// The FHIR service base URL.
    pub fn fhir_base(&self) -> String {
        format!("{}/fhir", self.base_url)
    }
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
        resource = resource.route((endpoint.route)().guard(answers(endpoint.method)));
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

/// The whole body, up to the limit. Compressed bodies are refused: what they unpack to has no limit.
pub async fn body(request: &HttpRequest, payload: web::Payload, limit: usize) -> Result<Bytes, ApiError> {
    if request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(ApiError::UnsupportedMediaType { expected: "it is, without Content-Encoding" });
    }
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(ApiError::BodyIncomplete),
        Err(_) => Err(ApiError::BodyTooLarge { limit }),
    }
}
