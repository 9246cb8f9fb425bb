//! The safety room, what was measured around a dose.

use super::{Context, Findings};
use crate::safety::facts::moment::Moment;
use crate::safety::facts::session::Session;
use crate::safety::facts::{Scale, Score, Sign, Vital};
use crate::safety::finding::Finding;
use crate::safety::ruleset::{Limit, Set};
use rust_decimal::Decimal;

/// `146/88 mm[Hg]`.
pub(super) fn pressure(vital: &Vital) -> String {
    let part = |value: Option<Decimal>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
    format!("{}/{} mm[Hg]", part(vital.value), part(vital.second))
}

/// Is either component above its limit?
fn is_above(vital: &Vital, systolic: Decimal, diastolic: Decimal) -> bool {
    vital.value.is_some_and(|value| value > systolic) || vital.second.is_some_and(|value| value > diastolic)
}

/// blood pressure before the dose, the last reading; also where the dose then was not given (D-16). Of a
/// candidate who has had no session yet, the last reading of the assessment.
pub fn before(c: &Context<'_>, f: &mut Findings<'_>) {
    let (systolic, diastolic) = (c.limit(Limit::PressureBeforeSystolic), c.limit(Limit::PressureBeforeDiastolic));
    let limits = |finding: Finding| finding.limit(systolic).limit(diastolic);
    for session in c.sessions {
        let (before, _) = session.pressures();
        let Some(at) = session.at() else { continue };
        let Some(vital) = before.last() else {
            if session.first_dose().is_some() {
                f.look();
                let sentence = format!("no blood pressure before the dose of {} is recorded.", at.words());
                let finding = f.cannot(f.about(session.source), "a blood pressure before the dose", sentence);
                f.push(finding.with(session.source, "session").at(at));
            }
            continue;
        };
        f.look();
        if is_above(vital, systolic.value, diastolic.value) {
            let sentence = format!(
                "Blood pressure before the dose was {} on {}, above {}/{}: consider delaying.",
                pressure(vital),
                vital.at.words(),
                systolic.value,
                diastolic.value
            );
            let finding = f.fires(f.about(session.source), sentence).with(vital.source, pressure(vital)).at(vital.at);
            f.push(limits(finding));
        }
    }
    if c.sessions.is_empty()
        && c.has_begun()
        && let Some(vital) = c.facts.vitals(Sign::Pressure).max_by_key(|vital| vital.at.start)
    {
        f.look();
        if is_above(vital, systolic.value, diastolic.value) {
            let sentence = format!(
                "No dose has been given yet; the last blood pressure, {} on {}, is above {}/{}.",
                pressure(vital),
                vital.at.words(),
                systolic.value,
                diastolic.value
            );
            f.push(limits(f.fires("assessment", sentence).with(vital.source, pressure(vital)).at(vital.at)));
        }
    }
}

/// at or above the limit of a crisis, once the dose was given.
pub fn crisis(c: &Context<'_>, f: &mut Findings<'_>) {
    let (systolic, diastolic) = (c.limit(Limit::CrisisSystolic), c.limit(Limit::CrisisDiastolic));
    for session in c.dosed() {
        f.look();
        let (_, after) = session.pressures();
        if after.is_empty() {
            lacking(f, session, "a blood pressure after the dose", "no blood pressure after the dose");
            continue;
        }
        let is_crisis = |vital: &&Vital| {
            vital.value.is_some_and(|value| value >= systolic.value)
                || vital.second.is_some_and(|value| value >= diastolic.value)
        };
        let found: Vec<&Vital> = after.into_iter().filter(is_crisis).collect();
        let Some(worst) = found.iter().max_by_key(|vital| vital.value) else { continue };
        let sentence = format!(
            "Blood pressure reached {} on {}, at or above {} systolic or {} diastolic.",
            pressure(worst),
            worst.at.words(),
            systolic.value,
            diastolic.value
        );
        let finding = f.fires(f.about(session.source), sentence).limit(systolic).limit(diastolic).at(worst.at);
        f.push(found.iter().fold(finding, |finding, vital| finding.with(vital.source, pressure(vital))));
    }
}

/// Says what a session lacks.
fn lacking(f: &mut Findings<'_>, session: &Session<'_>, missing: &str, sentence: &str) {
    let Some(at) = session.at() else { return };
    let sentence = format!("{sentence} is recorded in the session of {}.", at.day);
    f.push(f.cannot(f.about(session.source), missing, sentence).with(session.source, "session").at(at));
}

