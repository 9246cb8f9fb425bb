//! The safety room, how much was given.

use super::{Context, Findings};
use crate::safety::facts::{Agent, Dose, DoseStatus, Route};
use crate::safety::finding::Finding;
use crate::safety::ruleset::{Band, BandUnit, Limit, Severity};
use rust_decimal::Decimal;

/// A dose in the unit of its route's band.
enum Measured {
    Known(Decimal),
    /// Only what the sender says of it per weight: no weight to check it by.
    Unweighed(Option<Decimal>),
    /// The dose itself is not known.
    Unknown,
}

fn measured(c: &Context<'_>, dose: &Dose, milligrams: Option<Decimal>, band: &Band) -> Measured {
    let Some(milligrams) = milligrams else { return Measured::Unknown };
    match band.unit {
        BandUnit::Whole => Measured::Known(milligrams),
        BandUnit::PerWeight => {
            let weight = c.facts.weight_for(dose, c.limit(Limit::WeightDays).whole());
            match weight.and_then(|weight| milligrams.checked_div(weight)) {
                Some(per_weight) => Measured::Known(per_weight),
                None => Measured::Unweighed(dose.per_weight),
            }
        }
    }
}

/// For a sentence: at most three decimals, without zeros at the end.
pub(super) fn short(value: Decimal) -> String {
    value.round_dp(3).normalize().to_string()
}

/// a dose against the band of its route.
pub fn band(c: &Context<'_>, f: &mut Findings<'_>) {
    for dose in c.facts.given() {
        if dose.agent == Agent::Esketamine && dose.route == Some(Route::Intranasal) {
            continue;
        }
        f.look();
        let when = dose.at.words();
        let about = f.about(dose.source);
        let Some(route) = dose.route else {
            let finding =
                f.cannot(about, "one of the eight routes", format!("the dose of {when} has no route with a band."));
            f.push(finding.with(dose.source, "dose").at(dose.at));
            continue;
        };
        if dose.agent == Agent::Esketamine {
            let sentence = format!("there is no band for esketamine by the {} route (dose of {when}).", route.as_str());
            f.push(
                f.cannot(about, "a band for esketamine by this route", sentence).with(dose.source, "dose").at(dose.at),
            );
            continue;
        }
        let band = c.ruleset.band(route);
        let days = c.limit(Limit::WeightDays);
        let finding = match measured(c, dose, dose.milligrams, band) {
            Measured::Known(value) => against(f, dose, value, band, about.clone()),
            Measured::Unweighed(told) => {
                let above = told.and_then(|told| against(f, dose, told, band, about.clone()));
                let is_above = |finding: &Finding| finding.severity < Severity::Low;
                if band.any_dose {
                    f.push(any_dose(f, dose, band, &about).with(dose.source, self::told(dose)).at(dose.at));
                }
                Some(above.filter(is_above).unwrap_or_else(|| {
                    f.cannot(
                        about.clone(),
                        "a weight",
                        format!("no weight in the last {} days, and none charted with the dose of {when}.", days.value),
                    )
                }))
            }
            Measured::Unknown => Some(f.cannot(
                about.clone(),
                "the dose in a unit of mass",
                format!("the dose of {when} is not known in mg."),
            )),
        };
        if let Some(finding) = finding {
            f.push(finding.with(dose.source, told(dose)).at(dose.at));
        }
        if let Some(finding) = duration(f, dose, band, &about) {
            f.push(finding.with(dose.source, told(dose)).at(dose.at));
        }
    }
}

fn told(dose: &Dose) -> String {
    dose.milligrams.map_or_else(|| "dose".to_owned(), |milligrams| format!("{} mg", short(milligrams)))
}

