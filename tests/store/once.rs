//! Work under a key: done once, and answered alike.

use crate::sample::*;
use bytes::Bytes;
use kap_gateway::store::once::*;
use kap_gateway::store::transaction::*;
use kap_gateway::store::*;
use std::sync::Arc;

const TENANT: &str = DEFAULT_TENANT;

fn key(name: u8, request: u8, now: i64, until: i64) -> OnceKey {
    OnceKey { name: [name; 32], request: [request; 32], now, until }
}

/// The answer tells what was done.
fn once(key: OnceKey) -> Once {
    let answer = |worked: &Worked| {
        let told = match worked {
            Worked::Record(Committed::Stored(resources)) => resources.iter().map(|one| one.version_id).collect(),
            Worked::Transaction(Transacted::Done(done)) => done.iter().map(|one| one.resource.version_id).collect(),
            Worked::Record(Committed::Superseded)
            | Worked::Transaction(Transacted::Superseded | Transacted::Refused(_)) => Vec::new(),
        };
        KeptAnswer {
            status: 201,
            headers: vec![("etag".into(), "W/\"1\"".into())],
            body: Bytes::from(format!("versions {told:?}")),
            rows: vec![ShownRow { resource_type: "Goal".into(), id: "a".into(), version_id: 1 }],
        }
    };
    Once { key, answer: Arc::new(answer) }
}

fn put(content: &str, expected: Expected) -> Work {
    let change = Change { action: Action::Put(write("Goal", "a", content)), expected };
    Work::Transaction(Box::new(Transaction { changes: vec![change], ..Transaction::default() }))
}

async fn newest(store: &dyn ResourceStore) -> u64 {
    store.read(TENANT, "Goal", "a").await.unwrap().map_or(0, |goal| goal.version_id)
}

fn earlier(onced: Onced) -> Earlier {
    match onced {
        Onced::Before(earlier) => earlier,
        Onced::Now(worked) => panic!("{worked:?}"),
    }
}

pub async fn work_under_one_key_is_done_once_and_its_answer_kept(store: &dyn ResourceStore) {
    assert!(store.kept_answer(TENANT, [1; 32], 5).await.unwrap().is_none());
    let first = store.once(TENANT, put("1", Expected::Any), once(key(1, 7, 5, 100))).await.unwrap();
    assert!(matches!(first, Onced::Now(Worked::Transaction(Transacted::Done(_)))));
    // Another content, another request: the store tells what there is, and does nothing.
    let again = store.once(TENANT, put("2", Expected::Any), once(key(1, 8, 50, 100))).await.unwrap();
    let kept = earlier(again);
    assert_eq!((kept.request, newest(store).await), ([7; 32], 1));
    assert_eq!((kept.answer.status, &kept.answer.body[..]), (201, &b"versions [1]"[..]));
    assert_eq!(kept.answer.headers, [("etag".to_owned(), "W/\"1\"".to_owned())]);
    assert_eq!(kept.answer.rows[0].version_id, 1);
    assert_eq!(store.kept_answer(TENANT, [1; 32], 100).await.unwrap(), Some(kept));
    assert!(store.kept_answer("another tenant", [1; 32], 50).await.unwrap().is_none());
    // A record likewise.
    let record = |based_on: Option<&str>| {
        let write = record("r", vec![write("Goal", "of-record", "1")]);
        Work::Record(Box::new(RecordWrite { based_on: based_on.map(str::to_owned), ..write }))
    };
    let first = store.once(TENANT, record(None), once(key(2, 1, 5, 100))).await.unwrap();
    assert!(matches!(first, Onced::Now(Worked::Record(Committed::Stored(_)))));
    let kept = earlier(store.once(TENANT, record(None), once(key(2, 1, 6, 100))).await.unwrap());
    assert_eq!(&kept.answer.body[..], b"versions [1]");
}

pub async fn answer_is_forgotten_when_its_time_has_passed(store: &dyn ResourceStore) {
    for (content, now, until) in [("1", 5, 100), ("2", 101, 200)] {
        let onced = store.once(TENANT, put(content, Expected::Any), once(key(1, 7, now, until))).await.unwrap();
        assert!(matches!(onced, Onced::Now(_)), "{content}");
    }
    assert_eq!(newest(store).await, 2);
    assert!(store.kept_answer(TENANT, [1; 32], 201).await.unwrap().is_none());
}

pub async fn work_that_was_not_done_leaves_no_answer(store: &dyn ResourceStore) {
    let onced = store.once(TENANT, put("1", Expected::Version(9)), once(key(1, 7, 5, 100))).await.unwrap();
    assert!(matches!(onced, Onced::Now(Worked::Transaction(Transacted::Refused(_)))));
    assert!(store.kept_answer(TENANT, [1; 32], 5).await.unwrap().is_none());
    let onced = store.once(TENANT, put("1", Expected::Nothing), once(key(1, 7, 6, 100))).await.unwrap();
    assert!(matches!(onced, Onced::Now(Worked::Transaction(Transacted::Done(_)))));
}

pub async fn of_sixty_four_requests_with_one_key_exactly_one_is_done(store: &dyn ResourceStore) {
    let contents: Vec<String> = (0..64).map(|number| number.to_string()).collect();
    let all = contents.iter().map(|content| store.once(TENANT, put(content, Expected::Any), once(key(1, 7, 5, 100))));
    let answers = join_all(all).await;
    let done = answers.iter().filter(|answer| matches!(answer, Ok(Onced::Now(_)))).count();
    assert_eq!((done, newest(store).await), (1, 1));
}
