//! The store room: a store whose work is timed and counted, whatever the engine. Nothing of the data is told.

use super::history::{HistoryPage, HistoryQuery, MadeBy};
use super::once::{Digest, Earlier, Once, Onced, ShownRow, Work, Worked};
use super::transaction::{ChangeOutcome, Transacted, Transaction};
use super::{
    Committed, Held, RecordWrite, ResourceStore, SearchPage, SearchQuery, StoreError, StoredRecord, StoredResource,
    WriteOutcome,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a store does, by the names of its methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    Commit,
    Transact,
    Once,
    Read,
    Vread,
    History,
    Versions,
    Search,
    Records,
    Compartment,
    KeptAnswer,
    MadeBy,
}

impl Operation {
    pub fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Transact => "transact",
            Self::Once => "once",
            Self::Read => "read",
            Self::Vread => "vread",
            Self::History => "history",
            Self::Versions => "versions",
            Self::Search => "search",
            Self::Records => "records",
            Self::Compartment => "compartment",
            Self::KeptAnswer => "kept_answer",
            Self::MadeBy => "made_by",
        }
    }
}

/// Versions that a write made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
}

/// Is told what the store does.
pub trait StoreObserver: Send + Sync {
    fn done(&self, operation: Operation, took: Duration, is_error: bool);

    /// A write begins to wait for its turn and for the disk, or has its answer.
    fn writes_waiting(&self, change: i64);

    fn written(&self, written: Written);
}

/// A store that tells an observer of its work.
pub struct MeteredStore {
    store: Arc<dyn ResourceStore>,
    observer: Arc<dyn StoreObserver>,
}

impl MeteredStore {
    pub fn new(store: Arc<dyn ResourceStore>, observer: Arc<dyn StoreObserver>) -> Self {
        Self { store, observer }
    }

    async fn timed<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let answer = work.await;
        self.observer.done(operation, started.elapsed(), answer.is_err());
        answer
    }

    async fn write<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, StoreError>>,
        written: impl FnOnce(&T) -> Written,
    ) -> Result<T, StoreError> {
        let _waiting = Waiting::new(&*self.observer);
        let answer = self.timed(operation, work).await?;
        self.observer.written(written(&answer));
        Ok(answer)
    }
}

/// One write under way; it ends also where its caller no longer waits.
struct Waiting<'a>(&'a dyn StoreObserver);

impl<'a> Waiting<'a> {
    fn new(observer: &'a dyn StoreObserver) -> Self {
        observer.writes_waiting(1);
        Self(observer)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.writes_waiting(-1);
    }
}

fn of_record(committed: &Committed) -> Written {
    let mut written = Written::default();
    match committed {
        Committed::Superseded => {}
        Committed::Stored(resources) => resources.iter().for_each(|resource| match resource.outcome {
            WriteOutcome::Created => written.created += 1,
            WriteOutcome::Updated => written.updated += 1,
            WriteOutcome::Unchanged => {}
        }),
    }
    written
}

fn of_transaction(transacted: &Transacted) -> Written {
    let mut written = Written::default();
    match transacted {
        Transacted::Superseded | Transacted::Refused(_) => {}
        Transacted::Done(changes) => changes.iter().for_each(|change| match change.outcome {
            ChangeOutcome::Created => written.created += 1,
            ChangeOutcome::Updated => written.updated += 1,
            ChangeOutcome::Deleted => written.deleted += 1,
            ChangeOutcome::Unchanged | ChangeOutcome::Absent => {}
        }),
    }
    written
}

fn of_once(onced: &Onced) -> Written {
    match onced {
        Onced::Before(_) => Written::default(),
        Onced::Now(Worked::Record(committed)) => of_record(committed),
        Onced::Now(Worked::Transaction(transacted)) => of_transaction(transacted),
    }
}

#[async_trait::async_trait]
impl ResourceStore for MeteredStore {
    async fn commit(&self, tenant: &str, write: RecordWrite) -> Result<Committed, StoreError> {
        self.write(Operation::Commit, self.store.commit(tenant, write), of_record).await
    }

    async fn transact(&self, tenant: &str, transaction: Transaction) -> Result<Transacted, StoreError> {
        self.write(Operation::Transact, self.store.transact(tenant, transaction), of_transaction).await
    }

    async fn read(&self, tenant: &str, resource_type: &str, id: &str) -> Result<Option<StoredResource>, StoreError> {
        self.timed(Operation::Read, self.store.read(tenant, resource_type, id)).await
    }

    async fn vread(
        &self,
        tenant: &str,
        resource_type: &str,
        id: &str,
        version_id: u64,
    ) -> Result<Option<StoredResource>, StoreError> {
        self.timed(Operation::Vread, self.store.vread(tenant, resource_type, id, version_id)).await
    }

    async fn history(
        &self,
        tenant: &str,
        resource_type: &str,
        id: &str,
        count: usize,
        before: Option<u64>,
    ) -> Result<Vec<StoredResource>, StoreError> {
        self.timed(Operation::History, self.store.history(tenant, resource_type, id, count, before)).await
    }

    async fn versions(&self, tenant: &str, query: HistoryQuery) -> Result<HistoryPage, StoreError> {
        self.timed(Operation::Versions, self.store.versions(tenant, query)).await
    }

    async fn search(&self, tenant: &str, query: SearchQuery) -> Result<SearchPage, StoreError> {
        self.timed(Operation::Search, self.store.search(tenant, query)).await
    }

    async fn records(
        &self,
        tenant: &str,
        kind: &str,
        record_id: &str,
        system: Option<&str>,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        self.timed(Operation::Records, self.store.records(tenant, kind, record_id, system)).await
    }

    async fn compartment(&self, tenant: &str, patient: &str) -> Result<Vec<StoredResource>, StoreError> {
        self.timed(Operation::Compartment, self.store.compartment(tenant, patient)).await
    }

    /// Waiting for another gateway is no work of the store.
    async fn hold(&self, tenant: &str, name: &str) -> Result<Held, StoreError> {
        self.store.hold(tenant, name).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.store.check().await
    }

    async fn once(&self, tenant: &str, work: Work, once: Once) -> Result<Onced, StoreError> {
        self.write(Operation::Once, self.store.once(tenant, work, once), of_once).await
    }

    async fn made_by(&self, tenant: &str, versions: Vec<ShownRow>) -> Result<Vec<Option<MadeBy>>, StoreError> {
        self.timed(Operation::MadeBy, self.store.made_by(tenant, versions)).await
    }

    async fn kept_answer(&self, tenant: &str, name: Digest, now: i64) -> Result<Option<Earlier>, StoreError> {
        self.timed(Operation::KeptAnswer, self.store.kept_answer(tenant, name, now)).await
    }
}
