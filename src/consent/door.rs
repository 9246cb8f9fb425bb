//! The consent room: the door, and what one requester sees through it.

use super::linked::Met;
use super::{Context, Decision, Policy, Row};
use crate::store::once::{Digest, Earlier, KeptAnswer, Once, Onced, Work};
use crate::store::transaction::{Transacted, Transaction};
use crate::store::{
    Committed, Held, RecordWrite, Reindexed, ResourceStore, SearchPage, SearchQuery, StoreError, StoredRecord,
    StoredResource,
};
use std::sync::Arc;

/// The store behind its one door. Writes go through as they are; what is read is read through a `Sight`.
#[derive(Clone)]
pub struct Door {
    store: Arc<dyn ResourceStore>,
    policy: Arc<dyn Policy>,
    own_sight: Sight,
}

/// What one requester can see for one purpose. Cheap to clone.
#[derive(Clone)]
pub struct Sight {
    pub(super) store: Arc<dyn ResourceStore>,
    policy: Arc<dyn Policy>,
    context: Arc<Context>,
    withholds: bool,
    /// Of a sight for one answer.
    pub(super) met: Option<Met>,
}

/// A patient's compartment as it is seen.
#[derive(Debug, Clone)]
pub struct Compartment {
    pub resources: Vec<StoredResource>,
    /// Nothing of it was withheld: what it does not hold is not there.
    pub is_whole: bool,
}

/// For the gateway's own work nothing is withheld: a rule that did not see a dose would tell that there was none.
struct Inside;

impl Policy for Inside {
    fn withholds(&self, _: &Context) -> bool {
        false
    }

    fn decide(&self, _: &Context, _: &Row<'_>) -> Decision {
        Decision::Permit
    }
}

impl Door {
    pub fn new(store: Arc<dyn ResourceStore>, policy: Arc<dyn Policy>) -> Self {
        let own_sight = Sight::new(Arc::clone(&store), Arc::new(Inside), Context::own_work());
        Self { store, policy, own_sight }
    }

    /// What a requester sees.
    pub fn sight(&self, context: Context) -> Sight {
        Sight::new(Arc::clone(&self.store), Arc::clone(&self.policy), context)
    }

    /// What the pipeline and the safety rules see: everything. Nothing that is read here may leave.
    pub fn own_sight(&self) -> &Sight {
        &self.own_sight
    }

    /// See `ResourceStore::commit`.
    pub async fn commit(&self, write: RecordWrite) -> Result<Committed, StoreError> {
        self.store.commit(self.own_sight.tenant(), write).await
    }

    /// See `ResourceStore::transact`.
    pub async fn transact(&self, transaction: Transaction) -> Result<Transacted, StoreError> {
        self.store.transact(self.own_sight.tenant(), transaction).await
    }

    /// See `ResourceStore::once`. What was kept before is for `Sight::shows_answer` to let out.
    pub async fn once(&self, work: Work, once: Once) -> Result<Onced, StoreError> {
        self.store.once(self.own_sight.tenant(), work, once).await
    }

    /// See `ResourceStore::kept_answer`; likewise.
    pub async fn kept_answer(&self, name: Digest, now: i64) -> Result<Option<Earlier>, StoreError> {
        self.store.kept_answer(self.own_sight.tenant(), name, now).await
    }

    /// See `ResourceStore::reindex`: nothing leaves.
    pub async fn reindex(&self, resource_type: &str, after: i64, count: usize) -> Result<Reindexed, StoreError> {
        self.store.reindex(self.own_sight.tenant(), resource_type, after, count).await
    }

    /// See `ResourceStore::note`: what the gateway noted itself, and no row.
    pub async fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.store.note(self.own_sight.tenant(), name).await
    }

    pub async fn set_note(&self, name: &str, text: Option<String>) -> Result<(), StoreError> {
        self.store.set_note(self.own_sight.tenant(), name, text).await
    }

    /// See `ResourceStore::hold`.
    pub async fn hold(&self, name: &str) -> Result<Held, StoreError> {
        self.store.hold(self.own_sight.tenant(), name).await
    }

    /// Can the store take a write now?
    pub async fn check(&self) -> Result<(), StoreError> {
        self.store.check().await
    }
}

impl Sight {
    fn new(store: Arc<dyn ResourceStore>, policy: Arc<dyn Policy>, context: Context) -> Self {
        let withholds = policy.withholds(&context);
        Self { store, policy, context: Arc::new(context), withholds, met: None }
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn tenant(&self) -> &str {
        &self.context.tenant
    }

    /// May something be withheld from this requester? Then numbers that count rows must count what is seen.
    pub fn withholds(&self) -> bool {
        self.withholds
    }

    /// The door: every row that leaves has passed here.
    pub fn shows(&self, resource: &StoredResource) -> bool {
        self.policy.decide(&self.context, &Row::of(resource)) == Decision::Permit
    }

    /// May an answer that was given before be given again? What it shows may have been withheld since.
    pub async fn shows_answer(&self, answer: &KeptAnswer) -> Result<bool, StoreError> {
        if self.withholds {
            for row in &answer.rows {
                if self.vread(&row.resource_type, &row.id, row.version_id).await?.is_none() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The current version, if it is seen.
    pub async fn read(&self, resource_type: &str, id: &str) -> Result<Option<StoredResource>, StoreError> {
        let found = self.store.read(self.tenant(), resource_type, id).await?;
        Ok(found.filter(|found| self.shows(found)))
    }

    /// Is there a current version that is not seen? Then nobody who does not see it changes it.
    pub async fn hides(&self, resource_type: &str, id: &str) -> Result<bool, StoreError> {
        if !self.withholds {
            return Ok(false);
        }
        let found = self.store.read(self.tenant(), resource_type, id).await?;
        Ok(found.is_some_and(|found| !self.shows(&found)))
    }

    /// A page of what is seen, by all ids of each patient who is named (`linked`). Totals, includes, chains and `_has` know
    /// nothing of what is not seen.
    pub async fn search(&self, query: SearchQuery) -> Result<SearchPage, StoreError> {
        let query = self.together(query).await?;
        let of_patients = super::linked::of_patients(&query).then(|| query.clone());
        let mut page = self.page(query).await?;
        if let Some(query) = of_patients {
            self.along_with_merged(&query, &mut page).await?;
        }
        Ok(page)
    }

    /// A page by what the query says and nothing else.
    pub(super) async fn page(&self, query: SearchQuery) -> Result<SearchPage, StoreError> {
        if self.withholds {
            return self.narrowed(query).await;
        }
        let mut page = self.store.search(self.tenant(), query).await?;
        page.resources.retain(|found| self.shows(found));
        page.included.retain(|found| self.shows(found));
        Ok(page)
    }

    /// All current resources of a patient that are seen.
    pub async fn compartment(&self, patient: &str) -> Result<Compartment, StoreError> {
        let mut resources = self.store.compartment(self.tenant(), patient).await?;
        let all = resources.len();
        resources.retain(|found| self.shows(found));
        let is_whole = resources.len() == all;
        Ok(Compartment { resources, is_whole })
    }

    /// Records of that kind and id. One of which a resource is withheld is not seen at all: half a record would be
    /// another one.
    pub async fn records(
        &self,
        kind: &str,
        record_id: &str,
        system: Option<&str>,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let mut found = self.store.records(self.tenant(), kind, record_id, system).await?;
        found.retain(|record| record.resources.iter().all(|resource| self.shows(resource)));
        Ok(found)
    }
}
