//! The pipeline: a merge that was wrong. The two patients become two again, and the records that came since and say that
//! they are the other's go to the other, with everything that they made. Mapping specification D-02.
//!
//! First the records are moved, while the two are still read as one; then the link is taken away, in one transaction with
//! the Provenance. Asked for again after an interruption, it goes on where it ended.

use super::merge::{Identified, not_one, refused};
use super::timeline::json;
use super::withdrawal::is_withdrawn;
use super::{Gateway, IngestError, parse};
use crate::consent::Sight;
use crate::fhir::build;
use crate::fhir::model::resources::Provenance;
use crate::fhir::model::types::Reference;
use crate::fhir::patient_link::{REPLACED_BY, REPLACES, linked};
use crate::fhir::resource::Emitted;
use crate::kap::kind::Kind;
use crate::kap::records::Record;
use crate::kap::records::patient_merge::{MergeWay, PatientMerge};
use crate::mapping::course::view::View;
use crate::mapping::patient_link::{self, Number, numbers};
use crate::mapping::{self, course, is_owned};
use crate::store::transaction::{Action, Change, Expected, Transacted, Transaction};
use crate::store::{Committed, RecordKey, RecordWrite, StoredRecord, StoredResource, Write, WriteMode};
use serde_json::Value;
use std::collections::BTreeSet;

/// Versions that are read at one time.
const STEP: usize = 100;
/// Resources that the answer names one by one.
const MOST_NAMED: usize = 100;

/// What became of the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmerged {
    /// `Patient.id`.
    pub survivor: String,
    pub merged: String,
    /// They were two already, and nothing was left to move.
    pub is_unchanged: bool,
    /// Records that had come since the merge and are the other patient's by their own word.
    pub records: Vec<RecordKey>,
    /// What clients wrote about the survivor while the two were one: whose it is nobody can tell but they. The first of
    /// them, as `Type/id`, and how many there are.
    pub undecided: Vec<String>,
    pub undecided_total: usize,
    /// `Provenance.id` of what was done.
    pub provenance: Option<String>,
}

/// A patient before and since a merge.
struct Past {
    /// The newest version before the link.
    before: Value,
    /// When the link came, in microseconds since 1970-01-01T00:00:00Z.
    since: i64,
}

/// A record that stands, and what it is.
struct Standing {
    stored: StoredRecord,
    kind: Kind,
    record: Record,
}

impl Gateway {
    /// Undoes a merge. Undone twice changes nothing.
    pub async fn unmerge_patients(&self, sight: &Sight, body: &[u8]) -> Result<Unmerged, IngestError> {
        let request = PatientMerge::parse(body, MergeWay::Undo).map_err(not_one)?;
        let Identified { own: survivor, survivor: last } =
            self.identified(sight, &request.survivor, "survivor").await?;
        let Identified { own: merged, .. } = self.identified(sight, &request.merged, "merged").await?;
        if survivor == merged {
            let sentence = "Both identifiers are those of one patient, who was not merged with another.";
            return Err(refused("/merged/identifier", sentence));
        }
        if survivor != last {
            let sentence = "The survivor was itself merged into another patient since: undo that merge first.";
            return Err(refused("/survivor/identifier", sentence));
        }
        let held = self.hold(&survivor).await?;
        let (one, other) = (self.patient(&survivor).await?, self.patient(&merged).await?);
        let now = patient_link::replaced_by(&View(&json(&other)?));
        if now.as_ref().is_some_and(|now| *now != survivor) {
            let sentence = "This patient was merged into another than the one who is named as the survivor.";
            return Err(refused("/survivor/identifier", sentence));
        }
        let (Some(of_one), Some(of_other)) =
            (self.past(&one, REPLACES, &merged).await?, self.past(&other, REPLACED_BY, &survivor).await?)
        else {
            let sentence = "There is no merge of these two to undo: neither of them was stored before it, or they were \
                            never merged. What Patient.link says is then corrected by hand.";
            return Err(refused("/merged/identifier", sentence));
        };
        // The numbers that name the merged one alone.
        let of_merged = numbers(&json(&other)?);
        let taken: BTreeSet<Number> = of_merged.difference(&numbers(&of_one.before)).cloned().collect();
        let kept: BTreeSet<Number> =
            numbers(&json(&one)?).difference(&of_merged).cloned().chain(numbers(&of_one.before)).collect();
        let standing = self.records_of(sight, &survivor, &taken, &kept).await?;
        let described = self.described(&one, &standing).await?;
        let mut moved = Vec::new();
        for record in &standing {
            moved.extend(self.moved(record, &survivor, &merged).await?);
        }
        let is_unchanged = now.is_none() && standing.is_empty();
        let mut records = Vec::new();
        for key in standing.into_iter().map(|own| own.stored.key) {
            if self.is_seen(sight, &key).await? {
                records.push(key);
            }
        }
        let mut unmerged = Unmerged {
            survivor: survivor.clone(),
            merged: merged.clone(),
            is_unchanged,
            records,
            undecided: Vec::new(),
            undecided_total: 0,
            provenance: None,
        };
        if !unmerged.is_unchanged {
            let (one, other) = (self.patient(&survivor).await?, self.patient(&merged).await?);
            let active = of_other.before.get("active");
            let bodies = patient_link::unmerge(&json(&one)?, &described, json(&other)?, &taken, active)
                .ok_or(IngestError::Internal("a stored patient is no object"))?;
            let provenance = self.provenance_of(MergeWay::Undo, &request, [&one, &other], moved)?;
            unmerged.provenance = Some(provenance.id.clone());
            self.write_both([one, other], bodies, provenance).await?;
        }
        if now.is_some() {
            let undecided = self.written_since(sight, &survivor, of_one.since).await?;
            unmerged.undecided_total = undecided.len();
            unmerged.undecided = undecided.into_iter().take(MOST_NAMED).collect();
        }
        drop(held);
        if !unmerged.is_unchanged {
            for patient in [&survivor, &merged] {
                self.judge(patient, super::Occasion::Written).await?;
            }
        }
        Ok(unmerged)
    }

