//! `$everything` of a patient and of an encounter: its compartment, page by page, with what the resources on the page refer
//! to. <https://hl7.org/fhir/R4/patient-operation-everything.html>,
//! <https://hl7.org/fhir/R4/encounter-operation-everything.html>

use super::{
    COUNT, CURSOR,
    operation::{self, Input, Inputs, Kind, Operation, refuse},
    read,
    search::{across, merged, searchset},
    search_filter::is_type,
    search_query::Search,
    search_subset::{self, ELEMENTS, SUMMARY, Subset},
};
use crate::{
    api::{error::ApiError, parameters::Parameter, session::Session},
    fhir::{
        outcome::{Issue, IssueType, Severity},
        patient_link,
        search::{self, SearchType, compartment_parameters, parse_date, resource_types},
    },
    store::{
        Cursor, DatePrefix, Filter, FilterValue, Include, IncludeDirection, SearchPage, SearchQuery, StoreError,
        StoredResource,
    },
};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;
use std::sync::Arc;

pub static OF_PATIENT: Operation = Operation {
    name: "everything",
    definition: "http://hl7.org/fhir/OperationDefinition/Patient-everything",
    resource_type: Some("Patient"),
};

pub static OF_ENCOUNTER: Operation = Operation {
    name: "everything",
    definition: "http://hl7.org/fhir/OperationDefinition/Encounter-everything",
    resource_type: Some("Encounter"),
};

const START: &str = "start";
const END: &str = "end";
const SINCE: &str = "_since";
const TYPES: &str = "_type";

const ENCOUNTER_INPUTS: [Input; 6] = [
    (SINCE, Kind::DateTime),
    (TYPES, Kind::Text),
    (COUNT, Kind::Count),
    (CURSOR, Kind::Text),
    (SUMMARY, Kind::Text),
    (ELEMENTS, Kind::Text),
];
const PATIENT_INPUTS: [Input; 8] = [
    (START, Kind::DateTime),
    (END, Kind::DateTime),
    (SINCE, Kind::DateTime),
    (TYPES, Kind::Text),
    (COUNT, Kind::Count),
    (CURSOR, Kind::Text),
    (SUMMARY, Kind::Text),
    (ELEMENTS, Kind::Text),
];

pub async fn of_patient(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    answer(&request, payload, &api, "Patient", id.into_inner(), &PATIENT_INPUTS).await
}

pub async fn of_encounter(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    answer(&request, payload, &api, "Encounter", id.into_inner(), &ENCOUNTER_INPUTS).await
}

/// Whose compartment.
struct Owner {
    compartment: &'static str,
    id: String,
    /// With those of all who are one with the patient.
    ids: Arc<[String]>,
    /// Other patients to whom the patient's links lead.
    links: Vec<String>,
}

async fn answer(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Session,
    compartment: &'static str,
    id: String,
    declared: &[Input],
) -> Result<HttpResponse, ApiError> {
    let (representation, inputs) = operation::read(request, payload, api, declared).await?;
    let asked = Asked::read(&inputs, api.page_size.max)?;
    // 404 and 410 as a read has them.
    let own = read::find(api, compartment.to_owned(), &id).await?;
    let rows = api.rows().for_one_answer();
    let ids = match compartment {
        "Patient" => rows.one_with(&id).await?,
        _ => [id.clone()].into(),
    };
    let links = links(&own).into_iter().filter(|link| !ids.contains(link)).collect();
    let owner = Owner { compartment, id, ids, links };
    let base = api.fhir_base();
    let (mut count, mut told) = (asked.count, None);
    let mut along = true;
    let page = loop {
        let mut searches = searches(&owner, &asked, (count, api.limits.include_limit));
        if !along {
            searches.iter_mut().for_each(|search| search.query.includes.clear());
        }
        let Some(first) = searches.first() else { break None };
        match across(&rows, first, searches.iter()).await {
            // What so many refer to is too much for one answer: a smaller page has a next link.
            Err(ApiError::Store(StoreError::TooManyIncluded { .. })) if count > 1 => count = count.div_ceil(4),
            Err(ApiError::Store(StoreError::TooManyIncluded { .. })) if along => along = false,
            Err(other) => return Err(other),
            Ok(page) => {
                told = searches.into_iter().next();
                break Some(page);
            }
        }
    };
    let nothing = SearchPage { resources: vec![], included: vec![], total: None, next: None };
    let mut page = page.unwrap_or(nothing);
    page.included.retain(|row| asked.brings(&owner, row));
    let mut search =
        told.unwrap_or_else(|| asked.search(owner.compartment, Vec::new(), (count, api.limits.include_limit)));
    if !along {
        search.notes.push(Issue {
            severity: Severity::Warning,
            code: IssueType::TooCostly,
            text:
                "What the resource on this page refers to is more than may come along (setting include_limit): it was \
                   left out, and what belongs to the compartment comes on pages of its own."
                    .to_owned(),
            place: None,
        });
    }
    search.notes.extend(merged(&rows));
    let url = format!("{base}/{}/{}/$everything", owner.compartment, owner.id);
    let bundle = searchset(&url, &base, search, page, api)?;
    Ok(representation.write(HttpResponse::Ok(), bundle))
}

