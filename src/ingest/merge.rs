//! The pipeline: two patients who are one. The one is replaced by the other (`Patient.link`); searches by either identifier
//! find the survivor, and what is known of both is read together. Mapping specification D-02.

use super::timeline::json;
use super::{Gateway, IngestError, parse};
use crate::consent::{Compartment, Sight};
use crate::fhir::model::Resource;
use crate::fhir::model::resources::Provenance;
use crate::fhir::model::types::{Coding, Reference};
use crate::fhir::resource::{Emitted, identify};
use crate::fhir::search;
use crate::kap::fault::{Fault, FaultKind, Faults};
use crate::kap::records::patient_merge::{MergeWay, Named, PatientMerge};
use crate::kap::records::shared::SystemIdentifier;
use crate::kap::records::withdrawal::NotOne;
use crate::mapping::Mapped;
use crate::mapping::course::view::View;
use crate::mapping::patient_link::{self, Replaces};
use crate::mapping::provenance_merge::{self, Before};
use crate::store::transaction::{Action, Change, Expected, Transacted, Transaction};
use crate::store::{Filter, FilterValue, SearchQuery, StoredResource, Write, WriteMode};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

/// A survivor is looked for so far: a chain of merges is short, and a circle has no end.
const MOST_LINKS: usize = 32;
/// Patients who have one identifier.
const MOST_MATCHES: usize = 20;

/// What became of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// `Patient.id`.
    pub survivor: String,
    pub merged: String,
    /// They were one already.
    pub is_unchanged: bool,
    /// `Provenance.id` of what was done.
    pub provenance: Option<String>,
}

/// A patient whom a request names by an identifier.
pub(super) struct Identified {
    /// `Patient.id` of who stays after all merges.
    pub(super) survivor: String,
    /// Their own before any.
    pub(super) own: String,
}

impl Gateway {
    /// Merges the patient with one identifier into the patient with another. Merged twice changes nothing.
    pub async fn merge_patients(&self, sight: &Sight, body: &[u8]) -> Result<Merged, IngestError> {
        let request = PatientMerge::parse(body, MergeWay::Merge).map_err(not_one)?;
        let Identified { survivor, own } = self.identified(sight, &request.survivor, "survivor").await?;
        let other = self.identified(sight, &request.merged, "merged").await?;
        let merged = other.survivor;
        if survivor == merged {
            if own == other.own {
                let sentence = "Both identifiers are those of one patient: there is nothing to merge.";
                return Err(refused("/merged/identifier", sentence));
            }
            return Ok(Merged { survivor, merged: other.own, is_unchanged: true, provenance: None });
        }
        let held = self.hold(&survivor).await?;
        let one = self.patient(&survivor).await?;
        let other = self.patient(&merged).await?;
        let bodies = patient_link::merge(json(&one)?, json(&other)?)
            .ok_or(IngestError::Internal("a stored patient is no object"))?;
        let provenance = self.provenance_of(MergeWay::Merge, &request, [&one, &other], Vec::new())?;
        let id = provenance.id.clone();
        self.write_both([one, other], bodies, provenance).await?;
        drop(held);
        self.judge(&survivor, super::Occasion::Written).await?;
        Ok(Merged { survivor, merged, is_unchanged: false, provenance: Some(id) })
    }

    /// Both patients as they are to be, and why, in one transaction.
    pub(super) async fn write_both(
        &self,
        two: [StoredResource; 2],
        bodies: (Value, Value),
        provenance: Write,
    ) -> Result<(), IngestError> {
        let [one, other] = two;
        let mut changes = Vec::with_capacity(3);
        for (stored, body) in [(one, bodies.0), (other, bodies.1)] {
            let write = self.rewritten(&stored, &body, &stored.id)?;
            changes.push(Change { action: Action::Put(write), expected: Expected::Version(stored.version_id) });
        }
        changes.push(Change { action: Action::Put(provenance), expected: Expected::Any });
        match self.door.transact(Transaction { changes, ..Transaction::default() }).await? {
            Transacted::Done(_) => Ok(()),
            Transacted::Superseded | Transacted::Refused(_) => Err(IngestError::Contended),
        }
    }

    /// The Provenance of a merge or of its undoing, under the labels of both.
    pub(super) fn provenance_of(
        &self,
        way: MergeWay,
        request: &PatientMerge,
        two: [&StoredResource; 2],
        moved: Vec<Reference>,
    ) -> Result<Write, IngestError> {
        let mut security: Vec<Coding> = Vec::new();
        for stored in two {
            let resource = parse(stored)?;
            let labels = identify(&resource).and_then(|(_, _, meta)| meta).map(|meta| meta.security.clone());
            for label in labels.unwrap_or_default() {
                if !security.contains(&label) {
                    security.push(label);
                }
            }
        }
        let before = two.map(|stored| Before { id: &stored.id, version_id: stored.version_id });
        let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (id, resource) = provenance_merge::provenance(way, request, before, moved, security, &at);
        self.write(Provenance::TYPE, &id, &resource, WriteMode::Unowned, before[0].id)
    }

