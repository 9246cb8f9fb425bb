//! RelatedPerson: the escort, and who else is with the patient. Mapping specification §2.1, §2.6.
//!
//! <https://hl7.org/fhir/R4/relatedperson.html>

use super::draft::Draft;
use super::label::Label;
use crate::fhir::build;
use crate::fhir::model::resources::RelatedPerson;
use crate::fhir::model::types::{ContactPoint as FhirContactPoint, HumanName};
use crate::kap::records::shared::{self, ContactPoint, ContactPointSystem, ContactPointUse};

pub fn related_person(draft: &mut Draft<'_>, person: &shared::RelatedPerson, slot: &str) -> RelatedPerson {
    RelatedPerson {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, Label::Normal),
        identifier: vec![draft.identifier(slot)],
        active: Some(true.into()),
        patient: Box::new(draft.patient()),
        relationship: person.relationship.iter().map(|words| build::words(words)).collect(),
        name: vec![HumanName { text: Some(person.name.as_str().into()), ..Default::default() }],
        telecom: person.telecom.iter().map(contact_point).collect(),
        ..Default::default()
    }
}

pub fn contact_point(point: &ContactPoint) -> FhirContactPoint {
    FhirContactPoint {
        system: Some(point.system.as_str().into()),
        value: Some(point.value.as_str().into()),
        r#use: point.r#use.map(|purpose| purpose.as_str().into()),
        ..Default::default()
    }
}

pub fn read(person: &RelatedPerson) -> Option<shared::RelatedPerson> {
    Some(shared::RelatedPerson {
        name: person.name.first()?.text.as_ref()?.value.clone()?,
        relationship: person.relationship.first().and_then(|concept| concept.text.as_ref()?.value.clone()),
        telecom: person.telecom.iter().filter_map(read_contact_point).collect(),
    })
}

pub fn read_contact_point(found: &FhirContactPoint) -> Option<ContactPoint> {
    Some(ContactPoint {
        system: found.system.as_ref()?.value.as_deref().and_then(ContactPointSystem::from_word)?,
        value: found.value.as_ref()?.value.clone()?,
        r#use: found.r#use.as_ref().and_then(|purpose| purpose.value.as_deref()).and_then(ContactPointUse::from_word),
    })
}
