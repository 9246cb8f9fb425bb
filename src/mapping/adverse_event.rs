//! AdverseEvent, and the Condition that it resulted in. Mapping specification §2.6.
//!
//! The Condition carries what R4's AdverseEvent has no element for: when it ended, and a note. It is also the reason
//! that rescue medicines and support measures point to.
//! <https://hl7.org/fhir/R4/adverseevent.html>

use super::concepts;
use super::draft::{Draft, word};
use super::encounter;
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::resources::{
    AdverseEvent, AdverseEventSuspectEntity, AdverseEventSuspectEntityCausality, Condition, ConditionAbatement,
    ConditionOnset,
};
use crate::fhir::model::types::{CodeableConcept, Reference};
use crate::kap::kind::Kind;
use crate::kap::records::dosing_session::{self, EventCategory, EventOutcome, Seriousness, Severity};
use crate::kap::records::shared::RecordReference;

const LIST: &str = "adverse-events";
const SEVERITY: &str = "http://terminology.hl7.org/CodeSystem/adverse-event-severity";
const CONDITION_CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
const CONDITION_VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
const CONDITION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";

/// A reference to the event that the sender named `id`.
pub fn reference(draft: &Draft<'_>, id: &str) -> Reference {
    draft.reference_to_element("AdverseEvent", &format!("{LIST}/{id}"))
}

/// A reference to that event's Condition.
pub fn condition_reference(draft: &Draft<'_>, id: &str) -> Reference {
    draft.reference_to_element("Condition", &format!("{LIST}/{id}/condition"))
}

