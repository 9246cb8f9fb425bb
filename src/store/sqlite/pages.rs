//! The store room: pages of searches that were asked lately, so that asking again asks no database.
//!
//! A page is given again only while nothing has changed that it hangs on. A write stamps what its resource has in the index,
//! before and after: each code, identifier and reference of its type. A page remembers what its search looks for, and is
//! worth nothing when that was stamped since. Right because one process owns the file, and the writer stamps what it has
//! committed before it answers. Search parameters that are added or taken away make all pages worthless.

use super::places::{ANY_RESOURCE, Changed, STAMPS, places};
use crate::fhir::search::added;
use crate::store::{SearchPage, SearchQuery};
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// Bytes of pages that are kept, with all that belongs to them. When they are more, all go and it fills afresh, as in
/// `recent`.
const LIMIT: usize = 12 * 1024 * 1024;

/// A page of more bytes is not kept: it would push out too many others.
const LARGEST: usize = LIMIT / 16;

/// Nor is one whose question is so long: nobody asks it again.
const LONGEST_QUESTION: usize = 8 * 1024;

/// What a resource takes beside its body, and a page beside all that can be counted (its place in a table that grows by
/// doubling), about.
const AROUND_RESOURCE: usize = 200;
const AROUND_PAGE: usize = 100;

pub(super) struct Pages {
    /// The number of the commit that last changed what stands for each place.
    stamps: Box<[AtomicU64]>,
    commits: AtomicU64,
    kept: RwLock<Kept>,
}

#[derive(Default)]
struct Kept {
    pages: HashMap<u64, Box<Page>>,
    bytes: usize,
}

struct Page {
    tenant: String,
    query: SearchQuery,
    page: SearchPage,
    bytes: usize,
    /// What it hangs on.
    places: Vec<usize>,
    seen: Seen,
}

/// What a search is sure to have seen.
#[derive(Clone, Copy)]
struct Seen {
    /// The last commit.
    commit: u64,
    /// What can be searched by: `added::generation`.
    generation: usize,
}

/// What a search that found nothing here must show to have its page kept.
pub(super) struct Ticket {
    number: u64,
    places: Vec<usize>,
    seen: Seen,
    bytes: usize,
}

impl Pages {
    pub(super) fn new() -> Self {
        let stamps = (0..STAMPS).map(|_| AtomicU64::new(0)).collect();
        Self { stamps, commits: AtomicU64::new(0), kept: RwLock::default() }
    }

    /// `Err(None)`: a search whose pages are not kept.
    pub(super) fn find(&self, tenant: &str, query: &SearchQuery) -> Result<SearchPage, Option<Ticket>> {
        // Before the search reads anything: what is committed from now on it may not see.
        let seen = Seen { commit: self.commits.load(Ordering::SeqCst), generation: added::generation() };
        let number = number(tenant, query);
        {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(page) = kept.pages.get(&number)
                && page.tenant == tenant
                && page.query == *query
                && page.seen.generation == seen.generation
                && self.is_unchanged(page)
            {
                return Ok(page.page.clone());
            }
        }
        let bytes = query.weight();
        let places = if bytes > LONGEST_QUESTION { None } else { places(tenant, query) };
        Err(places.map(|places| Ticket { number, places, seen, bytes }))
    }

    fn is_unchanged(&self, page: &Page) -> bool {
        let stamp = |place: &usize| self.stamps.get(*place).map_or(u64::MAX, |stamp| stamp.load(Ordering::SeqCst));
        page.places.iter().all(|place| stamp(place) <= page.seen.commit)
    }

    pub(super) fn keep(&self, ticket: Ticket, tenant: &str, query: SearchQuery, page: &SearchPage) {
        let Ticket { number, places, seen, bytes } = ticket;
        let resources = page.resources.iter().chain(&page.included);
        let bytes = bytes
            + resources.map(|resource| resource.body.len() + AROUND_RESOURCE).sum::<usize>()
            + size_of_val(places.as_slice())
            + size_of::<Page>()
            + AROUND_PAGE;
        if bytes > LARGEST {
            return;
        }
        let page = Box::new(Page { tenant: tenant.to_owned(), query, page: page.clone(), bytes, places, seen });
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        // To let many go takes time: nobody waits for that.
        let full = (kept.bytes + bytes > LIMIT).then(|| std::mem::take(&mut *kept));
        kept.bytes += bytes;
        let replaced = kept.pages.insert(number, page);
        if let Some(replaced) = &replaced {
            kept.bytes -= replaced.bytes;
        }
        drop(kept);
        drop((full, replaced));
    }

