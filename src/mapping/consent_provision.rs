//! Consent.provision.provision: what the patient permits and denies, one choice each. Mapping specification §6.3.
//!
//! A rule says which classes, labels, codes and purposes it is about; the sender says who and how long. The root
//! provision stays without a type, and what no nested one permits is denied.
//! <https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision>

use super::concepts::{self, by_word};
use super::draft::{Draft, concept, concept_coding};
use super::reading;
use super::systems::{PARTICIPATION_TYPE, extension_url};
use crate::fhir::build;
use crate::fhir::model::resources::{ConsentProvision, ConsentProvisionActor, ConsentProvisionData};
use crate::fhir::model::types::{Coding, Extension, ExtensionValue, Period, Reference};
use crate::kap::records::consent::{SharingDecision, SharingProvision, SharingPurpose, SharingRule};
use crate::kap::records::shared::SystemIdentifier;

const RULE: &str = "kap-sharing-rule";
const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";

/// What a rule is about; an empty list does not limit.
struct About {
    classes: &'static [&'static str],
    /// Words of the table of labels.
    labels: &'static [&'static str],
    /// Words of the table of codes.
    codes: &'static [&'static str],
    /// Words of the table of purposes.
    purposes: &'static [&'static str],
}

const TREATING: &[&str] = &["treatment", "coordination-of-care"];
const SHARED_LABELS: &[&str] = &["normal", "restricted", "mental-health", "psychiatric"];

const fn about(rule: SharingRule) -> About {
    match rule {
        SharingRule::TherapistToMedical => About {
            classes: &[
                "Condition",
                "Observation",
                "QuestionnaireResponse",
                "CarePlan",
                "Goal",
                "Encounter",
                "Procedure",
                "AdverseEvent",
                "Flag",
                "DocumentReference",
            ],
            labels: SHARED_LABELS,
            codes: &[],
            purposes: &["treatment", "coordination-of-care", "care-management"],
        },
        SharingRule::MedicalToTherapist => About {
            classes: &[
                "MedicationRequest",
                "MedicationAdministration",
                "MedicationDispense",
                "Observation",
                "AllergyIntolerance",
                "AdverseEvent",
                "CarePlan",
            ],
            labels: SHARED_LABELS,
            codes: &[],
            purposes: TREATING,
        },
        SharingRule::Laboratory => {
            About { classes: &["Observation"], labels: &[], codes: &["laboratory"], purposes: TREATING }
        }
        SharingRule::Electrocardiogram => About {
            classes: &["DiagnosticReport", "Observation"],
            labels: &[],
            codes: &["electrocardiogram"],
            purposes: TREATING,
        },
        SharingRule::Pregnancy => About {
            classes: &["Observation"],
            labels: &[],
            codes: &["pregnancy-status", "pregnancy-urine", "pregnancy-serum"],
            purposes: TREATING,
        },
        // Purposes as the authorization states them.
        SharingRule::PsychotherapyNotes => About {
            classes: &["DocumentReference"],
            labels: &["psychotherapy-note", "hipaa-psychotherapy-notes"],
            codes: &[],
            purposes: &[],
        },
        SharingRule::SubstanceUse => {
            About { classes: &[], labels: &["substance-use", "part-2"], codes: &[], purposes: &["treatment"] }
        }
        SharingRule::Narrative => About {
            classes: &["Observation", "DocumentReference", "QuestionnaireResponse"],
            labels: &["psychiatric"],
            codes: &["intention", "insight"],
            purposes: &["treatment"],
        },
        SharingRule::Emergency => About {
            classes: &[
                "Patient",
                "MedicationRequest",
                "MedicationStatement",
                "MedicationAdministration",
                "AllergyIntolerance",
                "Flag",
                "AdverseEvent",
            ],
            labels: &[],
            codes: &[],
            purposes: &["emergency", "break-the-glass"],
        },
        SharingRule::PatientAccess => About { classes: &[], labels: &[], codes: &[], purposes: &["patient-request"] },
        SharingRule::Payer => About {
            classes: &["Encounter", "Procedure", "Condition", "MedicationAdministration"],
            labels: &[],
            codes: &[],
            purposes: &["payment"],
        },
        SharingRule::Research => About { classes: &[], labels: &[], codes: &[], purposes: &["research"] },
    }
}

