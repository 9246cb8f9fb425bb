//! Condition: indications, and the medical and psychiatric history. Mapping specification §2.2, §6.2.
//!
//! <https://hl7.org/fhir/R4/condition.html>

use super::concepts::{self, by_code};
use super::draft::{Draft, natural_key, word};
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use super::systems::{ICD10CM, extension_url};
use crate::fhir::build;
use crate::fhir::model::resources::{Condition, ConditionAbatement, ConditionOnset};
use crate::fhir::model::types::{Coding, ExtensionValue, Reference};
use crate::kap::records::intake::{self, ClinicalStatus, VerificationStatus};
use crate::kap::records::shared::Code;
use crate::kap::values::Termed;

/// Which list of the intake a condition stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionList {
    Indications,
    History,
}

impl ConditionList {
    /// The list's name in the contract.
    const fn name(self) -> &'static str {
        match self {
            Self::Indications => "indications",
            Self::History => "conditions",
        }
    }

    fn category(self) -> Coding {
        let category = "http://terminology.hl7.org/CodeSystem/condition-category";
        match self {
            Self::Indications => build::coding(category, "encounter-diagnosis", "Encounter Diagnosis"),
            Self::History => build::coding(category, "problem-list-item", "Problem List Item"),
        }
    }
}

/// Pushes the conditions of a list and gives references to them.
pub fn conditions(draft: &mut Draft<'_>, conditions: &[intake::Condition], list: ConditionList) -> Vec<Reference> {
    conditions
        .iter()
        .enumerate()
        .map(|(place, condition)| {
            let slot = draft.slot(list.name(), condition.id.as_deref(), natural_key(&condition.condition));
            let pointer = format!("/{}/{place}/condition", list.name());
            let resource = self::condition(draft, condition, list, &slot, &pointer);
            draft.push(resource);
            draft.reference("Condition", &slot)
        })
        .collect()
}

fn condition(
    draft: &mut Draft<'_>,
    condition: &intake::Condition,
    list: ConditionList,
    slot: &str,
    pointer: &str,
) -> Condition {
    let code = draft.termed(concepts::DIAGNOSIS, &condition.condition, pointer);
    let abatement = condition.abatement.as_deref().map(build::date_time);
    // con-4: only what is no longer active has an abatement; an earlier one stands in an extension.
    let (abatement, earlier) = if is_over(condition.clinical_status) { (abatement, None) } else { (None, abatement) };
    Condition {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, diagnosis_label(&condition.condition)),
        extension: earlier
            .map(|date| build::extension(extension_url("kap-earlier-abatement"), ExtensionValue::DateTime(date)))
            .into_iter()
            .collect(),
        identifier: vec![draft.identifier(slot)],
        clinical_status: Some(Box::new(word(concepts::CLINICAL_STATUS, condition.clinical_status.as_str()))),
        verification_status: condition
            .verification_status
            .map(|status| Box::new(word(concepts::VERIFICATION_STATUS, status.as_str()))),
        category: vec![build::concept(list.category())],
        code: Some(Box::new(code)),
        subject: Box::new(draft.patient()),
        encounter: draft.contact(),
        onset: condition.onset.as_deref().map(|onset| ConditionOnset::DateTime(build::date_time(onset))),
        abatement: abatement.map(ConditionAbatement::DateTime),
        note: condition.note.iter().map(|note| build::annotation(note)).collect(),
        ..Default::default()
    }
}

const fn is_over(status: ClinicalStatus) -> bool {
    match status {
        ClinicalStatus::Inactive | ClinicalStatus::Remission | ClinicalStatus::Resolved => true,
        ClinicalStatus::Active | ClinicalStatus::Recurrence | ClinicalStatus::Relapse => false,
    }
}

// ---------------------------------------------------------------- sensitivity

const SUBSTANCE_USE: &[&str] =
    &["alcohol-dependence", "opioid-dependence", "drug-dependence", "ketamine-dependence", "ketamine-harmful-use"];