fn against(f: &Findings<'_>, dose: &Dose, value: Decimal, band: &Band, about: String) -> Option<Finding> {
    let unit = band.unit.as_str();
    let route = dose.route.map_or("", Route::as_str);
    let amount = format!("The {route} dose of {} is {} {unit}", dose.at.words(), short(value));
    let per_weight = matches!(band.unit, BandUnit::PerWeight);
    let above = |limit: Option<Decimal>| limit.filter(|limit| value > *limit);
    let grave = |severity: Severity, limit: Decimal, word: &str| {
        let finding = f.fires(about.clone(), format!("{amount}, above the {word} of {limit} {unit}."));
        let finding = finding.severity(severity).band(format!("{limit} {unit}"), band);
        if per_weight { finding.code("DOSEHINDW") } else { finding }
    };
    if let Some(limit) = above(band.hard) {
        return Some(grave(f.rule.severity, limit, "hard limit"));
    }
    if let Some(limit) = above(band.alert) {
        return Some(grave(f.rule.lesser, limit, "alert"));
    }
    let remark = |sentence: String, limit: String| {
        f.fires(about.clone(), sentence).severity(Severity::Information).code("DOSE").band(limit, band)
    };
    if band.any_dose {
        return Some(remark(
            format!("{amount}; no published psychiatric range is known for this route."),
            "no range".to_owned(),
        ));
    }
    // Part of a dose, or one that was stopped, is meant to be small.
    let is_whole = !dose.is_part && dose.status == DoseStatus::Given;
    let low = band.low.filter(|low| is_whole && value < *low)?;
    Some(remark(format!("{amount}, below the band, which begins at {low} {unit}."), format!("{low} {unit}")))
}

/// By a route without a psychiatric range any dose is worth a remark, weight or not.
fn any_dose(f: &Findings<'_>, dose: &Dose, band: &Band, about: &str) -> Finding {
    let route = dose.route.map_or("", Route::as_str);
    let sentence = format!(
        "The {route} dose of {} is {}; no published psychiatric range is known for this route.",
        dose.at.words(),
        told(dose)
    );
    let finding = f.fires(format!("{about} range"), sentence).severity(Severity::Information).code("DOSE");
    finding.band("no range".to_owned(), band)
}

/// Duration bands inform only (D-10).
fn duration(f: &Findings<'_>, dose: &Dose, band: &Band, about: &str) -> Option<Finding> {
    let (from, to) = (band.minutes_from?, band.minutes_to?);
    if dose.status != DoseStatus::Given || dose.is_push {
        return None;
    }
    let minutes = running_minutes(dose)?;
    if minutes >= from && minutes <= to {
        return None;
    }
    let sentence =
        format!("The infusion of {} ran for {} minutes; usual are {from} to {to}.", dose.at.words(), short(minutes));
    let finding = f.fires(format!("{about} duration"), sentence).severity(Severity::Information).code("DOSE");
    Some(finding.band(format!("{from} to {to} min"), band))
}

/// Minutes from start to end without pauses (D-05).
fn running_minutes(dose: &Dose) -> Option<Decimal> {
    let seconds = dose.end?.start.as_second() - dose.at.start.as_second() - dose.paused_seconds;
    (seconds > 0).then(|| Decimal::from(seconds) / Decimal::from(60))
}

/// an esketamine dose that the US label does not have.
pub fn esketamine(c: &Context<'_>, f: &mut Findings<'_>) {
    for dose in c.facts.given().into_iter().filter(|dose| dose.agent == Agent::Esketamine) {
        f.look();
        let when = dose.at.words();
        let about = f.about(dose.source);
        let finding = match dose.milligrams {
            None => f.cannot(
                about,
                "the dose in a unit of mass",
                format!("the esketamine dose of {when} is not known in mg."),
            ),
            Some(value) if value == Decimal::from(56) || value == Decimal::from(84) => continue,
            Some(value) if value == Decimal::from(28) => f.fires(
                about,
                format!(
                    "28 mg of esketamine were given on {when}: not a dose of the US label; a partial administration?"
                ),
            ),
            Some(value) => f.fires(
                about,
                format!("{} mg of esketamine were given on {when}; the US label has 56 and 84 mg.", short(value)),
            ),
        };
        f.push(finding.with(dose.source, told(dose)).at(dose.at));
    }
}

