//! EpisodeOfCare and CarePlan after a pause, a resumption or the end. Mapping specification §2.3, §2.10, D-21.
//!
//! The intake owns both. A closure adds its word: the state is that of the latest word by its time, whichever came
//! in last; earlier states stay in `statusHistory`. What the intake says of everything else stays as it says it.

use super::care_plan;
use super::concepts;
use super::draft::{self, Draft, word};
use super::label::Label;
use super::observation_course::{self, read_at, read_carried_out, read_change, read_reason};
use super::reading::{self, find_extension};
use super::systems::{KAP, extension_url};
use crate::fhir::build;
use crate::fhir::model::resources::{CarePlan, EpisodeOfCare, EpisodeOfCareStatusHistory, Observation};
use crate::fhir::model::types::{Code, CodeableConcept, ExtensionValue, Meta, Period, Reference};
use crate::kap::records::course_closure::CourseChange;
use crate::kap::values::DateTime;

/// System and code of the Observation that tells a change of a course.
pub const CHANGE: (&str, &str) = (KAP, "course-change");
const ENTERED_IN_ERROR: &str = "entered-in-error";
const COURSE_SLOT: &str = "course";
const PLAN_SLOT: &str = "plan";
const END_REASON: &str = "kap-course-end-reason";
/// In `meta.source` of a version that a closure amended.
const OF_A_CLOSURE: &str = "#course-closure/";

/// What one closure says.
#[derive(Debug, Clone)]
pub struct Word {
    at: DateTime,
    change: CourseChange,
    reason: Option<CodeableConcept>,
    carried_out: Option<bool>,
    /// `EpisodeOfCare.id` and `CarePlan.id`.
    course: Option<String>,
    plan: Option<String>,
    /// `meta.source` of the closure without the slot.
    source: String,
}

impl Word {
    /// From the closure's Observation.
    pub fn read(change: &Observation) -> Option<Self> {
        let id = |references: &[Reference], kind: &str| {
            let literal = references.first()?.reference.as_ref()?.value.as_deref()?;
            literal.strip_prefix(kind)?.strip_prefix('/').map(str::to_owned)
        };
        let source = change.meta.as_deref()?.source.as_ref()?.value.as_deref()?;
        Some(Self {
            at: read_at(change)?,
            change: read_change(change)?,
            reason: read_reason(change).cloned(),
            carried_out: read_carried_out(change),
            course: id(&change.focus, "EpisodeOfCare"),
            plan: id(&change.based_on, "CarePlan"),
            source: source.strip_suffix(observation_course::SLOT)?.to_owned(),
        })
    }

    pub fn is_of_course(&self, id: &str) -> bool {
        self.course.as_deref() == Some(id)
    }

    pub fn is_of_plan(&self, id: &str) -> bool {
        self.plan.as_deref() == Some(id)
    }

    /// `EpisodeOfCare.id` of the course that it changes.
    pub fn course_id(&self) -> Option<&str> {
        self.course.as_deref()
    }

    /// `CarePlan.id` of the plan that it changes.
    pub fn plan_id(&self) -> Option<&str> {
        self.plan.as_deref()
    }

    const fn course_status(&self) -> &'static str {
        match self.change {
            CourseChange::Pause => "onhold",
            CourseChange::Resume => "active",
            CourseChange::End => "finished",
            CourseChange::Cancel => "cancelled",
        }
    }

    /// D-21: `completed` when the plan was carried out, benefit or not.
    fn plan_status(&self) -> &'static str {
        match (self.change, self.carried_out) {
            (CourseChange::Pause, _) => "on-hold",
            (CourseChange::Resume, _) => "active",
            (CourseChange::End, Some(true)) => "completed",
            (CourseChange::End, Some(false) | None) | (CourseChange::Cancel, _) => "revoked",
        }
    }

    const fn is_end(&self) -> bool {
        match self.change {
            CourseChange::End | CourseChange::Cancel => true,
            CourseChange::Pause | CourseChange::Resume => false,
        }
    }
}

/// Has a closure amended this version?
pub fn is_amended(meta: Option<&Meta>) -> bool {
    let source = meta.and_then(|meta| meta.source.as_ref()?.value.as_deref());
    source.is_some_and(|source| source.contains(OF_A_CLOSURE))
}

/// What the closure alone can say of the course and the plan, for whoever gets the record as it is mapped.
pub fn amend(draft: &mut Draft<'_>, change: &Observation) {
    let Some(word) = Word::read(change) else { return };
    if word.reason.as_ref().is_some_and(|reason| !reason.extension.is_empty()) {
        draft.review();
    }
    let course = named_course(draft);
    draft.amend(settle_course(course, std::slice::from_ref(&word)));
    if let (Some(id), Some(reference)) = (word.plan_id(), change.based_on.first()) {
        let plan = named_plan(draft, id, reference);
        draft.amend(settle_plan(plan, std::slice::from_ref(&word)));
    }
}

