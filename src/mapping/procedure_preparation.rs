//! Procedure: what was explained or talked through before a dose. Mapping specification §2.4.
//!
//! Each is part of the session's Procedure. Teaching has a code of its own in SNOMED CT; which teaching, ours says.
//! <https://hl7.org/fhir/R4/procedure.html>

use super::concepts;
use super::draft::{Draft, word};
use super::procedure::SESSION_SLOT;
use super::procedure_psychotherapy::procedure;
use super::reading::{self, Reading, RebuildError};
use super::systems::SCT;
use crate::fhir::build;
use crate::fhir::model::resources::{Procedure, ProcedurePerformer};
use crate::kap::records::preparation_session::{Activity, ActivityTerm};
use crate::kap::records::shared::Contact;

const LIST: &str = "activities";

pub fn activity(draft: &mut Draft<'_>, activity: &Activity, contact: &Contact) {
    let slot = draft.slot(LIST, activity.id.as_deref(), activity.activity.as_str());
    let mut code = word(concepts::ACTIVITY, activity.activity.as_str());
    code.coding.insert(0, build::coding(SCT, "409073007", "Education"));
    let performer = activity.performer.iter();
    let resource = Procedure {
        part_of: vec![draft.reference("Procedure", SESSION_SLOT)],
        performer: performer
            .map(|who| ProcedurePerformer { actor: Box::new(draft.practitioner(who)), ..Default::default() })
            .collect(),
        note: activity.note.iter().map(|note| build::annotation(note)).collect(),
        ..procedure(draft, &slot, code, contact)
    };
    draft.push(resource);
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<Activity>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_activity(reading, slot)).collect()
}

fn read_activity(reading: &Reading<'_>, slot: &str) -> Result<Activity, RebuildError> {
    let found: &Procedure = reading.one(slot)?;
    let activity = found.code.as_deref().and_then(|code| reading::table_word(concepts::ACTIVITY, code));
    Ok(Activity {
        id: reading::sender_id(slot),
        activity: activity
            .and_then(ActivityTerm::from_word)
            .ok_or_else(|| RebuildError::new(slot, "is no activity of ours"))?,
        performer: found.performer.first().and_then(|who| reading::practitioner(&who.actor)),
        note: found.note.first().and_then(|note| note.text.value.clone()),
    })
}
