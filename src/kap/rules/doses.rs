//! What a dose must say, and what two of its figures say about each other.

use super::super::place::{Findings, Place};
use super::super::units;
use super::super::values::round_milligrams;
use super::{plausible, times};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use std::collections::HashSet;

/// Figures that differ by no more than this part of the dose agree (mapping specification D-08, D-09).
const TOLERANCE: Decimal = Decimal::from_parts(5, 0, 0, false, 2);

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const RXNORM_KETAMINE: &str = "6130";
const RXNORM_ESKETAMINE: &str = "2119365";

pub fn judge(session: Place, findings: &mut Findings) {
    let mut sequences = HashSet::new();
    for dose in session.each("doses") {
        if dose.decimal("sequence").is_some_and(|number| !sequences.insert(number)) {
            findings.conflict(dose, "sequence", "Another dose of this session has the same number.");
        }
        amount(dose, findings);
        status(dose, findings);
        route(dose, findings);
        performers(dose, findings);
        times::not_before(dose, "end", "start", findings);
        times::pauses(dose, findings);
        expiry(dose, findings);
        device_dose(dose, findings);
        weight_source(session, dose, findings);
        weight_agrees(dose, findings);
        rate_agrees(dose, findings);
    }
    session.each("dispenses").for_each(|dispense| expiry(dispense, findings));
}

fn expiry(given: Place, findings: &mut Findings) {
    if let Some(product) = given.at("product") {
        times::on_calendar(product, "expirationDate", findings);
    }
}

/// One amount: a mass, or a volume of known strength (D-04).
fn amount(dose: Place, findings: &mut Findings) {
    if dose.has("dose") && dose.has("volume") {
        findings.conflict(dose, "volume", "Give `dose` or `volume`, not both.");
    }
    if dose.has("volume") && strength(dose).is_none() {
        let product = dose.at("product").unwrap_or(dose);
        let name = if dose.has("product") { "strength" } else { "product" };
        let sentence = if product.has("strength") {
            "A `volume` needs a strength per mL; a strength per piece says nothing of it."
        } else {
            "A `volume` needs the strength of the product: `product.strength`."
        };
        findings.needed(product, name, sentence);
    }
    if computed_milligrams(dose).is_some_and(|computed| round_milligrams(computed).is_zero()) {
        findings.conflict(dose, "volume", "The computed dose is zero: less than half a millionth of a milligram.");
    }
    if dose.text("status") == Some("completed") && !dose.has("dose") && !dose.has("volume") {
        findings.needed(dose, "dose", "A completed dose needs `dose`, or `volume` and the product's strength.");
    }
}

fn status(dose: Place, findings: &mut Findings) {
    let status = dose.text("status");
    if matches!(status, Some("stopped" | "not-done" | "on-hold")) && !dose.has("statusReasons") {
        findings.needed(dose, "statusReasons", "A dose that was stopped, held or not given needs `statusReasons`.");
    }
    if status == Some("not-done") {
        for name in ["dose", "volume"] {
            if dose.has(name) {
                findings.conflict(dose, name, "The dose was not given: leave the amount out.");
            }
        }
    }
}

fn route(dose: Place, findings: &mut Findings) {
    let Some(route) = dose.at("route") else {
        if dose.text("status").is_some_and(|status| status != "not-done") {
            findings.needed(dose, "route", "`route` is needed unless the dose was not given.");
        }
        return;
    };
    let term = route.text("term");
    let is_infusion = term == Some("intravenous") && dose.flag("push") != Some(true);
    if is_infusion && dose.text("status") == Some("completed") && is_ketamine(dose) {
        for name in ["rate", "end"] {
            if !dose.has(name) {
                findings.needed(
                    dose,
                    name,
                    "A completed intravenous infusion needs `rate` and `end`; for a push say `push: true`.",
                );
            }
        }
    }
    if term.is_some_and(|term| !matches!(term, "sublingual" | "buccal" | "other")) {
        for name in ["holdMinutes", "swallowed"] {
            if dose.has(name) {
                findings.conflict(dose, name, "This belongs to a sublingual or buccal dose.");
            }
        }
    }
}

/// The rule for infusions holds for ketamine, not for other medicines (D-08).
fn is_ketamine(dose: Place) -> bool {
    dose.at("medicine").is_some_and(|medicine| {
        medicine.has("term")
            || medicine.each("codes").any(|code| {
                code.text("system") == Some(RXNORM)
                    && matches!(code.text("code"), Some(RXNORM_KETAMINE | RXNORM_ESKETAMINE))
            })
    })
}

fn performers(dose: Place, findings: &mut Findings) {
    for performer in dose.each("performers") {
        match (performer.has("practitioner"), performer.has("patient")) {
            (true, true) => findings.conflict(performer, "patient", "Give `practitioner` or `patient`, not both."),
            (false, false) => {
                findings.needed(performer, "practitioner", "One of `practitioner` and `patient` is needed.")
            }
            (true, false) | (false, true) => {}
        }
    }
}

/// kap-esk-1: esketamine comes in devices of 28 mg. Another figure is kept, and breaks the guide's rule.
fn device_dose(dose: Place, findings: &mut Findings) {
    let Some(given) = dose.at("dose").and_then(milligrams).filter(|_| plausible::is_esketamine(dose)) else { return };
    if ![28, 56, 84].into_iter().any(|known| given == Decimal::from(known)) {
        let sentence =
            "Esketamine is given in 28, 56 or 84 mg. The figure is kept as sent, and breaks the rule kap-esk-1.";
        findings.warning(dose, "dose", sentence);
    }
}

