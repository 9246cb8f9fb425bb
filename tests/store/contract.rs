//! What every engine promises, against the trait alone.

use crate::sample::*;
use bytes::Bytes;
use kap_gateway::store::WriteOutcome::{Created, Unchanged, Updated};
use kap_gateway::store::*;
use std::collections::BTreeSet;

const TENANT: &str = DEFAULT_TENANT;

async fn body(store: &dyn ResourceStore, resource_type: &str, id: &str) -> String {
    let resource = store.read(TENANT, resource_type, id).await.unwrap().unwrap();
    String::from_utf8(resource.body.to_vec()).unwrap()
}

pub async fn new_record_is_created_and_read_back_as_the_same_bytes(store: &dyn ResourceStore) {
    let written = commit(store, record("r1", vec![write("Patient", "p1", "a"), write("Procedure", "x", "b")])).await;
    assert_eq!(outcomes(&written), [(Created, 1), (Created, 1)]);
    let read = store.read(TENANT, "Patient", "p1").await.unwrap().unwrap();
    assert_eq!((read.resource_type.as_str(), read.id.as_str(), read.version_id), ("Patient", "p1", 1));
    let body: serde_json::Value = serde_json::from_slice(&read.body).unwrap();
    let last_updated: jiff::Timestamp = body["meta"]["lastUpdated"].as_str().unwrap().parse().unwrap();
    assert_eq!(last_updated.as_microsecond(), read.last_updated);
    let (before, after) = std::str::from_utf8(&read.body).unwrap().split_once(r#""lastUpdated":""#).unwrap();
    assert_eq!(before, r#"{"resourceType":"Patient","id":"p1","meta":{"versionId":"1","#);
    assert_eq!(&after["2026-02-02T15:00:00.123456Z".len()..], r#""},"note":"a"}"#);
}

pub async fn same_record_again_writes_no_version(store: &dyn ResourceStore) {
    let writes = || vec![write("Patient", "p1", "a"), write("Procedure", "x", "b")];
    commit(store, record("r1", writes())).await;
    let before = body(store, "Patient", "p1").await;
    let written = commit(store, revision("r1", "1", "2", writes())).await;
    assert_eq!(outcomes(&written), [(Unchanged, 1), (Unchanged, 1)]);
    assert_eq!(body(store, "Patient", "p1").await, before);
    assert_eq!(store.history(TENANT, "Patient", "p1", 10, None).await.unwrap().len(), 1);
    assert_eq!(only_record(store, "r1").await.revision, "2");
}

pub async fn corrected_record_writes_new_versions_of_exactly_what_changed(store: &dyn ResourceStore) {
    let writes = |dose: &str| vec![write("Patient", "p1", "a"), write("Procedure", "x", dose), write("Goal", "g", "c")];
    commit(store, record("r1", writes("0.50"))).await;
    let written = commit(store, revision("r1", "1", "2", writes("0.5"))).await;
    assert_eq!(outcomes(&written), [(Unchanged, 1), (Updated, 2), (Unchanged, 1)]);
    assert!(body(store, "Procedure", "x").await.ends_with(r#""note":"0.5"}"#));
    assert!(body(store, "Procedure", "x").await.contains(r#""versionId":"2""#));
}

pub async fn history_is_newest_first_and_pages_by_version(store: &dyn ResourceStore) {
    commit(store, record("r1", vec![write("Procedure", "x", "1")])).await;
    for version in 2..=5 {
        let (before, now) = ((version - 1).to_string(), version.to_string());
        commit(store, revision("r1", &before, &now, vec![write("Procedure", "x", &now)])).await;
    }
    let versions = async |count, before| -> Vec<u64> {
        let history = store.history(TENANT, "Procedure", "x", count, before).await.unwrap();
        history.iter().map(|resource| resource.version_id).collect()
    };
    assert_eq!(versions(10, None).await, [5, 4, 3, 2, 1]);
    assert_eq!(versions(2, None).await, [5, 4]);
    assert_eq!(versions(2, Some(4)).await, [3, 2]);
    assert_eq!(versions(2, Some(2)).await, [1]);
    assert_eq!(versions(2, Some(1)).await, [0u64; 0]);
}

pub async fn every_version_can_be_read(store: &dyn ResourceStore) {
    commit(store, record("r1", vec![write("Procedure", "x", "one")])).await;
    let first = body(store, "Procedure", "x").await;
    commit(store, revision("r1", "1", "2", vec![write("Procedure", "x", "two")])).await;
    for (version_id, content) in [(1, "one"), (2, "two")] {
        let resource = store.vread(TENANT, "Procedure", "x", version_id).await.unwrap().unwrap();
        assert_eq!(resource.version_id, version_id);
        let body = String::from_utf8(resource.body.to_vec()).unwrap();
        assert!(body.contains(&format!(r#""versionId":"{version_id}""#)) && body.contains(content), "{body}");
    }
    let old = store.vread(TENANT, "Procedure", "x", 1).await.unwrap().unwrap();
    assert_eq!(old.body, first, "an old version keeps its bytes");
    for version_id in [0, 3, u64::MAX] {
        assert!(store.vread(TENANT, "Procedure", "x", version_id).await.unwrap().is_none(), "{version_id}");
    }
}

pub async fn absent_things_are_none_and_not_errors(store: &dyn ResourceStore) {
    assert!(store.read(TENANT, "Patient", "p1").await.unwrap().is_none());
    assert!(store.vread(TENANT, "Patient", "p1", 1).await.unwrap().is_none());
    assert!(store.history(TENANT, "Patient", "p1", 10, None).await.unwrap().is_empty());
    assert!(store.records(TENANT, "intake", "r1", None).await.unwrap().is_empty());
    assert!(store.compartment(TENANT, "p1").await.unwrap().is_empty());
    assert_eq!(found(store, "Patient", vec![]).await, [""; 0]);
    commit(store, record("r1", vec![write("Patient", "p1", "a")])).await;
    assert!(store.read(TENANT, "Group", "p1").await.unwrap().is_none());
    assert!(store.read(TENANT, "Patient", "P1").await.unwrap().is_none());
}

pub async fn write_built_on_another_revision_is_superseded_and_stores_nothing(store: &dyn ResourceStore) {
    commit(store, record("r1", vec![write("Patient", "p1", "a")])).await;
    commit(store, revision("r1", "1", "2", vec![write("Patient", "p1", "b")])).await;
    let late = revision("r1", "1", "3", vec![write("Patient", "p1", "c"), write("Goal", "g", "c")]);
    assert!(matches!(store.commit(TENANT, late).await.unwrap(), Committed::Superseded));
    let unknown = revision("r2", "1", "2", vec![write("Goal", "g", "c")]);
    assert!(matches!(store.commit(TENANT, unknown).await.unwrap(), Committed::Superseded));
    assert!(body(store, "Patient", "p1").await.ends_with(r#""note":"b"}"#));
    assert!(store.read(TENANT, "Goal", "g").await.unwrap().is_none());
    assert_eq!(only_record(store, "r1").await.revision, "2");
}

pub async fn first_write_of_a_known_record_is_superseded(store: &dyn ResourceStore) {
    commit(store, record("r1", vec![write("Patient", "p1", "a")])).await;
    let again = record("r1", vec![write("Patient", "p1", "b")]);
    assert!(matches!(store.commit(TENANT, again).await.unwrap(), Committed::Superseded));
}

pub async fn create_if_absent_leaves_the_present_resource_alone(store: &dyn ResourceStore) {
    let named = |content| create_if_absent(write("Practitioner", "d", content));
    assert_eq!(outcomes(&commit(store, record("r1", vec![named("in passing")])).await), [(Created, 1)]);
    commit(store, record("r2", vec![write("Practitioner", "d", "in full")])).await;
    assert_eq!(outcomes(&commit(store, record("r3", vec![named("other")])).await), [(Unchanged, 2)]);
    assert!(body(store, "Practitioner", "d").await.ends_with(r#""note":"in full"}"#));
    assert_eq!(only_record(store, "r3").await.resources[0].version_id, 2);
    assert_eq!(outcomes(&commit(store, revision("r1", "1", "2", vec![named("changed")])).await), [(Unchanged, 2)]);
}

pub async fn record_again_does_not_undo_another_records_later_version(store: &dyn ResourceStore) {
    let one = || vec![write("Patient", "p1", "from one")];
    commit(store, record("one", one())).await;
    commit(store, record("two", vec![write("Patient", "p1", "from two")])).await;
    let written = commit(store, revision("one", "1", "2", one())).await;
    assert_eq!(outcomes(&written), [(Unchanged, 1)]);
    assert!(body(store, "Patient", "p1").await.ends_with(r#""note":"from two"}"#));
    let changed = commit(store, revision("one", "2", "3", vec![write("Patient", "p1", "news from one")])).await;
    assert_eq!(outcomes(&changed), [(Updated, 3)]);
    // Another record that says what is current already writes nothing.
    let third = commit(store, record("three", vec![write("Patient", "p1", "news from one")])).await;
    assert_eq!(outcomes(&third), [(Unchanged, 3)]);
}

pub async fn record_lists_the_versions_that_it_wrote(store: &dyn ResourceStore) {
    let mut first = record("one", vec![write("Goal", "g", "g"), write("Patient", "p1", "from one")]);
    first.digest = [7; 32];
    commit(store, first).await;
    commit(store, record("two", vec![write("Patient", "p1", "from two")])).await;
    let one = only_record(store, "one").await;
    assert_eq!((one.key, one.revision.as_str(), one.digest), (key("one"), "1", [7; 32]));
    let list: Vec<_> = one.resources.iter().map(|r| (r.resource_type.as_str(), r.id.as_str(), r.version_id)).collect();
    assert_eq!(list, [("Goal", "g", 1), ("Patient", "p1", 1)]);
    let patient = std::str::from_utf8(&one.resources[1].body).unwrap();
    assert!(patient.contains("from one") && patient.contains(r#""versionId":"1""#), "{patient}");
    assert_eq!(only_record(store, "two").await.resources[0].version_id, 2);
}

pub async fn retraction_is_a_version_and_leaves_the_list(store: &dyn ResourceStore) {
    commit(store, record("r1", vec![write("Goal", "g", "g"), write("Flag", "f", "f")])).await;
    let retract = |based_on: &str, now: &str| RecordWrite {
        retractions: vec![write("Flag", "f", "entered-in-error")],
        ..revision("r1", based_on, now, vec![write("Goal", "g", "g")])
    };
    let written = commit(store, retract("1", "2")).await;
    assert_eq!(outcomes(&written), [(Unchanged, 1), (Updated, 2)]);
    let listed: Vec<_> = only_record(store, "r1").await.resources.into_iter().map(|r| r.id).collect();
    assert_eq!(listed, ["g"]);
    assert!(body(store, "Flag", "f").await.contains("entered-in-error"));
    assert_eq!(outcomes(&commit(store, retract("2", "3")).await), [(Unchanged, 1), (Unchanged, 2)]);
}

pub async fn retracted_resource_comes_back_as_a_new_version(store: &dyn ResourceStore) {
    commit(store, record("r1", vec![write("Flag", "f", "f")])).await;
    let retraction =
        RecordWrite { retractions: vec![write("Flag", "f", "entered-in-error")], ..revision("r1", "1", "2", vec![]) };
    commit(store, retraction).await;
    let written = commit(store, revision("r1", "2", "3", vec![write("Flag", "f", "f")])).await;
    assert_eq!(outcomes(&written), [(Updated, 3)]);
}

pub async fn records_of_two_systems_with_the_same_id_are_two(store: &dyn ResourceStore) {
    let mut other = record("r1", vec![write("Goal", "h", "h")]);
    other.key.system = "https://other.example".into();
    commit(store, record("r1", vec![write("Goal", "g", "g")])).await;
    commit(store, other).await;
    assert_eq!(store.records(TENANT, "dosing-session", "r1", None).await.unwrap().len(), 2);
    let one = store.records(TENANT, "dosing-session", "r1", Some("https://other.example")).await.unwrap();
    assert_eq!(one.iter().map(|r| r.resources[0].id.as_str()).collect::<Vec<_>>(), ["h"]);
    assert!(store.records(TENANT, "dosing-session", "r1", Some("https://third.example")).await.unwrap().is_empty());
    assert!(store.records(TENANT, "intake", "r1", None).await.unwrap().is_empty());
}

pub async fn tenants_see_nothing_of_each_other(store: &dyn ResourceStore) {
    let patient = |content| Write {
        patient: Some("p1".into()),
        index: vec![token("gender", "", "other")],
        ..write("Patient", "p1", content)
    };
    for tenant in ["north", "south"] {
        let committed = store.commit(tenant, record("r1", vec![patient(tenant)])).await.unwrap();
        assert!(matches!(committed, Committed::Stored(written) if outcomes(&written) == [(Created, 1)]));
    }
    for tenant in ["north", "south"] {
        let mut seen = vec![store.read(tenant, "Patient", "p1").await.unwrap().unwrap()];
        seen.extend(store.compartment(tenant, "p1").await.unwrap());
        seen.extend(store.records(tenant, "dosing-session", "r1", None).await.unwrap().remove(0).resources);
        let active = query("Patient", vec![by_token("gender", None, Some("other"))]);
        seen.extend(store.search(tenant, active).await.unwrap().resources);
        assert_eq!(seen.len(), 4);
        assert!(seen.iter().all(|r| r.body.ends_with(format!(r#""note":"{tenant}"}}"#).as_bytes())), "{tenant}");
    }
    assert!(store.read(TENANT, "Patient", "p1").await.unwrap().is_none());
}

pub async fn last_updated_rises_with_every_version(store: &dyn ResourceStore) {
    let writes = |content: usize| (0..20).map(|i| write("Goal", &format!("g{i}"), &content.to_string())).collect();
    commit(store, record("r0", writes(0))).await;
    for i in 1..5 {
        commit(store, record(&format!("r{i}"), writes(i))).await;
    }
    let mut seen = BTreeSet::new();
    for i in 0..20 {
        let history = store.history(TENANT, "Goal", &format!("g{i}"), 10, None).await.unwrap();
        assert!(history.is_sorted_by(|newer, older| newer.last_updated > older.last_updated));
        seen.extend(history.iter().map(|resource| resource.last_updated));
    }
    assert_eq!(seen.len(), 100, "no two versions share an instant");
}

pub async fn compartment_holds_the_patient_and_what_is_theirs(store: &dyn ResourceStore) {
    let of = |patient: &str, write: Write| Write { patient: Some(patient.into()), ..write };
    let writes = vec![
        write("Patient", "p1", "Testpatient"),
        of("p1", write("Procedure", "x", "x")),
        of("p2", write("Procedure", "y", "y")),
        write("Practitioner", "p1", "same id, other type"),
        of("p1", write("Goal", "g", "g")),
    ];
    commit(store, record("r1", writes)).await;
    commit(store, record("r2", vec![of("p1", write("Procedure", "x", "changed"))])).await;
    let compartment = store.compartment(TENANT, "p1").await.unwrap();
    let held: Vec<_> = compartment.iter().map(|r| (r.resource_type.as_str(), r.id.as_str(), r.version_id)).collect();
    assert_eq!(held, [("Patient", "p1", 1), ("Procedure", "x", 2), ("Goal", "g", 1)]);
}

pub async fn malformed_body_is_refused_and_the_rest_of_the_record_too(store: &dyn ResourceStore) {
    let malformed = Write { body: Bytes::from_static(b"{}"), ..write("Flag", "f", "f") };
    let error = store.commit(TENANT, record("r1", vec![write("Goal", "g", "g"), malformed])).await.unwrap_err();
    assert!(matches!(error, StoreError::MalformedBody { resource_type } if resource_type == "Flag"));
    assert!(store.read(TENANT, "Goal", "g").await.unwrap().is_none());
}

pub async fn sixty_four_writers_at_once_lose_nothing(store: &dyn ResourceStore) {
    let client = async |client: usize| {
        for i in 0..10 {
            let id = format!("c{client}-{i}");
            let writes = vec![write("Goal", &id, "g"), create_if_absent(write("Practitioner", "shared", "s"))];
            commit(store, record(&id, writes)).await;
            assert!(store.read(TENANT, "Goal", &id).await.unwrap().is_some(), "own write is seen");
        }
    };
    join_all((0..64).map(client)).await;
    let mut all = query("Goal", vec![]);
    all.total = true;
    assert_eq!(search(store, all).await.total, Some(640));
    assert_eq!(store.history(TENANT, "Practitioner", "shared", 10, None).await.unwrap().len(), 1);
}

pub async fn of_many_writers_on_one_revision_exactly_one_wins(store: &dyn ResourceStore) {
    commit(store, record("r1", vec![write("Goal", "g", "start")])).await;
    let writer = async |i: usize| {
        let write = revision("r1", "1", &format!("2-{i}"), vec![write("Goal", "g", &i.to_string())]);
        matches!(store.commit(TENANT, write).await.unwrap(), Committed::Stored(_))
    };
    let won = join_all((0..32).map(writer)).await;
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    assert_eq!(store.history(TENANT, "Goal", "g", 10, None).await.unwrap().len(), 2);
}

pub async fn check_answers_that_it_can_write(store: &dyn ResourceStore) {
    store.check().await.unwrap();
}

pub async fn token_filters_tell_systems_and_codes_apart(store: &dyn ResourceStore) {
    let coded = |id: &str, system: &str, code: &str| Write {
        index: vec![token("code", system, code)],
        ..write("Observation", id, "o")
    };
    let writes = vec![
        coded("a", "http://loinc.org", "8480-6"),
        coded("b", "http://loinc.org", "8462-4"),
        coded("c", "http://snomed.info/sct", "8480-6"),
        coded("d", "", "8480-6"),
        write("Observation", "e", "no code"),
        Write { index: vec![token("category", "http://loinc.org", "8480-6")], ..write("Observation", "f", "f") },
        Write { index: vec![token("code", "http://loinc.org", "8480-6")], ..write("Procedure", "p", "p") },
    ];
    commit(store, record("r1", writes)).await;
    let loinc = Some("http://loinc.org");
    for (system, code, expected) in [
        (loinc, Some("8480-6"), vec!["a"]),
        (None, Some("8480-6"), vec!["a", "c", "d"]),
        (Some(""), Some("8480-6"), vec!["d"]),
        (loinc, None, vec!["a", "b"]),
        (None, None, vec!["a", "b", "c", "d"]),
        (Some("http://unknown.example"), Some("8480-6"), vec![]),
        (loinc, Some("8480"), vec![]),
    ] {
        assert_eq!(
            found(store, "Observation", vec![by_token("code", system, code)]).await,
            expected,
            "{system:?} {code:?}"
        );
    }
    let either =
        ["8462-4", "8480-6"].map(|code| FilterValue::Token { system: loinc.map(Into::into), code: Some(code.into()) });
    assert_eq!(found(store, "Observation", vec![filter("code", either.into())]).await, ["a", "b"]);
    assert_eq!(found(store, "Observation", vec![by_token("unknown", None, Some("8480-6"))]).await, [""; 0]);
    assert_eq!(found(store, "Observation", vec![filter("code", vec![])]).await, [""; 0], "no value, no match");
}

pub async fn reference_filters_match_type_and_id(store: &dyn ResourceStore) {
    let about = |id: &str, target: &str| Write {
        index: vec![reference("subject", target, "1")],
        ..write("Observation", id, "f")
    };
    commit(store, record("r1", vec![about("a", "Patient"), about("b", "Group"), write("Observation", "c", "c")])).await;
    let to = |resource_type: Option<&str>, id: &str| {
        filter("subject", vec![FilterValue::Reference { resource_type: resource_type.map(Into::into), id: id.into() }])
    };
    assert_eq!(found(store, "Observation", vec![to(Some("Patient"), "1")]).await, ["a"]);
    assert_eq!(found(store, "Observation", vec![to(None, "1")]).await, ["a", "b"]);
    assert_eq!(found(store, "Observation", vec![to(Some("Patient"), "2")]).await, [""; 0]);
}

pub async fn id_and_last_updated_filter_without_rows(store: &dyn ResourceStore) {
    commit(
        store,
        record(
            "r1",
            vec![write("Observation", "a", "f"), write("Observation", "b", "f"), write("Observation", "c", "f")],
        ),
    )
    .await;
    assert_eq!(found(store, "Observation", vec![by_token("_id", None, Some("b"))]).await, ["b"]);
    assert_eq!(found(store, "Observation", vec![by_token("_id", Some("http://x.example"), Some("b"))]).await, [""; 0]);
    let b = store.read(TENANT, "Observation", "b").await.unwrap().unwrap().last_updated;
    for (prefix, expected) in [
        (DatePrefix::Eq, vec!["b"]),
        (DatePrefix::Ne, vec!["a", "c"]),
        (DatePrefix::Gt, vec!["c"]),
        (DatePrefix::Lt, vec!["a"]),
        (DatePrefix::Ge, vec!["b", "c"]),
        (DatePrefix::Le, vec!["a", "b"]),
        (DatePrefix::Sa, vec!["c"]),
        (DatePrefix::Eb, vec!["a"]),
    ] {
        let at_b = filter("_lastUpdated", vec![FilterValue::Date { prefix, low: b, high: b }]);
        assert_eq!(found(store, "Observation", vec![at_b]).await, expected, "{prefix:?}");
    }
}

pub async fn filters_must_all_hold(store: &dyn ResourceStore) {
    let flag = |id: &str, status: &str, code: &str| Write {
        index: vec![token("status", "", status), token("code", "", code)],
        ..write("Observation", id, "f")
    };
    let writes = vec![flag("a", "active", "x"), flag("b", "active", "y"), flag("c", "inactive", "x")];
    commit(store, record("r1", writes)).await;
    let both = vec![by_token("status", None, Some("active")), by_token("code", None, Some("x"))];
    assert_eq!(found(store, "Observation", both.clone()).await, ["a"]);
    let none = [both, vec![by_token("_id", None, Some("b"))]].concat();
    assert_eq!(found(store, "Observation", none).await, [""; 0]);
}

pub async fn search_rows_follow_the_current_version(store: &dyn ResourceStore) {
    let flag = |status: &str| Write {
        index: vec![token("status", "", status), date(5, 6)],
        ..write("Observation", "a", status)
    };
    commit(store, record("r1", vec![flag("active")])).await;
    commit(store, revision("r1", "1", "2", vec![flag("inactive")])).await;
    assert_eq!(found(store, "Observation", vec![by_token("status", None, Some("active"))]).await, [""; 0]);
    assert_eq!(found(store, "Observation", vec![by_token("status", None, Some("inactive"))]).await, ["a"]);
}

pub async fn total_counts_all_pages_and_only_on_request(store: &dyn ResourceStore) {
    commit(store, record("r1", (0..7).map(|i| write("Observation", &i.to_string(), "f")).collect())).await;
    let page = SearchQuery { count: 3, ..query("Observation", vec![]) };
    let first = search(store, page.clone()).await;
    assert_eq!((first.resources.len(), first.total), (3, None));
    let counted = search(store, SearchQuery { total: true, after: first.next, ..page.clone() }).await;
    assert_eq!((counted.resources.len(), counted.total), (3, Some(7)));
    let last = search(store, SearchQuery { after: counted.next, ..page }).await;
    assert_eq!((last.resources.len(), last.next), (1, None));
}
