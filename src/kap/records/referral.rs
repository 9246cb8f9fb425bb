//! KAP records, as openapi.yaml names them: referrals, and the decision on suitability.
//!
//! Mapping specification §2.2, §2.3. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use super::shared::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Referral {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub service: ReferralService,
    pub status: ReferralStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<ReferralPriority>,
    /// The state in the clinic's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_status: Option<String>,
    /// When the state was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime>,
    /// Who is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Organization>,
    pub referred_at: DateTime,
    /// Absent where the patient came of their own accord.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<Practitioner>,
    pub reasons: Vec<Termed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letter: Option<Document>,
}

/// A result of the same intake, by its list and its `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestsOn {
    pub list: ScreeningList,
    pub id: String,
}

/// The decision of a prescriber. A reason is needed unless it is `suitable`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Suitability {
    pub decision: SuitabilityDecision,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Termed>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// How risk and benefit were weighed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_benefit: Option<String>,
    /// The screening results of this intake that the decision rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rests_on: Vec<RestsOn>,
    /// A prescriber of the care team.
    pub decided_by: Practitioner,
    pub decided_at: DateTime,
}

closed_set! {
    pub enum ReferralService {
        Psychiatrist = "psychiatrist",
        Psychotherapist = "psychotherapist",
        PsychiatryService = "psychiatry-service",
        KetamineAssistedPsychotherapy = "ketamine-assisted-psychotherapy",
    }
}

closed_set! {
    pub enum ReferralStatus {
        Requested = "requested",
        Received = "received",
        Accepted = "accepted",
        Rejected = "rejected",
        InProgress = "in-progress",
        Completed = "completed",
        Cancelled = "cancelled",
    }
}

closed_set! {
    pub enum ReferralPriority {
        Routine = "routine",
        Urgent = "urgent",
        Asap = "asap",
        Stat = "stat",
    }
}

closed_set! {
    pub enum ScreeningList {
        Results = "results",
        Labs = "labs",
        Vitals = "vitals",
    }
}

closed_set! {
    pub enum SuitabilityDecision {
        Suitable = "suitable",
        SuitableWithConditions = "suitable-with-conditions",
        Deferred = "deferred",
        NotSuitable = "not-suitable",
        WithdrawnByPatient = "withdrawn-by-patient",
    }
}