/// The course as a record knows it that does not describe it.
fn named_course(draft: &mut Draft<'_>) -> EpisodeOfCare {
    let course = draft.header.course;
    EpisodeOfCare {
        id: Some(draft.course_id().into()),
        meta: draft.meta(COURSE_SLOT, Label::MentalHealth),
        identifier: vec![build::identifier(course.system, course.value)],
        status: Code { extension: vec![draft::from_record()], ..Code::from("active") },
        patient: Box::new(draft.patient()),
        ..Default::default()
    }
}

/// The plan, as far as a closure knows it.
fn named_plan(draft: &mut Draft<'_>, id: &str, reference: &Reference) -> CarePlan {
    let identifier = reference.identifier.as_deref().and_then(reading::system_identifier);
    CarePlan {
        id: Some(id.into()),
        meta: draft.meta(PLAN_SLOT, Label::MentalHealth),
        identifier: identifier
            .iter()
            .map(|intake| build::identifier(&intake.system, &format!("{}/{}", intake.value, care_plan::SLOT)))
            .collect(),
        status: "unknown".into(),
        intent: "plan".into(),
        category: ["assess-plan", "kap-course"].map(|category| word(concepts::PLAN_CATEGORY, category)).into(),
        title: Some(care_plan::TITLE.into()),
        subject: Box::new(draft.patient()),
        ..Default::default()
    }
}

/// In the order of true time; where two are of one time, in the order of their sources, so that it is always the same.
fn in_order(words: &[Word]) -> Vec<&Word> {
    let mut words: Vec<&Word> = words.iter().collect();
    words.sort_by(|a, b| (a.at.instant(), &a.source).cmp(&(b.at.instant(), &b.source)));
    words
}

/// The course with the words of its closures; `base` is what its intake says, or that it was named.
pub fn settle_course(mut base: EpisodeOfCare, words: &[Word]) -> EpisodeOfCare {
    let words = in_order(words);
    let Some(last) = words.last() else { return base };
    let own = base.status.value.clone().filter(|_| base.status.extension.is_empty());
    // An intake that says that the course is over has the last word over pauses.
    let is_over = matches!(own.as_deref(), Some("finished" | "cancelled")) && !last.is_end();
    if is_over || own.as_deref() == Some(ENTERED_IN_ERROR) {
        return base;
    }
    let start = base.period.as_deref().and_then(|period| period.start.as_ref()?.value.clone());
    let mut states: Vec<(String, Option<String>)> = own.map(|status| (status, start.clone())).into_iter().collect();
    for word in &words {
        // To say the same again begins nothing.
        if states.last().is_none_or(|(status, _)| status != word.course_status()) {
            states.push((word.course_status().to_owned(), Some(word.at.0.clone())));
        }
    }
    for pair in states.windows(2) {
        let [(status, from), (_, until)] = pair else { continue };
        base.status_history.push(EpisodeOfCareStatusHistory {
            status: status.as_str().into(),
            period: Box::new(span(from.as_deref(), until.as_deref())),
            ..Default::default()
        });
    }
    base.status = last.course_status().into();
    if last.is_end() {
        let period = base.period.get_or_insert_default();
        let end = span(start.as_deref(), Some(last.at.as_str())).end;
        period.end = end.or_else(|| period.end.take());
        if let Some(reason) = &last.reason {
            let url = extension_url(END_REASON);
            base.extension.retain(|extension| extension.url != url);
            base.extension.push(build::extension(url, ExtensionValue::CodeableConcept(Box::new(reason.clone()))));
        }
    }
    mark(&mut base.meta, last, COURSE_SLOT);
    base
}

/// The plan with the words of the course's closures.
pub fn settle_plan(mut base: CarePlan, words: &[Word]) -> CarePlan {
    let Some(last) = in_order(words).pop() else { return base };
    let own = base.status.value.as_deref();
    if matches!(own, Some("revoked" | "completed")) && !last.is_end() || own == Some(ENTERED_IN_ERROR) {
        return base;
    }
    base.status = last.plan_status().into();
    mark(&mut base.meta, last, PLAN_SLOT);
    base
}

/// A span of time; an end before its start is left out, as R4 refuses it (per-1).
fn span(start: Option<&str>, end: Option<&str>) -> Period {
    let is_after = |(start, end): (&str, &str)| {
        let instants = (DateTime(start.to_owned()).instant(), DateTime(end.to_owned()).instant());
        match instants {
            (Some(start), Some(end)) => start <= end,
            // A day has no instant: days are compared.
            (Some(_) | None, None) | (None, Some(_)) => start.get(..10) <= end.get(..10),
        }
    };
    let end = end.filter(|end| start.is_none_or(|start| is_after((start, end))));
    build::period(start, end)
}

