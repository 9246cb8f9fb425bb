//! KAP records, as openapi.yaml names them: outcomes.
//!
//! Mapping specification §2.9. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use super::intake::{Condition, Medication};
use super::{laboratory::*, measurement::*, shared::*};
use serde::{Deserialize, Serialize};

/// What was measured at one time outside a session: scored instruments, and in long-term monitoring more.
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<Score>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vitals: Vec<Vitals>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labs: Vec<Lab>,
    /// Found since the intake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Begun, changed or stopped since the intake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub medications: Vec<Medication>,
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
