//! `Observation/$lastn`: the newest observations of each code. <https://hl7.org/fhir/R4/observation-operation-lastn.html>

use super::{
    COUNT, CURSOR,
    operation::{self, Operation},
    resource_body,
    search::{merged, searchset},
    search_query::{self, SORT, TOTAL},
};
use crate::{
    api::{
        error::{ApiError, ParameterError},
        fhir,
        parameters::{self, Handling, Parameter, repetition},
        session::Session,
    },
    consent::Sight,
    fhir::{
        outcome::{Issue, IssueType, Severity},
        search::{self, IndexValue},
    },
    store::{Filter, FilterValue, SearchPage, SearchQuery, SortKey, StoreError, StoredResource},
};
use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use serde_json::Value;
use std::collections::HashMap;

pub static LASTN: Operation = Operation {
    name: "lastn",
    definition: "http://hl7.org/fhir/OperationDefinition/Observation-lastn",
    resource_type: Some(OBSERVATION),
};

const OBSERVATION: &str = "Observation";
const MAX: &str = "max";

/// Observations of one step, that are looked at, and that one answer holds.
const STEP: usize = 500;
const MOST_LOOKED_AT: usize = 20_000;
const MOST_FOUND: usize = 1000;

/// The parameters stand in the URL; with POST in Parameters too.
pub async fn lastn(request: HttpRequest, payload: web::Payload, api: Session) -> Result<HttpResponse, ApiError> {
    let mut sent = parameters::decode(request.query_string())?;
    let mut errors = Vec::new();
    if *request.method() == Method::POST
        && let Some(body) = resource_body::read(&request, payload, &api).await?
    {
        sent.extend(operation::search_parameters(&body, &mut errors));
    }
    let all = sent.clone();
    let (max, more) = max(&mut sent);
    errors.extend(more);
    let base = api.fhir_base();
    let surroundings = api.surroundings(&base);
    let handling = Handling::of(&request);
    let (mut search, more) = search_query::parse(OBSERVATION, &sent, handling, api.page_size, surroundings);
    errors.extend(more);
    for name in [COUNT, CURSOR, SORT, TOTAL] {
        if sent.iter().any(|parameter| parameter.name == name) {
            let problem = "has no meaning here: the newest of each code are given, all at once";
            errors.push(ParameterError::new(name, IssueType::NotSupported, problem));
        }
    }
    errors.extend(missing(&search.query.filters));
    let representation = fhir::representation(&request, &all, errors)?;
    // What was entered in error is no last value, unless somebody asks for it.
    if !search.query.filters.iter().any(|filter| filter.parameter == "status") {
        let code = FilterValue::Token { system: None, code: Some("entered-in-error".to_owned()) };
        let filter = Filter { parameter: "status".to_owned(), any_of: vec![FilterValue::Not(vec![code])] };
        search.query.filters.push(filter);
        search.notes.push(Issue {
            severity: Severity::Information,
            code: IssueType::Informational,
            text: "Observations entered in error are left out: ask by status for them.".to_owned(),
            place: None,
        });
    }
    let rows = api.rows().for_one_answer();
    let resources = newest(&rows, &search.query, max).await?;
    search.notes.extend(merged(&rows));
    let total = Some(resources.len() as u64);
    let page = SearchPage { resources, included: vec![], total, next: None };
    search.used.retain(|parameter| parameter.name != COUNT);
    search.used.push(Parameter::new(MAX, max.to_string()));
    let bundle = searchset(&format!("{base}/{OBSERVATION}/$lastn"), &base, search, page, &api)?;
    Ok(representation.write(HttpResponse::Ok(), bundle))
}

/// Takes `max` out of the parameters; 1 where it is not given.
fn max(sent: &mut Vec<Parameter>) -> (usize, Vec<ParameterError>) {
    let mut errors = Vec::new();
    let mut given = sent.extract_if(.., |parameter| parameter.name == MAX);
    let max = given.next().map(|parameter| parameter.value.parse::<u16>().ok().filter(|max| *max > 0));
    if given.next().is_some() {
        errors.push(repetition(MAX));
    }
    drop(given);
    if max == Some(None) {
        errors.push(ParameterError::new(MAX, IssueType::Value, "must be a whole number from 1 to 65535"));
    }
    (max.flatten().map_or(1, usize::from), errors)
}

/// R4: a request has a subject, and a category or something of a code.
fn missing(filters: &[Filter]) -> Vec<ParameterError> {
    let has = |is_it: &dyn Fn(&str) -> bool| filters.iter().any(|filter| is_it(&filter.parameter));
    let mut errors = Vec::new();
    if !has(&|name| matches!(name, "patient" | "subject")) {
        let problem = "or subject must say whose observations are meant";
        errors.push(ParameterError::new("patient", IssueType::Required, problem));
    }
    if !has(&|name| name == "category" || name.contains("code")) {
        let problem = "or a code must say which observations are meant";
        errors.push(ParameterError::new("category", IssueType::Required, problem));
    }
    errors
}

