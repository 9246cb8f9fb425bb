//! KAP records, as openapi.yaml names them: the intake.
//!
//! Mapping specification §2.1 to §2.4. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
pub use super::{consent::*, laboratory::*, patient::*, plan::*, referral::*};
use super::{measurement::*, shared::*};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IntakeCourse {
    pub identifier: SystemIdentifier,
    pub status: CourseStatus,
    pub start: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clinic: Option<Organization>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FamilyMember {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub relationship: String,
    pub conditions: Vec<Termed>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriorKetamine {
    pub exposed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medicine: Option<KetamineForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_use: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Occupation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Codes of the title.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcare_worker: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MedicationReview {
    pub at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performer: Option<Practitioner>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pregnancy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<PregnancyStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub childbearing_potential: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breastfeeding: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_menstrual_period: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<PregnancyTest>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ecg {
    pub at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qtc: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<String>,
}

/// Referral, assessment, decision, consents, care team and plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Intake {
    pub kind: String,
    pub source: Source,
    pub recorded_at: DateTime,
    pub author: Practitioner,
    pub patient: Patient,
    pub course: IntakeCourse,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security: Vec<SecurityMark>,
    pub contact: Contact,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chief_complaint: Option<String>,
    /// History of present illness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present_illness: Option<Document>,
    pub indications: Vec<Condition>,
    /// Medical and psychiatric history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub family_history: Vec<FamilyMember>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_antidepressant_trials: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior_ketamine: Option<PriorKetamine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occupation: Option<Occupation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tobacco: Option<CodedText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub medications: Vec<Medication>,
    /// Asked, and there are none. Excludes `medications`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_current_medications: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medication_review: Option<MedicationReview>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allergies: Vec<Allergy>,
    /// Asked, and there are none. Excludes `allergies`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_known_allergies: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pregnancy: Option<Pregnancy>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vitals: Vec<Vitals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecg: Option<Ecg>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labs: Vec<Lab>,
    /// Baseline instruments and screens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<Score>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety_plan: Option<Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suitability: Option<Suitability>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub care_team: Vec<TeamMember>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psychotherapy_note: Option<PsychotherapyNote>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub condition: Termed,
    pub clinical_status: ClinicalStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_status: Option<VerificationStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abatement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Medication {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub medicine: Termed,
    pub status: MedicationStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dose: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_needed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dosage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Allergy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub substance: Termed,
    pub clinical_status: AllergyStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<CodedText>,
}

closed_set! {
    pub enum CourseStatus {
        Planned = "planned",
        Waitlist = "waitlist",
        Active = "active",
        Onhold = "onhold",
        Finished = "finished",
        Cancelled = "cancelled",
    }
}

closed_set! {
    pub enum KetamineForm {
        Ketamine = "ketamine",
        Esketamine = "esketamine",
    }
}

closed_set! {
    pub enum PregnancyStatus {
        Pregnant = "pregnant",
        NotPregnant = "not-pregnant",
        Unknown = "unknown",
    }
}

closed_set! {
    pub enum ClinicalStatus {
        Active = "active",
        Recurrence = "recurrence",
        Relapse = "relapse",
        Inactive = "inactive",
        Remission = "remission",
        Resolved = "resolved",
    }
}

closed_set! {
    pub enum VerificationStatus {
        Confirmed = "confirmed",
        Provisional = "provisional",
        Unconfirmed = "unconfirmed",
    }
}

closed_set! {
    pub enum MedicationStatus {
        Active = "active",
        Completed = "completed",
        Stopped = "stopped",
        OnHold = "on-hold",
        Unknown = "unknown",
    }
}

closed_set! {
    pub enum AllergyStatus {
        Active = "active",
        Inactive = "inactive",
        Resolved = "resolved",
    }
}

closed_set! {
    pub enum Criticality {
        Low = "low",
        High = "high",
        UnableToAssess = "unable-to-assess",
    }
}
