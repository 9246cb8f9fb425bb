//! The safety room, who goes along and what comes after.

use super::{Context, Findings};
use crate::safety::facts::moment::{Moment, later};
use crate::safety::facts::{ContactKind, Fact, Place};
use crate::safety::ruleset::Limit;

/// discharged without an escort or a waiver. At home nobody leaves.
pub fn escort(c: &Context<'_>, f: &mut Findings<'_>) {
    for session in c.dosed() {
        if matches!(session.place(), Place::Home | Place::Remote) {
            continue;
        }
        let is_over = session.contact.is_some_and(|contact| contact.is_finished) || session.discharge().is_some();
        let Some(at) = session.end().or(session.first_dose()).filter(|_| is_over) else { continue };
        f.look();
        let told = session.told(Fact::EscortPresent);
        let documented = session.contact.is_some_and(|contact| contact.has_escort || contact.has_waiver);
        if documented || told.is_some_and(|told| told.value == Some(true)) {
            continue;
        }
        let sentence = format!("The patient was discharged on {} without an escort or a documented waiver.", at.day);
        let mut finding = f.fires(f.about(session.source), sentence).at(at);
        if let Some(contact) = session.contact {
            finding = finding.with(contact.source, "no escort, no waiver");
        }
        if let Some(told) = told {
            finding = finding.with(told.source, "escort present: no");
        }
        f.push(finding);
    }
}

/// no integration session within the days after a dose. What is not yet due is silent (D-17).
pub fn integration(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::IntegrationDays);
    let contacts =
        c.facts.contacts.iter().filter(|contact| contact.kind == ContactKind::Integration && !contact.is_cancelled);
    let therapies = c.facts.therapies.iter().filter(|therapy| therapy.is_psychotherapy && therapy.is_done);
    let mut held: Vec<Moment> =
        contacts.map(|contact| contact.at).chain(therapies.filter_map(|therapy| therapy.at)).collect();
    held.sort_by_key(|at| at.start);
    for session in c.dosed() {
        let Some(at) = session.first_dose() else { continue };
        let due = later(at.start, limit.whole().saturating_mul(24));
        f.look();
        let next = held.iter().find(|held| held.start > at.start);
        if c.as_of <= due || next.is_some_and(|next| next.start <= due) {
            continue;
        }
        let sentence = format!("No integration session followed the dose of {} within {} days.", at.day, limit.value);
        let finding = f.fires(f.about(session.source), sentence).with(session.source, "dosing session").limit(limit);
        // One that came later ends the matter, and stays on record.
        f.push(finding.at(at.with_start(due)).until(next.copied()));
    }
}

/// a severe emotional adverse event without a contact within the hours after it.
pub fn distress(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::FollowUpHours);
    for event in c.facts.events.iter().filter(|event| event.is_emotional) {
        f.look();
        let about = f.about(event.source);
        let Some(is_severe) = event.is_severe else {
            let sentence = format!("the severity of {} on {} is not recorded.", event.name, event.at.day);
            f.push(f.cannot(about, "the severity", sentence).with(event.source, event.name.clone()).at(event.at));
            continue;
        };
        if !is_severe {
            continue;
        }
        let contacts = c.facts.contacts.iter().filter(|contact| {
            let is_same = event.encounter == Some(c.facts.sources[contact.source].link);
            !contact.is_cancelled && !is_same
        });
        let after = contacts.map(|contact| contact.at).chain(c.facts.messages.iter().map(|(_, at)| *at));
        let next = after.filter(|at| at.start > event.at.start).min_by_key(|at| at.start);
        let due = later(event.at.start, limit.whole());
        if c.as_of <= due || next.is_some_and(|next| next.start <= due) {
            continue;
        }
        let sentence = format!(
            "{} on {} was severe, and no contact followed within {} hours.",
            event.name,
            event.at.words(),
            limit.value
        );
        let finding = f.fires(about, sentence).with(event.source, event.name.clone()).limit(limit);
        f.push(finding.at(event.at.with_start(due)).until(next));
    }
}
