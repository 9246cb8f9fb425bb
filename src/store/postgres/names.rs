//! The store room: the numbers that stand for names, fields and tenants. Their rows are added in transactions of their own
//! and never changed: so a number that is known stays right, whatever other gateways do, and no writer waits for another's
//! new name. That a name has no number is asked anew each time.

use super::error::PgError;
use crate::fhir::search::{IndexRow, IndexValue};
use crate::store::keys::Keys;
use crate::store::rows::{self, NO_NAME, Numbers, identifier_field, is_indexed};
use deadpool_postgres::GenericClient;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

/// Names that are remembered; when there are more, all are forgotten and asked for again.
const MOST_KNOWN: usize = 200_000;

#[derive(Default)]
pub(super) struct Names {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    names: HashMap<String, i64>,
    texts: HashMap<i64, String>,
    fields: HashMap<(i64, String), i64>,
    /// Fields without rows in the index tables.
    aside: BTreeSet<i64>,
    tenants: HashMap<String, i32>,
}

/// What a piece of work is about to name.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) names: BTreeSet<String>,
    /// Resource type, and field.
    pub(super) fields: BTreeSet<(String, String)>,
}

impl Wanted {
    pub(super) fn rows(&mut self, resource_type: &str, rows: &[IndexRow]) {
        self.names.insert(resource_type.to_owned());
        for row in rows {
            let field = match &row.value {
                IndexValue::ReferenceIdentifier { is_alone, .. } => identifier_field(row.field, *is_alone),
                IndexValue::Token { .. }
                | IndexValue::Date { .. }
                | IndexValue::Reference { .. }
                | IndexValue::Uri(_)
                | IndexValue::Text(_)
                | IndexValue::Number { .. }
                | IndexValue::Quantity(_) => row.field.to_owned(),
            };
            self.fields.insert((resource_type.to_owned(), field));
            match &row.value {
                IndexValue::Token { system: name, .. }
                | IndexValue::ReferenceIdentifier { system: name, .. }
                | IndexValue::Reference { resource_type: name, .. } => {
                    self.names.insert(name.clone());
                }
                IndexValue::Quantity(quantity) => {
                    self.names.extend([&quantity.system, &quantity.code, &quantity.unit].map(Clone::clone));
                    self.names.extend(quantity.canonical.iter().map(|(base, _, _)| base.to_string()));
                }
                IndexValue::Uri(_) | IndexValue::Date { .. } | IndexValue::Text(_) | IndexValue::Number { .. } => {}
            }
        }
    }
}

