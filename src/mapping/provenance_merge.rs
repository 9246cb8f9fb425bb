//! Provenance of a merge of patients, and of its undoing: who said so, when, why, and what was changed for it. Mapping
//! specification D-02.

use super::draft::NAMESPACE;
use super::systems::extension_url;
use super::withdrawal::{activity, author};
use crate::fhir::build;
use crate::fhir::model::Resource;
use crate::fhir::model::resources::{Provenance, ProvenanceEntity};
use crate::fhir::model::types::{CodeableConcept, Coding, ExtensionValue, Instant, Meta, Reference};
use crate::fhir::resource::Emitted;
use crate::kap::records::patient_merge::{MergeWay, PatientMerge};
use uuid::Uuid;

/// What `meta.source` starts with; the event and the id come behind it.
const SOURCE: &str = "urn:kap-gateway:patients#";

/// One of the two, as it was before: `Patient.id` and the version.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    pub id: &'a str,
    pub version_id: u64,
}

/// Id and Provenance. `moved`: what else was changed; `security`: the labels of both patients; `at`: an instant with offset.
pub fn provenance(
    way: MergeWay,
    request: &PatientMerge,
    two: [Before<'_>; 2],
    moved: Vec<Reference>,
    security: Vec<Coding>,
    at: &str,
) -> (String, Resource) {
    let word = match way {
        MergeWay::Merge => "merged",
        MergeWay::Undo => "unmerged",
    };
    let [survivor, merged] = two;
    // The same again makes the same; another merge of the two starts from other versions.
    let name = format!("{word}\n{}\n{}\n{}\n{}", survivor.id, survivor.version_id, merged.id, merged.version_id);
    let id = Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string();
    let who = match &request.by {
        Some(by) => Reference {
            identifier: Some(Box::new(build::identifier(&by.identifier.system, &by.identifier.value))),
            display: by.name.as_deref().map(Into::into),
            r#type: Some("Practitioner".into()),
            ..Default::default()
        },
        None => Reference { display: Some("not named in the request".into()), ..Default::default() },
    };
    let before = |own: Before<'_>| ProvenanceEntity {
        role: "revision".into(),
        what: Box::new(Reference {
            reference: Some(format!("Patient/{}/_history/{}", own.id, own.version_id).as_str().into()),
            ..Default::default()
        }),
        ..Default::default()
    };
    let patient = ExtensionValue::Reference(Box::new(build::reference("Patient", survivor.id)));
    let resource = Provenance {
        id: Some(id.as_str().into()),
        meta: Some(Box::new(Meta {
            source: Some(format!("{SOURCE}{word}/{id}").as_str().into()),
            security,
            ..Default::default()
        })),
        extension: vec![build::extension(extension_url("kap-patient"), patient)],
        target: two.iter().map(|own| build::reference("Patient", own.id)).chain(moved).collect(),
        recorded: Instant { value: Some(at.to_owned()), ..Default::default() },
        reason: request
            .reason
            .iter()
            .map(|reason| CodeableConcept { text: Some(reason.as_str().into()), ..Default::default() })
            .collect(),
        activity: activity(word),
        agent: vec![author(who)],
        entity: two.into_iter().map(before).collect(),
        ..Default::default()
    };
    (id, resource.into_resource())
}
