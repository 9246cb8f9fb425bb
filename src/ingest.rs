//! The pipeline: a record's bytes in, FHIR resources stored, an answer out; and the way back.

mod baseline;
mod course;
mod judging;
mod merge;
mod once;
mod parameters;
mod patient;
mod revival;
mod shared;
mod timeline;
mod unmerge;
mod withdrawal;

use crate::consent::{Door, Sight};
use crate::fhir::model::Resource;
use crate::fhir::transaction::{TransactionEntry, transaction};
use crate::fhir::{codec, search};
use crate::kap::baselines;
pub use crate::kap::contract::{Contract, ContractError};
use crate::kap::digest::digest;
pub use crate::kap::fault::{Fault, FaultKind, Faults, Severity as FaultSeverity};
pub use crate::kap::kind::Kind;
use crate::kap::records::Record;
use crate::kap::values::Revision;
use crate::kap::{check, json};
pub use crate::mapping::course::summary::course_of as course_of_summary;
use crate::mapping::draft::Entry;
use crate::mapping::reading::RebuildError;
use crate::mapping::{self, Mapped};
use crate::store::{
    RecordKey, RecordWrite, StoreError, StoredRecord, StoredResource, Write, WriteMode, WriteOutcome, WrittenResource,
};
use bytes::Bytes;
pub use judging::{Occasion, Remark, Rules, RulesFileError, RulesReport};
pub use merge::Merged;
pub use once::{Ingested, Manner, ReceiptAnswer, RecordOnce};
pub use parameters::{Parameters, Progress, ProgressState};
use serde_json::Value;
use std::cmp::Ordering;
pub use unmerge::Unmerged;

/// How often a commit is tried again when another writer of the same record was faster.
const ATTEMPTS: usize = 8;

