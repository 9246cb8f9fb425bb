//! Observation: what a dose at home was guarded by, and the evidence for the safety programme of esketamine, which R4
//! has no element for. Mapping specification D-19.
//!
//! <https://hl7.org/fhir/R4/observation.html>

use super::concepts;
use super::draft::{Draft, from_record, word};
use super::encounter;
use super::label::Label;
use super::observation_session::{THERAPY, observation};
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::resources::{Encounter, Observation, ObservationEffective, ObservationValue};
use crate::fhir::model::types::DateTime as FhirDateTime;
use crate::kap::records::dosing_session::{AtHome, DosingSession, RemsEvidence, Span};

// The slots; the words of the table too.
const SECOND_ADULT: &str = "second-adult-present";
const REMOTE_MONITORING: &str = "remote-monitoring";
const FORM: &str = "rems-form-submitted";

/// Pushes the evidence of a session.
pub fn evidence(draft: &mut Draft<'_>, record: &DosingSession) {
    let start = &record.contact.start;
    if let Some(at_home) = &record.at_home {
        for (slot, told) in
            [(SECOND_ADULT, at_home.second_adult_present), (REMOTE_MONITORING, at_home.remote_monitoring)]
        {
            let Some(told) = told else { continue };
            let code = word(concepts::EVIDENCE, slot);
            let fact = observation(draft, slot, Label::MentalHealth, THERAPY, code, start);
            draft.push(Observation { value: Some(ObservationValue::Boolean(told.into())), ..fact });
        }
    }
    let Some(rems) = &record.rems else { return };
    if rems.form_submitted.is_some() || rems.form_submitted_at.is_some() {
        let code = word(concepts::EVIDENCE, FORM);
        // Where the sender does not tell when, the session's own time stands there, and says so.
        let at = match &rems.form_submitted_at {
            Some(at) => build::date_time(at.as_str()),
            None => FhirDateTime { extension: vec![from_record()], ..build::date_time(start.as_str()) },
        };
        let fact = observation(draft, FORM, Label::MentalHealth, THERAPY, code, start);
        let submitted = rems.form_submitted.unwrap_or(true);
        draft.push(Observation {
            effective: Some(ObservationEffective::DateTime(at)),
            value: Some(ObservationValue::Boolean(submitted.into())),
            ..fact
        });
    }
}

// ---------------------------------------------------------------- the way back

fn flag(reading: &Reading<'_>, slot: &str) -> Option<bool> {
    let Some(ObservationValue::Boolean(flag)) = &reading.find::<Observation>(slot)?.value else { return None };
    flag.value
}

pub fn read_at_home(reading: &Reading<'_>) -> Option<AtHome> {
    let found = AtHome {
        second_adult_present: flag(reading, SECOND_ADULT),
        remote_monitoring: flag(reading, REMOTE_MONITORING),
    };
    (found != AtHome::default()).then_some(found)
}

/// `monitoring` stands in the session's Procedure.
pub fn read_rems(reading: &Reading<'_>, monitoring: Option<Span>) -> Result<Option<RemsEvidence>, RebuildError> {
    let contact: &Encounter = reading.one(encounter::SLOT)?;
    let submitted_at = match reading.find::<Observation>(FORM).and_then(|form| form.effective.as_ref()) {
        Some(ObservationEffective::DateTime(at)) if !reading::is_from_record(&at.extension) => reading::date_time(at),
        Some(_) | None => None,
    };
    let found = RemsEvidence {
        site: contact.service_provider.as_deref().and_then(reading::organization),
        monitoring,
        form_submitted: flag(reading, FORM),
        form_submitted_at: submitted_at,
    };
    Ok((found != RemsEvidence::default()).then_some(found))
}
