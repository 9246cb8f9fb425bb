//! KAP records, as openapi.yaml names them: laboratory results and pregnancy tests.
//!
//! Mapping specification §2.2, §2.10. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PregnancyTest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub specimen: PregnancyTestSpecimen,
    pub result: PregnancyTestResult,
    pub at: DateTime,
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

closed_set! {
    pub enum PregnancyTestSpecimen {
        Urine = "urine",
        Serum = "serum",
    }
}

closed_set! {
    pub enum PregnancyTestResult {
        Positive = "positive",
        Negative = "negative",
    }
}
