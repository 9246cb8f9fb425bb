//! The kap room: one part of a record against another. What is odd and may still be true is told with its place, and kept
//! as it was sent.

use super::super::instruments::{Points, points_of};
use super::super::place::{Findings, Place};
use super::super::units;
use rust_decimal::Decimal;

const ESKETAMINE_CODES: [&str; 3] = ["2119365", "2201623", "2201625"];
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
/// One single-use device of the nasal spray. Mapping specification §2.5.
const DEVICE_MILLIGRAMS: i64 = 28;

pub fn dosing_session(session: Place, findings: &mut Findings) {
    for dose in session.each("doses") {
        if dose.text("status") == Some("not-done") {
            continue;
        }
        within_contact(session, dose, findings);
        if is_esketamine(dose) {
            esketamine(dose, findings);
        }
    }
    if session.has("rems") && session.has("doses") && !session.each("doses").any(is_esketamine) {
        let sentence = "The safety programme (REMS) is that of esketamine, and this session has none.";
        findings.warning(session, "rems", sentence);
    }
    if let Some(discharge) = session.at("discharge") {
        leaving(session, discharge, findings);
    }
}

pub fn is_esketamine(dose: Place) -> bool {
    dose.at("medicine").is_some_and(|medicine| {
        let is_code = |code: Place| {
            code.text("system") == Some(RXNORM) && code.text("code").is_some_and(|own| ESKETAMINE_CODES.contains(&own))
        };
        medicine.text("term") == Some("esketamine") || medicine.each("codes").any(is_code)
    })
}

fn within_contact(session: Place, dose: Place, findings: &mut Findings) {
    let (Some(contact), Some(start)) = (session.at("contact"), dose.instant("start")) else { return };
    let (from, until) = (contact.instant("start"), contact.instant("end"));
    if from.zip(until).is_some_and(|(from, until)| until < from) {
        return;
    }
    let is_early = from.is_some_and(|from| start < from);
    if is_early || until.is_some_and(|until| start > until) {
        findings.warning(dose, "start", "The dose lies outside the time of the contact. Both are kept as sent.");
    }
}

/// What the label and the monitoring form of esketamine ask of a dose.
fn esketamine(dose: Place, findings: &mut Findings) {
    let route = dose.at("route");
    if let Some(route) = route
        && route.text("term").is_some_and(|term| term != "intranasal")
    {
        let sentence = "Esketamine is given into the nose. The route is kept as sent, and breaks the rule kap-esk-1.";
        findings.warning(route, "term", sentence);
    }
    if !dose.at("product").is_some_and(|product| product.has("lotNumber")) {
        let place = dose.at("product").unwrap_or(dose);
        let name = if dose.has("product") { "lotNumber" } else { "product" };
        findings.warning(place, name, "The monitoring form of esketamine asks for the lot number, and none is told.");
    }
    let milligrams = dose.at("dose").and_then(|mass| units::convert(mass.decimal("value")?, mass.text("unit")?, "mg"));
    let made = dose.decimal("devices").and_then(|devices| devices.checked_mul(Decimal::from(DEVICE_MILLIGRAMS)));
    if let (Some(milligrams), Some(made)) = (milligrams, made)
        && milligrams != made
    {
        let sentence =
            format!("So many devices of {DEVICE_MILLIGRAMS} mg make {made} mg, not the dose. Both are kept as sent.");
        findings.warning(dose, "devices", sentence);
    }
}

fn leaving(session: Place, discharge: Place, findings: &mut Findings) {
    let given = session.each("doses").filter(|dose| dose.text("status") != Some("not-done"));
    let last = given.filter_map(|dose| dose.instant("start")).max();
    if discharge.instant("at").zip(last).is_some_and(|(at, last)| at < last) {
        findings.warning(discharge, "at", "The discharge lies before a dose of this session. Both are kept as sent.");
    }
    let sentence = match discharge.flag("escortPresent") {
        Some(false) if discharge.has("escort") => {
            "An escort is named, and `escortPresent` is false. Both are kept as sent."
        }
        Some(true) if discharge.has("escortWaiver") && !discharge.has("escort") => {
            "An escort was present, and a waiver is told. Both are kept as sent."
        }
        Some(_) | None => return,
    };
    findings.warning(discharge, "escortPresent", sentence);
}

