//! The store room: work that is done once, however often it is asked for. What it is answered with is kept in the same
//! transaction: either both are there after a crash or neither.
//! <https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header>

use super::transaction::{Transacted, Transaction};
use super::{Committed, RecordWrite};
use bytes::Bytes;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// SHA-256 of something.
pub type Digest = [u8; 32];

/// Which request it is, and how long its answer is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnceKey {
    /// Of the requester and the key that they gave.
    pub name: Digest,
    /// Of all that the answer depends on.
    pub request: Digest,
    /// Microseconds since 1970-01-01T00:00:00Z. What was kept until before then is forgotten.
    pub now: i64,
    pub until: i64,
}

/// Names a version that an answer shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRow {
    pub resource_type: String,
    pub id: String,
    pub version_id: u64,
}

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// HTTP's.
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// What of the store stands in it: before it is given again, each row passes the door again.
    pub rows: Vec<ShownRow>,
}

impl KeptAnswer {
    /// All but the body, as the engines keep it: status, headers and rows in JSON.
    pub(super) fn head(&self) -> String {
        let rows = self.rows.iter().map(|row| json!([row.resource_type, row.id, row.version_id]));
        json!([self.status, self.headers, rows.collect::<Vec<_>>()]).to_string()
    }

    /// The other way round; `None`: it is not as it was written.
    pub(super) fn read(head: &str, body: Bytes) -> Option<Self> {
        let head: Value = serde_json::from_str(head).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let headers = head[1].as_array()?.iter().map(|pair| Some((text(&pair[0])?, text(&pair[1])?)));
        let rows = head[2].as_array()?.iter().map(|row| {
            Some(ShownRow { resource_type: text(&row[0])?, id: text(&row[1])?, version_id: row[2].as_u64()? })
        });
        Some(Self {
            status: head[0].as_u64()?.try_into().ok()?,
            headers: headers.collect::<Option<_>>()?,
            rows: rows.collect::<Option<_>>()?,
            body,
        })
    }
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Work {
    Record(Box<RecordWrite>),
    Transaction(Box<Transaction>),
}

/// What became of it.
#[derive(Debug, Clone)]
pub enum Worked {
    Record(Committed),
    Transaction(Transacted),
}

impl Worked {
    /// Was it done? Only then its answer is kept: what was not done may be tried again.
    pub fn is_done(&self) -> bool {
        match self {
            Self::Record(Committed::Stored(_)) | Self::Transaction(Transacted::Done(_)) => true,
            Self::Record(Committed::Superseded)
            | Self::Transaction(Transacted::Superseded | Transacted::Refused(_)) => false,
        }
    }
}

/// Makes the answer of what was done. The engine calls it inside its transaction, perhaps more than once, so it must be
/// quick and always give the same.
pub type Answerer = Arc<dyn Fn(&Worked) -> KeptAnswer + Send + Sync>;

/// Under which key the work is done, and how its answer is made.
#[derive(Clone)]
pub struct Once {
    pub key: OnceKey,
    pub answer: Answerer,
}

impl fmt::Debug for Once {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Once").field("key", &self.key).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub enum Onced {
    /// The work was looked at now; its answer is kept if it was done.
    Now(Worked),
    /// It was done before.
    Before(Earlier),
}

/// What was kept of an earlier request with the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Another request's where it is not the same.
    pub request: Digest,
    pub answer: KeptAnswer,
}
