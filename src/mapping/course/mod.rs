//! A course from the FHIR resources of its patient: what happened when, the doses, the measurements, the scores, where it
//! stands and what is missing. Mapping specification §1.1.
//!
//! It is read from resources, not from records, so that what other systems write to `/fhir` stands in it too.

mod background;
pub mod document;
mod doses;
mod event;
mod gates;
mod html;
pub mod medications;
mod scores;
mod sections;
pub mod summary;
pub mod view;

use super::course_scores::{ScoreLine, score_lines};
use super::patient_link;
use crate::fhir::codec;
use crate::fhir::model::Resource;
use crate::fhir::model::resources::Observation;
use crate::fhir::resource::Emitted;
use crate::kap::instruments::Registry;
use background::Background;
use doses::{Dose, Exposure};
use event::Event;
use gates::{Facts, Stage};
use jiff::Timestamp;
use scores::Series;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashSet;
use view::{View, instant};

/// What another system wrote counts as the course's from so many days before its start: what led to it.
const DAYS_BEFORE: i64 = 90;
const DAY: i64 = 86_400_000_000;

/// A course as one timeline.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// `IN_PART`, for a reader from whom something may be withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<&'static str>,
    pub course: CourseHead,
    pub records: Vec<RecordHead>,
    pub stages: Vec<Stage>,
    /// The first gate that is not met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_gate: Option<Stage>,
    pub background: Background,
    /// Ketamine and esketamine, in the order of time.
    pub doses: Vec<Dose>,
    pub exposure: Vec<Exposure>,
    pub vitals: Vec<Event>,
    /// Beside the baseline of the course; `Members::timeline` leaves them to who has the registry of instruments.
    pub scores: Vec<ScoreLine>,
    pub issues: Vec<Issue>,
    pub events: Vec<Event>,
    pub elsewhere: Elsewhere,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CourseHead {
    /// `EpisodeOfCare/id`.
    pub reference: String,
    pub patient: String,
    /// Absent until an intake has said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// Why it ended, where a closure says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
}

/// One record of the course.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordHead {
    pub kind: String,
    pub system: String,
    pub record_id: String,
    pub revision: String,
    pub recorded_at: String,
}

/// A safety issue or flag that is not closed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// `Type/id` of the Flag or DetectedIssue.
    pub reference: String,
    /// The safety rule that found it, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// In words.
    pub what: String,
}

/// What other systems wrote about the patient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Elsewhere {
    pub shown: usize,
    /// Dated outside the course, and so not shown.
    pub outside: usize,
}

/// `Patient.id` of a course.
pub fn patient_id(course: &Value) -> Option<String> {
    Some(View(course).target("patient.reference")?.strip_prefix("Patient/")?.to_owned())
}

/// The system of a course's first identifier.
pub fn identifier_system(course: &Value) -> Option<String> {
    View(course).text("identifier.system").map(str::to_owned)
}

/// The resources that belong to a course.
#[derive(Clone)]
pub struct Members<'a> {
    pub course: View<'a>,
    pub patient: Option<View<'a>>,
    provenances: Vec<View<'a>>,
    /// With whether another system wrote it.
    pub resources: Vec<(View<'a>, bool)>,
    pub elsewhere: Elsewhere,
    pub as_of: i64,
    /// Who reads it may not be shown all that is stored: then nothing is said to be absent without saying that too.
    in_part: bool,
}

/// What stands over a timeline or summary for a reader from whom something may be withheld: always, whether something is or
/// not, so that it tells nothing of what is.
pub const IN_PART: &str = "Made for a reader who may not be shown everything that is stored. What is missing here, or called \
                           missing, may be stored all the same.";

