//! The store room: PostgreSQL, for many gateways on one database.
//!
//! Gateways keep nothing that another's write makes wrong (`names` says why), so any number of them may run. The store has
//! threads of its own: connections live on them, whoever asks.

pub mod arrival;
mod clock;
mod connection;
mod error;
mod hold;
mod index;
mod names;
mod once;
mod reads;
mod record;
mod reindex;
mod schema;
mod tls;
mod transact;
mod work;

pub use connection::Place;

use crate::store::body::{check_record, check_transaction};
use crate::store::history::{HistoryPage, HistoryQuery, MadeBy};
use crate::store::once::{Digest, Earlier, Once, Onced, ShownRow, Work as Asked, Worked};
use crate::store::search;
use crate::store::transaction::{Transacted, Transaction};
use crate::store::{
    Committed, Held, RecordWrite, Reindexed, ResourceStore, SearchPage, SearchQuery, StoreError, StoredRecord,
    StoredResource,
};
use clock::Ticks;
use deadpool_postgres::{Client, Object, Pool};
use error::PgError;
use hold::SessionLock;
use index::{PgIndex, in_time};
use jiff::Timestamp;
use names::{Names, Wanted};
use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio_postgres::IsolationLevel;
use work::Work;

/// How often a piece of work is done anew when another was faster, before whoever asked for it has to decide anew.
const ATTEMPTS: u32 = 50;

/// Threads that carry the connections.
const THREADS: usize = 2;

/// A store in a database. Its threads end with it.
pub struct PostgresStore {
    engine: Arc<Engine>,
    runtime: Option<Runtime>,
}

struct Engine {
    pool: Pool,
    /// Of sessions that hold locks.
    holds: Pool,
    names: Names,
    handle: Handle,
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        // Whoever drops it may be a task, which must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl PostgresStore {
    /// Connects, and brings the schema to the newest: one of a newer program is an error, as is a database that does not
    /// keep what it acknowledges.
    pub fn open(place: Place<'_>) -> Result<Self, StoreError> {
        let store = Self::connected(place)?;
        let engine = Arc::clone(&store.engine);
        store.block(async move {
            let mut client = engine.pool.get().await?;
            connection::examine(&client).await?;
            schema::migrate(&mut client).await?;
            unfinished(&client).await
        })?;
        Ok(store)
    }

    /// With threads and a pool, of which no connection has been made.
    fn connected(place: Place<'_>) -> Result<Self, StoreError> {
        // What is wrong with the place is told before there are threads, which must not be dropped by a task.
        let (pool, holds) = (connection::pool(place)?, connection::pool(place)?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(place.connections.max(2) + THREADS)
            .thread_name("store-postgres")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Unavailable(format!("the store's threads cannot start: {error}")))?;
        let engine = Arc::new(Engine { pool, holds, names: Names::default(), handle: runtime.handle().clone() });
        Ok(Self { engine, runtime: Some(runtime) })
    }

    /// What a database holds, in a sentence; nothing is changed. An error where no gateway could use it.
    pub fn look(place: Place<'_>) -> Result<String, StoreError> {
        let store = Self::connected(place)?;
        let engine = Arc::clone(&store.engine);
        store.block(async move {
            let client = engine.pool.get().await?;
            connection::examine(&client).await?;
            let version: String = client.query_one("SHOW server_version", &[]).await?.try_get(0)?;
            let began = std::time::Instant::now();
            client.query_one("SELECT 1", &[]).await?;
            let took = began.elapsed().as_micros();
            let holds = match schema::found(&client).await? {
                None => "is empty: its tables are made at the start".to_owned(),
                Some(found) => {
                    schema::check(found)?;
                    unfinished(&client).await?;
                    const ABOUT: &str = "SELECT reltuples::bigint FROM pg_class WHERE oid = 'resource'::regclass";
                    let about: i64 = client.query_one(ABOUT, &[]).await?.try_get(0)?;
                    format!("has schema version {found} and some {} resources", about.max(0))
                }
            };
            Ok(format!("PostgreSQL {version} answers in {took} µs and keeps what it acknowledges; it {holds}"))
        })
    }

