//! The store room: one part of a search index, in the order of the index. All engines have the same index tables, and
//! each makes its own statement of a scan.

use crate::fhir::search::NumberKey;
use crate::store::code::{code_number, versions_number};
use crate::store::matching::about;
use crate::store::{DatePrefix, NumberTest};
use std::cmp::Ordering;

/// A value of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Value {
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// A column of an index table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Column {
    Field,
    Code,
    System,
    Resource,
    Low,
    High,
    Text,
    Unit,
    Collection,
    LastUpdated,
    Seq,
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Code => "code",
            Self::System => "system",
            Self::Resource => "resource",
            Self::Low => "low",
            Self::High => "high",
            Self::Text => "text",
            Self::Unit => "unit",
            Self::Collection => "collection",
            Self::LastUpdated => "last_updated",
            Self::Seq => "seq",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Op {
    Eq,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Op {
    fn sign(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }

    /// Does it hold for what compares so with its value?
    pub(in crate::store) fn holds(self, compared: Ordering) -> bool {
        match self {
            Self::Eq => compared.is_eq(),
            Self::Lt => compared.is_lt(),
            Self::Le => compared.is_le(),
            Self::Gt => compared.is_gt(),
            Self::Ge => compared.is_ge(),
        }
    }
}

/// What the rows of a scan have in common. An engine makes a statement of it, or compares rows that it has in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Condition {
    One(Column, Op, Value),
    /// Of two columns, the first of which counts first.
    Two([Column; 2], Op, [i64; 2]),
}

/// Rows of one table that stand together.
#[derive(Debug, Clone)]
pub(in crate::store) struct Scan {
    /// Which resources: their row numbers, and with `pairs` what they stand at.
    pub(in crate::store) columns: &'static str,
    pub(in crate::store) table: &'static str,
    /// All of them hold; the first is of one field or one collection.
    pub(in crate::store) conditions: Vec<Condition>,
    /// Empty: any.
    pub(in crate::store) order: &'static str,
    pub(in crate::store) descending: bool,
    /// The resources come in the order of their numbers, each once, and `resource` can be bounded from below.
    pub(in crate::store) is_ordered: bool,
}

fn is(column: Column, value: i64) -> Condition {
    Condition::One(column, Op::Eq, Value::Integer(value))
}

fn integer(column: Column, op: Op, value: i64) -> Condition {
    Condition::One(column, op, Value::Integer(value))
}

impl Scan {
    fn of(table: &'static str, conditions: Vec<Condition>) -> Self {
        Self { columns: "resource", table, conditions, order: "", descending: false, is_ordered: false }
    }

    /// `None`: any code, any system.
    pub(in crate::store) fn token(field: i64, code: Option<&String>, system: Option<i64>) -> Self {
        let code = code.map(|code| is(Column::Code, code_number(code)));
        let system = system.map(|system| is(Column::System, system));
        let is_ordered = code.is_some() && system.is_some();
        let conditions = [Some(is(Column::Field, field)), code, system].into_iter().flatten().collect();
        Self { is_ordered, ..Self::of("token", conditions) }
    }

    /// The same behind that resource, in order; only of an ordered scan.
    pub(in crate::store) fn after(mut self, resource: i64) -> Self {
        self.conditions.push(integer(Column::Resource, Op::Gt, resource));
        self.order = "resource";
        self
    }

    /// The same from one resource to another, both with it; only of an ordered scan.
    pub(in crate::store) fn between(mut self, first: i64, last: i64) -> Self {
        self.conditions.push(integer(Column::Resource, Op::Ge, first));
        self.conditions.push(integer(Column::Resource, Op::Le, last));
        self
    }

    /// Versions of a canonical.
    pub(in crate::store) fn versions(field: i64, canonical: &str) -> Self {
        Self::of("token", vec![is(Column::Field, field), is(Column::Code, versions_number(canonical))])
    }

    pub(in crate::store) fn text(field: i64, text: &str) -> Self {
        let text = Condition::One(Column::Text, Op::Eq, Value::Text(text.to_owned()));
        Self::of("text", vec![is(Column::Field, field), text])
    }

    /// Texts that begin like that.
    pub(in crate::store) fn texts(field: i64, beginning: &str) -> Self {
        let text = |op, text: String| Condition::One(Column::Text, op, Value::Text(text));
        let (from, to) = (text(Op::Ge, beginning.to_owned()), text(Op::Le, format!("{beginning}\u{10ffff}")));
        Self::of("text", vec![is(Column::Field, field), from, to])
    }

    /// The prefixes as R4 defines them on spans; `from` and `to` are the ends of the value's.
    pub(in crate::store) fn dates(field: i64, prefix: DatePrefix, from: i64, to: i64) -> Vec<Self> {
        let scan = |conditions: &[Condition]| {
            let conditions = std::iter::once(is(Column::Field, field)).chain(conditions.iter().cloned());
            Self::of("date", conditions.collect())
        };
        let (low, high) = (|op, value| integer(Column::Low, op, value), |op, value| integer(Column::High, op, value));
        let (above, below) = (|| scan(&[high(Op::Gt, to)]), || scan(&[low(Op::Lt, from)]));
        // The bound on `low` from above follows from the others; it keeps the walk along the index short.
        let within = || scan(&[low(Op::Ge, from), low(Op::Le, to), high(Op::Le, to)]);
        match prefix {
            DatePrefix::Eq => vec![within()],
            DatePrefix::Ne => vec![below(), above()],
            DatePrefix::Gt => vec![above()],
            DatePrefix::Lt => vec![below()],
            DatePrefix::Ge => vec![above(), within()],
            DatePrefix::Le => vec![below(), within()],
            DatePrefix::Sa => vec![scan(&[low(Op::Gt, to)])],
            DatePrefix::Eb => vec![scan(&[low(Op::Lt, from), high(Op::Lt, from)])],
            DatePrefix::Ap => {
                let (from, to) = about(from, to);
                vec![scan(&[low(Op::Le, to), high(Op::Ge, from)])]
            }
        }
    }

