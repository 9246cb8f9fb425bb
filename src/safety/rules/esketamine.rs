//! The safety room, what the esketamine REMS asks for.

use super::{Context, Findings};
use crate::safety::facts::moment::{Moment, later, minutes};
use crate::safety::facts::session::Session;
use crate::safety::facts::{Agent, Fact, Place, Sign, Vital};
use crate::safety::ruleset::Limit;

fn sessions<'a>(c: &Context<'a>) -> impl Iterator<Item = &'a Session<'a>> {
    c.dosed().filter(|session| session.has(Agent::Esketamine))
}

/// observed for less than two hours; no blood pressure before, at about 40 minutes, or before completion.
pub fn observation(c: &Context<'_>, f: &mut Findings<'_>) {
    for session in sessions(c) {
        let Some(first) = session.first_dose() else { continue };
        f.look();
        duration(c, f, session, first);
        pressures(c, f, session, first);
    }
}

fn duration(c: &Context<'_>, f: &mut Findings<'_>, session: &Session<'_>, first: Moment) {
    let limit = c.limit(Limit::ObservationMinutes);
    let about = format!("{} duration", f.about(session.source));
    let monitoring = session.therapy.filter(|therapy| therapy.is_monitoring);
    let start = monitoring.and_then(|therapy| therapy.at).unwrap_or(first);
    let Some(end) = session.end() else {
        let sentence = format!("when the observation of {} ended is not recorded.", first.day);
        return f
            .push(f.cannot(about, "the end of the observation", sentence).with(session.source, "session").at(first));
    };
    let observed = minutes(start.start, end.start);
    if observed >= limit.whole() {
        return;
    }
    let sentence = format!(
        "The observation after esketamine on {} lasted {observed} minutes ({} to {}), less than {}.",
        first.day,
        start.words(),
        end.words(),
        limit.value
    );
    f.push(f.fires(about, sentence).with(session.source, format!("{observed} min")).limit(limit).at(first));
}

fn pressures(c: &Context<'_>, f: &mut Findings<'_>, session: &Session<'_>, first: Moment) {
    let (at, within) = (c.limit(Limit::PressureAt), c.limit(Limit::PressureWithin));
    let (before, after) = session.pressures();
    let since = |vital: &Vital| minutes(first.start, vital.at.start);
    let is_middle = |vital: &&Vital| (since(vital) - at.whole()).abs() <= within.whole();
    let is_last = |vital: &&Vital| vital.is_pre_discharge || since(vital) > at.whole().saturating_add(within.whole());
    let middle = format!("at {} minutes (within {})", at.value, within.value);
    let wanted = [
        (before.is_empty(), "before the dose"),
        (!after.iter().copied().any(|vital| is_middle(&vital)), middle.as_str()),
        (!after.iter().copied().any(|vital| is_last(&vital)), "before completion"),
    ];
    let missing: Vec<&str> = wanted.iter().filter(|(is_missing, _)| *is_missing).map(|(_, name)| *name).collect();
    if missing.is_empty() {
        return;
    }
    let sentence =
        format!("No blood pressure is recorded {} in the esketamine session of {}.", missing.join(", nor "), first.day);
    let about = format!("{} pressure", f.about(session.source));
    let finding =
        f.fires(about, sentence).code("COMPLY").with(session.source, "session").limit(at).limit(within).at(first);
    let all = before.into_iter().chain(after);
    f.push(all.fold(finding, |finding, vital| finding.with(vital.source, super::monitoring::pressure(vital))));
}

/// no oxygen saturation in the session.
pub fn saturation(c: &Context<'_>, f: &mut Findings<'_>) {
    for session in sessions(c) {
        f.look();
        if session.vitals(Sign::Saturation).next().is_none() {
            let Some(first) = session.first_dose() else { continue };
            let sentence = format!("The esketamine session of {} has no oxygen saturation.", first.day);
            f.push(f.fires(f.about(session.source), sentence).with(session.source, "session").at(first));
        }
    }
}

/// no evidence of the REMS form within the days. What is not yet due is silent (D-17).
pub fn form(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::FormDays);
    for session in sessions(c) {
        let Some(first) = session.first_dose() else { continue };
        f.look();
        let due = later(first.start, limit.whole().saturating_mul(24));
        let told = session.told(Fact::RemsForm);
        if told.is_some_and(|told| told.value == Some(true)) || c.as_of <= due {
            continue;
        }
        let sentence = format!(
            "No evidence of a REMS form within {} days after the esketamine session of {}.",
            limit.value, first.day
        );
        let mut finding = f.fires(f.about(session.source), sentence).with(session.source, "session").limit(limit);
        if let Some(told) = told {
            finding = finding.with(told.source, "form submitted: no");
        }
        f.push(finding.at(first.with_start(due)));
    }
}

/// esketamine at home, or handed over to the patient.
pub fn setting(c: &Context<'_>, f: &mut Findings<'_>) {
    for session in sessions(c) {
        let Some(first) = session.first_dose() else { continue };
        f.look();
        let about = f.about(session.source);
        let source = session.contact.map_or(session.source, |contact| contact.source);
        let finding = match session.place() {
            Place::Clinic => continue,
            Place::Home => f.fires(about, format!("Esketamine was given at the patient's home on {}.", first.day)),
            Place::Remote | Place::Unknown => {
                f.cannot(about, "the place", format!("where esketamine was given on {} is not recorded.", first.day))
            }
        };
        f.push(finding.with(source, "contact").at(first));
    }
    for dispense in c.facts.dispenses.iter().filter(|dispense| dispense.agent == Agent::Esketamine) {
        f.look();
        let about = f.about(dispense.source);
        let finding = match dispense.to_patient {
            Some(true) => f.fires(about, "Esketamine was dispensed to the patient."),
            Some(false) => continue,
            None => f.cannot(about, "to whom it was handed over", "to whom esketamine was dispensed is not recorded."),
        };
        f.push(finding.with(dispense.source, "dispense").at(dispense.at));
    }
}
