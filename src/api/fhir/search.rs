//! Search by GET and by POST, on one type, in a compartment and on all types. <https://hl7.org/fhir/R4/http.html#search>

use crate::{
    api::{
        self,
        error::{ApiError, ParameterError},
        fhir::{
            self, CURSOR,
            bundle::{Bundle, BundleType, Rest},
            guide,
            search_filter::is_type,
            search_query::{self, SORT, Search},
        },
        parameters::{self, Handling, Parameter},
        representation::Representation,
        session::Session,
    },
    consent::Sight,
    fhir::{
        outcome::{Issue, IssueType, Severity, operation_outcome},
        search::{compartment_parameters, resource_types},
    },
    store::{Cursor, Filter, FilterValue, SearchPage, StoreError, StoredResource},
};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, http::header, web};
use bytes::Bytes;
use serde_json::json;
use std::sync::{Arc, LazyLock};

const FORM: &str = "application/x-www-form-urlencoded";
const TYPES: &str = "_type";

/// What entries say of their place in a search. <https://hl7.org/fhir/R4/valueset-search-entry-mode.html>
static MATCHED: LazyLock<Rest> = LazyLock::new(|| Rest::of(&json!({ "search": { "mode": "match" } })));
static INCLUDED: LazyLock<Rest> = LazyLock::new(|| Rest::of(&json!({ "search": { "mode": "include" } })));

/// Merged patients whom one answer names.
const MOST_NAMED: usize = 5;

/// All types of a compartment: `Patient/{id}/*`.
const ALL: &str = "*";

pub async fn search(
    request: HttpRequest,
    resource_type: web::Path<String>,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let parameters = parameters::decode(request.query_string())?;
    answer(&request, Place::of_type(&resource_type)?, parameters, &api).await
}

/// Parameters may stand in the URL, in the form, or in both. <https://hl7.org/fhir/R4/search.html#Introduction>
pub async fn search_by_post(
    request: HttpRequest,
    resource_type: web::Path<String>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let parameters = posted(&request, payload, &api).await?;
    answer(&request, Place::of_type(&resource_type)?, parameters, &api).await
}

pub async fn search_in_compartment(
    request: HttpRequest,
    path: web::Path<(String, String, String)>,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let (compartment, id, resource_type) = path.into_inner();
    let parameters = parameters::decode(request.query_string())?;
    answer(&request, Place::in_compartment(&compartment, &id, &resource_type)?, parameters, &api).await
}

pub async fn search_in_compartment_by_post(
    request: HttpRequest,
    path: web::Path<(String, String, String)>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let (compartment, id, resource_type) = path.into_inner();
    let parameters = posted(&request, payload, &api).await?;
    answer(&request, Place::in_compartment(&compartment, &id, &resource_type)?, parameters, &api).await
}

pub async fn search_system(request: HttpRequest, api: Session) -> Result<HttpResponse, ApiError> {
    let parameters = parameters::decode(request.query_string())?;
    answer(&request, Place::everywhere(), parameters, &api).await
}

pub async fn search_system_by_post(
    request: HttpRequest,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let parameters = posted(&request, payload, &api).await?;
    answer(&request, Place::everywhere(), parameters, &api).await
}

/// Where a search looks.
#[derive(Debug)]
pub struct Place {
    /// In the order of their answers.
    types: Vec<String>,
    /// The compartment, and whose it is.
    owner: Option<(String, String)>,
    /// Behind the base URL.
    path: String,
    /// Whether `_type` may narrow it.
    takes_types: bool,
}

impl Place {
    pub fn of_type(resource_type: &str) -> Result<Self, ApiError> {
        fhir::check_type(resource_type)?;
        let (types, path) = (vec![resource_type.to_owned()], format!("/{resource_type}"));
        Ok(Self { types, owner: None, path, takes_types: false })
    }

    pub fn in_compartment(compartment: &str, id: &str, resource_type: &str) -> Result<Self, ApiError> {
        let is_member = |name: &str| {
            name == compartment || compartment_parameters(compartment, name).is_some_and(|by| !by.is_empty())
        };
        if compartment_parameters(compartment, compartment).is_none() {
            return Err(ApiError::UnknownRoute);
        }
        let types = match resource_type {
            ALL => resource_types().filter(|name| is_member(name)).map(str::to_owned).collect(),
            // A type that is in no such compartment has nothing there.
            one => {
                fhir::check_type(one)?;
                Some(one).filter(|one| is_member(one)).map(str::to_owned).into_iter().collect()
            }
        };
        let owner = Some((compartment.to_owned(), id.to_owned()));
        let path = format!("/{compartment}/{id}/{resource_type}");
        Ok(Self { types, owner, path, takes_types: resource_type == ALL })
    }

    pub fn everywhere() -> Self {
        let types = resource_types().map(str::to_owned).collect();
        Self { types, owner: None, path: String::new(), takes_types: true }
    }

