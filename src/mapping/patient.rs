//! Patient, as the intake describes them. Mapping specification §2.1.
//!
//! <https://hl7.org/fhir/R4/patient.html>

use super::draft::Draft;
use super::label::Label;
use super::patient_link;
use super::reading::{self, Reading, RebuildError};
use super::related_person::{contact_point, read_contact_point};
use crate::fhir::build;
use crate::fhir::model::resources::{Patient, PatientCommunication, PatientContact};
use crate::fhir::model::types::{
    Address, CodeableConcept, Extension, ExtensionValue, HumanName, Identifier, String as FhirString,
};
use crate::kap::records::intake::{self, BirthSex, Gender, IdentifierType, PatientIdentifier, PatientIdentifiers};
use crate::kap::records::shared;

const SLOT: &str = "patient";

const IDENTIFIER_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
const CONTACT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/v2-0131";
const LANGUAGE: &str = "urn:ietf:bcp:47";

// US Core 6.1.0, and the HL7 extension pack for pronouns.
const RACE: &str = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race";
const ETHNICITY: &str = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity";
const BIRTH_SEX: &str = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex";
const GENDER_IDENTITY: &str = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-genderIdentity";
const PRONOUNS: &str = "http://hl7.org/fhir/StructureDefinition/individual-pronouns";

/// Pushes the patient: other records only name them.
pub fn patient(draft: &mut Draft<'_>, person: &intake::Patient) {
    let resource = Patient {
        id: Some(draft.patient_id().into()),
        meta: draft.meta(SLOT, Label::Normal),
        extension: extensions(person),
        identifier: person.identifiers.iter().map(identifier).collect(),
        name: vec![name(&person.name)],
        telecom: person.telecom.iter().map(contact_point).collect(),
        gender: Some(person.gender.as_str().into()),
        birth_date: Some(person.birth_date.as_str().into()),
        address: person.address.iter().map(address).collect(),
        contact: person.emergency_contacts.iter().map(emergency_contact).collect(),
        communication: person.language.iter().map(|language| communication(language)).collect(),
        ..Default::default()
    };
    draft.describe(resource);
}

fn identifier(identifier: &PatientIdentifier) -> Identifier {
    Identifier {
        r#type: identifier.r#type.map(|kind| match kind {
            IdentifierType::MedicalRecordNumber => {
                Box::new(build::concept(build::coding(IDENTIFIER_TYPE, "MR", "Medical record number")))
            }
        }),
        ..build::identifier(&identifier.system, &identifier.value)
    }
}

fn name(name: &shared::HumanName) -> HumanName {
    HumanName {
        family: Some(name.family.as_str().into()),
        given: strings(&name.given),
        suffix: strings(&name.suffix),
        ..Default::default()
    }
}

fn strings(lines: &[String]) -> Vec<FhirString> {
    lines.iter().map(|line| line.as_str().into()).collect()
}

fn address(address: &intake::Address) -> Address {
    let line = |text: &Option<String>| text.as_deref().map(FhirString::from);
    Address {
        line: strings(&address.line),
        city: line(&address.city),
        state: line(&address.state),
        postal_code: line(&address.postal_code),
        country: line(&address.country),
        ..Default::default()
    }
}

fn emergency_contact(person: &shared::RelatedPerson) -> PatientContact {
    let role = build::concept(build::coding(CONTACT_ROLE, "C", "Emergency Contact"));
    PatientContact {
        relationship: std::iter::once(role).chain(person.relationship.as_deref().map(build::words)).collect(),
        name: Some(Box::new(HumanName { text: Some(person.name.as_str().into()), ..Default::default() })),
        telecom: person.telecom.iter().map(contact_point).collect(),
        ..Default::default()
    }
}

fn communication(language: &str) -> PatientCommunication {
    PatientCommunication {
        language: Box::new(build::concept(build::coding(LANGUAGE, language, ""))),
        ..Default::default()
    }
}

