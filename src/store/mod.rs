//! The store room: what was acknowledged survives, every version is kept, search rows are written with it.
//!
//! `ResourceStore` is the one contract; `sqlite/` is the embedded default, `postgres/` is for many gateways on one
//! database. Both pass the same suite (`tests/store`), and search by the same code (`search/`).

mod body;
mod code;
pub mod history;
mod keys;
mod matching;
pub mod metered;
pub mod once;
mod packed;
pub mod postgres;
mod query;
mod rows;
mod search;
pub mod sqlite;
pub mod transaction;

pub use query::{
    CodeSet, Cursor, DatePrefix, Filter, FilterValue, INCLUDE_LIMIT, Include, IncludeDirection, NumberTest, SearchPage,
    SearchQuery, SortKey, TextMatching, UnitTest, UriRelation,
};

use crate::fhir::search::IndexRow;
use bytes::Bytes;
use history::{HistoryPage, HistoryQuery, MadeBy};
use once::{Digest, Earlier, Once, Onced, ShownRow, Work};
use std::any::Any;
use transaction::{Transacted, Transaction};

/// Whose data: every key starts with it. One gateway serves one tenant until access control names more.
pub const DEFAULT_TENANT: &str = "default";

/// One stored version of one resource.
#[derive(Debug, Clone)]
pub struct StoredResource {
    pub resource_type: String,
    pub id: String,
    /// Counts from 1 for each resource; `meta.versionId` in the body says the same.
    pub version_id: u64,
    /// Microseconds since 1970-01-01T00:00:00Z; `meta.lastUpdated` in the body says the same.
    pub last_updated: i64,
    /// The bytes that we send: JSON with `meta.versionId` and `meta.lastUpdated` in place. Empty: this version says that
    /// the resource was deleted.
    pub body: Bytes,
}

impl StoredResource {
    /// Is it a version that says that the resource was deleted? Reads, searches and compartments give none.
    pub fn is_deletion(&self) -> bool {
        self.body.is_empty()
    }
}

/// How much a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Current ones.
    pub resources: u64,
    /// Resources that are deleted now.
    pub deletions: u64,
    /// All versions, deletions among them.
    pub versions: u64,
    pub records: u64,
    /// Entries in the lists of what records wrote.
    pub listed: u64,
    /// Rows of the search index.
    pub search_rows: u64,
}

/// What to do where the resource is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// A new version, unless the content is the same.
    Put,
    /// The same, and it belongs to no record, although it is written with one: clients and later judgements may change
    /// it. So the gateway's own conclusions are written.
    Unowned,
    /// Nothing: another record may know more about it (a patient or practitioner named in passing).
    CreateIfAbsent,
}

/// One resource to store.
#[derive(Debug, Clone)]
pub struct Write {
    pub resource_type: String,
    pub id: String,
    /// JSON whose first members are `resourceType`, `id`, `meta`, without versionId and lastUpdated:
    /// the store puts those in.
    pub body: Bytes,
    pub mode: WriteMode,
    /// The patient whose compartment it belongs to (`Patient.id`), if any.
    pub patient: Option<String>,
    pub index: Vec<IndexRow>,
}

/// Names a sender's record: two systems may use the same record id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordKey {
    pub kind: String,
    pub system: String,
    pub record_id: String,
}

/// A stored record: which resources it wrote, in which versions.
#[derive(Debug, Clone)]
pub struct StoredRecord {
    pub key: RecordKey,
    /// As the sender wrote it: an integer or an instant, as text.
    pub revision: String,
    /// SHA-256 of the record's canonical form.
    pub digest: [u8; 32],
    /// The resources as this record wrote them, in the order of writing; those that it no longer holds are gone
    /// from the list.
    pub resources: Vec<StoredResource>,
}

/// A record's write: all of it, or nothing.
#[derive(Debug, Clone)]
pub struct RecordWrite {
    pub key: RecordKey,
    pub revision: String,
    pub digest: [u8; 32],
    /// The stored revision on which the caller built this write (`None`: no such record yet). If another writer was
    /// faster the answer is `Committed::Superseded`, and nothing is stored.
    pub based_on: Option<String>,
    /// The record's resources, which make its new list.
    pub writes: Vec<Write>,
    /// Written after the record's own and not listed, unless the current version says the same: resources marked
    /// `entered-in-error` that the record no longer holds, and new states of resources that other records own.
    pub retractions: Vec<Write>,
}

/// What became of one resource of a committed write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    Created,
    Updated,
    Unchanged,
}

#[derive(Debug, Clone)]
pub struct WrittenResource {
    pub resource_type: String,
    pub id: String,
    pub version_id: u64,
    pub outcome: WriteOutcome,
}

#[derive(Debug, Clone)]
pub enum Committed {
    /// Durable. One row for each write, then one for each retraction, in the order given.
    Stored(Vec<WrittenResource>),
    /// `based_on` is not what is stored: read again and decide again.
    Superseded,
}

