//! KAP records, as openapi.yaml names them: adverse events and what answers them. Mapping
//! specification §2.6.
//!
//! Each struct is one schema of the contract, field by field; the contract test holds them together.

use super::super::values::*;
use super::shared::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdverseEvent {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub event: Termed,
    pub category: EventCategory,
    pub at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<DateTime>,
    pub severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seriousness: Option<Seriousness>,
    pub outcome: EventOutcome,
    /// The `id` of a dose of this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspect_dose: Option<String>,
    /// How far the suspect dose caused it, in the sender's words. Needs `suspectDose`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorder: Option<Practitioner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RescueMedication {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub medicine: Termed,
    pub dose: Quantity,
    pub route: Termed,
    pub at: DateTime,
    pub performer: Practitioner,
    /// The `id` of an adverse event of this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_adverse_event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SupportMeasure {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub measure: Measure,
    pub at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performer: Option<Practitioner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_adverse_event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

closed_set! {
    pub enum EventCategory {
        Medical = "medical",
        Emotional = "emotional",
    }
}

closed_set! {
    pub enum Severity {
        Mild = "mild",
        Moderate = "moderate",
        Severe = "severe",
    }
}

closed_set! {
    pub enum Seriousness {
        Serious = "serious",
        NonSerious = "non-serious",
    }
}

closed_set! {
    pub enum EventOutcome {
        Resolved = "resolved",
        Recovering = "recovering",
        Ongoing = "ongoing",
        ResolvedWithSequelae = "resolved-with-sequelae",
        Fatal = "fatal",
        Unknown = "unknown",
    }
}

closed_set! {
    pub enum Measure {
        Grounding = "grounding",
        Reassurance = "reassurance",
        EnvironmentAdjustment = "environment-adjustment",
    }
}