impl<'a> Members<'a> {
    /// `resources` are the current resources of the patient's compartment. Left out: what was entered in error,
    /// psychotherapy notes, what belongs to another course, and what is dated after `until`. `as_of` is the time at which
    /// gates are judged. Both in microseconds since 1970-01-01T00:00:00Z.
    pub fn of(course: &'a Value, resources: &'a [Value], as_of: i64, until: Option<i64>) -> Self {
        let course = View(course);
        let reference = course.reference();
        let all = || resources.iter().map(View);
        let is_provenance = |found: &View| found.kind() == "Provenance" && found.extension("kap-course").is_some();
        let of_course = |found: &View| {
            found.extension("kap-course").and_then(|course| course.target("valueReference.reference")).as_ref()
                == Some(&reference)
        };
        let targets = |found: View<'a>| found.each("target").filter_map(|target| target.target("reference"));
        let recorded: HashSet<String> = all().filter(is_provenance).flat_map(targets).collect();
        let gone = withdrawn(all());
        let stands = |found: &View| !gone.contains(&found.reference());
        let provenances: Vec<View> = all().filter(is_provenance).filter(of_course).filter(stands).collect();
        let own: HashSet<String> = provenances.iter().copied().flat_map(targets).collect();
        let from = course.text("period.start").and_then(instant).map(|start| start.saturating_sub(DAYS_BEFORE * DAY));
        let ends = course.text("period.end").and_then(view::last_instant);
        let mut elsewhere = Elsewhere::default();
        let mut members = Vec::new();
        for resource in all() {
            // The sums stand in `exposure`, of this course alone.
            if is_sum(resource) || resource.is_in_error() || resource.is_psychotherapy_note() || is_apart(resource) {
                continue;
            }
            let name = resource.reference();
            let at = moment(resource);
            if at.zip(until).is_some_and(|(at, until)| at > until) {
                continue;
            }
            if own.contains(&name) {
                members.push((resource, false));
            } else if !recorded.contains(&name) && !is_of_gateway(resource) {
                let inside =
                    at.is_none_or(|at| from.is_none_or(|from| from <= at) && ends.is_none_or(|ends| at <= ends));
                // What holds now is of interest, however old it is.
                if inside || background::is_current(resource) {
                    elsewhere.shown += 1;
                    members.push((resource, true));
                } else {
                    elsewhere.outside += 1;
                }
            } else if is_of_gateway(resource) {
                members.push((resource, false));
            }
        }
        let mut patients = all().filter(|resource| resource.kind() == "Patient");
        // Of those who were merged the survivor.
        let patient = patients.clone().find(|own| patient_link::replaced_by(own).is_none()).or_else(|| patients.next());
        Self { course, patient, provenances, resources: members, elsewhere, as_of, in_part: false }
    }

    /// For a reader from whom something may be withheld.
    pub fn seen_in_part(self, in_part: bool) -> Self {
        Self { in_part, ..self }
    }

    pub fn timeline(&self) -> Timeline {
        let mut events: Vec<Event> = self
            .resources
            .iter()
            .filter_map(|(resource, elsewhere)| Some(Event { elsewhere: *elsewhere, ..event::event(*resource)? }))
            .collect();
        events.sort_by_cached_key(|event| instant(&event.at));
        let vitals_of: HashSet<String> = self
            .resources
            .iter()
            .filter(|(found, _)| found.has_category("vital-signs"))
            .map(|(found, _)| found.reference())
            .collect();
        let vitals = events.iter().filter(|event| vitals_of.contains(&event.reference)).cloned().collect();
        let plain: Vec<View> = self.resources.iter().map(|(resource, _)| *resource).collect();
        let facts = Facts { course: self.course, resources: &plain, as_of: self.as_of };
        let stages = facts.stages();
        let mut records: Vec<RecordHead> = self.provenances.iter().filter_map(|found| record(*found)).collect();
        records.sort_by_cached_key(|record| instant(&record.recorded_at));
        Timeline {
            notice: self.in_part.then_some(IN_PART),
            course: self.head(),
            records,
            next_gate: gates::next(&stages).cloned(),
            stages,
            background: background::background(&self.resources),
            doses: self.doses(),
            exposure: doses::exposures(self.ketamine().into_iter().map(|(dose, _)| dose)),
            vitals,
            scores: Vec::new(),
            issues: self.resources.iter().filter_map(|(resource, _)| issue(*resource)).collect(),
            events,
            elsewhere: self.elsewhere.clone(),
        }
    }

    /// The scores of each instrument of the registry, beside the baseline of the course.
    pub fn score_lines(&self, instruments: &Registry) -> Vec<ScoreLine> {
        let plain: Vec<View> = self.resources.iter().map(|(resource, _)| *resource).collect();
        let first_dose = Facts { course: self.course, resources: &plain, as_of: self.as_of }.first_dose();
        let first_dose = first_dose.and_then(|at| Timestamp::from_microsecond(at).ok());
        let observations = plain.iter().filter(|found| found.kind() == "Observation");
        // What cannot be read as R4 is shown as an event; there is no score to take from it.
        let typed: Vec<(Resource, String)> = observations
            .filter_map(|found| Some((codec::from_json(found.0.to_string().as_bytes()).ok()?, found.reference())))
            .collect();
        let observations =
            typed.iter().filter_map(|(found, reference)| Some((Observation::from_resource(found)?, reference.clone())));
        score_lines(observations, first_dose, instruments)
    }

    /// All scores, each code a series: what the summary shows.
    pub fn series(&self, instruments: &Registry) -> Vec<Series> {
        scores::series(&self.resources, &self.score_lines(instruments))
    }

