//! Changes that no record asks for: all or nothing, on what was expected.

use crate::sample::*;
use kap_gateway::store::transaction::*;
use kap_gateway::store::*;

const TENANT: &str = DEFAULT_TENANT;

fn put(write: Write, expected: Expected) -> Change {
    Change { action: Action::Put(write), expected }
}

fn delete(resource_type: &str, id: &str, expected: Expected) -> Change {
    Change { action: Action::Delete { resource_type: resource_type.into(), id: id.into() }, expected }
}

async fn transact(store: &dyn ResourceStore, changes: Vec<Change>) -> Transacted {
    store.transact(TENANT, Transaction { changes, ..Transaction::default() }).await.unwrap()
}

async fn done(store: &dyn ResourceStore, changes: Vec<Change>) -> Vec<Changed> {
    match transact(store, changes).await {
        Transacted::Done(changed) => changed,
        other @ (Transacted::Superseded | Transacted::Refused(_)) => panic!("{other:?}"),
    }
}

fn told(changed: &[Changed]) -> Vec<(ChangeOutcome, u64)> {
    changed.iter().map(|changed| (changed.outcome, changed.resource.version_id)).collect()
}

/// Version numbers, newest first; those of deletions negative.
async fn versions(store: &dyn ResourceStore, id: &str) -> Vec<i64> {
    let history = store.history(TENANT, "Goal", id, 10, None).await.unwrap();
    let signed = |version: StoredResource| {
        let number = i64::try_from(version.version_id).unwrap();
        if version.is_deletion() { -number } else { number }
    };
    history.into_iter().map(signed).collect()
}

fn goal(id: &str, content: &str) -> Write {
    Write { index: vec![token("identifier", "urn:s", id), token("category", "", "c")], ..write("Goal", id, content) }
}

pub async fn changes_are_done_in_order_and_told(store: &dyn ResourceStore) {
    let all = vec![put(goal("a", "1"), Expected::Nothing), put(goal("b", "1"), Expected::Any)];
    let changed = done(store, all).await;
    assert_eq!(told(&changed), [(ChangeOutcome::Created, 1), (ChangeOutcome::Created, 1)]);
    let read = store.read(TENANT, "Goal", "a").await.unwrap().unwrap();
    assert_eq!((&read.body, read.last_updated), (&changed[0].resource.body, changed[0].resource.last_updated));
    let all = vec![
        delete("Goal", "b", Expected::Something),
        delete("Goal", "nobody", Expected::Any),
        put(goal("a", "2"), Expected::Version(1)),
        put(goal("c", "1"), Expected::Any),
    ];
    let expected = [
        (ChangeOutcome::Deleted, 2),
        (ChangeOutcome::Absent, 0),
        (ChangeOutcome::Updated, 2),
        (ChangeOutcome::Created, 1),
    ];
    assert_eq!(told(&done(store, all).await), expected);
    let same = done(store, vec![put(goal("a", "2"), Expected::Any)]).await;
    assert_eq!(told(&same), [(ChangeOutcome::Unchanged, 2)]);
    assert_eq!(same[0].resource.body, store.read(TENANT, "Goal", "a").await.unwrap().unwrap().body);
}

pub async fn deleted_resource_is_gone_and_keeps_its_versions(store: &dyn ResourceStore) {
    let mut write = goal("a", "1");
    write.patient = Some("p".into());
    done(store, vec![put(write, Expected::Any), put(goal("b", "1"), Expected::Any)]).await;
    // Read once, so that it is kept in memory.
    store.read(TENANT, "Goal", "a").await.unwrap().unwrap();
    done(store, vec![delete("Goal", "a", Expected::Version(1))]).await;
    assert!(store.read(TENANT, "Goal", "a").await.unwrap().is_none());
    assert_eq!(found(store, "Goal", vec![]).await, ["b"]);
    assert_eq!(found(store, "Goal", vec![by_token("category", None, Some("c"))]).await, ["b"]);
    assert_eq!(found(store, "Goal", vec![by_token("_id", None, Some("a"))]).await, [""; 0]);
    assert!(store.compartment(TENANT, "p").await.unwrap().is_empty());
    assert_eq!(versions(store, "a").await, [-2, 1]);
    assert!(!store.vread(TENANT, "Goal", "a", 1).await.unwrap().unwrap().is_deletion());
    assert!(store.vread(TENANT, "Goal", "a", 2).await.unwrap().unwrap().is_deletion());
    for version in [0, 3, u64::MAX] {
        assert!(store.vread(TENANT, "Goal", "a", version).await.unwrap().is_none(), "{version}");
    }
    assert_eq!(told(&done(store, vec![delete("Goal", "a", Expected::Any)]).await), [(ChangeOutcome::Absent, 0)]);
    assert_eq!(versions(store, "a").await, [-2, 1]);
}

