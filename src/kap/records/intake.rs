//! KAP records, as openapi.yaml names them: the intake.
//!
//! Mapping specification §2.1 to §2.4. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use super::{dosing_session::Order, measurement::*, shared::*};
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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Occupation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PregnancyTests {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub specimen: PregnancyTestsSpecimen,
    pub result: PregnancyTestsResult,
    pub at: DateTime,
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
    pub tests: Vec<PregnancyTests>,
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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Referral {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub service: ReferralService,
    pub status: ReferralStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<ReferralPriority>,
    pub referred_at: DateTime,
    /// Absent where the patient came of their own accord.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<Practitioner>,
    pub reasons: Vec<Termed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letter: Option<Document>,
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

/// One laboratory result, with `value` or `finding`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lab {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// By term, or by the sender's text. One of the two is needed.
    pub test: Termed,
    pub at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_low: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_high: Option<Quantity>,
}

/// The decision of a prescriber. A reason is needed unless it is `suitable`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Suitability {
    pub decision: SuitabilityDecision,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Termed>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// A prescriber of the care team.
    pub decided_by: Practitioner,
    pub decided_at: DateTime,
}

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
    /// The policy or form that was signed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Qualification {
    pub credential: Credential,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<SystemIdentifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamMember {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub practitioner: Practitioner,
    pub role: TeamRole,
    /// NUCC provider taxonomy codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub specialties: Vec<Specialty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub qualifications: Vec<Qualification>,
}

/// The intent of the course (CarePlan).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    pub status: PlanStatus,
    pub description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<Goal>,
    /// Planned steps in words: number of sessions, integration cadence, monitoring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
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
    pub enum PregnancyTestsSpecimen {
        Urine = "urine",
        Serum = "serum",
    }
}

closed_set! {
    pub enum PregnancyTestsResult {
        Positive = "positive",
        Negative = "negative",
    }
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

closed_set! {
    pub enum ReferralService {
        Psychiatrist = "psychiatrist",
        Psychotherapist = "psychotherapist",
        PsychiatryService = "psychiatry-service",
        KetamineAssistedPsychotherapy = "ketamine-assisted-psychotherapy",
    }
}

closed_set! {
    pub enum ReferralStatus {
        Requested = "requested",
        Received = "received",
        Accepted = "accepted",
        Rejected = "rejected",
        InProgress = "in-progress",
        Completed = "completed",
        Cancelled = "cancelled",
    }
}

closed_set! {
    pub enum ReferralPriority {
        Routine = "routine",
        Urgent = "urgent",
        Asap = "asap",
        Stat = "stat",
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

closed_set! {
    pub enum SuitabilityDecision {
        Suitable = "suitable",
        SuitableWithConditions = "suitable-with-conditions",
        Deferred = "deferred",
        NotSuitable = "not-suitable",
        WithdrawnByPatient = "withdrawn-by-patient",
    }
}

closed_set! {
    pub enum ConsentType {
        Treatment = "treatment",
        InformationSharing = "information-sharing",
        PsychotherapyNotesAuthorization = "psychotherapy-notes-authorization",
        Part2 = "part-2",
        GroupConfidentiality = "group-confidentiality",
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
    pub enum Specialty {
        N2084P0800X = "2084P0800X",
        N207L00000X = "207L00000X",
        N363LP0808X = "363LP0808X",
        N363A00000X = "363A00000X",
        N367500000X = "367500000X",
        N163W00000X = "163W00000X",
        N1041C0700X = "1041C0700X",
        N101YP2500X = "101YP2500X",
        N101YM0800X = "101YM0800X",
        N106H00000X = "106H00000X",
        N103T00000X = "103T00000X",
        N103TC0700X = "103TC0700X",
    }
}

closed_set! {
    pub enum Credential {
        MD = "MD",
        DO = "DO",
        NP = "NP",
        PA = "PA",
        RN = "RN",
        PHD = "PHD",
        LCSW = "LCSW",
        LPC = "LPC",
        LMFT = "LMFT",
        PSYD = "PSYD",
        DNP = "DNP",
        LCP = "LCP",
        KetamineTrainingCertificate = "ketamine-training-certificate",
    }
}

closed_set! {
    pub enum PlanStatus {
        Draft = "draft",
        Active = "active",
        OnHold = "on-hold",
        Revoked = "revoked",
        Completed = "completed",
    }
}
