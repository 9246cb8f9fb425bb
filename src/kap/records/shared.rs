//! KAP records, as openapi.yaml names them: words that every kind uses.
//!
//! Mapping specification §2.1, §2.4. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use serde::{Deserialize, Serialize};

/// Key of a scale of the registry (`kap::instruments`); the check has held it to those that are known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstrumentKey(pub String);

impl InstrumentKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The sender's own code. A code that the gateway knows is sent on as a Coding with its official display. One that it does not know is kept beside the text, tagged for review, and answered with a warning: it is never dropped and never guessed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Code {
    pub system: String,
    pub code: String,
}

/// The sender's words, with the sender's codes where there are any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CodedText {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    pub text: String,
}

/// Where the record comes from. System, kind and record id make every FHIR id, so a record that is sent twice changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The sending system. Two systems may use the same record id.
    pub system: String,
    pub record_id: String,
    /// Orders the corrections of one record: an integer that grows, or the instant of the change. A record keeps to one of the two. The same revision with the same content changes nothing; a higher one replaces; a lower one, or the same with other content, is a 409.
    pub revision: Revision,
}

/// A value that is unique within its system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SystemIdentifier {
    pub system: String,
    pub value: String,
}

/// Another record, of the same system unless a system is named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordReference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    pub record_id: String,
}

/// A consent that an intake holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsentReference {
    pub record: RecordReference,
    /// The `id` of the consent in that intake.
    pub consent: String,
}

/// The patient, by an identifier that the intake carries too. No name is needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatientReference {
    pub identifier: SystemIdentifier,
}

/// The KAP course that the record belongs to (EpisodeOfCare).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Course {
    pub identifier: SystemIdentifier,
}

/// A professional, named by an identifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Practitioner {
    pub identifier: SystemIdentifier,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Organization {
    pub identifier: SystemIdentifier,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContactPoint {
    pub system: ContactPointSystem,
    pub value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#use: Option<ContactPointUse>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HumanName {
    pub family: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suffix: Vec<String>,
}

/// Somebody in the patient's life. Never the name or the diagnosis of another patient of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelatedPerson {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationship: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub telecom: Vec<ContactPoint>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Place {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<PlaceKind>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Participant {
    pub practitioner: Practitioner,
    pub role: TeamRole,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
}

/// Somebody who is with the patient and treats nobody. Never another patient of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Companion {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub person: RelatedPerson,
    pub role: CompanionRole,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
}

/// For a group session. The pseudonym is this patient's own and names no other participant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Group {
    pub pseudonym: SystemIdentifier,
    pub size: i64,
    /// The group confidentiality agreement among an intake's consents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidentiality_agreement: Option<ConsentReference>,
}

/// The encounter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contact {
    pub status: ContactStatus,
    pub start: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<DateTime>,
    /// In the clinic, supervised by telehealth, or at home.
    pub setting: Setting,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<Companion>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Practitioner>,
}

/// That a psychotherapy note exists (45 CFR 164.501), never its text: the note stays in its author's system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PsychotherapyNote {
    pub exists: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<SystemIdentifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Practitioner>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GoalTarget {
    pub instrument: InstrumentKey,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparator: Option<GoalTargetComparator>,
    pub score: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Goal {
    /// The same id in intake and integration names the same goal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub description: String,
    pub status: GoalStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub achievement: Option<GoalAchievement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<GoalTarget>,
}

closed_set! {
    pub enum SecurityMark {
        TestData = "test-data",
        EmployeeRecord = "employee-record",
        PatientRestricted = "patient-restricted",
    }
}

closed_set! {
    pub enum TeamRole {
        Prescriber = "prescriber",
        Therapist = "therapist",
        MonitoringNurse = "monitoring-nurse",
        Sitter = "sitter",
    }
}

closed_set! {
    pub enum CompanionRole {
        Sitter = "sitter",
        Partner = "partner",
        SupportPerson = "support-person",
    }
}

closed_set! {
    pub enum ContactPointSystem {
        Phone = "phone",
        Email = "email",
        Sms = "sms",
        Fax = "fax",
    }
}

closed_set! {
    pub enum ContactPointUse {
        Home = "home",
        Work = "work",
        Mobile = "mobile",
    }
}

closed_set! {
    pub enum ContactStatus {
        InProgress = "in-progress",
        Finished = "finished",
        Cancelled = "cancelled",
    }
}

closed_set! {
    pub enum Setting {
        Clinic = "clinic",
        Telehealth = "telehealth",
        Home = "home",
    }
}

closed_set! {
    pub enum PlaceKind {
        ProviderOffice = "provider-office",
        PatientResidence = "patient-residence",
    }
}

closed_set! {
    pub enum Presence {
        Physical = "physical",
        Video = "video",
    }
}

closed_set! {
    pub enum GoalStatus {
        Proposed = "proposed",
        Planned = "planned",
        Accepted = "accepted",
        Active = "active",
        OnHold = "on-hold",
        Completed = "completed",
        Cancelled = "cancelled",
    }
}

closed_set! {
    pub enum GoalAchievement {
        InProgress = "in-progress",
        Improving = "improving",
        Achieved = "achieved",
        NotAchieved = "not-achieved",
    }
}

closed_set! {
    pub enum GoalTargetComparator {
        Less = "<",
        LessOrEqual = "<=",
        GreaterOrEqual = ">=",
        Greater = ">",
    }
}
