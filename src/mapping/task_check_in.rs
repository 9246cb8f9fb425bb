//! Task: a check-in that is planned. Mapping specification §2.8.
//!
//! <https://hl7.org/fhir/R4/task.html>

use super::concepts;
use super::draft::{Draft, concept_coding};
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use super::systems::KAP;
use crate::fhir::build;
use crate::fhir::model::resources::{Task, TaskRestriction};
use crate::kap::records::follow_up::{ScheduledCheckIn, ScheduledStatus, Timing};

const LIST: &str = "scheduled";

pub fn scheduled(draft: &mut Draft<'_>, planned: &ScheduledCheckIn) {
    let slot = draft.slot(LIST, planned.id.as_deref(), planned.due.as_str());
    let mut code = build::concept(build::coding(KAP, "check-in", "Check-in"));
    let timing = planned.timing.and_then(|timing| concepts::by_word(concepts::TIMING, timing.as_str()));
    code.coding.extend(timing.map(concept_coding));
    let owner = planned.owner.as_ref().map(|owner| Box::new(draft.practitioner(owner)));
    let task = Task {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, Label::MentalHealth),
        identifier: vec![draft.identifier(&slot)],
        status: planned.status.as_str().into(),
        intent: "plan".into(),
        code: Some(Box::new(code)),
        r#for: Some(Box::new(draft.patient())),
        encounter: draft.contact(),
        owner,
        note: planned.note.iter().map(|note| build::annotation(note)).collect(),
        restriction: Some(TaskRestriction {
            period: Some(Box::new(build::period(None, Some(planned.due.as_str())))),
            ..Default::default()
        }),
        ..Default::default()
    };
    draft.push(task);
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<ScheduledCheckIn>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_one(reading, slot)).collect()
}

fn read_one(reading: &Reading<'_>, slot: &str) -> Result<ScheduledCheckIn, RebuildError> {
    let task: &Task = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let period = task.restriction.as_ref().and_then(|restriction| restriction.period.as_deref());
    let timing = task.code.as_deref().and_then(|code| reading::table_word(concepts::TIMING, code));
    Ok(ScheduledCheckIn {
        id: reading::sender_id(slot),
        timing: timing.and_then(Timing::from_word),
        due: period
            .and_then(|period| reading::date_time(period.end.as_ref()?))
            .ok_or_else(|| missing("has no time by which it is due"))?,
        status: task
            .status
            .value
            .as_deref()
            .and_then(ScheduledStatus::from_word)
            .ok_or_else(|| missing("has no status of ours"))?,
        owner: task.owner.as_deref().and_then(reading::practitioner),
        note: task.note.first().and_then(|note| note.text.value.clone()),
    })
}
