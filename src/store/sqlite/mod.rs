//! The store room: SQLite, embedded, the default store. <https://sqlite.org/wal.html>
//!
//! One writer thread commits many waiting records in one transaction (`writer`), readers have a pool of
//! connections (`readers`). Point reads run on the caller's thread: they take less time than a change of thread.

pub mod copy;
pub(super) mod departure;
mod flush;
mod history;
mod ids;
mod index;
mod once;
mod pages;
mod pending;
mod places;
#[cfg(test)]
mod plans;
mod readers;
mod reads;
mod recent;
mod record;
mod reindex;
mod schema;
mod search_rows;
mod transact;
mod writer;

use crate::store::history::{HistoryPage, HistoryQuery, MadeBy};
use crate::store::once::{Digest, Earlier, Once, Onced, ShownRow, Work};
use crate::store::search;
use crate::store::transaction::{Transacted, Transaction};
use crate::store::{
    Committed, Held, RecordWrite, Reindexed, ResourceStore, SearchPage, SearchQuery, StoreError, StoredRecord,
    StoredResource,
};
pub use copy::Copied;
use ids::Ids;
use index::FileIndex;
use pages::Pages;
use pending::Pending;
use readers::Readers;
use reads::Named;
use recent::Recent;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use writer::Writer;

/// How long a connection waits for another's lock: a checkpoint may hold it for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A store in one file. Cheap to clone; the file is let go when the last clone is dropped.
#[derive(Clone)]
pub struct SqliteStore {
    open: Arc<Open>,
}

struct Open {
    // Fields are dropped in this order: the claim on the file ends after its last use, and the last to use it is who may
    // bring its log into it.
    readers: Readers,
    writer: Writer,
    recent: Arc<Recent>,
    pages: Arc<Pages>,
    pending: Arc<Pending>,
    _claim: File,
}

impl SqliteStore {
    /// Opens the file, or makes it, and claims it: a second gateway on the same file gets an error, as does a
    /// file of a newer schema.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let place = Place::of(path.as_ref())?;
        let claim = place.claim()?;
        let mut connection =
            place.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).map_err(unavailable)?;
        schema::migrate(&mut connection).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let recent = Arc::new(Recent::default());
        let pages = Arc::new(Pages::new());
        let pending = Arc::new(Pending::new());
        flush::recover(&connection, &pending).map_err(unavailable)?;
        let writer = Writer::start(connection, Arc::clone(&recent), Arc::clone(&pages), Arc::clone(&pending))?;
        let readers = Readers::new(place);
        Ok(Self { open: Arc::new(Open { readers, writer, recent, pages, pending, _claim: claim }) })
    }

    /// A read that may take long runs where it holds up no request.
    async fn read_aside<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let open = Arc::clone(&self.open);
        tokio::task::spawn_blocking(move || open.readers.with(read))
            .await
            .map_err(|error| StoreError::Unavailable(format!("a read was stopped: {error}")))?
    }
}

#[async_trait::async_trait]
impl ResourceStore for SqliteStore {
    async fn commit(&self, tenant: &str, write: RecordWrite) -> Result<Committed, StoreError> {
        self.open.writer.commit(tenant, write).await
    }

    async fn transact(&self, tenant: &str, transaction: Transaction) -> Result<Transacted, StoreError> {
        self.open.writer.transact(tenant, transaction).await
    }

    async fn read(&self, tenant: &str, resource_type: &str, id: &str) -> Result<Option<StoredResource>, StoreError> {
        let ticket = match self.open.recent.find(tenant, resource_type, id) {
            Ok(resource) => return Ok(Some(resource)),
            Err(ticket) => ticket,
        };
        let ids = Ids::before(&self.open.pending);
        let named = Named { tenant, resource_type, id };
        let found = self.open.readers.with(|connection| reads::current(connection, &ids, &named))?;
        if let Some(resource) = &found {
            self.open.recent.keep(&ticket, tenant, resource);
        }
        Ok(found)
    }