    /// What was committed has changed what these stand for.
    pub(super) fn stamp(&self, changed: &Changed) {
        if changed.places.is_empty() {
            return;
        }
        // Only the writer counts: whoever sees the number sees what was committed under it.
        let commit = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        for place in changed.places.iter().chain([&ANY_RESOURCE]) {
            if let Some(stamp) = self.stamps.get(*place) {
                stamp.store(commit, Ordering::SeqCst);
            }
        }
    }
}

fn number(tenant: &str, query: &SearchQuery) -> u64 {
    let mut hasher = DefaultHasher::new();
    (tenant, query).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoredResource;
    use crate::store::keys::{Key, KeyValue, Keys};
    use crate::store::{DatePrefix, Filter, FilterValue};
    use crate::store::{Include, IncludeDirection};

    fn reference(id: &str) -> FilterValue {
        FilterValue::Reference { resource_type: Some("Patient".into()), id: id.into() }
    }

    fn token(code: &str) -> FilterValue {
        FilterValue::Token { system: None, code: Some(code.into()) }
    }

    fn query(filters: &[(&str, Vec<FilterValue>)]) -> SearchQuery {
        let filter = |(parameter, any_of): &(&str, Vec<FilterValue>)| Filter {
            parameter: (*parameter).to_owned(),
            any_of: any_of.clone(),
        };
        let filters = filters.iter().map(filter).collect();
        SearchQuery { resource_type: "Observation".into(), filters, count: 10, ..SearchQuery::default() }
    }

    fn page(size: usize) -> SearchPage {
        let resource = StoredResource {
            resource_type: "Observation".into(),
            id: "x".into(),
            version_id: 1,
            last_updated: 0,
            body: vec![b' '; size].into(),
        };
        SearchPage { resources: vec![resource], included: vec![], total: None, next: None }
    }

    fn keys(codes: &[&str]) -> Keys {
        let key = |code: &&str| {
            let value = KeyValue::Token { system: 1, code: (*code).to_owned() };
            Key { field: 1, value, element: 0 }
        };
        Keys::of(codes.iter().map(key).collect())
    }

    fn asked(pages: &Pages, query: &SearchQuery) {
        let ticket = pages.find("t", query).expect_err("nothing is kept").expect("it can be kept");
        pages.keep(ticket, "t", query.clone(), &page(1));
    }

    /// An Observation of the tenant with these codes is written.
    fn written(pages: &Pages, tenant: &str, resource_type: &str, codes: &[&str]) {
        let mut changed = Changed::default();
        changed.resource(tenant, resource_type, "own-id", [&keys(codes)].into_iter());
        pages.stamp(&changed);
    }

    #[test]
    fn a_page_is_given_for_the_same_search_of_the_same_tenant() {
        let pages = Pages::new();
        let one = query(&[("subject", vec![reference("p1")]), ("status", vec![token("final")])]);
        asked(&pages, &one);
        assert!(pages.find("t", &one).is_ok());
        assert!(pages.find("u", &one).is_err());
        assert!(pages.find("t", &SearchQuery { count: 11, ..one.clone() }).is_err());
        assert!(pages.find("t", &query(&[("subject", vec![reference("p2")])])).is_err());
    }

    #[test]
    fn a_page_stands_until_something_is_written_that_it_hangs_on() {
        let of_patient =
            query(&[("status", vec![token("final")]), ("subject", vec![reference("p1"), reference("p2")])]);
        let by_id = query(&[("_id", vec![token("own-id")])]);
        let of_type = query(&[("status", vec![FilterValue::Not(vec![token("final")])])]);
        let either = query(&[("code", vec![token("a"), FilterValue::Missing(true)])]);
        let include = Include {
            direction: IncludeDirection::Forward,
            resource_type: "Observation".into(),
            parameter: None,
            target: None,
            iterate: false,
        };
        let beyond = SearchQuery { includes: vec![include], ..of_patient.clone() };
        let chain = FilterValue::Chain { resource_type: "Patient".into(), filters: vec![] };
        let chained = query(&[("subject", vec![FilterValue::Not(vec![chain])]), ("_id", vec![token("other")])]);
        let stands = |query: &SearchQuery, resource_type: &str, codes: &[&str]| {
            let pages = Pages::new();
            asked(&pages, query);
            written(&pages, "u", resource_type, codes);
            assert!(
                pages.find("t", query).is_ok()
                    || matches!(places("t", query), Some(places) if places.contains(&ANY_RESOURCE))
            );
            let pages = Pages::new();
            asked(&pages, query);
            written(&pages, "t", resource_type, codes);
            pages.find("t", query).is_ok()
        };
        assert!(stands(&of_patient, "Observation", &["p3", "final"]));
        assert!(stands(&of_patient, "Goal", &["p1", "final"]));
        assert!(!stands(&of_patient, "Observation", &["p1"]));
        assert!(!stands(&of_patient, "Observation", &["final", "p2"]));
        assert!(!stands(&by_id, "Observation", &[]));
        assert!(stands(&by_id, "Goal", &[]));
        for hangs_on_the_type in [&of_type, &either] {
            assert!(!stands(hangs_on_the_type, "Observation", &["p3"]));
            assert!(stands(hangs_on_the_type, "Goal", &["p3"]));
        }
        for hangs_on_others in [&beyond, &chained] {
            assert!(!stands(hangs_on_others, "Goal", &["p3"]));
        }
        let pages = Pages::new();
        asked(&pages, &of_patient);
        let mut changed = Changed::default();
        changed.everything();
        pages.stamp(&changed);
        assert!(pages.find("t", &of_patient).is_err());
    }

    #[test]
    fn a_search_that_began_before_a_commit_is_not_kept_after_it() {
        let pages = Pages::new();
        let one = query(&[("subject", vec![reference("p1")])]);
        let early = pages.find("t", &one).expect_err("nothing is kept").expect("it can be kept");
        written(&pages, "t", "Observation", &["p1"]);
        pages.keep(early, "t", one.clone(), &page(1));
        assert!(pages.find("t", &one).is_err());
        asked(&pages, &one);
        assert!(pages.find("t", &one).is_ok());
    }

    #[test]
    fn what_hangs_on_more_than_resources_or_is_too_long_is_not_kept() {
        let set = crate::store::CodeSet { value_set: "v".into(), codes: None, holds: std::sync::Arc::new(|_, _| true) };
        let within = FilterValue::Not(vec![FilterValue::TokenIn(set)]);
        let about = FilterValue::Date { prefix: DatePrefix::Ap, low: 1, high: 2 };
        let later = FilterValue::Chain {
            resource_type: "Encounter".into(),
            filters: vec![Filter { parameter: "date".into(), any_of: vec![about.clone()] }],
        };
        for value in [within, about, later, token(&"x".repeat(LONGEST_QUESTION))] {
            let one = query(&[("subject", vec![reference("p1")]), ("code", vec![value])]);
            assert!(matches!(Pages::new().find("t", &one), Err(None)));
        }
        let many = query(&[("code", vec![FilterValue::Composite(vec![reference("p1"); 100])])]);
        assert!(matches!(Pages::new().find("t", &many), Err(None)));
    }

    #[test]
    fn memory_stays_under_the_limit() {
        let pages = Pages::new();
        let bytes = || {
            let kept = pages.kept.read().unwrap_or_else(PoisonError::into_inner);
            assert_eq!(kept.pages.values().map(|page| page.bytes).sum::<usize>(), kept.bytes);
            kept.bytes
        };
        for number in 0..40 {
            let one = query(&[("subject", vec![reference(&number.to_string())])]);
            let ticket = pages.find("t", &one).expect_err("nothing is kept").expect("it can be kept");
            pages.keep(ticket, "t", one, &page(LARGEST / 2));
            assert!(bytes() > 0 && bytes() <= LIMIT);
        }
        // Also of what finds nothing: the questions take memory too.
        for number in 0..30_000 {
            let one = query(&[("subject", vec![reference(&format!("nothing{number}"))])]);
            let ticket = pages.find("t", &one).expect_err("nothing is kept").expect("it can be kept");
            let nothing = SearchPage { resources: vec![], included: vec![], total: None, next: None };
            pages.keep(ticket, "t", one, &nothing);
        }
        let kept = pages.kept.read().unwrap_or_else(PoisonError::into_inner).pages.len();
        assert!(bytes() <= LIMIT && kept < LIMIT / (size_of::<Page>() + size_of::<Filter>()), "{kept}");
        let before = bytes();
        let one = query(&[]);
        let ticket = pages.find("t", &one).expect_err("nothing is kept").expect("it can be kept");
        pages.keep(ticket, "t", one, &page(LARGEST));
        assert_eq!(bytes(), before);
    }
}