/// systolic pressure rose by the limit, or was not back near its baseline before discharge.
pub fn not_back(c: &Context<'_>, f: &mut Findings<'_>) {
    let (rise, percent) = (c.limit(Limit::PressureRise), c.limit(Limit::PressureReturnPercent));
    for session in c.dosed() {
        f.look();
        let (before, after) = session.pressures();
        let systolic = |vital: &&Vital| vital.value.is_some();
        let base = before.into_iter().rfind(systolic);
        let after: Vec<&Vital> = after.into_iter().filter(systolic).collect();
        // What is measured later says nothing of how the patient left.
        let end = session.discharge().and_then(|told| told.at).or(session.end());
        let last = after.iter().rfind(|vital| end.is_none_or(|end| vital.at.start <= end.start));
        let (Some(base), Some(last)) = (base, last) else {
            let (missing, sentence) = if base.is_none() {
                ("a systolic pressure before the dose", "no systolic pressure before the dose")
            } else if !after.is_empty() {
                ("a systolic pressure between dose and discharge", "no systolic pressure between dose and discharge")
            } else {
                ("a systolic pressure after the dose", "no systolic pressure after the dose")
            };
            lacking(f, session, missing, sentence);
            continue;
        };
        let peak = after.iter().max_by_key(|vital| vital.value).unwrap_or(last);
        let (Some(from), Some(to), Some(end)) = (base.value, peak.value, last.value) else { continue };
        let mut reasons = Vec::new();
        if to - from >= rise.value {
            reasons.push(format!("rose from {from} to {to} mm[Hg], by {} or more", rise.value));
        }
        let allowed = from.checked_mul(percent.value).map(|all| all / Decimal::ONE_HUNDRED);
        if allowed.is_some_and(|allowed| (end - from).abs() > allowed) {
            reasons.push(format!("was {end} mm[Hg] at the last reading, not within {} % of {from}", percent.value));
        }
        if reasons.is_empty() {
            continue;
        }
        let sentence = format!("Systolic pressure {} (session of {}).", reasons.join(" and "), base.at.day);
        let finding = f.fires(f.about(session.source), sentence).limit(rise).limit(percent).at(peak.at);
        let mut used = vec![base, *peak, *last];
        used.dedup_by_key(|vital| vital.source);
        f.push(used.iter().fold(finding, |finding, vital| finding.with(vital.source, pressure(vital))));
    }
}

/// oxygen saturation below the limit on room air.
pub fn saturation(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::Saturation);
    for session in c.dosed() {
        f.look();
        let all: Vec<&Vital> = session.vitals(Sign::Saturation).collect();
        if all.is_empty() {
            lacking(f, session, "oxygen saturation", "no oxygen saturation");
            continue;
        }
        let is_low = |vital: &&Vital| !vital.has_oxygen && vital.value.is_some_and(|value| value < limit.value);
        extremes(
            f,
            session,
            all.into_iter().filter(is_low).collect(),
            |found| {
                let lowest = found.iter().filter_map(|vital| vital.value).min().unwrap_or_default();
                format!("Oxygen saturation fell to {lowest} %, below {} %", limit.value)
            },
            &[limit],
            "%",
        );
    }
}

/// One finding for all readings of a session that passed a limit.
fn extremes(
    f: &mut Findings<'_>,
    session: &Session<'_>,
    found: Vec<&Vital>,
    sentence: impl Fn(&[&Vital]) -> String,
    limits: &[&crate::safety::ruleset::LimitValue],
    unit: &str,
) {
    let Some(first) = found.first() else { return };
    let sentence = format!("{} (session of {}).", sentence(&found), first.at.day);
    let finding = f.fires(f.about(session.source), sentence).at(first.at);
    let finding = limits.iter().fold(finding, |finding, limit| finding.limit(limit));
    f.push(found.iter().fold(finding, |finding, vital| {
        let value = vital.value.map_or_else(String::new, |value| format!("{value} {unit} on {}", vital.at.words()));
        finding.with(vital.source, value)
    }));
}

/// a sedation scale reached deep sedation.
pub fn sedation(c: &Context<'_>, f: &mut Findings<'_>) {
    for session in c.dosed() {
        f.look();
        let mut has_any = false;
        for (scale, limit) in [(Scale::Moaas, c.limit(Limit::Moaas)), (Scale::Rass, c.limit(Limit::Rass))] {
            let all: Vec<&Score> = session.scores(scale).filter(|score| score.value.is_some()).collect();
            has_any |= !all.is_empty();
            let deep: Vec<&Score> =
                all.into_iter().filter(|score| score.value.is_some_and(|value| value <= limit.value)).collect();
            let Some(worst) = deep.iter().min_by_key(|score| score.value) else { continue };
            let value = worst.value.unwrap_or_default();
            let sentence = format!("{} was {value} on {}, at or below {}.", worst.name, worst.at.words(), limit.value);
            let about = format!("{} {}", f.about(session.source), worst.name);
            let finding = f.fires(about, sentence).limit(limit).at(worst.at);
            f.push(deep.iter().fold(finding, |finding, score| finding.with(score.source, score.at.words())));
        }
        if !has_any {
            lacking(f, session, "MOAA/S or RASS", "no sedation score (MOAA/S, RASS)");
        }
    }
}