/// The newest of each code, codes in the order of their newest; those of one time all count.
async fn newest(rows: &Sight, query: &SearchQuery, max: usize) -> Result<Vec<StoredResource>, ApiError> {
    let mut query = SearchQuery {
        sort: vec![SortKey { parameter: "date".to_owned(), descending: true }],
        count: STEP,
        total: false,
        exact_total: false,
        includes: Vec::new(),
        ..query.clone()
    };
    let mut groups = Groups::default();
    let mut looked_at = 0;
    loop {
        let page = rows.search(query.clone()).await?;
        looked_at += page.resources.len();
        for resource in page.resources {
            groups.take(resource, max);
        }
        match page.next {
            None => break,
            Some(_) if looked_at >= MOST_LOOKED_AT => {
                return Err(ApiError::Store(StoreError::TooCostly(
                    "more observations match than this server looks at for $lastn: name a code, a category or a date",
                )));
            }
            next => query.after = next,
        }
    }
    let found: Vec<StoredResource> = groups.finish();
    if found.len() > MOST_FOUND {
        return Err(ApiError::Store(StoreError::TooCostly(
            "more than 1000 observations would be given: ask for a smaller max, a code or a category",
        )));
    }
    Ok(found)
}

/// Observations by code: two are of one code if they share a coding, or without codings the text.
#[derive(Default)]
struct Groups {
    all: Vec<Group>,
    /// The group of a coding, or of a text.
    by_name: HashMap<String, usize>,
    /// Groups that turned out to be one: into which they went.
    merged: HashMap<usize, usize>,
}

#[derive(Default)]
struct Group {
    found: Vec<(Option<(i64, i64)>, StoredResource)>,
}

impl Groups {
    fn take(&mut self, resource: StoredResource, max: usize) {
        let body: Value = serde_json::from_slice(&resource.body).unwrap_or_default();
        let names = names(&body["code"]);
        let mut met: Vec<usize> =
            names.iter().filter_map(|name| self.by_name.get(name)).map(|group| self.root(*group)).collect();
        met.sort_unstable();
        met.dedup();
        let group = match met.first() {
            Some(first) => *first,
            None => {
                self.all.push(Group::default());
                self.all.len() - 1
            }
        };
        // It says that what was told apart is one code.
        for other in met.into_iter().skip(1) {
            let found = std::mem::take(&mut self.all[other].found);
            self.all[group].found.extend(found);
            self.merged.insert(other, group);
        }
        for name in names {
            self.by_name.insert(name, group);
        }
        let key = time(&resource);
        let found = &mut self.all[group].found;
        found.push((key, resource));
        // They come newest first, but for those of groups that became one.
        found.sort_by_key(|(key, _)| std::cmp::Reverse(key.map(|(low, high)| (high, low))));
        if found.len() > max {
            let last = found[max - 1].0;
            let mut place = 0;
            found.retain(|(key, _)| {
                place += 1;
                place <= max || *key == last
            });
        }
    }

    fn root(&self, mut group: usize) -> usize {
        while let Some(into) = self.merged.get(&group) {
            group = *into;
        }
        group
    }

    fn finish(self) -> Vec<StoredResource> {
        self.all.into_iter().flat_map(|group| group.found).map(|(_, resource)| resource).collect()
    }
}

/// What a code is called: each coding; without any its text.
fn names(code: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let codings = code["coding"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<String> = codings
        .iter()
        .filter(|coding| coding["code"].is_string())
        .map(|coding| format!("{}|{}", text(&coding["system"]), text(&coding["code"])))
        .collect();
    if names.is_empty() {
        names.push(text(&code["text"]).to_lowercase());
    }
    names
}

/// When it was observed, as the search by date has it.
fn time(resource: &StoredResource) -> Option<(i64, i64)> {
    let known = search::parameter(OBSERVATION, "date")?;
    let index = search::extract(OBSERVATION, &resource.body).ok()?;
    let is_of = |field: &str| known.sources.iter().any(|source| source.field == field);
    index.iter().filter(|row| is_of(row.field)).find_map(|row| match row.value {
        IndexValue::Date { low, high } => Some((low, high)),
        IndexValue::Reference { .. }
        | IndexValue::ReferenceIdentifier { .. }
        | IndexValue::Token { .. }
        | IndexValue::Uri(_)
        | IndexValue::Text(_)
        | IndexValue::Number { .. }
        | IndexValue::Quantity(_) => None,
    })
}