    /// A patient before a link to another was there. `None`: it never was, or there is no version before it.
    async fn past(&self, stored: &StoredResource, link: &str, other: &str) -> Result<Option<Past>, IngestError> {
        let (mut since, mut before) = (None, None);
        loop {
            let versions = self.inside().history("Patient", &stored.id, STEP, before).await?;
            for version in versions.iter().filter(|version| !version.is_deletion()) {
                let patient = json(version)?;
                let is_linked = linked(&patient, link).any(|id| id == other);
                match (is_linked, since) {
                    (true, _) => since = Some(version.last_updated),
                    (false, Some(since)) => return Ok(Some(Past { before: patient, since })),
                    (false, None) => {}
                }
            }
            before = versions.last().map(|oldest| oldest.version_id);
            if before.is_none() {
                return Ok(None);
            }
        }
    }

    /// The records that stand in a patient's compartment and name the patient by one of these numbers. One that names the
    /// patient by a number that is kept too says that the two are one, and forbids to part them.
    async fn records_of(
        &self,
        sight: &Sight,
        patient: &str,
        taken: &BTreeSet<Number>,
        kept: &BTreeSet<Number>,
    ) -> Result<Vec<Standing>, IngestError> {
        let mut found = Vec::new();
        let (mut is_refused, mut against) = (false, Vec::new());
        for stored in self.inside().compartment(patient).await?.resources {
            if stored.resource_type != Provenance::TYPE {
                continue;
            }
            let Some((kind, system, record_id)) = record_name(&View(&json(&stored)?)) else { continue };
            for stored in self.inside().records(kind.as_str(), &record_id, Some(&system)).await? {
                if is_withdrawn(&stored) {
                    continue;
                }
                let resources = stored.resources.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
                let record = mapping::rebuild(kind, &system, &record_id, &resources, self.contract.instruments())?;
                let named: BTreeSet<Number> = record
                    .patient_identifiers()
                    .into_iter()
                    .map(|own| (own.system.to_owned(), own.value.to_owned()))
                    .collect();
                match (named.is_disjoint(taken), named.is_disjoint(kept)) {
                    (true, _) => {}
                    (false, true) => found.push(Standing { stored, kind, record }),
                    (false, false) => {
                        is_refused = true;
                        if self.is_seen(sight, &stored.key).await? {
                            against.push(format!("{} {record_id} of {system}", kind.as_str()));
                        }
                    }
                }
            }
        }
        if !is_refused {
            return Ok(found);
        }
        against.sort();
        // What is withheld has no name.
        let named = if against.is_empty() { String::new() } else { format!(": {}", against.join(", ")) };
        let sentence = format!(
            "Records that stand say themselves that the two are one, for they give identifiers of both{named}. Correct or \
             withdraw them first."
        );
        Err(refused("/merged/identifier", sentence))
    }

    async fn is_seen(&self, sight: &Sight, key: &RecordKey) -> Result<bool, IngestError> {
        Ok(!sight.records(&key.kind, &key.record_id, Some(&key.system)).await?.is_empty())
    }

