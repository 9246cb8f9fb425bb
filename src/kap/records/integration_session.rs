//! KAP records, as openapi.yaml names them: the integration session.
//!
//! Mapping specification §2.7. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use super::{dosing_session::SessionFormat, measurement::*, shared::*};
use serde::{Deserialize, Serialize};

/// The patient's own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Insight {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub text: String,
    /// The patient wants it restricted (PRS).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restricted: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Homework {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub description: String,
    pub status: HomeworkStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NextStep {
    pub step: Step,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One integration session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IntegrationSession {
    pub kind: String,
    pub source: Source,
    pub recorded_at: DateTime,
    pub author: Practitioner,
    pub patient: PatientReference,
    pub course: Course,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security: Vec<SecurityMark>,
    pub contact: Contact,
    pub format: SessionFormat,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// The dosing sessions that this session integrates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub integrates: Vec<RecordReference>,
    pub modalities: Vec<Termed>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub themes: Vec<Theme>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub insights: Vec<Insight>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub homework: Vec<Homework>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<Goal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<NextStep>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<Score>,
    /// The shareable summary: progress to date, symptoms, plan. No process notes.
    pub summary: Document,
    /// Group counselling note about this patient only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_note: Option<Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psychotherapy_note: Option<PsychotherapyNote>,
}

closed_set! {
    pub enum Theme {
        SelfCompassion = "self-compassion",
        Grief = "grief",
        TraumaProcessing = "trauma-processing",
        Identity = "identity",
        Relationships = "relationships",
        MeaningPurpose = "meaning-purpose",
        Spirituality = "spirituality",
        ProfessionalValues = "professional-values",
        Embodiment = "embodiment",
        Fear = "fear",
    }
}

closed_set! {
    pub enum HomeworkStatus {
        Requested = "requested",
        InProgress = "in-progress",
        Completed = "completed",
        Cancelled = "cancelled",
    }
}

closed_set! {
    pub enum Step {
        Continue = "continue",
        AdjustDose = "adjust-dose",
        ChangeRoute = "change-route",
        Pause = "pause",
        End = "end",
        Refer = "refer",
    }
}