/// Why a record was not taken, or cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The bytes are no JSON that can be read.
    #[error("the body cannot be read")]
    Unreadable(Vec<Fault>),
    /// The record breaks the contract: all its faults, warnings too.
    #[error("the record breaks the contract")]
    Refused(Faults),
    /// A newer revision is stored.
    #[error("a newer revision is stored")]
    Stale { stored: String },
    /// The same revision is stored with other content.
    #[error("the same revision is stored with other content")]
    Conflicting { revision: String },
    /// The stored revision counts and the new one is an instant, or the other way round.
    #[error("the revision cannot be compared with the stored one")]
    Incomparable { stored: String },
    /// Other writers of the same record were faster each time.
    #[error("the record is being written by others")]
    Contended,
    /// Its sender took the record back: a newer revision brings it again.
    #[error("the record was withdrawn")]
    Withdrawn { revision: String },
    #[error("there is no such record")]
    UnknownRecord,
    /// More than one system uses this id: name one.
    #[error("more than one system has it")]
    Ambiguous { systems: Vec<String> },
    #[error("there is no such patient")]
    UnknownPatient,
    #[error("there is no such course")]
    UnknownCourse,
    #[error("there is no Composition with that id")]
    UnknownComposition,
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored resource of ours is not as we wrote it.
    #[error("a stored record cannot be rebuilt: {0}")]
    Rebuild(#[from] RebuildError),
    /// A mistake of ours: the message names no patient data.
    #[error("internal: {0}")]
    Internal(&'static str),
}

/// A record as FHIR, not stored.
pub struct Preview {
    /// A transaction Bundle in JSON.
    pub bundle: Vec<u8>,
    pub warnings: Vec<Fault>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordOutcome {
    Created,
    Updated,
    /// The same revision with the same content was there already, or it was withdrawn before.
    Unchanged,
    /// Its sender took it back.
    Withdrawn,
}

/// The answer to a stored record.
#[derive(Debug, Clone)]
pub struct Receipt {
    pub kind: Kind,
    pub system: String,
    pub record_id: String,
    pub revision: String,
    pub outcome: RecordOutcome,
    /// `Patient.id` and `EpisodeOfCare.id`.
    pub patient_id: String,
    pub course_id: String,
    /// Every resource of the record, then those that it no longer holds, then the course and the plan that it changes.
    pub resources: Vec<WrittenResource>,
    pub warnings: Vec<Fault>,
    /// What the safety rules say of it.
    pub remarks: Vec<Remark>,
}

/// A record rebuilt from FHIR.
#[derive(Debug, Clone)]
pub struct Rebuilt {
    pub record: Value,
    pub revision: String,
    /// Microseconds since 1970-01-01T00:00:00Z: when its newest resource was written.
    pub last_updated: i64,
}

/// The pipeline with what it needs.
pub struct Gateway {
    pub contract: Contract,
    pub door: Door,
    /// What full URLs start with, for example `http://127.0.0.1:8080/fhir`.
    pub base: String,
    pub rules: Rules,
    pub parameters: Parameters,
}

/// When the safety rules look at a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judging {
    /// Before it is stored, with what is stored already; what they find is stored with it.
    Now,
    /// The caller judges the patient afterwards: `Gateway::judge`.
    Later,
}

/// A record that was read, checked and parsed.
struct Accepted<T> {
    record: Record,
    /// What the caller wanted to know of the record before it was parsed.
    seen: T,
    warnings: Vec<Fault>,
}

/// Check and parse: what storing and trying out have in common.
fn accept<T>(
    contract: &Contract,
    kind: Kind,
    body: &[u8],
    record_id: Option<&str>,
    look: impl FnOnce(&Value) -> T,
) -> Result<Accepted<T>, IngestError> {
    let value = json::read_strict(body).map_err(IngestError::Unreadable)?;
    let faults = check::check(contract, kind, &value, record_id);
    if !faults.errors.is_empty() {
        return Err(IngestError::Refused(faults));
    }
    let seen = look(&value);
    let record = Record::from_value(kind, value)
        .map_err(|_| IngestError::Internal("the contract and the record types disagree"))?;
    Ok(Accepted { record, seen, warnings: faults.warnings })
}

/// Maps a record to a transaction Bundle; nothing is stored.
pub fn preview(contract: &Contract, base: &str, kind: Kind, body: &[u8]) -> Result<Preview, IngestError> {
    let Accepted { record, mut warnings, .. } = accept(contract, kind, body, None, |_| ())?;
    let mapped = mapping::map(&record, None, contract.instruments());
    warnings.extend(notices(&mapped));
    // What the record amends goes along, as far as it knows it, in place of what it only names.
    let is_amended = |entry: &Entry| mapped.amendments.iter().any(|amended| amended.id == entry.id);
    let entries: Vec<&Entry> =
        mapped.entries.iter().filter(|entry| !is_amended(entry)).chain(&mapped.amendments).collect();
    let entries = entries.iter().map(|entry| TransactionEntry {
        resource_type: entry.resource_type,
        id: &entry.id,
        resource: &entry.resource,
        create_unless_found: entry.shared.as_ref().map(|(system, value)| (system.as_str(), value.as_str())),
    });
    let bundle =
        transaction(base, entries).map_err(|_| IngestError::Internal("a mapped resource cannot be written"))?;
    Ok(Preview { bundle, warnings })
}

/// What the mapping has to say, as warnings.
fn notices(mapped: &Mapped) -> impl Iterator<Item = Fault> {
    mapped
        .notices
        .iter()
        .map(|notice| Fault::warning(FaultKind::Value, notice.pointer.clone(), notice.sentence.clone()))
}

fn write(resource: &Resource) -> Result<Vec<u8>, IngestError> {
    codec::to_json(resource).map_err(|_| IngestError::Internal("a mapped resource cannot be written"))
}

impl Gateway {
    pub fn preview(&self, kind: Kind, body: &[u8]) -> Result<Preview, IngestError> {
        preview(&self.contract, &self.base, kind, body)
    }

    /// What the safety rules would say of a record beside what is stored; nothing is stored.
    pub async fn remarks_on(&self, sight: &Sight, kind: Kind, body: &[u8]) -> Result<Vec<Remark>, IngestError> {
        let Accepted { record, .. } = accept(&self.contract, kind, body, None, |_| ())?;
        let mapped = mapping::map(&record, self.known_patient(&record).await?, self.contract.instruments());
        let remarks = self.judge_with(&mapped.patient_id, self.writes(&mapped)?.iter()).await?.remarks;
        self.seen_remarks(sight, remarks).await
    }

    /// The pipeline: check, parse, map, store, answer. `record_id` is what the path says, where it says one.
    pub async fn ingest(&self, kind: Kind, body: &[u8], record_id: Option<&str>) -> Result<Receipt, IngestError> {
        self.ingest_judging(kind, body, record_id, Judging::Now).await
    }

    /// The same, with or without the safety rules.
    pub async fn ingest_judging(
        &self,
        kind: Kind,
        body: &[u8],
        record_id: Option<&str>,
        judging: Judging,
    ) -> Result<Receipt, IngestError> {
        let manner = Manner { judging, sight: self.inside().clone(), once: None };
        match self.ingest_for(kind, body, record_id, &manner).await? {
            Ingested::Now(receipt) => Ok(*receipt),
            Ingested::Before(_) => Err(IngestError::Internal("a record without a key was answered before")),
        }
    }

    /// The same for somebody, who may have given it a key.
    pub async fn ingest_for(
        &self,
        kind: Kind,
        body: &[u8],
        record_id: Option<&str>,
        manner: &Manner,
    ) -> Result<Ingested, IngestError> {
        let (judging, once) = (manner.judging, manner.once.as_ref());
        self.load_parameters().await?;
        let look = |value: &Value| (digest(value), baselines::claims(value));
        let accepted = accept(&self.contract, kind, body, record_id, look)?;
        let Accepted { record, seen: (digest, claims), mut warnings } = accepted;
        let mut mapped = mapping::map(&record, self.known_patient(&record).await?, self.contract.instruments());
        warnings.extend(notices(&mapped));
        let (foreign, stands) = self.foreign_course(&mapped).await?;
        warnings.extend(foreign);
        if !stands {
            warnings.extend(self.notice_of_revival(&mapped).await?);
        }
        warnings.extend(self.compared(&manner.sight, &claims, &mapped.patient_id).await?);
        self.keep_labels(kind, &record, &mut mapped).await?;
        let source = record.header().source;
        self.keep_links(&mut mapped, &mapping::source_prefix(kind, &source.system, &source.record_id)).await?;
        let key = RecordKey {
            kind: kind.as_str().to_owned(),
            system: source.system.clone(),
            record_id: source.record_id.clone(),
        };
        let mut written = Some(self.writes(&mapped)?);
        let receipt = |outcome, resources, remarks: Vec<Remark>| Receipt {
            kind,
            system: key.system.clone(),
            record_id: key.record_id.clone(),
            revision: source.revision.text(),
            outcome,
            patient_id: mapped.patient_id.clone(),
            course_id: mapped.course_id.clone(),
            resources,
            warnings: warnings.clone(),
            remarks,
        };
        let mut held = match judging {
            Judging::Now => Some(self.hold(&mapped.patient_id).await?),
            Judging::Later => None,
        };
        for _ in 0..ATTEMPTS {
            // Another attempt is rare, a copy of all index rows is dear: then they are made again.
            let mut writes = match written.take() {
                Some(writes) => writes,
                None => self.writes(&mapped)?,
            };
            let stored = self.stored(&key).await?;
            let outcome = match &stored {
                None => RecordOutcome::Created,
                Some(stored) => revise(stored, &source.revision, digest)?,
            };
            if let (RecordOutcome::Unchanged, Some(stored)) = (outcome, &stored) {
                let resources = stored.resources.iter().map(unchanged).collect();
                let remarks = match judging {
                    Judging::Now => self.judge_with(&mapped.patient_id, writes.iter()).await?.remarks,
                    Judging::Later => Vec::new(),
                };
                let remarks = self.seen_remarks(&manner.sight, remarks).await?;
                return self.settled(receipt(outcome, resources, remarks), once).await;
            }
            let former = stored.as_ref().and_then(|stored| shared::former(stored, &mapped));
            self.take_back_descriptions(kind, &key, stored.as_ref(), &mut writes).await?;
            let mut retractions = self.retractions(kind, &key, stored.as_ref(), &mapped).await?;
            retractions.extend(self.course_states(kind, &key, stored.as_ref(), &mapped).await?);
            if let (Some([patient, course]), Some(stored)) = (&former, &stored) {
                self.take_back_with(&mut retractions, kind, stored, [patient, course]).await?;
            }
            if !stands {
                retractions.extend(self.revivals(&mapped, &retractions).await?);
            }
            let own = writes.len() + retractions.len();
            let mut remarks = Vec::new();
            if judging == Judging::Now {
                let judged = self.judge_with(&mapped.patient_id, writes.iter().chain(&retractions)).await?;
                remarks = self.seen_remarks(&manner.sight, judged.remarks).await?;
                // Written with the record, but none of its resources.
                retractions.extend(judged.writes);
            }
            let commit = RecordWrite {
                key: key.clone(),
                revision: source.revision.text(),
                digest,
                based_on: stored.as_ref().map(|stored| stored.revision.clone()),
                retractions,
                writes,
            };
            let receipt = receipt(outcome, Vec::new(), remarks);
            if let Some(ingested) = self.settle(commit, own, receipt, once).await? {
                // Two patients may share a lock.
                drop(held.take());
                self.judge_former(former, &mapped.patient_id).await;
                return Ok(ingested);
            }
        }
        Err(IngestError::Contended)
    }

    /// What the pipeline itself may see: everything.
    fn inside(&self) -> &Sight {
        self.door.own_sight()
    }

    async fn stored(&self, key: &RecordKey) -> Result<Option<StoredRecord>, IngestError> {
        let mut found = self.inside().records(&key.kind, &key.record_id, Some(&key.system)).await?;
        Ok(found.pop())
    }

    fn writes(&self, mapped: &Mapped) -> Result<Vec<Write>, IngestError> {
        mapped
            .entries
            .iter()
            .map(|entry| {
                let mode = if entry.shared.is_some() { WriteMode::CreateIfAbsent } else { WriteMode::Put };
                self.write(entry.resource_type, &entry.id, &entry.resource, mode, &mapped.patient_id)
            })
            .collect()
    }

    fn write(
        &self,
        resource_type: &str,
        id: &str,
        resource: &Resource,
        mode: WriteMode,
        patient_id: &str,
    ) -> Result<Write, IngestError> {
        let body = write(resource)?;
        let index = search::extract(resource_type, &body)
            .map_err(|_| IngestError::Internal("a written resource is not JSON"))?;
        Ok(Write {
            resource_type: resource_type.to_owned(),
            id: id.to_owned(),
            body: Bytes::from(body),
            mode,
            patient: shared::compartment(resource_type, id, &index, patient_id),
            index,
        })
    }

    /// The resources that the record owned and no longer holds, marked as entered in error. What another record has
    /// described since is that record's.
    async fn retractions(
        &self,
        kind: Kind,
        key: &RecordKey,
        stored: Option<&StoredRecord>,
        mapped: &Mapped,
    ) -> Result<Vec<Write>, IngestError> {
        let Some(stored) = stored else { return Ok(Vec::new()) };
        let prefix = mapping::source_prefix(kind, &key.system, &key.record_id);
        let mut found = Vec::new();
        for old in &stored.resources {
            let kept = mapped.entries.iter().any(|new| new.id == old.id && new.resource_type == old.resource_type);
            if !kept {
                found.extend(self.retracted(old, &prefix, &mapped.patient_id).await?);
            }
        }
        Ok(found)
    }

    /// A record as its sender sent it, rebuilt from FHIR. `system` is needed where more than one uses the id.
    pub async fn record(
        &self,
        sight: &Sight,
        kind: Kind,
        record_id: &str,
        system: Option<&str>,
    ) -> Result<Rebuilt, IngestError> {
        let stored = self.one_record(sight, kind, record_id, system).await?;
        if withdrawal::is_withdrawn(&stored) {
            return Err(IngestError::Withdrawn { revision: stored.revision });
        }
        let resources = stored.resources.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let instruments = self.contract.instruments();
        let record = mapping::rebuild(kind, &stored.key.system, record_id, &resources, instruments)?;
        let record = record.to_value().map_err(|_| IngestError::Internal("a rebuilt record cannot be written"))?;
        let last_updated = stored.resources.iter().map(|resource| resource.last_updated).max().unwrap_or_default();
        Ok(Rebuilt { record, revision: stored.revision, last_updated })
    }

    /// The instruments in short, as the API shows them.
    pub fn instruments(&self) -> Value {
        self.contract.instruments().list()
    }

    /// An instrument whole, by its key or by that of one of its scales.
    pub fn instrument(&self, key: &str) -> Option<Value> {
        self.contract.instruments().show(key)
    }
}

fn parse(stored: &StoredResource) -> Result<Resource, IngestError> {
    codec::from_json(&stored.body).map_err(|_| IngestError::Internal("a stored resource cannot be read"))
}

fn unchanged(stored: &StoredResource) -> WrittenResource {
    WrittenResource {
        resource_type: stored.resource_type.clone(),
        id: stored.id.clone(),
        version_id: stored.version_id,
        outcome: WriteOutcome::Unchanged,
    }
}

/// Mapping specification D-01.
fn revise(stored: &StoredRecord, revision: &Revision, digest: [u8; 32]) -> Result<RecordOutcome, IngestError> {
    match revision.compare(&Revision::from_text(&stored.revision)) {
        Some(Ordering::Greater) => Ok(RecordOutcome::Updated),
        Some(Ordering::Equal) if withdrawal::is_withdrawn(stored) => {
            Err(IngestError::Withdrawn { revision: stored.revision.clone() })
        }
        Some(Ordering::Equal) if stored.digest == digest => Ok(RecordOutcome::Unchanged),
        Some(Ordering::Equal) => Err(IngestError::Conflicting { revision: stored.revision.clone() }),
        Some(Ordering::Less) => Err(IngestError::Stale { stored: stored.revision.clone() }),
        None => Err(IngestError::Incomparable { stored: stored.revision.clone() }),
    }
}
