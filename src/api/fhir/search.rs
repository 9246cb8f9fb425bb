//! Search on one type, by GET and by POST. <https://hl7.org/fhir/R4/http.html#search>

use crate::{
    api::{
        self, Api,
        error::ApiError,
        fhir::{
            self, CURSOR,
            bundle::{Bundle, BundleType},
            guide,
            search_query::{self, Search},
        },
        parameters::{self, Handling, Parameter},
        representation::Representation,
    },
    fhir::outcome::operation_outcome,
    store::{DEFAULT_TENANT, SearchPage},
};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, http::header, web};
use bytes::Bytes;
use serde_json::json;

const FORM: &str = "application/x-www-form-urlencoded";

pub async fn search(
    request: HttpRequest,
    resource_type: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, ApiError> {
    let parameters = parameters::decode(request.query_string())?;
    answer(&request, &resource_type, parameters, &api).await
}

/// Parameters may stand in the URL, in the form, or in both. <https://hl7.org/fhir/R4/search.html#Introduction>
pub async fn search_by_post(
    request: HttpRequest,
    resource_type: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, ApiError> {
    let form = read_form(&request, payload, api.body_limit).await?;
    let mut parameters = parameters::decode(request.query_string())?;
    parameters.extend(parameters::decode(&form)?);
    if let Ok(representation) = Representation::chosen(&parameters, request.headers()) {
        // Errors are written where the form is not known.
        request.extensions_mut().insert(representation);
    }
    answer(&request, &resource_type, parameters, &api).await
}

/// The form's text. A search without parameters needs no body, and then no Content-Type.
async fn read_form(request: &HttpRequest, payload: web::Payload, limit: usize) -> Result<String, ApiError> {
    let body = api::body(request, payload, limit).await?;
    let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let named = content_type.and_then(|text| text.split(';').next()).map(|name| name.trim().to_ascii_lowercase());
    if named.as_deref() != Some(FORM) && !(named.is_none() && body.is_empty()) {
        return Err(ApiError::UnsupportedMediaType { expected: FORM });
    }
    String::from_utf8(body.into()).map_err(|_| ApiError::MalformedUrl)
}

async fn answer(
    request: &HttpRequest,
    resource_type: &str,
    parameters: Vec<Parameter>,
    api: &Api,
) -> Result<HttpResponse, ApiError> {
    if guide::has_type(resource_type) {
        return guide::search(request, resource_type, &parameters, api);
    }
    fhir::check_type(resource_type)?;
    let base = api.fhir_base();
    let handling = Handling::of(request);
    let (search, errors) = search_query::parse(resource_type, &parameters, handling, api.page_size, &base);
    let representation = fhir::representation(request, &parameters, errors)?;
    let query = search.query.clone();
    let mut page = api.store.search(DEFAULT_TENANT, query).await?;
    if search.count_only {
        page.resources.clear();
        page.next = None;
    }
    let bundle = searchset(&base, resource_type, search, &page);
    Ok(representation.write(HttpResponse::Ok(), bundle))
}

fn searchset(base: &str, resource_type: &str, search: Search, page: &SearchPage) -> Bytes {
    let url = format!("{base}/{resource_type}");
    let mut bundle = Bundle::new(BundleType::Searchset, page.total);
    bundle.link("self", &url, &search.used);
    if let Some(next) = &page.next {
        let mut used = search.used;
        used.retain(|parameter| parameter.name != CURSOR);
        used.push(Parameter::new(CURSOR, next.0.as_str()));
        bundle.link("next", &url, &used);
    }
    let matched = json!({ "search": { "mode": "match" } });
    for resource in &page.resources {
        bundle.resource(base, resource, &matched);
    }
    if !search.notes.is_empty() {
        bundle.outcome(&operation_outcome(&search.notes));
    }
    bundle.finish()
}