    async fn vread(
        &self,
        tenant: &str,
        resource_type: &str,
        id: &str,
        version_id: u64,
    ) -> Result<Option<StoredResource>, StoreError> {
        let ids = Ids::before(&self.open.pending);
        let named = Named { tenant, resource_type, id };
        self.open.readers.with(|connection| reads::version(connection, &ids, &named, version_id))
    }

    async fn history(
        &self,
        tenant: &str,
        resource_type: &str,
        id: &str,
        count: usize,
        before: Option<u64>,
    ) -> Result<Vec<StoredResource>, StoreError> {
        let (tenant, resource_type, id) = (tenant.to_owned(), resource_type.to_owned(), id.to_owned());
        let ids = Ids::before(&self.open.pending);
        self.read_aside(move |connection| {
            let named = Named { tenant: &tenant, resource_type: &resource_type, id: &id };
            reads::history(connection, &ids, &named, count, before)
        })
        .await
    }

    async fn versions(&self, tenant: &str, query: HistoryQuery) -> Result<HistoryPage, StoreError> {
        let tenant = tenant.to_owned();
        let ids = Ids::before(&self.open.pending);
        self.read_aside(move |connection| history::page(connection, &ids, &tenant, &query)).await
    }

    async fn search(&self, tenant: &str, query: SearchQuery) -> Result<SearchPage, StoreError> {
        let ticket = match self.open.pages.find(tenant, &query) {
            Ok(page) => return Ok(page),
            Err(ticket) => ticket,
        };
        let tenant = tenant.to_owned();
        let (pending, pages) = (Arc::clone(&self.open.pending), Arc::clone(&self.open.pages));
        self.read_aside(move |connection| {
            // One snapshot for the page and its total.
            let page = readers::at_one_moment(connection, &pending, |connection, view| {
                search::page(&FileIndex::new(connection, &tenant, view), &tenant, &query)
            })?;
            if let Some(ticket) = ticket {
                pages.keep(ticket, &tenant, query, &page);
            }
            Ok(page)
        })
        .await
    }

    async fn records(
        &self,
        tenant: &str,
        kind: &str,
        record_id: &str,
        system: Option<&str>,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let (tenant, kind, record_id) = (tenant.to_owned(), kind.to_owned(), record_id.to_owned());
        let system = system.map(str::to_owned);
        self.read_aside(move |connection| reads::records(connection, &tenant, &kind, &record_id, system.as_deref()))
            .await
    }

    async fn compartment(&self, tenant: &str, patient: &str) -> Result<Vec<StoredResource>, StoreError> {
        let (tenant, patient) = (tenant.to_owned(), patient.to_owned());
        let ids = Ids::before(&self.open.pending);
        self.read_aside(move |connection| reads::compartment(connection, &ids, &tenant, &patient)).await
    }

    /// One process owns the file: there is no other gateway.
    async fn hold(&self, _: &str, _: &str) -> Result<Held, StoreError> {
        Ok(Held::default())
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.open.writer.check().await
    }

    async fn once(&self, tenant: &str, work: Work, once: Once) -> Result<Onced, StoreError> {
        self.open.writer.once(tenant, work, once).await
    }

    async fn reindex(
        &self,
        tenant: &str,
        resource_type: &str,
        after: i64,
        count: usize,
    ) -> Result<Reindexed, StoreError> {
        self.open.writer.reindex(tenant, resource_type, after, count).await
    }

    async fn note(&self, tenant: &str, name: &str) -> Result<Option<String>, StoreError> {
        self.open.readers.with(|connection| reindex::note(connection, tenant, name))
    }

    async fn set_note(&self, tenant: &str, name: &str, text: Option<String>) -> Result<(), StoreError> {
        self.open.writer.set_note(tenant, name, text).await
    }

