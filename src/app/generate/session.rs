//! The generated dosing session: order, doses, what was measured, what went wrong, discharge.

use super::case::{Case, MEDICAL, NURSE, PRESCRIBER, SITTER, THERAPIST, extend, later, set, set_list};
use super::chance::quantity;
use super::intake::diagnosis;
use super::protocol::{Amount, Way};
use super::{events, monitoring, safeguards};
use jiff::civil::Date;
use serde_json::{Value, json};

/// Ten o'clock.
pub const FIRST_DOSE: i64 = 600;

/// How the session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Completed,
    Stopped,
    NotDone,
}

/// A dose in the making.
struct Dose {
    /// In tenths of a milligram.
    tenths: i64,
    /// Hundredths of mg/kg, where the dose was computed by weight.
    per_weight: Option<i64>,
}

pub fn session(case: &mut Case, day: Date, number: i64, indication: &str) -> Value {
    let ending = match case.chance.between(1, 100) {
        1..=3 => Ending::NotDone,
        4..=8 if case.protocol.way == Way::Infusion => Ending::Stopped,
        _ => Ending::Completed,
    };
    let id = format!("dosing-{number}");
    let recorded = case.at(day, FIRST_DOSE + 200);
    let mut record = case.record("dosing-session", MEDICAL, &id, &recorded, NURSE);
    let setting = match (case.protocol.at_home, number % 3) {
        (true, 0) => "telehealth",
        (true, _) => "home",
        (false, _) => "clinic",
    };
    let people: &[_] = if case.protocol.at_home {
        &[(SITTER, "sitter"), (THERAPIST, "therapist")]
    } else {
        &[(NURSE, "monitoring-nurse"), (THERAPIST, "therapist")]
    };
    set(&mut record, "contact", case.contact(day, FIRST_DOSE - 30, 220, setting, people));
    if setting == "telehealth"
        && let Some(contact) = record.get_mut("contact")
    {
        set(contact, "place", json!({ "name": "Home of the patient", "kind": "patient-residence" }));
    }
    let format = format(case, &mut record);
    safeguards::companions(case, &mut record, format);
    extend(&mut record, json!({ "approach": case.protocol.approach, "sessionNumber": number }));
    if case.chance.percent(60) {
        set(
            &mut record,
            "intention",
            json!(case.chance.pick(&["To rest.", "To look at it again.", "To say goodbye."])),
        );
        let setting =
            json!({ "music": "instrumental playlist", "eyeshades": case.chance.percent(70), "supportPersons": 0 });
        set(&mut record, "setAndSetting", setting);
    }
    let dose = amount(case);
    set(&mut record, "order", order(case, day, &dose, indication, ending));
    let high = if ending == Ending::NotDone { 38 } else { case.chance.pick(&[0, 0, 0, 0, 12, 25]) };
    set_list(&mut record, "doses", doses(case, day, &dose, ending));
    if case.protocol.at_home && number == 1 {
        set_list(&mut record, "dispenses", vec![dispense(case, day)]);
    }
    if ending == Ending::NotDone {
        set_list(&mut record, "vitals", monitoring::before_dose(case, day, FIRST_DOSE, high));
        return record;
    }
    set_list(&mut record, "vitals", monitoring::of_session(case, day, FIRST_DOSE, high));
    monitoring::scales(case, &mut record, day, FIRST_DOSE);
    events::events(case, &mut record, day, FIRST_DOSE, ending == Ending::Stopped);
    let left = FIRST_DOSE + case.chance.between(125, 170);
    safeguards::rems(case, &mut record, day, FIRST_DOSE, left);
    safeguards::drug_screen(case, &mut record, day, FIRST_DOSE);
    set(&mut record, "discharge", discharge(case, day, left));
    if case.chance.percent(20) {
        let narrative = json!({
            "id": "narrative", "title": "Account of the experience", "text": "Wide, quiet, then back in the room.",
            "date": case.at(day, FIRST_DOSE + 150),
        });
        set(&mut record, "experienceNarrative", narrative);
    }
    record
}

fn format(case: &mut Case, record: &mut Value) -> &'static str {
    let format = match case.chance.between(1, 100) {
        1..=8 if !case.protocol.at_home => "group",
        9..=11 => "couple",
        _ => "individual",
    };
    set(record, "format", json!(format));
    if format == "group" {
        let group = json!({ "pseudonym": case.identifier("group-member"), "size": case.chance.between(3, 8) });
        set(record, "group", group);
    }
    format
}

