//! KAP records, as openapi.yaml names them: the course closure.
//!
//! Mapping specification §2.10, D-21. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use super::follow_up::*;
use super::intake::{Lab, ReferralPriority};
use super::{measurement::*, shared::*};
use serde::{Deserialize, Serialize};

/// To whom. One of the two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Addressee {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<Practitioner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
}

/// To whom the patient is referred at the end (ServiceRequest).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnwardReferral {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub service: OnwardService,
    pub referred_at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<ReferralPriority>,
    /// Where it is another than the author of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<Practitioner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Addressee>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Termed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// That the course is paused, goes on, or is over. EpisodeOfCare and, where `intake` names it, CarePlan take the state; what was said of them before stays in their history. A correction or an older state never undoes a later one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CourseClosure {
    pub kind: String,
    pub source: Source,
    pub recorded_at: DateTime,
    pub author: Practitioner,
    pub patient: PatientReference,
    pub course: Course,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security: Vec<SecurityMark>,
    pub at: DateTime,
    pub change: CourseChange,
    /// Why, by term or by the sender's text. One of the two is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Termed>,
    /// Was the plan carried out, benefit or not? The care plan becomes `completed`, else `revoked`. Needed with `end`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_carried_out: Option<bool>,
    /// The intake that holds the care plan. Without it the care plan keeps its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intake: Option<RecordReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Practitioner>,
    /// The last visit or call, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vitals: Vec<Vitals>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labs: Vec<Lab>,
    /// The last scales.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<Score>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<Goal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misuse_concern: Option<MisuseConcern>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referrals: Vec<OnwardReferral>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub communications: Vec<Communication>,
    /// Check-ins that are planned after the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scheduled: Vec<ScheduledCheckIn>,
    /// What is to be done after the course, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up_plan: Option<String>,
    /// The shareable discharge summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Document>,
}

closed_set! {
    /// What becomes of the course.
    pub enum CourseChange {
        Pause = "pause",
        Resume = "resume",
        End = "end",
        Cancel = "cancel",
    }
}

closed_set! {
    pub enum OnwardService {
        PrimaryCare = "primary-care",
        Psychiatrist = "psychiatrist",
        Psychotherapist = "psychotherapist",
        PsychiatryService = "psychiatry-service",
    }
}