    /// Takes `_type` out of the parameters.
    fn narrow(&mut self, parameters: &mut Vec<Parameter>) -> Vec<ParameterError> {
        if !self.takes_types {
            return Vec::new();
        }
        let mut errors = Vec::new();
        parameters.retain(|parameter| {
            if parameter.name != TYPES {
                return true;
            }
            let named: Vec<&str> = parameter.value.split(',').collect();
            if named.iter().any(|name| !is_type(name)) {
                errors.push(ParameterError::new(
                    TYPES,
                    IssueType::Value,
                    "must be types of R4 with commas between them",
                ));
            }
            self.types.retain(|name| named.contains(&name.as_str()));
            false
        });
        errors
    }
}

async fn posted(request: &HttpRequest, payload: web::Payload, api: &Session) -> Result<Vec<Parameter>, ApiError> {
    let form = read_form(request, payload, api).await?;
    let mut parameters = parameters::decode(request.query_string())?;
    parameters.extend(parameters::decode(&form)?);
    if let Ok(representation) = Representation::chosen(&parameters, request.headers()) {
        // Errors are written where the form is not known.
        request.extensions_mut().insert(representation);
    }
    Ok(parameters)
}

/// The form's text. A search without parameters needs no body, and then no Content-Type.
async fn read_form(request: &HttpRequest, payload: web::Payload, api: &Session) -> Result<String, ApiError> {
    let body = api::body(request, payload, &api.limits, api.limits.of_records()).await?;
    let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let named = content_type.and_then(|text| text.split(';').next()).map(|name| name.trim().to_ascii_lowercase());
    if named.as_deref() != Some(FORM) && !(named.is_none() && body.is_empty()) {
        return Err(ApiError::UnsupportedMediaType { expected: FORM });
    }
    String::from_utf8(body.into()).map_err(|_| ApiError::MalformedUrl)
}

async fn answer(
    request: &HttpRequest,
    mut place: Place,
    parameters: Vec<Parameter>,
    api: &Session,
) -> Result<HttpResponse, ApiError> {
    let (searches, errors) = place.searches(&parameters, Handling::of(request), api);
    let representation = fhir::representation(request, &parameters, errors)?;
    let bundle = searched(api, &place, searches, parameters).await?;
    Ok(representation.write(HttpResponse::Ok(), bundle))
}

/// The searchset of an entry of a Bundle.
pub async fn find(
    api: &Session,
    mut place: Place,
    parameters: Vec<Parameter>,
    handling: Handling,
) -> Result<Bytes, ApiError> {
    let (searches, errors) = place.searches(&parameters, handling, api);
    if errors.is_empty() {
        searched(api, &place, searches, parameters).await
    } else {
        Err(ApiError::Parameters(errors))
    }
}

/// The searches of a place: the one that tells what was asked, and the others.
struct Searches {
    told: Search,
    more: Vec<Search>,
}

impl Place {
    /// Reads the parameters, with all errors: with any, the searches must not run.
    fn searches(&mut self, sent: &[Parameter], handling: Handling, api: &Session) -> (Searches, Vec<ParameterError>) {
        let mut parameters = sent.to_vec();
        let mut errors = self.narrow(&mut parameters);
        let base = api.fhir_base();
        let surroundings = api.surroundings(&base);
        let parse = |name: &str| search_query::parse(name, &parameters, handling, api.page_size, surroundings);
        let mut searches = Vec::new();
        for resource_type in &self.types {
            let (mut search, mut more) = parse(resource_type);
            if self.types.len() > 1 && !search.query.sort.is_empty() {
                more.push(ParameterError::new(SORT, IssueType::NotSupported, "is taken where one type is searched"));
            }
            if let Some((compartment, id)) = &self.owner {
                let within = FilterValue::Compartment { compartment: compartment.clone(), id: id.clone() };
                search.query.filters.push(Filter { parameter: "_compartment".to_owned(), any_of: vec![within] });
            }
            searches.push(search);
            // What one type does not know, the others need not be asked.
            if !more.is_empty() {
                errors.extend(more);
                break;
            }
        }
        if searches.is_empty() {
            // Nothing to search: the parameters are read all the same.
            let (told, more) = parse("Patient");
            errors.extend(more);
            return (Searches { told, more: Vec::new() }, errors);
        }
        let told = searches.remove(0);
        (Searches { told, more: searches }, errors)
    }
}

async fn searched(
    api: &Session,
    place: &Place,
    Searches { mut told, more }: Searches,
    sent: Vec<Parameter>,
) -> Result<Bytes, ApiError> {
    let base = api.fhir_base();
    let rows = api.rows().for_one_answer();
    let mut page = match (place.types.is_empty(), more.is_empty()) {
        (true, _) => SearchPage { resources: vec![], included: vec![], total: Some(0), next: None },
        (false, true) => rows.search(told.query.clone()).await?,
        (false, false) => across(&rows, &told, std::iter::once(&told).chain(&more)).await?,
    };
    told.notes.extend(merged(&rows));
    if let [only] = place.types.as_slice()
        && place.owner.is_none()
        && guide::has_type(only)
    {
        beside_guide(&mut told, &mut page);
    }
    if page.total.is_none() && told.query.exact_total {
        return Err(ApiError::Store(StoreError::TooCostly(
            "more match than this server counts: ask with _total=none, or add a filter that few match",
        )));
    }
    if place.takes_types {
        told.used.extend(sent.into_iter().filter(|parameter| parameter.name == TYPES));
    }
    searchset(&format!("{base}{}", place.path), &base, told, page, api)
}

