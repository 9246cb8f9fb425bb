//! The store room: an embedded store's file copied into an empty database, part by part. Each part is one transaction that
//! also writes how far the copy has come: broken off, it goes on from there.

use super::error::PgError;
use super::names::{Wanted, clean, small};
use super::record::digest_of_key;
use super::work::{ADD_RESOURCES, ADD_VERSIONS, IndexRows, narrow};
use super::{Engine, PostgresStore, connection, reindex, schema};
use crate::store::rows::{Changes, NO_NAME};
use crate::store::sqlite::departure::{Departure, Leaving, LeavingAnswer, LeavingRecord, Legend};
use crate::store::{Holdings, RecordKey, StoreError};
use deadpool_postgres::{Client, Transaction};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use tokio_postgres::types::ToSql;

/// Resources, or records, of one part.
const PART: usize = 400;

/// How far a copy has come, of all that there is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub resources: u64,
    pub records: u64,
    pub of: Holdings,
}

/// Copies all of the file, or what is left of it. `tell` hears of every part.
pub fn copy(from: &Path, place: super::Place<'_>, tell: impl FnMut(Progress)) -> Result<Holdings, StoreError> {
    let file = Departure::open(from)?;
    let store = PostgresStore::connected(place)?;
    let source = from.canonicalize().unwrap_or_else(|_| from.to_owned()).display().to_string();
    // The file is read here, and the database waits for it.
    let copied = Copy { engine: Arc::clone(&store.engine), file, source }.run(tell);
    Ok(copied?)
}

struct Copy {
    engine: Arc<Engine>,
    file: Departure,
    source: String,
}

/// The place in the file up to which all has been copied.
struct Reached {
    resource: i64,
    record: i64,
}

impl Copy {
    fn run(self, mut tell: impl FnMut(Progress)) -> Result<Holdings, PgError> {
        let mut client = self.engine.handle.block_on(self.engine.pool.get())?;
        self.engine.handle.block_on(connection::examine(&client))?;
        self.engine.handle.block_on(schema::migrate(&mut client))?;
        let newest = self.file.newest()?;
        let of = self.file.holdings()?;
        let mut reached = self.engine.handle.block_on(self.begin(&mut client, newest))?;
        let legend = self.file.legend()?;
        let numbers = self.engine.handle.block_on(self.numbers(&client, &legend))?;
        let already = self.engine.handle.block_on(held(&client))?;
        let mut progress = Progress { resources: already.resources + already.deletions, records: already.records, of };
        tell(progress);
        loop {
            let part = self.file.resources(reached.resource, PART)?;
            let Some(last) = part.last() else { break };
            reached.resource = last.seq;
            self.engine.handle.block_on(self.resources(&mut client, &numbers, &part, reached.resource))?;
            progress.resources += part.len() as u64;
            tell(progress);
        }
        loop {
            let part = self.file.records(reached.record, PART)?;
            let Some(last) = part.last() else { break };
            reached.record = last.seq;
            self.engine.handle.block_on(self.records(&mut client, &part, reached.record))?;
            progress.records += part.len() as u64;
            tell(progress);
        }
        self.engine.handle.block_on(self.answers(&client))?;
        self.engine.handle.block_on(self.finish(&mut client, of, newest, &numbers))
    }

