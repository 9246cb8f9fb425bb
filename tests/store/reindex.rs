//! Search rows made anew, what the gateway notes for itself, and how versions came to be.

use crate::sample::*;
use kap_gateway::store::history::{MadeBy, Method};
use kap_gateway::store::once::ShownRow;
use kap_gateway::store::transaction::*;
use kap_gateway::store::*;

const TENANT: &str = DEFAULT_TENANT;

pub async fn rows_are_made_anew_step_by_step_without_new_versions(store: &dyn ResourceStore) {
    // Rows that the bodies do not say: as an older program, or another set of parameters, would have made them.
    for number in 0..5 {
        let id = format!("g{number}");
        let write = Write { index: vec![token("identifier", "urn:s", &id)], ..write("Goal", &id, "x") };
        commit(store, record(&id, vec![write])).await;
    }
    let by = |id: &str| {
        let value = FilterValue::Token { system: None, code: Some(id.to_owned()) };
        vec![Filter { parameter: "identifier".into(), any_of: vec![value] }]
    };
    assert_eq!(found(store, "Goal", by("g3")).await, ["g3"]);
    let (mut after, mut steps, mut changed) = (0, Vec::new(), 0);
    loop {
        let step = store.reindex(TENANT, "Goal", after, 2).await.unwrap();
        steps.push(step.looked_at);
        changed += step.changed;
        match step.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!((steps, changed), (vec![2, 2, 1], 5));
    assert_eq!(found(store, "Goal", by("g3")).await, [""; 0]);
    assert_eq!(store.read(TENANT, "Goal", "g3").await.unwrap().unwrap().version_id, 1);
    // Again there is nothing to change; and of a type that is not there nothing to look at.
    let again = store.reindex(TENANT, "Goal", 0, 100).await.unwrap();
    assert_eq!(again, Reindexed { looked_at: 5, changed: 0, next: None });
    let none = store.reindex(TENANT, "Basic", 0, 100).await.unwrap();
    assert_eq!(none, Reindexed { looked_at: 0, changed: 0, next: None });
}

pub async fn notes_are_kept_for_each_tenant_and_forgotten(store: &dyn ResourceStore) {
    assert_eq!(store.note(TENANT, "a").await.unwrap(), None);
    store.set_note(TENANT, "a", Some("1".into())).await.unwrap();
    store.set_note(TENANT, "a", Some("2".into())).await.unwrap();
    store.set_note("another tenant", "a", Some("3".into())).await.unwrap();
    assert_eq!(store.note(TENANT, "a").await.unwrap().as_deref(), Some("2"));
    store.set_note(TENANT, "a", None).await.unwrap();
    assert_eq!(store.note(TENANT, "a").await.unwrap(), None);
    assert_eq!(store.note("another tenant", "a").await.unwrap().as_deref(), Some("3"));
}

pub async fn versions_tell_by_which_request_they_were_made(store: &dyn ResourceStore) {
    let put = |content: &str| Action::Put(write("Goal", "g", content));
    let delete = Action::Delete { resource_type: "Goal".into(), id: "g".into() };
    for (action, method) in [
        (put("1"), Method::Post),
        (put("2"), Method::Patch),
        (put("3"), Method::Put),
        (delete, Method::Put),
        (put("4"), Method::Put),
    ] {
        let changes = vec![Change { action, expected: Expected::Any }];
        let transaction = Transaction { changes, methods: vec![method], ..Transaction::default() };
        assert!(matches!(store.transact(TENANT, transaction).await.unwrap(), Transacted::Done(_)));
    }
    commit(store, record("r", vec![write("Goal", "of-record", "1")])).await;
    let row = |id: &str, version_id| ShownRow { resource_type: "Goal".into(), id: id.into(), version_id };
    let mut rows: Vec<ShownRow> = (1..=5).map(|version| row("g", version)).collect();
    rows.extend([row("of-record", 1), row("nobody", 1)]);
    let made = |method, created| Some(MadeBy { method, created });
    let expected = vec![
        made(Method::Post, true),
        made(Method::Patch, false),
        made(Method::Put, false),
        None,
        made(Method::Put, true),
        None,
        None,
    ];
    assert_eq!(store.made_by(TENANT, rows).await.unwrap(), expected);
}
