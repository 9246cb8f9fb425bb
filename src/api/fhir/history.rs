//! History of one resource: all its versions, newest first. <https://hl7.org/fhir/R4/http.html#history>

use crate::{
    api::{
        Api,
        conditional::etag,
        error::{ApiError, ParameterError},
        fhir::{
            self, COUNT, CURSOR,
            bundle::{Bundle, BundleType},
            search_query::page_size,
        },
        parameters::{self, FORMAT, PRETTY, Parameter},
    },
    fhir::outcome::IssueType,
    store::{DEFAULT_TENANT, StoredResource},
};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

const KNOWN: [&str; 4] = [COUNT, CURSOR, FORMAT, PRETTY];

pub async fn history(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    api: web::Data<Api>,
) -> Result<HttpResponse, ApiError> {
    let parameters = parameters::decode(request.query_string())?;
    let mut errors = parameters::check_names(&parameters, &KNOWN);
    let (count, before) = page(&parameters, &api, &mut errors);
    let representation = fhir::representation(&request, &parameters, errors)?;
    let (resource_type, id) = path.into_inner();
    fhir::check_type(&resource_type)?;

    let Some(current) = api.store.read(DEFAULT_TENANT, &resource_type, &id).await? else {
        return Err(ApiError::NotFound { resource_type });
    };
    // One more than the page holds tells whether another page follows.
    let mut versions = match count {
        0 => Vec::new(),
        count => api.store.history(DEFAULT_TENANT, &resource_type, &id, count + 1, before).await?,
    };
    let more = versions.len() > count;
    versions.truncate(count);

    let base = api.fhir_base();
    let url = format!("{base}/{resource_type}/{id}/_history");
    let mut used: Vec<Parameter> = parameters.into_iter().filter(|p| p.name != COUNT).collect();
    used.push(Parameter::new(COUNT, count.to_string()));
    // Versions count from 1 without gaps, so the newest number is how many there are.
    let mut bundle = Bundle::new(BundleType::History, Some(current.version_id));
    bundle.link("self", &url, &used);
    if let Some(last) = versions.last().filter(|_| more) {
        used.retain(|p| p.name != CURSOR);
        used.push(Parameter::new(CURSOR, last.version_id.to_string()));
        bundle.link("next", &url, &used);
    }
    for version in &versions {
        bundle.resource(&base, version, &request_and_response(version));
    }
    Ok(representation.write(HttpResponse::Ok(), bundle.finish()))
}

/// Page size, and the version below which the page starts.
fn page(parameters: &[Parameter], api: &Api, errors: &mut Vec<ParameterError>) -> (usize, Option<u64>) {
    let mut count = api.page_size.default;
    let mut before = None;
    for parameter in parameters {
        match parameter.name.as_str() {
            COUNT => match page_size(&parameter.value, api.page_size) {
                Ok(size) => count = size,
                Err(error) => errors.push(error),
            },
            CURSOR => match parameter.value.parse() {
                Ok(version_id) => before = Some(version_id),
                Err(_) => {
                    let problem = "is not from a link of this server";
                    errors.push(ParameterError::new(CURSOR, IssueType::Value, problem));
                }
            },
            _ => {}
        }
    }
    (count, before)
}

/// How the version came to be: the gateway gives every resource its id, so it is always a PUT.
fn request_and_response(version: &StoredResource) -> Value {
    let status = if version.version_id == 1 { "201" } else { "200" };
    json!({
        "request": { "method": "PUT", "url": format!("{}/{}", version.resource_type, version.id) },
        "response": {
            "status": status,
            "etag": etag(version.version_id),
            "lastModified": instant(version.last_updated),
        },
    })
}

/// Microseconds since 1970 as a FHIR instant.
fn instant(microseconds: i64) -> String {
    jiff::Timestamp::from_microsecond(microseconds).map(|timestamp| format!("{timestamp:.6}")).unwrap_or_default()
}
