//! The summary of a course: a Composition by the profile KAPCourseSummary. Mapping specification §2.10, §6.3.
//!
//! It is put together whenever it is asked for, so it never says less than what is stored. Psychotherapy notes stand
//! nowhere in it, nor what the patient has restricted; the patient's own words (intention, insight, the account of the
//! experience) are not taken up either. <https://hl7.org/fhir/R4/composition.html>

use super::document::newest;
use super::html::Html;
use super::scores::Series;
use super::sections::{Content, Section, day, sections};
use super::view::View;
use super::{Members, Timeline};
use crate::kap::instruments::Registry;
use crate::mapping::systems::{ACT_CODE, CONFIDENTIALITY, LOINC, extension_url};
use serde_json::{Value, json};
use uuid::Uuid;

/// What the id of a summary starts with; the id of the course follows.
const PREFIX: &str = "summary-";

/// `Composition.id` of a course's summary.
pub fn id(course_id: &str) -> String {
    format!("{PREFIX}{course_id}")
}

/// The course whose summary has that id.
pub fn course_of(composition_id: &str) -> Option<&str> {
    composition_id.strip_prefix(PREFIX).filter(|course| !course.is_empty())
}

/// The gateway, which put the summary together: it stands in the document and nowhere else.
pub fn device() -> Value {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, extension_url("kap-gateway").as_bytes()).to_string();
    json!({
        "resourceType": "Device",
        "id": id,
        "status": "active",
        "deviceName": [{ "name": env!("CARGO_PKG_NAME"), "type": "model-name" }],
        "version": [{ "value": env!("CARGO_PKG_VERSION") }],
        "note": [{ "text": "The gateway that put this summary together from the records. It decided nothing." }],
    })
}

/// Leaves out what the patient wants restricted; gives how much that is.
fn unrestricted<'a>(members: &Members<'a>) -> (Members<'a>, usize) {
    let is_restricted = |resource: View<'_>| resource.labels().any(|code| code == "PRS");
    let (left_out, resources): (Vec<_>, Vec<_>) =
        members.resources.iter().copied().partition(|(resource, _)| is_restricted(*resource));
    (Members { resources, ..members.clone() }, left_out.len())
}

/// The Composition of a course, dated when the newest version that it rests on was written.
pub fn composition(members: &Members<'_>, instruments: &Registry) -> Value {
    let parts = members.resources.iter().map(|(resource, _)| *resource).chain(members.patient).chain([members.course]);
    let date = newest(parts).unwrap_or_default();
    let (members, withheld) = unrestricted(members);
    let timeline = members.timeline();
    let series = members.series(instruments);
    let content = Content { members: &members, timeline: &timeline, series: &series };
    let sections = sections(&content);
    let course = members.course;
    let course_id = course.text("id").unwrap_or_default();
    let has_ended = matches!(course.text("status"), Some("finished" | "cancelled"));
    let identifier =
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{}/{course_id}", extension_url("kap-course-summary")).as_bytes());
    let device = View(&device()).reference();
    let mut composition = json!({
        "resourceType": "Composition",
        "id": id(course_id),
        "meta": {
            "profile": [extension_url("kap-course-summary")],
            "security": security(&members, &sections),
        },
        "text": { "status": "generated", "div": overview(&timeline, &series, withheld) },
        "identifier": { "system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{identifier}") },
        "status": if has_ended { "final" } else { "preliminary" },
        "type": { "coding": [{ "system": LOINC, "code": "18842-5", "display": "Discharge summary" }] },
        // Of patients who were merged the one who stays: the other must no longer be used.
        "subject": { "reference": members.patient.map_or_else(|| timeline.course.patient.clone(), |own| own.reference()) },
        "date": date,
        "author": [{ "reference": device, "display": env!("CARGO_PKG_NAME") }],
        "title": "Summary of a course of ketamine-assisted psychotherapy",
        "confidentiality": "R",
        "section": sections.iter().map(section).collect::<Vec<_>>(),
    });
    if let Some(custodian) = course.target("managingOrganization.reference") {
        composition["custodian"] = json!({ "reference": custodian });
    }
    let mut event = json!({ "detail": [{ "reference": course.reference() }] });
    if let Some(period) = course.at("period") {
        event["period"] = period.0.clone();
    }
    composition["event"] = json!([event]);
    composition
}