pub fn provision(draft: &mut Draft<'_>, told: &SharingProvision) -> ConsentProvision {
    let about = about(told.rule);
    let limits = told.from.is_some() || told.until.is_some();
    let own = told.purposes.iter().map(|purpose| purpose.as_str());
    let recipients: Vec<Reference> = told.recipients.iter().map(|recipient| draft.organization(recipient)).collect();
    let practitioners: Vec<Reference> = told.practitioners.iter().map(|who| draft.practitioner(who)).collect();
    ConsentProvision {
        extension: vec![rule_extension(told.rule)],
        r#type: Some(told.decision.as_str().into()),
        period: limits.then(|| Box::new(build::period(told.from.as_deref(), told.until.as_deref()))),
        actor: recipients.into_iter().chain(practitioners).map(actor).collect(),
        security_label: codings(concepts::SHARING_LABEL, about.labels.iter().copied()),
        purpose: codings(concepts::SHARING_PURPOSE, about.purposes.iter().copied().chain(own)),
        class: about.classes.iter().map(|class| build::coding(RESOURCE_TYPES, class, class)).collect(),
        code: about.codes.iter().filter_map(|code| by_word(concepts::SHARING_CODE, code)).map(concept).collect(),
        data: told.documents.iter().map(document).collect(),
        ..Default::default()
    }
}

fn codings(table: &'static [concepts::Concept], words: impl Iterator<Item = &'static str>) -> Vec<Coding> {
    words.filter_map(|word| by_word(table, word)).map(concept_coding).collect()
}

fn rule_extension(rule: SharingRule) -> Extension {
    build::extension(extension_url(RULE), ExtensionValue::Code(rule.as_str().into()))
}

/// Who may receive.
pub fn actor(reference: Reference) -> ConsentProvisionActor {
    ConsentProvisionActor {
        role: Box::new(build::concept(build::coding(PARTICIPATION_TYPE, "IRCP", "information recipient"))),
        reference: Box::new(reference),
        ..Default::default()
    }
}

/// The very document, by its identifier: the note itself stays with its author.
fn document(identifier: &SystemIdentifier) -> ConsentProvisionData {
    let identifier = build::identifier(&identifier.system, &identifier.value);
    ConsentProvisionData {
        meaning: "instance".into(),
        reference: Box::new(Reference {
            r#type: Some("DocumentReference".into()),
            identifier: Some(Box::new(identifier)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

pub fn read(found: &ConsentProvision) -> Option<SharingProvision> {
    let rule = reading::extension_text(&found.extension, RULE).and_then(SharingRule::from_word)?;
    let period = found.period.as_deref();
    let has_own_purposes = about(rule).purposes.is_empty();
    let actors = |name: &'static str| found.actor.iter().filter(move |who| reading::is_to(&who.reference, name));
    Some(SharingProvision {
        rule,
        decision: found.r#type.as_ref()?.value.as_deref().and_then(SharingDecision::from_word)?,
        recipients: actors("Organization").filter_map(|who| reading::organization(&who.reference)).collect(),
        practitioners: actors("Practitioner").filter_map(|who| reading::practitioner(&who.reference)).collect(),
        documents: found
            .data
            .iter()
            .filter_map(|data| reading::system_identifier(data.reference.identifier.as_deref()?))
            .collect(),
        purposes: found.purpose.iter().filter(|_| has_own_purposes).filter_map(read_purpose).collect(),
        from: period.and_then(|period: &Period| period.start.as_ref()?.value.clone()),
        until: period.and_then(|period: &Period| period.end.as_ref()?.value.clone()),
    })
}

fn read_purpose(coding: &Coding) -> Option<SharingPurpose> {
    let (system, code) = (coding.system.as_ref()?.value.as_deref()?, coding.code.as_ref()?.value.as_deref()?);
    concepts::by_code(concepts::SHARING_PURPOSE, system, code).and_then(|row| SharingPurpose::from_word(row.word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_rule_has_a_row() {
        for rule in SharingRule::ALL {
            let about = about(*rule);
            assert!(about.labels.iter().all(|word| by_word(concepts::SHARING_LABEL, word).is_some()), "{rule:?}");
            assert!(about.codes.iter().all(|word| by_word(concepts::SHARING_CODE, word).is_some()), "{rule:?}");
            assert!(about.purposes.iter().all(|word| by_word(concepts::SHARING_PURPOSE, word).is_some()), "{rule:?}");
        }
        let purposes = SharingPurpose::ALL;
        assert!(purposes.iter().all(|word| by_word(concepts::SHARING_PURPOSE, word.as_str()).is_some()));
    }
}
