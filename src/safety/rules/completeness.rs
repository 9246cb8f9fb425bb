//! The safety room, what must be there before and with a dose.

use super::{Context, Findings};
use crate::safety::facts::moment::Moment;
use crate::safety::facts::{Agent, Consent, Contact, Dose, Fact, Lab, Link, Place};
use crate::safety::finding::Finding;
use crate::safety::ruleset::{Codes, Limit, Set};
use std::collections::BTreeMap;

/// no active consent to treatment on the day of a dose.
pub fn consent(c: &Context<'_>, f: &mut Findings<'_>) {
    for session in c.dosed() {
        let Some(at) = session.first_dose() else { continue };
        f.look();
        let covers = |consent: &&Consent| {
            let begun = consent.from.is_some_and(|from| from.is_by(&at));
            begun && consent.until.is_none_or(|until| at.is_by(&until))
        };
        if c.facts.consents.iter().any(|consent| consent.is_active && covers(&consent)) {
            continue;
        }
        let about = f.about(session.source);
        let finding = match c.facts.consents.iter().find(covers) {
            // When it was made inactive is not recorded.
            Some(consent) => f
                .cannot(
                    about,
                    "the time at which the consent ended",
                    format!(
                        "a treatment consent that covers {} is no longer active; when it ended is not recorded.",
                        at.day
                    ),
                )
                .with(consent.source, "treatment consent, no longer active"),
            None => {
                let sentence = format!("No treatment consent was active on {}, when a dose was given.", at.day);
                c.facts
                    .consents
                    .iter()
                    .fold(f.fires(about, sentence), |finding, consent| finding.with(consent.source, validity(consent)))
            }
        };
        let finding = session.given().fold(finding, |finding, dose| finding.with(dose.source, "dose"));
        f.push(finding.at(at));
    }
}

fn validity(consent: &Consent) -> String {
    let day = |at: Option<Moment>| at.map_or_else(|| "not told".to_owned(), |at| at.day.to_string());
    let state = if consent.is_active { "active" } else { "not active" };
    format!("treatment consent, {state}, from {} to {}", day(consent.from), day(consent.until))
}

/// The course of a dose: that of its contact.
fn course(c: &Context<'_>, dose: &Dose) -> Option<Link> {
    c.contact(dose.encounter).and_then(|contact| contact.course)
}

/// The first dose of each course, and of what belongs to no course.
pub(super) fn first_doses<'a>(c: &Context<'a>) -> Vec<&'a Dose> {
    let mut first: BTreeMap<Option<Link>, &Dose> = BTreeMap::new();
    let only = match c.facts.courses.as_slice() {
        [one] => Some(c.facts.sources[one.source].link),
        _ => None,
    };
    for dose in c.facts.given() {
        first.entry(course(c, dose).or(only)).or_insert(dose);
    }
    first.into_values().collect()
}

/// no decision of suitable, with or without conditions, before the first dose of a course.
pub fn decision(c: &Context<'_>, f: &mut Findings<'_>) {
    for dose in first_doses(c) {
        f.look();
        let before = c.facts.told(Fact::Suitability).filter(|told| told.at.is_some_and(|at| at.is_by(&dose.at)));
        let last = before.max_by_key(|told| told.at.map(|at| at.start));
        if last.is_some_and(|told| told.value == Some(true)) {
            continue;
        }
        let when = dose.at.words();
        let about = f.about(dose.source);
        let finding = match last {
            Some(told) => f
                .fires(about, format!("The first dose ({when}) came after a suitability decision that is neither suitable nor suitable with conditions."))
                .with(told.source, "the last suitability decision before the dose"),
            None => f.fires(about, format!("No suitability decision is recorded before the first dose ({when}).")),
        };
        f.push(finding.with(dose.source, "first dose").at(dose.at));
    }
}

/// a dose per weight without a weight dated within the limit.
pub fn weight(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::WeightDays);
    for dose in c.facts.given().into_iter().filter(|dose| dose.per_weight.is_some()) {
        f.look();
        if c.facts.measured_weight(&dose.at, limit.whole()).is_some() {
            continue;
        }
        let sentence = format!(
            "A dose per weight was given on {}, and no weight is dated within the {} days before it.",
            dose.at.day, limit.value
        );
        let finding = f.fires(f.about(dose.source), sentence).with(dose.source, "dose per weight");
        f.push(finding.limit(limit).at(dose.at));
    }
}