fn section(section: &Section) -> Value {
    let mut coding = json!({ "system": section.system, "code": section.code });
    if !section.display.is_empty() {
        coding["display"] = section.display.into();
    }
    let mut written = json!({
        "title": section.title,
        "code": { "coding": [coding] },
        "text": { "status": "generated", "div": section.html },
    });
    if section.entries.is_empty() {
        let reason = json!({
            "system": "http://terminology.hl7.org/CodeSystem/list-empty-reason", "code": "unavailable", "display": "Unavailable",
        });
        written["emptyReason"] = json!({ "coding": [reason] });
    } else {
        written["entry"] = section.entries.iter().map(|entry| json!({ "reference": entry })).collect();
    }
    written
}

/// The strictest confidentiality and every other label of what stands in it: a label is never downgraded.
fn security(members: &Members<'_>, sections: &[Section]) -> Vec<Value> {
    let coding =
        |system: &str, code: &str, display: &str| json!({ "system": system, "code": code, "display": display });
    let mut labels = vec![
        coding(CONFIDENTIALITY, "R", "restricted"),
        coding(ACT_CODE, "MH", "mental health information sensitivity"),
    ];
    let entries: std::collections::HashSet<&str> =
        sections.iter().flat_map(|section| &section.entries).map(String::as_str).collect();
    let shown = members
        .resources
        .iter()
        .map(|(resource, _)| *resource)
        .filter(|resource| entries.contains(resource.reference().as_str()));
    for resource in shown.chain(members.patient).chain([members.course]) {
        for label in resource.at("meta").into_iter().flat_map(|meta| meta.each("security")) {
            let is_confidentiality = label.text("system") == Some(CONFIDENTIALITY);
            let is_known = labels.iter().any(|known| known["code"].as_str() == label.text("code"));
            if !is_confidentiality && !is_known {
                labels.push(label.0.clone());
            }
        }
    }
    labels
}

/// What a reader with little time reads.
fn overview(timeline: &Timeline, series: &[Series], withheld: usize) -> String {
    let mut html = Html::new();
    let course = &timeline.course;
    let span = match (&course.start, &course.end) {
        (Some(start), Some(end)) => format!("from {} to {}", day(start), day(end)),
        (Some(start), None) => format!("since {}", day(start)),
        (None, _) => "without a recorded start".to_owned(),
    };
    let status =
        course.status.as_deref().map_or_else(|| "status not told".to_owned(), |status| format!("status {status}"));
    html.paragraph(&format!("Ketamine-assisted psychotherapy {span}, {status}."));
    if let Some(notice) = timeline.notice {
        html.paragraph(notice);
    }
    if let Some(reason) = &course.end_reason {
        html.paragraph(&format!("Reason for the end: {reason}."));
    }
    let problems: Vec<&str> = timeline.background.problems.iter().map(|item| item.what.as_str()).take(8).collect();
    if !problems.is_empty() {
        html.paragraph(&format!("Problems: {}.", problems.join("; ")));
    }
    let given = timeline.doses.iter().filter(|dose| dose.status != "not-done").count();
    match timeline.doses.iter().rev().find(|dose| dose.status != "not-done") {
        Some(last) => html.paragraph(&format!(
            "{given} doses; the last on {}: {} {} {}.",
            day(&last.at),
            last.medicine,
            last.dose.as_deref().unwrap_or("of an amount that is not told"),
            last.route.as_deref().unwrap_or_default(),
        )),
        None if timeline.notice.is_some() => html.paragraph("No dose of ketamine is shown."),
        None => html.paragraph("No dose of ketamine was given."),
    }
    html.list(series.iter().filter_map(|series| {
        let last = series.scores.last()?;
        let change = last.change.as_ref()?;
        let percent = change.percent.as_ref().map(|percent| format!(", {percent} %")).unwrap_or_default();
        Some(format!("{}: {} to {}{percent}", series.what, change.baseline, last.score))
    }));
    if !timeline.issues.is_empty() {
        html.paragraph(&format!("{} open issues, see below.", timeline.issues.len()));
    }
    if withheld > 0 {
        html.paragraph("Some content is withheld because the patient restricted it.");
    }
    html.finish()
}
