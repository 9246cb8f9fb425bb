//! KAP records, as openapi.yaml names them: the preparation session.
//!
//! Mapping specification §2.4. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use super::dosing_session::{SessionFormat, SetAndSetting};
use super::{measurement::*, shared::*};
use serde::{Deserialize, Serialize};

/// Something that was explained or talked through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Activity {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub activity: ActivityTerm,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performer: Option<Practitioner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The patient's intention. Labelled as protected from the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Intention {
    pub text: String,
    /// The patient wants it restricted (PRS).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restricted: Option<bool>,
}

/// One preparation session, before a dose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreparationSession {
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<Activity>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modalities: Vec<Termed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intention: Option<Intention>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_and_setting: Option<SetAndSetting>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<Goal>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<Score>,
    /// The shareable summary: what was agreed. No process notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Document>,
    /// Group counselling note about this patient only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_note: Option<Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psychotherapy_note: Option<PsychotherapyNote>,
}

closed_set! {
    pub enum ActivityTerm {
        Psychoeducation = "psychoeducation",
        ExpectationSetting = "expectation-setting",
        FastingInstructions = "fasting-instructions",
    }
}