    /// Waits for work on the store's threads, also where the caller is a task of another runtime.
    fn block<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, PgError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = std::sync::mpsc::channel();
        self.engine.handle.spawn(async move {
            // Who no longer waits needs no answer.
            let _ = answer.send(in_time(work).await);
        });
        let stopped = |_| StoreError::Unavailable("the store's threads have ended".to_owned());
        Ok(answered.recv().map_err(stopped)??)
    }

    /// Runs work with a connection and the tenant's number, whether or not the caller goes on waiting.
    async fn with<T, F>(
        &self,
        tenant: &str,
        work: impl FnOnce(Arc<Engine>, Object, i32) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, PgError>> + Send,
    {
        let (engine, tenant) = (Arc::clone(&self.engine), tenant.to_owned());
        let task = self.engine.handle.spawn(in_time(async move {
            let client = engine.pool.get().await?;
            let tenant = engine.names.tenant(&client, &tenant).await?;
            work(engine, client, tenant).await
        }));
        Ok(task.await.map_err(|error| StoreError::Unavailable(format!("a piece of work was stopped: {error}")))??)
    }
}

/// A store that is not whole yet is none.
async fn unfinished(client: &Client) -> Result<(), PgError> {
    let row = client.query_opt("SELECT source FROM arrival WHERE NOT finished", &[]).await?;
    match row {
        None => Ok(()),
        Some(row) => Err(PgError::Refused(format!(
            "the copy of {} into this database is not finished: run kap-gateway migrate-store again",
            row.try_get::<_, String>(0)?
        ))),
    }
}

/// A little longer each time, and never quite as long as another.
async fn wait_before(attempt: u32) {
    let most = 1000 << attempt.min(6);
    let some = Timestamp::now().subsec_nanosecond().unsigned_abs() % most;
    tokio::time::sleep(Duration::from_micros(u64::from(some))).await;
}

impl Engine {
    /// `once`: unless it was done before.
    async fn commit(
        &self,
        client: &mut Client,
        tenant: i32,
        write: &RecordWrite,
        once: Option<&Once>,
    ) -> Result<Onced, PgError> {
        let mut wanted = Wanted::default();
        let all = || write.writes.iter().chain(&write.retractions);
        all().for_each(|write| wanted.rows(&write.resource_type, &write.index));
        for attempt in 0..ATTEMPTS {
            match self.try_commit(client, tenant, &wanted, write, once).await {
                Err(error) if error.is_conflict() => wait_before(attempt).await,
                answer => return answer,
            }
        }
        Ok(Onced::Now(Worked::Record(Committed::Superseded)))
    }

    async fn try_commit(
        &self,
        client: &mut Client,
        tenant: i32,
        wanted: &Wanted,
        write: &RecordWrite,
        once: Option<&Once>,
    ) -> Result<Onced, PgError> {
        self.names.intern(&*client, wanted).await?;
        // One more: it becomes the record's number if it is new.
        let mut ticks = Ticks::reserve(client, tenant, write.writes.len() + write.retractions.len() + 1).await?;
        let number = ticks.take(i64::MIN)?;
        let open = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
        if let Some(once) = once
            && let Some(earlier) = once::claim(&open, tenant, &once.key).await?
        {
            open.commit().await?;
            return Ok(Onced::Before(earlier));
        }
        let work = Work::new(&self.names, tenant, ticks);
        let worked = Worked::Record(record::store(&open, work, tenant, number, write).await?);
        if worked.is_done() {
            if let Some(once) = once {
                once::keep(&open, tenant, once, &worked).await?;
            }
            open.commit().await?;
        } else {
            open.rollback().await?;
        }
        Ok(Onced::Now(worked))
    }

    /// On a thread that may wait.
    fn transact(
        &self,
        client: &mut Client,
        tenant: i32,
        name_of_tenant: &str,
        transaction: &Transaction,
        once: Option<&Once>,
    ) -> Result<Onced, PgError> {
        let wanted = transact::wanted(transaction);
        for attempt in 0..ATTEMPTS {
            let interned = self.handle.block_on(self.names.intern(&*client, &wanted));
            let done = interned.and_then(|()| {
                transact::attempt(&self.handle, client, &self.names, tenant, name_of_tenant, transaction, once)
            });
            match done {
                Err(error) if error.is_conflict() => self.handle.block_on(wait_before(attempt)),
                answer => return answer,
            }
        }
        Ok(Onced::Now(Worked::Transaction(Transacted::Superseded)))
    }

