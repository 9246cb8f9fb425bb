//! The safety room, how often and from whom.

use super::{Context, Findings};
use crate::safety::facts::moment::{Moment, days, later};
use crate::safety::facts::{Agent, Dose, Link, Route};
use crate::safety::ruleset::Limit;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// One dose of each day, in the order of time.
fn dosing_days<'a>(c: &Context<'a>, agent: Agent) -> Vec<&'a Dose> {
    let mut found: Vec<&Dose> = c.facts.given().into_iter().filter(|dose| dose.agent == agent).collect();
    found.dedup_by_key(|dose| dose.at.day);
    found
}

/// The doses of the seven days that end with this one.
fn week<'d, 'a>(days_of: &'d [&'a Dose], place: usize, since: Date) -> &'d [&'a Dose] {
    let last = days_of[place].at.day;
    let first = days_of[..=place].partition_point(|dose| days(dose.at.day, last) >= 7 || dose.at.day < since);
    &days_of[first..=place]
}

/// more esketamine days in seven than the label's phase has; each phase counts its own (weeks from the first dose).
pub fn esketamine_frequency(c: &Context<'_>, f: &mut Findings<'_>) {
    let found = dosing_days(c, Agent::Esketamine);
    let Some(first) = found.first().map(|dose| dose.at.day) else { return };
    for (place, dose) in found.iter().enumerate() {
        let since = days(first, dose.at.day);
        let (limit, phase, from) = match since {
            0..28 => (c.limit(Limit::EsketamineInduction), "weeks 1 to 4", 0),
            28..56 => (c.limit(Limit::EsketamineOptimization), "weeks 5 to 8", 28),
            _ => continue,
        };
        f.look();
        let start = first.saturating_add(jiff::Span::new().days(from));
        let week = week(&found, place, start);
        if i64::try_from(week.len()).unwrap_or(i64::MAX) > limit.whole() {
            let sentence = format!(
                "{} days with esketamine within seven days up to {}; {phase} have {} a week.",
                week.len(),
                dose.at.day,
                limit.value
            );
            let finding = f.fires(f.about(dose.source), sentence).limit(limit).at(dose.at);
            f.push(week.iter().fold(finding, |finding, dose| finding.with(dose.source, dose.at.day.to_string())));
        }
    }
}

/// racemic ketamine on more days in seven than the limit.
pub fn dosing_days_in_week(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::DosingDays);
    let found = dosing_days(c, Agent::Ketamine);
    for (place, dose) in found.iter().enumerate() {
        f.look();
        let week = week(&found, place, Date::MIN);
        if i64::try_from(week.len()).unwrap_or(i64::MAX) > limit.whole() {
            let sentence = format!(
                "{} days with ketamine within seven days up to {}; the limit is {}.",
                week.len(),
                dose.at.day,
                limit.value
            );
            let finding = f.fires(f.about(dose.source), sentence).limit(limit).at(dose.at);
            f.push(week.iter().fold(finding, |finding, dose| finding.with(dose.source, dose.at.day.to_string())));
        }
    }
}

