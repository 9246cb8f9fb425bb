//! Sessions as a whole: format, adverse events and what answers them, discharge.

use super::super::place::{Findings, Place};
use super::times;
use std::collections::HashSet;

pub fn judge(session: Place, findings: &mut Findings) {
    only_for_a_group(session, "group", findings);
    let doses: HashSet<_> = session.each("doses").filter_map(|dose| dose.text("id")).collect();
    let events: HashSet<_> = session.each("adverseEvents").filter_map(|event| event.text("id")).collect();
    for event in session.each("adverseEvents") {
        if event.text("suspectDose").is_some_and(|id| !doses.contains(id)) {
            findings.conflict(event, "suspectDose", "No dose of this session has this `id`.");
        }
        adverse_event(event, findings);
    }
    for answer in session.each("rescueMedications").chain(session.each("supportMeasures")) {
        if answer.text("forAdverseEvent").is_some_and(|id| !events.contains(id)) {
            findings.conflict(answer, "forAdverseEvent", "No adverse event of this session has this `id`.");
        }
    }
    if let Some(discharge) = session.at("discharge")
        && discharge.has("escort")
        && discharge.has("escortWaiver")
    {
        findings.conflict(discharge, "escortWaiver", "Give `escort` or `escortWaiver`, not both.");
    }
    if let Some(rems) = session.at("rems") {
        if let Some(monitoring) = rems.at("monitoring") {
            times::not_before(monitoring, "end", "start", findings);
        }
        if rems.has("formSubmittedAt") && rems.flag("formSubmitted") != Some(true) {
            let sentence = "`formSubmittedAt` belongs to a form that was submitted: say `formSubmitted: true`.";
            findings.conflict(rems, "formSubmittedAt", sentence);
        }
    }
}

/// What an adverse event says about itself.
pub fn adverse_event(event: Place, findings: &mut Findings) {
    if event.has("causality") && !event.has("suspectDose") {
        findings.conflict(event, "causality", "Say by `suspectDose` which dose is meant.");
    }
    times::not_before(event, "detectedAt", "at", findings);
    times::not_before(event, "resolvedAt", "at", findings);
    if event.has("resolvedAt") && event.text("outcome").is_some_and(|outcome| outcome != "resolved") {
        findings.conflict(event, "resolvedAt", "Only an event with the outcome `resolved` has a time of its end.");
    }
}

/// A session of talk: preparation or integration.
pub fn psychotherapy(session: Place, findings: &mut Findings) {
    only_for_a_group(session, "group", findings);
    only_for_a_group(session, "groupNote", findings);
}

/// What was measured outside a session: something at least.
pub fn outcome(outcome: Place, findings: &mut Findings) {
    let lists = ["results", "vitals", "labs", "conditions", "medications"];
    if outcome.value().is_object() && !lists.iter().any(|list| outcome.has(list)) {
        let sentence = "At least one of `results`, `vitals`, `labs`, `conditions` and `medications` is needed.";
        findings.conflict_here(outcome, sentence);
    }
}

fn only_for_a_group<'a>(session: Place<'a>, name: &'a str, findings: &mut Findings) {
    if session.has(name) && session.text("format").is_some_and(|format| format != "group") {
        findings.conflict(session, name, format!("`{name}` belongs to a session with the format `group`."));
    }
}
