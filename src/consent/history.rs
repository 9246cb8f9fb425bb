//! The consent room: versions. One is seen only where the newest of its resource is seen too: what was marked since as
//! restricted is not told by what it was before.

use super::Sight;
use crate::store::history::{HistoryPage, HistoryQuery, MadeBy};
use crate::store::once::ShownRow;
use crate::store::{StoreError, StoredResource};

/// Versions of one step of a count.
const COUNTED: usize = 500;

/// Versions that are looked at one time for the last one with a body.
const STEP: usize = 16;

impl Sight {
    /// One version, if it is seen; perhaps a deletion.
    pub async fn vread(
        &self,
        resource_type: &str,
        id: &str,
        version_id: u64,
    ) -> Result<Option<StoredResource>, StoreError> {
        match self.store.vread(self.tenant(), resource_type, id, version_id).await? {
            Some(found) if self.shows_version(&found).await? => Ok(Some(found)),
            Some(_) | None => Ok(None),
        }
    }

    /// Versions of one resource that are seen, newest first, deletions too; `before` continues below that version.
    pub async fn history(
        &self,
        resource_type: &str,
        id: &str,
        count: usize,
        before: Option<u64>,
    ) -> Result<Vec<StoredResource>, StoreError> {
        let versions = self.store.history(self.tenant(), resource_type, id, count, before).await?;
        self.seen(versions).await
    }

    /// How many versions of a resource are seen, deletions too; 0: it is not known to the requester.
    pub async fn count_versions(&self, resource_type: &str, id: &str) -> Result<u64, StoreError> {
        if !self.withholds() {
            // Versions count from 1 without gaps, so the newest number is how many there are.
            let newest = self.history(resource_type, id, 1, None).await?;
            return Ok(newest.first().map_or(0, |newest| newest.version_id));
        }
        let (mut count, mut before) = (0, None);
        loop {
            let versions = self.store.history(self.tenant(), resource_type, id, COUNTED, before).await?;
            before = versions.last().map(|oldest| oldest.version_id);
            let is_last = versions.len() < COUNTED;
            count += self.seen(versions).await?.len() as u64;
            if is_last {
                return Ok(count);
            }
        }
    }

    /// Versions of a resource, of a type or of all, newest first.
    pub async fn versions(&self, query: HistoryQuery) -> Result<HistoryPage, StoreError> {
        if !self.withholds() {
            let page = self.store.versions(self.tenant(), query).await?;
            let versions = self.seen(page.versions).await?;
            return Ok(HistoryPage { versions, next: page.next });
        }
        // A page is filled from what is seen, and there is a next one only where there is more of that.
        let (mut versions, mut before) = (Vec::new(), query.before);
        loop {
            let page = self.store.versions(self.tenant(), HistoryQuery { before, ..query.clone() }).await?;
            versions.extend(self.seen(page.versions).await?);
            before = page.next;
            if versions.len() > query.count || before.is_none() {
                break;
            }
        }
        let more = versions.len() > query.count;
        versions.truncate(query.count);
        let next = versions.last().filter(|_| more).map(|last| last.last_updated);
        Ok(HistoryPage { versions, next })
    }

    /// How versions that are seen came to be, in their order.
    pub async fn made_by(&self, versions: &[StoredResource]) -> Result<Vec<Option<MadeBy>>, StoreError> {
        let row = |version: &StoredResource| ShownRow {
            resource_type: version.resource_type.clone(),
            id: version.id.clone(),
            version_id: version.version_id,
        };
        self.store.made_by(self.tenant(), versions.iter().map(row).collect()).await
    }

    async fn seen(&self, versions: Vec<StoredResource>) -> Result<Vec<StoredResource>, StoreError> {
        let mut seen = Vec::with_capacity(versions.len());
        for version in versions {
            if self.shows_version(&version).await? {
                seen.push(version);
            }
        }
        Ok(seen)
    }

    async fn shows_version(&self, version: &StoredResource) -> Result<bool, StoreError> {
        if !self.withholds() {
            // A deletion says nothing of the resource but that it was there.
            return Ok(version.is_deletion() || self.shows(version));
        }
        let shows = version.is_deletion() || self.shows(version);
        let newest = self.last_with_body(&version.resource_type, &version.id).await?;
        Ok(shows && newest.is_none_or(|newest| self.shows(&newest)))
    }

    /// What a deleted resource was before stands for its deletion.
    async fn last_with_body(&self, resource_type: &str, id: &str) -> Result<Option<StoredResource>, StoreError> {
        let mut before = None;
        loop {
            let versions = self.store.history(self.tenant(), resource_type, id, STEP, before).await?;
            before = versions.last().map(|oldest| oldest.version_id);
            let is_last = versions.len() < STEP;
            let found = versions.into_iter().find(|version| !version.is_deletion());
            if found.is_some() || is_last {
                return Ok(found);
            }
        }
    }
}
