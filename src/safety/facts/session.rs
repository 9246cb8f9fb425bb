//! The safety room: doses with what was measured around them.

use super::moment::{self, Moment};
use super::{
    Agent, Contact, ContactKind, Dose, Fact, Facts, Key, Link, Place, Scale, Score, Sign, Therapy, Told, Vital,
};
use jiff::Timestamp;
use std::collections::HashMap;

/// Unlinked measurements belong to a session up to so many minutes before its first dose.
const BEFORE_MINUTES: i64 = 240;
/// … and so many after its last, where nothing tells its end.
const AFTER_MINUTES: i64 = 480;

/// A dosing session: by its Procedure or Encounter, or by the day where doses have neither.
#[derive(Debug)]
pub struct Session<'f> {
    /// What findings are about: the Procedure, else the Encounter, else the first dose.
    pub source: Key,
    pub contact: Option<&'f Contact>,
    pub therapy: Option<&'f Therapy>,
    /// In the order of time; those not given too.
    pub doses: Vec<&'f Dose>,
    /// In the order of time.
    pub vitals: Vec<&'f Vital>,
    pub scores: Vec<&'f Score>,
    pub told: Vec<&'f Told>,
}

impl<'f> Session<'f> {
    pub fn given(&self) -> impl Iterator<Item = &'f Dose> {
        self.doses.iter().copied().filter(|dose| dose.is_given())
    }

    /// When the first dose was given.
    pub fn first_dose(&self) -> Option<Moment> {
        self.given().next().map(|dose| dose.at)
    }

    /// When the session took place: the first dose, given or not, else the contact.
    pub fn at(&self) -> Option<Moment> {
        self.first_dose().or(self.doses.first().map(|dose| dose.at)).or(self.contact.map(|contact| contact.at))
    }

    pub fn has(&self, agent: Agent) -> bool {
        self.given().any(|dose| dose.agent == agent)
    }

    pub fn told(&self, fact: Fact) -> Option<&'f Told> {
        self.told.iter().copied().find(|told| told.fact == fact)
    }

    /// The decision that the patient may leave.
    pub fn discharge(&self) -> Option<&'f Told> {
        let ready = |told: &&'f Told| told.fact == Fact::DischargeReady && told.value != Some(false);
        self.told.iter().copied().find(ready)
    }

    /// How the patient left: with the decision that they may, else, where the contact is over, with the one that they may not.
    pub fn departure(&self) -> Option<&'f Told> {
        let is_over = self.contact.is_some_and(|contact| contact.is_finished);
        self.discharge().or_else(|| self.told(Fact::DischargeReady).filter(|_| is_over))
    }

    /// When monitoring ended: the observation's own end, the decision to discharge, else the end of the session or
    /// the contact.
    pub fn end(&self) -> Option<Moment> {
        let therapy = self.therapy.and_then(|therapy| therapy.end);
        let monitoring = self.therapy.filter(|therapy| therapy.is_monitoring).and(therapy);
        let discharge = self.discharge().and_then(|told| told.at);
        monitoring.or(discharge).or(therapy).or(self.contact.and_then(|contact| contact.end))
    }

    pub fn place(&self) -> Place {
        self.contact.map_or(Place::Unknown, |contact| contact.place)
    }

    pub fn vitals(&self, sign: Sign) -> impl Iterator<Item = &'f Vital> {
        self.vitals.iter().copied().filter(move |vital| vital.sign == sign)
    }

    pub fn scores(&self, scale: Scale) -> impl Iterator<Item = &'f Score> {
        self.scores.iter().copied().filter(move |score| score.scale == scale)
    }

    /// Measured before the first dose: as marked, or by the time.
    pub fn is_before(&self, vital: &Vital) -> bool {
        match self.first_dose() {
            Some(first) => vital.at.start <= first.start && (vital.is_pre_dose || vital.at.is_instant),
            // Nothing was given: all of it came before.
            None => true,
        }
    }

    /// Blood pressures before the first dose, then those after it.
    pub fn pressures(&self) -> (Vec<&'f Vital>, Vec<&'f Vital>) {
        self.vitals(Sign::Pressure).partition(|vital| self.is_before(vital))
    }
}