/// many sessions since the last review, or much by one route in 90 days. Sums stay within a route.
pub fn cumulative(c: &Context<'_>, f: &mut Findings<'_>) {
    let sessions = c.limit(Limit::ReviewSessions);
    let dosed: Vec<Moment> = c.dosed().filter_map(|session| session.first_dose()).collect();
    let Some(last) = dosed.last() else { return };
    f.look();
    let review = c.facts.reviews.iter().filter(|review| review.is_by(last)).max_by_key(|review| review.start);
    let since = dosed.iter().filter(|at| review.is_none_or(|review| !at.is_by(review))).count();
    if i64::try_from(since).unwrap_or(i64::MAX) > sessions.whole() {
        let sentence = format!(
            "{since} sessions up to {} without a documented review; the limit is {}.",
            last.day, sessions.value
        );
        f.push(f.fires("review", sentence).limit(sessions).at(*last));
    }
    let milligrams = c.limit(Limit::CumulativeMilligrams);
    if milligrams.value.is_zero() {
        return;
    }
    for route in Route::ALL {
        let recent = |dose: &&Dose| dose.route == Some(*route) && days(dose.at.day, last.day) < 90;
        let doses: Vec<&Dose> = c.facts.given().into_iter().filter(recent).collect();
        let Some(sum) = doses.iter().try_fold(Decimal::ZERO, |sum, dose| sum.checked_add(dose.milligrams?)) else {
            let sentence = format!("a dose by the {} route is not known in mg.", route.as_str());
            f.push(f.cannot(route.as_str(), "each dose in a unit of mass", sentence));
            continue;
        };
        if sum > milligrams.value {
            let sentence = format!(
                "{} mg by the {} route in 90 days up to {}.",
                super::doses::short(sum),
                route.as_str(),
                last.day
            );
            let finding = f.fires(route.as_str(), sentence).limit(milligrams).at(*last);
            f.push(doses.iter().fold(finding, |finding, dose| finding.with(dose.source, dose.at.day.to_string())));
        }
    }
}

/// Ketamine given or handed over, and by which organization.
struct Supply {
    source: usize,
    at: Moment,
    organization: Option<Link>,
    /// It was handed over, and the order that it fills is not told.
    is_without_order: bool,
}

/// ketamine from another organisation within the days. The sentence names no source (D-16). Who hands over without an
/// order that is told is a source: by whose order a pharmacy does, another clinic's perhaps, is what the rule is for.
pub fn other_source(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::OtherSourceDays);
    let doses = c.facts.doses.iter().filter(|dose| dose.is_given());
    let doses = doses.map(|dose| Supply {
        source: dose.source,
        at: dose.at,
        organization: dose.organization,
        is_without_order: false,
    });
    let dispenses = c.facts.dispenses.iter().filter_map(|dispense| {
        Some(Supply {
            source: dispense.source,
            at: dispense.at?,
            organization: dispense.organization,
            is_without_order: dispense.prescription.is_none(),
        })
    });
    let mut all: Vec<Supply> = doses.chain(dispenses).collect();
    all.sort_by_key(|supply| supply.at.start);
    let hours = limit.whole().saturating_mul(24);
    let mut unknown: Vec<&Supply> = Vec::new();
    for (place, supply) in all.iter().enumerate() {
        f.look();
        // The newest before it from somebody else says enough; those before that were told with theirs.
        let mut before = all[..place].iter().rev().take_while(|other| later(other.at.start, hours) >= supply.at.start);
        let is_other = |other: &&Supply| other.organization.is_none() || other.organization != supply.organization;
        let Some(other) = before.find(is_other) else { continue };
        if other.organization.is_none() || supply.organization.is_none() {
            unknown.push(supply);
            continue;
        }
        let about = format!("{} {}", f.about(other.source), f.about(supply.source));
        let mut sentence = format!(
            "Ketamine came from two organisations within {} days: on {} and on {}.",
            limit.value, other.at.day, supply.at.day
        );
        if let Some(without) = [other, supply].into_iter().find(|one| one.is_without_order) {
            sentence += &format!(
                " By whose order it was handed over on {} is not recorded: an order that the dispense names would tell.",
                without.at.day
            );
        }
        let finding = f.fires(about, sentence).with(other.source, "one source").with(supply.source, "another source");
        f.push(finding.limit(limit).at(supply.at));
    }
    if let [first, ..] = unknown.as_slice() {
        let sentence = format!(
            "by which organisation ketamine was given or handed over is not recorded throughout (first on {}).",
            first.at.day
        );
        let finding = f.cannot("sources", "the organisation of each source", sentence).at(first.at);
        f.push(unknown.iter().fold(finding, |finding, supply| finding.with(supply.source, "ketamine")));
    }
}
