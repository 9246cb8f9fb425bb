//! What is found right behind a change: neither what was before, nor nothing. An engine may bring its index up to date
//! later than the resources; nobody must see that.

use crate::sample::*;
use kap_gateway::store::transaction::*;
use kap_gateway::store::*;
use std::time::Duration;

async fn run(store: &dyn ResourceStore, action: Action) {
    let changes = vec![Change { action, expected: Expected::Any }];
    let transaction = Transaction { changes, ..Transaction::default() };
    assert!(matches!(store.transact(DEFAULT_TENANT, transaction).await.unwrap(), Transacted::Done(_)));
}

async fn put(store: &dyn ResourceStore, id: &str, patient: &str, status: &str, day: i64) {
    let index = vec![reference("subject", "Patient", patient), token("status", "", status), date(day, day)];
    let content = format!("{patient} {status} {day}");
    run(store, Action::Put(Write { index, mode: WriteMode::Unowned, ..write("Observation", id, &content) })).await;
}

fn of(patient: &str) -> Vec<Filter> {
    vec![filter("subject", vec![FilterValue::Reference { resource_type: Some("Patient".into()), id: patient.into() }])]
}

async fn ids_of(store: &dyn ResourceStore, query: SearchQuery) -> Vec<String> {
    search(store, query).await.resources.into_iter().map(|resource| resource.id).collect()
}

async fn total(store: &dyn ResourceStore, status: &str) -> Option<u64> {
    let query = query("Observation", vec![by_token("status", None, Some(status))]);
    search(store, SearchQuery { count: 1, total: true, exact_total: true, ..query }).await.total
}

/// All that leads to the Observations, in one go.
async fn looked_at(store: &dyn ResourceStore) -> String {
    let mut seen = Vec::new();
    for patient in ["p", "q"] {
        seen.push(format!("{patient}: {}", found(store, "Observation", of(patient)).await.join(" ")));
        let include = Include {
            direction: IncludeDirection::Reverse,
            resource_type: "Observation".into(),
            parameter: Some("subject".into()),
            target: None,
            iterate: false,
        };
        let page = search(
            store,
            SearchQuery { includes: vec![include], ..query("Patient", vec![by_token("_id", None, Some(patient))]) },
        );
        let included = page.await.included.into_iter().map(|resource| resource.id).collect::<Vec<_>>();
        seen.push(format!("with {patient}: {}", included.join(" ")));
    }
    for status in ["final", "amended"] {
        let has = FilterValue::Has {
            resource_type: "Observation".into(),
            parameter: "subject".into(),
            filters: vec![by_token("status", None, Some(status))],
        };
        seen.push(format!("has {status}: {}", found(store, "Patient", vec![filter("", vec![has])]).await.join(" ")));
        seen.push(format!("{status}: {:?}", total(store, status).await));
    }
    for descending in [false, true] {
        let sort = vec![SortKey { parameter: "date".into(), descending }];
        let ids = ids_of(store, SearchQuery { sort, ..query("Observation", vec![]) }).await;
        seen.push(format!("by date: {}", ids.join(" ")));
    }
    seen.join("; ")
}

pub async fn what_was_changed_is_found_as_it_is_at_once_and_later(store: &dyn ResourceStore) {
    for patient in ["p", "q"] {
        run(store, Action::Put(Write { mode: WriteMode::Unowned, ..write("Patient", patient, "") })).await;
    }
    for (day, id) in (1..).zip(["a", "b", "c", "d"]) {
        put(store, id, "p", "final", day).await;
    }
    let first = "p: a b c d; with p: a b c d; q: ; with q: ; has final: p; final: Some(4); has amended: ; \
                 amended: Some(0); by date: a b c d; by date: d c b a";
    assert_eq!(looked_at(store).await, first);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(looked_at(store).await, first);

    put(store, "a", "q", "amended", 9).await;
    run(store, Action::Delete { resource_type: "Observation".into(), id: "b".into() }).await;
    put(store, "e", "p", "final", 2).await;
    put(store, "e", "q", "final", 5).await;
    put(store, "f", "p", "amended", 7).await;
    run(store, Action::Delete { resource_type: "Observation".into(), id: "f".into() }).await;
    let second = "p: c d; with p: c d; q: a e; with q: a e; has final: p q; final: Some(3); has amended: q; \
                  amended: Some(1); by date: c d e a; by date: a e d c";
    assert_eq!(looked_at(store).await, second);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(looked_at(store).await, second);
}
