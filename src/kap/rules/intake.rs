//! The intake: what excludes what, and what needs a reason.

use super::super::place::{Findings, Place};
use super::{consents, times};
use std::collections::HashSet;

pub fn judge(intake: Place, findings: &mut Findings) {
    excludes(intake, "noCurrentMedications", "medications", findings);
    excludes(intake, "noKnownAllergies", "allergies", findings);
    identifiers(intake, findings);
    periods(intake, findings);
    if let Some(exposure) = intake.at("priorKetamine") {
        times::on_calendar(exposure, "lastUse", findings);
        for name in ["medicine", "lastUse"] {
            if exposure.flag("exposed") == Some(false) && exposure.has(name) {
                findings.conflict(exposure, name, "`exposed` is false: leave this out.");
            }
        }
    }
    if let Some(suitability) = intake.at("suitability")
        && suitability.text("decision").is_some_and(|decision| decision != "suitable")
        && !suitability.has("reasons")
    {
        findings.needed(suitability, "reasons", "Every decision but `suitable` needs `reasons`.");
    }
    turned_down(intake, findings);
    let is_resistant = |told: Place| {
        told.at("condition").and_then(|condition| condition.text("term")) == Some("treatment-resistant-depression")
    };
    if intake.each("indications").any(is_resistant) && !intake.has("failedAntidepressantTrials") {
        let sentence = "An indication is treatment-resistant depression, and the number of failed trials is not told.";
        findings.warning(intake, "failedAntidepressantTrials", sentence);
    }
}

/// A referral or a candidate that is turned down says why, and is not treated.
fn turned_down(intake: Place, findings: &mut Findings) {
    if let Some(referral) = intake.at("referral")
        && referral.text("status") == Some("rejected")
        && !referral.has("statusReason")
    {
        findings.needed(referral, "statusReason", "A referral that is rejected needs `statusReason`.");
    }
    let Some(suitability) = intake.at("suitability") else { return };
    for result in suitability.each("restsOn") {
        let (Some(list), Some(id)) = (result.text("list"), result.text("id")) else { continue };
        let is_there = |found: Place| found.text("id") == Some(id) && (list != "vitals" || found.has("bloodPressure"));
        if !intake.each(list).any(is_there) {
            let sentence = "No element of that list has this `id` (of vital signs: and a blood pressure).";
            findings.conflict(result, "id", sentence);
        }
    }
    let is_refused = matches!(suitability.text("decision"), Some("not-suitable" | "withdrawn-by-patient"));
    if let Some(plan) = intake.at("plan")
        && is_refused
        && plan.has("order")
    {
        let sentence = "The decision is against treatment, and the plan holds an order. Both are kept as sent.";
        findings.warning(plan, "order", sentence);
    }
}

fn excludes<'a>(intake: Place<'a>, none: &'a str, some: &str, findings: &mut Findings) {
    if intake.has(none) && intake.has(some) {
        findings.conflict(intake, none, format!("`{none}` excludes `{some}`."));
    }
}

fn identifiers(intake: Place, findings: &mut Findings) {
    let mut seen = HashSet::new();
    for identifier in intake.at("patient").into_iter().flat_map(|patient| patient.each("identifiers")) {
        let key = (identifier.text("system"), identifier.text("value"));
        if key.1.is_some() && !seen.insert(key) {
            findings.conflict_here(identifier, "The patient has this identifier already.");
        }
    }
}

fn periods(intake: Place, findings: &mut Findings) {
    if let Some(course) = intake.at("course") {
        times::day_not_before(course, "end", "start", findings);
    }
    intake.each("consents").for_each(|consent| consents::judge(consent, findings));
    for qualification in intake.each("careTeam").flat_map(|member| member.each("qualifications")) {
        times::day_not_before(qualification, "until", "from", findings);
    }
}
