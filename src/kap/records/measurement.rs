//! KAP records, as openapi.yaml names them: vital signs and scored instruments.
//!
//! Mapping specification §2.6, §2.9. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use super::shared::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BloodPressure {
    pub systolic: Quantity,
    pub diastolic: Quantity,
}

/// Vital signs taken at one time. At least one measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vitals {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timepoint: Option<Timepoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blood_pressure: Option<BloodPressure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_arterial_pressure: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heart_rate: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub respiratory_rate: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oxygen_saturation: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_mass_index: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performer: Option<Practitioner>,
    /// Measured by the patient, unwitnessed. Excludes `performer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_reported: Option<bool>,
    /// What it was measured with, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// Where in the session; `minutes` counts from the start of the first dose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Timepoint {
    pub phase: Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Item {
    /// As the registry names it: mostly its number; `difficulty` for the PHQ-9 question that is not summed; C-SSRS: 1 to 5, `6-lifetime`, `6-3-months`.
    pub item: String,
    /// The points as the form gives them; yes is 1, no is 0. What counts the other way round is turned by the gateway.
    pub answer: i64,
}

/// The score to compare with. The gateway computes points, percent, direction, response and remission where the instrument defines them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Baseline {
    pub score: Decimal,
    /// The outcome record that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordReference>,
}

/// One score of one instrument. With `items` the gateway recomputes the total and refuses a `score` that differs; with an item missing no total is computed. Licensed instruments carry totals only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Score {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub instrument: InstrumentKey,
    /// Where it differs from the record's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timepoint: Option<Timepoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<Decimal>,
    /// Screens with tiers only (C-SSRS): the tier, by the rule that `method` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_level: Option<RiskLevel>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// Version or scoring rule, for example `raw` or `T-score`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<AnsweredBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performer: Option<Practitioner>,
    /// The score to compare with. The gateway computes points, percent, direction, response and remission where the instrument defines them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
}

closed_set! {
    pub enum Phase {
        PreDose = "pre-dose",
        During = "during",
        Peak = "peak",
        PreDischarge = "pre-discharge",
        PostDischarge = "post-discharge",
    }
}

closed_set! {
    pub enum RiskLevel {
        None = "none",
        Low = "low",
        Moderate = "moderate",
        High = "high",
    }
}

closed_set! {
    pub enum AnsweredBy {
        Patient = "patient",
        Clinician = "clinician",
    }
}
