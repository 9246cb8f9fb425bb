//! The typed KAP records: what the contract lets through, in types.

pub mod adverse_event;
pub mod check_in;
pub mod consent;
pub mod course_closure;
pub mod dosing_session;
pub mod follow_up;
pub mod intake;
pub mod integration_session;
pub mod laboratory;
pub mod measurement;
pub mod outcome;
pub mod patient;
pub mod patient_merge;
pub mod plan;
pub mod preparation_session;
pub mod product;
pub mod referral;
pub mod shared;
pub mod withdrawal;

use super::kind::Kind;
use super::values::DateTime;
use serde_json::Value;
use shared::{Practitioner, SecurityMark, Source, SystemIdentifier};

/// A record of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    Intake(Box<intake::Intake>),
    PreparationSession(Box<preparation_session::PreparationSession>),
    DosingSession(Box<dosing_session::DosingSession>),
    IntegrationSession(Box<integration_session::IntegrationSession>),
    CheckIn(Box<check_in::CheckIn>),
    Outcome(Box<outcome::Outcome>),
    CourseClosure(Box<course_closure::CourseClosure>),
}

/// A borrowed identifier, whichever struct of the contract holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentifierRef<'a> {
    pub system: &'a str,
    pub value: &'a str,
}

impl<'a> From<&'a SystemIdentifier> for IdentifierRef<'a> {
    fn from(identifier: &'a SystemIdentifier) -> Self {
        Self { system: &identifier.system, value: &identifier.value }
    }
}

impl<'a> From<&'a intake::PatientIdentifier> for IdentifierRef<'a> {
    fn from(identifier: &'a intake::PatientIdentifier) -> Self {
        Self { system: &identifier.system, value: &identifier.value }
    }
}

/// What every record says about itself.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    pub kind: Kind,
    pub source: &'a Source,
    pub recorded_at: &'a DateTime,
    pub author: &'a Practitioner,
    /// The patient's first identifier: it makes the FHIR id.
    pub patient: IdentifierRef<'a>,
    pub course: IdentifierRef<'a>,
    pub security: &'a [SecurityMark],
}

impl Record {
    /// Reads a record that the contract's check has let through; an error means that the types and openapi.yaml
    /// disagree.
    pub fn from_value(kind: Kind, record: Value) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            Kind::Intake => Self::Intake(serde_json::from_value(record)?),
            Kind::PreparationSession => Self::PreparationSession(serde_json::from_value(record)?),
            Kind::DosingSession => Self::DosingSession(serde_json::from_value(record)?),
            Kind::IntegrationSession => Self::IntegrationSession(serde_json::from_value(record)?),
            Kind::CheckIn => Self::CheckIn(serde_json::from_value(record)?),
            Kind::Outcome => Self::Outcome(serde_json::from_value(record)?),
            Kind::CourseClosure => Self::CourseClosure(serde_json::from_value(record)?),
        })
    }

    pub fn to_value(&self) -> Result<Value, serde_json::Error> {
        match self {
            Self::Intake(record) => serde_json::to_value(record),
            Self::PreparationSession(record) => serde_json::to_value(record),
            Self::DosingSession(record) => serde_json::to_value(record),
            Self::IntegrationSession(record) => serde_json::to_value(record),
            Self::CheckIn(record) => serde_json::to_value(record),
            Self::Outcome(record) => serde_json::to_value(record),
            Self::CourseClosure(record) => serde_json::to_value(record),
        }
    }

    /// Every identifier that the record gives its patient, the first first.
    pub fn patient_identifiers(&self) -> Vec<IdentifierRef<'_>> {
        match self {
            Self::Intake(record) => record.patient.identifiers.iter().map(IdentifierRef::from).collect(),
            Self::PreparationSession(_)
            | Self::DosingSession(_)
            | Self::IntegrationSession(_)
            | Self::CheckIn(_)
            | Self::Outcome(_)
            | Self::CourseClosure(_) => vec![self.header().patient],
        }
    }

    pub fn header(&self) -> Header<'_> {
        /// The same six fields by the same names; only the intake's patient has more than one identifier.
        macro_rules! header {
            ($kind:expr, $record:expr, $patient:expr) => {
                Header {
                    kind: $kind,
                    source: &$record.source,
                    recorded_at: &$record.recorded_at,
                    author: &$record.author,
                    patient: ($patient).into(),
                    course: (&$record.course.identifier).into(),
                    security: &$record.security,
                }
            };
        }
        match self {
            Self::Intake(record) => {
                header!(Kind::Intake, record, &record.patient.identifiers.first)
            }
            Self::DosingSession(record) => {
                header!(Kind::DosingSession, record, &record.patient.identifier)
            }
            Self::IntegrationSession(record) => {
                header!(Kind::IntegrationSession, record, &record.patient.identifier)
            }
            Self::PreparationSession(record) => {
                header!(Kind::PreparationSession, record, &record.patient.identifier)
            }
            Self::CheckIn(record) => header!(Kind::CheckIn, record, &record.patient.identifier),
            Self::Outcome(record) => header!(Kind::Outcome, record, &record.patient.identifier),
            Self::CourseClosure(record) => header!(Kind::CourseClosure, record, &record.patient.identifier),
        }
    }
}