/// A note that names all ids of each patient who was asked for by one of them: the matches name any of those.
pub fn merged(rows: &Sight) -> Option<Issue> {
    let groups = rows.met();
    let named = |ids: &Arc<[String]>| ids.iter().map(|id| format!("Patient/{id}")).collect::<Vec<_>>().join(" = ");
    let listed = groups.iter().take(MOST_NAMED).map(named).collect::<Vec<_>>().join("; ");
    let more = if groups.len() > MOST_NAMED { "; and others" } else { "" };
    (!groups.is_empty()).then(|| Issue {
        severity: Severity::Information,
        code: IssueType::Informational,
        text: format!(
            "Patients who were merged are one: what names any of their ids is found by each ({listed}{more}). The first is \
             the one who stays."
        ),
        place: None,
    })
}

/// The guide's own resources of the type, where the search means them; else a note that they are there.
fn beside_guide(search: &mut Search, page: &mut SearchPage) {
    let of_guide = guide::matches(&search.query);
    if search.query.filters.is_empty() {
        search.notes.push(Issue {
            severity: Severity::Information,
            code: IssueType::Informational,
            text: "Resources of the KAP guide, which are part of the program, are found by url or _id alone."
                .to_owned(),
            place: None,
        });
    }
    page.total = page.total.map(|total| total + of_guide.len() as u64);
    page.resources.splice(0..0, of_guide);
}

/// A page of several types, one type after the other. The cursor says in which it ended.
pub async fn across(
    rows: &Sight,
    told: &Search,
    searches: impl Iterator<Item = &Search>,
) -> Result<SearchPage, ApiError> {
    let mut start = match &told.query.after {
        None => None,
        Some(Cursor(text)) => Some(text.split_once('.').ok_or(StoreError::InvalidCursor)?),
    };
    let mut all = SearchPage { resources: vec![], included: vec![], total: Some(0), next: None };
    for search in searches {
        let resource_type = &search.query.resource_type;
        let after = match start {
            Some((name, after)) if name == resource_type => {
                start = None;
                Some(after).filter(|after| !after.is_empty()).map(|after| Cursor(after.to_owned()))
            }
            Some(_) | None => None,
        };
        let left = told.query.count.saturating_sub(all.resources.len());
        // Types before the page's begin, and those behind its end, are but counted.
        let is_shown = start.is_none() && all.next.is_none();
        if !is_shown && !told.query.total {
            continue;
        }
        let mut query = crate::store::SearchQuery { count: left.max(1), after, ..search.query.clone() };
        if left == 0 || !is_shown {
            // Only looked at for whether there is something, or how many.
            query.includes.clear();
        }
        let mut page = rows.search(query).await?;
        all.total = all.total.zip(page.total).map(|(sum, own)| sum + own);
        if !is_shown {
            continue;
        }
        if left == 0 {
            if !page.resources.is_empty() {
                all.next = Some(Cursor(format!("{resource_type}.")));
            }
            continue;
        }
        all.resources.append(&mut page.resources);
        all.included.append(&mut page.included);
        all.next = page.next.map(|Cursor(next)| Cursor(format!("{resource_type}.{next}")));
    }
    if start.is_some() {
        return Err(ApiError::Store(StoreError::InvalidCursor));
    }
    let mut seen = std::collections::BTreeSet::new();
    let key = |resource: &StoredResource| (resource.resource_type.clone(), resource.id.clone());
    seen.extend(all.resources.iter().map(key));
    all.included.retain(|resource| seen.insert(key(resource)));
    Ok(all)
}

pub fn searchset(
    url: &str,
    base: &str,
    search: Search,
    mut page: SearchPage,
    api: &Session,
) -> Result<Bytes, ApiError> {
    if search.count_only {
        page.resources.clear();
        page.included.clear();
        page.next = None;
    }
    let mut bundle = Bundle::new(BundleType::Searchset, page.total.filter(|_| search.query.total));
    bundle.link("self", url, &search.used);
    if let Some(next) = &page.next {
        let mut used = search.used;
        used.retain(|parameter| parameter.name != CURSOR);
        used.push(Parameter::new(CURSOR, next.0.as_str()));
        bundle.link("next", url, &used);
    }
    bundle.expect(page.resources.iter().chain(&page.included));
    for (resources, rest) in [(page.resources, &*MATCHED), (page.included, &*INCLUDED)] {
        for resource in resources {
            bundle.resource(base, &search.subset.of(resource, &api.definitions)?, rest);
        }
    }
    let notes: Vec<Issue> = search.notes;
    if !notes.is_empty() {
        bundle.outcome(&operation_outcome(&notes));
    }
    Ok(bundle.finish())
}
