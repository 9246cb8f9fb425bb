//! A course as one timeline, from its resources: what happened when, in words and figures.
//!
//! Only what belongs to the course: what its records' Provenance points to. What was entered in error is left out.

use super::reading;
use super::retraction::is_retracted;
use crate::fhir::model::Resource;
use crate::fhir::model::resources::{
    AdverseEvent, DocumentReference, Encounter, MedicationAdministration, MedicationAdministrationDosageRate,
    MedicationAdministrationMedication, Observation, ObservationComponentValue, ObservationEffective, ObservationValue,
    Procedure, ProcedurePerformed, Provenance,
};
use crate::fhir::model::types::{CodeableConcept, ExtensionValue, Period, Quantity, Reference};
use crate::fhir::resource::{Emitted, identify};
use crate::kap::values::DateTime;
use serde::Serialize;
use std::collections::HashSet;

/// A course and what happened in it, in the order of true time.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    pub course: CourseHead,
    pub records: Vec<RecordHead>,
    pub events: Vec<Event>,
    /// Flags and detected issues that stand.
    pub issues: Vec<OpenIssue>,
}

/// A Flag or DetectedIssue that stands.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenIssue {
    /// `Type/id` of the FHIR resource.
    pub reference: String,
    /// The safety rule that found it, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// In words.
    pub what: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CourseHead {
    /// `EpisodeOfCare/id`.
    pub reference: String,
    pub patient: String,
    /// Absent until an intake has said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
}

/// One record of the course.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordHead {
    pub kind: String,
    pub system: String,
    pub record_id: String,
    pub revision: String,
    pub recorded_at: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// As sent, with its offset.
    pub at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    pub kind: EventKind,
    /// What it is: the display of its code, or the sender's words.
    pub what: String,
    /// Its value with the unit, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where a status other than done matters: `stopped`, `not-done`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// `Type/id` of the FHIR resource.
    pub reference: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    Contact,
    Session,
    Dose,
    Observation,
    AdverseEvent,
    Document,
}

/// `Patient.id` of a course.
pub fn patient_id(course: &Resource) -> Option<&str> {
    let Resource::EpisodeOfCare(course) = course else { return None };
    target(&course.patient)?.strip_prefix("Patient/")
}

/// The system of a course's first identifier.
pub fn identifier_system(course: &Resource) -> Option<String> {
    let Resource::EpisodeOfCare(course) = course else { return None };
    course.identifier.first()?.system.as_ref()?.value.clone()
}

/// `resources` are the current resources of the patient's compartment.
pub fn timeline(course: &Resource, resources: &[Resource]) -> Timeline {
    let head = head(course);
    let provenances: Vec<&Provenance> =
        resources.iter().filter_map(Provenance::from_resource).filter(|found| is_of(found, &head.reference)).collect();
    let members: HashSet<&str> = provenances.iter().flat_map(|found| &found.target).filter_map(target).collect();
    let mut events: Vec<Event> = resources
        .iter()
        .filter_map(|resource| {
            let reference = reference_of(resource)?;
            (members.contains(reference.as_str()) && !is_retracted(resource)).then_some(())?;
            event(resource, reference)
        })
        .collect();
    events.sort_by_cached_key(|event| instant(&event.at));
    let mut records: Vec<RecordHead> = provenances.iter().filter_map(|found| record(found)).collect();
    records.sort_by_cached_key(|record| instant(&record.recorded_at));
    Timeline { course: head, records, events, issues: Vec::new() }
}

fn instant(text: &str) -> Option<jiff::Timestamp> {
    DateTime(text.to_owned()).instant()
}

fn target(reference: &Reference) -> Option<&str> {
    reference.reference.as_ref()?.value.as_deref()
}

fn reference_of(resource: &Resource) -> Option<String> {
    let (name, id, _) = identify(resource)?;
    Some(format!("{name}/{}", id?))
}

fn head(course: &Resource) -> CourseHead {
    let reference = reference_of(course).unwrap_or_default();
    let Resource::EpisodeOfCare(course) = course else {
        return CourseHead { reference, patient: String::new(), status: None, start: None, end: None };
    };
    let bound = |of: fn(&Period) -> Option<&crate::fhir::model::types::DateTime>| {
        course.period.as_deref().and_then(of).and_then(|at| at.value.clone())
    };
    CourseHead {
        reference,
        patient: target(&course.patient).unwrap_or_default().to_owned(),
        status: course.status.value.clone().filter(|_| course.status.extension.is_empty()),
        start: bound(|period| period.start.as_ref()),
        end: bound(|period| period.end.as_ref()),
    }
}

