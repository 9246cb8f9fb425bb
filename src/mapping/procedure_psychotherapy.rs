//! Procedure: a preparation or integration session and the psychotherapies in it. Mapping specification §2.4, §2.7.
//!
//! A concept names one thing, so each modality is a Procedure of its own, part of the session's.
//! <https://hl7.org/fhir/R4/procedure.html>

use super::concepts;
use super::draft::{Draft, word};
use super::encounter;
use super::label::Label;
use super::procedure::{SESSION_SLOT, group_extension, performed, read_format, read_group, status};
use super::reading::{self, Reading, RebuildError};
use crate::fhir::model::resources::Procedure;
use crate::fhir::model::types::CodeableConcept;
use crate::kap::records::dosing_session::SessionFormat;
use crate::kap::records::shared::{Contact, Group};
use crate::kap::values::Termed;

const MODALITIES: &str = "modalities";

/// Pushes the session and its modalities.
pub fn psychotherapy(
    draft: &mut Draft<'_>,
    format: SessionFormat,
    group: Option<&Group>,
    modalities: &[Termed],
    contact: &Contact,
) {
    let format = word(concepts::FORMAT, format.as_str());
    let session = Procedure {
        extension: group.map(|group| group_extension(draft, group)).into_iter().collect(),
        ..procedure(draft, SESSION_SLOT, format, contact)
    };
    draft.push(session);
    for (place, modality) in modalities.iter().enumerate() {
        let code = draft.termed(concepts::MODALITY, modality, &format!("/modalities/{place}"));
        let slot = draft.slot(MODALITIES, None, &natural(modality));
        let modality = Procedure {
            part_of: vec![draft.reference("Procedure", SESSION_SLOT)],
            ..procedure(draft, &slot, code, contact)
        };
        draft.push(modality);
    }
}

fn natural(modality: &Termed) -> String {
    let words = [modality.term.as_deref(), modality.text.as_deref()];
    words.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// A Procedure of the contact.
pub fn procedure(draft: &mut Draft<'_>, slot: &str, code: CodeableConcept, contact: &Contact) -> Procedure {
    Procedure {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, Label::MentalHealth),
        identifier: vec![draft.identifier(slot)],
        status: status(contact.status).into(),
        code: Some(Box::new(code)),
        subject: Box::new(draft.patient()),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        performed: Some(performed(contact)),
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

pub fn read_session_format(reading: &Reading<'_>) -> Result<SessionFormat, RebuildError> {
    let found: &Procedure = reading.one(SESSION_SLOT)?;
    let format = found.code.as_deref().and_then(read_format);
    format.ok_or_else(|| RebuildError::new(SESSION_SLOT, "has no format of ours"))
}

pub fn read_session_group(reading: &Reading<'_>) -> Result<Option<Group>, RebuildError> {
    Ok(read_group(reading.one(SESSION_SLOT)?))
}

pub fn read_modalities(reading: &Reading<'_>) -> Result<Vec<Termed>, RebuildError> {
    let read = |slot: &String| {
        let found: &Procedure = reading.one(slot)?;
        let code = found.code.as_deref().ok_or_else(|| RebuildError::new(slot, "has no code"))?;
        Ok(reading::termed(concepts::MODALITY, code))
    };
    reading.elements(MODALITIES).iter().map(read).collect()
}