/// The patients to whom a Patient's links lead.
fn links(patient: &StoredResource) -> Vec<String> {
    let patient: Value = serde_json::from_slice(&patient.body).unwrap_or_default();
    let links = patient["link"].as_array().map_or(&[][..], Vec::as_slice);
    links.iter().filter_map(patient_link::target).collect()
}

/// What was asked for, read.
struct Asked {
    /// Microseconds since 1970-01-01T00:00:00Z.
    start: Option<i64>,
    end: Option<i64>,
    since: Option<i64>,
    types: Option<Vec<String>>,
    count: usize,
    after: Option<Cursor>,
    subset: Subset,
    /// For the links.
    used: Vec<Parameter>,
}

impl Asked {
    /// Without `_count` a page holds as much as any may: R4 wants all at once where that is possible.
    fn read(inputs: &Inputs, most: usize) -> Result<Self, ApiError> {
        let span = |name| inputs.text(name).and_then(parse_date);
        let types = inputs.text(TYPES).map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>());
        if types.iter().flatten().any(|name| !is_type(name)) {
            return refuse(TYPES, IssueType::Value, "must be types of R4 with commas between them");
        }
        let count = match inputs.count(COUNT) {
            Some(0) => return refuse(COUNT, IssueType::Value, "must be a whole number, 1 or more"),
            Some(count) => count.min(most),
            None => most,
        };
        let text = |name: &str| match inputs.value(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let given = [START, END, SINCE, TYPES, CURSOR, SUMMARY, ELEMENTS];
        let mut used: Vec<Parameter> =
            given.into_iter().filter_map(|name| Some(Parameter::new(name, text(name)?))).collect();
        let mut errors = Vec::new();
        let subset = search_subset::asked(&used, &mut errors);
        if !errors.is_empty() {
            return Err(ApiError::Parameters(errors));
        }
        used.push(Parameter::new(COUNT, count.to_string()));
        Ok(Self {
            start: span(START).map(|(low, _)| low),
            end: span(END).map(|(_, high)| high),
            since: span(SINCE).map(|(low, _)| low),
            types,
            count,
            after: inputs.text(CURSOR).map(|text| Cursor(text.to_owned())),
            subset,
            used,
        })
    }

    fn wants(&self, resource_type: &str) -> bool {
        self.types.as_ref().is_none_or(|types| types.iter().any(|name| name == resource_type))
    }

    /// May a resource come along that is not itself of the compartment? One that is comes on a page of its own, and another
    /// patient's is not brought by a reference to it: a finding that rested on a record of the wrong patient, say. Another
    /// patient comes only where the patient's own link leads there.
    fn brings(&self, owner: &Owner, row: &StoredResource) -> bool {
        let patients = || {
            let index = search::extract(&row.resource_type, &row.body).unwrap_or_default();
            search::patients(&row.resource_type, &row.id, &index)
        };
        let is_linked = || row.resource_type == "Patient" && owner.links.contains(&row.id);
        self.wants(&row.resource_type)
            && self.since.is_none_or(|since| row.last_updated >= since)
            && (owner.compartment != "Patient" || is_linked() || patients().is_empty())
    }