fn is_of(provenance: &Provenance, course: &str) -> bool {
    match reading::find_extension(&provenance.extension, "kap-course").and_then(|e| e.value.as_ref()) {
        Some(ExtensionValue::Reference(reference)) => target(reference) == Some(course),
        _ => false,
    }
}

fn record(provenance: &Provenance) -> Option<RecordHead> {
    let entity = provenance.entity.first()?;
    let identifier = entity.what.identifier.as_deref().and_then(reading::system_identifier)?;
    Some(RecordHead {
        kind: entity.what.display.as_ref()?.value.clone()?,
        system: identifier.system,
        record_id: identifier.value,
        revision: reading::extension_text(&entity.extension, "kap-revision")?.to_owned(),
        recorded_at: provenance.recorded.value.clone()?,
    })
}

fn event(resource: &Resource, reference: String) -> Option<Event> {
    if let Some(found) = Encounter::from_resource(resource) {
        contact(found, reference)
    } else if let Some(found) = Procedure::from_resource(resource) {
        session(found, reference)
    } else if let Some(found) = MedicationAdministration::from_resource(resource) {
        dose(found, reference)
    } else if let Some(found) = Observation::from_resource(resource) {
        observation(found, reference)
    } else if let Some(found) = AdverseEvent::from_resource(resource) {
        adverse_event(found, reference)
    } else if let Some(found) = DocumentReference::from_resource(resource) {
        document(found, reference)
    } else {
        None
    }
}

/// A concept in words: the sender's text, else the displays of its codings.
fn words(concept: &CodeableConcept) -> String {
    if let Some(text) = concept.text.as_ref().and_then(|text| text.value.clone()) {
        return text;
    }
    let words: Vec<&str> = concept
        .coding
        .iter()
        .filter_map(|coding| {
            let display = coding.display.as_ref().and_then(|display| display.value.as_deref());
            display.or_else(|| coding.code.as_ref()?.value.as_deref())
        })
        .collect();
    words.join(", ")
}

fn amount(quantity: &Quantity) -> Option<String> {
    let value = quantity.value.as_ref()?.value.as_deref()?;
    let unit = quantity.unit.as_ref().and_then(|unit| unit.value.as_deref()).unwrap_or_default();
    Some(format!("{value} {unit}").trim_end().to_owned())
}

/// A status that a reader must not miss.
fn notable(status: Option<&str>) -> Option<String> {
    status.filter(|status| !matches!(*status, "completed" | "finished" | "final")).map(str::to_owned)
}

fn contact(found: &Encounter, reference: String) -> Option<Event> {
    let period = found.period.as_deref()?;
    Some(Event {
        at: period.start.as_ref()?.value.clone()?,
        end: period.end.as_ref().and_then(|end| end.value.clone()),
        kind: EventKind::Contact,
        what: found.r#type.first().map(words).unwrap_or_default(),
        value: found.class.display.as_ref().and_then(|display| display.value.clone()),
        status: notable(found.status.value.as_deref()),
        reference,
    })
}

fn session(found: &Procedure, reference: String) -> Option<Event> {
    let (at, end) = match found.performed.as_ref()? {
        ProcedurePerformed::DateTime(at) => (at.value.clone()?, None),
        ProcedurePerformed::Period(period) => {
            (period.start.as_ref()?.value.clone()?, period.end.as_ref().and_then(|end| end.value.clone()))
        }
        ProcedurePerformed::String(_)
        | ProcedurePerformed::Age(_)
        | ProcedurePerformed::Range(_)
        | ProcedurePerformed::Invalid => return None,
    };
    Some(Event {
        at,
        end,
        kind: EventKind::Session,
        what: found.code.as_deref().map(words).unwrap_or_default(),
        value: None,
        status: notable(found.status.value.as_deref()),
        reference,
    })
}

