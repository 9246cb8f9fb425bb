//! Laboratory results, conditions and medicines, in whichever record they stand.

use super::super::place::{Findings, Place};
use super::super::units;
use super::times;

/// Ends after starts, and days that are on the calendar.
pub fn periods(record: Place, findings: &mut Findings) {
    for condition in record.each("indications").chain(record.each("conditions")) {
        ["onset", "abatement"].into_iter().for_each(|name| times::on_calendar(condition, name, findings));
        times::day_not_before(condition, "abatement", "onset", findings);
    }
    for medication in record.each("medications") {
        ["start", "end"].into_iter().for_each(|name| times::on_calendar(medication, name, findings));
        times::day_not_before(medication, "end", "start", findings);
    }
}

fn ucum(unit: Option<&str>) -> Option<&str> {
    unit.map(|unit| units::understand(unit).map_or(unit, |understood| understood.code))
}

/// A laboratory result has one outcome, and its reference range is in the unit of its value.
pub fn laboratory(lab: Place, findings: &mut Findings) {
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
        } else if limit.text("unit").is_some() && unit.is_some() && ucum(limit.text("unit")) != ucum(unit) {
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
