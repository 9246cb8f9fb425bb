//! KAP records, as openapi.yaml names them: what check-ins and course closures share.
//!
//! Mapping specification §2.8, §2.10. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use super::shared::*;
use serde::{Deserialize, Serialize};

/// Who sends or receives. Exactly one of the three.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Party {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<Practitioner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
}

/// A message that was sent, or was to be sent. What it is about is a code; text only as far as it is needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Communication {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub category: CommunicationCategory,
    pub status: CommunicationStatus,
    /// Why it was not sent. Needed with `not-done`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    pub topic: Topic,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<Medium>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_at: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<Party>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Party>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A check-in that is planned (Task). Its record is sent again with another status when it was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduledCheckIn {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
    pub due: DateTime,
    pub status: ScheduledStatus,
    /// Who sees to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Practitioner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Somebody of the care team is concerned that ketamine is taken otherwise than prescribed, or passed on (Flag). It informs, it decides nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MisuseConcern {
    pub status: ConcernStatus,
    pub since: DateTime,
    /// When the concern was given up. Needs `inactive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorder: Option<Practitioner>,
}

closed_set! {
    pub enum CommunicationCategory {
        Alert = "alert",
        Notification = "notification",
        Reminder = "reminder",
        Instruction = "instruction",
    }
}

closed_set! {
    pub enum CommunicationStatus {
        Preparation = "preparation",
        InProgress = "in-progress",
        Completed = "completed",
        NotDone = "not-done",
    }
}

closed_set! {
    pub enum Topic {
        SuicidalThoughts = "suicidal-thoughts",
        AdverseEvent = "adverse-event",
        Suitability = "suitability",
        Referral = "referral",
        Appointment = "appointment",
        Medication = "medication",
        TestResult = "test-result",
        CourseEnd = "course-end",
        Other = "other",
    }
}

closed_set! {
    pub enum Medium {
        InPerson = "in-person",
        Phone = "phone",
        Video = "video",
        Email = "email",
        Mail = "mail",
        Fax = "fax",
        Online = "online",
    }
}

closed_set! {
    /// How long after the dose a check-in is, or that it belongs to maintenance.
    pub enum Timing {
        Hours24 = "24-hours",
        Hours72 = "72-hours",
        Days7 = "7-days",
        Maintenance = "maintenance",
        Other = "other",
    }
}

closed_set! {
    pub enum ScheduledStatus {
        Requested = "requested",
        InProgress = "in-progress",
        Completed = "completed",
        Cancelled = "cancelled",
    }
}

closed_set! {
    pub enum ConcernStatus {
        Active = "active",
        Inactive = "inactive",
    }
}