impl Names {
    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn learn(&self, add: impl FnOnce(&mut Known)) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.names.len() > MOST_KNOWN {
            known.names.clear();
            known.texts.clear();
        }
        add(&mut known);
    }

    /// The number of a tenant; a new one gets one.
    pub(super) async fn tenant(&self, client: &impl GenericClient, tenant: &str) -> Result<i32, PgError> {
        if let Some(number) = self.read(|known| known.tenants.get(tenant).copied()) {
            return Ok(number);
        }
        const FIND: &str = "SELECT id FROM tenant WHERE name = $1";
        let number = match client.query_opt(FIND, &[&tenant]).await? {
            Some(row) => row.try_get(0)?,
            None => {
                const ADD: &str = "INSERT INTO tenant (name) VALUES ($1) ON CONFLICT DO NOTHING";
                client.execute(ADD, &[&tenant]).await?;
                client.query_one(FIND, &[&tenant]).await?.try_get(0)?
            }
        };
        self.learn(|known| {
            known.tenants.insert(tenant.to_owned(), number);
        });
        Ok(number)
    }

    /// Gives numbers to what has none. The client must not be in a transaction.
    pub(super) async fn intern(&self, client: &impl GenericClient, wanted: &Wanted) -> Result<(), PgError> {
        let new = self.unknown(&wanted.names);
        if !new.is_empty() && self.look_up(client, &new).await? < new.len() {
            let digests: Vec<Vec<u8>> = new.iter().map(|text| digest(text)).collect();
            let texts: Vec<String> = new.iter().map(|text| clean(text)).collect();
            const ADD: &str = "INSERT INTO name (digest, text) SELECT * FROM unnest($1::bytea[], $2::text[])
                               ON CONFLICT DO NOTHING";
            client.execute(ADD, &[&digests, &texts]).await?;
            if self.look_up(client, &new).await? < new.len() {
                return Err(PgError::Again);
            }
        }
        let mut fields = Vec::new();
        for (resource_type, field) in &wanted.fields {
            let collection = self.name(resource_type).ok_or(PgError::Again)?;
            if self.field(collection, field).is_none() {
                fields.push((collection, field.clone()));
            }
        }
        if !fields.is_empty() {
            let collections: Vec<i32> = fields.iter().map(|(collection, _)| small(*collection)).collect();
            let names: Vec<&str> = fields.iter().map(|(_, name)| name.as_str()).collect();
            const ADD: &str = "INSERT INTO field (collection, name) SELECT * FROM unnest($1::integer[], $2::text[])
                               ON CONFLICT DO NOTHING";
            client.execute(ADD, &[&collections, &names]).await?;
            for collection in collections.into_iter().collect::<BTreeSet<i32>>() {
                self.look_up_fields(client, collection.into()).await?;
            }
        }
        Ok(())
    }

    fn unknown(&self, names: &BTreeSet<String>) -> Vec<String> {
        self.read(|known| {
            names.iter().filter(|name| !name.is_empty() && !known.names.contains_key(*name)).cloned().collect()
        })
    }

    /// Asks for names; answers how many of them there are.
    pub(super) async fn look_up(&self, client: &impl GenericClient, names: &[String]) -> Result<usize, PgError> {
        let digests: Vec<Vec<u8>> = names.iter().map(|text| digest(text)).collect();
        let statement = client.prepare_cached("SELECT digest, id FROM name WHERE digest = ANY($1)").await?;
        let rows = client.query(&statement, &[&digests]).await?;
        let mut found = HashMap::new();
        for row in &rows {
            found.insert(row.try_get::<_, Vec<u8>>(0)?, i64::from(row.try_get::<_, i32>(1)?));
        }
        self.learn(|known| {
            for (name, digest) in names.iter().zip(&digests) {
                if let Some(id) = found.get(digest) {
                    known.names.insert(name.clone(), *id);
                    known.texts.insert(*id, name.clone());
                }
            }
        });
        Ok(rows.len())
    }

    /// Asks for all fields of a type.
    pub(super) async fn look_up_fields(&self, client: &impl GenericClient, collection: i64) -> Result<(), PgError> {
        let statement = client.prepare_cached("SELECT id, name FROM field WHERE collection = $1").await?;
        let rows = client.query(&statement, &[&small(collection)]).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            found.push((i64::from(row.try_get::<_, i32>(0)?), row.try_get::<_, String>(1)?));
        }
        self.learn(|known| {
            for (id, name) in found {
                if !is_indexed(&name) {
                    known.aside.insert(id);
                }
                known.fields.insert((collection, name), id);
            }
        });
        Ok(())
    }

    /// The text of a number that a row has.
    pub(super) async fn look_up_text(&self, client: &impl GenericClient, name: i64) -> Result<String, PgError> {
        if let Some(text) = self.read(|known| known.texts.get(&name).cloned()) {
            return Ok(text);
        }
        let statement = client.prepare_cached("SELECT text FROM name WHERE id = $1").await?;
        let row = client.query_opt(&statement, &[&small(name)]).await?.ok_or(PgError::Damaged)?;
        let text: String = row.try_get(0)?;
        self.learn(|known| drop(known.texts.insert(name, text.clone())));
        Ok(text)
    }

    pub(super) fn name(&self, text: &str) -> Option<i64> {
        if text.is_empty() { Some(NO_NAME) } else { self.read(|known| known.names.get(text).copied()) }
    }

    pub(super) fn field(&self, collection: i64, name: &str) -> Option<i64> {
        self.read(|known| known.fields.get(&(collection, name.to_owned())).copied())
    }

    /// Fields that have no rows in the index tables, of those that are known: all that writes have named.
    pub(super) fn aside(&self) -> Vec<i64> {
        self.read(|known| known.aside.iter().copied().collect())
    }

    /// The keys of rows whose names have been interned.
    pub(super) fn keys(&self, collection: i64, index: &[IndexRow]) -> Result<Keys, PgError> {
        rows::keys(&mut Interned(self), collection, index)
    }
}

struct Interned<'a>(&'a Names);

impl Numbers for Interned<'_> {
    type Error = PgError;

    /// One that has been forgotten since is interned again.
    fn name(&mut self, text: &str) -> Result<i64, PgError> {
        self.0.name(text).ok_or(PgError::Again)
    }

    fn field(&mut self, collection: i64, name: &str) -> Result<i64, PgError> {
        self.0.field(collection, name).ok_or(PgError::Again)
    }
}

pub(super) fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

/// PostgreSQL's texts take every character but one.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A number of a name or field, which the database gave from an `integer`.
pub(super) fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