fn amount(case: &mut Case) -> Dose {
    match case.protocol.amount {
        Amount::PerWeight(least, most) => {
            // In steps of a twentieth of a mg/kg, as prescribers write it.
            let per_weight = case.chance.between(least / 5, most / 5) * 5;
            Dose { tenths: (per_weight * case.weight + 50) / 100, per_weight: Some(per_weight) }
        }
        Amount::Fixed(choices) => {
            let milligrams = case.chance.one_of(choices).copied().unwrap_or(50);
            Dose { tenths: milligrams * 10, per_weight: None }
        }
    }
}

fn milligrams(tenths: i64) -> Value {
    if tenths % 10 == 0 { quantity(tenths / 10, 0, "mg") } else { quantity(tenths, 1, "mg") }
}

fn route(case: &Case) -> Value {
    match case.protocol.route {
        "other" => json!({ "term": "other", "text": "By gastrostomy tube" }),
        term => json!({ "term": term }),
    }
}

fn order(case: &Case, day: Date, dose: &Dose, indication: &str, ending: Ending) -> Value {
    let mut order = json!({
        "id": "order",
        "status": match ending {
            Ending::Completed => "completed",
            Ending::Stopped => "stopped",
            Ending::NotDone => "on-hold",
        },
        "medicine": { "term": case.protocol.medicine },
        "route": route(case),
        "dose": milligrams(dose.tenths),
        "reasons": [diagnosis(indication, None)],
        "prescriber": case.professional(PRESCRIBER),
        "orderedAt": case.at(day, FIRST_DOSE - 60),
    });
    set(&mut order, "dosePerWeight", dose.per_weight.map(|value| quantity(value, 2, "mg/kg")));
    order
}

/// Troches are lozenges in every third course.
fn formulation(case: &Case) -> &'static str {
    if case.protocol.formulation == "troche" && case.number.is_multiple_of(3) {
        "lozenge"
    } else {
        case.protocol.formulation
    }
}

/// `tenths` of a milligram: the kit of esketamine goes by the dose.
fn product(case: &Case, tenths: i64) -> Value {
    let protocol = case.protocol;
    let mut product = json!({
        "formulation": formulation(case), "lotNumber": format!("TEST-{}", case.number % 97),
        "expirationDate": later(case.intake, 700).to_string(), "deaSchedule": "CIII",
    });
    if matches!(protocol.way, Way::Infusion | Way::Injection) {
        set(
            &mut product,
            "strength",
            json!({ "numerator": quantity(50, 0, "mg"), "denominator": quantity(1, 0, "mL") }),
        );
    }
    if protocol.compounded {
        set(&mut product, "compounded", json!({ "isCompounded": true, "pharmacy": case.pharmacy() }));
    }
    if protocol.medicine == "esketamine" {
        set(&mut product, "ndc", json!(if tenths > 560 { "50458-028-03" } else { "50458-028-02" }));
    }
    product
}

/// One or two doses of a session.
fn doses(case: &mut Case, day: Date, whole: &Dose, ending: Ending) -> Vec<Value> {
    let is_split = ending == Ending::Completed && case.chance.percent(case.protocol.split);
    if !is_split {
        return vec![dose(case, day, (1, FIRST_DOSE), whole, ending)];
    }
    let second = whole.tenths / 2;
    let first = Dose { tenths: whole.tenths - second, per_weight: None };
    let second = Dose { tenths: second, per_weight: None };
    let gap = case.chance.between(10, 20);
    vec![dose(case, day, (1, FIRST_DOSE), &first, ending), dose(case, day, (2, FIRST_DOSE + gap), &second, ending)]
}