    /// An empty database, or one into which this very file is being copied.
    async fn begin(&self, client: &mut Client, newest: i64) -> Result<Reached, PgError> {
        let transaction = client.transaction().await?;
        // Two copies at once wait for each other here, and the second finds that it is not the first.
        transaction.batch_execute("LOCK TABLE arrival IN EXCLUSIVE MODE").await?;
        let found =
            transaction.query_opt("SELECT source, newest, resource, record, finished FROM arrival", &[]).await?;
        let reached = match found {
            Some(row) if row.try_get::<_, bool>(4)? => {
                return Err(PgError::Refused(format!(
                    "{} has been copied into this database before, and is finished: nothing is to be done",
                    row.try_get::<_, String>(0)?
                )));
            }
            Some(row) if row.try_get::<_, String>(0)? != self.source || row.try_get::<_, i64>(1)? != newest => {
                return Err(PgError::Refused(format!(
                    "the copy of {} into this database was broken off, and this is another file, or it has changed since: \
                     make a new, empty database",
                    row.try_get::<_, String>(0)?
                )));
            }
            Some(row) => Reached { resource: row.try_get(2)?, record: row.try_get(3)? },
            None => {
                let is_used: bool = transaction
                    .query_one("SELECT EXISTS (SELECT 1 FROM resource) OR EXISTS (SELECT 1 FROM record)", &[])
                    .await?
                    .try_get(0)?;
                if is_used {
                    return Err(PgError::Refused(
                        "there are resources in this database already: name an empty one".to_owned(),
                    ));
                }
                const ADD: &str = "INSERT INTO arrival VALUES (1, $1, $2, $3, $3, false)";
                transaction.execute(ADD, &[&self.source, &newest, &i64::MIN]).await?;
                Reached { resource: i64::MIN, record: i64::MIN }
            }
        };
        transaction.commit().await?;
        Ok(reached)
    }

    /// What the file's numbers become.
    async fn numbers(&self, client: &Client, legend: &Legend) -> Result<Numbered, PgError> {
        let names = &self.engine.names;
        let mut wanted = Wanted::default();
        wanted.names.extend(legend.names.values().cloned());
        wanted.names.extend(legend.collections.values().map(|(_, resource_type)| resource_type.clone()));
        wanted.fields.extend(legend.fields.values().cloned());
        wanted.names.extend(legend.fields.values().map(|(resource_type, _)| resource_type.clone()));
        names.intern(client, &wanted).await?;
        let mut numbered = Numbered::default();
        for (number, (tenant, resource_type)) in &legend.collections {
            let collection = names.name(resource_type).ok_or(PgError::Again)?;
            numbered.collections.insert(*number, (names.tenant(client, tenant).await?, collection));
        }
        for (number, text) in &legend.names {
            numbered.names.insert(*number, names.name(text).ok_or(PgError::Again)?);
        }
        for (number, (resource_type, field)) in &legend.fields {
            let collection = names.name(resource_type).ok_or(PgError::Again)?;
            numbered.fields.insert(*number, names.field(collection, field).ok_or(PgError::Again)?);
        }
        Ok(numbered)
    }

