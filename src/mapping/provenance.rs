//! Provenance: who sent the record, in which revision, and which resources it made. Mapping specification D-01.
//!
//! <https://hl7.org/fhir/R4/provenance.html>

use super::draft::Draft;
use super::label::{self, Label};
use super::reading::{self, Reading, RebuildError};
use super::systems::extension_url;
use crate::fhir::build;
use crate::fhir::model::resources::{Provenance, ProvenanceAgent, ProvenanceEntity};
use crate::fhir::model::types::{ExtensionValue, Instant, Reference};
use crate::kap::records::shared::{Practitioner, SecurityMark, Source, SystemIdentifier};
use crate::kap::values::{DateTime, Revision};

pub const SLOT: &str = "provenance";

/// Adds the record's Provenance; call it last: it points to all that the record owns.
pub fn provenance(draft: &mut Draft<'_>) {
    let header = draft.header;
    let author = draft.practitioner(header.author);
    let target = draft
        .entries
        .iter()
        .filter(|entry| entry.shared.is_none())
        .map(|entry| build::reference(entry.resource_type, &entry.id))
        .collect();
    let source = header.source;
    let revision =
        build::extension(extension_url("kap-revision"), ExtensionValue::String(source.revision.text().as_str().into()));
    let resource = Provenance {
        id: Some(draft.id(SLOT).as_str().into()),
        meta: draft.meta(SLOT, Label::MentalHealth),
        extension: vec![
            build::extension(extension_url("kap-patient"), ExtensionValue::Reference(Box::new(draft.patient()))),
            build::extension(extension_url("kap-course"), ExtensionValue::Reference(Box::new(draft.course()))),
        ],
        target,
        recorded: Instant { value: Some(header.recorded_at.as_str().to_owned()), ..Default::default() },
        agent: vec![ProvenanceAgent {
            r#type: Some(Box::new(build::concept(build::coding(
                "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
                "author",
                "Author",
            )))),
            who: Box::new(author),
            ..Default::default()
        }],
        entity: vec![ProvenanceEntity {
            extension: vec![revision],
            role: "source".into(),
            what: Box::new(Reference {
                identifier: Some(Box::new(build::identifier(&source.system, &source.record_id))),
                display: Some(header.kind.as_str().into()),
                ..Default::default()
            }),
            ..Default::default()
        }],
        ..Default::default()
    };
    draft.push(resource);
}

/// What every record says about itself, read back.
#[derive(Debug, Clone)]
pub struct HeaderValues {
    pub source: Source,
    pub recorded_at: DateTime,
    pub author: Practitioner,
    pub patient: SystemIdentifier,
    pub course: SystemIdentifier,
    pub security: Vec<SecurityMark>,
}

pub fn read(reading: &Reading<'_>) -> Result<HeaderValues, RebuildError> {
    let found: &Provenance = reading.one(SLOT)?;
    let missing = |what| RebuildError::new(SLOT, what);
    let identifier_of = |name| match reading::find_extension(&found.extension, name).and_then(|e| e.value.as_ref()) {
        Some(ExtensionValue::Reference(reference)) => {
            reference.identifier.as_deref().and_then(reading::system_identifier)
        }
        _ => None,
    };
    let entity = found.entity.first().ok_or_else(|| missing("has no entity"))?;
    let record = entity.what.identifier.as_deref().and_then(reading::system_identifier);
    let record = record.ok_or_else(|| missing("names no record"))?;
    let revision = reading::extension_text(&entity.extension, "kap-revision");
    let author = found.agent.first().and_then(|agent| reading::practitioner(&agent.who));
    Ok(HeaderValues {
        source: Source {
            system: record.system,
            record_id: record.value,
            revision: revision.map(Revision::from_text).ok_or_else(|| missing("has no revision"))?,
        },
        recorded_at: found.recorded.value.clone().map(DateTime).ok_or_else(|| missing("has no time"))?,
        author: author.ok_or_else(|| missing("has no author"))?,
        patient: identifier_of("kap-patient").ok_or_else(|| missing("names no patient"))?,
        course: identifier_of("kap-course").ok_or_else(|| missing("names no course"))?,
        security: found.meta.as_deref().map(|meta| label::marks(&meta.security)).unwrap_or_default(),
    })
}