/// Pushes the event and its Condition. `session`: the record that holds the suspected dose, where it is another.
pub fn adverse_event(
    draft: &mut Draft<'_>,
    event: &dosing_session::AdverseEvent,
    session: Option<&RecordReference>,
    pointer: &str,
) {
    let natural = format!("{} {:?} {:?}", event.at.as_str(), event.event.term, event.event.text);
    let slot = draft.slot(LIST, event.id.as_deref(), &natural);
    let condition_slot = format!("{slot}/condition");
    let code = draft.termed(concepts::ADVERSE_EVENT, &event.event, &format!("{pointer}/event"));
    let meta = draft.meta(&slot, Label::MentalHealth);
    let recorder = event.recorder.as_ref().map(|who| Box::new(draft.practitioner(who)));
    let condition = condition(draft, event, &condition_slot, code.clone());
    let resource = AdverseEvent {
        id: Some(draft.id(&slot).as_str().into()),
        meta,
        identifier: Some(Box::new(draft.identifier(&slot))),
        actuality: "actual".into(),
        category: vec![word(concepts::EVENT_CATEGORY, event.category.as_str())],
        event: Some(Box::new(code)),
        subject: Box::new(draft.patient()),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        date: Some(build::date_time(event.at.as_str())),
        detected: event.detected_at.as_ref().map(|at| build::date_time(at.as_str())),
        resulting_condition: vec![draft.reference("Condition", &condition_slot)],
        seriousness: event.seriousness.map(|seriousness| Box::new(seriousness_concept(seriousness))),
        severity: Some(Box::new(severity_concept(event.severity))),
        outcome: Some(Box::new(outcome_concept(event.outcome))),
        recorder,
        suspect_entity: event
            .suspect_dose
            .iter()
            .map(|dose| AdverseEventSuspectEntity {
                instance: Box::new(dose_reference(draft, session, dose)),
                causality: event
                    .causality
                    .iter()
                    .map(|words| AdverseEventSuspectEntityCausality {
                        assessment: Some(Box::new(build::words(words))),
                        ..Default::default()
                    })
                    .collect(),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    draft.push(resource);
    draft.push(condition);
}

fn dose_reference(draft: &Draft<'_>, session: Option<&RecordReference>, dose: &str) -> Reference {
    let slot = format!("doses/{dose}");
    match session {
        None => draft.reference_to_element("MedicationAdministration", &slot),
        Some(session) => {
            let own = &draft.header.source.system;
            let system = session.system.as_ref().unwrap_or(own);
            Reference {
                identifier: Some(Box::new(build::identifier(system, &format!("{}/{slot}", session.record_id)))),
                ..draft.reference_to_record("MedicationAdministration", Kind::DosingSession, session, &slot)
            }
        }
    }
}

fn condition(
    draft: &mut Draft<'_>,
    event: &dosing_session::AdverseEvent,
    slot: &str,
    code: CodeableConcept,
) -> Condition {
    let category = build::coding(CONDITION_CATEGORY, "encounter-diagnosis", "Encounter Diagnosis");
    Condition {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, Label::MentalHealth),
        identifier: vec![draft.identifier(slot)],
        clinical_status: clinical_status(event)
            .map(|(code, display)| Box::new(build::concept(build::coding(CONDITION_CLINICAL, code, display)))),
        verification_status: Some(Box::new(build::concept(build::coding(
            CONDITION_VERIFICATION,
            "confirmed",
            "Confirmed",
        )))),
        category: vec![build::concept(category)],
        code: Some(Box::new(code)),
        subject: Box::new(draft.patient()),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        onset: Some(ConditionOnset::DateTime(build::date_time(event.at.as_str()))),
        abatement: event.resolved_at.as_ref().map(|at| ConditionAbatement::DateTime(build::date_time(at.as_str()))),
        note: event.note.iter().map(|note| build::annotation(note)).collect(),
        ..Default::default()
    }
}

/// Whether the condition goes on, where the outcome tells it. con-4: what has an end is not active.
fn clinical_status(event: &dosing_session::AdverseEvent) -> Option<(&'static str, &'static str)> {
    match event.outcome {
        EventOutcome::Resolved | EventOutcome::ResolvedWithSequelae => Some(("resolved", "Resolved")),
        EventOutcome::Recovering | EventOutcome::Ongoing => Some(("active", "Active")),
        EventOutcome::Fatal | EventOutcome::Unknown => None,
    }
}

fn severity_concept(severity: Severity) -> CodeableConcept {
    let display = match severity {
        Severity::Mild => "Mild",
        Severity::Moderate => "Moderate",
        Severity::Severe => "Severe",
    };
    build::concept(build::coding(SEVERITY, severity.as_str(), display))
}

/// A local code: R4's own edition of the official code system writes `Non-serious`, today's HL7 Terminology
/// `non-serious`, and validators with the one refuse the other.
fn seriousness_concept(seriousness: Seriousness) -> CodeableConcept {
    word(concepts::SERIOUSNESS, seriousness.as_str())
}

fn outcome_concept(outcome: EventOutcome) -> CodeableConcept {
    word(concepts::EVENT_OUTCOME, outcome.as_str())
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<dosing_session::AdverseEvent>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_one(reading, slot)).collect()
}

fn read_one(reading: &Reading<'_>, slot: &str) -> Result<dosing_session::AdverseEvent, RebuildError> {
    let found: &AdverseEvent = reading.one(slot)?;
    let condition: &Condition = reading.one(&format!("{slot}/condition"))?;
    let missing = |what| RebuildError::new(slot, what);
    let event = found.event.as_deref().ok_or_else(|| missing("has no event"))?;
    let category = found.category.first().and_then(|category| reading::table_word(concepts::EVENT_CATEGORY, category));
    Ok(dosing_session::AdverseEvent {
        id: reading::sender_id(slot),
        event: reading::termed(concepts::ADVERSE_EVENT, event),
        category: category.and_then(EventCategory::from_word).ok_or_else(|| missing("has no category of ours"))?,
        at: found.date.as_ref().and_then(reading::date_time).ok_or_else(|| missing("has no date"))?,
        detected_at: found.detected.as_ref().and_then(reading::date_time),
        resolved_at: match &condition.abatement {
            Some(ConditionAbatement::DateTime(at)) => reading::date_time(at),
            _ => None,
        },
        severity: code(found.severity.as_deref())
            .and_then(Severity::from_word)
            .ok_or_else(|| missing("has no severity"))?,
        seriousness: found
            .seriousness
            .as_deref()
            .and_then(|concept| reading::table_word(concepts::SERIOUSNESS, concept))
            .and_then(Seriousness::from_word),
        outcome: found
            .outcome
            .as_deref()
            .and_then(|outcome| reading::table_word(concepts::EVENT_OUTCOME, outcome))
            .and_then(EventOutcome::from_word)
            .ok_or_else(|| missing("has no outcome"))?,
        suspect_dose: found.suspect_entity.first().and_then(|entity| reading::element_id(&entity.instance)),
        causality: found
            .suspect_entity
            .first()
            .and_then(|entity| entity.causality.first()?.assessment.as_ref()?.text.as_ref()?.value.clone()),
        recorder: found.recorder.as_deref().and_then(reading::practitioner),
        note: condition.note.first().and_then(|note| note.text.value.clone()),
    })
}

/// The code of a concept of one coding.
fn code(concept: Option<&CodeableConcept>) -> Option<&str> {
    concept?.coding.first()?.code.as_ref()?.value.as_deref()
}

/// The sender's id of the event whose Condition a reference points to.
pub fn event_id(reference: &Reference) -> Option<String> {
    let identifier = reference.identifier.as_ref()?.value.as_ref()?.value.as_deref()?;
    reading::sender_id(identifier.strip_suffix("/condition")?)
}
