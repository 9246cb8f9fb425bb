//! The consent room: patients who are one. What names one of them is found by either, as if nothing had ever been stored
//! under two ids: searches, chains, `_has`, compartments, `_revinclude`. Mapping specification D-02.
//!
//! Nothing that is stored is moved for it. Links are followed as the requester sees them: one on a patient who is withheld
//! leads nowhere.

use super::Sight;
use crate::fhir::patient_link::{REPLACED_BY, REPLACES, linked, may_link};
use crate::fhir::search::{SearchType, parameter};
use crate::store::{
    Filter, FilterValue, INCLUDE_LIMIT, IncludeDirection, SearchPage, SearchQuery, StoreError, StoredResource,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

/// Patients who are one.
const MOST_TOGETHER: usize = 100;
/// Merged patients through whom a chain or `_has` may lead.
const MOST_MATCHES: usize = 1000;

const PATIENT: &str = "Patient";

type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Who is one with whom, as far as one request has asked: `Patient.id` to all ids, the survivor's first.
pub(super) type Met = Arc<Mutex<BTreeMap<String, Arc<[String]>>>>;

impl Sight {
    /// The same sight for one answer that takes many searches: whose ids belong together is asked once.
    pub fn for_one_answer(&self) -> Self {
        let mut own = self.clone();
        own.met = Some(Met::default());
        own
    }

    /// The patients who are one and whom the searches of this answer have met, the survivor first.
    pub fn met(&self) -> Vec<Arc<[String]>> {
        let Some(met) = &self.met else { return Vec::new() };
        let met = met.lock().unwrap_or_else(PoisonError::into_inner);
        let found: BTreeSet<Arc<[String]>> = met.values().filter(|ids| ids.len() > 1).cloned().collect();
        found.into_iter().collect()
    }

    /// The ids of all who are one with a patient by `replaces` and `replaced-by`, the survivor's first; the given one alone
    /// where there is no link, or no such patient to see.
    pub async fn one_with(&self, patient: &str) -> Result<Arc<[String]>, StoreError> {
        if let Some(met) = &self.met
            && let Some(known) = met.lock().unwrap_or_else(PoisonError::into_inner).get(patient)
        {
            return Ok(Arc::clone(known));
        }
        let found = self.follow(patient).await?;
        if let Some(met) = &self.met {
            met.lock().unwrap_or_else(PoisonError::into_inner).insert(patient.to_owned(), Arc::clone(&found));
        }
        Ok(found)
    }

    async fn follow(&self, patient: &str) -> Result<Arc<[String]>, StoreError> {
        let mut seen = BTreeSet::from([patient.to_owned()]);
        let mut next = VecDeque::from([patient.to_owned()]);
        let (mut survivors, mut replaced) = (Vec::new(), Vec::new());
        while let Some(id) = next.pop_front() {
            let found = self.read(PATIENT, &id).await?.filter(|found| may_link(&found.body));
            let links: Value = found.and_then(|found| serde_json::from_slice(&found.body).ok()).unwrap_or(Value::Null);
            let mut is_replaced = false;
            for other in linked(&links, REPLACED_BY) {
                is_replaced = true;
                if seen.insert(other.clone()) {
                    next.push_back(other);
                }
            }
            next.extend(linked(&links, REPLACES).filter(|other| seen.insert(other.clone())));
            if is_replaced {
                replaced.push(id)
            } else {
                survivors.push(id)
            }
            if seen.len() > MOST_TOGETHER {
                return Err(StoreError::TooCostly(
                    "more than 100 patients are linked as one: correct Patient.link first",
                ));
            }
        }
        survivors.append(&mut replaced);
        Ok(survivors.into())
    }

    /// A query by all ids of each patient whom it names.
    pub(super) async fn together(&self, query: SearchQuery) -> Result<SearchQuery, StoreError> {
        if !query.filters.iter().any(|filter| filter.any_of.iter().any(may_mean_patient)) {
            return Ok(query);
        }
        let filters = self.filters(&query.resource_type, query.filters.clone()).await?;
        Ok(SearchQuery { filters, ..query })
    }

    fn filters<'a>(&'a self, own_type: &'a str, filters: Vec<Filter>) -> Later<'a, Vec<Filter>> {
        Box::pin(async move {
            let mut all = Vec::with_capacity(filters.len());
            for Filter { parameter, any_of } in filters {
                let (mut found, mut peers) = (Vec::with_capacity(any_of.len()), BTreeSet::new());
                for value in any_of {
                    self.value(own_type, &parameter, value, &mut found, &mut peers).await?;
                }
                // `_has` does not look at the filter's parameter.
                let parameter = if peers.is_empty() { parameter } else { "_id".to_owned() };
                found.extend(peers.into_iter().map(|id| FilterValue::Token { system: None, code: Some(id) }));
                all.push(Filter { parameter, any_of: found });
            }
            Ok(all)
        })
    }

    /// `found`: the value, and the same of the others who are one with whom it names. `peers`: patients who match because one
    /// with whom they are one does.
    async fn value(
        &self,
        own_type: &str,
        parameter: &str,
        value: FilterValue,
        found: &mut Vec<FilterValue>,
        peers: &mut BTreeSet<String>,
    ) -> Result<(), StoreError> {
        let reference =
            |id: &String| FilterValue::Reference { resource_type: Some(PATIENT.to_owned()), id: id.clone() };
        match value {
            FilterValue::Reference { resource_type, id }
                if means_patient(own_type, parameter, resource_type.as_deref()) =>
            {
                let others = self.one_with(&id).await?;
                found.extend(others.iter().filter(|other| **other != id).map(reference));
                found.push(FilterValue::Reference { resource_type, id });
            }
            FilterValue::Compartment { compartment, id } if compartment == PATIENT => {
                for id in self.one_with(&id).await?.iter() {
                    found.push(FilterValue::Compartment { compartment: compartment.clone(), id: id.clone() });
                }
            }
            FilterValue::Not(values) => {
                let inner = Filter { parameter: parameter.to_owned(), any_of: values };
                let inner = self.filters(own_type, vec![inner]).await?;
                found.push(FilterValue::Not(inner.into_iter().flat_map(|filter| filter.any_of).collect()));
            }
            FilterValue::Chain { resource_type, filters } => {
                let filters = self.filters(&resource_type, filters).await?;
                if resource_type == PATIENT && own_type != PATIENT {
                    found.extend(self.merged_who_match(filters.clone()).await?.iter().map(reference));
                }
                found.push(FilterValue::Chain { resource_type, filters });
            }
            FilterValue::Has { resource_type, parameter, filters } => {
                let filters = self.filters(&resource_type, filters).await?;
                let has = FilterValue::Has { resource_type, parameter, filters };
                if own_type == PATIENT {
                    let by_has = Filter { parameter: "_has".to_owned(), any_of: vec![has.clone()] };
                    peers.extend(self.merged_who_match(vec![by_has]).await?);
                }
                found.push(has);
            }
            other @ (FilterValue::Reference { .. }
            | FilterValue::Compartment { .. }
            | FilterValue::Token { .. }
            | FilterValue::TokenText(_)
            | FilterValue::TokenIn(_)
            | FilterValue::OfType { .. }
            | FilterValue::Date { .. }
            | FilterValue::ReferenceIdentifier { .. }
            | FilterValue::Uri { .. }
            | FilterValue::Text { .. }
            | FilterValue::Number(_)
            | FilterValue::Quantity { .. }
            | FilterValue::Composite(_)
            | FilterValue::Missing(_)) => found.push(other),
        }
        Ok(())
    }

    /// All ids of those patients with a link who match, or who are one with one who does.
    async fn merged_who_match(&self, mut filters: Vec<Filter>) -> Result<BTreeSet<String>, StoreError> {
        let any = FilterValue::Token { system: Some(PATIENT.to_owned()), code: None };
        filters.insert(0, Filter { parameter: "link".to_owned(), any_of: vec![any] });
        let query =
            SearchQuery { resource_type: PATIENT.to_owned(), filters, count: MOST_MATCHES, ..SearchQuery::default() };
        let page = self.page(query).await?;
        if page.next.is_some() {
            return Err(StoreError::TooCostly(
                "a chain or _has leads through more than 1000 patients who were merged: add a filter that few match",
            ));
        }
        let mut found = BTreeSet::new();
        for patient in &page.resources {
            let together = self.one_with(&patient.id).await?;
            found.extend(together.iter().filter(|_| together.len() > 1).cloned());
        }
        Ok(found)
    }

    /// What refers to those who are one with the patients of a page, where what refers was asked for.
    pub(super) async fn along_with_merged(&self, query: &SearchQuery, page: &mut SearchPage) -> Result<(), StoreError> {
        let includes: Vec<_> =
            query.includes.iter().filter(|include| include.direction == IncludeDirection::Reverse).cloned().collect();
        let mut peers = BTreeSet::new();
        for patient in page.resources.iter().filter(|patient| may_link(&patient.body)) {
            peers.extend(self.one_with(&patient.id).await?.iter().cloned());
        }
        for patient in &page.resources {
            peers.remove(&patient.id);
        }
        if peers.is_empty() {
            return Ok(());
        }
        let limit = query.include_limit.unwrap_or(INCLUDE_LIMIT);
        let ids = peers.into_iter().map(|id| FilterValue::Token { system: None, code: Some(id) }).collect();
        let more = SearchQuery {
            resource_type: PATIENT.to_owned(),
            filters: vec![Filter { parameter: "_id".to_owned(), any_of: ids }],
            count: MOST_TOGETHER * page.resources.len().max(1),
            includes,
            include_limit: Some(limit),
            ..SearchQuery::default()
        };
        let more = self.page(more).await?;
        let name = |row: &StoredResource| (row.resource_type.clone(), row.id.clone());
        let mut seen: BTreeSet<_> = page.resources.iter().chain(&page.included).map(name).collect();
        page.included.extend(more.included.into_iter().filter(|row| seen.insert(name(row))));
        if page.included.len() > limit {
            return Err(StoreError::TooManyIncluded { limit });
        }
        Ok(())
    }
}

/// May more come along with patients who were merged?
pub(super) fn of_patients(query: &SearchQuery) -> bool {
    query.resource_type == PATIENT
        && query.includes.iter().any(|include| include.direction == IncludeDirection::Reverse)
}

/// Is it worth a closer look?
fn may_mean_patient(value: &FilterValue) -> bool {
    match value {
        FilterValue::Reference { resource_type, .. } => resource_type.as_deref().is_none_or(|name| name == PATIENT),
        FilterValue::Compartment { compartment, .. } => compartment == PATIENT,
        FilterValue::Not(values) => values.iter().any(may_mean_patient),
        FilterValue::Chain { .. } | FilterValue::Has { .. } => true,
        FilterValue::Token { .. }
        | FilterValue::TokenText(_)
        | FilterValue::TokenIn(_)
        | FilterValue::OfType { .. }
        | FilterValue::Date { .. }
        | FilterValue::ReferenceIdentifier { .. }
        | FilterValue::Uri { .. }
        | FilterValue::Text { .. }
        | FilterValue::Number(_)
        | FilterValue::Quantity { .. }
        | FilterValue::Composite(_)
        | FilterValue::Missing(_) => false,
    }
}

/// Does the reference lead to a patient? `Patient.link` itself tells of two: there each stays who it is.
fn means_patient(own_type: &str, name: &str, target: Option<&str>) -> bool {
    if own_type == PATIENT {
        return false;
    }
    match target {
        Some(target) => target == PATIENT,
        None => parameter(own_type, name).is_some_and(|known| {
            let takes = |target: &Option<String>| target.as_deref().is_none_or(|target| target == PATIENT);
            known.kind == SearchType::Reference
                && known.sources.iter().any(|source| takes(&source.target))
                && (known.targets.is_empty() || known.targets.iter().any(|target| target == PATIENT))
        }),
    }
}
