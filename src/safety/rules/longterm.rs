//! The safety room: R-70, screens of bladder and liver in long treatment.

use super::{Context, Findings};
use crate::safety::facts::moment::{Moment, months_later};
use crate::safety::facts::{Key, Score};
use crate::safety::ruleset::{Limit, Set};

/// treatment goes on, and the latest screen is older than the limit. A gap stays on record after the next screen.
/// What is not yet due is silent (D-17).
pub fn monitoring(c: &Context<'_>, f: &mut Findings<'_>) {
    let doses: Vec<Moment> = c.facts.given().into_iter().map(|dose| dose.at).collect();
    let (Some(first), Some(last)) = (doses.first(), doses.last()) else { return };
    let urinary = c.facts.labs.iter().filter(|lab| lab.codes.has(Set::UrinaryScreen)).map(|lab| (lab.source, lab.at));
    let scored = |score: &&Score| score.codes.has(Set::UrinaryScreen);
    let urinary = urinary.chain(c.facts.scores.iter().filter(scored).map(|score| (score.source, score.at)));
    let liver = c.facts.labs.iter().filter(|lab| lab.codes.has(Set::Transaminase) && lab.value.is_some());
    let liver = liver.map(|lab| (lab.source, lab.at));
    let urinary: Vec<(Key, Moment)> = urinary.collect();
    let wanted = [
        ("urinary symptom screen", c.limit(Limit::UrinaryMonths), urinary),
        ("liver test", c.limit(Limit::LiverMonths), liver.collect()),
    ];
    for (name, limit, mut screens) in wanted {
        screens.sort_by_key(|(_, at)| at.start);
        // Before there were screens, treatment itself counts from its first dose.
        let mut since = (None, *first);
        let mut next = screens.iter().skip_while(|(_, at)| at.start <= first.start).peekable();
        if let Some((key, at)) = screens.iter().take_while(|(_, at)| at.start <= first.start).last() {
            // A screen before the first dose is the baseline; the months count from the first dose.
            since = (Some(*key), if at.start > first.start { *at } else { *first });
        }
        loop {
            let due = months_later(since.1.day, limit.whole());
            let until = next.next();
            // Due while treatment went on: a dose was given after the day and before the next screen.
            let overdue =
                doses.iter().find(|dose| dose.day > due && until.is_none_or(|(_, at)| dose.start <= at.start));
            if due < last.day {
                f.look();
            }
            if let Some(dose) = overdue {
                let sentence = format!(
                    "No {name} since {} while treatment went on; one is due every {} months.",
                    since.1.day, limit.value
                );
                let about = format!("{name} {}", since.1.day);
                let finding = f.fires(about, sentence).limit(limit).at(*dose).until(until.map(|(_, at)| *at));
                f.push(since.0.iter().fold(finding, |finding, key| finding.with(*key, format!("latest {name}"))));
            }
            match until {
                Some((key, at)) => since = (Some(*key), *at),
                None => break,
            }
        }
    }
}
