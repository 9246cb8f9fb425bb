//! Communication: what was told to whom. Mapping specification §2.8.
//!
//! <https://hl7.org/fhir/R4/communication.html>

use super::concepts;
use super::draft::{Draft, word};
use super::label::Label;
use super::medication_administration::is_patient;
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::resources::{Communication, CommunicationPayload, CommunicationPayloadContent};
use crate::fhir::model::types::{CodeableConcept, Reference};
use crate::kap::records::follow_up::{self, CommunicationCategory, CommunicationStatus, Medium, Party, Topic};

const LIST: &str = "communications";

pub fn communication(draft: &mut Draft<'_>, message: &follow_up::Communication) {
    let at = message.sent_at.as_ref().map_or("", |at| at.as_str());
    let natural = format!("{at}\n{}\n{}", message.topic.as_str(), message.category.as_str());
    let slot = draft.slot(LIST, message.id.as_deref(), &natural);
    let sender = message.sender.as_ref().and_then(|who| party(draft, who));
    let recipient = message.recipients.iter().filter_map(|who| party(draft, who)).collect();
    let resource = Communication {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, Label::MentalHealth),
        identifier: vec![draft.identifier(&slot)],
        status: message.status.as_str().into(),
        status_reason: message.status_reason.as_deref().map(|reason| Box::new(build::words(reason))),
        category: vec![word(concepts::COMMUNICATION_CATEGORY, message.category.as_str())],
        medium: message.medium.iter().map(|medium| word(concepts::MEDIUM, medium.as_str())).collect(),
        subject: Some(Box::new(draft.patient())),
        topic: Some(Box::new(word(concepts::TOPIC, message.topic.as_str()))),
        encounter: draft.contact(),
        sent: message.sent_at.as_ref().map(|at| build::date_time(at.as_str())),
        received: message.received_at.as_ref().map(|at| build::date_time(at.as_str())),
        recipient,
        sender: sender.map(Box::new),
        payload: message.text.iter().map(|text| payload(text)).collect(),
        ..Default::default()
    };
    draft.push(resource);
}

fn payload(text: &str) -> CommunicationPayload {
    CommunicationPayload { content: CommunicationPayloadContent::String(text.into()), ..Default::default() }
}

/// A reference to whoever it is; `None` where nobody is named, which the contract excludes.
fn party(draft: &mut Draft<'_>, who: &Party) -> Option<Reference> {
    if let Some(practitioner) = &who.practitioner {
        Some(draft.practitioner(practitioner))
    } else if let Some(organization) = &who.organization {
        Some(draft.organization(organization))
    } else {
        who.patient.map(|_| draft.patient())
    }
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<follow_up::Communication>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_one(reading, slot)).collect()
}

fn read_one(reading: &Reading<'_>, slot: &str) -> Result<follow_up::Communication, RebuildError> {
    let found: &Communication = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let first =
        |table, concepts: &[CodeableConcept]| concepts.first().and_then(|concept| reading::table_word(table, concept));
    let topic = found.topic.as_deref().and_then(|topic| reading::table_word(concepts::TOPIC, topic));
    let text = found
        .payload
        .first()
        .and_then(|payload| reading::choice!(&payload.content, CommunicationPayloadContent::String)?.value.clone());
    Ok(follow_up::Communication {
        id: reading::sender_id(slot),
        category: first(concepts::COMMUNICATION_CATEGORY, &found.category)
            .and_then(CommunicationCategory::from_word)
            .ok_or_else(|| missing("has no category of ours"))?,
        status: found
            .status
            .value
            .as_deref()
            .and_then(CommunicationStatus::from_word)
            .ok_or_else(|| missing("has no status of ours"))?,
        status_reason: found.status_reason.as_ref().and_then(|reason| reason.text.as_ref()?.value.clone()),
        topic: topic.and_then(Topic::from_word).ok_or_else(|| missing("has no topic of ours"))?,
        medium: first(concepts::MEDIUM, &found.medium).and_then(Medium::from_word),
        sent_at: found.sent.as_ref().and_then(reading::date_time),
        received_at: found.received.as_ref().and_then(reading::date_time),
        sender: found.sender.as_deref().and_then(read_party),
        recipients: found.recipient.iter().filter_map(read_party).collect(),
        text,
    })
}

/// Undoes `party`.
fn read_party(found: &Reference) -> Option<Party> {
    let nobody = Party { practitioner: None, patient: None, organization: None };
    if is_patient(found) {
        return Some(Party { patient: Some(true), ..nobody });
    }
    if found.reference.as_ref()?.value.as_deref()?.starts_with("Organization/") {
        return Some(Party { organization: reading::organization(found), ..nobody });
    }
    Some(Party { practitioner: reading::practitioner(found), ..nobody })
}