/// all doses of a session together against the hard limit of their route. Never over routes.
pub fn total(c: &Context<'_>, f: &mut Findings<'_>) {
    for session in c.dosed() {
        let given: Vec<&Dose> = session.given().collect();
        let mut kinds: Vec<(Agent, Option<Route>)> = given.iter().map(|dose| (dose.agent, dose.route)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for (agent, route) in kinds {
            let doses: Vec<&Dose> =
                given.iter().copied().filter(|dose| (dose.agent, dose.route) == (agent, route)).collect();
            let (Some(route), [first, _, ..]) = (route, doses.as_slice()) else { continue };
            f.look();
            let about = format!("{} {}", f.about(session.source), route.as_str());
            let sum = doses.iter().try_fold(Decimal::ZERO, |sum, dose| sum.checked_add(dose.milligrams?));
            let day = first.at.day;
            let finding = if agent == Agent::Esketamine {
                let limit = c.limit(Limit::EsketamineSession);
                match sum {
                    Some(sum) if sum <= limit.value => continue,
                    Some(sum) => f
                        .fires(
                            about,
                            format!(
                                "The session of {day} had {} mg of esketamine in all, above {} mg.",
                                short(sum),
                                limit.value
                            ),
                        )
                        .limit(limit),
                    None => f.cannot(
                        about,
                        "each dose in a unit of mass",
                        format!("a dose of the session of {day} is not known in mg."),
                    ),
                }
            } else {
                let band = c.ruleset.band(route);
                let Some(hard) = band.hard else { continue };
                let unit = band.unit.as_str();
                match measured(c, first, sum, band) {
                    Measured::Known(value) if value <= hard => continue,
                    Measured::Known(value) => f
                        .fires(about, format!("The {} doses of the session of {day} are {} {unit} together, above the hard limit of {hard} {unit}.", route.as_str(), short(value)))
                        .band(format!("{hard} {unit}"), band),
                    Measured::Unweighed(_) => f.cannot(about, "a weight", format!("no weight for the session of {day}.")),
                    Measured::Unknown => f.cannot(about, "each dose in a unit of mass", format!("a dose of the session of {day} is not known in mg.")),
                }
            };
            f.push(doses.iter().fold(finding, |finding, dose| finding.with(dose.source, told(dose))).at(first.at));
        }
    }
}

/// infusion rate times running time against the recorded dose. Rescue medicines are none of these doses (D-08).
pub fn rate(c: &Context<'_>, f: &mut Findings<'_>) {
    let percent = c.limit(Limit::RatePercent);
    for dose in c.facts.given() {
        let is_infusion = dose.route == Some(Route::Intravenous) && !dose.is_push;
        if dose.rate.is_none() && !is_infusion {
            continue;
        }
        f.look();
        let about = f.about(dose.source);
        let when = dose.at.words();
        let missing =
            |what: &str| f.cannot(about.clone(), what, format!("{what} of the infusion of {when} is not recorded."));
        let finding = match (&dose.rate, running_minutes(dose), dose.milligrams) {
            (None, _, _) => Some(missing("the rate")),
            (_, None, _) => Some(missing("the running time")),
            (_, _, None) => Some(missing("the dose in mg")),
            (Some((rate, unit)), Some(minutes), Some(milligrams)) => match infused(c, dose, *rate, unit, minutes) {
                Err(what) => Some(missing(what)),
                Ok(infused) => {
                    let off = (infused - milligrams).abs();
                    let allowed = milligrams.checked_mul(percent.value).map(|all| all / Decimal::ONE_HUNDRED);
                    let is_off = allowed.is_none_or(|allowed| off > allowed);
                    is_off.then(|| {
                        let sentence = format!(
                            "{rate} {unit} over {} running minutes make {} mg; recorded are {} mg (infusion of {when}).",
                            short(minutes), short(infused), short(milligrams)
                        );
                        f.fires(about.clone(), sentence).limit(percent)
                    })
                }
            },
        };
        if let Some(finding) = finding {
            f.push(finding.with(dose.source, told(dose)).at(dose.at));
        }
    }
}

/// mg infused; `Err` names what is missing.
fn infused(c: &Context<'_>, dose: &Dose, rate: Decimal, unit: &str, minutes: Decimal) -> Result<Decimal, &'static str> {
    let sixty = Decimal::from(60);
    let per_minute = match unit {
        "mg/min" => Some(rate),
        "mg/h" => rate.checked_div(sixty),
        "mg/kg/h" => {
            let weight = c.facts.weight_for(dose, c.limit(Limit::WeightDays).whole()).ok_or("the weight")?;
            rate.checked_mul(weight).and_then(|rate| rate.checked_div(sixty))
        }
        "mL/h" => {
            let strength = dose.strength.ok_or("the strength in mg/mL")?;
            rate.checked_mul(strength).and_then(|rate| rate.checked_div(sixty))
        }
        _ => return Err("the rate in mg/min, mg/h, mg/kg/h or mL/h"),
    };
    per_minute.and_then(|rate| rate.checked_mul(minutes)).ok_or("a rate that can be computed with")
}
