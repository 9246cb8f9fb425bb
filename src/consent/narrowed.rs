//! The consent room: a search by somebody from whom rows may be withheld. Its answer is what it would be if those rows were
//! not stored: they fill no page, count in no total, bring nothing along, and no chain and no `_has` leads through them.

use super::Sight;
use crate::fhir::search::{self, IndexValue};
use crate::store::{
    Cursor, Filter, FilterValue, INCLUDE_LIMIT, Include, SearchPage, SearchQuery, StoreError, StoredResource,
};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

/// Rows that are counted by the way, and where their number was asked for: the store's own measures.
const COUNTED: u64 = 10_000;
const COUNTED_EXACTLY: u64 = 200_000;
/// Rows of one step of a count.
const STEP: usize = 500;
/// Resources through which a link of a chain may lead.
const MOST_LINKED: usize = 1000;
/// Rounds of `:iterate`.
const MOST_ROUNDS: usize = 10;

const TOO_MANY_LINKED: StoreError =
    StoreError::TooCostly("a chain or _has leads through more than 1000 resources: add a filter that few match");

type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

impl Sight {
    pub(super) async fn narrowed(&self, query: SearchQuery) -> Result<SearchPage, StoreError> {
        let includes = query.includes.clone();
        let plain = SearchQuery { includes: Vec::new(), total: false, exact_total: false, ..query.clone() };
        let plain = self.without_links(plain).await?;
        let (resources, next) = self.fill(&plain).await?;
        let total = match query.total || query.exact_total {
            true => self.count(&plain, if query.exact_total { COUNTED_EXACTLY } else { COUNTED }).await?,
            false => None,
        };
        let included = self.along(&resources, &includes, query.include_limit.unwrap_or(INCLUDE_LIMIT)).await?;
        Ok(SearchPage { resources, included, total: total.filter(|_| query.total), next })
    }

    /// As many as the page holds, and where it ended if there is more to see behind it.
    async fn fill(&self, query: &SearchQuery) -> Result<(Vec<StoredResource>, Option<Cursor>), StoreError> {
        let wanted = query.count.max(1);
        let (mut found, mut after) = (Vec::new(), query.after.clone());
        loop {
            let part = SearchQuery { count: wanted - found.len(), after, ..query.clone() };
            let page = self.store.search(self.tenant(), part).await?;
            found.extend(page.resources.into_iter().filter(|row| self.shows(row)));
            after = page.next;
            if found.len() >= wanted || after.is_none() {
                break;
            }
        }
        let next = match &after {
            Some(cursor) if self.is_more(query, cursor).await? => after,
            Some(_) | None => None,
        };
        Ok((found, next))
    }

    async fn is_more(&self, query: &SearchQuery, after: &Cursor) -> Result<bool, StoreError> {
        let mut after = Some(after.clone());
        while after.is_some() {
            let page = self.store.search(self.tenant(), SearchQuery { after, ..query.clone() }).await?;
            if page.resources.iter().any(|row| self.shows(row)) {
                return Ok(true);
            }
            after = page.next;
        }
        Ok(false)
    }

    /// `None`: more rows than are counted.
    async fn count(&self, query: &SearchQuery, most: u64) -> Result<Option<u64>, StoreError> {
        let (mut seen, mut looked_at, mut after) = (0, 0, None);
        loop {
            let part = SearchQuery { count: STEP, after, sort: Vec::new(), ..query.clone() };
            let page = self.store.search(self.tenant(), part).await?;
            looked_at += page.resources.len() as u64;
            if looked_at > most {
                return Ok(None);
            }
            seen += page.resources.iter().filter(|row| self.shows(row)).count() as u64;
            after = page.next;
            if after.is_none() {
                return Ok(Some(seen));
            }
        }
    }

