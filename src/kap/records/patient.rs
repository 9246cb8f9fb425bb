//! KAP records, as openapi.yaml names them: the patient.
//!
//! Mapping specification §2.1.

use super::super::values::*;
use super::shared::*;
use serde::{Deserialize, Serialize};

/// At least one identifier; the first makes the FHIR id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<PatientIdentifier>", into = "Vec<PatientIdentifier>")]
pub struct PatientIdentifiers {
    pub first: PatientIdentifier,
    pub others: Vec<PatientIdentifier>,
}

impl PatientIdentifiers {
    pub fn iter(&self) -> impl Iterator<Item = &PatientIdentifier> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl TryFrom<Vec<PatientIdentifier>> for PatientIdentifiers {
    type Error = &'static str;

    fn try_from(mut identifiers: Vec<PatientIdentifier>) -> Result<Self, Self::Error> {
        if identifiers.is_empty() {
            return Err("a patient needs at least one identifier");
        }
        let first = identifiers.remove(0);
        Ok(Self { first, others: identifiers })
    }
}

impl From<PatientIdentifiers> for Vec<PatientIdentifier> {
    fn from(identifiers: PatientIdentifiers) -> Self {
        std::iter::once(identifiers.first).chain(identifiers.others).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatientIdentifier {
    pub system: String,
    pub value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<IdentifierType>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Address {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub line: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Patient {
    /// The first makes the FHIR id; sessions name the patient by it.
    pub identifiers: PatientIdentifiers,
    pub name: HumanName,
    pub birth_date: String,
    /// Administrative gender.
    pub gender: Gender,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_sex: Option<BirthSex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub race: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ethnicity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender_identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pronouns: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub telecom: Vec<ContactPoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emergency_contacts: Vec<RelatedPerson>,
}

closed_set! {
    pub enum IdentifierType {
        MedicalRecordNumber = "medical-record-number",
    }
}

closed_set! {
    pub enum Gender {
        Male = "male",
        Female = "female",
        Other = "other",
        Unknown = "unknown",
    }
}

closed_set! {
    pub enum BirthSex {
        F = "F",
        M = "M",
        UNK = "UNK",
    }
}
