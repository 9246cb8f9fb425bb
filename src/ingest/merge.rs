//! The pipeline: two patients who are one. The one is replaced by the other (`Patient.link`); searches by either identifier
//! find the survivor, and what is known of both is read together. Mapping specification D-02.

use super::timeline::json;
use super::{Gateway, IngestError, parse};
use crate::consent::{Compartment, Sight};
use crate::fhir::model::Resource;
use crate::fhir::search;
use crate::kap::fault::{Fault, FaultKind, Faults};
use crate::kap::json::read_strict;
use crate::mapping::Mapped;
use crate::mapping::course::view::View;
use crate::mapping::patient_link::{self, Replaces};
use crate::store::transaction::{Action, Change, Expected, Transacted, Transaction};
use crate::store::{Filter, FilterValue, SearchQuery, StoredResource, Write, WriteMode};
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeSet;

/// Links are followed so far: a chain of merges is short, and a circle has no end.
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
}

impl Gateway {
    /// Merges the patient with one identifier into the patient with another. Merged twice changes nothing.
    pub async fn merge_patients(&self, sight: &Sight, body: &[u8]) -> Result<Merged, IngestError> {
        let value = read_strict(body).map_err(IngestError::Unreadable)?;
        let faults = faults(&value);
        if !faults.is_empty() {
            return Err(IngestError::Refused(Faults::sort(faults)));
        }
        let (survivor, was_survivor) = self.identified(sight, &value, "survivor").await?;
        let (merged, was_merged) = self.identified(sight, &value, "merged").await?;
        if survivor == merged {
            let is_unchanged = true;
            if was_survivor == was_merged {
                let sentence = "Both identifiers are those of one patient: there is nothing to merge.";
                let fault = Fault::error(FaultKind::Invariant, "/merged/identifier", sentence);
                return Err(IngestError::Refused(Faults::sort(vec![fault])));
            }
            return Ok(Merged { survivor, merged: was_merged, is_unchanged });
        }
        let held = self.hold(&survivor).await?;
        let one = self.patient(&survivor).await?;
        let other = self.patient(&merged).await?;
        let (survivor_body, merged_body) = patient_link::merge(json(&one)?, json(&other)?)
            .ok_or(IngestError::Internal("a stored patient is no object"))?;
        let changes = [(one, survivor_body), (other, merged_body)].into_iter().map(|(stored, body)| {
            let write = self.rewritten(&stored, &body)?;
            Ok(Change { action: Action::Put(write), expected: Expected::Version(stored.version_id) })
        });
        let changes = changes.collect::<Result<Vec<_>, IngestError>>()?;
        let transaction = Transaction { changes, ..Transaction::default() };
        match self.door.transact(transaction).await? {
            Transacted::Done(_) => {}
            Transacted::Superseded | Transacted::Refused(_) => return Err(IngestError::Contended),
        }
        drop(held);
        self.judge(&survivor, super::Occasion::Written).await?;
        Ok(Merged { survivor, merged, is_unchanged: false })
    }

    async fn patient(&self, id: &str) -> Result<StoredResource, IngestError> {
        self.inside().read("Patient", id).await?.ok_or(IngestError::UnknownPatient)
    }

    fn rewritten(&self, stored: &StoredResource, body: &Value) -> Result<Write, IngestError> {
        let body = body.to_string().into_bytes();
        let index = search::extract("Patient", &body)
            .map_err(|_| IngestError::Internal("a patient that was merged is not JSON"))?;
        Ok(Write {
            resource_type: "Patient".to_owned(),
            id: stored.id.clone(),
            body: Bytes::from(body),
            mode: WriteMode::Unowned,
            patient: Some(stored.id.clone()),
            index,
        })
    }

    /// `Patient.id` of who has the identifier: the survivor's, and their own before any merge.
    async fn identified(
        &self,
        sight: &Sight,
        body: &Value,
        name: &'static str,
    ) -> Result<(String, String), IngestError> {
        let text = |part: &str| body[name]["identifier"][part].as_str().unwrap_or_default().to_owned();
        let identifier = FilterValue::Token { system: Some(text("system")), code: Some(text("value")) };
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
            let fault = Fault::error(FaultKind::Invariant, format!("/{name}/identifier"), sentence);
            return Err(IngestError::Refused(Faults::sort(vec![fault])));
        }
        survivors.pop_first().zip(own).ok_or(IngestError::UnknownPatient)
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

    /// The compartments of a patient and of all whose place the patient took, the survivor's first.
    pub(super) async fn compartments(&self, sight: &Sight, patient: &str) -> Result<Compartment, IngestError> {
        let Compartment { resources: mut found, mut is_whole } = sight.compartment(patient).await?;
        if !found.iter().any(is_linked) {
            return Ok(Compartment { resources: found, is_whole });
        }
        let survivor = self.survivor(patient).await?;
        if survivor != patient {
            let own = sight.compartment(&survivor).await?;
            is_whole &= own.is_whole;
            found = own.resources;
        }
        let mut seen = BTreeSet::from([survivor]);
        let mut at = 0;
        while at < found.len() && seen.len() < MOST_LINKS {
            if is_linked(&found[at]) {
                for other in patient_link::replaces(&View(&json(&found[at])?)) {
                    if seen.insert(other.clone()) {
                        let others = sight.compartment(&other).await?;
                        is_whole &= others.is_whole;
                        found.extend(others.resources);
                    }
                }
            }
            at += 1;
        }
        Ok(Compartment { resources: found, is_whole })
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

fn faults(value: &Value) -> Vec<Fault> {
    let Some(members) = value.as_object() else {
        let sentence = "A merge is an object with `survivor` and `merged`.";
        return vec![Fault::error(FaultKind::Structure, "", sentence)];
    };
    let mut faults: Vec<Fault> = Vec::new();
    for name in members.keys().filter(|name| !matches!(name.as_str(), "survivor" | "merged")) {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        faults.push(Fault::error(
            FaultKind::Structure,
            pointer,
            "A merge has `survivor` and `merged`, and no such field.",
        ));
    }
    for name in ["survivor", "merged"] {
        let identifier = value.get(name).and_then(|patient| patient.get("identifier"));
        let text =
            |part: &str| identifier.and_then(|own| own.get(part)?.as_str()).is_some_and(|text| !text.trim().is_empty());
        if !text("system") || !text("value") {
            let sentence = "The patient is named by an `identifier` with `system` and `value`.";
            faults.push(Fault::error(FaultKind::Required, format!("/{name}/identifier"), sentence));
        }
        let known = |holder: Option<&Value>, names: &[&str]| {
            holder.and_then(Value::as_object).is_none_or(|own| own.keys().all(|key| names.contains(&key.as_str())))
        };
        if !known(value.get(name), &["identifier"]) || !known(identifier, &["system", "value"]) {
            let sentence = "A patient is named by an `identifier` with `system` and `value`, and nothing else.";
            faults.push(Fault::error(FaultKind::Structure, format!("/{name}"), sentence));
        }
    }
    faults
}
