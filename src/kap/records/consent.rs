//! KAP records, as openapi.yaml names them: consents.
//!
//! Mapping specification §2.4, §6.3. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use super::shared::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Consent {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub r#type: ConsentType,
    pub status: ConsentStatus,
    pub given_at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acknowledgements: Vec<Acknowledgement>,
    /// Who may receive, for consents to share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Organization>,
    /// What is permitted and denied, one choice each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provisions: Vec<SharingProvision>,
    /// The policy or form that was signed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

/// One choice of the patient about sharing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharingProvision {
    pub rule: SharingRule,
    pub decision: SharingDecision,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Organization>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub practitioners: Vec<Practitioner>,
    /// The psychotherapy notes that are meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<SystemIdentifier>,
    /// For psychotherapy notes only: the other rules have their purposes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<SharingPurpose>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

closed_set! {
    pub enum ConsentType {
        Treatment = "treatment",
        InformationSharing = "information-sharing",
        PsychotherapyNotesAuthorization = "psychotherapy-notes-authorization",
        Part2 = "part-2",
        GroupConfidentiality = "group-confidentiality",
        Recording = "recording",
        Research = "research",
    }
}

closed_set! {
    pub enum ConsentStatus {
        Active = "active",
        Rejected = "rejected",
        Inactive = "inactive",
    }
}

closed_set! {
    pub enum Acknowledgement {
        OffLabel = "off-label",
        Compounded = "compounded",
        AtHome = "at-home",
        Touch = "touch",
        Recording = "recording",
        NoDriving = "no-driving",
    }
}

closed_set! {
    /// Mapping specification §6.3, P1 to P9.
    pub enum SharingRule {
        TherapistToMedical = "therapist-to-medical",
        MedicalToTherapist = "medical-to-therapist",
        Laboratory = "laboratory",
        Electrocardiogram = "electrocardiogram",
        Pregnancy = "pregnancy",
        PsychotherapyNotes = "psychotherapy-notes",
        SubstanceUse = "substance-use",
        Narrative = "narrative",
        Emergency = "emergency",
        PatientAccess = "patient-access",
        Payer = "payer",
        Research = "research",
    }
}

closed_set! {
    pub enum SharingDecision {
        Permit = "permit",
        Deny = "deny",
    }
}

closed_set! {
    pub enum SharingPurpose {
        Treatment = "treatment",
        CoordinationOfCare = "coordination-of-care",
        CareManagement = "care-management",
        Emergency = "emergency",
        Payment = "payment",
        PatientRequest = "patient-request",
        Research = "research",
    }
}
