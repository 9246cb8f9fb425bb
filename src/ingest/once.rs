//! The pipeline: a record that is taken once, however often it is sent under one key, and for whom its answer is.

use super::{Gateway, IngestError, Judging, Receipt};
use crate::consent::Sight;
use crate::store::once::{Earlier, KeptAnswer, Once, OnceKey, Onced, Work, Worked};
use crate::store::transaction::Transaction;
use crate::store::{Committed, RecordWrite};
use std::sync::Arc;

/// How a record is taken, and for whom.
#[derive(Clone)]
pub struct Manner {
    pub judging: Judging,
    /// Remarks that rest on what it does not show are left out of the answer.
    pub sight: Sight,
    /// The key under which it is taken once.
    pub once: Option<RecordOnce>,
}

/// Makes the answer that a receipt becomes.
pub type ReceiptAnswer = Arc<dyn Fn(&Receipt) -> KeptAnswer + Send + Sync>;

#[derive(Clone)]
pub struct RecordOnce {
    pub key: OnceKey,
    pub answer: ReceiptAnswer,
}

/// What became of a record that was sent, perhaps not for the first time.
#[derive(Debug, Clone)]
pub enum Ingested {
    Now(Box<Receipt>),
    /// A request with the same key was answered before.
    Before(Earlier),
}

impl Gateway {
    /// Stores a record's write. `receipt` lacks the resources that it will have: the first `own` of what is written. `None`:
    /// another writer was faster.
    pub(super) async fn settle(
        &self,
        write: RecordWrite,
        own: usize,
        receipt: Receipt,
        once: Option<&RecordOnce>,
    ) -> Result<Option<Ingested>, IngestError> {
        let Some(once) = once else {
            return Ok(with_resources(receipt, own, &self.door.commit(write).await?).map(now));
        };
        let (answer, draft) = (Arc::clone(&once.answer), receipt.clone());
        let answered = move |worked: &Worked| match worked {
            Worked::Record(committed) => {
                answer(&with_resources(draft.clone(), own, committed).unwrap_or(draft.clone()))
            }
            Worked::Transaction(_) => answer(&draft),
        };
        let once = Once { key: once.key, answer: Arc::new(answered) };
        Ok(match self.door.once(Work::Record(Box::new(write)), once).await? {
            Onced::Before(earlier) => Some(Ingested::Before(earlier)),
            Onced::Now(Worked::Record(committed)) => with_resources(receipt, own, &committed).map(now),
            Onced::Now(Worked::Transaction(_)) => return Err(IngestError::Internal("a record became a transaction")),
        })
    }

    /// Nothing is to be stored but the answer, where it has a key.
    pub(super) async fn settled(&self, receipt: Receipt, once: Option<&RecordOnce>) -> Result<Ingested, IngestError> {
        let Some(once) = once else { return Ok(now(receipt)) };
        let (answer, kept) = (Arc::clone(&once.answer), receipt.clone());
        let once = Once { key: once.key, answer: Arc::new(move |_| answer(&kept)) };
        Ok(match self.door.once(Work::Transaction(Box::new(Transaction::default())), once).await? {
            Onced::Before(earlier) => Ingested::Before(earlier),
            Onced::Now(_) => now(receipt),
        })
    }
}

fn now(receipt: Receipt) -> Ingested {
    Ingested::Now(Box::new(receipt))
}

fn with_resources(mut receipt: Receipt, own: usize, committed: &Committed) -> Option<Receipt> {
    match committed {
        Committed::Stored(resources) => {
            receipt.resources = resources.iter().take(own).cloned().collect();
            Some(receipt)
        }
        Committed::Superseded => None,
    }
}
