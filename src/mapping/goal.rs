//! Goal: what the course is to reach. Mapping specification §2.4, §2.7.
//!
//! <https://hl7.org/fhir/R4/goal.html>

use super::concepts::{self, instruments};
use super::draft::{Draft, word};
use super::label::Label;
use super::observation_score::points;
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::resources::{Goal, GoalTarget, GoalTargetDetail, GoalTargetDue};
use crate::fhir::model::types::{Identifier, Quantity, Reference};
use crate::kap::instruments::Registry;
use crate::kap::records::shared::{self, GoalAchievement, GoalStatus, GoalTargetComparator, InstrumentKey};
use crate::kap::values::Decimal;

const LIST: &str = "goals";

/// Pushes the goals of a record and gives references to them.
pub fn goals(draft: &mut Draft<'_>, goals: &[shared::Goal]) -> Vec<Reference> {
    goals
        .iter()
        .map(|goal| {
            let slot = draft.slot(LIST, goal.id.as_deref(), &goal.description);
            let resource = self::goal(draft, goal, &slot);
            draft.push(resource);
            draft.reference("Goal", &slot)
        })
        .collect()
}

fn goal(draft: &mut Draft<'_>, goal: &shared::Goal, slot: &str) -> Goal {
    Goal {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, Label::MentalHealth),
        identifier: vec![identifier(draft, goal, slot)],
        lifecycle_status: goal.status.as_str().into(),
        achievement_status: goal
            .achievement
            .map(|achievement| Box::new(word(concepts::ACHIEVEMENT, achievement.as_str()))),
        description: Box::new(build::words(&goal.description)),
        subject: Box::new(draft.patient()),
        target: goal.target.iter().map(|aim| target(aim, draft.instruments)).collect(),
        status_date: goal.status_date.as_deref().map(Into::into),
        ..Default::default()
    }
}

/// A goal that the sender named has the same identifier in every record of the course.
fn identifier(draft: &Draft<'_>, goal: &shared::Goal, slot: &str) -> Identifier {
    let course = draft.header.course;
    match &goal.id {
        Some(id) => build::identifier(course.system, &format!("{}/goal/{id}", course.value)),
        None => draft.identifier(slot),
    }
}

fn target(target: &shared::GoalTarget, registry: &Registry) -> GoalTarget {
    let measure = registry.find(target.instrument.as_str()).map(instruments::score_code);
    GoalTarget {
        measure: measure.map(Box::new),
        detail: Some(GoalTargetDetail::Quantity(Box::new(Quantity {
            comparator: target.comparator.map(|comparator| comparator.as_str().into()),
            ..points(&target.score.text())
        }))),
        due: target.due.as_deref().map(|due| GoalTargetDue::Date(due.into())),
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<shared::Goal>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_goal(reading, slot)).collect()
}

fn read_goal(reading: &Reading<'_>, slot: &str) -> Result<shared::Goal, RebuildError> {
    let found: &Goal = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let achievement = found.achievement_status.as_deref();
    let description = found.description.text.as_ref().and_then(|text| text.value.clone());
    let status = found.lifecycle_status.value.as_deref().and_then(GoalStatus::from_word);
    Ok(shared::Goal {
        id: reading::sender_id(slot),
        description: description.ok_or_else(|| missing("has no description"))?,
        status: status.ok_or_else(|| missing("has no status of ours"))?,
        achievement: achievement
            .and_then(|concept| reading::table_word(concepts::ACHIEVEMENT, concept))
            .and_then(GoalAchievement::from_word),
        status_date: found.status_date.as_ref().and_then(|date| date.value.clone()),
        target: match found.target.first() {
            Some(target) => {
                Some(read_target(target, reading.instruments).ok_or_else(|| missing("has a target that is not ours"))?)
            }
            None => None,
        },
    })
}

fn read_target(target: &GoalTarget, registry: &Registry) -> Option<shared::GoalTarget> {
    let scale = reading::scale(target.measure.as_ref()?, registry)?;
    let Some(GoalTargetDetail::Quantity(score)) = &target.detail else { return None };
    Some(shared::GoalTarget {
        instrument: InstrumentKey(scale.key.clone()),
        comparator: score
            .comparator
            .as_ref()
            .and_then(|comparator| GoalTargetComparator::from_word(comparator.value.as_deref()?)),
        score: Decimal::parse(score.value.as_ref()?.value.as_deref()?)?,
        due: if let Some(GoalTargetDue::Date(due)) = &target.due { due.value.clone() } else { None },
    })
}
