//! Procedure: the dosing session, and support without medicine. Mapping specification §2.5, §2.6.
//!
//! <https://hl7.org/fhir/R4/procedure.html>

use super::adverse_event;
use super::concepts;
use super::consent;
use super::draft::{Draft, word};
use super::encounter;
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use super::systems::{KAP, extension_url};
use crate::fhir::build;
use crate::fhir::model::resources::{Procedure, ProcedurePerformed, ProcedurePerformer};
use crate::fhir::model::types::{CodeableConcept, Extension, ExtensionValue, Period};
use crate::kap::records::dosing_session::{Approach, DosingSession, Measure, SessionFormat, Span, SupportMeasure};
use crate::kap::records::shared::{Code, Contact, ContactStatus, Group};

/// The session's Procedure, of a dosing session as of an integration session.
pub const SESSION_SLOT: &str = "session";
const MEASURES: &str = "support-measures";
/// Marks a period that is the observation's, not the contact's.
const MONITORING: &str = "kap-monitoring-period";

/// The dosing session.
pub fn session(draft: &mut Draft<'_>, record: &DosingSession) -> Procedure {
    let format = concepts::by_word(concepts::FORMAT, record.format.as_str());
    let mut code = draft.coded(format, &record.billing_codes, None, "/billingCodes");
    let kap = build::coding(KAP, "ketamine-assisted-psychotherapy-session", "Ketamine-assisted psychotherapy session");
    code.coding.insert(1.min(code.coding.len()), kap);
    Procedure {
        id: Some(draft.id(SESSION_SLOT).as_str().into()),
        meta: draft.meta(SESSION_SLOT, Label::MentalHealth),
        extension: session_extensions(draft, record),
        identifier: vec![draft.identifier(SESSION_SLOT)],
        status: status(record.contact.status).into(),
        code: Some(Box::new(code)),
        subject: Box::new(draft.patient()),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        performed: Some(monitored(record).unwrap_or_else(|| performed(&record.contact))),
        ..Default::default()
    }
}

/// The time of the observation after esketamine, where it is told apart from the contact's (kap-rems-1).
fn monitored(record: &DosingSession) -> Option<ProcedurePerformed> {
    let span = record.rems.as_ref()?.monitoring.as_ref()?;
    let mark = build::extension(extension_url(MONITORING), ExtensionValue::Boolean(true.into()));
    Some(ProcedurePerformed::Period(Box::new(Period {
        extension: vec![mark],
        ..build::period(Some(span.start.as_str()), Some(span.end.as_str()))
    })))
}

/// `Procedure.status` of a contact.
pub fn status(contact: ContactStatus) -> &'static str {
    match contact {
        ContactStatus::InProgress => "in-progress",
        ContactStatus::Finished => "completed",
        ContactStatus::Cancelled => "not-done",
    }
}

/// The contact's time.
pub fn performed(contact: &Contact) -> ProcedurePerformed {
    ProcedurePerformed::Period(Box::new(build::period(
        Some(contact.start.as_str()),
        contact.end.as_ref().map(|end| end.as_str()),
    )))
}

fn session_extensions(draft: &Draft<'_>, record: &DosingSession) -> Vec<Extension> {
    let mut found = Vec::new();
    if let Some(approach) = record.approach {
        let concept = word(concepts::APPROACH, approach.as_str());
        found.push(build::extension(extension_url("kap-approach"), ExtensionValue::CodeableConcept(Box::new(concept))));
    }
    if let Some(number) = record.session_number.and_then(|number| u32::try_from(number).ok()) {
        found.push(build::extension(extension_url("kap-session-number"), ExtensionValue::PositiveInt(number.into())));
    }
    found.extend(record.group.as_ref().map(|group| group_extension(draft, group)));
    found
}

/// A group session, told so that nobody can find the others: mapping specification §6.4.
pub fn group_extension(draft: &Draft<'_>, group: &Group) -> Extension {
    let pseudonym = build::identifier(&group.pseudonym.system, &group.pseudonym.value);
    let size = i32::try_from(group.size).unwrap_or(i32::MAX);
    let mut parts = vec![
        build::extension("sessionPseudonym", ExtensionValue::Identifier(Box::new(pseudonym))),
        build::extension("groupSize", ExtensionValue::Integer(size.into())),
    ];
    if let Some(agreement) = &group.confidentiality_agreement {
        let consent = consent::reference(draft, agreement);
        parts.push(build::extension("confidentialityAgreement", ExtensionValue::Reference(Box::new(consent))));
    }
    build::complex_extension(extension_url("kap-group-session"), parts)
}

