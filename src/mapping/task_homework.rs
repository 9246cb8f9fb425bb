//! Task: what the patient practises between sessions. Mapping specification §2.7.
//!
//! <https://hl7.org/fhir/R4/task.html>

use super::draft::Draft;
use super::encounter;
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use super::systems::KAP;
use crate::fhir::build;
use crate::fhir::model::resources::{Task, TaskRestriction};
use crate::kap::records::integration_session::{Homework, HomeworkStatus};

const LIST: &str = "homework";

pub fn homework(draft: &mut Draft<'_>, homework: &Homework) {
    let slot = draft.slot(LIST, homework.id.as_deref(), &homework.description);
    let task = Task {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, Label::MentalHealth),
        identifier: vec![draft.identifier(&slot)],
        status: homework.status.as_str().into(),
        intent: "plan".into(),
        code: Some(Box::new(build::concept(build::coding(KAP, "integration-practice", "Integration practice")))),
        description: Some(homework.description.as_str().into()),
        r#for: Some(Box::new(draft.patient())),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        owner: Some(Box::new(draft.patient())),
        restriction: homework.due.as_deref().map(|due| TaskRestriction {
            period: Some(Box::new(build::period(None, Some(due)))),
            ..Default::default()
        }),
        ..Default::default()
    };
    draft.push(task);
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<Homework>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_homework(reading, slot)).collect()
}

fn read_homework(reading: &Reading<'_>, slot: &str) -> Result<Homework, RebuildError> {
    let task: &Task = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let status = task.status.value.as_deref().and_then(HomeworkStatus::from_word);
    let description = task.description.as_ref().and_then(|description| description.value.clone());
    let period = task.restriction.as_ref().and_then(|restriction| restriction.period.as_deref());
    Ok(Homework {
        id: reading::sender_id(slot),
        description: description.ok_or_else(|| missing("has no description"))?,
        status: status.ok_or_else(|| missing("has no status of ours"))?,
        due: period.and_then(|period| period.end.as_ref()?.value.clone()),
    })
}
