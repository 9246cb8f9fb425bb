//! ServiceRequest and its Task: the referral and what became of it. Mapping specification §2.2.
//!
//! <https://hl7.org/fhir/R4/servicerequest.html>, <https://hl7.org/fhir/R4/task.html>

use super::concepts;
use super::condition::reasons_label;
use super::document_reference::{self, DocumentKind};
use super::draft::{Draft, word};
use super::label::Label;
use super::medication_administration::is_patient;
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::resources::{ServiceRequest, Task};
use crate::fhir::model::types::Reference;
use crate::kap::records::intake::{Referral, ReferralPriority, ReferralService, ReferralStatus};

const LIST: &str = "referral";
const LETTER: &str = "referral-letter";

/// Pushes the referral, its letter and its state, and gives a reference to it.
pub fn referral(draft: &mut Draft<'_>, referral: &Referral) -> Reference {
    let slot = draft.slot(LIST, referral.id.as_deref(), LIST);
    let label = reasons_label(&referral.reasons);
    let letter = referral.letter.as_ref().map(|letter| {
        let kind = DocumentKind::ReferralLetter(label);
        document_reference::document(draft, letter, LETTER, kind, &referral.referred_at)
    });
    let request = service_request(draft, referral, letter, label, &slot);
    draft.push(request);
    let state = task(draft, referral, label, &slot);
    draft.push(state);
    draft.reference("ServiceRequest", &slot)
}

fn service_request(
    draft: &mut Draft<'_>,
    referral: &Referral,
    letter: Option<Reference>,
    label: Label,
    slot: &str,
) -> ServiceRequest {
    let reason_code = referral
        .reasons
        .iter()
        .enumerate()
        .map(|(place, reason)| draft.termed(concepts::DIAGNOSIS, reason, &format!("/referral/reasons/{place}")))
        .collect();
    // Who comes of their own accord asks; a professional orders.
    let (intent, requester) = match &referral.referrer {
        Some(referrer) => ("order", draft.practitioner(referrer)),
        None => ("proposal", draft.patient()),
    };
    ServiceRequest {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, label),
        identifier: vec![draft.identifier(slot)],
        status: request_status(referral.status).into(),
        intent: intent.into(),
        priority: referral.priority.map(|priority| priority.as_str().into()),
        code: Some(Box::new(word(concepts::REFERRAL, referral.service.as_str()))),
        subject: Box::new(draft.patient()),
        authored_on: Some(build::date_time(referral.referred_at.as_str())),
        requester: Some(Box::new(requester)),
        performer: referral.recipient.iter().map(|clinic| draft.organization(clinic)).collect(),
        reason_code,
        supporting_info: letter.into_iter().collect(),
        ..Default::default()
    }
}

/// The request's own life; the Task has the contract's word.
const fn request_status(status: ReferralStatus) -> &'static str {
    match status {
        ReferralStatus::Requested
        | ReferralStatus::Received
        | ReferralStatus::Accepted
        | ReferralStatus::InProgress => "active",
        ReferralStatus::Completed => "completed",
        ReferralStatus::Rejected | ReferralStatus::Cancelled => "revoked",
    }
}

fn task_slot(slot: &str) -> String {
    format!("{slot}/task")
}

fn task(draft: &mut Draft<'_>, referral: &Referral, label: Label, request: &str) -> Task {
    let slot = task_slot(request);
    Task {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, label),
        identifier: vec![draft.identifier(&slot)],
        status: referral.status.as_str().into(),
        status_reason: referral.status_reason.as_deref().map(|reason| Box::new(build::words(reason))),
        business_status: referral.business_status.as_deref().map(|state| Box::new(build::words(state))),
        intent: "order".into(),
        code: Some(Box::new(build::concept(build::coding(
            "http://hl7.org/fhir/CodeSystem/task-code",
            "fulfill",
            "Fulfill the focal request",
        )))),
        focus: Some(Box::new(draft.reference("ServiceRequest", request))),
        r#for: Some(Box::new(draft.patient())),
        last_modified: referral.decided_at.as_ref().map(|at| build::date_time(at.as_str())),
        owner: referral.recipient.as_ref().map(|clinic| Box::new(draft.organization(clinic))),
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Option<Referral>, RebuildError> {
    let Some(slot) = reading.elements(LIST).into_iter().next() else { return Ok(None) };
    let found: &ServiceRequest = reading.one(&slot)?;
    let state: &Task = reading.one(&task_slot(&slot))?;
    let missing = |what| RebuildError::new(&slot, what);
    let service = found.code.as_deref().and_then(|code| reading::table_word(concepts::REFERRAL, code));
    let status = state.status.value.as_deref().and_then(ReferralStatus::from_word);
    let referrer = found.requester.as_deref().filter(|requester| !is_patient(requester));
    Ok(Some(Referral {
        id: reading::sender_id(&slot),
        service: service.and_then(ReferralService::from_word).ok_or_else(|| missing("has no service of ours"))?,
        status: status.ok_or_else(|| missing("has no state of ours"))?,
        status_reason: state.status_reason.as_ref().and_then(|reason| reason.text.as_ref()?.value.clone()),
        business_status: state.business_status.as_ref().and_then(|state| state.text.as_ref()?.value.clone()),
        decided_at: state.last_modified.as_ref().and_then(reading::date_time),
        recipient: found.performer.first().and_then(reading::organization),
        priority: found.priority.as_ref().and_then(|priority| ReferralPriority::from_word(priority.value.as_deref()?)),
        referred_at: found.authored_on.as_ref().and_then(reading::date_time).ok_or_else(|| missing("has no date"))?,
        referrer: referrer.and_then(reading::practitioner),
        reasons: found.reason_code.iter().map(|reason| reading::termed(concepts::DIAGNOSIS, reason)).collect(),
        letter: document_reference::read_document(reading, LETTER)?,
    }))
}
