//! Pages: everything exactly once, in order, whatever happens meanwhile.

use crate::sample::*;
use kap_gateway::fhir::search as index;
use kap_gateway::store::*;

fn sorts() -> Vec<Vec<SortKey>> {
    let key = |parameter: &str, descending| SortKey { parameter: parameter.to_owned(), descending };
    vec![
        vec![],
        vec![key("date", false)],
        vec![key("date", true)],
        vec![key("_lastUpdated", false)],
        vec![key("_lastUpdated", true)],
        vec![key("status", false), key("date", true)],
        vec![key("_id", true)],
    ]
}

/// `i`-th resource; every fifth has no date, and many share one.
fn dated(i: usize) -> Write {
    let id = format!("{i:04}");
    let date = match i.is_multiple_of(5) {
        true => String::new(),
        false => format!(r#","effectivePeriod":{{"start":"1970-01-01T00:00:0{}Z"}}"#, i % 7),
    };
    let body = format!(r#"{{"resourceType":"Observation","id":"{id}","meta":{{}},"status":"final"{date}}}"#);
    let index = index::extract("Observation", body.as_bytes()).unwrap();
    Write { index, body: body.into(), ..write("Observation", &id, "o") }
}

async fn store_dated(store: &dyn ResourceStore, count: usize) {
    for start in (0..count).step_by(100) {
        commit(store, record(&format!("r{start}"), (start..count.min(start + 100)).map(dated).collect())).await;
    }
}

/// All pages of a search; `between` runs after each.
async fn walk(store: &dyn ResourceStore, page: SearchQuery, mut between: impl AsyncFnMut(usize)) -> Vec<String> {
    let mut ids = vec![];
    let mut after = None;
    for number in 0.. {
        let found = search(store, SearchQuery { after, ..page.clone() }).await;
        assert!(found.resources.len() <= page.count);
        ids.extend(found.resources.into_iter().map(|resource| resource.id));
        after = found.next;
        if after.is_none() {
            break;
        }
        between(number).await;
    }
    ids
}

fn sorted(count: usize, sort: &[SortKey]) -> Vec<String> {
    let mut all: Vec<usize> = (0..count).collect();
    let date = |i: usize| (!i.is_multiple_of(5)).then_some(i % 7);
    // All have the same status, and ids in the order of storing.
    match sort.last() {
        Some(SortKey { parameter, descending: false }) if parameter == "date" => {
            all.sort_by_key(|&i| (date(i).is_none(), date(i), i));
        }
        Some(SortKey { parameter, descending: true }) if parameter == "date" => {
            all.sort_by_key(|&i| (date(i).is_none(), std::cmp::Reverse((date(i), i))));
        }
        Some(SortKey { descending: true, .. }) => all.reverse(),
        Some(_) | None => {}
    }
    all.into_iter().map(|i| format!("{i:04}")).collect()
}

pub async fn pages_cover_everything_once_in_every_sort(store: &dyn ResourceStore) {
    store_dated(store, 103).await;
    for sort in sorts() {
        for count in [1, 10, 103, 200] {
            let page = SearchQuery {
                sort: sort.clone(),
                count,
                ..query("Observation", vec![by_token("status", None, Some("final"))])
            };
            assert_eq!(walk(store, page, async |_| ()).await, sorted(103, &sort), "{sort:?} by {count}");
        }
    }
}

pub async fn pages_cover_everything_once_while_writes_go_on(store: &dyn ResourceStore) {
    store_dated(store, 103).await;
    let page = SearchQuery { count: 10, ..query("Observation", vec![]) };
    // New resources and new versions of resources on every page.
    let ids = walk(store, page, async |number| {
        let changed = (number * 7..number * 7 + 20)
            .map(|i| write("Observation", &format!("{:04}", i % 103), &number.to_string()));
        let new = (0..2).map(|i| dated(1000 + number * 2 + i));
        commit(store, record(&format!("page{number}"), changed.chain(new).collect())).await;
    })
    .await;
    assert_eq!(ids[..103], sorted(103, &[]));
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), ids.len());
}

pub async fn many_matches_page_as_few_do(store: &dyn ResourceStore) {
    store_dated(store, 2500).await;
    for sort in sorts() {
        let page = SearchQuery {
            sort: sort.clone(),
            count: 400,
            ..query("Observation", vec![by_token("status", None, Some("final"))])
        };
        assert_eq!(walk(store, page, async |_| ()).await, sorted(2500, &sort), "{sort:?}");
    }
}

pub async fn cursor_of_another_sort_is_invalid(store: &dyn ResourceStore) {
    store_dated(store, 10).await;
    let page = SearchQuery { count: 3, ..query("Observation", vec![]) };
    let after = search(store, page.clone()).await.next;
    for sort in &sorts()[1..] {
        let other = SearchQuery { sort: sort.clone(), after: after.clone(), ..page.clone() };
        let error = store.search(DEFAULT_TENANT, other).await.unwrap_err();
        assert!(matches!(error, StoreError::InvalidCursor), "{sort:?}");
    }
}

pub async fn invented_cursor_is_invalid(store: &dyn ResourceStore) {
    store_dated(store, 10).await;
    for text in ["", "0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "seq > 0", "ä", &"A".repeat(100_000)] {
        let after = Some(Cursor(text.into()));
        let error =
            store.search(DEFAULT_TENANT, SearchQuery { after, ..query("Observation", vec![]) }).await.unwrap_err();
        assert!(matches!(error, StoreError::InvalidCursor), "{text}");
    }
    // Also where there is nothing to search.
    let nothing = SearchQuery { after: Some(Cursor("x".into())), ..query("Goal", vec![]) };
    assert!(matches!(store.search(DEFAULT_TENANT, nothing).await, Err(StoreError::InvalidCursor)));
}
