//! The safety room, ketamine at home and prescribed from afar.

use super::{Context, Findings};
use crate::safety::facts::session::Session;
use crate::safety::facts::{Agent, Contact, Dose, Fact, Place, Sign};

/// compounded ketamine at home without a second adult, baseline vital signs or remote monitoring. Each that is
/// missing fires by itself and is named (D-16).
pub fn safeguards(c: &Context<'_>, f: &mut Findings<'_>) {
    for session in c.dosed() {
        let racemic: Vec<&Dose> = session.given().filter(|dose| dose.agent == Agent::Ketamine).collect();
        let (Some(first), Place::Home | Place::Remote) = (racemic.first(), session.place()) else { continue };
        f.look();
        let about = f.about(session.source);
        if racemic.iter().all(|dose| dose.is_compounded == Some(false)) {
            continue;
        }
        if !racemic.iter().any(|dose| dose.is_compounded == Some(true)) {
            let sentence =
                format!("whether the ketamine taken at home on {} was compounded is not recorded.", first.at.day);
            f.push(f.cannot(about, "whether it was compounded", sentence).with(first.source, "dose").at(first.at));
            continue;
        }
        let missing = missing(session);
        if missing.is_empty() {
            continue;
        }
        let sentence =
            format!("Compounded ketamine was taken at home on {} without: {}.", first.at.day, missing.join("; "));
        let finding = f.fires(about, sentence).with(first.source, "compounded ketamine").at(first.at);
        f.push(session.contact.iter().fold(finding, |finding, contact| finding.with(contact.source, "at home")));
    }
}

fn missing(session: &Session<'_>) -> Vec<&'static str> {
    let told = |fact| session.told(fact).and_then(|told| told.value);
    let by_contact = |of: fn(&Contact) -> bool| session.contact.is_some_and(of);
    let adult = told(Fact::SecondAdult).unwrap_or_else(|| by_contact(|contact| contact.has_companion));
    let monitored =
        told(Fact::RemoteMonitoring).unwrap_or_else(|| by_contact(|contact| contact.has_video || contact.is_virtual));
    // A weight is no vital sign of this kind.
    let measured = session.vitals.iter().any(|vital| vital.sign != Sign::Weight && session.is_before(vital));
    let wanted = [(adult, "a second adult"), (measured, "baseline vital signs"), (monitored, "remote monitoring")];
    wanted.into_iter().filter(|(is_there, _)| !is_there).map(|(_, name)| name).collect()
}

/// an order of ketamine by telemedicine after the last day on which that is allowed.
pub fn telemedicine(c: &Context<'_>, f: &mut Findings<'_>) {
    let last_day = c.ruleset.telemedicine_last_day;
    for order in &c.facts.orders {
        let contact = c.contact(order.encounter);
        let Some(at) = order.at.or(contact.map(|contact| contact.at)) else { continue };
        f.look();
        if at.day <= last_day {
            continue;
        }
        let about = f.about(order.source);
        let finding = match contact.map(|contact| (contact.is_virtual, contact.source)) {
            Some((true, source)) => f
                .fires(about, format!("Ketamine was prescribed by telemedicine on {}, after {last_day}.", at.day))
                .with(source, "telemedicine contact"),
            Some((false, _)) => continue,
            None => f.cannot(
                about,
                "the contact of the order",
                format!("whether the order of {} was by telemedicine is not recorded.", at.day),
            ),
        };
        f.push(finding.with(order.source, "order").at(at));
    }
    // A dose by telemedicine whose order is not on record.
    for session in c.dosed() {
        let (Some(first), Some(contact)) = (session.first_dose(), session.contact) else { continue };
        let has_order = c.facts.orders.iter().any(|order| order.at.is_none_or(|at| at.is_by(&first)));
        if contact.is_virtual && first.day > last_day && !has_order {
            f.look();
            let sentence = format!("the order of the dose by telemedicine on {} is not recorded.", first.day);
            f.push(f.cannot(f.about(session.source), "the order", sentence).with(contact.source, "contact").at(first));
        }
    }
}
