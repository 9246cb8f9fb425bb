//! Times in their order, by true time: the offset decides, not the clock's face.

use super::super::place::{Findings, Place};
use jiff::civil::Date;

pub fn contact(record: Place, findings: &mut Findings) {
    if let Some(contact) = record.at("contact") {
        not_before(contact, "end", "start", findings);
    }
}

/// `later` must not lie before `earlier`, both fields of one object.
pub fn not_before<'a>(place: Place<'a>, later: &'a str, earlier: &str, findings: &mut Findings) {
    if let (Some(second), Some(first)) = (place.instant(later), place.instant(earlier))
        && second < first
    {
        findings.conflict(place, later, format!("`{later}` lies before `{earlier}`."));
    }
}

/// The same for days, months and years: compared as far as both are known.
pub fn day_not_before<'a>(place: Place<'a>, later: &'a str, earlier: &str, findings: &mut Findings) {
    let (Some(second), Some(first)) = (place.text(later), place.text(earlier)) else { return };
    let known = second.len().min(first.len());
    if let (Some(second), Some(first)) = (second.get(..known), first.get(..known))
        && second < first
    {
        findings.conflict(place, later, format!("`{later}` lies before `{earlier}`."));
    }
}

/// A day that is on the calendar, where a partial date goes down to the day.
pub fn on_calendar<'a>(place: Place<'a>, name: &'a str, findings: &mut Findings) {
    if let Some(text) = place.text(name)
        && text.len() == "2026-02-02".len()
        && text.parse::<Date>().is_err()
    {
        findings.value(place, name, "This day is not on the calendar.");
    }
}

/// The pauses of a dose: each in order, one after the other, inside the dose.
pub fn pauses(dose: Place, findings: &mut Findings) {
    let mut free_from = dose.instant("start");
    let end = dose.instant("end");
    for pause in dose.each("pauses") {
        let (Some(pause_start), Some(pause_end)) = (pause.instant("start"), pause.instant("end")) else { continue };
        if pause_end < pause_start {
            findings.conflict(pause, "end", "`end` lies before `start`.");
            continue;
        }
        if free_from.is_some_and(|free| pause_start < free) {
            findings.conflict(
                pause,
                "start",
                "The pause starts before the dose or before the end of the pause before it.",
            );
        }
        if end.is_some_and(|end| pause_end > end) {
            findings.conflict(pause, "end", "The pause ends after the dose.");
        }
        free_from = Some(pause_end);
    }
}
