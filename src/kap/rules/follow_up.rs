//! Check-ins and course closures: what needs what.

use super::super::place::{Findings, Place};
use super::{session, times};

/// A check-in holds at least one of these.
const MATTERS: [&str; 13] = [
    "contact",
    "answers",
    "adverseEvents",
    "communications",
    "scheduled",
    "vitals",
    "labs",
    "results",
    "misuseConcern",
    "goals",
    "nextStep",
    "safetyPlan",
    "summary",
];

pub fn check_in(record: Place, findings: &mut Findings) {
    let is_empty = record.value().is_object() && !MATTERS.iter().any(|name| record.has(name));
    if is_empty {
        findings.conflict_here(
            record,
            "A check-in must hold something: a contact, answers, events, communications, planned check-ins, measurements.",
        );
    }
    for name in ["visit", "adverseEvents"] {
        if record.has(name) && !record.has("contact") {
            findings.needed(record, "contact", &format!("`{name}` needs the contact in which it came up."));
        }
    }
    for event in record.each("adverseEvents") {
        if event.has("suspectDose") && !record.has("follows") {
            findings.conflict(event, "suspectDose", "Say by `follows` which dosing session is meant.");
        }
        session::adverse_event(event, findings);
    }
    for answers in record.at("answers").into_iter().filter(|answers| answers.flag("adverseEvent") != Some(true)) {
        for name in ["adverseEvents", "adverseEventText"] {
            if answers.has(name) {
                findings.conflict(answers, name, "This belongs to `adverseEvent` true.");
            }
        }
    }
    shared(record, findings);
}

pub fn course_closure(record: Place, findings: &mut Findings) {
    let change = record.text("change");
    if matches!(change, Some("end" | "cancel")) && !record.has("reason") {
        findings.needed(record, "reason", "The end of a course needs its `reason`.");
    }
    match change {
        Some("end") if !record.has("planCarriedOut") => {
            findings.needed(record, "planCarriedOut", "Say by `planCarriedOut` whether the plan was carried out.");
        }
        Some("pause" | "resume" | "cancel") if record.has("planCarriedOut") => {
            findings.conflict(record, "planCarriedOut", "This belongs to the change `end`.");
        }
        Some(_) | None => {}
    }
    for referral in record.each("referrals") {
        if let Some(to) = referral.at("to") {
            party(to, findings);
        }
    }
    shared(record, findings);
}

/// What both kinds hold.
fn shared(record: Place, findings: &mut Findings) {
    record.each("communications").for_each(|message| communication(message, findings));
    if let Some(concern) = record.at("misuseConcern") {
        times::not_before(concern, "until", "since", findings);
        if concern.has("until") && concern.text("status") == Some("active") {
            findings.conflict(concern, "until", "A concern that has ended is `inactive`.");
        }
    }
}

fn communication(message: Place, findings: &mut Findings) {
    let status = message.text("status");
    if status == Some("not-done") && !message.has("statusReason") {
        findings.needed(message, "statusReason", "A message that was not sent needs `statusReason`.");
    }
    if status == Some("completed") && !message.has("sentAt") {
        findings.needed(message, "sentAt", "A message that was sent needs `sentAt`.");
    }
    if matches!(status, Some("preparation" | "not-done")) {
        for name in ["sentAt", "receivedAt"] {
            if message.has(name) {
                findings.conflict(message, name, "The message was not sent: leave the time out.");
            }
        }
    }
    times::not_before(message, "receivedAt", "sentAt", findings);
    message.at("sender").into_iter().chain(message.each("recipients")).for_each(|who| party(who, findings));
}

/// Exactly one of the three.
fn party(who: Place, findings: &mut Findings) {
    let named = ["practitioner", "patient", "organization"].into_iter().filter(|name| who.has(name)).count();
    if named > 1 {
        findings.conflict_here(who, "Name one, not several: each is an element of its own.");
    }
}