/// neither a list of medicines nor the statement that there are none.
pub fn medicines(c: &Context<'_>, f: &mut Findings<'_>) {
    if !c.has_begun() {
        return;
    }
    f.look();
    if !c.has_medicines() && c.facts.no_medicines.is_none() {
        let intake = c.facts.contacts.iter().map(|contact| contact.at).min_by_key(|at| at.start);
        let sentence = "Neither current medicines nor the statement that there are none are recorded.";
        f.push(f.fires("medicines", sentence).at(intake));
    }
}

/// ketamine again without baseline liver tests. D-16: from the second administration, esketamine too.
pub fn liver_baseline(c: &Context<'_>, f: &mut Findings<'_>) {
    let doses = c.facts.given();
    let [first, second, ..] = doses.as_slice() else { return };
    let (first, second) = (first.at, second.at);
    f.look();
    let before = |lab: &&Lab| lab.value.is_some() && lab.at.is_by(&first);
    let has = |set: Set| c.facts.labs.iter().filter(before).any(|lab| lab.codes.has(set));
    let wanted =
        [(Set::Transaminase, "ALT or AST"), (Set::AlkalinePhosphatase, "alkaline phosphatase"), (Set::GammaGt, "GGT")];
    let missing: Vec<&str> = wanted.iter().filter(|(set, _)| !has(*set)).map(|(_, name)| *name).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        let sentence = format!(
            "Ketamine was given again ({}), and before the first dose ({}) these are not recorded: {missing}.",
            second.words(),
            first.day
        );
        let finding = f.fires("liver-baseline", sentence).at(second);
        f.push(doses.iter().take(2).fold(finding, |finding, dose| finding.with(dose.source, "dose")));
    }
}

/// given by somebody who is neither prescriber nor nurse, nor by the patient with a witness.
pub fn performer(c: &Context<'_>, f: &mut Findings<'_>) {
    for dose in c.facts.given() {
        f.look();
        let giving: Vec<_> =
            dose.performers.iter().filter(|performer| !performer.is_witness && !performer.is_verifier).collect();
        let about = f.about(dose.source);
        let finding = if giving.is_empty() {
            Some(f.cannot(
                about,
                "the performer of the administration",
                format!("who gave the dose of {} is not recorded.", dose.at.words()),
            ))
        } else if giving.iter().any(|performer| performer.is_patient) {
            by_patient(c, f, dose, about)
        } else {
            let roles: Vec<Codes> =
                giving.iter().filter_map(|performer| c.facts.roles.get(&performer.who?).copied()).collect();
            by_others(f, dose, about, &roles, giving.len())
        };
        if let Some(finding) = finding {
            f.push(finding.with(dose.source, "dose").at(dose.at));
        }
    }
}

fn by_patient(c: &Context<'_>, f: &Findings<'_>, dose: &Dose, about: String) -> Option<Finding> {
    let is_watched = dose.performers.iter().any(|performer| performer.is_witness && !performer.is_patient);
    if is_watched {
        return None;
    }
    let place = c.contact(dose.encounter).map_or(Place::Unknown, |contact: &Contact| contact.place);
    match (dose.agent, place) {
        // At home R-46 asks who else was there.
        (Agent::Ketamine, Place::Home | Place::Remote) => None,
        (Agent::Esketamine, _) | (Agent::Ketamine, Place::Clinic) => Some(
            f.fires(about, format!("The patient took the dose of {} without a witness on record.", dose.at.words())),
        ),
        (Agent::Ketamine, Place::Unknown) => Some(f.cannot(
            about,
            "a witness, or the place",
            format!("the patient took the dose of {}; neither a witness nor the place is recorded.", dose.at.words()),
        )),
    }
}

fn by_others(f: &Findings<'_>, dose: &Dose, about: String, roles: &[Codes], performers: usize) -> Option<Finding> {
    if roles.iter().any(|codes| codes.has_any(&[Set::Prescriber, Set::Nurse])) {
        return None;
    }
    let known = roles.iter().filter(|codes| codes.has_any(&[Set::Therapist, Set::Sitter])).count();
    let when = dose.at.words();
    Some(if known == performers {
        f.fires(
            about,
            format!("The dose of {when} was given by a therapist or sitter who has no role as prescriber or nurse."),
        )
    } else {
        f.cannot(about, "the performer's role", format!("the role of who gave the dose of {when} is not recorded."))
    })
}
