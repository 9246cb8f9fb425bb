//! The pipeline: a record that its sender takes back. Its resources become `entered-in-error`, or the nearest that their
//! type has; they stay readable with their history and leave timelines and rules. Mapping specification D-02.

use super::{ATTEMPTS, Gateway, IngestError, Mapped, Receipt, RecordOutcome, parse, unchanged};
use crate::consent::Sight;
use crate::fhir::build;
use crate::fhir::model::Resource;
use crate::fhir::model::resources::Provenance;
use crate::fhir::resource::{Emitted, identify};
use crate::kap::kind::Kind;
use crate::kap::records::withdrawal::Withdrawal;
use crate::mapping::course::view::View;
use crate::mapping::withdrawal::{self, RecordName};
use crate::mapping::{self, course_state, patient_link, retraction};
use crate::store::{Committed, RecordKey, RecordWrite, StoredRecord, StoredResource, Write, WriteMode};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// The digest of a record that was withdrawn: no content has it.
pub(super) const WITHDRAWN: [u8; 32] = [0; 32];

/// Was the record withdrawn, and not sent anew since?
pub(super) fn is_withdrawn(stored: &StoredRecord) -> bool {
    stored.digest == WITHDRAWN
}

impl Gateway {
    /// Withdraws a record. `system` is needed where more than one uses the id. Withdrawn twice changes nothing.
    pub async fn withdraw(
        &self,
        sight: &Sight,
        kind: Kind,
        record_id: &str,
        system: Option<&str>,
        body: &[u8],
    ) -> Result<Receipt, IngestError> {
        let withdrawal = Withdrawal::parse(body).map_err(super::merge::not_one)?;
        for _ in 0..ATTEMPTS {
            let stored = self.one_record(sight, kind, record_id, system).await?;
            let name = RecordName { kind, system: &stored.key.system, record_id };
            let own = self.own_provenance(&stored, name).await?;
            let (patient_id, course_id) = withdrawal::patient_and_course(&own)
                .ok_or(IngestError::Internal("a record's Provenance names no patient"))?;
            let receipt = |outcome, resources, remarks| Receipt {
                kind,
                system: stored.key.system.clone(),
                record_id: record_id.to_owned(),
                revision: stored.revision.clone(),
                outcome,
                patient_id: patient_id.clone(),
                course_id: course_id.clone(),
                resources,
                warnings: Vec::new(),
                remarks,
            };
            if is_withdrawn(&stored) {
                let resources = stored.resources.iter().map(unchanged).collect();
                return Ok(receipt(RecordOutcome::Unchanged, resources, Vec::new()));
            }
            let _held = self.hold(&patient_id).await?;
            if is_withdrawn(&self.one_record(sight, kind, record_id, system).await?) {
                // Somebody else was faster.
                continue;
            }
            let mut retractions = self.taken_back(kind, &stored, &patient_id, &course_id).await?;
            let targets = retractions.iter().map(|write| build::reference(&write.resource_type, &write.id)).collect();
            let mapped = Mapped {
                entries: Vec::new(),
                amendments: Vec::new(),
                notices: Vec::new(),
                patient_id: patient_id.clone(),
                course_id: course_id.clone(),
            };
            if kind == Kind::CourseClosure {
                // What it said of the course is unsaid.
                retractions.extend(self.course_states(kind, &stored.key, Some(&stored), &mapped).await?);
            }
            self.take_back_with(&mut retractions, kind, &stored, [&patient_id, &course_id]).await?;
            let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let (id, resource) = withdrawal::provenance(name, &withdrawal, &own, targets, &at);
            let provenance = self.write(Provenance::TYPE, &id, &resource, WriteMode::Put, &patient_id)?;
            let own_writes = retractions.len() + 1;
            let all = retractions.iter().chain([&provenance]);
            let judged = self.judge_with(&patient_id, all).await?;
            let remarks = self.seen_remarks(sight, judged.remarks).await?;
            retractions.extend(judged.writes);
            let commit = RecordWrite {
                key: stored.key.clone(),
                revision: stored.revision.clone(),
                digest: WITHDRAWN,
                based_on: Some(stored.revision.clone()),
                writes: vec![provenance],
                retractions,
            };
            match self.door.commit(commit).await? {
                Committed::Stored(mut resources) => {
                    resources.truncate(own_writes);
                    return Ok(receipt(RecordOutcome::Withdrawn, resources, remarks));
                }
                Committed::Superseded => {}
            }
        }
        Err(IngestError::Contended)
    }

