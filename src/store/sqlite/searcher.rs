//! The store room: one search under way: what it reads, and how much it has looked at.

use super::lead::FEW;
use super::plan::Scope;
use super::scan::Scan;
use super::unavailable;
use crate::fhir::search::{self, IndexValue};
use crate::store::StoreError;
use crate::store::keys::{KeyValue, Keys};
use crate::store::matching::{Beyond, FieldTest, Oracle, Subject, Test};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};

pub(super) type Searched<T> = Result<T, StoreError>;

/// Resources that one search may look at: some seconds.
const MOST_LOOKS: usize = 1_000_000;

/// A look into a resource's body takes as long as so many looks at its keys.
const BODY_LOOKS: usize = 10;

/// Bytes of a statement that is kept for its next use.
const KEPT_TEXT: usize = 1000;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        unavailable(error)
    }
}

pub(super) struct Searcher<'a> {
    pub(super) connection: &'a Connection,
    pub(super) tenant: &'a str,
    looks: Cell<usize>,
    texts: RefCell<HashMap<i64, String>>,
}

impl<'a> Searcher<'a> {
    pub(super) fn new(connection: &'a Connection, tenant: &'a str) -> Self {
        Self { connection, tenant, looks: Cell::new(0), texts: RefCell::default() }
    }

    /// How many resources it has looked at.
    #[cfg(test)]
    pub(super) fn looks(&self) -> usize {
        self.looks.get()
    }

    pub(super) fn look(&self, looks: usize) -> Searched<()> {
        self.looks.set(self.looks.get() + looks);
        if self.looks.get() > MOST_LOOKS {
            return Err(StoreError::TooCostly(
                "the search would look at too many resources: add a filter that few match, such as a patient, a code or a date",
            ));
        }
        Ok(())
    }

    pub(super) fn collection(&self, resource_type: &str) -> Searched<Option<i64>> {
        Ok(self
            .connection
            .prepare_cached("SELECT id FROM collection WHERE tenant = ?1 AND resource_type = ?2")?
            .query_row(params![self.tenant, resource_type], |row| row.get(0))
            .optional()?)
    }

    pub(super) fn seq(&self, collection: i64, id: &str) -> Searched<Option<i64>> {
        Ok(self
            .connection
            .prepare_cached("SELECT seq FROM resource WHERE collection = ?1 AND id = ?2")?
            .query_row(params![collection, id], |row| row.get(0))
            .optional()?)
    }