/// Whose word the version shows.
fn mark(meta: &mut Option<Box<Meta>>, last: &Word, slot: &str) {
    meta.get_or_insert_default().source = Some(format!("{}{slot}", last.source).as_str().into());
}

/// The reason for the end that a course shows.
pub fn end_reason(course: &EpisodeOfCare) -> Option<&CodeableConcept> {
    let reason = find_extension(&course.extension, END_REASON)?.value.as_ref()?;
    let reason = reading::choice!(reason, ExtensionValue::CodeableConcept)?;
    Some(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(at: &str, change: CourseChange, carried_out: Option<bool>) -> Word {
        Word {
            at: DateTime(at.to_owned()),
            change,
            reason: Some(build::words(change.as_str())),
            carried_out,
            course: None,
            plan: None,
            source: format!("urn:kap:test#course-closure/{at}/"),
        }
    }

    fn course(status: &str) -> EpisodeOfCare {
        EpisodeOfCare {
            status: status.into(),
            period: Some(Box::new(build::period(Some("2026-01-26"), None))),
            ..Default::default()
        }
    }

    fn history(course: &EpisodeOfCare) -> Vec<(&str, Option<&str>, Option<&str>)> {
        let text = |at: &Option<crate::fhir::model::types::DateTime>| at.as_ref().and_then(|at| at.value.clone());
        let spans =
            course.status_history.iter().map(|one| (&one.status, text(&one.period.start), text(&one.period.end)));
        let leak = |text: Option<String>| text.map(|text| &*text.leak());
        spans.map(|(status, from, to)| (status.value.as_deref().unwrap(), leak(from), leak(to))).collect()
    }

    const MARCH: &str = "2026-03-01T10:00:00-05:00";
    const APRIL: &str = "2026-04-01T10:00:00-05:00";
    const MAY: &str = "2026-05-01T10:00:00-05:00";

    #[test]
    fn the_latest_word_by_its_time_holds_in_whatever_order_they_came() {
        let (pause, resume, end) = (
            word(MARCH, CourseChange::Pause, None),
            word(APRIL, CourseChange::Resume, None),
            word(MAY, CourseChange::End, Some(true)),
        );
        let settled = settle_course(course("active"), &[end.clone(), pause.clone(), resume.clone()]);
        assert_eq!(settled.status.value.as_deref(), Some("finished"));
        assert_eq!(
            history(&settled),
            [
                ("active", Some("2026-01-26"), Some(MARCH)),
                ("onhold", Some(MARCH), Some(APRIL)),
                ("active", Some(APRIL), Some(MAY))
            ]
        );
        assert_eq!(end_reason(&settled).and_then(|reason| reason.text.as_ref()?.value.as_deref()), Some("end"));
        assert_eq!(settled.period.and_then(|period| period.end?.value).as_deref(), Some(MAY));
        let plan =
            |words: &[Word]| settle_plan(CarePlan { status: "active".into(), ..Default::default() }, words).status;
        assert_eq!(plan(&[resume.clone(), pause.clone()]).value.as_deref(), Some("active"));
        assert_eq!(plan(&[end, resume, pause]).value.as_deref(), Some("completed"));
    }

    #[test]
    fn a_plan_that_was_stopped_before_is_revoked() {
        for word in [word(MAY, CourseChange::End, Some(false)), word(MAY, CourseChange::Cancel, None)] {
            let plan = settle_plan(CarePlan { status: "active".into(), ..Default::default() }, &[word]);
            assert_eq!(plan.status.value.as_deref(), Some("revoked"));
        }
    }

    #[test]
    fn to_cancel_what_the_intake_has_cancelled_begins_nothing_new() {
        let settled = settle_course(course("cancelled"), &[word(MAY, CourseChange::Cancel, None)]);
        assert_eq!(settled.status.value.as_deref(), Some("cancelled"));
        assert!(settled.status_history.is_empty() && end_reason(&settled).is_some());
    }

    #[test]
    fn an_older_pause_does_not_reopen_a_course_that_the_intake_has_ended() {
        let settled = settle_course(course("finished"), &[word(MARCH, CourseChange::Pause, None)]);
        assert_eq!(settled, course("finished"));
    }

    #[test]
    fn an_end_before_the_start_is_left_out() {
        let settled =
            settle_course(course("planned"), &[word("2026-01-20T10:00:00-05:00", CourseChange::Cancel, None)]);
        assert_eq!(history(&settled), [("planned", Some("2026-01-26"), None)]);
        assert_eq!(settled.period.and_then(|period| period.end), None);
    }
}
