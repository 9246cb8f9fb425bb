//! List: that the patient takes no medicine. Mapping specification §2.2.
//!
//! <https://hl7.org/fhir/R4/list.html>

use super::concepts;
use super::draft::{Draft, word};
use super::encounter;
use super::label::Label;
use super::reading::Reading;
use crate::fhir::build;
use crate::fhir::model::resources::List;

const SLOT: &str = "no-current-medications";
const EMPTY_REASON: &str = "http://terminology.hl7.org/CodeSystem/list-empty-reason";

/// Pushes that the patient was asked and takes none.
pub fn no_current_medications(draft: &mut Draft<'_>) {
    let resource = List {
        id: Some(draft.id(SLOT).as_str().into()),
        meta: draft.meta(SLOT, Label::Normal),
        identifier: vec![draft.identifier(SLOT)],
        status: "current".into(),
        mode: "snapshot".into(),
        code: Some(Box::new(word(concepts::ASSERTION, "medicines"))),
        subject: Some(Box::new(draft.patient())),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        empty_reason: Some(Box::new(build::concept(build::coding(EMPTY_REASON, "nilknown", "Nil Known")))),
        ..Default::default()
    };
    draft.push(resource);
}

/// `true` where the intake says that there are none; absent otherwise.
pub fn read_none(reading: &Reading<'_>) -> Option<bool> {
    reading.find::<List>(SLOT).map(|_| true)
}