fn extensions(person: &intake::Patient) -> Vec<Extension> {
    let text = |words: &str| build::extension("text", ExtensionValue::String(words.into()));
    let concept = |words: &str| ExtensionValue::CodeableConcept(Box::new(build::words(words)));
    let found = [
        person.race.as_deref().map(|words| build::complex_extension(RACE, vec![text(words)])),
        person.ethnicity.as_deref().map(|words| build::complex_extension(ETHNICITY, vec![text(words)])),
        person.birth_sex.map(|sex| build::extension(BIRTH_SEX, ExtensionValue::Code(sex.as_str().into()))),
        person.gender_identity.as_deref().map(|words| build::extension(GENDER_IDENTITY, concept(words))),
        person
            .pronouns
            .as_deref()
            .map(|words| build::complex_extension(PRONOUNS, vec![build::extension("value", concept(words))])),
    ];
    found.into_iter().flatten().collect()
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<intake::Patient, RebuildError> {
    let found: &Patient = reading.one(SLOT)?;
    let missing = |what| RebuildError::new(SLOT, what);
    let own = found.identifier.iter().filter(|identifier| !patient_link::is_of_others(identifier));
    let identifiers: Vec<PatientIdentifier> = own.filter_map(read_identifier).collect();
    let gender = found.gender.as_ref().and_then(|gender| Gender::from_word(gender.value.as_deref()?));
    let extension = |url: &str| found.extension.iter().find(|extension| extension.url == url);
    let value = |url: &str| extension(url).and_then(|extension| extension.value.as_ref());
    let text = |url: &str| extension(url).and_then(|extension| reading::part(extension, "text"));
    let language = found.communication.first().and_then(|spoken| spoken.language.coding.first());
    Ok(intake::Patient {
        identifiers: PatientIdentifiers::try_from(identifiers).map_err(missing)?,
        name: found.name.first().and_then(read_name).ok_or_else(|| missing("has no name"))?,
        birth_date: found
            .birth_date
            .as_ref()
            .and_then(|date| date.value.clone())
            .ok_or_else(|| missing("has no birth date"))?,
        gender: gender.ok_or_else(|| missing("has no gender"))?,
        birth_sex: value(BIRTH_SEX).and_then(reading::value_text).and_then(BirthSex::from_word),
        race: text(RACE).and_then(reading::value_text).map(str::to_owned),
        ethnicity: text(ETHNICITY).and_then(reading::value_text).map(str::to_owned),
        gender_identity: value(GENDER_IDENTITY).and_then(concept_text),
        pronouns: extension(PRONOUNS).and_then(|found| reading::part(found, "value")).and_then(concept_text),
        language: language.and_then(|coding| coding.code.as_ref()?.value.clone()),
        telecom: found.telecom.iter().filter_map(read_contact_point).collect(),
        address: found.address.first().map(read_address),
        emergency_contacts: found.contact.iter().filter_map(read_emergency_contact).collect(),
    })
}

fn concept_text(value: &ExtensionValue) -> Option<String> {
    let ExtensionValue::CodeableConcept(concept) = value else { return None };
    words(concept)
}

fn words(concept: &CodeableConcept) -> Option<String> {
    concept.text.as_ref()?.value.clone()
}

fn read_identifier(found: &Identifier) -> Option<PatientIdentifier> {
    let shared::SystemIdentifier { system, value } = reading::system_identifier(found)?;
    Some(PatientIdentifier {
        system,
        value,
        r#type: found.r#type.as_ref().map(|_| IdentifierType::MedicalRecordNumber),
    })
}

fn read_name(found: &HumanName) -> Option<shared::HumanName> {
    Some(shared::HumanName {
        family: found.family.as_ref()?.value.clone()?,
        given: read_strings(&found.given),
        suffix: read_strings(&found.suffix),
    })
}

fn read_strings(found: &[FhirString]) -> Vec<String> {
    found.iter().filter_map(|line| line.value.clone()).collect()
}

fn read_address(found: &Address) -> intake::Address {
    let line = |text: &Option<FhirString>| text.as_ref().and_then(|text| text.value.clone());
    intake::Address {
        line: read_strings(&found.line),
        city: line(&found.city),
        state: line(&found.state),
        postal_code: line(&found.postal_code),
        country: line(&found.country),
    }
}

fn read_emergency_contact(found: &PatientContact) -> Option<shared::RelatedPerson> {
    Some(shared::RelatedPerson {
        name: found.name.as_ref()?.text.as_ref()?.value.clone()?,
        relationship: found.relationship.iter().find_map(words),
        telecom: found.telecom.iter().filter_map(read_contact_point).collect(),
    })
}
