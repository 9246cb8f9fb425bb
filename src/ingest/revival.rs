//! The pipeline: patient and course stand as long as a record speaks of them. With the last that is withdrawn they go; with
//! the next that comes they stand again, as they were described before. So it does not matter in which order records come
//! and go. Mapping specification D-02.

use super::{Gateway, IngestError, Mapped, parse};
use crate::fhir::model::Resource;
use crate::fhir::model::resources::{EpisodeOfCare, Patient};
use crate::fhir::model::types::Meta;
use crate::fhir::resource::{Emitted, identify};
use crate::kap::fault::{Fault, FaultKind};
use crate::kap::kind::Kind;
use crate::mapping::draft::Entry;
use crate::mapping::{self, patient_link, retraction};
use crate::store::{RecordKey, StoredRecord, Write, WriteMode};

/// Versions that are read at one time.
const STEP: usize = 100;

impl Gateway {
    /// Patient and course that the record only names and that were taken back, as they stood before. Not what `others` write
    /// already.
    pub(super) async fn revivals(&self, mapped: &Mapped, others: &[Write]) -> Result<Vec<Write>, IngestError> {
        let mut found = Vec::new();
        for entry in named(mapped) {
            if others.iter().any(|other| other.id == entry.id && other.resource_type == entry.resource_type) {
                continue;
            }
            if let Some(resource) = self.before_retraction(entry).await? {
                let write =
                    self.write(entry.resource_type, &entry.id, &resource, WriteMode::Put, &mapped.patient_id)?;
                found.push(write);
            }
        }
        Ok(found)
    }

    /// A notice that they stand again.
    pub(super) async fn notice_of_revival(&self, mapped: &Mapped) -> Result<Option<Fault>, IngestError> {
        for entry in named(mapped) {
            if self.before_retraction(entry).await?.is_some() {
                let sentence = "Patient or course had been taken back with the last record that spoke of them; this one does, \
                                so they stand again as they were described before.";
                return Ok(Some(Fault::warning(FaultKind::Invariant, "/course/identifier", sentence)));
            }
        }
        Ok(None)
    }

    /// `None`: it stands, or is not there. Where no version stood before, it is as the record names it.
    async fn before_retraction(&self, entry: &Entry) -> Result<Option<Resource>, IngestError> {
        let Some(current) = self.inside().read(entry.resource_type, &entry.id).await? else { return Ok(None) };
        if !retraction::is_retracted(&parse(&current)?) {
            return Ok(None);
        }
        let mut before = None;
        loop {
            let versions = self.inside().history(entry.resource_type, &entry.id, STEP, before).await?;
            for version in versions.iter().filter(|version| !version.is_deletion()) {
                let mut resource = parse(version)?;
                if !retraction::is_retracted(&resource) {
                    retraction::unversion(&mut resource);
                    return Ok(Some(resource));
                }
            }
            before = versions.last().map(|oldest| oldest.version_id);
            if before.is_none() {
                return Ok(Some(entry.resource.clone()));
            }
        }
    }

    /// Takes patient and course back with a record that no longer speaks of them, being withdrawn or corrected, where no other
    /// does: whoever had described them. Not a patient whom a client wrote, nor one who was merged.
    pub(super) async fn take_back_with(
        &self,
        retractions: &mut Vec<Write>,
        kind: Kind,
        stored: &StoredRecord,
        [patient_id, course_id]: [&str; 2],
    ) -> Result<(), IngestError> {
        let RecordKey { system, record_id, .. } = &stored.key;
        let others = self.other_courses(patient_id, &mapping::source_prefix(kind, system, record_id)).await?;
        let both = [
            (Patient::TYPE, patient_id, !others.is_empty()),
            (EpisodeOfCare::TYPE, course_id, others.contains(course_id)),
        ];
        for (resource_type, id, stays) in both {
            let place = retractions.iter().position(|write| write.id == id && write.resource_type == resource_type);
            if stays {
                // Others speak of it still; what this record alone said of it goes with the record.
                if let Some(place) = place {
                    let prefix = mapping::source_prefix(kind, system, record_id);
                    if let Some(write) = self.without_description(resource_type, id, &prefix, patient_id).await? {
                        retractions[place] = write;
                    }
                }
                continue;
            }
            let mut resource = match (place, self.inside().read(resource_type, id).await?) {
                // What its state would be without the record: nobody says anything of it.
                (Some(place), _) => crate::fhir::codec::from_json(&retractions[place].body)
                    .map_err(|_| IngestError::Internal("a retraction cannot be read"))?,
                (None, Some(current)) => parse(&current)?,
                (None, None) => continue,
            };
            let is_merged = matches!(&resource, Resource::Patient(patient) if patient_link::is_replaced(patient) || !patient.link.is_empty());
            if is_merged || retraction::is_retracted(&resource) || !is_of_records(&resource) {
                continue;
            }
            retraction::unversion(&mut resource);
            let write = self.write(resource_type, id, &retraction::retract(resource), WriteMode::Put, patient_id)?;
            match place {
                Some(place) => retractions[place] = write,
                None => retractions.push(write),
            }
        }
        Ok(())
    }

    /// Patient or course as it was before a record described it, or with no more than its identifiers.
    async fn without_description(
        &self,
        resource_type: &str,
        id: &str,
        prefix: &str,
        patient_id: &str,
    ) -> Result<Option<Write>, IngestError> {
        let Some(current) = self.inside().read(resource_type, id).await? else { return Ok(None) };
        let mut before = None;
        loop {
            let versions = self.inside().history(resource_type, id, STEP, before).await?;
            for version in versions.iter().filter(|version| !version.is_deletion()) {
                let mut resource = parse(version)?;
                if !mapping::is_owned(&resource, prefix) && !retraction::is_retracted(&resource) {
                    retraction::unversion(&mut resource);
                    return self.write(resource_type, id, &resource, WriteMode::Put, patient_id).map(Some);
                }
            }
            before = versions.last().map(|oldest| oldest.version_id);
            if before.is_none() {
                let bare = mapping::draft::bare(parse(&current)?);
                return self.write(resource_type, id, &bare, WriteMode::Put, patient_id).map(Some);
            }
        }
    }
}

/// Patient and course that the record does not describe.
fn named(mapped: &Mapped) -> impl Iterator<Item = &Entry> {
    mapped
        .entries
        .iter()
        .filter(|entry| entry.shared.is_some() && matches!(entry.resource_type, Patient::TYPE | EpisodeOfCare::TYPE))
}

/// Did a KAP record describe it, or name it first?
fn is_of_records(resource: &Resource) -> bool {
    let source = |meta: Option<&Meta>| meta.and_then(|meta| meta.source.as_ref()?.value.clone());
    let source = identify(resource).and_then(|(_, _, meta)| source(meta));
    let of_record = |source: &str| Kind::ALL.iter().any(|kind| source.contains(&format!("#{}/", kind.as_str())));
    match (source, resource) {
        (Some(source), _) => of_record(&source),
        // Named in passing: the name, or the state, is marked as not told.
        (None, Resource::Patient(patient)) => {
            patient.name.len() == 1 && patient.name.iter().all(|name| name.extension == [crate::fhir::build::unknown()])
        }
        (None, Resource::EpisodeOfCare(course)) => course.status.extension == [mapping::draft::from_record()],
        (None, _) => false,
    }
}