/// What one step of indexing anew has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reindexed {
    pub looked_at: u64,
    /// Resources whose rows were not those that they are now.
    pub changed: u64,
    /// Where the next step goes on; `None`: there is nothing behind.
    pub next: Option<i64>,
}

/// Why the store could not answer. None of the texts holds patient data.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The page link was not made by this store.
    #[error("the page link cannot be read")]
    InvalidCursor,
    /// The search would look at more than this store does for one request; says what would help.
    #[error("{0}")]
    TooCostly(&'static str),
    /// More would come along with a page than may.
    #[error(
        "a page would include more than {limit} resources (setting include_limit): ask for a smaller _count or fewer includes"
    )]
    TooManyIncluded { limit: usize },
    /// The disk is full, the file is damaged, the database has gone.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// A write whose body does not start with resourceType, id and meta: a mistake of ours.
    #[error("{resource_type} has a body that the store cannot version")]
    MalformedBody { resource_type: String },
}

/// A name that is held until this is dropped.
#[derive(Default)]
pub struct Held {
    _release: Option<Box<dyn Any + Send + Sync>>,
}

/// A store of some engine, as it is put together and handed to the door.
pub type Opened = std::sync::Arc<dyn ResourceStore>;

/// Keeps FHIR resources and the records they came from.
#[async_trait::async_trait]
pub trait ResourceStore: Send + Sync {
    /// Stores a record's resources in one transaction; returns when they are durable.
    async fn commit(&self, tenant: &str, write: RecordWrite) -> Result<Committed, StoreError>;

    /// Does changes that no record asks for, if all that they expect is there; returns when they are durable.
    async fn transact(&self, tenant: &str, transaction: Transaction) -> Result<Transacted, StoreError>;

    /// The current version; `None` also where it was deleted (the newest version in its history then says so).
    async fn read(&self, tenant: &str, resource_type: &str, id: &str) -> Result<Option<StoredResource>, StoreError>;

    /// One version, which may be a deletion, or `None`.
    async fn vread(
        &self,
        tenant: &str,
        resource_type: &str,
        id: &str,
        version_id: u64,
    ) -> Result<Option<StoredResource>, StoreError>;

    /// All versions of one resource, deletions too, newest first; `before` continues below that version.
    async fn history(
        &self,
        tenant: &str,
        resource_type: &str,
        id: &str,
        count: usize,
        before: Option<u64>,
    ) -> Result<Vec<StoredResource>, StoreError>;

    /// Versions of a resource, of a type or of all types by the time of writing, deletions too, newest first.
    async fn versions(&self, tenant: &str, query: HistoryQuery) -> Result<HistoryPage, StoreError>;

    async fn search(&self, tenant: &str, query: SearchQuery) -> Result<SearchPage, StoreError>;

    /// The records of that kind and id, of every system, or of one.
    async fn records(
        &self,
        tenant: &str,
        kind: &str,
        record_id: &str,
        system: Option<&str>,
    ) -> Result<Vec<StoredRecord>, StoreError>;

    /// All current resources in a patient's compartment and the patient's own, in the order of storing.
    async fn compartment(&self, tenant: &str, patient: &str) -> Result<Vec<StoredResource>, StoreError>;

    /// Can it take a write now? For readiness.
    async fn check(&self) -> Result<(), StoreError>;

    /// Does the work and keeps its answer, in one transaction; or gives what was kept under the key before. Returns when it
    /// is durable.
    async fn once(&self, tenant: &str, work: Work, once: Once) -> Result<Onced, StoreError>;

    /// How versions came to be, in the order given; `None` where it is not known: those of records, and of older files.
    async fn made_by(&self, tenant: &str, versions: Vec<ShownRow>) -> Result<Vec<Option<MadeBy>>, StoreError>;

    /// Makes the search rows of `count` current resources of a type anew, by the search parameters of now: those behind `after`
    /// in the order of storing (0: from the first). No version is made.
    async fn reindex(
        &self,
        tenant: &str,
        resource_type: &str,
        after: i64,
        count: usize,
    ) -> Result<Reindexed, StoreError>;

    /// What the gateway noted under that name for its own work.
    async fn note(&self, tenant: &str, name: &str) -> Result<Option<String>, StoreError>;

    /// Notes a text, or forgets it; returns when that is durable.
    async fn set_note(&self, tenant: &str, name: &str, text: Option<String>) -> Result<(), StoreError>;

    /// What is kept under that name and not forgotten at `now` (microseconds since 1970-01-01T00:00:00Z).
    async fn kept_answer(&self, tenant: &str, name: Digest, now: i64) -> Result<Option<Earlier>, StoreError>;

    /// Keeps other gateways on the same store from holding the same name, until the answer is dropped. Where one gateway
    /// alone uses a store there is nobody to keep away.
    async fn hold(&self, tenant: &str, name: &str) -> Result<Held, StoreError>;
}
