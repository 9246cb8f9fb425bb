//! Provenance of a withdrawal: that a sender took a record back, why, and what became of it. Mapping specification D-02.
//!
//! The record's own Provenance stays as it is: who said what, and when, stays true.

use super::concepts;
use super::draft::owned_id;
use super::provenance;
use super::systems::extension_url;
use crate::fhir::build;
use crate::fhir::model::Resource;
use crate::fhir::model::resources::{Provenance, ProvenanceAgent, ProvenanceEntity};
use crate::fhir::model::types::{CodeableConcept, ExtensionValue, Identifier, Instant, Meta, Reference};
use crate::fhir::resource::{Emitted, identify, meta_mut};
use crate::kap::kind::Kind;
use crate::kap::records::withdrawal::Withdrawal;

const SLOT: &str = "withdrawal";

/// Which record, by its sender's names.
#[derive(Debug, Clone, Copy)]
pub struct RecordName<'a> {
    pub kind: Kind,
    pub system: &'a str,
    pub record_id: &'a str,
}

/// The Provenance of a withdrawal. `own`: the record's own; `targets`: what was retracted; `at`: an instant with offset.
pub fn provenance(
    record: RecordName<'_>,
    withdrawal: &Withdrawal,
    own: &Provenance,
    targets: Vec<Reference>,
    at: &str,
) -> (String, Resource) {
    let RecordName { kind, system, record_id } = record;
    let id = id(record);
    let patient = own.extension.iter().find(|extension| extension.url == extension_url("kap-patient")).cloned();
    let revision = own.entity.first().and_then(|entity| entity.extension.first()).cloned();
    let who = match &withdrawal.by {
        Some(by) => Reference {
            identifier: Some(Box::new(build::identifier(&by.identifier.system, &by.identifier.value))),
            display: by.name.as_deref().map(Into::into),
            r#type: Some("Practitioner".into()),
            ..Default::default()
        },
        None => Reference {
            identifier: Some(Box::new(Identifier { system: Some(system.into()), ..Default::default() })),
            display: Some("the system that sent the record".into()),
            ..Default::default()
        },
    };
    let mut all = targets;
    if let Some(own) = own.id.as_ref().and_then(|id| id.value.as_deref()) {
        all.push(build::reference(Provenance::TYPE, own));
    }
    let resource = Provenance {
        id: Some(id.as_str().into()),
        meta: Some(Box::new(Meta {
            source: Some(format!("{system}#{}/{record_id}/{SLOT}", kind.as_str()).as_str().into()),
            security: own.meta.as_deref().map(|meta| meta.security.clone()).unwrap_or_default(),
            ..Default::default()
        })),
        extension: patient.into_iter().collect(),
        target: all,
        recorded: Instant { value: Some(at.to_owned()), ..Default::default() },
        reason: vec![CodeableConcept { text: Some(withdrawal.reason.as_str().into()), ..Default::default() }],
        activity: activity("withdrawn"),
        agent: vec![author(who)],
        entity: vec![ProvenanceEntity {
            extension: revision.into_iter().collect(),
            role: "removal".into(),
            what: Box::new(Reference {
                identifier: Some(Box::new(build::identifier(system, record_id))),
                display: Some(kind.as_str().into()),
                ..Default::default()
            }),
            ..Default::default()
        }],
        ..Default::default()
    };
    (id, resource.into_resource())
}

/// What was done, by its word among the events of a record's life.
pub(super) fn activity(word: &str) -> Option<Box<CodeableConcept>> {
    let row = concepts::by_word(concepts::RECORD_EVENT, word)?;
    Some(Box::new(build::concept(build::coding(row.system, row.code, row.display))))
}

/// Who said so.
pub(super) fn author(who: Reference) -> ProvenanceAgent {
    ProvenanceAgent {
        r#type: Some(Box::new(build::concept(build::coding(
            "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
            "author",
            "Author",
        )))),
        who: Box::new(who),
        ..Default::default()
    }
}

/// `Provenance.id` of a record's withdrawal.
pub fn id(record: RecordName<'_>) -> String {
    owned_id(record.system, record.kind, record.record_id, SLOT)
}

/// `Provenance.id` of what a record says of itself.
pub fn own_id(record: RecordName<'_>) -> String {
    owned_id(record.system, record.kind, record.record_id, provenance::SLOT)
}

/// Is it the Provenance of a withdrawal?
pub fn is_one(resource: &Resource) -> bool {
    identify(resource).is_some_and(|(kind, _, meta)| {
        let source = meta.and_then(|meta| meta.source.as_ref()?.value.as_deref());
        kind == Provenance::TYPE && source.is_some_and(|source| source.ends_with("/withdrawal"))
    })
}

/// Marks a withdrawal that a newer revision of the record has made void.
pub fn void(mut resource: Resource) -> Resource {
    if let Some(meta) = meta_mut(&mut resource) {
        super::retraction::tag(meta);
    }
    resource
}

/// The patient's and the course's `id`, as the record's own Provenance names them.
pub fn patient_and_course(own: &Provenance) -> Option<(String, String)> {
    let target = |name: &str, kind: &str| {
        let found = own.extension.iter().find(|extension| extension.url == extension_url(name))?;
        let Some(ExtensionValue::Reference(reference)) = &found.value else { return None };
        let literal = reference.reference.as_ref()?.value.as_deref()?;
        Some(literal.strip_prefix(kind)?.strip_prefix('/')?.to_owned())
    };
    Some((target("kap-patient", "Patient")?, target("kap-course", "EpisodeOfCare")?))
}