/// heart rate above or below the limits.
pub fn heart_rate(c: &Context<'_>, f: &mut Findings<'_>) {
    let (above, below) = (c.limit(Limit::HeartRateAbove), c.limit(Limit::HeartRateBelow));
    for session in c.dosed() {
        f.look();
        let all: Vec<&Vital> = session.vitals(Sign::HeartRate).collect();
        if all.is_empty() {
            lacking(f, session, "heart rate", "no heart rate");
            continue;
        }
        let is_out = |vital: &&Vital| vital.value.is_some_and(|value| value > above.value || value < below.value);
        extremes(
            f,
            session,
            all.into_iter().filter(is_out).collect(),
            |found| {
                let values: Vec<String> = found.iter().filter_map(|vital| Some(vital.value?.to_string())).collect();
                format!("Heart rate was {}/min, outside {} to {}", values.join(", "), below.value, above.value)
            },
            &[above, below],
            "/min",
        );
    }
}

/// from the first dose to discharge two sets of vital signs lie further apart than the limit.
pub fn gap(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::MonitoringGap);
    for session in c.dosed() {
        let Some(first) = session.first_dose() else { continue };
        f.look();
        let discharge = session.discharge().and_then(|told| told.at).or(session.end());
        let is_within =
            |vital: &&&Vital| vital.at.start > first.start && discharge.is_none_or(|end| vital.at.start <= end.start);
        let during = session.vitals.iter().filter(|vital| vital.sign != Sign::Weight).filter(is_within);
        let mut points = vec![first];
        points.extend(during.map(|vital| vital.at));
        points.extend(discharge.filter(|end| end.start > first.start));
        // A minute that has begun counts: 30 minutes and a second are more than 30.
        let length = |from: Moment, to: Moment| (to.start.as_second() - from.start.as_second() + 59).div_euclid(60);
        let gaps = points.windows(2).map(|pair| (length(pair[0], pair[1]), pair[0], pair[1]));
        let about = f.about(session.source);
        match gaps.max_by_key(|(length, _, _)| *length) {
            Some((length, from, to)) if length > limit.whole() => {
                let sentence = format!(
                    "{length} minutes without vital signs from {} to {}, more than {}.",
                    from.words(),
                    to.words(),
                    limit.value
                );
                let finding = f.fires(about, sentence).with(session.source, format!("{length} min")).limit(limit);
                f.push(finding.at(from));
            }
            Some(_) if discharge.is_some() => {}
            Some(_) | None => {
                let sentence = format!("when the patient was discharged on {} is not recorded.", first.day);
                f.push(f.cannot(about, "the time of discharge", sentence).with(session.source, "session").at(first));
            }
        }
    }
}

/// discharged with a recovery score below the limit; the last one before discharge counts.
pub fn recovery(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::RecoveryScore);
    for session in c.dosed() {
        let Some(discharge) = session.departure() else {
            if session.contact.is_some_and(|contact| contact.is_finished) {
                f.look();
                lacking(f, session, "the decision to discharge", "no decision to discharge");
            }
            continue;
        };
        f.look();
        let by = |score: &Score| discharge.at.is_none_or(|at| score.at.start <= at.start);
        let scored = session.scores.iter().filter(|score| score.codes.has(Set::RecoveryScore) && score.value.is_some());
        let scored: Vec<&Score> = scored.copied().filter(|score| by(score)).collect();
        let newest = scored.iter().map(|score| score.at.start).max();
        if scored.is_empty() {
            lacking(f, session, "Aldrete or MPADSS", "no recovery score (Aldrete, MPADSS) before discharge");
        }
        // Two scales at one time: one does not make up for the other.
        for score in scored.into_iter().filter(|score| Some(score.at.start) == newest) {
            let Some(value) = score.value.filter(|value| *value < limit.value) else { continue };
            let sentence =
                format!("{} was {value} at discharge on {}, below {}.", score.name, score.at.words(), limit.value);
            let about = format!("{} {}", f.about(session.source), score.name);
            let finding = f.fires(about, sentence).with(score.source, value.to_string());
            f.push(finding.with(discharge.source, "discharged").limit(limit).at(score.at));
        }
    }
}
