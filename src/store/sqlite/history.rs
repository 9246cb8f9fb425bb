//! The store room: versions of a type or of all types, newest first. Each collection gives its newest by its indexes on
//! time; the newest of all make the page.

use super::ids::Ids;
use super::reads::{self, Named};
use super::unavailable;
use crate::store::StoreError;
use crate::store::history::{HistoryPage, HistoryQuery, MadeBy};
use crate::store::once::ShownRow;
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

/// Where a version is found again.
struct Place {
    last_updated: i64,
    resource: i64,
    version_id: u64,
    kind: Table,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Current,
    Past,
    Deletion,
}

pub(super) fn page(
    connection: &mut Connection,
    ids: &Ids,
    tenant: &str,
    query: &HistoryQuery,
) -> Result<HistoryPage, StoreError> {
    let transaction = connection.transaction().map_err(unavailable)?;
    within(&transaction, ids, tenant, query).map_err(unavailable)
}

/// How versions came to be, in the order given.
pub(super) fn made_by(
    connection: &mut Connection,
    ids: &Ids,
    tenant: &str,
    versions: &[ShownRow],
) -> Result<Vec<Option<MadeBy>>, StoreError> {
    const SQL: &str = "SELECT made_by FROM resource WHERE seq = ?1 AND version_id = ?2
                       UNION ALL SELECT made_by FROM past_version WHERE resource = ?1 AND version_id = ?2";
    let transaction = connection.transaction().map_err(unavailable)?;
    let mut statement = transaction.prepare_cached(SQL).map_err(unavailable)?;
    let mut found = Vec::with_capacity(versions.len());
    for row in versions {
        let named = Named { tenant, resource_type: &row.resource_type, id: &row.id };
        let Some(seq) = reads::seq_ever(&transaction, ids, &named).map_err(unavailable)? else {
            found.push(None);
            continue;
        };
        let values = rusqlite::params![seq, row.version_id];
        let made_by: Option<i64> = statement.query_row(values, |row| row.get(0)).optional().map_err(unavailable)?;
        found.push(made_by.and_then(MadeBy::of));
    }
    Ok(found)
}

fn within(
    transaction: &Transaction<'_>,
    ids: &Ids,
    tenant: &str,
    query: &HistoryQuery,
) -> rusqlite::Result<HistoryPage> {
    let mut places = Vec::new();
    for collection in collections(transaction, tenant, query.resource_type.as_deref())? {
        let resource = match &query.id {
            None => None,
            Some(id) => match ids.find_ever(transaction, collection, id)? {
                None => continue,
                some => some,
            },
        };
        for kind in [Table::Current, Table::Past, Table::Deletion] {
            places.extend(newest(transaction, collection, resource, kind, query)?);
        }
    }
    places.sort_unstable_by_key(|place| std::cmp::Reverse(place.last_updated));
    let count = query.count.max(1);
    let more = places.len() > count;
    places.truncate(count);
    let next = places.last().filter(|_| more).map(|place| place.last_updated);
    let versions = places.iter().map(|place| version(transaction, place)).collect::<rusqlite::Result<_>>()?;
    Ok(HistoryPage { versions, next })
}

fn collections(transaction: &Transaction<'_>, tenant: &str, resource_type: Option<&str>) -> rusqlite::Result<Vec<i64>> {
    transaction
        .prepare_cached("SELECT id FROM collection WHERE tenant = ?1 AND (?2 IS NULL OR resource_type = ?2)")?
        .query_map((tenant, resource_type), |row| row.get(0))?
        .collect()
}

/// The newest versions of a collection, one more than the page holds: that tells whether there is a next one.
fn newest(
    transaction: &Transaction<'_>,
    collection: i64,
    resource: Option<i64>,
    kind: Table,
    query: &HistoryQuery,
) -> rusqlite::Result<Vec<Place>> {
    let (table, key) = match kind {
        Table::Current => ("resource", "seq"),
        Table::Past => ("past_version", "resource"),
        Table::Deletion => ("deletion", "resource"),
    };
    // What was written before the span was current in it unless the next version came before it, too.
    let current_then = match kind {
        Table::Current | Table::Deletion => "TRUE",
        Table::Past => {
            "coalesce((SELECT next.last_updated FROM past_version AS next
                       WHERE next.resource = past_version.resource AND next.version_id = past_version.version_id + 1),
                      (SELECT last_updated FROM resource AS next WHERE next.seq = past_version.resource),
                      (SELECT last_updated FROM deletion AS next WHERE next.resource = past_version.resource)) > :from"
        }
    };
    let of_resource =
        if resource.is_some() { format!("{key} = :resource AND") } else { ":resource IS NULL AND".into() };
    let sql = format!(
        "SELECT last_updated, {key}, version_id FROM {table}
         WHERE collection = :collection AND {of_resource} last_updated < :before AND last_updated >= :since
           AND last_updated <= :to AND (:from IS NULL OR last_updated > :from OR {current_then})
         ORDER BY last_updated DESC LIMIT :count"
    );
    let (from, to) = query.at.unzip();
    let count = i64::try_from(query.count.max(1)).unwrap_or(i64::MAX).saturating_add(1);
    transaction
        .prepare_cached(&sql)?
        .query_map(
            named_params! {
                ":collection": collection,
                ":resource": resource,
                ":before": query.before.unwrap_or(i64::MAX),
                ":since": query.since.unwrap_or(i64::MIN),
                ":to": to.unwrap_or(i64::MAX),
                ":from": from,
                ":count": count,
            },
            |row| Ok(Place { last_updated: row.get(0)?, resource: row.get(1)?, version_id: row.get(2)?, kind }),
        )?
        .collect()
}

fn version(transaction: &Transaction<'_>, place: &Place) -> rusqlite::Result<crate::store::StoredResource> {
    let sql = match place.kind {
        Table::Current => {
            "SELECT version_id, last_updated, body, resource_type, resource.id FROM resource
             JOIN collection ON collection.id = resource.collection WHERE seq = ?1 AND version_id = ?2"
        }
        Table::Past => {
            "SELECT past.version_id, past.last_updated, past.body, resource_type, coalesce(resource.id, deletion.id)
             FROM past_version AS past JOIN collection ON collection.id = past.collection
             LEFT JOIN resource ON resource.seq = past.resource
             LEFT JOIN deletion ON deletion.resource = past.resource
             WHERE past.resource = ?1 AND past.version_id = ?2"
        }
        Table::Deletion => {
            "SELECT version_id, last_updated, x'', resource_type, deletion.id FROM deletion
             JOIN collection ON collection.id = deletion.collection WHERE resource = ?1 AND version_id = ?2"
        }
    };
    transaction.prepare_cached(sql)?.query_row((place.resource, place.version_id), reads::typed)
}
