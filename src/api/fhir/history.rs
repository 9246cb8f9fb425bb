//! History of one resource, of a type or of all: versions, newest first. <https://hl7.org/fhir/R4/http.html#history>

use crate::{
    api::{
        conditional::etag,
        error::{ApiError, ParameterError},
        fhir::{
            self, COUNT, CURSOR,
            bundle::{Bundle, BundleType, Rest},
            search_query::page_size,
            search_subset::{self, ELEMENTS, SUMMARY, Subset},
        },
        parameters::{self, FORMAT, PRETTY, Parameter},
        session::Session,
    },
    fhir::{outcome::IssueType, search::parse_date},
    store::{
        StoredResource,
        history::{HistoryQuery, MadeBy, Method},
    },
};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde_json::{Value, json};

const SINCE: &str = "_since";
const AT: &str = "_at";
const KNOWN: [&str; 8] = [COUNT, SINCE, AT, CURSOR, SUMMARY, ELEMENTS, FORMAT, PRETTY];

pub async fn history(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let (resource_type, id) = path.into_inner();
    answer(&request, &api, Some(resource_type), Some(id)).await
}

pub async fn history_of_type(
    request: HttpRequest,
    resource_type: web::Path<String>,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    answer(&request, &api, Some(resource_type.into_inner()), None).await
}

pub async fn history_of_all(request: HttpRequest, api: Session) -> Result<HttpResponse, ApiError> {
    answer(&request, &api, None, None).await
}

async fn answer(
    request: &HttpRequest,
    api: &Session,
    resource_type: Option<String>,
    id: Option<String>,
) -> Result<HttpResponse, ApiError> {
    let parameters = parameters::decode(request.query_string())?;
    let (asked, errors) = Asked::read(&parameters, api);
    let representation = fhir::representation(request, &parameters, errors)?;
    let bundle = bundle(api, asked, parameters, resource_type, id).await?;
    Ok(representation.write(HttpResponse::Ok(), bundle))
}

/// The history that an entry of a Bundle asks for.
pub async fn find(
    api: &Session,
    parameters: Vec<Parameter>,
    resource_type: Option<String>,
    id: Option<String>,
) -> Result<Bytes, ApiError> {
    let (asked, errors) = Asked::read(&parameters, api);
    if errors.is_empty() {
        bundle(api, asked, parameters, resource_type, id).await
    } else {
        Err(ApiError::Parameters(errors))
    }
}

/// What the parameters ask for.
struct Asked {
    query: HistoryQuery,
    /// The page size, which may be 0.
    count: usize,
    subset: Subset,
}

impl Asked {
    /// With all errors: with any, nothing must be given.
    fn read(parameters: &[Parameter], api: &Session) -> (Self, Vec<ParameterError>) {
        // A span has a beginning and an end, each a parameter of its own.
        let (spans, others): (Vec<&Parameter>, Vec<&Parameter>) = parameters.iter().partition(|one| one.name == AT);
        let others: Vec<Parameter> = others.into_iter().chain(spans.first().copied()).cloned().collect();
        let mut errors = parameters::check_names(&others, &KNOWN);
        if spans.len() > 2 {
            errors.push(ParameterError::new(
                AT,
                IssueType::Invalid,
                "may be given twice at most: from (ge) and to (le)",
            ));
        }
        let (query, count) = read(parameters, api, &mut errors);
        let subset = search_subset::asked(parameters, &mut errors);
        (Self { query, count, subset }, errors)
    }
}