    /// By the column itself. `None` where the order of the index does not help.
    pub(in crate::store) fn updated(collection: i64, prefix: DatePrefix, from: i64, to: i64) -> Option<Self> {
        let updated = |op, value| integer(Column::LastUpdated, op, value);
        let tests = match prefix {
            DatePrefix::Eq => vec![updated(Op::Ge, from), updated(Op::Le, to)],
            DatePrefix::Gt | DatePrefix::Sa => vec![updated(Op::Gt, to)],
            DatePrefix::Lt | DatePrefix::Eb => vec![updated(Op::Lt, from)],
            DatePrefix::Ge => vec![updated(Op::Ge, from)],
            DatePrefix::Le => vec![updated(Op::Le, to)],
            DatePrefix::Ne => return None,
            DatePrefix::Ap => {
                let (from, to) = about(from, to);
                vec![updated(Op::Ge, from), updated(Op::Le, to)]
            }
        };
        let conditions = std::iter::once(is(Column::Collection, collection)).chain(tests);
        Some(Self { columns: "seq", ..Self::of("resource", conditions.collect()) })
    }

    pub(in crate::store) fn numbers(field: i64, unit: i64, number: &NumberTest) -> Self {
        let NumberTest { prefix, value, from, to } = number;
        let end = |column, op, end: &NumberKey| Condition::One(column, op, Value::Blob(end.0.clone()));
        let tests = match prefix {
            DatePrefix::Eq => vec![end(Column::Low, Op::Ge, from), end(Column::Low, Op::Lt, to)],
            DatePrefix::Ne => vec![],
            DatePrefix::Gt => vec![end(Column::High, Op::Gt, value)],
            DatePrefix::Ge => vec![end(Column::High, Op::Ge, value)],
            DatePrefix::Lt => vec![end(Column::Low, Op::Lt, value)],
            DatePrefix::Le => vec![end(Column::Low, Op::Le, value)],
            DatePrefix::Sa => vec![end(Column::Low, Op::Gt, value)],
            DatePrefix::Eb => vec![end(Column::High, Op::Lt, value)],
            DatePrefix::Ap => vec![end(Column::Low, Op::Lt, to), end(Column::High, Op::Ge, from)],
        };
        let conditions = [is(Column::Field, field), is(Column::Unit, unit)].into_iter().chain(tests);
        Self::of("number", conditions.collect())
    }

    pub(in crate::store) fn all_numbers(field: i64) -> Self {
        Self::of("number", vec![is(Column::Field, field)])
    }

    /// All resources of a type.
    pub(in crate::store) fn collection(collection: i64) -> Self {
        Self { columns: "seq", ..Self::of("resource", vec![is(Column::Collection, collection)]) }
    }

    /// All resources of a type behind one, by their numbers.
    pub(in crate::store) fn by_seq(collection: i64, descending: bool, from: i64) -> Self {
        let (op, order) = if descending { (Op::Lt, "seq DESC") } else { (Op::Gt, "seq") };
        let conditions = vec![is(Column::Collection, collection), integer(Column::Seq, op, from)];
        Self { columns: "seq", order, descending, ..Self::of("resource", conditions) }
    }

    /// The same by the time of their versions. Two columns.
    pub(in crate::store) fn by_update(collection: i64, descending: bool, (time, seq): (i64, i64)) -> Self {
        let (op, order) =
            if descending { (Op::Lt, "last_updated DESC, seq DESC") } else { (Op::Gt, "last_updated, seq") };
        let behind = Condition::Two([Column::LastUpdated, Column::Seq], op, [time, seq]);
        let scan = Self::of("resource", vec![is(Column::Collection, collection), behind]);
        Self { columns: "seq, last_updated", order, descending, ..scan }
    }

    /// Resources by the beginnings of their dates. Two columns.
    pub(in crate::store) fn by_date(field: i64, descending: bool, (low, resource): (i64, i64)) -> Self {
        let (op, order) = if descending { (Op::Lt, "low DESC, resource DESC") } else { (Op::Gt, "low, resource") };
        let behind = Condition::Two([Column::Low, Column::Resource], op, [low, resource]);
        let scan = Self::of("date", vec![is(Column::Field, field), behind]);
        Self { columns: "DISTINCT resource, low", order, descending, ..scan }
    }

    /// The values of the statement, in the places of its question marks.
    pub(in crate::store) fn values(&self) -> Vec<Value> {
        let mut values = Vec::with_capacity(self.conditions.len() + 2);
        for condition in &self.conditions {
            match condition {
                Condition::One(_, _, value) => values.push(value.clone()),
                Condition::Two(_, _, both) => values.extend(both.map(Value::Integer)),
            }
        }
        values
    }

    /// One more row than wanted tells that there are more: `LIMIT` is added by the engine.
    pub(in crate::store) fn sql(&self, also: &str) -> String {
        let Self { columns, table, order, .. } = self;
        let mut sql = format!("SELECT {columns} FROM {table} WHERE {also}");
        for (place, condition) in self.conditions.iter().enumerate() {
            if place > 0 {
                sql.push_str(" AND ");
            }
            match condition {
                Condition::One(column, op, _) => {
                    sql.extend([column.name(), " ", op.sign(), " ?"]);
                }
                Condition::Two([first, second], op, _) => {
                    sql.extend(["(", first.name(), ", ", second.name(), ") ", op.sign(), " (?, ?)"]);
                }
            }
        }
        if !order.is_empty() {
            sql.extend([" ORDER BY ", order]);
        }
        sql
    }
}
