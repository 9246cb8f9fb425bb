//! KAP records, as openapi.yaml names them: the care team and the plan.
//!
//! Mapping specification §2.4.

use super::super::values::*;
use super::{dosing_session::Order, shared::*};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Qualification {
    pub credential: Credential,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<SystemIdentifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamMember {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub practitioner: Practitioner,
    pub role: TeamRole,
    /// NUCC provider taxonomy codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub specialties: Vec<Specialty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
    /// Registration with the US Drug Enforcement Administration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dea_number: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub qualifications: Vec<Qualification>,
}

/// The intent of the course (CarePlan).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    pub status: PlanStatus,
    pub description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<Goal>,
    /// Planned steps in words: number of sessions, integration cadence, monitoring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
}

closed_set! {
    pub enum Specialty {
        N2084P0800X = "2084P0800X",
        N207L00000X = "207L00000X",
        N363LP0808X = "363LP0808X",
        N363A00000X = "363A00000X",
        N367500000X = "367500000X",
        N163W00000X = "163W00000X",
        N1041C0700X = "1041C0700X",
        N101YP2500X = "101YP2500X",
        N101YM0800X = "101YM0800X",
        N106H00000X = "106H00000X",
        N103T00000X = "103T00000X",
        N103TC0700X = "103TC0700X",
    }
}

closed_set! {
    pub enum Credential {
        MD = "MD",
        DO = "DO",
        NP = "NP",
        PA = "PA",
        RN = "RN",
        PHD = "PHD",
        LCSW = "LCSW",
        LPC = "LPC",
        LMFT = "LMFT",
        PSYD = "PSYD",
        DNP = "DNP",
        LCP = "LCP",
        KetamineTrainingCertificate = "ketamine-training-certificate",
    }
}

closed_set! {
    pub enum PlanStatus {
        Draft = "draft",
        Active = "active",
        OnHold = "on-hold",
        Revoked = "revoked",
        Completed = "completed",
    }
}