    pub(super) fn subject(&self, seq: i64) -> Searched<Option<Subject>> {
        self.look(1)?;
        let found = self
            .connection
            .prepare_cached("SELECT id, last_updated, search_keys FROM resource WHERE seq = ?1")?
            .query_row([seq], |row| {
                let keys = Keys::read(row.get_ref(2)?.as_blob()?);
                Ok(keys.map(|keys| (row.get(0), row.get(1), keys)))
            })
            .optional()?;
        let Some(found) = found else { return Ok(None) };
        let (id, last_updated, keys) = found.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Some(Subject { seq, id: id?, last_updated: last_updated?, keys }))
    }

    /// Row numbers of resources, some of them perhaps twice.
    pub(super) fn scan(&self, scan: &Scan, limit: usize) -> Searched<Vec<i64>> {
        let sql = format!("{} LIMIT ?", scan.sql);
        let limit = Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX));
        self.numbers(&sql, scan.values.iter().chain([&limit]))
    }

    pub(super) fn numbers<'v>(&self, sql: &str, values: impl IntoIterator<Item = &'v Value>) -> Searched<Vec<i64>> {
        let values = params_from_iter(values);
        let read = |statement: &mut rusqlite::Statement<'_>| -> rusqlite::Result<Vec<i64>> {
            statement.query_map(values, |row| row.get(0))?.collect()
        };
        Ok(match sql.len() > KEPT_TEXT {
            true => read(&mut self.connection.prepare(sql)?)?,
            false => read(&mut *self.connection.prepare_cached(sql)?)?,
        })
    }

    /// The resources of a type for which a test holds. `None`: the index does not tell that they are few.
    pub(super) fn few_matches(&self, resource_type: &str, test: &Test) -> Searched<Option<Vec<Subject>>> {
        let Some(collection) = self.collection(resource_type)? else { return Ok(Some(Vec::new())) };
        let Some(seqs) = self.few(Scope { collection, resource_type }, test)? else { return Ok(None) };
        Ok(Some(self.matches(&seqs, test)?))
    }

    /// Those of the resources for which the test holds.
    pub(super) fn matches(&self, seqs: &BTreeSet<i64>, test: &Test) -> Searched<Vec<Subject>> {
        let mut found = Vec::new();
        for seq in seqs {
            if let Some(subject) = self.subject(*seq)?
                && test.holds(&subject, self)?
            {
                found.push(subject);
            }
        }
        Ok(found)
    }

    pub(super) fn body(&self, seq: i64) -> Searched<Vec<u8>> {
        self.look(BODY_LOOKS)?;
        let sql = "SELECT body FROM resource WHERE seq = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([seq], |row| row.get(0))?)
    }

    pub(super) fn type_of(&self, seq: i64) -> Searched<String> {
        let sql = "SELECT resource_type FROM resource JOIN collection ON collection.id = collection WHERE seq = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([seq], |row| row.get(0))?)
    }

    /// What a search by text needs is not in the index.
    fn aside(&self, subject: &Subject, fields: &[String], wanted: impl Fn(&IndexValue) -> bool) -> Searched<bool> {
        let body = self.body(subject.seq)?;
        let rows = search::extract_aside(&self.type_of(subject.seq)?, &body);
        let rows = rows.map_err(|_| StoreError::Unavailable("a stored resource is not JSON".to_owned()))?;
        Ok(rows.iter().any(|row| fields.iter().any(|field| field == row.field) && wanted(&row.value)))
    }

    fn chain(&self, subject: &Subject, fields: &[FieldTest], resource_type: &str, test: &Test) -> Searched<bool> {
        let (Some(system), Some(collection)) = (self.name(resource_type)?, self.collection(resource_type)?) else {
            return Ok(false);
        };
        for key in subject.keys.iter() {
            let is_of = |field: &FieldTest| field.field == key.field && field.takes(&key.value);
            if let KeyValue::Token { system: of, code } = &key.value
                && *of == system
                && fields.iter().any(is_of)
                && let Some(seq) = self.seq(collection, code)?
                && let Some(target) = self.subject(seq)?
                && test.holds(&target, self)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has(&self, subject: &Subject, fields: &[FieldTest], test: &Test) -> Searched<bool> {
        let own_type = self.type_of(subject.seq)?;
        let Some(system) = self.name(&own_type)? else { return Ok(false) };
        for field in fields.iter().filter(|field| field.target.as_ref().is_none_or(|(_, name)| *name == own_type)) {
            let mut after = i64::MIN;
            loop {
                // A part at a time: one of the first may do.
                let scan = Scan::token(field.field, Some(&subject.id), Some(system)).after(after);
                let sources = self.scan(&scan, FEW)?;
                for seq in &sources {
                    if let Some(source) = self.subject(*seq)?
                        && test.holds(&source, self)?
                    {
                        return Ok(true);
                    }
                }
                match sources.last() {
                    Some(last) if sources.len() == FEW => after = *last,
                    Some(_) | None => break,
                }
            }
        }
        Ok(false)
    }
}

impl Oracle for Searcher<'_> {
    type Error = StoreError;

    fn text(&self, name: i64) -> Searched<String> {
        if let Some(text) = self.texts.borrow().get(&name) {
            return Ok(text.clone());
        }
        let sql = "SELECT text FROM name WHERE id = ?1";
        let text: String = self.connection.prepare_cached(sql)?.query_row([name], |row| row.get(0))?;
        self.texts.borrow_mut().insert(name, text.clone());
        Ok(text)
    }

    fn beyond(&self, test: &Beyond, subject: &Subject) -> Searched<bool> {
        match test {
            Beyond::Text { fields, text } => self.aside(
                subject,
                fields,
                |value| matches!(value, IndexValue::Text(found) if search::normalize(found).starts_with(text)),
            ),
            Beyond::OfType { fields, of, value: wanted } => self.aside(
                subject,
                fields,
                |value| matches!(value, IndexValue::Token { system, code } if system == of && code == wanted),
            ),
            Beyond::Chain { fields, resource_type, test } => self.chain(subject, fields, resource_type, test),
            Beyond::Has { fields, test, .. } => self.has(subject, fields, test),
        }
    }
}