fn dose(case: &mut Case, day: Date, (number, minute): (i64, i64), amount: &Dose, ending: Ending) -> Value {
    let mut dose = json!({
        "id": format!("dose-{number}"), "sequence": number,
        "role": if number == 1 { "initial" } else { case.chance.pick(&["split-2", "split-2", "booster", "titration"]) },
        "status": match ending {
            Ending::Completed => "completed",
            Ending::Stopped => "stopped",
            Ending::NotDone => "not-done",
        },
        "medicine": { "term": case.protocol.medicine },
        "route": route(case),
        "start": case.at(day, minute),
        "performers": performers(case),
    });
    if ending == Ending::NotDone {
        let term = case.chance.pick(&["elevated-bp", "patient-declined", "no-escort", "suicidality", "equipment"]);
        set_list(&mut dose, "statusReasons", vec![json!({ "term": term })]);
        return dose;
    }
    set(&mut dose, "product", product(case, amount.tenths));
    if case.protocol.medicine == "esketamine" {
        set(&mut dose, "devices", json!(amount.tenths / 280));
    }
    if case.protocol.way == Way::Infusion {
        infusion(case, &mut dose, day, minute, amount, ending);
    } else if case.protocol.way == Way::Injection && case.chance.percent(15) {
        // The volume was charted: 50 mg in 1 mL, so a tenth of a milligram is 0.002 mL.
        set(&mut dose, "volume", quantity(amount.tenths * 2, 3, "mL"));
    } else {
        set(&mut dose, "dose", milligrams(amount.tenths));
    }
    if let (Some(per_weight), Ending::Completed) = (amount.per_weight, ending) {
        set(&mut dose, "dosePerWeight", quantity(per_weight, 2, "mg/kg"));
        let mut weight = quantity(case.weight, 1, "kg");
        set(&mut weight, "basis", json!("actual"));
        set(&mut dose, "dosingWeight", weight);
    }
    if case.protocol.way == Way::Injection {
        set(&mut dose, "site", json!({ "text": case.chance.pick(&["left deltoid", "right deltoid", "abdomen"]) }));
    }
    if matches!(case.protocol.route, "sublingual" | "buccal") {
        let hold = case.chance.between(7, 15);
        extend(&mut dose, json!({ "holdMinutes": hold, "swallowed": case.chance.percent(30) }));
    }
    if case.chance.percent(5) {
        let wasted =
            json!({ "amount": quantity(case.chance.between(1, 9), 0, "mg"), "witness": case.professional(NURSE) });
        set(&mut dose, "wasted", wasted);
    }
    dose
}

fn infusion(case: &mut Case, dose: &mut Value, day: Date, minute: i64, amount: &Dose, ending: Ending) {
    if ending == Ending::Completed && case.chance.percent(4) {
        extend(dose, json!({ "push": true, "dose": milligrams(amount.tenths) }));
        return;
    }
    let planned = case.chance.pick(&[40, 40, 40, 50, 60]);
    // Thousandths of a milligram a minute.
    let rate = (amount.tenths * 100 + planned / 2) / planned;
    set(dose, "rate", quantity(rate, 3, "mg/min"));
    let (ran, given) = match ending {
        Ending::Stopped => {
            let ran = case.chance.between(8, 30);
            (ran, (rate * ran + 50) / 100)
        }
        Ending::Completed | Ending::NotDone => (planned, amount.tenths),
    };
    set(dose, "dose", milligrams(given));
    let mut paused = 0;
    if ending == Ending::Stopped {
        set_list(dose, "statusReasons", vec![json!({ "term": "adverse-event" })]);
    } else if case.chance.percent(4) {
        paused = case.chance.between(3, 9);
        let pause = json!({
            "start": case.at(day, minute + 12), "end": case.at(day, minute + 12 + paused), "reason": "Nausea",
        });
        set_list(dose, "pauses", vec![pause]);
    }
    set(dose, "end", json!(case.at(day, minute + ran + paused)));
}

fn performers(case: &Case) -> Value {
    match (case.protocol.way, case.protocol.at_home) {
        (Way::Infusion | Way::Injection, _) => {
            json!([{ "function": "performer", "practitioner": case.professional(NURSE) }])
        }
        (Way::Spray | Way::Taken, at_home) => {
            let witness = if at_home { SITTER } else { NURSE };
            json!([
                { "function": "performer", "patient": true },
                { "function": "witness", "practitioner": case.professional(witness) },
            ])
        }
    }
}

fn dispense(case: &mut Case, day: Date) -> Value {
    let unit = match formulation(case) {
        "troche" => "{troche}",
        "lozenge" => "{lozenge}",
        _ => "{capsule}",
    };
    json!({
        "id": "dispense", "medicine": { "term": "ketamine" }, "product": product(case, 0),
        "quantity": quantity(case.chance.between(4, 12), 0, unit), "daysSupply": 28,
        "handedOverAt": case.at(later(day, -2), 840), "destination": "Home of the patient",
    })
}

fn discharge(case: &mut Case, day: Date, left: i64) -> Value {
    let mut discharge = json!({
        "at": case.at(day, left), "ready": true, "oriented": true,
        "steadyGait": true, "instructionsGiven": true, "disposition": "home",
    });
    let decided_by = if case.protocol.at_home { SITTER } else { NURSE };
    set(&mut discharge, "decidedBy", case.professional(decided_by));
    match case.chance.between(1, 100) {
        1..=90 => {
            let escort = json!({ "name": "Test Escort", "relationship": case.chance.pick(&["spouse", "friend"]) });
            extend(&mut discharge, json!({ "escortPresent": true, "escort": escort }));
        }
        91..=97 => {
            let waiver = json!({ "reason": "Nobody could come", "alternative": "Medical transport" });
            extend(&mut discharge, json!({ "escortPresent": false, "escortWaiver": waiver }));
        }
        // Nothing is said of an escort: a rule has to notice.
        _ => {}
    }
    discharge
}