async fn bundle(
    api: &Session,
    Asked { mut query, count, subset }: Asked,
    parameters: Vec<Parameter>,
    resource_type: Option<String>,
    id: Option<String>,
) -> Result<Bytes, ApiError> {
    if let Some(resource_type) = &resource_type {
        fhir::check_type(resource_type)?;
    }
    let mut total = None;
    if let (Some(resource_type), Some(id)) = (&resource_type, &id) {
        let count = api.rows().count_versions(resource_type, id).await?;
        if count == 0 {
            return Err(ApiError::NotFound { resource_type: resource_type.clone() });
        }
        total = (query.since.is_none() && query.at.is_none()).then_some(count);
    }
    let path = [resource_type.as_deref(), id.as_deref(), Some("_history")];
    let base = api.fhir_base();
    let url = path.into_iter().flatten().fold(base.clone(), |url, part| format!("{url}/{part}"));
    (query.resource_type, query.id) = (resource_type, id);
    let (versions, next) = match count {
        0 => (Vec::new(), None),
        _ => {
            let page = api.rows().versions(query).await?;
            (page.versions, page.next)
        }
    };

    let mut used: Vec<Parameter> = parameters.into_iter().filter(|p| p.name != COUNT).collect();
    used.push(Parameter::new(COUNT, count.to_string()));
    let mut bundle = Bundle::new(BundleType::History, total);
    bundle.link("self", &url, &used);
    if let Some(next) = next {
        used.retain(|p| p.name != CURSOR);
        used.push(Parameter::new(CURSOR, next.to_string()));
        bundle.link("next", &url, &used);
    }
    let made_by = api.rows().made_by(&versions).await?;
    bundle.expect(versions.iter());
    for (version, made_by) in versions.into_iter().zip(made_by) {
        let told = Rest::of(&request_and_response(&version, made_by));
        bundle.version(&base, &subset.of(version, &api.definitions)?, &told);
    }
    Ok(bundle.finish())
}

/// Which versions, and the page size, which may be 0.
fn read(parameters: &[Parameter], api: &Session, errors: &mut Vec<ParameterError>) -> (HistoryQuery, usize) {
    let mut query = HistoryQuery { count: api.page_size.default, ..HistoryQuery::default() };
    let mut count = api.page_size.default;
    for Parameter { name, value } in parameters {
        let mut wrong = |problem| errors.push(ParameterError::new(name, IssueType::Value, problem));
        let span = || parse_date(value);
        const NO_TIME: &str = "must be a date or an instant such as 2026-02-03T10:00:00Z (write + in an offset as %2B)";
        match name.as_str() {
            COUNT => match page_size(value, api.page_size) {
                Ok(size) => count = size,
                Err(error) => errors.push(error),
            },
            SINCE => match span() {
                Some((low, _)) => query.since = Some(low),
                None => wrong(NO_TIME),
            },
            AT => match bounds(value) {
                Some((from, to)) => {
                    let (first, last) = query.at.unwrap_or((i64::MIN, i64::MAX));
                    query.at = Some((first.max(from), last.min(to)));
                }
                None => wrong(NO_TIME),
            },
            CURSOR => match value.parse() {
                Ok(before) => query.before = Some(before),
                Err(_) => wrong("is not from a link of this server"),
            },
            _ => {}
        }
    }
    query.count = count.max(1);
    (query, count)
}

/// A time, or with a prefix all times from it or up to it; both ends inclusive.
fn bounds(value: &str) -> Option<(i64, i64)> {
    let (prefix, text) = match value.split_at_checked(2) {
        Some((letters, text)) if letters.bytes().all(|byte| byte.is_ascii_alphabetic()) => (letters, text),
        Some(_) | None => ("eq", value),
    };
    let (low, high) = parse_date(text)?;
    match prefix {
        "eq" => Some((low, high)),
        "ge" => Some((low, i64::MAX)),
        "gt" => Some((high.saturating_add(1), i64::MAX)),
        "le" => Some((i64::MIN, high)),
        "lt" => Some((i64::MIN, low.saturating_sub(1))),
        _ => None,
    }
}

/// How the version came to be. What no request under `/fhir` made, but a record, is told as the PUT that would make the
/// same of it; so is what an older data file does not tell.
fn request_and_response(version: &StoredResource, made_by: Option<MadeBy>) -> Value {
    let created = made_by.map_or(version.version_id == 1, |made_by| made_by.created);
    let (method, status) = match (version.is_deletion(), made_by.map(|made_by| made_by.method)) {
        (true, _) => ("DELETE", "204"),
        (false, Some(Method::Post)) => ("POST", "201"),
        (false, Some(Method::Patch)) => ("PATCH", "200"),
        (false, Some(Method::Put) | None) => ("PUT", if created { "201" } else { "200" }),
    };
    let url = match method {
        // A create goes to the type.
        "POST" => version.resource_type.clone(),
        _ => format!("{}/{}", version.resource_type, version.id),
    };
    json!({
        "request": { "method": method, "url": url },
        "response": {
            "status": status,
            "etag": etag(version.version_id),
            "lastModified": instant(version.last_updated),
        },
    })
}

/// Microseconds since 1970 as a FHIR instant.
pub fn instant(microseconds: i64) -> String {
    jiff::Timestamp::from_microsecond(microseconds).map(|timestamp| format!("{timestamp:.6}")).unwrap_or_default()
}
