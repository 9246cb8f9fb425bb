//! Flag: a concern about misuse that somebody of the care team has. Mapping specification §2.10.
//!
//! <https://hl7.org/fhir/R4/flag.html>

use super::concepts;
use super::draft::{Draft, word};
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::resources::Flag;
use crate::fhir::model::types::CodeableConcept;
use crate::kap::records::follow_up::{ConcernStatus, MisuseConcern};

const SLOT: &str = "misuse-concern";

pub fn misuse_concern(draft: &mut Draft<'_>, concern: &MisuseConcern) {
    let author = concern.recorder.as_ref().map(|who| Box::new(draft.practitioner(who)));
    let code = CodeableConcept { text: concern.text.as_deref().map(Into::into), ..word(concepts::CONCERN, "misuse") };
    let resource = Flag {
        id: Some(draft.id(SLOT).as_str().into()),
        // That somebody may misuse a controlled medicine is content about substance use.
        meta: draft.meta(SLOT, Label::SubstanceUse),
        identifier: vec![draft.identifier(SLOT)],
        status: concern.status.as_str().into(),
        category: vec![word(concepts::CONCERN, "category")],
        code: Box::new(code),
        subject: Box::new(draft.patient()),
        period: Some(Box::new(build::period(
            Some(concern.since.as_str()),
            concern.until.as_ref().map(|until| until.as_str()),
        ))),
        encounter: draft.contact(),
        author,
        ..Default::default()
    };
    draft.push(resource);
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Option<MisuseConcern>, RebuildError> {
    let Some(found) = reading.find::<Flag>(SLOT) else { return Ok(None) };
    let missing = |what| RebuildError::new(SLOT, what);
    let period = found.period.as_deref();
    let status = found.status.value.as_deref().and_then(ConcernStatus::from_word);
    Ok(Some(MisuseConcern {
        status: status.ok_or_else(|| missing("has no status of ours"))?,
        since: period
            .and_then(|period| reading::date_time(period.start.as_ref()?))
            .ok_or_else(|| missing("has no start"))?,
        until: period.and_then(|period| reading::date_time(period.end.as_ref()?)),
        text: found.code.text.as_ref().and_then(|text| text.value.clone()),
        recorder: found.author.as_deref().and_then(reading::practitioner),
    }))
}