    /// Administrations of ketamine, in the order of time.
    fn ketamine(&self) -> Vec<(View<'a>, bool)> {
        let is_one = |resource: View<'_>| resource.kind() == "MedicationAdministration" && doses::is_ketamine(resource);
        let mut found: Vec<(View, bool)> =
            self.resources.iter().copied().filter(|(resource, _)| is_one(*resource)).collect();
        found.sort_by_cached_key(|(dose, _)| dose.time("effective").and_then(|(at, _)| instant(&at)));
        found
    }

    fn doses(&self) -> Vec<Dose> {
        self.ketamine().into_iter().filter_map(|(dose, elsewhere)| doses::dose(dose, elsewhere)).collect()
    }

    fn head(&self) -> CourseHead {
        let course = self.course;
        // The element beside `status` holds what was added to it: here that the gateway took it for granted.
        let is_said = course.at("_status").is_none();
        CourseHead {
            reference: course.reference(),
            patient: course.target("patient.reference").unwrap_or_default(),
            status: course.text("status").filter(|_| is_said).map(str::to_owned),
            start: course.text("period.start").map(str::to_owned),
            end: course.text("period.end").map(str::to_owned),
            end_reason: course.extension("kap-course-end-reason").and_then(View::value),
        }
    }
}

/// The Provenances of records that their senders took back, as `Provenance/id`.
pub fn withdrawn<'a>(resources: impl Iterator<Item = View<'a>>) -> HashSet<String> {
    let is_withdrawal = |found: &View<'_>| {
        let source = found.text("meta.source").unwrap_or_default();
        found.kind() == "Provenance" && source.ends_with("/withdrawal") && !found.is_in_error()
    };
    let targets = resources.filter(is_withdrawal).flat_map(|found| {
        let targets: Vec<String> = found.each("target").filter_map(|target| target.target("reference")).collect();
        targets
    });
    targets.filter(|target| target.starts_with("Provenance/")).collect()
}

/// Whom or what many things are about, and who said what: no part of the story by itself.
fn is_apart(resource: View<'_>) -> bool {
    matches!(
        resource.kind(),
        "Patient"
            | "Practitioner"
            | "PractitionerRole"
            | "Organization"
            | "Location"
            | "Medication"
            | "Provenance"
            | "EpisodeOfCare"
            | "Composition"
    )
}

/// The gateway's own conclusions: they stand in no record.
fn is_of_gateway(resource: View<'_>) -> bool {
    matches!(resource.kind(), "DetectedIssue" | "Flag")
}

/// The gateway's sum of all doses by one route.
fn is_sum(resource: View<'_>) -> bool {
    resource.text("meta.source").is_some_and(|source| source.starts_with("urn:kap-gateway:safety#cumulative-dose/"))
}

/// When it was, in microseconds, by whichever element tells it.
fn moment(resource: View<'_>) -> Option<i64> {
    let at = event::event(resource).map(|event| event.at);
    let at = at.or_else(|| resource.first_time(&["identifiedDateTime", "period.start", "dateAsserted", "created"]));
    instant(&at?)
}

fn record(provenance: View<'_>) -> Option<RecordHead> {
    let entity = provenance.at("entity")?;
    Some(RecordHead {
        kind: entity.text("what.display")?.to_owned(),
        system: entity.text("what.identifier.system")?.to_owned(),
        record_id: entity.text("what.identifier.value")?.to_owned(),
        revision: entity.extension("kap-revision")?.text("valueString")?.to_owned(),
        recorded_at: provenance.text("recorded")?.to_owned(),
    })
}

/// What the safety rules and other systems warn of, as long as it is open.
fn issue(resource: View<'_>) -> Option<Issue> {
    let status = resource.text("status").unwrap_or_default();
    let (is_open, since) = match resource.kind() {
        "DetectedIssue" => (
            !matches!(status, "cancelled" | "entered-in-error"),
            resource.first_time(&["identifiedDateTime", "identifiedPeriod.start"]),
        ),
        "Flag" => (status == "active", resource.first_time(&["period.start"])),
        _ => return None,
    };
    let code = resource.at("code");
    let rule = code.and_then(|code| code.codes().find(|(system, _)| system.ends_with("/kap-rule")));
    is_open.then(|| Issue {
        reference: resource.reference(),
        rule: rule.map(|(_, code)| code.to_owned()),
        severity: resource.text("severity").map(str::to_owned),
        since,
        what: resource
            .text("detail")
            .map(str::to_owned)
            .or_else(|| code.and_then(View::words))
            .unwrap_or_else(|| resource.kind().to_owned()),
    })
}
