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
    /// The number of the item; `difficulty` for the PHQ-9 question that is not summed; C-SSRS: 1 to 5, `6-lifetime`, `6-3-months`.
    pub item: String,
    /// The points; yes is 1, no is 0.
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
    pub instrument: Instrument,
    /// Where it differs from the record's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timepoint: Option<Timepoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<Decimal>,
    /// C-SSRS screener only: the tier, by the rule that `method` names.
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

closed_set! {
    pub enum Instrument {
        Phq9 = "phq-9",
        Gad7 = "gad-7",
        Pcl5 = "pcl-5",
        CSsrsScreener = "c-ssrs-screener",
        AuditC = "audit-c",
        Audit = "audit",
        Dast10 = "dast-10",
        Madrs = "madrs",
        HamD17 = "ham-d17",
        QidsSr16 = "qids-sr16",
        BdiIi = "bdi-ii",
        Who5Raw = "who-5-raw",
        Who5Percent = "who-5-percent",
        Whodas2 = "whodas-2",
        CgiS = "cgi-s",
        CgiI = "cgi-i",
        PgiC = "pgi-c",
        ProqolCs = "proqol-cs",
        ProqolBo = "proqol-bo",
        ProqolSts = "proqol-sts",
        MbiEe = "mbi-ee",
        MbiDp = "mbi-dp",
        MbiPa = "mbi-pa",
        CbiPersonal = "cbi-personal",
        CbiWork = "cbi-work",
        CbiClient = "cbi-client",
        Bat12 = "bat-12",
        Bat23 = "bat-23",
        BpiInterference = "bpi-interference",
        PainNrs = "pain-nrs",
        Isi = "isi",
        Eq5dVas = "eq-5d-vas",
        Moca = "moca",
        Mdq = "mdq",
        Cadss = "cadss",
        Cadss6 = "cadss-6",
        MoaaS = "moaa-s",
        Rass = "rass",
        Ramsay = "ramsay",
        NauseaNrs = "nausea-nrs",
        Aldrete = "aldrete",
        Mpadss = "mpadss",
        Meq30Mystical = "meq30-mystical",
        Meq30Positive = "meq30-positive",
        Meq30Transcendence = "meq30-transcendence",
        Meq30Ineffability = "meq30-ineffability",
        Ebi = "ebi",
        Ceq = "ceq",
        FiveDAsc = "5d-asc",
        Ies = "ies",
        Eis = "eis",
        Icsi = "icsi",
        Icpi = "icpi",
        BpicSs = "bpic-ss",
    }
}
