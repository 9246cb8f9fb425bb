//! The store room: one part of a search index, in the order of the index.

use crate::store::matching::about;
use crate::store::{DatePrefix, NumberTest};
use rusqlite::types::Value;

/// Rows of one index table that stand together.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    /// Gives row numbers of resources; takes `values`.
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
    /// The resources come in the order of their numbers, each once, and `resource` can be bounded from below.
    pub(super) is_ordered: bool,
}

impl Scan {
    fn new(sql: &str, values: Vec<Value>) -> Self {
        Self { sql: sql.to_owned(), values, is_ordered: false }
    }

    /// `None`: any code, any system.
    pub(super) fn token(field: i64, code: Option<&String>, system: Option<i64>) -> Self {
        let mut sql = "SELECT resource FROM token WHERE field = ?".to_owned();
        let mut values = vec![Value::Integer(field)];
        if let Some(code) = code {
            sql.push_str(" AND code = ?");
            values.push(Value::Text(code.clone()));
        }
        if let Some(system) = system {
            sql.push_str(" AND system = ?");
            values.push(Value::Integer(system));
        }
        Self { sql, values, is_ordered: code.is_some() && system.is_some() }
    }

    /// The same behind that resource; only of an ordered scan.
    pub(super) fn after(mut self, resource: i64) -> Self {
        self.sql.push_str(" AND resource > ?");
        self.values.push(Value::Integer(resource));
        self
    }

    /// Codes that begin like that.
    pub(super) fn codes(field: i64, beginning: &str) -> Self {
        let (from, to) = (Value::Text(beginning.to_owned()), Value::Text(format!("{beginning}\u{10ffff}")));
        Self::new(
            "SELECT resource FROM token WHERE field = ? AND code BETWEEN ? AND ?",
            vec![Value::Integer(field), from, to],
        )
    }

    pub(super) fn text(field: i64, text: &str) -> Self {
        Self::new(
            "SELECT resource FROM text WHERE field = ? AND text = ?",
            vec![Value::Integer(field), Value::Text(text.to_owned())],
        )
    }

    /// Texts that begin like that.
    pub(super) fn texts(field: i64, beginning: &str) -> Self {
        let (from, to) = (Value::Text(beginning.to_owned()), Value::Text(format!("{beginning}\u{10ffff}")));
        Self::new(
            "SELECT resource FROM text WHERE field = ? AND text BETWEEN ? AND ?",
            vec![Value::Integer(field), from, to],
        )
    }

    /// The prefixes as R4 defines them on spans; `from` and `to` are the ends of the value's.
    pub(super) fn dates(field: i64, prefix: DatePrefix, from: i64, to: i64) -> Vec<Self> {
        let scan = |test: &str, values: &[i64]| {
            let values = std::iter::once(&field).chain(values).copied().map(Value::Integer);
            Self::new(&format!("SELECT resource FROM date WHERE field = ? AND {test}"), values.collect())
        };
        let (above, below) = (|| scan("high > ?", &[to]), || scan("low < ?", &[from]));
        // The bound on `low` from above follows from the others; it keeps the walk along the index short.
        let within = || scan("low BETWEEN ? AND ? AND high <= ?", &[from, to, to]);
        match prefix {
            DatePrefix::Eq => vec![within()],
            DatePrefix::Ne => vec![below(), above()],
            DatePrefix::Gt => vec![above()],
            DatePrefix::Lt => vec![below()],
            DatePrefix::Ge => vec![above(), within()],
            DatePrefix::Le => vec![below(), within()],
            DatePrefix::Sa => vec![scan("low > ?", &[to])],
            DatePrefix::Eb => vec![scan("low < ? AND high < ?", &[from, from])],
            DatePrefix::Ap => {
                let (from, to) = about(from, to);
                vec![scan("low <= ? AND high >= ?", &[to, from])]
            }
        }
    }

    /// By the column itself. `None` where the order of the index does not help.
    pub(super) fn updated(collection: i64, prefix: DatePrefix, from: i64, to: i64) -> Option<Self> {
        let (test, values) = match prefix {
            DatePrefix::Eq => ("BETWEEN ? AND ?", vec![from, to]),
            DatePrefix::Gt | DatePrefix::Sa => ("> ?", vec![to]),
            DatePrefix::Lt | DatePrefix::Eb => ("< ?", vec![from]),
            DatePrefix::Ge => (">= ?", vec![from]),
            DatePrefix::Le => ("<= ?", vec![to]),
            DatePrefix::Ne => return None,
            DatePrefix::Ap => {
                let (from, to) = about(from, to);
                ("BETWEEN ? AND ?", vec![from, to])
            }
        };
        let values = std::iter::once(collection).chain(values).map(Value::Integer);
        Some(Self::new(
            &format!("SELECT seq FROM resource WHERE collection = ? AND last_updated {test}"),
            values.collect(),
        ))
    }

    pub(super) fn numbers(field: i64, unit: Option<i64>, number: &NumberTest) -> Self {
        let NumberTest { prefix, value, from, to } = number;
        let (test, ends) = match prefix {
            DatePrefix::Eq => ("low >= ? AND low < ?", vec![from, to]),
            DatePrefix::Ne => ("TRUE", vec![]),
            DatePrefix::Gt => ("high > ?", vec![value]),
            DatePrefix::Ge => ("high >= ?", vec![value]),
            DatePrefix::Lt => ("low < ?", vec![value]),
            DatePrefix::Le => ("low <= ?", vec![value]),
            DatePrefix::Sa => ("low > ?", vec![value]),
            DatePrefix::Eb => ("high < ?", vec![value]),
            DatePrefix::Ap => ("low < ? AND high >= ?", vec![to, from]),
        };
        let mut values = vec![Value::Integer(field)];
        values.extend(unit.map(Value::Integer));
        values.extend(ends.into_iter().map(|end| Value::Blob(end.0.clone())));
        Self::new(&format!("SELECT resource FROM number WHERE field = ? AND unit = ? AND {test}"), values)
    }

    pub(super) fn all_numbers(field: i64) -> Self {
        Self::new("SELECT resource FROM number WHERE field = ?", vec![Value::Integer(field)])
    }
}
