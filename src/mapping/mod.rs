//! The mapping room: a KAP record to FHIR R4 resources, and back.
//!
//! One file per FHIR resource holds both ways of that resource; one file per kind of record puts them in order.
//! Mapping specification §2, §6.2, §9.

pub mod adverse_event;
pub mod allergy_intolerance;
pub mod care_plan;
pub mod care_team;
pub mod check_in;
pub mod claims;
pub mod communication;
pub mod concepts;
pub mod condition;
pub mod consent;
pub mod consent_provision;
pub mod course;
pub mod course_closure;
pub mod course_scores;
pub mod course_state;
pub mod diagnostic_report;
pub mod document_reference;
pub mod dosing_session;
pub mod draft;
pub mod encounter;
pub mod episode_of_care;
pub mod family_member_history;
pub mod flag;
pub mod goal;
pub mod intake;
pub mod integration_session;
pub mod label;
pub mod list;
pub mod medication;
pub mod medication_administration;
pub mod medication_dispense;
pub mod medication_request;
pub mod medication_review;
pub mod medication_statement;
pub mod observation_assessment;
pub mod observation_check_in;
pub mod observation_course;
pub mod observation_evidence;
pub mod observation_fact;
pub mod observation_lab;
pub mod observation_score;
pub mod observation_score_change;
pub mod observation_session;
pub mod observation_suitability;
pub mod observation_theme;
pub mod observation_verdict;
pub mod observation_vitals;
pub mod outcome;
pub mod patient;
pub mod patient_link;
pub mod preparation_session;
pub mod procedure;
pub mod procedure_preparation;
pub mod procedure_psychotherapy;
pub mod provenance;
pub mod provenance_merge;
pub mod questionnaire_check_in;
pub mod questionnaire_response;
pub mod reading;
pub mod related_person;
pub mod rescue_medication;
pub mod retraction;
#[cfg(test)]
pub mod round_trip;
pub mod service_request;
pub mod service_request_onward;
pub mod systems;
pub mod task_check_in;
pub mod task_homework;
pub mod withdrawal;

use crate::fhir::model::Resource;
use crate::kap::instruments::Registry;
use crate::kap::kind::Kind;
use crate::kap::records::Record;
use draft::{Draft, Entry, Notice};
use reading::{Reading, RebuildError};

/// A record in FHIR.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// Resources named in passing come before those that refer to them; the Provenance is last.
    pub entries: Vec<Entry>,
    /// What the record says of resources that other records own, as far as this record alone knows them: the state of
    /// the course and of its plan. The gateway puts it together with what is stored (`course_state`).
    pub amendments: Vec<Entry>,
    /// What the sender should know: codes kept as text, values computed.
    pub notices: Vec<Notice>,
    pub patient_id: String,
    pub course_id: String,
}

/// Maps a record. The same record gives the same resources with the same ids. `patient_id`: the `Patient.id` that the
/// patient is already known by; otherwise the record's first identifier makes it. `instruments`: those that the record
/// was checked with.
pub fn map(record: &Record, patient_id: Option<String>, instruments: &Registry) -> Mapped {
    let mut draft = Draft::new(record.header(), patient_id, instruments);
    match record {
        Record::Intake(record) => intake::map(&mut draft, record),
        Record::PreparationSession(record) => preparation_session::map(&mut draft, record),
        Record::DosingSession(record) => dosing_session::map(&mut draft, record),
        Record::IntegrationSession(record) => integration_session::map(&mut draft, record),
        Record::CheckIn(record) => check_in::map(&mut draft, record),
        Record::Outcome(record) => outcome::map(&mut draft, record),
        Record::CourseClosure(record) => course_closure::map(&mut draft, record),
    }
    provenance::provenance(&mut draft);
    let (patient_id, course_id) = (draft.patient_id().to_owned(), draft.course_id().to_owned());
    let Draft { mut entries, mut amendments, notices, header, .. } = draft;
    let prefix = source_prefix(header.kind, &header.source.system, &header.source.record_id);
    claims::claim(&mut entries, header.kind.as_str(), &prefix);
    claims::claim(&mut amendments, header.kind.as_str(), &prefix);
    // A stable sort: within each half the order of making stays.
    entries.sort_by_key(|entry| entry.shared.is_none());
    Mapped { entries, amendments, notices, patient_id, course_id }
}

/// What the sources of a record's resources start with.
pub fn source_prefix(kind: Kind, system: &str, record_id: &str) -> String {
    format!("{system}#{}/{record_id}/", kind.as_str())
}

/// Rebuilds a record from its resources, in the order in which it wrote them.
pub fn rebuild(
    kind: Kind,
    system: &str,
    record_id: &str,
    resources: &[Resource],
    instruments: &Registry,
) -> Result<Record, RebuildError> {
    let reading = Reading::new(&source_prefix(kind, system, record_id), resources, instruments);
    let header = provenance::read(&reading)?;
    Ok(match kind {
        Kind::Intake => Record::Intake(Box::new(intake::read(&reading, header)?)),
        Kind::PreparationSession => Record::PreparationSession(Box::new(preparation_session::read(&reading, header)?)),
        Kind::DosingSession => Record::DosingSession(Box::new(dosing_session::read(&reading, header)?)),
        Kind::IntegrationSession => Record::IntegrationSession(Box::new(integration_session::read(&reading, header)?)),
        Kind::CheckIn => Record::CheckIn(Box::new(check_in::read(&reading, header)?)),
        Kind::Outcome => Record::Outcome(Box::new(outcome::read(&reading, header)?)),
        Kind::CourseClosure => Record::CourseClosure(Box::new(course_closure::read(&reading, header)?)),
    })
}

/// Does the record with this source prefix own the resource? Those named in passing belong to no record.
pub fn is_owned(resource: &Resource, prefix: &str) -> bool {
    crate::fhir::resource::identify(resource)
        .and_then(|(_, _, meta)| meta?.source.as_ref()?.value.as_deref())
        .is_some_and(|source| source.starts_with(prefix))
}
