//! The intake: what excludes what, and what needs a reason.

use super::super::place::{Findings, Place};
use super::{measurements, times};
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
    intake.each("labs").for_each(|lab| laboratory(lab, findings));
    if let Some(plan) = intake.at("plan") {
        plan.each("goals").for_each(|goal| measurements::goal(goal, findings));
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
    intake.each("consents").for_each(|consent| times::day_not_before(consent, "until", "from", findings));
    for qualification in intake.each("careTeam").flat_map(|member| member.each("qualifications")) {
        times::day_not_before(qualification, "until", "from", findings);
    }
    for condition in intake.each("indications").chain(intake.each("conditions")) {
        ["onset", "abatement"].into_iter().for_each(|name| times::on_calendar(condition, name, findings));
        times::day_not_before(condition, "abatement", "onset", findings);
    }
    for medication in intake.each("medications") {
        ["start", "end"].into_iter().for_each(|name| times::on_calendar(medication, name, findings));
        times::day_not_before(medication, "end", "start", findings);
    }
}

/// A laboratory result has one outcome, and its reference range is in the unit of its value.
fn laboratory(lab: Place, findings: &mut Findings) {
    match (lab.at("value"), lab.has("finding")) {
        (Some(_), true) => findings.conflict(lab, "finding", "Give `value` or `finding`, not both."),
        (None, false) => findings.needed(lab, "value", "One of `value` and `finding` is needed."),
        (Some(_), false) | (None, true) => {}
    }
    let unit = lab.at("value").and_then(|value| value.text("unit"));
    for name in ["referenceLow", "referenceHigh"] {
        let Some(limit) = lab.at(name) else { continue };
        if !lab.has("value") {
            findings.conflict(lab, name, "A reference range belongs to a `value`.");
        } else if limit.text("unit").is_some() && unit.is_some() && limit.text("unit") != unit {
            findings.conflict(limit, "unit", "The reference range must have the unit of the value.");
        }
    }
    let limit = |name| lab.at(name).and_then(|limit: Place| limit.decimal("value"));
    if let (Some(low), Some(high)) = (limit("referenceLow"), limit("referenceHigh"))
        && high < low
    {
        findings.conflict(lab, "referenceHigh", "`referenceHigh` is below `referenceLow`.");
    }
}