    async fn made_by(&self, tenant: &str, versions: Vec<ShownRow>) -> Result<Vec<Option<MadeBy>>, StoreError> {
        let tenant = tenant.to_owned();
        let ids = Ids::before(&self.open.pending);
        self.read_aside(move |connection| history::made_by(connection, &ids, &tenant, &versions)).await
    }

    async fn kept_answer(&self, tenant: &str, name: Digest, now: i64) -> Result<Option<Earlier>, StoreError> {
        self.open.readers.with(|connection| once::kept(connection, tenant, &name, now))
    }
}

/// Is a gateway, or another program of ours, using that data file now? A file that cannot be looked at is used by none.
pub fn in_use(path: &Path) -> bool {
    let lock = Place::of(path).ok().and_then(|place| {
        let mut lock_path = place.path.into_os_string();
        lock_path.push(".lock");
        File::open(lock_path).ok()
    });
    lock.is_some_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Where the file lies, and how its connections are set up.
struct Place {
    path: PathBuf,
}

impl Place {
    /// The file by its one true path, so that whoever names it otherwise meets the same claim. A file with a second
    /// name (a hard link) has no such path, and is refused.
    fn of(path: &Path) -> Result<Self, StoreError> {
        let refused = |why: String| StoreError::Unavailable(format!("{} {why}", path.display()));
        let unusable = |error: io::Error| refused(format!("cannot be used: {error}"));
        match path.canonicalize() {
            Ok(path) if names(&path).map_err(unusable)? > 1 => {
                Err(refused("has a second name (a hard link), by which another could open it".to_owned()))
            }
            Ok(path) => Ok(Self { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
                let name = path.file_name().ok_or_else(|| refused("names no file".to_owned()))?;
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.unwrap_or(Path::new(".")).canonicalize().map_err(unusable)?;
                Ok(Self { path: folder.join(name) })
            }
            Err(error) => Err(unusable(error)),
        }
    }

    /// Holds `<file>.lock` for as long as the store is open. The lock goes with the process, also when it is killed.
    fn claim(&self) -> Result<File, StoreError> {
        let mut lock_path = self.path.clone().into_os_string();
        lock_path.push(".lock");
        let lock =
            File::options().create(true).truncate(false).write(true).open(lock_path).map_err(|error| {
                StoreError::Unavailable(format!("{} cannot be claimed: {error}", self.path.display()))
            })?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::Unavailable(format!("{} is in use by another kap-gateway", self.path.display())))
            }
            Err(TryLockError::Error(error)) => {
                Err(StoreError::Unavailable(format!("{} cannot be claimed: {error}", self.path.display())))
            }
        }
    }

    fn connect(&self, access: OpenFlags) -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(&self.path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Else a statement whose plan might depend on a bound value, which is each with `LIMIT ?`, is parsed and planned
        // anew whenever one is bound: a third of a search's time. Our statements have one good plan each.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        if access.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
            connection.pragma_update(None, "page_size", 8192)?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            // The writer alone makes rows, and takes every reference from the row itself: to check them again would
            // look for four rows more with each search row.
            connection.pragma_update(None, "foreign_keys", false)?;
            // KiB, negative by SQLite's custom: room for a group's pages, so that none is written twice.
            connection.pragma_update(None, "cache_size", -32_000)?;
            // Pages in the log before they are moved into the file: pages that many commits change are moved
            // once, and the log is still read in a moment at the start.
            connection.pragma_update(None, "wal_autocheckpoint", 8000)?;
        }
        Ok(connection)
    }
}

/// How many names the file has.
#[cfg(unix)]
fn names(file: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    Ok(file.metadata()?.nlink())
}

/// The standard library cannot tell here.
#[cfg(not(unix))]
fn names(file: &Path) -> io::Result<u64> {
    file.metadata().map(|_| 1)
}

/// SQLite names tables and columns in its texts, never values: nothing of a patient can be in them.
fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