    pub(super) async fn patient(&self, id: &str) -> Result<StoredResource, IngestError> {
        self.inside().read("Patient", id).await?.ok_or(IngestError::UnknownPatient)
    }

    /// A stored resource with another content, in a patient's compartment.
    pub(super) fn rewritten(&self, stored: &StoredResource, body: &Value, patient: &str) -> Result<Write, IngestError> {
        let body = body.to_string().into_bytes();
        let index = search::extract(&stored.resource_type, &body)
            .map_err(|_| IngestError::Internal("a resource that was rewritten is not JSON"))?;
        Ok(Write {
            resource_type: stored.resource_type.clone(),
            id: stored.id.clone(),
            body: Bytes::from(body),
            mode: WriteMode::Unowned,
            patient: Some(patient.to_owned()),
            index,
        })
    }

    /// Who has the identifier.
    pub(super) async fn identified(
        &self,
        sight: &Sight,
        named: &Named,
        name: &'static str,
    ) -> Result<Identified, IngestError> {
        let SystemIdentifier { system, value } = &named.identifier;
        let identifier = FilterValue::Token { system: Some(system.clone()), code: Some(value.clone()) };
        let found = self.patients(sight, vec![identifier]).await?;
        let mut survivors = BTreeSet::new();
        let mut own = None;
        for patient in &found {
            let is_replaced = patient_link::replaced_by(&View(&json(patient)?)).is_some();
            survivors.insert(self.survivor(&patient.id).await?);
            // Who was replaced has the identifier first; the survivor has it since.
            if is_replaced || own.is_none() {
                own = Some(patient.id.clone());
            }
        }
        if survivors.len() > 1 {
            let sentence = "More than one patient has this identifier: name one that only one of them has.";
            return Err(refused(format!("/{name}/identifier"), sentence));
        }
        let (survivor, own) = survivors.pop_first().zip(own).ok_or(IngestError::UnknownPatient)?;
        Ok(Identified { survivor, own })
    }

    /// The stored patients with any of these identifiers.
    pub(super) async fn patients(
        &self,
        sight: &Sight,
        any_of: Vec<FilterValue>,
    ) -> Result<Vec<StoredResource>, IngestError> {
        let query = SearchQuery {
            resource_type: "Patient".to_owned(),
            filters: vec![Filter { parameter: "identifier".to_owned(), any_of }],
            count: MOST_MATCHES,
            ..SearchQuery::default()
        };
        Ok(sight.search(query).await?.resources)
    }

    /// `Patient.id` of who took the place of a patient; the same where nobody did.
    pub(super) async fn survivor(&self, patient: &str) -> Result<String, IngestError> {
        let mut id = patient.to_owned();
        for _ in 0..MOST_LINKS {
            let Some(stored) = self.inside().read("Patient", &id).await? else { return Ok(id) };
            match patient_link::replaced_by(&View(&json(&stored)?)) {
                Some(next) if next != id => id = next,
                Some(_) | None => return Ok(id),
            }
        }
        Ok(id)
    }

    /// The compartments of a patient and of all with whom the patient is one, the survivor's first.
    pub(super) async fn compartments(&self, sight: &Sight, patient: &str) -> Result<Compartment, IngestError> {
        let own = sight.compartment(patient).await?;
        if !own.resources.iter().any(is_linked) {
            return Ok(own);
        }
        let mut all = Compartment { resources: Vec::new(), is_whole: true };
        for id in sight.one_with(patient).await?.iter() {
            let others = sight.compartment(id).await?;
            all.is_whole &= others.is_whole;
            all.resources.extend(others.resources);
        }
        Ok(all)
    }

    /// A patient whom the record describes keeps the links of a merge, and the identifiers that others gave.
    pub(super) async fn keep_links(&self, mapped: &mut Mapped, prefix: &str) -> Result<(), IngestError> {
        for entry in
            mapped.entries.iter_mut().filter(|entry| entry.resource_type == "Patient" && entry.shared.is_none())
        {
            let Some(current) = self.inside().read("Patient", &entry.id).await? else { continue };
            if let (Resource::Patient(new), Resource::Patient(old)) = (&mut entry.resource, &parse(&current)?) {
                let is_own = crate::mapping::is_owned(&Resource::Patient(old.clone()), prefix);
                patient_link::keep(new, old, if is_own { Replaces::Own } else { Replaces::Another });
            }
        }
        Ok(())
    }
}

fn is_linked(stored: &StoredResource) -> bool {
    patient_link::is_linked(&stored.resource_type, &stored.body)
}

pub(super) fn refused(place: impl Into<String>, sentence: impl Into<String>) -> IngestError {
    IngestError::Refused(Faults::sort(vec![Fault::error(FaultKind::Invariant, place, sentence)]))
}

pub(super) fn not_one(error: NotOne) -> IngestError {
    match error {
        NotOne::Unreadable(faults) => IngestError::Unreadable(faults),
        NotOne::Refused(faults) => IngestError::Refused(faults),
    }
}