    /// The survivor as described by those whose records stay: one of the records that go may have described it since. It is
    /// stored before they go, for what they describe goes with them.
    async fn described(&self, survivor: &StoredResource, going: &[Standing]) -> Result<Value, IngestError> {
        let prefix =
            |own: &Standing| mapping::source_prefix(own.kind, &own.stored.key.system, &own.stored.key.record_id);
        let prefixes: Vec<String> = going.iter().map(prefix).collect();
        let goes = |resource: &crate::fhir::model::Resource| prefixes.iter().any(|prefix| is_owned(resource, prefix));
        if !goes(&parse(survivor)?) {
            return json(survivor);
        }
        let mut before = None;
        loop {
            let versions = self.inside().history("Patient", &survivor.id, STEP, before).await?;
            for version in versions.iter().filter(|version| !version.is_deletion()) {
                if goes(&parse(version)?) {
                    continue;
                }
                let described = json(version)?;
                let mut body = described.clone();
                for name in ["link", "identifier"] {
                    body[name] = json(survivor)?[name].take();
                }
                if let Some(meta) = body["meta"].as_object_mut() {
                    meta.shift_remove("versionId");
                    meta.shift_remove("lastUpdated");
                }
                let write = self.rewritten(survivor, &body, &survivor.id)?;
                let change = Change { action: Action::Put(write), expected: Expected::Version(survivor.version_id) };
                let transaction = Transaction { changes: vec![change], ..Transaction::default() };
                return match self.door.transact(transaction).await? {
                    Transacted::Done(_) => Ok(described),
                    Transacted::Superseded | Transacted::Refused(_) => Err(IngestError::Contended),
                };
            }
            before = versions.last().map(|oldest| oldest.version_id);
            if before.is_none() {
                return Err(IngestError::Internal("nobody but the merged patient's records described the survivor"));
            }
        }
    }

    /// A record as the other patient's, in the same revision: what it made stays, and is about another. Returns what was
    /// changed.
    async fn moved(&self, own: &Standing, from: &str, to: &str) -> Result<Vec<Reference>, IngestError> {
        let (kind, key) = (own.kind, &own.stored.key);
        let mut mapped = mapping::map(&own.record, Some(to.to_owned()), self.contract.instruments());
        self.keep_labels(kind, &own.record, &mut mapped).await?;
        self.keep_links(&mut mapped, &mapping::source_prefix(kind, &key.system, &key.record_id)).await?;
        let writes = self.writes(&mapped)?;
        let mut retractions = self.retractions(kind, key, Some(&own.stored), &mapped).await?;
        let states = self.course_states(kind, key, Some(&own.stored), &mapped).await?;
        // A course that nobody described is whose the records say.
        for named in writes.iter().filter(|write| write.resource_type == "EpisodeOfCare") {
            if named.mode == WriteMode::CreateIfAbsent && !states.iter().any(|state| state.id == named.id) {
                retractions.extend(self.course_of_another(&named.id, from, to).await?);
            }
        }
        retractions.extend(states);
        let changed: Vec<Reference> = writes
            .iter()
            .filter(|write| write.mode == WriteMode::Put)
            .chain(&retractions)
            .map(|write| build::reference(&write.resource_type, &write.id))
            .collect();
        let commit = RecordWrite {
            key: key.clone(),
            revision: own.stored.revision.clone(),
            digest: own.stored.digest,
            based_on: Some(own.stored.revision.clone()),
            writes,
            retractions,
        };
        match self.door.commit(commit).await? {
            Committed::Stored(_) => Ok(changed),
            Committed::Superseded => Err(IngestError::Contended),
        }
    }

    /// A course that is stored as one patient's, as the other's: only where records merely named it.
    async fn course_of_another(&self, id: &str, from: &str, to: &str) -> Result<Option<Write>, IngestError> {
        let Some(stored) = self.inside().read("EpisodeOfCare", id).await? else { return Ok(None) };
        let mut course = json(&stored)?;
        let is_described = course["meta"]["source"].as_str().is_some_and(|source| source.contains("#intake/"));
        if is_described || course::patient_id(&course).as_deref() != Some(from) {
            return Ok(None);
        }
        course["patient"]["reference"] = format!("Patient/{to}").into();
        if let Some(meta) = course["meta"].as_object_mut() {
            meta.shift_remove("versionId");
            meta.shift_remove("lastUpdated");
        }
        self.rewritten(&stored, &course, to).map(Some)
    }

    /// What clients wrote about a patient since then and can be seen, as `Type/id`.
    async fn written_since(&self, sight: &Sight, patient: &str, since: i64) -> Result<Vec<String>, IngestError> {
        let mut found = sight.compartment(patient).await?.resources;
        found.retain(|row| row.last_updated >= since && row.resource_type != "Patient");
        let made_by = sight.made_by(&found).await?;
        let by_clients = found.iter().zip(made_by).filter(|(_, made_by)| made_by.is_some());
        Ok(by_clients.map(|(row, _)| format!("{}/{}", row.resource_type, row.id)).collect())
    }
}

/// Kind, system and record id of the record whose own Provenance this is.
fn record_name(provenance: &View<'_>) -> Option<(Kind, String, String)> {
    provenance.extension("kap-course")?;
    let kind = Kind::from_word(provenance.text("entity.what.display")?)?;
    let identifier = provenance.at("entity.what.identifier")?;
    Some((kind, identifier.text("system")?.to_owned(), identifier.text("value")?.to_owned()))
}
