//! Consent: what the patient agreed to, base rules only. Mapping specification §2.4, §6.3.
//!
//! The root provision has no type: whether something is permitted is the consent room's to decide, deny by default.
//! <https://hl7.org/fhir/R4/consent.html>

use super::concepts;
use super::consent_provision;
use super::document_reference::{self, DocumentKind};
use super::draft::{Draft, word};
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use super::systems::{ACT_CODE, LOINC};
use crate::fhir::build;
use crate::fhir::model::resources::{Consent, ConsentProvision, ConsentSource};
use crate::fhir::model::types::{CodeableConcept, Coding, Period, Reference};
use crate::kap::kind::Kind;
use crate::kap::records::intake::{self, Acknowledgement, ConsentStatus, ConsentType};
use crate::kap::records::shared::ConsentReference;

const LIST: &str = "consents";

pub fn consents(draft: &mut Draft<'_>, consents: &[intake::Consent]) {
    for consent in consents {
        let natural = format!("{} {}", consent.r#type.as_str(), consent.given_at.as_str());
        let slot = draft.slot(LIST, consent.id.as_deref(), &natural);
        let source = consent.document.as_ref().map(|form| {
            let list = form_list(&slot);
            let kind = DocumentKind::ConsentForm(label(consent.r#type));
            let form = document_reference::document(draft, form, &list, kind, &consent.given_at);
            ConsentSource::Reference(Box::new(form))
        });
        let resource = Consent { source, ..self::consent(draft, consent, &slot) };
        draft.push(resource);
    }
}

/// A reference to a consent of an intake, which may be another system's.
pub fn reference(draft: &Draft<'_>, consent: &ConsentReference) -> Reference {
    let slot = format!("{LIST}/{}", consent.consent);
    Reference {
        display: Some(consent.consent.as_str().into()),
        ..draft.reference_to_record("Consent", Kind::Intake, &consent.record, &slot)
    }
}

/// Undoes `reference`.
pub fn read_reference(found: &Reference) -> Option<ConsentReference> {
    Some(ConsentReference {
        record: reading::record_reference(found)?,
        consent: found.display.as_ref()?.value.clone()?,
    })
}

/// Where the form of a consent stands.
fn form_list(slot: &str) -> String {
    format!("{slot}/form")
}

fn consent(draft: &mut Draft<'_>, consent: &intake::Consent, slot: &str) -> Consent {
    Consent {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, label(consent.r#type)),
        identifier: vec![draft.identifier(slot)],
        status: consent.status.as_str().into(),
        scope: Box::new(build::concept(scope(consent.r#type))),
        category: categories(consent.r#type),
        patient: Some(Box::new(draft.patient())),
        date_time: Some(build::date_time(consent.given_at.as_str())),
        policy_rule: Some(Box::new(policy_rule(consent))),
        provision: provision(draft, consent),
        ..Default::default()
    }
}

const fn label(kind: ConsentType) -> Label {
    match kind {
        ConsentType::Part2 => Label::SubstanceUse,
        ConsentType::Treatment
        | ConsentType::InformationSharing
        | ConsentType::PsychotherapyNotesAuthorization
        | ConsentType::GroupConfidentiality
        | ConsentType::Recording
        | ConsentType::Research => Label::MentalHealth,
    }
}

fn scope(kind: ConsentType) -> Coding {
    let system = "http://terminology.hl7.org/CodeSystem/consentscope";
    match kind {
        ConsentType::Treatment => build::coding(system, "treatment", "Treatment"),
        ConsentType::InformationSharing
        | ConsentType::PsychotherapyNotesAuthorization
        | ConsentType::Part2
        | ConsentType::GroupConfidentiality
        | ConsentType::Recording
        // Sharing for research, not the research itself.
        | ConsentType::Research => build::coding(system, "patient-privacy", "Privacy Consent"),
    }
}

fn categories(kind: ConsentType) -> Vec<CodeableConcept> {
    let own = word(concepts::CONSENT_TYPE, kind.as_str());
    match kind {
        ConsentType::Treatment => vec![build::concept(build::coding(LOINC, "59284-0", "Patient Consent")), own],
        ConsentType::InformationSharing
        | ConsentType::PsychotherapyNotesAuthorization
        | ConsentType::Part2
        | ConsentType::GroupConfidentiality
        | ConsentType::Recording
        | ConsentType::Research => vec![own],
    }
}

/// The law that asks for the consent, and the form in the sender's words; R4 needs one of them (ppc-1).
fn policy_rule(consent: &intake::Consent) -> CodeableConcept {
    let law = match consent.r#type {
        ConsentType::InformationSharing | ConsentType::PsychotherapyNotesAuthorization => Some(build::coding(
            "http://terminology.hl7.org/CodeSystem/consentpolicycodes",
            "hipaa-auth",
            "HIPAA Authorization",
        )),
        ConsentType::Part2 => Some(build::coding(ACT_CODE, "42CFRPart2", "42 CFR Part2")),
        ConsentType::Treatment | ConsentType::GroupConfidentiality | ConsentType::Recording | ConsentType::Research => {
            None
        }
    };
    let text = consent.policy.as_deref();
    CodeableConcept {
        extension: if law.is_none() && text.is_none() { vec![build::unknown()] } else { Vec::new() },
        coding: law.into_iter().collect(),
        text: text.map(Into::into),
        ..Default::default()
    }
}

fn provision(draft: &mut Draft<'_>, consent: &intake::Consent) -> Option<ConsentProvision> {
    let limits = consent.from.is_some() || consent.until.is_some();
    let period = limits.then(|| Box::new(build::period(consent.from.as_deref(), consent.until.as_deref())));
    let actor: Vec<_> =
        consent.recipients.iter().map(|recipient| consent_provision::actor(draft.organization(recipient))).collect();
    let nested: Vec<_> = consent.provisions.iter().map(|told| consent_provision::provision(draft, told)).collect();
    let code: Vec<_> = consent
        .acknowledgements
        .iter()
        .map(|acknowledged| word(concepts::ACKNOWLEDGEMENT, acknowledged.as_str()))
        .collect();
    (limits || !actor.is_empty() || !code.is_empty() || !nested.is_empty()).then(|| ConsentProvision {
        period,
        actor,
        code,
        provision: nested,
        ..Default::default()
    })
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<intake::Consent>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_consent(reading, slot)).collect()
}

fn read_consent(reading: &Reading<'_>, slot: &str) -> Result<intake::Consent, RebuildError> {
    let found: &Consent = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let kind = found.category.iter().find_map(|category| reading::table_word(concepts::CONSENT_TYPE, category));
    let status = found.status.value.as_deref().and_then(ConsentStatus::from_word);
    let provision = found.provision.as_ref();
    let period = provision.and_then(|provision| provision.period.as_deref());
    Ok(intake::Consent {
        id: reading::sender_id(slot),
        r#type: kind.and_then(ConsentType::from_word).ok_or_else(|| missing("has no type of ours"))?,
        status: status.ok_or_else(|| missing("has no status of ours"))?,
        given_at: found.date_time.as_ref().and_then(reading::date_time).ok_or_else(|| missing("has no date"))?,
        from: period.and_then(|period: &Period| period.start.as_ref()?.value.clone()),
        until: period.and_then(|period: &Period| period.end.as_ref()?.value.clone()),
        acknowledgements: provision
            .iter()
            .flat_map(|provision| &provision.code)
            .filter_map(|code| {
                reading::table_word(concepts::ACKNOWLEDGEMENT, code).and_then(Acknowledgement::from_word)
            })
            .collect(),
        recipients: provision
            .iter()
            .flat_map(|provision| &provision.actor)
            .filter_map(|actor| reading::organization(&actor.reference))
            .collect(),
        provisions: provision
            .iter()
            .flat_map(|provision| &provision.provision)
            .map(|nested| consent_provision::read(nested).ok_or_else(|| missing("has a provision that is not ours")))
            .collect::<Result<_, _>>()?,
        policy: found.policy_rule.as_ref().and_then(|rule| rule.text.as_ref()?.value.clone()),
        document: document_reference::read_document(reading, &form_list(slot))?,
    })
}