    /// Chains and `_has` become the resources that are seen and to which they lead.
    fn without_links(&self, query: SearchQuery) -> Later<'_, SearchQuery> {
        Box::pin(async move {
            let mut filters = Vec::with_capacity(query.filters.len());
            for filter in query.filters {
                filters.push(self.without_link(&query.resource_type, filter).await?);
            }
            Ok(SearchQuery { filters, ..query })
        })
    }

    async fn without_link(&self, own_type: &str, filter: Filter) -> Result<Filter, StoreError> {
        let mut any_of = Vec::with_capacity(filter.any_of.len());
        let (mut links, mut has, mut ids) = (false, false, BTreeSet::new());
        for value in filter.any_of {
            if let FilterValue::Chain { resource_type, filters } = value {
                links = true;
                for row in self.linked(&resource_type, filters).await? {
                    any_of.push(FilterValue::Reference { resource_type: Some(resource_type.clone()), id: row.id });
                }
            } else if let FilterValue::Has { resource_type, parameter, filters } = value {
                (links, has) = (true, true);
                for row in self.linked(&resource_type, filters).await? {
                    ids.extend(targets(&row, &parameter, own_type));
                }
            } else {
                any_of.push(value);
            }
        }
        let by_id = |id: String| FilterValue::Token { system: None, code: Some(id) };
        if links && (has || any_of.is_empty()) {
            // What stands beside `_has` are ids.
            any_of.extend(ids.into_iter().map(by_id));
            if any_of.is_empty() {
                // Where it leads nowhere nothing matches: no resource has an empty id.
                any_of.push(by_id(String::new()));
            }
            return Ok(Filter { parameter: "_id".to_owned(), any_of });
        }
        Ok(Filter { parameter: filter.parameter, any_of })
    }

    async fn linked(&self, resource_type: &str, filters: Vec<Filter>) -> Result<Vec<StoredResource>, StoreError> {
        let query = SearchQuery {
            resource_type: resource_type.to_owned(),
            filters,
            count: MOST_LINKED,
            ..SearchQuery::default()
        };
        let query = self.without_links(query).await?;
        match self.fill(&query).await? {
            (found, None) => Ok(found),
            (_, Some(_)) => Err(TOO_MANY_LINKED),
        }
    }

    /// What comes along with the rows that are seen: the store is asked for each round by itself, so that nothing is
    /// reached through what is not seen.
    async fn along(
        &self,
        matches: &[StoredResource],
        includes: &[Include],
        limit: usize,
    ) -> Result<Vec<StoredResource>, StoreError> {
        let mut seen: BTreeSet<(String, String)> = matches.iter().map(name).collect();
        let mut from: Vec<(String, String)> = matches.iter().map(name).collect();
        let mut added = Vec::new();
        for round in 0..MOST_ROUNDS {
            let asked: Vec<Include> =
                includes.iter().filter(|include| round == 0 || include.iterate).cloned().collect();
            if asked.is_empty() || from.is_empty() {
                break;
            }
            let mut next = Vec::new();
            for (resource_type, ids) in by_type(std::mem::take(&mut from)) {
                let ids: Vec<FilterValue> =
                    ids.into_iter().map(|id| FilterValue::Token { system: None, code: Some(id) }).collect();
                let query = SearchQuery {
                    resource_type,
                    count: ids.len(),
                    include_limit: Some(limit),
                    filters: vec![Filter { parameter: "_id".to_owned(), any_of: ids }],
                    includes: asked.iter().map(|include| Include { iterate: false, ..include.clone() }).collect(),
                    ..SearchQuery::default()
                };
                let page = self.store.search(self.tenant(), query).await?;
                for row in page.included.into_iter().filter(|row| self.shows(row)) {
                    if seen.insert(name(&row)) {
                        next.push(name(&row));
                        added.push(row);
                    }
                }
                if added.len() > limit {
                    return Err(StoreError::TooManyIncluded { limit });
                }
            }
            from = next;
        }
        Ok(added)
    }
}

fn name(row: &StoredResource) -> (String, String) {
    (row.resource_type.clone(), row.id.clone())
}

fn by_type(names: Vec<(String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (resource_type, id) in names {
        found.entry(resource_type).or_default().push(id);
    }
    found
}

/// Ids of the resources of a type to which a row's reference parameter leads.
fn targets(row: &StoredResource, parameter: &str, wanted: &str) -> Vec<String> {
    let Some(known) = search::parameter(&row.resource_type, parameter) else { return Vec::new() };
    let index = search::extract(&row.resource_type, &row.body).unwrap_or_default();
    let is_meant = |field: &str| {
        let takes = |target: &Option<String>| target.as_deref().is_none_or(|target| target == wanted);
        known.sources.iter().any(|source| source.field == field && takes(&source.target))
    };
    let ids = index.into_iter().filter(|fact| is_meant(fact.field)).filter_map(|fact| match fact.value {
        IndexValue::Reference { resource_type, id } if resource_type == wanted => Some(id),
        IndexValue::Reference { .. }
        | IndexValue::ReferenceIdentifier { .. }
        | IndexValue::Token { .. }
        | IndexValue::Date { .. }
        | IndexValue::Uri(_)
        | IndexValue::Text(_)
        | IndexValue::Number { .. }
        | IndexValue::Quantity(_) => None,
    });
    ids.collect()
}