    pub(super) async fn one_record(
        &self,
        sight: &Sight,
        kind: Kind,
        record_id: &str,
        system: Option<&str>,
    ) -> Result<StoredRecord, IngestError> {
        let mut found = sight.records(kind.as_str(), record_id, system).await?;
        if found.len() > 1 {
            let systems = found.into_iter().map(|record| record.key.system).collect();
            return Err(IngestError::Ambiguous { systems });
        }
        found.pop().ok_or(IngestError::UnknownRecord)
    }

    /// What the record says of itself; of one that was withdrawn too.
    async fn own_provenance(&self, stored: &StoredRecord, name: RecordName<'_>) -> Result<Provenance, IngestError> {
        let id = withdrawal::own_id(name);
        let listed = stored.resources.iter().find(|own| own.id == id).cloned();
        let found = match listed {
            Some(listed) => Some(listed),
            None => self.inside().read(Provenance::TYPE, &id).await?,
        };
        let found = parse(&found.ok_or(IngestError::Internal("a record has no Provenance"))?)?;
        Provenance::from_resource(&found).cloned().ok_or(IngestError::Internal("a record has no Provenance"))
    }

    /// The record's resources, retracted. Who people and organizations are stays as it was said, and so do patient and
    /// course as long as another record speaks of them.
    async fn taken_back(
        &self,
        kind: Kind,
        stored: &StoredRecord,
        patient_id: &str,
        course_id: &str,
    ) -> Result<Vec<Write>, IngestError> {
        let RecordKey { system, record_id, .. } = &stored.key;
        let prefix = mapping::source_prefix(kind, system, record_id);
        let others = self.other_courses(patient_id, &prefix).await?;
        let mut found = Vec::new();
        for old in &stored.resources {
            let stays = match old.resource_type.as_str() {
                "Provenance" | "Practitioner" | "PractitionerRole" | "Organization" => true,
                "Patient" => !others.is_empty(),
                "EpisodeOfCare" => others.contains(course_id),
                _ => false,
            };
            if stays {
                continue;
            }
            found.extend(self.retracted(old, &prefix, patient_id).await?);
        }
        Ok(found)
    }

    /// A resource of a record, retracted; `None` where another record has described it since.
    pub(super) async fn retracted(
        &self,
        old: &StoredResource,
        prefix: &str,
        patient_id: &str,
    ) -> Result<Option<Write>, IngestError> {
        let Some(current) = self.inside().read(&old.resource_type, &old.id).await? else {
            return Ok(None);
        };
        let mut resource = parse(&current)?;
        if course_state::is_amended(identify(&resource).and_then(|(_, _, meta)| meta)) {
            // What a closure says of it goes with it.
            resource = parse(old)?;
        }
        let is_replaced = matches!(&resource, Resource::Patient(patient) if patient_link::is_replaced(patient));
        if is_replaced || !mapping::is_owned(&resource, prefix) {
            // Who was merged is no error: the link says who it is.
            return Ok(None);
        }
        retraction::unversion(&mut resource);
        let is_withdrawal = withdrawal::is_one(&resource);
        let resource = if is_withdrawal { withdrawal::void(resource) } else { retraction::retract(resource) };
        self.write(&old.resource_type, &old.id, &resource, WriteMode::Put, patient_id).map(Some)
    }

    /// `EpisodeOfCare.id` of the courses of which other records that stand speak. None: no other record stands.
    pub(super) async fn other_courses(&self, patient_id: &str, prefix: &str) -> Result<BTreeSet<String>, IngestError> {
        let all = self.inside().compartment(patient_id).await?.resources;
        let provenances = all.iter().filter(|stored| stored.resource_type == Provenance::TYPE);
        let provenances: Vec<serde_json::Value> =
            provenances.map(super::timeline::json).collect::<Result<_, IngestError>>()?;
        let views = || provenances.iter().map(View);
        let withdrawn = crate::mapping::course::withdrawn(views());
        let course = |found: View<'_>| {
            let source = found.text("meta.source").unwrap_or_default();
            let is_other = !source.starts_with(prefix) && !withdrawn.contains(&found.reference());
            let course = found.extension("kap-course").filter(|_| is_other)?;
            Some(course.target("valueReference.reference")?.strip_prefix("EpisodeOfCare/")?.to_owned())
        };
        Ok(views().filter_map(course).collect())
    }
}
