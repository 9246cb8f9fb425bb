//! KAP records, as openapi.yaml names them: outcomes.
//!
//! Mapping specification §2.9. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use super::{measurement::*, shared::*};
use serde::{Deserialize, Serialize};

/// One or more scored instruments at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outcome {
    pub kind: String,
    pub source: Source,
    pub recorded_at: DateTime,
    pub author: Practitioner,
    pub patient: PatientReference,
    pub course: Course,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security: Vec<SecurityMark>,
    pub at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<OutcomePhase>,
    pub results: Vec<Score>,
}

closed_set! {
    pub enum OutcomePhase {
        Baseline = "baseline",
        During = "during",
        EndOfInduction = "end-of-induction",
        FollowUp = "follow-up",
        EndOfCourse = "end-of-course",
    }
}
