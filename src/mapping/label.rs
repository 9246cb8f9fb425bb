//! Security labels that a resource carries from its first write: mapping specification §6.2.
//!
//! Each resource gets the label of its content, made stricter by the marks of its record, never weaker.

use super::systems::{ACT_CODE, ACT_REASON, CONFIDENTIALITY};
use crate::fhir::build::coding;
use crate::fhir::model::types::Coding;
use crate::kap::records::shared::SecurityMark;

/// What a resource holds, as far as its sensitivity goes; the later the stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// Demographics, vitals, labs, allergies, other medicines.
    Normal,
    /// Ketamine doses and orders, contacts, adverse events, scores, the integration summary.
    MentalHealth,
    /// Diagnoses, and what the patient says: intention, insight, themes.
    Psychiatric,
    /// Substance use: conditions, AUDIT, DAST, drug screens.
    SubstanceUse,
    /// That a psychotherapy note exists (45 CFR 164.501).
    PsychotherapyNote,
}

/// `meta.security` for one resource.
pub fn security(label: Label, marks: &[SecurityMark]) -> Vec<Coding> {
    let employee = marks.contains(&SecurityMark::EmployeeRecord);
    let restricted = marks.contains(&SecurityMark::PatientRestricted);
    let act = |code, display| coding(ACT_CODE, code, display);
    let confidentiality = match label {
        Label::PsychotherapyNote => coding(CONFIDENTIALITY, "V", "very restricted"),
        Label::Normal if !employee && !restricted => coding(CONFIDENTIALITY, "N", "normal"),
        Label::Normal | Label::MentalHealth | Label::Psychiatric | Label::SubstanceUse => {
            coding(CONFIDENTIALITY, "R", "restricted")
        }
    };
    let mut labels = vec![confidentiality];
    match label {
        Label::Normal => {}
        Label::MentalHealth => labels.push(act("MH", "mental health information sensitivity")),
        Label::Psychiatric => labels.push(act("PSY", "psychiatry disorder information sensitivity")),
        Label::SubstanceUse => {
            labels.push(act("SUD", "substance use disorder information sensitivity"));
            labels.push(act("NORDSCLCD", "no redisclosure without consent directive"));
        }
        Label::PsychotherapyNote => {
            labels.push(act("PSYTHPN", "psychotherapy note information sensitivity"));
            labels.push(act("HIPAAPsyNotes", "HIPAA psychotherapy notes"));
            labels.push(act("NODSCLCD", "no disclosure without consent directive"));
            labels.push(act("NOREUSE", "no reuse beyond purpose of use"));
        }
    }
    // In the record's order, so that the way back finds it again.
    for mark in marks {
        let (system, code, display) = mark_label(*mark);
        labels.push(coding(system, code, display));
    }
    labels
}

fn mark_label(mark: SecurityMark) -> (&'static str, &'static str, &'static str) {
    match mark {
        SecurityMark::TestData => (ACT_REASON, "HTEST", "test health data"),
        SecurityMark::EmployeeRecord => (ACT_CODE, "EMP", "employee information sensitivity"),
        SecurityMark::PatientRestricted => (ACT_CODE, "PRS", "patient requested information sensitivity"),
    }
}

/// The marks of a record, read back from one of its resources.
pub fn marks(security: &[Coding]) -> Vec<SecurityMark> {
    let code_of = |label: &Coding| label.code.as_ref().and_then(|code| code.value.clone());
    security
        .iter()
        .filter_map(|label| {
            let code = code_of(label)?;
            SecurityMark::ALL.iter().copied().find(|mark| mark_label(*mark).1 == code)
        })
        .collect()
}