    /// `size`: of a page, and of what comes along with it.
    fn search(&self, resource_type: &str, filters: Vec<Filter>, size: (usize, usize)) -> Search {
        let all = |direction, resource_type: &str, parameter: Option<&str>| Include {
            direction,
            resource_type: resource_type.to_owned(),
            parameter: parameter.map(str::to_owned),
            target: None,
            iterate: false,
        };
        // Who said so and when is worth as much as what was said.
        let mut includes = vec![all(IncludeDirection::Reverse, "Provenance", Some("target"))];
        if resource_type == "Provenance" {
            // What it is about is often all of a record, which comes by itself.
            includes =
                ["agent", "location"].map(|name| all(IncludeDirection::Forward, resource_type, Some(name))).into();
        } else {
            includes.push(all(IncludeDirection::Forward, resource_type, None));
        }
        let query = SearchQuery {
            resource_type: resource_type.to_owned(),
            filters,
            count: size.0,
            after: self.after.clone(),
            includes,
            include_limit: Some(size.1),
            ..SearchQuery::default()
        };
        Search { query, count_only: false, subset: self.subset.clone(), used: self.used.clone(), notes: Vec::new() }
    }

    /// Filters on the time of care and of storing.
    fn filters(&self, resource_type: &str) -> Vec<Filter> {
        let mut filters = Vec::new();
        let mut filter = |parameter: &str, any_of| filters.push(Filter { parameter: parameter.to_owned(), any_of });
        if let Some(date) = search::sort_date(resource_type) {
            // What has no date may be of any.
            let spans = [(self.start, DatePrefix::Ge), (self.end, DatePrefix::Le)];
            for (at, prefix) in spans.into_iter().filter_map(|(at, prefix)| Some((at?, prefix))) {
                let of_time = FilterValue::Date { prefix, low: at, high: at };
                filter(&date.name, vec![of_time, FilterValue::Missing(true)]);
            }
        }
        if let Some(since) = self.since {
            filter("_lastUpdated", vec![FilterValue::Date { prefix: DatePrefix::Ge, low: since, high: since }]);
        }
        filters
    }
}

/// A search for each type that can be there; the owner's own first.
fn searches(owner: &Owner, asked: &Asked, size: (usize, usize)) -> Vec<Search> {
    let mut searches = Vec::new();
    if asked.wants(owner.compartment) {
        let ids = owner.ids.iter().map(|id| FilterValue::Token { system: None, code: Some(id.clone()) }).collect();
        let mut filters = vec![Filter { parameter: "_id".to_owned(), any_of: ids }];
        filters.extend(asked.filters("Basic"));
        searches.push(asked.search(owner.compartment, filters, size));
    }
    for resource_type in resource_types().filter(|name| *name != owner.compartment && asked.wants(name)) {
        if let Some(of_owner) = of_owner(owner, resource_type) {
            let mut filters = vec![of_owner];
            filters.extend(asked.filters(resource_type));
            searches.push(asked.search(resource_type, filters, size));
        }
    }
    searches
}

/// What belongs to the owner: its compartment as R4 defines it, and what says by `patient` or `encounter` that it is about
/// it: a Task for the patient is in no compartment.
fn of_owner(owner: &Owner, resource_type: &str) -> Option<Filter> {
    let is_member = compartment_parameters(owner.compartment, resource_type).is_some_and(|by| !by.is_empty());
    let names: &[&str] =
        if owner.compartment == "Patient" { &["patient", "subject"] } else { &["encounter", "context"] };
    let about = names.iter().filter_map(|name| search::parameter(resource_type, name));
    let about = about
        .filter(|known| known.kind == SearchType::Reference)
        .find(|known| super::search_filter::targets(known).iter().any(|target| target == owner.compartment));
    let mut any_of = Vec::new();
    if is_member {
        any_of.push(FilterValue::Compartment { compartment: owner.compartment.to_owned(), id: owner.id.clone() });
    }
    if about.is_some() {
        any_of.push(FilterValue::Reference { resource_type: Some(owner.compartment.to_owned()), id: owner.id.clone() });
    }
    let parameter = about.map_or("_compartment", |known| known.name.as_str()).to_owned();
    (!any_of.is_empty()).then_some(Filter { parameter, any_of })
}