/// A score that others make: the most that it can be, and what it is the sum of, with which weight.
type MadeOf = (&'static str, i64, &'static [(&'static str, i64)]);

const MADE_OF: &[MadeOf] = &[
    ("who-5-percent", 100, &[("who-5-raw", 4)]),
    (
        "meq30-total",
        150,
        &[("meq30-mystical", 1), ("meq30-positive", 1), ("meq30-transcendence", 1), ("meq30-ineffability", 1)],
    ),
];

/// Scores of one time that say two things of one form.
pub fn results(record: Place, findings: &mut Findings) {
    for result in record.each("results") {
        let Some((_, most, parts)) = MADE_OF.iter().find(|(whole, ..)| result.text("instrument") == Some(*whole))
        else {
            continue;
        };
        let is_raw = |own: Place| points_of(own.text("method")) == Points::Raw;
        let Some(score) = result.decimal("score").filter(|score| is_raw(result) && *score <= Decimal::from(*most))
        else {
            continue;
        };
        let of = |key: &str| {
            let is_it = |own: &Place| {
                own.text("instrument") == Some(key) && own.text("at") == result.text("at") && is_raw(*own)
            };
            record.each("results").find(is_it)?.decimal("score")
        };
        let made = parts
            .iter()
            .try_fold(Decimal::ZERO, |sum, (key, times)| sum.checked_add(of(key)?.checked_mul(Decimal::from(*times))?));
        if let Some(made) = made.filter(|made| *made != score) {
            let sentence = format!("The other scores of this form make {}. All are kept as sent.", made.normalize());
            findings.warning(result, "score", sentence);
        }
    }
}

pub fn intake(intake: Place, findings: &mut Findings) {
    if let Some(patient) = intake.at("patient") {
        birth(intake, patient, findings);
        sex(intake, patient, findings);
    }
    decider(intake, findings);
}

fn birth(intake: Place, patient: Place, findings: &mut Findings) {
    let begun = intake.at("contact").and_then(|contact| contact.text("start")?.get(.."2026-02-02".len()));
    if let (Some(born), Some(begun)) = (patient.text("birthDate"), begun)
        && born > begun
    {
        findings.warning(patient, "birthDate", "The birth date lies after the intake. It is kept as sent.");
    }
}

fn sex(intake: Place, patient: Place, findings: &mut Findings) {
    let is_male = patient.text("birthSex").map_or(patient.text("gender") == Some("male"), |sex| sex == "M");
    let Some(pregnancy) = intake.at("pregnancy").filter(|_| is_male) else { return };
    let sentence = "The patient is recorded as male. Both are kept as sent.";
    if pregnancy.text("status") == Some("pregnant") {
        findings.warning(pregnancy, "status", sentence);
    }
    for name in ["childbearingPotential", "breastfeeding"] {
        if pregnancy.flag(name) == Some(true) {
            findings.warning(pregnancy, name, sentence);
        }
    }
    for test in pregnancy.each("tests").filter(|test| test.text("result") == Some("positive")) {
        findings.warning(test, "result", sentence);
    }
}

/// A decision on suitability is a prescriber's.
fn decider(intake: Place, findings: &mut Findings) {
    let Some(suitability) = intake.at("suitability") else { return };
    let name = |holder: Place| {
        let identifier = holder.at("identifier")?;
        Some((identifier.text("system")?.to_owned(), identifier.text("value")?.to_owned()))
    };
    let Some(decider) = suitability.at("decidedBy").and_then(name) else { return };
    let is_prescriber = |member: Place| {
        // A role that is missing is told of elsewhere.
        member.text("role").is_none_or(|role| role == "prescriber")
            && member.at("practitioner").and_then(name).as_ref() == Some(&decider)
    };
    if intake.has("careTeam") && !intake.each("careTeam").any(is_prescriber) {
        let sentence = "Who decided is no prescriber of the care team. It is kept as sent.";
        findings.warning(suitability, "decidedBy", sentence);
    }
}