    async fn resources(
        &self,
        client: &mut Client,
        numbers: &Numbered,
        part: &[Leaving],
        reached: i64,
    ) -> Result<(), PgError> {
        let transaction = client.transaction().await?;
        let mut of_tenant: BTreeMap<i32, Vec<(&Leaving, i64)>> = BTreeMap::new();
        for leaving in part {
            let (tenant, collection) = numbers.collections.get(&leaving.collection).ok_or(PgError::Damaged)?;
            of_tenant.entry(*tenant).or_default().push((leaving, *collection));
        }
        for (tenant, part) in of_tenant {
            self.add(&transaction, tenant, numbers, &part).await?;
        }
        transaction.execute("UPDATE arrival SET resource = $1", &[&reached]).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn add(
        &self,
        client: &Transaction<'_>,
        tenant: i32,
        numbers: &Numbered,
        part: &[(&Leaving, i64)],
    ) -> Result<(), PgError> {
        let mut changes = Changes::default();
        self.engine.names.aside().into_iter().for_each(|field| changes.leave_aside(field));
        let mut columns = Columns::default();
        for (leaving, collection) in part {
            let (Some(first), Some(last)) = (leaving.versions.first(), leaving.versions.last()) else {
                return Err(PgError::Damaged);
            };
            let seq = first.last_updated;
            let keys = leaving.keys.renumbered(
                |field| numbers.fields.get(&field).copied().ok_or(PgError::Damaged),
                |name| {
                    if name == NO_NAME {
                        Ok(NO_NAME)
                    } else {
                        numbers.names.get(&name).copied().ok_or(PgError::Damaged)
                    }
                },
            )?;
            columns.seqs.push(seq);
            columns.collections.push(small(*collection));
            columns.ids.push(&leaving.id);
            columns.version_ids.push(last.version_id);
            columns.times.push(last.last_updated);
            columns.deleted.push(leaving.deleted);
            columns.of_record.push(leaving.of_record);
            columns.patients.push(leaving.patient.as_deref());
            columns.keys.push(keys.bytes());
            for version in &leaving.versions {
                columns.of.push(seq);
                columns.numbers.push(version.version_id);
                columns.types.push(small(*collection));
                columns.instants.push(version.last_updated);
                columns.bodies.push(&version.body);
                columns.made_by.push(narrow(version.made_by));
            }
            changes.add(seq, &keys);
        }
        let Columns { seqs, collections, ids, version_ids, times, deleted, of_record, patients, keys, .. } = &columns;
        let statement = client.prepare_cached(ADD_RESOURCES).await?;
        let values: [&(dyn ToSql + Sync); 10] =
            [&tenant, seqs, collections, ids, version_ids, times, deleted, of_record, patients, keys];
        client.execute(&statement, &values).await?;
        let statement = client.prepare_cached(ADD_VERSIONS).await?;
        let Columns { of, numbers, types, instants, bodies, made_by, .. } = &columns;
        client.execute(&statement, &[&tenant, of, numbers, types, instants, bodies, made_by]).await?;
        IndexRows::of(&mut changes).write(client, tenant).await
    }

    async fn records(&self, client: &mut Client, part: &[LeavingRecord], reached: i64) -> Result<(), PgError> {
        const ADD: &str = "INSERT INTO record (tenant, digest_of_key, seq, kind, record_id, system, revision, digest)
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        const LIST: &str = "INSERT INTO record_resource (tenant, record, position, resource, version_id)
                            SELECT $1::integer, $2::bigint, given.position - 1, given.resource, given.version_id
                            FROM unnest($3::bigint[], $4::bigint[]) WITH ORDINALITY
                                AS given (resource, version_id, position)";
        let mut tenants = HashMap::new();
        for record in part {
            if !tenants.contains_key(&record.tenant) {
                tenants.insert(&record.tenant, self.engine.names.tenant(&*client, &record.tenant).await?);
            }
        }
        let transaction = client.transaction().await?;
        let (add, list) = (transaction.prepare_cached(ADD).await?, transaction.prepare_cached(LIST).await?);
        for record in part {
            let tenant = tenants.get(&record.tenant).ok_or(PgError::Damaged)?;
            let LeavingRecord { seq, kind, record_id, system, revision, digest, resources, .. } = record;
            let key = RecordKey { kind: kind.clone(), system: system.clone(), record_id: record_id.clone() };
            let digest_of_key = digest_of_key(&key);
            let (kind, record_id, system) = (clean(kind), clean(record_id), clean(system));
            let values: [&(dyn ToSql + Sync); 8] =
                [tenant, &digest_of_key, seq, &kind, &record_id, &system, revision, digest];
            let (listed, versions): (Vec<i64>, Vec<i64>) = resources.iter().copied().unzip();
            let listed_values: [&(dyn ToSql + Sync); 4] = [tenant, seq, &listed, &versions];
            futures_util::future::try_join(
                transaction.execute(&add, &values),
                transaction.execute(&list, &listed_values),
            )
            .await?;
        }
        transaction.execute("UPDATE arrival SET record = $1", &[&reached]).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What is kept for requests that may come again, and the gateway's notes. There are few, so where the copy was broken off
    /// all are copied anew.
    async fn answers(&self, client: &Client) -> Result<(), PgError> {
        const ADD: &str = "INSERT INTO kept_answer (tenant, name, request, until, head, body)
                           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
        let mut part = self.file.answers(None, PART)?;
        while let Some(last) = part.last() {
            let next = self.file.answers(Some((&last.tenant, &last.name)), PART)?;
            for answer in &part {
                let LeavingAnswer { tenant, name, request, until, head, body } = answer;
                let tenant = self.engine.names.tenant(client, tenant).await?;
                let add = client.prepare_cached(ADD).await?;
                client.execute(&add, &[&tenant, name, request, until, head, body]).await?;
            }
            part = next;
        }
        for (tenant, name, text) in self.file.notes()? {
            let tenant = self.engine.names.tenant(client, &tenant).await?;
            reindex::set_note(client, tenant, &name, Some(&text)).await?;
        }
        Ok(())
    }

    /// Counts what has arrived; only if nothing is missing and nothing is twice may a gateway use it.
    async fn finish(
        &self,
        client: &mut Client,
        of: Holdings,
        newest: i64,
        numbers: &Numbered,
    ) -> Result<Holdings, PgError> {
        let found = held(client).await?;
        if found != of {
            return Err(PgError::Refused(format!(
                "what arrived is not what the file holds, and is not used: {found:?}, and in the file {of:?}. Make a new, \
                 empty database"
            )));
        }
        let transaction = client.transaction().await?;
        let tenants: std::collections::BTreeSet<i32> =
            numbers.collections.values().map(|(tenant, _)| *tenant).collect();
        for tenant in tenants {
            const CLOCK: &str = "INSERT INTO clock VALUES ($1, $2) ON CONFLICT (tenant) DO UPDATE
                                     SET last = greatest(clock.last, excluded.last)";
            transaction.execute(CLOCK, &[&tenant, &newest]).await?;
        }
        transaction.execute("UPDATE arrival SET finished = true", &[]).await?;
        transaction.commit().await?;
        // The planner has seen nothing of all this.
        client.batch_execute("ANALYZE").await?;
        Ok(found)
    }
}

async fn held(client: &Client) -> Result<Holdings, PgError> {
    // All of each table is counted: here, and here alone, a walk over it is right.
    const SQL: &str = "SELECT (SELECT count(*) FROM resource WHERE NOT deleted),
                              (SELECT count(*) FROM resource WHERE deleted),
                              (SELECT count(*) FROM version), (SELECT count(*) FROM record),
                              (SELECT count(*) FROM record_resource),
                              (SELECT count(*) FROM token) + (SELECT count(*) FROM date)
                                  + (SELECT count(*) FROM text) + (SELECT count(*) FROM number)";
    let row = client.query_one(SQL, &[]).await?;
    let count = |column| -> Result<u64, PgError> { Ok(row.try_get::<_, i64>(column)?.unsigned_abs()) };
    Ok(Holdings {
        resources: count(0)?,
        deletions: count(1)?,
        versions: count(2)?,
        records: count(3)?,
        listed: count(4)?,
        search_rows: count(5)?,
    })
}

/// The file's numbers, and those of the database.
#[derive(Debug, Default)]
struct Numbered {
    /// Tenant and type.
    collections: HashMap<i64, (i32, i64)>,
    names: HashMap<i64, i64>,
    fields: HashMap<i64, i64>,
}

/// Resources, then their versions, column by column.
#[derive(Default)]
struct Columns<'a> {
    seqs: Vec<i64>,
    collections: Vec<i32>,
    ids: Vec<&'a str>,
    version_ids: Vec<i64>,
    times: Vec<i64>,
    deleted: Vec<bool>,
    of_record: Vec<bool>,
    patients: Vec<Option<&'a str>>,
    keys: Vec<Vec<u8>>,
    of: Vec<i64>,
    numbers: Vec<i64>,
    types: Vec<i32>,
    instants: Vec<i64>,
    bodies: Vec<&'a [u8]>,
    made_by: Vec<i16>,
}