/// The vital signs that a dosing weight is taken from hold a weight.
fn weight_source(session: Place, dose: Place, findings: &mut Findings) {
    let Some(weight) = dose.at("dosingWeight") else { return };
    let Some(id) = weight.text("vitals") else { return };
    let is_there = session.each("vitals").any(|set| set.text("id") == Some(id) && set.has("weight"));
    if !is_there {
        findings.conflict(weight, "vitals", "No vital signs of this session with this `id` hold a weight.");
    }
}

/// kap-wt-1: mg/kg and weight against the dose.
fn weight_agrees(dose: Place, findings: &mut Findings) {
    let (Some(given), Some(weight)) = (milligrams_given(dose), weight(dose)) else { return };
    let per_weight = dose.at("dosePerWeight");
    let per_weight = per_weight.and_then(|place| units::convert(place.decimal("value")?, place.text("unit")?, "mg/kg"));
    let Some(computed) = per_weight.and_then(|per_weight| per_weight.checked_mul(weight)) else { return };
    if differs(computed, given) {
        let computed = computed.normalize();
        findings.warning(
            dose,
            "dosePerWeight",
            format!("`dosePerWeight` times `dosingWeight` is {computed} mg, more than 5 % off the dose. All are kept as sent."),
        );
    }
}

/// rate and running time against the dose. Pauses do not run (D-05).
fn rate_agrees(dose: Place, findings: &mut Findings) {
    let (Some(given), Some(rate), Some(minutes)) =
        (milligrams_given(dose), milligrams_a_minute(dose), running_minutes(dose))
    else {
        return;
    };
    let Some(computed) = rate.checked_mul(minutes) else { return };
    if differs(computed, given) {
        let (computed, minutes) = (computed.round_dp(2).normalize(), minutes.round_dp(2).normalize());
        findings.warning(
            dose,
            "rate",
            format!("`rate` over {minutes} running minutes is {computed} mg, more than 5 % off the dose. All are kept as sent."),
        );
    }
}

fn differs(computed: Decimal, given: Decimal) -> bool {
    let allowed = given.checked_mul(TOLERANCE);
    let distance = given.checked_sub(computed).map(|distance| distance.abs());
    matches!((distance, allowed), (Some(distance), Some(allowed)) if distance > allowed)
}

fn milligrams(mass: Place) -> Option<Decimal> {
    units::convert(mass.decimal("value")?, mass.text("unit")?, "mg")
}

/// Strength in mg/mL.
fn strength(dose: Place) -> Option<Decimal> {
    let (numerator, denominator) = mass_in_volume(dose)?;
    milligrams(numerator)?.checked_div(milliliters(denominator)?)
}

fn milliliters(volume: Place) -> Option<Decimal> {
    units::convert(volume.decimal("value")?, volume.text("unit")?, "mL")
}

/// Numerator and denominator of a strength that is told per volume.
fn mass_in_volume(dose: Place) -> Option<(Place, Place)> {
    let strength = dose.at("product")?.at("strength")?;
    let denominator = strength.at("denominator")?;
    milliliters(denominator)?;
    Some((strength.at("numerator")?, denominator))
}

fn milligrams_given(dose: Place) -> Option<Decimal> {
    match (dose.at("dose"), dose.at("volume")) {
        (Some(mass), None) => milligrams(mass),
        (None, Some(_)) => computed_milligrams(dose),
        (Some(_), Some(_)) | (None, None) => None,
    }
}

/// Volume × strength in mg.
fn computed_milligrams(dose: Place) -> Option<Decimal> {
    let volume = milliliters(dose.at("volume")?)?;
    let (numerator, denominator) = mass_in_volume(dose)?;
    volume.checked_mul(milligrams(numerator)?)?.checked_div(milliliters(denominator)?)
}

fn weight(dose: Place) -> Option<Decimal> {
    dose.at("dosingWeight")?.decimal("value")
}

fn milligrams_a_minute(dose: Place) -> Option<Decimal> {
    let rate = dose.at("rate")?;
    let unit = units::understand(rate.text("unit")?)?;
    let value = rate.decimal("value")?.checked_mul(unit.factor)?;
    let minutes = Decimal::from(60);
    match unit.code {
        "mg/min" => Some(value),
        "mg/h" => value.checked_div(minutes),
        "mg/kg/h" => value.checked_mul(weight(dose)?)?.checked_div(minutes),
        "mL/h" => value.checked_mul(strength(dose)?)?.checked_div(minutes),
        _ => None,
    }
}

/// Minutes from start to end without the pauses; `None` where the dose has no end or its times contradict.
fn running_minutes(dose: Place) -> Option<Decimal> {
    let span = |place: Place| -> Option<SignedDuration> {
        let (start, end): (Timestamp, Timestamp) = (place.instant("start")?, place.instant("end")?);
        (start <= end).then(|| start.duration_until(end))
    };
    let mut running = span(dose)?;
    for pause in dose.each("pauses") {
        running = running.checked_sub(span(pause)?)?;
    }
    let milliseconds = Decimal::from_i128_with_scale(running.as_millis(), 0);
    (!running.is_negative()).then(|| milliseconds.checked_div(Decimal::from(60_000)))?
}