pub async fn deleted_resource_comes_back_as_its_next_version(store: &dyn ResourceStore) {
    done(store, vec![put(goal("a", "1"), Expected::Any)]).await;
    done(store, vec![delete("Goal", "a", Expected::Any)]).await;
    let refused = transact(store, vec![put(goal("a", "2"), Expected::Something)]).await;
    assert!(matches!(refused, Transacted::Refused(_)), "{refused:?}");
    let back = done(store, vec![put(goal("a", "1"), Expected::Nothing)]).await;
    assert_eq!(told(&back), [(ChangeOutcome::Created, 3)]);
    assert_eq!(versions(store, "a").await, [3, -2, 1]);
    assert!(store.vread(TENANT, "Goal", "a", 2).await.unwrap().unwrap().is_deletion());
    assert_eq!(found(store, "Goal", vec![by_token("identifier", Some("urn:s"), Some("a"))]).await, ["a"]);
    let history = store.history(TENANT, "Goal", "a", 10, None).await.unwrap();
    assert!(history.windows(2).all(|pair| pair[0].last_updated > pair[1].last_updated));
}

pub async fn versions_of_a_deleted_resource_stay_its_own(store: &dyn ResourceStore) {
    done(store, vec![put(goal("a", "1"), Expected::Any)]).await;
    done(store, vec![delete("Goal", "a", Expected::Any)]).await;
    done(store, vec![put(goal("b", "1"), Expected::Any)]).await;
    done(store, vec![put(goal("b", "2"), Expected::Any)]).await;
    done(store, vec![put(goal("a", "2"), Expected::Any)]).await;
    assert_eq!(versions(store, "a").await, [3, -2, 1]);
    assert_eq!(versions(store, "b").await, [2, 1]);
}

pub async fn refusals_come_all_at_once_and_nothing_is_stored(store: &dyn ResourceStore) {
    done(store, vec![put(goal("a", "1"), Expected::Any)]).await;
    let changes = vec![
        put(goal("new", "1"), Expected::Any),
        put(goal("a", "2"), Expected::Version(7)),
        delete("Goal", "nobody", Expected::Version(1)),
    ];
    let Transacted::Refused(refused) = transact(store, changes).await else { panic!("not refused") };
    let expected = [(1, Refusal::Expectation { current: Some(1) }), (2, Refusal::Expectation { current: None })];
    assert_eq!(refused, expected);
    assert!(store.read(TENANT, "Goal", "new").await.unwrap().is_none());
    assert_eq!(versions(store, "a").await, [1]);
}

pub async fn resource_of_a_record_is_changed_by_its_record_alone(store: &dyn ResourceStore) {
    commit(store, record("r1", vec![goal("a", "1")])).await;
    for change in [put(goal("a", "2"), Expected::Any), delete("Goal", "a", Expected::Version(1))] {
        let Transacted::Refused(refused) = transact(store, vec![change]).await else { panic!("not refused") };
        assert_eq!(refused, [(0, Refusal::OfRecord)]);
    }
    assert_eq!(versions(store, "a").await, [1]);
    // A record may speak of what others have stored; from then on it is the record's.
    done(store, vec![put(goal("b", "1"), Expected::Any)]).await;
    commit(store, record("r2", vec![create_if_absent(goal("b", "2"))])).await;
    done(store, vec![put(goal("b", "3"), Expected::Version(1))]).await;
    commit(store, record("r3", vec![goal("b", "4")])).await;
    let refused = transact(store, vec![put(goal("b", "5"), Expected::Any)]).await;
    assert!(matches!(refused, Transacted::Refused(_)), "{refused:?}");
}

fn unless_there(id: &str) -> Transaction {
    let finds_nothing = Condition {
        query: query("Goal", vec![by_token("identifier", Some("urn:s"), Some("same"))]),
        finds: Finds::Nothing,
    };
    let write = Write { index: vec![token("identifier", "urn:s", "same")], ..write("Goal", id, "x") };
    let changes = vec![put(write, Expected::Nothing)];
    Transaction { conditions: vec![finds_nothing], changes, ..Transaction::default() }
}

pub async fn condition_that_no_longer_holds_supersedes_the_transaction(store: &dyn ResourceStore) {
    let first = store.transact(TENANT, unless_there("a")).await.unwrap();
    assert!(matches!(first, Transacted::Done(_)), "{first:?}");
    let second = store.transact(TENANT, unless_there("b")).await.unwrap();
    assert!(matches!(second, Transacted::Superseded), "{second:?}");
    assert!(store.read(TENANT, "Goal", "b").await.unwrap().is_none());
    for (finds, holds) in [("a", true), ("b", false)] {
        let mut third = unless_there("c");
        third.conditions[0].finds = Finds::One(finds.into());
        let answer = store.transact(TENANT, third).await.unwrap();
        assert_eq!(matches!(answer, Transacted::Done(_)), holds, "{finds}: {answer:?}");
    }
    // Two are not one.
    let mut fourth = unless_there("d");
    fourth.conditions[0].finds = Finds::One("a".into());
    assert!(matches!(store.transact(TENANT, fourth).await.unwrap(), Transacted::Superseded));
}

pub async fn of_sixty_four_conditional_creates_exactly_one_is_done(store: &dyn ResourceStore) {
    let answers = join_all((0..64).map(|n| store.transact(TENANT, unless_there(&format!("g{n}"))))).await;
    let done = answers.iter().filter(|answer| matches!(answer, Ok(Transacted::Done(_)))).count();
    assert_eq!(done, 1);
    assert_eq!(found(store, "Goal", vec![]).await.len(), 1);
}