/// All sessions in the order of time.
pub fn sessions(facts: &Facts) -> Vec<Session<'_>> {
    let mut sessions: Vec<Session<'_>> = Vec::new();
    let mut by_link: HashMap<Link, usize> = HashMap::new();
    let contacts: HashMap<Link, &Contact> =
        facts.contacts.iter().map(|contact| (facts.sources[contact.source].link, contact)).collect();
    let therapies: HashMap<Link, &Therapy> = facts
        .therapies
        .iter()
        .filter(|therapy| therapy.is_session || facts.doses.iter().any(|dose| dose.session.is_some()))
        .map(|therapy| (facts.sources[therapy.source].link, therapy))
        .collect();
    let mut doses: Vec<&Dose> = facts.doses.iter().collect();
    doses.sort_by_key(|dose| dose.at.start);
    for dose in doses {
        let place = [dose.session, dose.encounter].into_iter().flatten().find_map(|link| by_link.get(&link).copied());
        let place = place.or_else(|| {
            // Neither session nor contact: with the other doses of that day that have neither.
            let is_bare =
                |session: &Session<'_>| session.doses.iter().all(|own| own.session.or(own.encounter).is_none());
            let is_alone = dose.session.or(dose.encounter).is_none();
            let of_day = |session: &Session<'_>| session.doses.iter().any(|own| own.at.day == dose.at.day);
            is_alone.then(|| sessions.iter().position(|session| is_bare(session) && of_day(session))).flatten()
        });
        let place = place.unwrap_or_else(|| {
            let therapy = dose.session.and_then(|link| therapies.get(&link).copied());
            let encounter = dose.encounter.or(therapy.and_then(|therapy| therapy.encounter));
            let contact = encounter.and_then(|link| contacts.get(&link).copied());
            let source = therapy.map(|own| own.source).or(contact.map(|own| own.source)).unwrap_or(dose.source);
            sessions.push(Session {
                source,
                contact,
                therapy,
                doses: Vec::new(),
                vitals: Vec::new(),
                scores: Vec::new(),
                told: Vec::new(),
            });
            sessions.len() - 1
        });
        sessions[place].doses.push(dose);
        for link in [dose.session, dose.encounter].into_iter().flatten() {
            by_link.insert(link, place);
        }
    }
    // Sessions in which nothing was given, or nothing has been recorded yet.
    for contact in facts.contacts.iter().filter(|contact| contact.kind == ContactKind::Dosing) {
        let link = facts.sources[contact.source].link;
        if by_link.contains_key(&link) {
            continue;
        }
        let therapy = facts.therapies.iter().find(|therapy| therapy.is_session && therapy.encounter == Some(link));
        by_link.insert(link, sessions.len());
        if let Some(therapy) = therapy {
            by_link.insert(facts.sources[therapy.source].link, sessions.len());
        }
        sessions.push(Session {
            source: therapy.map_or(contact.source, |therapy| therapy.source),
            contact: Some(contact),
            therapy,
            doses: Vec::new(),
            vitals: Vec::new(),
            scores: Vec::new(),
            told: Vec::new(),
        });
    }
    let spans: Vec<(usize, Timestamp, Timestamp)> =
        sessions.iter().enumerate().filter_map(|(place, session)| span(place, session)).collect();
    let of = |session: Option<Link>, encounter: Option<Link>, at: Option<Moment>| {
        let linked = [session, encounter].into_iter().flatten().find_map(|link| by_link.get(&link).copied());
        // A measurement of another contact is not of the session that lies nearest.
        let is_elsewhere = session.is_some() || encounter.is_some_and(|link| contacts.contains_key(&link));
        linked.or_else(|| {
            let at = at.filter(|at| at.is_instant && !is_elsewhere)?.start;
            spans.iter().find(|(_, from, to)| *from <= at && at <= *to).map(|(place, _, _)| *place)
        })
    };
    for vital in &facts.vitals {
        if let Some(place) = of(vital.session, vital.encounter, Some(vital.at)) {
            sessions[place].vitals.push(vital);
        }
    }
    for score in &facts.scores {
        if let Some(place) = of(score.session, score.encounter, Some(score.at)) {
            sessions[place].scores.push(score);
        }
    }
    for told in &facts.told {
        if let Some(place) = of(told.session, told.encounter, told.at) {
            sessions[place].told.push(told);
        }
    }
    for session in &mut sessions {
        session.vitals.sort_by_key(|vital| vital.at.start);
        session.scores.sort_by_key(|score| score.at.start);
    }
    sessions.sort_by_key(|session| session.at().map(|at| at.start));
    sessions
}

/// The time in which measurements that name no session belong to it.
fn span(place: usize, session: &Session<'_>) -> Option<(usize, Timestamp, Timestamp)> {
    if let Some(contact) = session.contact
        && let Some(end) = contact.end
    {
        return Some((place, contact.at.start, end.start));
    }
    let first = session.doses.first()?.at.start;
    let last = session.doses.last().map_or(first, |dose| dose.at.start);
    let minute =
        |from: Timestamp, minutes: i64| from.checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap_or(from);
    debug_assert!(moment::minutes(first, last) >= 0);
    Some((place, minute(first, -BEFORE_MINUTES), minute(last, AFTER_MINUTES)))
}
