//! Security labels that a resource carries from its first write: mapping specification §6.2.
//!
//! Each resource gets the label of its content, made stricter by the marks of its record, never weaker.

use super::systems::{ACT_CODE, ACT_REASON, CONFIDENTIALITY};
use crate::fhir::build::coding;
use crate::fhir::model::Resource;
use crate::fhir::model::types::Coding;
use crate::fhir::resource::{identify, meta_mut};
use crate::kap::records::shared::SecurityMark;
use serde::Deserialize;
use std::borrow::Cow;

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

/// Gives a resource the labels that its current version has too: the stricter confidentiality, and every other label
/// of both.
pub fn keep(resource: &mut Resource, current: &Resource) {
    let Some((_, _, Some(current))) = identify(current) else { return };
    let Some(Some(meta)) = meta_mut(resource) else { return };
    let rank = |label: &Coding| {
        let is_confidentiality = label.system.as_ref().and_then(|s| s.value.as_deref()) == Some(CONFIDENTIALITY);
        let code = label.code.as_ref().and_then(|code| code.value.as_deref()).filter(|_| is_confidentiality);
        code.and_then(|code| ["N", "R", "V"].iter().position(|own| *own == code))
    };
    let strictest = meta.security.iter().chain(&current.security).max_by_key(|label| rank(label)).cloned();
    let mut labels: Vec<Coding> = strictest.filter(|label| rank(label).is_some()).into_iter().collect();
    for label in meta.security.iter().chain(&current.security) {
        if rank(label).is_none() && !labels.contains(label) {
            labels.push(label.clone());
        }
    }
    meta.security = labels;
}

/// Has a resource every label of its current version, given as JSON, so that `keep` would add none? False also where that
/// cannot be told: the answer spares the reading of the whole version.
pub fn has_all_of(resource: &Resource, current: &[u8]) -> bool {
    let Ok(Labelled { meta }) = serde_json::from_slice(current) else { return false };
    let own = identify(resource).and_then(|(_, _, meta)| Some(&meta?.security)).map_or(&[][..], Vec::as_slice);
    let is_own = |label: &Named<'_>| {
        own.iter().any(|own| {
            own.system.as_ref().and_then(|system| system.value.as_deref()) == label.system.as_deref()
                && own.code.as_ref().and_then(|code| code.value.as_deref()) == label.code.as_deref()
        })
    };
    meta.unwrap_or_default().security.iter().all(is_own)
}

/// A resource as far as its labels are to be known.
#[derive(Deserialize)]
struct Labelled<'a> {
    #[serde(borrow)]
    meta: Option<Labels<'a>>,
}

#[derive(Deserialize, Default)]
struct Labels<'a> {
    #[serde(borrow, default)]
    security: Vec<Named<'a>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    system: Option<Cow<'a, str>>,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::model::resources::Patient;
    use crate::fhir::model::types::Meta;
    use crate::fhir::resource::Emitted;

    fn patient(marks: &[SecurityMark]) -> Resource {
        let meta = Meta { security: security(Label::Normal, marks), ..Default::default() };
        Patient { meta: Some(Box::new(meta)), ..Default::default() }.into_resource()
    }

    fn codes(resource: &Resource) -> Vec<String> {
        let security = identify(resource).and_then(|(_, _, meta)| Some(meta?.security.clone())).unwrap_or_default();
        security.iter().filter_map(|label| label.code.as_ref()?.value.clone()).collect()
    }

    #[test]
    fn a_label_that_is_there_is_never_taken_away() {
        let mut resource = patient(&[SecurityMark::TestData]);
        keep(&mut resource, &patient(&[SecurityMark::EmployeeRecord, SecurityMark::TestData]));
        assert_eq!(codes(&resource), ["R", "HTEST", "EMP"]);
        let mut strict = patient(&[SecurityMark::PatientRestricted]);
        keep(&mut strict, &patient(&[]));
        assert_eq!(codes(&strict), ["R", "PRS"]);
    }

    #[test]
    fn labels_that_are_all_there_already_are_told_from_others() {
        let of = |marks: &[SecurityMark]| crate::fhir::codec::to_json(&patient(marks)).unwrap();
        let both = patient(&[SecurityMark::EmployeeRecord, SecurityMark::TestData]);
        assert!(has_all_of(&both, &of(&[SecurityMark::TestData, SecurityMark::EmployeeRecord])));
        assert!(has_all_of(&both, br#"{"resourceType":"Patient","name":[{"text":"a\"b"}]}"#));
        // N is another label than R, though the less strict.
        assert!(!has_all_of(&both, &of(&[])));
        assert!(!has_all_of(&patient(&[SecurityMark::TestData]), &of(&[SecurityMark::EmployeeRecord])));
        assert!(!has_all_of(&patient(&[]), br#"{"meta":{"security":[{"display":"without a code"}]}}"#));
        assert!(!has_all_of(&patient(&[]), b"[]"));
    }
}