    fn search(
        &self,
        client: &mut Client,
        tenant: i32,
        name_of_tenant: &str,
        query: &SearchQuery,
    ) -> Result<SearchPage, PgError> {
        // One snapshot for the page and its total.
        let start = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start();
        let open = self.handle.block_on(start)?;
        let index =
            PgIndex { handle: &self.handle, client: &open, names: &self.names, tenant, conflict: Cell::new(false) };
        let page = search::page(&index, name_of_tenant, query);
        self.handle.block_on(open.commit())?;
        Ok(page?)
    }
}

/// Work that thinks and waits by turns, on a thread that may; where it took too long the connection is not used again.
async fn aside<T: Send + 'static>(
    mut client: Object,
    work: impl FnOnce(&mut Client) -> Result<T, PgError> + Send + 'static,
) -> Result<T, PgError> {
    let done = tokio::task::spawn_blocking(move || {
        let answer = work(&mut client);
        if let Err(PgError::TooSlow(_) | PgError::Store(StoreError::Unavailable(_))) = &answer {
            drop(Object::take(client));
        }
        answer
    });
    done.await.map_err(|error| PgError::Refused(format!("a piece of work was stopped: {error}")))?
}

fn check(work: &Asked) -> Result<(), StoreError> {
    match work {
        Asked::Record(write) => check_record(write),
        Asked::Transaction(transaction) => check_transaction(transaction),
    }
}

fn mistaken() -> StoreError {
    StoreError::Unavailable("the database answered another question".into())
}

#[async_trait::async_trait]
impl ResourceStore for PostgresStore {
    async fn commit(&self, tenant: &str, write: RecordWrite) -> Result<Committed, StoreError> {
        check_record(&write)?;
        let done = self.with(tenant, async move |engine, mut client, tenant| {
            engine.commit(&mut client, tenant, &write, None).await
        });
        match done.await? {
            Onced::Now(Worked::Record(committed)) => Ok(committed),
            Onced::Now(Worked::Transaction(_)) | Onced::Before(_) => Err(mistaken()),
        }
    }

    async fn transact(&self, tenant: &str, transaction: Transaction) -> Result<Transacted, StoreError> {
        check_transaction(&transaction)?;
        let name = tenant.to_owned();
        let done = self.with(tenant, async move |engine, client, tenant| {
            aside(client, move |client| engine.transact(client, tenant, &name, &transaction, None)).await
        });
        match done.await? {
            Onced::Now(Worked::Transaction(transacted)) => Ok(transacted),
            Onced::Now(Worked::Record(_)) | Onced::Before(_) => Err(mistaken()),
        }
    }

    async fn read(&self, tenant: &str, resource_type: &str, id: &str) -> Result<Option<StoredResource>, StoreError> {
        let (resource_type, id) = (resource_type.to_owned(), id.to_owned());
        self.with(tenant, async move |engine, client, tenant| {
            reads::current(&engine.names, &client, tenant, &resource_type, &id).await
        })
        .await
    }

    async fn vread(
        &self,
        tenant: &str,
        resource_type: &str,
        id: &str,
        version_id: u64,
    ) -> Result<Option<StoredResource>, StoreError> {
        let (resource_type, id) = (resource_type.to_owned(), id.to_owned());
        self.with(tenant, async move |engine, client, tenant| {
            reads::version(&engine.names, &client, tenant, &resource_type, &id, version_id).await
        })
        .await
    }

    async fn history(
        &self,
        tenant: &str,
        resource_type: &str,
        id: &str,
        count: usize,
        before: Option<u64>,
    ) -> Result<Vec<StoredResource>, StoreError> {
        let (resource_type, id) = (resource_type.to_owned(), id.to_owned());
        self.with(tenant, async move |engine, client, tenant| {
            reads::history(&engine.names, &client, tenant, (&resource_type, &id), count, before).await
        })
        .await
    }

    async fn versions(&self, tenant: &str, query: HistoryQuery) -> Result<HistoryPage, StoreError> {
        self.with(tenant, async move |engine, client, tenant| {
            reads::versions(&engine.names, &client, tenant, &query).await
        })
        .await
    }

