//! ServiceRequest: to whom a patient is referred at the end of a course. Mapping specification §2.2, §2.10.
//!
//! <https://hl7.org/fhir/R4/servicerequest.html>

use super::concepts;
use super::condition::reasons_label;
use super::draft::{self, Draft, word};
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::resources::ServiceRequest;
use crate::fhir::model::types::Reference;
use crate::kap::records::course_closure::{Addressee, OnwardReferral, OnwardService};
use crate::kap::records::intake::ReferralPriority;

const LIST: &str = "referrals";

pub fn referral(draft: &mut Draft<'_>, referral: &OnwardReferral, pointer: &str) {
    let natural = format!("{}\n{}", referral.referred_at.as_str(), referral.service.as_str());
    let slot = draft.slot(LIST, referral.id.as_deref(), &natural);
    let reason_code = referral
        .reasons
        .iter()
        .enumerate()
        .map(|(place, reason)| draft.termed(concepts::DIAGNOSIS, reason, &format!("{pointer}/reasons/{place}")))
        .collect();
    let author = draft.header.author;
    let requester = match &referral.referrer {
        Some(referrer) => draft.practitioner(referrer),
        None => Reference { extension: vec![draft::from_record()], ..draft.practitioner(author) },
    };
    let performer = referral.to.as_ref().and_then(|to| match (&to.practitioner, &to.organization) {
        (Some(practitioner), _) => Some(draft.practitioner(practitioner)),
        (None, organization) => organization.as_ref().map(|organization| draft.organization(organization)),
    });
    let resource = ServiceRequest {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, reasons_label(&referral.reasons)),
        identifier: vec![draft.identifier(&slot)],
        status: "active".into(),
        intent: "order".into(),
        priority: referral.priority.map(|priority| priority.as_str().into()),
        code: Some(Box::new(word(concepts::ONWARD_SERVICE, referral.service.as_str()))),
        subject: Box::new(draft.patient()),
        encounter: draft.contact(),
        authored_on: Some(build::date_time(referral.referred_at.as_str())),
        requester: Some(Box::new(requester)),
        performer: performer.into_iter().collect(),
        reason_code,
        note: referral.note.iter().map(|note| build::annotation(note)).collect(),
        ..Default::default()
    };
    draft.push(resource);
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<OnwardReferral>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_one(reading, slot)).collect()
}

fn read_one(reading: &Reading<'_>, slot: &str) -> Result<OnwardReferral, RebuildError> {
    let found: &ServiceRequest = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let service = found.code.as_deref().and_then(|code| reading::table_word(concepts::ONWARD_SERVICE, code));
    let referrer = found.requester.as_deref().filter(|requester| !reading::is_from_record(&requester.extension));
    Ok(OnwardReferral {
        id: reading::sender_id(slot),
        service: service.and_then(OnwardService::from_word).ok_or_else(|| missing("has no service of ours"))?,
        referred_at: found.authored_on.as_ref().and_then(reading::date_time).ok_or_else(|| missing("has no date"))?,
        priority: found.priority.as_ref().and_then(|priority| ReferralPriority::from_word(priority.value.as_deref()?)),
        referrer: referrer.and_then(reading::practitioner),
        to: found.performer.first().map(read_addressee),
        reasons: found.reason_code.iter().map(|reason| reading::termed(concepts::DIAGNOSIS, reason)).collect(),
        note: found.note.first().and_then(|note| note.text.value.clone()),
    })
}

fn read_addressee(found: &Reference) -> Addressee {
    let literal = found.reference.as_ref().and_then(|literal| literal.value.as_deref());
    if literal.is_some_and(|literal| literal.starts_with("Organization/")) {
        Addressee { practitioner: None, organization: reading::organization(found) }
    } else {
        Addressee { practitioner: reading::practitioner(found), organization: None }
    }
}
