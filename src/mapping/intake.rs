//! The intake as a whole: referral, assessment, decision, consents, care team and plan. Mapping specification §2.1 to
//! §2.4.
//!
//! It describes the patient and the course, which other records only name.

use super::condition::{self, ConditionList};
use super::document_reference::{self, DocumentKind};
use super::draft::Draft;
use super::encounter::{self, ContactKind};
use super::episode_of_care::{self, Ties};
use super::observation_score::{self, ScoreContext};
use super::observation_vitals::{self, Belongs};
use super::provenance::HeaderValues;
use super::reading::{Reading, RebuildError};
use super::{
    allergy_intolerance, care_plan, care_team, consent, diagnostic_report, family_member_history, list,
    medication_review, medication_statement, observation_fact, observation_lab, observation_suitability, patient,
    service_request,
};
use crate::kap::kind::Kind;
use crate::kap::records::intake::{Intake, Pregnancy};

const PRESENT_ILLNESS: &str = "present-illness";
const SAFETY_PLAN: &str = "safety-plan";
const PSYCHOTHERAPY_NOTE_SLOT: &str = "psychotherapy-note";

pub fn map(draft: &mut Draft<'_>, record: &Intake) {
    let at = &record.contact.start;
    let team = care_team::care_team(draft, &record.care_team);
    patient::patient(draft, &record.patient);
    let contact = encounter::encounter(draft, &record.contact, ContactKind::Intake, None);
    draft.push(contact);
    let referral = record.referral.as_ref().map(|referral| service_request::referral(draft, referral));
    let indications = condition::conditions(draft, &record.indications, ConditionList::Indications);
    let ties = Ties { indications: indications.clone(), referral, team: team.reference.clone() };
    episode_of_care::episode_of_care(draft, &record.course, ties);
    history(draft, record);
    findings(draft, record);
    if let Some(plan) = &record.safety_plan {
        document_reference::document(draft, plan, SAFETY_PLAN, DocumentKind::SafetyPlan, at);
    }
    if let Some(suitability) = &record.suitability {
        let role = team.prescriber(&suitability.decided_by);
        observation_suitability::suitability(draft, suitability, role);
    }
    consent::consents(draft, &record.consents);
    if let Some(plan) = &record.plan {
        care_plan::care_plan(draft, plan, indications, team.reference.clone());
    }
    if let Some(note) = &record.psychotherapy_note {
        document_reference::psychotherapy_note(draft, note, PSYCHOTHERAPY_NOTE_SLOT, at);
    }
}

/// What the patient told.
fn history(draft: &mut Draft<'_>, record: &Intake) {
    if let Some(illness) = &record.present_illness {
        let at = &record.contact.start;
        document_reference::document(draft, illness, PRESENT_ILLNESS, DocumentKind::PresentIllness, at);
    }
    condition::conditions(draft, &record.conditions, ConditionList::History);
    family_member_history::family_history(draft, &record.family_history);
    observation_fact::facts(draft, record);
    if let Some(prior) = &record.prior_ketamine {
        medication_statement::prior_ketamine(draft, prior);
    }
    medication_statement::medications(draft, &record.medications);
    if record.no_current_medications == Some(true) {
        list::no_current_medications(draft);
    }
    if let Some(review) = &record.medication_review {
        medication_review::medication_review(draft, review);
    }
    allergy_intolerance::allergies(draft, &record.allergies);
    if record.no_known_allergies == Some(true) {
        allergy_intolerance::no_known_allergies(draft);
    }
}

/// What was measured.
fn findings(draft: &mut Draft<'_>, record: &Intake) {
    if let Some(pregnancy) = &record.pregnancy {
        observation_lab::pregnancy_tests(draft, &pregnancy.tests);
    }
    let belongs = Belongs { encounter: Some(draft.reference("Encounter", encounter::SLOT)), part_of: None };
    observation_vitals::vitals(draft, &record.vitals, &belongs);
    if let Some(ecg) = &record.ecg {
        diagnostic_report::ecg(draft, ecg);
    }
    observation_lab::labs(draft, &record.labs);
    observation_score::scores(draft, &record.results, &record.contact.start, "/results", ScoreContext::Contact);
}

pub fn read(reading: &Reading<'_>, header: HeaderValues) -> Result<Intake, RebuildError> {
    Ok(Intake {
        kind: Kind::Intake.as_str().to_owned(),
        source: header.source,
        recorded_at: header.recorded_at,
        author: header.author,
        patient: patient::read(reading)?,
        course: episode_of_care::read(reading, header.course)?,
        security: header.security,
        contact: encounter::read(reading)?,
        referral: service_request::read(reading)?,
        chief_complaint: observation_fact::read_chief_complaint(reading),
        present_illness: document_reference::read_document(reading, PRESENT_ILLNESS)?,
        indications: condition::read(reading, ConditionList::Indications)?,
        conditions: condition::read(reading, ConditionList::History)?,
        family_history: family_member_history::read(reading)?,
        failed_antidepressant_trials: observation_fact::read_failed_trials(reading),
        prior_ketamine: observation_fact::read_prior_ketamine(reading),
        occupation: observation_fact::read_occupation(reading),
        tobacco: observation_fact::read_tobacco(reading),
        medications: medication_statement::read(reading)?,
        no_current_medications: list::read_none(reading),
        medication_review: medication_review::read(reading)?,
        allergies: allergy_intolerance::read(reading)?,
        no_known_allergies: allergy_intolerance::read_none(reading),
        pregnancy: read_pregnancy(reading)?,
        vitals: observation_vitals::read(reading)?,
        ecg: diagnostic_report::read(reading)?,
        labs: observation_lab::read_labs(reading)?,
        results: observation_score::read_scores(reading)?,
        safety_plan: document_reference::read_document(reading, SAFETY_PLAN)?,
        suitability: observation_suitability::read(reading)?,
        consents: consent::read(reading)?,
        care_team: care_team::read(reading)?,
        plan: care_plan::read(reading)?,
        psychotherapy_note: document_reference::read_psychotherapy_note(reading, PSYCHOTHERAPY_NOTE_SLOT)?,
    })
}

/// Pregnancy with its tests; absent where the intake tells neither.
fn read_pregnancy(reading: &Reading<'_>) -> Result<Option<Pregnancy>, RebuildError> {
    let tests = observation_lab::read_pregnancy_tests(reading)?;
    let told = observation_fact::read_pregnancy(reading);
    Ok((told != Pregnancy::default() || !tests.is_empty()).then_some(Pregnancy { tests, ..told }))
}

#[cfg(test)]
mod tests;