fn dose(found: &MedicationAdministration, reference: String) -> Option<Event> {
    let (at, end) = super::medication_administration::read_effective(&found.effective)?;
    let what = match &found.medication {
        MedicationAdministrationMedication::CodeableConcept(concept) => words(concept),
        MedicationAdministrationMedication::Reference(reference) => reference.display.as_ref()?.value.clone()?,
        MedicationAdministrationMedication::Invalid => return None,
    };
    let dosage = found.dosage.as_ref();
    let rate = dosage.and_then(|dosage| {
        let rate = reading::choice!(dosage.rate.as_ref()?, MedicationAdministrationDosageRate::Quantity)?;
        Some(format!("at {}", amount(rate)?))
    });
    let parts = [
        dosage.and_then(|dosage| amount(dosage.dose.as_deref()?)),
        dosage.and_then(|dosage| dosage.route.as_deref().map(words)),
        rate,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Some(Event {
        at: at.0,
        end: end.map(|end| end.0),
        kind: EventKind::Dose,
        what,
        value: (!parts.is_empty()).then(|| parts.join(", ")),
        status: notable(found.status.value.as_deref()),
        reference,
    })
}

fn observation(found: &Observation, reference: String) -> Option<Event> {
    let at = match found.effective.as_ref()? {
        ObservationEffective::DateTime(at) => at.value.clone()?,
        ObservationEffective::Period(period) => period.start.as_ref()?.value.clone()?,
        ObservationEffective::Instant(at) => at.value.clone()?,
        ObservationEffective::Timing(_) | ObservationEffective::Invalid => return None,
    };
    let own = found.value.as_ref().and_then(observation_value);
    let parts = found.component.iter().filter_map(|component| {
        let value = component.value.as_ref().and_then(component_value)?;
        Some(format!("{} {value}", words(&component.code)))
    });
    let values: Vec<String> = own.into_iter().chain(parts).collect();
    Some(Event {
        at,
        end: None,
        kind: EventKind::Observation,
        what: words(&found.code),
        value: (!values.is_empty()).then(|| values.join(", ")),
        status: notable(found.status.value.as_deref()),
        reference,
    })
}

fn observation_value(value: &ObservationValue) -> Option<String> {
    match value {
        ObservationValue::Quantity(quantity) => amount(quantity),
        ObservationValue::CodeableConcept(concept) => Some(words(concept)),
        ObservationValue::String(text) => text.value.clone(),
        ObservationValue::Boolean(flag) => flag.value.map(yes_no),
        ObservationValue::Integer(number) => number.value.map(|number| number.to_string()),
        ObservationValue::DateTime(at) => at.value.clone(),
        // Never emitted by the mapping.
        ObservationValue::Range(_)
        | ObservationValue::Ratio(_)
        | ObservationValue::SampledData(_)
        | ObservationValue::Time(_)
        | ObservationValue::Period(_)
        | ObservationValue::Invalid => None,
    }
}

fn component_value(value: &ObservationComponentValue) -> Option<String> {
    match value {
        ObservationComponentValue::Quantity(quantity) => amount(quantity),
        ObservationComponentValue::CodeableConcept(concept) => Some(words(concept)),
        ObservationComponentValue::String(text) => text.value.clone(),
        ObservationComponentValue::Boolean(flag) => flag.value.map(yes_no),
        ObservationComponentValue::Integer(number) => number.value.map(|number| number.to_string()),
        ObservationComponentValue::DateTime(at) => at.value.clone(),
        ObservationComponentValue::Range(_)
        | ObservationComponentValue::Ratio(_)
        | ObservationComponentValue::SampledData(_)
        | ObservationComponentValue::Time(_)
        | ObservationComponentValue::Period(_)
        | ObservationComponentValue::Invalid => None,
    }
}

fn yes_no(flag: bool) -> String {
    if flag { "yes" } else { "no" }.to_owned()
}

fn adverse_event(found: &AdverseEvent, reference: String) -> Option<Event> {
    let parts: Vec<String> =
        [&found.severity, &found.outcome].into_iter().flatten().map(|concept| words(concept)).collect();
    Some(Event {
        at: found.date.as_ref()?.value.clone()?,
        end: None,
        kind: EventKind::AdverseEvent,
        what: found.event.as_deref().map(words).unwrap_or_default(),
        value: (!parts.is_empty()).then(|| parts.join(", ")),
        status: None,
        reference,
    })
}

fn document(found: &DocumentReference, reference: String) -> Option<Event> {
    Some(Event {
        at: found.date.as_ref()?.value.clone()?,
        end: None,
        kind: EventKind::Document,
        what: found.r#type.as_deref().map(words).unwrap_or_default(),
        value: found.content.first().and_then(|content| content.attachment.title.as_ref()?.value.clone()),
        status: None,
        reference,
    })
}
