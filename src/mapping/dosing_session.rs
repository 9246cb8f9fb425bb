//! The dosing session as a whole. Mapping specification §2.5, §2.6.
//!
//! Encounter ← Procedure ← MedicationAdministration: each dose is its own, vitals, scores and events hang on the
//! Procedure.

use super::document_reference::{self, DocumentKind};
use super::draft::Draft;
use super::encounter::{self, ContactKind};
use super::observation_score::{self, ScoreContext};
use super::observation_vitals::{self, Belongs};
use super::provenance::HeaderValues;
use super::reading::{Reading, RebuildError};
use super::{
    adverse_event, medication_administration, medication_dispense, medication_request, observation_evidence,
    observation_lab, observation_session, procedure, related_person, rescue_medication,
};
use crate::kap::kind::Kind;
use crate::kap::records::dosing_session::DosingSession;
use crate::kap::records::shared::{Course, PatientReference};

const NARRATIVE_SLOT: &str = "experience-narrative";
const PSYCHOTHERAPY_NOTE_SLOT: &str = "psychotherapy-note";

pub fn map(draft: &mut Draft<'_>, record: &DosingSession) {
    draft.name_patient_and_course();
    let mut contact =
        encounter::encounter(draft, &record.contact, ContactKind::DosingSession, record.discharge.as_ref());
    let site = record.rems.as_ref().and_then(|rems| rems.site.as_ref());
    contact.service_provider = site.map(|site| Box::new(draft.organization(site)));
    draft.push(contact);
    if let Some(escort) = record.discharge.as_ref().and_then(|discharge| discharge.escort.as_ref()) {
        let escort = related_person::related_person(draft, escort, encounter::ESCORT_SLOT);
        draft.push(escort);
    }
    let session = procedure::session(draft, record);
    draft.push(session);
    let order = record.order.as_ref().map(|order| medication_request::medication_request(draft, order, "/order"));
    for (place, dose) in record.doses.iter().enumerate() {
        medication_administration::dose(draft, dose, order.as_deref(), &format!("/doses/{place}"));
    }
    for (place, dispense) in record.dispenses.iter().enumerate() {
        medication_dispense::medication_dispense(draft, dispense, order.as_deref(), &format!("/dispenses/{place}"));
    }
    let belongs = Belongs {
        encounter: Some(draft.reference("Encounter", encounter::SLOT)),
        part_of: Some(draft.reference("Procedure", procedure::SESSION_SLOT)),
    };
    observation_vitals::vitals(draft, &record.vitals, &belongs);
    observation_lab::labs(draft, &record.labs);
    observation_lab::pregnancy_tests(draft, &record.pregnancy_tests);
    observation_score::scores(draft, &record.results, &record.contact.start, "/results", ScoreContext::Session);
    for (place, event) in record.adverse_events.iter().enumerate() {
        adverse_event::adverse_event(draft, event, None, &format!("/adverseEvents/{place}"));
    }
    for (place, rescue) in record.rescue_medications.iter().enumerate() {
        rescue_medication::rescue(draft, rescue, &format!("/rescueMedications/{place}"));
    }
    for measure in &record.support_measures {
        procedure::support_measure(draft, measure);
    }
    observation_session::observations(draft, record);
    observation_evidence::evidence(draft, record);
    if let Some(narrative) = &record.experience_narrative {
        let kind = DocumentKind::ExperienceNarrative;
        document_reference::document(draft, narrative, NARRATIVE_SLOT, kind, &record.contact.start);
    }
    if let Some(note) = &record.psychotherapy_note {
        document_reference::psychotherapy_note(draft, note, PSYCHOTHERAPY_NOTE_SLOT, &record.contact.start);
    }
}

pub fn read(reading: &Reading<'_>, header: HeaderValues) -> Result<DosingSession, RebuildError> {
    let contact = encounter::read(reading)?;
    let session = procedure::read_session(reading)?;
    Ok(DosingSession {
        kind: Kind::DosingSession.as_str().to_owned(),
        source: header.source,
        recorded_at: header.recorded_at,
        author: header.author,
        patient: PatientReference { identifier: header.patient },
        course: Course { identifier: header.course },
        security: header.security,
        format: session.format,
        group: session.group,
        approach: session.approach,
        session_number: session.session_number,
        billing_codes: session.billing_codes,
        intention: observation_session::read_intention(reading),
        set_and_setting: observation_session::read_set_and_setting(reading),
        order: medication_request::read(reading)?,
        doses: medication_administration::read_doses(reading)?,
        dispenses: medication_dispense::read(reading)?,
        vitals: observation_vitals::read(reading)?,
        labs: observation_lab::read_labs(reading)?,
        pregnancy_tests: observation_lab::read_pregnancy_tests(reading)?,
        results: observation_score::read_scores(reading)?,
        adverse_events: adverse_event::read(reading)?,
        rescue_medications: rescue_medication::read(reading)?,
        support_measures: procedure::read_support_measures(reading)?,
        discharge: observation_session::read_discharge(reading)?,
        at_home: observation_evidence::read_at_home(reading),
        rems: observation_evidence::read_rems(reading, session.monitoring)?,
        experience_narrative: document_reference::read_document(reading, NARRATIVE_SLOT)?,
        psychotherapy_note: document_reference::read_psychotherapy_note(reading, PSYCHOTHERAPY_NOTE_SLOT)?,
        contact,
    })
}
