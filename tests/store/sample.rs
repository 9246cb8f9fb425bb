//! Records and resources to store. Patients are named Testpatient and are nobody.

use bytes::Bytes;
use kap_gateway::fhir::search::{IndexRow, IndexValue};
use kap_gateway::store::{
    Committed, DEFAULT_TENANT, Filter, FilterValue, RecordKey, RecordWrite, ResourceStore, SearchPage, SearchQuery,
    StoredRecord, Write, WriteMode, WriteOutcome, WrittenResource,
};
use std::future::poll_fn;
use std::task::Poll;

/// A resource of which `content` is what matters.
pub fn write(resource_type: &str, id: &str, content: &str) -> Write {
    let body = format!(r#"{{"resourceType":"{resource_type}","id":"{id}","meta":{{}},"note":"{content}"}}"#);
    Write {
        resource_type: resource_type.into(),
        id: id.into(),
        body: Bytes::from(body),
        mode: WriteMode::Put,
        patient: None,
        index: vec![],
    }
}

pub fn create_if_absent(write: Write) -> Write {
    Write { mode: WriteMode::CreateIfAbsent, ..write }
}

pub fn token(field: &'static str, system: &str, code: &str) -> IndexRow {
    IndexRow::new(field, IndexValue::Token { system: system.into(), code: code.into() })
}

/// Of an Observation.
pub fn date(low: i64, high: i64) -> IndexRow {
    IndexRow::new("effective:date", IndexValue::Date { low, high })
}

pub fn reference(field: &'static str, resource_type: &str, id: &str) -> IndexRow {
    IndexRow::new(field, IndexValue::Reference { resource_type: resource_type.into(), id: id.into() })
}

pub fn key(record_id: &str) -> RecordKey {
    RecordKey { kind: "dosing-session".into(), system: "https://sender.example".into(), record_id: record_id.into() }
}

/// A first write of a record.
pub fn record(record_id: &str, writes: Vec<Write>) -> RecordWrite {
    RecordWrite {
        key: key(record_id),
        revision: "1".into(),
        digest: [1; 32],
        based_on: None,
        writes,
        retractions: vec![],
    }
}

/// A later write of the same record.
pub fn revision(record_id: &str, based_on: &str, revision: &str, writes: Vec<Write>) -> RecordWrite {
    RecordWrite { based_on: Some(based_on.into()), revision: revision.into(), ..record(record_id, writes) }
}

pub async fn commit(store: &dyn ResourceStore, write: RecordWrite) -> Vec<WrittenResource> {
    match store.commit(DEFAULT_TENANT, write).await.unwrap() {
        Committed::Stored(written) => written,
        Committed::Superseded => panic!("superseded"),
    }
}

pub fn outcomes(written: &[WrittenResource]) -> Vec<(WriteOutcome, u64)> {
    written.iter().map(|resource| (resource.outcome, resource.version_id)).collect()
}

pub async fn only_record(store: &dyn ResourceStore, record_id: &str) -> StoredRecord {
    let mut records = store.records(DEFAULT_TENANT, "dosing-session", record_id, None).await.unwrap();
    assert_eq!(records.len(), 1, "{record_id}");
    records.remove(0)
}

pub fn query(resource_type: &str, filters: Vec<Filter>) -> SearchQuery {
    SearchQuery { resource_type: resource_type.into(), filters, count: 1000, ..SearchQuery::default() }
}

pub fn filter(parameter: &str, any_of: Vec<FilterValue>) -> Filter {
    Filter { parameter: parameter.into(), any_of }
}

pub fn by_token(parameter: &str, system: Option<&str>, code: Option<&str>) -> Filter {
    filter(parameter, vec![FilterValue::Token { system: system.map(Into::into), code: code.map(Into::into) }])
}

pub async fn search(store: &dyn ResourceStore, query: SearchQuery) -> SearchPage {
    store.search(DEFAULT_TENANT, query).await.unwrap()
}

pub async fn found(store: &dyn ResourceStore, resource_type: &str, filters: Vec<Filter>) -> Vec<String> {
    let page = search(store, query(resource_type, filters)).await;
    assert!(page.next.is_none());
    page.resources.into_iter().map(|resource| resource.id).collect()
}

/// Runs all at once on this task and gives their answers in order.
pub async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        for (future, answer) in running.iter_mut().filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(context) {
                *answer = Some(ready);
            }
        }
        if running.iter().all(|(_, answer)| answer.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, answer)| answer).collect()
}
