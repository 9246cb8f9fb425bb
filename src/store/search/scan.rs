//! The store room: one part of a search index, in the order of the index. All engines have the same index tables, and
//! each makes its own statement of a scan.

use crate::store::code::{code_number, versions_number};
use crate::store::matching::about;
use crate::store::{DatePrefix, NumberTest};

/// A value of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Value {
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// Rows of one table that stand together.
#[derive(Debug, Clone)]
pub(in crate::store) struct Scan {
    /// Which resources: their row numbers, and with `pairs` what they stand at.
    pub(in crate::store) columns: &'static str,
    pub(in crate::store) table: &'static str,
    /// Takes `values` in the places of its question marks, and has no others.
    pub(in crate::store) tests: String,
    pub(in crate::store) values: Vec<Value>,
    /// Empty: any.
    pub(in crate::store) order: &'static str,
    /// The resources come in the order of their numbers, each once, and `resource` can be bounded from below.
    pub(in crate::store) is_ordered: bool,
}

impl Scan {
    fn of(table: &'static str, tests: &str, values: Vec<Value>) -> Self {
        Self { columns: "resource", table, tests: tests.to_owned(), values, order: "", is_ordered: false }
    }

    /// `None`: any code, any system.
    pub(in crate::store) fn token(field: i64, code: Option<&String>, system: Option<i64>) -> Self {
        let mut tests = "field = ?".to_owned();
        let mut values = vec![Value::Integer(field)];
        if let Some(code) = code {
            tests.push_str(" AND code = ?");
            values.push(Value::Integer(code_number(code)));
        }
        if let Some(system) = system {
            tests.push_str(" AND system = ?");
            values.push(Value::Integer(system));
        }
        Self { is_ordered: code.is_some() && system.is_some(), ..Self::of("token", &tests, values) }
    }

    /// The same behind that resource, in order; only of an ordered scan.
    pub(in crate::store) fn after(mut self, resource: i64) -> Self {
        self.tests.push_str(" AND resource > ?");
        self.values.push(Value::Integer(resource));
        self.order = "resource";
        self
    }

    /// Versions of a canonical.
    pub(in crate::store) fn versions(field: i64, canonical: &str) -> Self {
        let values = vec![Value::Integer(field), Value::Integer(versions_number(canonical))];
        Self::of("token", "field = ? AND code = ?", values)
    }

    pub(in crate::store) fn text(field: i64, text: &str) -> Self {
        Self::of("text", "field = ? AND text = ?", vec![Value::Integer(field), Value::Text(text.to_owned())])
    }

    /// Texts that begin like that.
    pub(in crate::store) fn texts(field: i64, beginning: &str) -> Self {
        let (from, to) = (Value::Text(beginning.to_owned()), Value::Text(format!("{beginning}\u{10ffff}")));
        Self::of("text", "field = ? AND text BETWEEN ? AND ?", vec![Value::Integer(field), from, to])
    }

    /// The prefixes as R4 defines them on spans; `from` and `to` are the ends of the value's.
    pub(in crate::store) fn dates(field: i64, prefix: DatePrefix, from: i64, to: i64) -> Vec<Self> {
        let scan = |test: &str, values: &[i64]| {
            let values = std::iter::once(&field).chain(values).copied().map(Value::Integer);
            Self::of("date", &format!("field = ? AND {test}"), values.collect())
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
    pub(in crate::store) fn updated(collection: i64, prefix: DatePrefix, from: i64, to: i64) -> Option<Self> {
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
        let scan = Self::of("resource", &format!("collection = ? AND last_updated {test}"), values.collect());
        Some(Self { columns: "seq", ..scan })
    }

    pub(in crate::store) fn numbers(field: i64, unit: i64, number: &NumberTest) -> Self {
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
        let mut values = vec![Value::Integer(field), Value::Integer(unit)];
        values.extend(ends.into_iter().map(|end| Value::Blob(end.0.clone())));
        Self::of("number", &format!("field = ? AND unit = ? AND {test}"), values)
    }

    pub(in crate::store) fn all_numbers(field: i64) -> Self {
        Self::of("number", "field = ?", vec![Value::Integer(field)])
    }

    /// All resources of a type.
    pub(in crate::store) fn collection(collection: i64) -> Self {
        Self { columns: "seq", ..Self::of("resource", "collection = ?", vec![Value::Integer(collection)]) }
    }

    /// All resources of a type behind one, by their numbers.
    pub(in crate::store) fn by_seq(collection: i64, descending: bool, from: i64) -> Self {
        let (test, order) =
            if descending { ("collection = ? AND seq < ?", "seq DESC") } else { ("collection = ? AND seq > ?", "seq") };
        let values = vec![Value::Integer(collection), Value::Integer(from)];
        Self { columns: "seq", order, ..Self::of("resource", test, values) }
    }

    /// The same by the time of their versions. Two columns.
    pub(in crate::store) fn by_update(collection: i64, descending: bool, (time, seq): (i64, i64)) -> Self {
        let (test, order) = if descending {
            ("collection = ? AND (last_updated, seq) < (?, ?)", "last_updated DESC, seq DESC")
        } else {
            ("collection = ? AND (last_updated, seq) > (?, ?)", "last_updated, seq")
        };
        let values = [collection, time, seq].map(Value::Integer).into();
        Self { columns: "seq, last_updated", order, ..Self::of("resource", test, values) }
    }

    /// Resources by the beginnings of their dates. Two columns.
    pub(in crate::store) fn by_date(field: i64, descending: bool, (low, resource): (i64, i64)) -> Self {
        let (test, order) = if descending {
            ("field = ? AND (low, resource) < (?, ?)", "low DESC, resource DESC")
        } else {
            ("field = ? AND (low, resource) > (?, ?)", "low, resource")
        };
        let values = [field, low, resource].map(Value::Integer).into();
        Self { columns: "DISTINCT resource, low", order, ..Self::of("date", test, values) }
    }

    /// One more row than wanted tells that there are more: `LIMIT` is added by the engine.
    pub(in crate::store) fn sql(&self, also: &str) -> String {
        let Self { columns, table, tests, order, .. } = self;
        let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {order}") };
        format!("SELECT {columns} FROM {table} WHERE {also}{tests}{order}")
    }
}