    async fn search(&self, tenant: &str, query: SearchQuery) -> Result<SearchPage, StoreError> {
        let name = tenant.to_owned();
        self.with(tenant, async move |engine, client, tenant| {
            aside(client, move |client| engine.search(client, tenant, &name, &query)).await
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
        let (kind, record_id, system) = (kind.to_owned(), record_id.to_owned(), system.map(str::to_owned));
        self.with(tenant, async move |_, client, tenant| {
            reads::records(&client, tenant, &kind, &record_id, system.as_deref()).await
        })
        .await
    }

    async fn compartment(&self, tenant: &str, patient: &str) -> Result<Vec<StoredResource>, StoreError> {
        let patient = patient.to_owned();
        self.with(tenant, async move |engine, client, tenant| {
            reads::compartment(&engine.names, &client, tenant, &patient).await
        })
        .await
    }

    async fn once(&self, tenant: &str, work: Asked, once: Once) -> Result<Onced, StoreError> {
        check(&work)?;
        let name = tenant.to_owned();
        self.with(tenant, async move |engine, mut client, tenant| {
            let now = once.key.now;
            match work {
                Asked::Record(write) => {
                    let done = engine.commit(&mut client, tenant, &write, Some(&once)).await;
                    once::forget(&client, tenant, now).await;
                    done
                }
                Asked::Transaction(transaction) => {
                    aside(client, move |client| {
                        let done = engine.transact(client, tenant, &name, &transaction, Some(&once));
                        engine.handle.block_on(once::forget(client, tenant, now));
                        done
                    })
                    .await
                }
            }
        })
        .await
    }

    async fn kept_answer(&self, tenant: &str, name: Digest, now: i64) -> Result<Option<Earlier>, StoreError> {
        self.with(tenant, async move |_, client, tenant| once::find(&client, tenant, &name, now).await).await
    }

    async fn made_by(&self, tenant: &str, versions: Vec<ShownRow>) -> Result<Vec<Option<MadeBy>>, StoreError> {
        self.with(tenant, async move |engine, client, tenant| {
            reads::made_by(&engine.names, &client, tenant, &versions).await
        })
        .await
    }

    async fn reindex(
        &self,
        tenant: &str,
        resource_type: &str,
        after: i64,
        count: usize,
    ) -> Result<Reindexed, StoreError> {
        let resource_type = resource_type.to_owned();
        self.with(tenant, async move |engine, mut client, tenant| {
            for attempt in 0..ATTEMPTS {
                let names = &engine.names;
                match reindex::attempt(names, &mut client, tenant, &resource_type, after, count).await {
                    Err(error) if error.is_conflict() => wait_before(attempt).await,
                    answer => return answer,
                }
            }
            Err(PgError::Again)
        })
        .await
    }

    async fn note(&self, tenant: &str, name: &str) -> Result<Option<String>, StoreError> {
        let name = name.to_owned();
        self.with(tenant, async move |_, client, tenant| reindex::note(&client, tenant, &name).await).await
    }

    async fn set_note(&self, tenant: &str, name: &str, text: Option<String>) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.with(tenant, async move |_, client, tenant| {
            reindex::set_note(&client, tenant, &name, text.as_deref()).await
        })
        .await
    }

    /// Waits for some seconds for another that holds it.
    async fn hold(&self, tenant: &str, name: &str) -> Result<Held, StoreError> {
        let (engine, tenant, name) = (Arc::clone(&self.engine), tenant.to_owned(), name.to_owned());
        let task = self.engine.handle.spawn(in_time(async move {
            SessionLock::take(&engine.holds, &tenant, &name, engine.handle.clone()).await
        }));
        let lock =
            task.await.map_err(|error| StoreError::Unavailable(format!("a piece of work was stopped: {error}")))??;
        Ok(Held { _release: Some(Box::new(lock)) })
    }

    /// Writes the readiness row, and waits until the database says that it is durable.
    async fn check(&self) -> Result<(), StoreError> {
        let engine = Arc::clone(&self.engine);
        let task = self.engine.handle.spawn(in_time(async move {
            let client = engine.pool.get().await?;
            let now = Timestamp::now().as_microsecond();
            let statement = client.prepare_cached("UPDATE readiness SET checked = $1").await?;
            client.execute(&statement, &[&now]).await?;
            Ok(())
        }));
        Ok(task.await.map_err(|error| StoreError::Unavailable(format!("the check was stopped: {error}")))??)
    }
}
