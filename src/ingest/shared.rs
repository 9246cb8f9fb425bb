//! The pipeline: what several records speak of (the patient, the course, the practitioners), and what one record may
//! say of it when another has spoken before.

use super::timeline::json;
use super::{Gateway, IngestError, parse};
use crate::fhir::model::resources::Provenance;
use crate::fhir::resource::Emitted;
use crate::fhir::search::{self, IndexRow, IndexValue};
use crate::kap::fault::{Fault, FaultKind};
use crate::kap::kind::Kind;
use crate::kap::records::Record;
use crate::mapping::course::view::View;
use crate::mapping::{self, Mapped, course, patient_link};
use crate::store::{FilterValue, RecordKey, StoredRecord, StoredResource, Write, WriteMode};
use std::collections::BTreeSet;

impl Gateway {
    /// `Patient.id` of the patient, if one is stored under any identifier that the record gives: an intake may list
    /// several, and each system names the patient by its own. More than one: the one that the record's first
    /// identifier makes.
    pub(super) async fn known_patient(&self, record: &Record) -> Result<Option<String>, IngestError> {
        let identifiers = record.patient_identifiers().into_iter().map(|identifier| FilterValue::Token {
            system: Some(identifier.system.to_owned()),
            code: Some(identifier.value.to_owned()),
        });
        let mut survivors = BTreeSet::new();
        for patient in self.patients(self.inside(), identifiers.collect()).await? {
            // Who was merged is found under the survivor's id.
            let next = patient_link::replaced_by(&View(&json(&patient)?));
            survivors.insert(match next {
                Some(_) => self.survivor(&patient.id).await?,
                None => patient.id,
            });
        }
        Ok(if survivors.len() == 1 { survivors.pop_first() } else { None })
    }

    /// A warning where the course is stored as another patient's: its timeline will not show this record. And does the course
    /// stand? One that does not may have to be brought again (`revival`).
    pub(super) async fn foreign_course(&self, mapped: &Mapped) -> Result<(Option<Fault>, bool), IngestError> {
        let Some(stored) = self.inside().read("EpisodeOfCare", &mapped.course_id).await? else {
            return Ok((None, false));
        };
        let course = json(&stored)?;
        let stands = !View(&course).is_in_error();
        let is_own = match course::patient_id(&course) {
            Some(patient) if patient != mapped.patient_id => self.survivor(&patient).await? == mapped.patient_id,
            Some(_) => true,
            None => false,
        };
        let sentence = "Another record says that this course is another patient's: one of the two is wrong.";
        Ok(((!is_own).then(|| Fault::warning(FaultKind::Invariant, "/course/identifier", sentence)), stands))
    }

    /// Judges the patient whom a record was about before it was corrected: what was concluded from it there holds no more. The
    /// record is stored whatever comes of this; the next write to the patient, and the schedule, judge again.
    pub(super) async fn judge_former(&self, former: Option<[String; 2]>, now: &str) {
        if let Some([patient, _]) = former
            && patient != now
            && let Err(error) = self.judge(&patient, super::Occasion::Written).await
        {
            tracing::warn!(%error, "the safety rules could not be judged for the patient whom a record was about before");
        }
    }

    /// What several records describe keeps the labels of all: a label is never downgraded (mapping specification
    /// §6.2).
    pub(super) async fn keep_labels(
        &self,
        kind: Kind,
        record: &Record,
        mapped: &mut Mapped,
    ) -> Result<(), IngestError> {
        let source = record.header().source;
        let prefix = mapping::source_prefix(kind, &source.system, &source.record_id);
        for entry in &mut mapped.entries {
            let is_shared = matches!(entry.resource_type, "Patient" | "EpisodeOfCare" | "Practitioner");
            if entry.shared.is_some() || !is_shared {
                continue;
            }
            let Some(current) = self.inside().read(entry.resource_type, &entry.id).await? else {
                continue;
            };
            // Nearly always: then it need not be read in full.
            if mapping::label::has_all_of(&entry.resource, &current.body) {
                continue;
            }
            let current = parse(&current)?;
            if !mapping::is_owned(&current, &prefix) {
                mapping::label::keep(&mut entry.resource, &current);
            }
        }
        Ok(())
    }

    /// A practitioner whom the record described and now only names is written as named, or the old description would
    /// stay; not where another record has described them since.
    pub(super) async fn take_back_descriptions(
        &self,
        kind: Kind,
        key: &RecordKey,
        stored: Option<&StoredRecord>,
        writes: &mut [Write],
    ) -> Result<(), IngestError> {
        let Some(stored) = stored else { return Ok(()) };
        let prefix = mapping::source_prefix(kind, &key.system, &key.record_id);
        for write in writes.iter_mut().filter(|write| write.mode == WriteMode::CreateIfAbsent) {
            let is_same = |old: &&StoredResource| old.id == write.id && old.resource_type == write.resource_type;
            let Some(old) = stored.resources.iter().find(is_same) else { continue };
            if mapping::is_owned(&parse(old)?, &prefix)
                && let Some(current) = self.inside().read(&write.resource_type, &write.id).await?
                && mapping::is_owned(&parse(&current)?, &prefix)
            {
                write.mode = WriteMode::Put;
            }
        }
        Ok(())
    }
}

/// `Patient.id` and `EpisodeOfCare.id` of what the record was about, where that is another patient or course than now.
pub(super) fn former(stored: &StoredRecord, mapped: &Mapped) -> Option<[String; 2]> {
    let own = stored.resources.iter().find(|own| own.resource_type == Provenance::TYPE)?;
    let now = [format!("\"Patient/{}\"", mapped.patient_id), format!("\"EpisodeOfCare/{}\"", mapped.course_id)];
    let names = |name: &String| own.body.windows(name.len()).any(|part| part == name.as_bytes());
    if now.iter().all(names) {
        return None;
    }
    let provenance = parse(own).ok()?;
    let (patient, course) = mapping::withdrawal::patient_and_course(Provenance::from_resource(&provenance)?)?;
    let is_other = patient != mapped.patient_id || course != mapped.course_id;
    is_other.then_some([patient, course])
}

/// `Patient.id` of the compartment that a resource belongs to: its own patient; `patient_id` where it names none.
/// Whom many patients share is in nobody's.
pub(super) fn compartment(resource_type: &str, id: &str, index: &[IndexRow], patient_id: &str) -> Option<String> {
    if matches!(resource_type, "Practitioner" | "PractitionerRole" | "Organization") {
        return None;
    }
    if resource_type == "Patient" {
        return Some(id.to_owned());
    }
    let names = ["patient", "subject"].into_iter();
    let sources = names.filter_map(|name| search::parameter(resource_type, name)).flat_map(|known| &known.sources);
    let fields: Vec<&str> = sources.map(|source| source.field).collect();
    let own = index.iter().filter(|row| fields.contains(&row.field)).find_map(|row| match &row.value {
        IndexValue::Reference { resource_type, id } if resource_type == "Patient" => Some(id.clone()),
        IndexValue::Reference { .. }
        | IndexValue::ReferenceIdentifier { .. }
        | IndexValue::Token { .. }
        | IndexValue::Date { .. }
        | IndexValue::Uri(_)
        | IndexValue::Text(_)
        | IndexValue::Number { .. }
        | IndexValue::Quantity(_) => None,
    });
    Some(own.unwrap_or_else(|| patient_id.to_owned()))
}