const PSYCHIATRIC: &[&str] = &[
    "treatment-resistant-depression",
    "major-depressive-disorder",
    "ptsd",
    "generalized-anxiety-disorder",
    "obsessive-compulsive-disorder",
    "suicidal-ideation",
    "burnout",
    "compassion-fatigue",
    "vicarious-trauma",
    "adjustment-disorder",
    "psychotic-disorder",
    "schizophrenia",
    "schizoaffective-disorder",
    "mania",
    "bipolar-disorder",
    "dissociative-disorder",
    "suicide-attempt",
];

/// ICD-10-CM codes outside chapter F that tell of the mind: suicidality, burnout, strain.
const PSYCHIATRIC_ICD: &[&str] = &["R45", "Z91.5", "Z73", "Z56"];

/// The label of a diagnosis: the strictest that its term and its codes ask for. Words alone, and codes that we
/// cannot read, may be anything: they are held as psychiatric.
pub fn diagnosis_label(diagnosis: &Termed) -> Label {
    let term = diagnosis.term.as_deref().map(term_label);
    let codes = diagnosis.codes.iter().filter_map(code_label).max();
    let unread = diagnosis.codes.iter().any(|code| code_label(code).is_none());
    match (term, codes) {
        (None, Some(codes)) if unread => codes.max(Label::Psychiatric),
        (term, codes) => term.max(codes).unwrap_or(Label::Psychiatric),
    }
}

/// The label of what is asked for because of these diagnoses: their strictest, and never below mental health, which
/// every order and referral of a course tells of.
pub fn reasons_label(reasons: &[Termed]) -> Label {
    reasons.iter().map(diagnosis_label).max().unwrap_or(Label::Normal).max(Label::MentalHealth)
}

fn term_label(term: &str) -> Label {
    if SUBSTANCE_USE.contains(&term) {
        Label::SubstanceUse
    } else if PSYCHIATRIC.contains(&term) {
        Label::Psychiatric
    } else {
        Label::Normal
    }
}

fn code_label(code: &Code) -> Option<Label> {
    if code.system != ICD10CM {
        return by_code(concepts::DIAGNOSIS, &code.system, &code.code).map(|row| term_label(row.word));
    }
    Some(if code.code.starts_with("F1") {
        Label::SubstanceUse
    } else if code.code.starts_with('F') || PSYCHIATRIC_ICD.iter().any(|start| code.code.starts_with(start)) {
        Label::Psychiatric
    } else {
        Label::Normal
    })
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>, list: ConditionList) -> Result<Vec<intake::Condition>, RebuildError> {
    reading.elements(list.name()).iter().map(|slot| read_condition(reading, slot)).collect()
}

fn read_condition(reading: &Reading<'_>, slot: &str) -> Result<intake::Condition, RebuildError> {
    let found: &Condition = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let clinical =
        found.clinical_status.as_deref().and_then(|status| reading::table_word(concepts::CLINICAL_STATUS, status));
    let verification = found
        .verification_status
        .as_deref()
        .and_then(|status| reading::table_word(concepts::VERIFICATION_STATUS, status));
    let abatement =
        if let Some(ConditionAbatement::DateTime(date)) = &found.abatement { date.value.clone() } else { None };
    let earlier = reading::extension_text(&found.extension, "kap-earlier-abatement").map(str::to_owned);
    Ok(intake::Condition {
        id: reading::sender_id(slot),
        condition: found
            .code
            .as_deref()
            .map(|code| reading::termed(concepts::DIAGNOSIS, code))
            .ok_or_else(|| missing("has no code"))?,
        clinical_status: clinical
            .and_then(ClinicalStatus::from_word)
            .ok_or_else(|| missing("has no clinical status of ours"))?,
        verification_status: verification.and_then(VerificationStatus::from_word),
        onset: if let Some(ConditionOnset::DateTime(date)) = &found.onset { date.value.clone() } else { None },
        abatement: abatement.or(earlier),
        note: found.note.first().and_then(|note| note.text.value.clone()),
    })
}