/// Grounding, reassurance, a change of the room.
pub fn support_measure(draft: &mut Draft<'_>, measure: &SupportMeasure) {
    let natural = format!("{} {}", measure.at.as_str(), measure.measure.as_str());
    let slot = draft.slot(MEASURES, measure.id.as_deref(), &natural);
    let event = measure.for_adverse_event.as_deref();
    let resource = Procedure {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, Label::MentalHealth),
        identifier: vec![draft.identifier(&slot)],
        part_of: vec![draft.reference("Procedure", SESSION_SLOT)],
        status: "completed".into(),
        code: Some(Box::new(word(concepts::MEASURE, measure.measure.as_str()))),
        subject: Box::new(draft.patient()),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        performed: Some(ProcedurePerformed::DateTime(build::date_time(measure.at.as_str()))),
        performer: measure
            .performer
            .iter()
            .map(|who| ProcedurePerformer { actor: Box::new(draft.practitioner(who)), ..Default::default() })
            .collect(),
        reason_reference: event.map(|id| adverse_event::condition_reference(draft, id)).into_iter().collect(),
        note: measure.note.iter().map(|note| build::annotation(note)).collect(),
        ..Default::default()
    };
    draft.push(resource);
}

// ---------------------------------------------------------------- the way back

/// What the session's Procedure says.
pub struct Session {
    pub format: SessionFormat,
    pub group: Option<Group>,
    pub approach: Option<Approach>,
    pub session_number: Option<i64>,
    pub billing_codes: Vec<Code>,
    pub monitoring: Option<Span>,
}

pub fn read_session(reading: &Reading<'_>) -> Result<Session, RebuildError> {
    let found: &Procedure = reading.one(SESSION_SLOT)?;
    let missing = |what| RebuildError::new(SESSION_SLOT, what);
    let code = found.code.as_deref().ok_or_else(|| missing("has no code"))?;
    let extension = |name| reading::find_extension(&found.extension, name);
    Ok(Session {
        format: read_format(code).ok_or_else(|| missing("has no format of ours"))?,
        group: read_group(found),
        approach: match extension("kap-approach").and_then(|e| e.value.as_ref()) {
            Some(ExtensionValue::CodeableConcept(concept)) => {
                reading::table_word(concepts::APPROACH, concept).and_then(Approach::from_word)
            }
            _ => None,
        },
        session_number: match extension("kap-session-number").and_then(|e| e.value.as_ref()) {
            Some(ExtensionValue::PositiveInt(number)) => number.value.map(i64::from),
            _ => None,
        },
        billing_codes: reading::codes(code),
        monitoring: read_monitoring(found),
    })
}

/// The format that a session's code names.
pub fn read_format(code: &CodeableConcept) -> Option<SessionFormat> {
    reading::table_word(concepts::FORMAT, code).and_then(SessionFormat::from_word)
}

fn read_monitoring(found: &Procedure) -> Option<Span> {
    let Some(ProcedurePerformed::Period(period)) = &found.performed else { return None };
    let is_told = reading::extension_bool(&period.extension, MONITORING) == Some(true);
    is_told.then_some(())?;
    Some(Span {
        start: period.start.as_ref().and_then(reading::date_time)?,
        end: period.end.as_ref().and_then(reading::date_time)?,
    })
}

/// The group that a session's Procedure tells of.
pub fn read_group(found: &Procedure) -> Option<Group> {
    let extension = reading::find_extension(&found.extension, "kap-group-session")?;
    let pseudonym = reading::choice!(reading::part(extension, "sessionPseudonym")?, ExtensionValue::Identifier)?;
    let pseudonym = reading::system_identifier(pseudonym)?;
    let size = i64::from(reading::choice!(reading::part(extension, "groupSize")?, ExtensionValue::Integer)?.value?);
    let confidentiality_agreement = match reading::part(extension, "confidentialityAgreement") {
        Some(ExtensionValue::Reference(reference)) => consent::read_reference(reference),
        _ => None,
    };
    Some(Group { pseudonym, size, confidentiality_agreement })
}

pub fn read_support_measures(reading: &Reading<'_>) -> Result<Vec<SupportMeasure>, RebuildError> {
    reading.elements(MEASURES).iter().map(|slot| read_support_measure(reading, slot)).collect()
}

fn read_support_measure(reading: &Reading<'_>, slot: &str) -> Result<SupportMeasure, RebuildError> {
    let found: &Procedure = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let measure = found.code.as_deref().and_then(|code| reading::table_word(concepts::MEASURE, code));
    let at = match &found.performed {
        Some(ProcedurePerformed::DateTime(at)) => reading::date_time(at),
        _ => None,
    };
    Ok(SupportMeasure {
        id: reading::sender_id(slot),
        measure: measure.and_then(Measure::from_word).ok_or_else(|| missing("has no measure of ours"))?,
        at: at.ok_or_else(|| missing("has no time"))?,
        performer: found.performer.first().and_then(|who| reading::practitioner(&who.actor)),
        for_adverse_event: found.reason_reference.first().and_then(adverse_event::event_id),
        note: found.note.first().and_then(|note| note.text.value.clone()),
    })
}
