//! What is measured around a generated dose: vital signs that rise and fall, sedation and dissociation.

use super::case::{Case, NURSE, set, set_list};
use super::chance::quantity;
use jiff::civil::Date;
use serde_json::{Value, json};

/// Systolic, diastolic, heart rate, oxygen saturation.
pub type Figures = (i64, i64, i64, i64);

/// One set of vital signs, around the given figures.
pub fn vitals(case: &mut Case, id: &str, day: Date, minute: i64, around: Figures) -> Value {
    let (systolic, diastolic, rate, saturation) = around;
    let chance = &mut case.chance;
    let systolic = systolic + chance.between(-6, 6);
    let diastolic = (diastolic + chance.between(-5, 5)).min(systolic - 15);
    let rate = rate + chance.between(-5, 5);
    let saturation = (saturation + chance.between(-1, 1)).min(100);
    json!({
        "id": id,
        "at": case.at(day, minute),
        "bloodPressure": {
            "systolic": quantity(systolic, 0, "mm[Hg]"), "diastolic": quantity(diastolic, 0, "mm[Hg]"),
        },
        "heartRate": quantity(rate, 0, "/min"),
        "oxygenSaturation": quantity(saturation, 0, "%"),
    })
}

/// Minutes from the first dose, phase, rise of the systolic pressure.
const CLINIC: [(i64, &str, i64); 6] = [
    (-10, "pre-dose", 0),
    (20, "during", 16),
    (40, "peak", 22),
    (65, "during", 12),
    (90, "during", 6),
    (120, "pre-discharge", 2),
];
const HOME: [(i64, &str, i64); 3] = [(-15, "pre-dose", 0), (60, "during", 14), (150, "pre-discharge", 3)];

/// The vital signs of a session, the last of them before the discharge.
pub fn of_session(case: &mut Case, day: Date, first_dose: i64, high: i64) -> Vec<Value> {
    let plan: &[(i64, &str, i64)] = if case.protocol.at_home { &HOME } else { &CLINIC };
    let mut all = Vec::with_capacity(plan.len());
    for (minutes, phase, rise) in plan {
        let around = (120 + high + rise, 76 + high / 2 + rise / 2, 70 + rise, 98);
        let mut taken = vitals(case, &format!("t{minutes}"), day, first_dose + minutes, around);
        set(&mut taken, "timepoint", json!({ "phase": phase, "minutes": minutes }));
        match case.protocol.at_home {
            true => set(&mut taken, "selfReported", json!(true)),
            false => set(&mut taken, "performer", case.professional(NURSE)),
        }
        if case.chance.percent(15) {
            set(&mut taken, "respiratoryRate", quantity(case.chance.between(11, 20), 0, "/min"));
        }
        all.push(taken);
    }
    all
}

/// Only the first measurement: the session went no further.
pub fn before_dose(case: &mut Case, day: Date, first_dose: i64, high: i64) -> Vec<Value> {
    let mut all = of_session(case, day, first_dose, high);
    all.truncate(1);
    all
}

/// Scales of a session.
pub fn scales(case: &mut Case, record: &mut Value, day: Date, first_dose: i64) {
    let mut results = Vec::new();
    let timepoint = |phase: &str, minutes: i64| json!({ "phase": phase, "minutes": minutes });
    if !case.protocol.at_home {
        let sedation = case.chance.pick(&["moaa-s", "moaa-s", "rass"]);
        for (minutes, phase) in [(-5, "pre-dose"), (40, "peak"), (120, "pre-discharge")] {
            let score = match (sedation, phase) {
                ("rass", "peak") => case.chance.between(-3, 0),
                ("rass", _) => 0,
                (_, "peak") => case.chance.between(2, 5),
                (_, _) => 5,
            };
            results.push(json!({
                "id": format!("{sedation}{minutes}"), "instrument": sedation, "at": case.at(day, first_dose + minutes),
                "timepoint": timepoint(phase, minutes), "score": score, "answeredBy": "clinician",
                "performer": case.professional(NURSE),
            }));
        }
        let peak = case.chance.between(0, 52);
        for (minutes, phase, score) in [(40, "peak", peak), (120, "pre-discharge", peak / 20)] {
            results.push(json!({
                "id": format!("cadss-{minutes}"), "instrument": "cadss", "at": case.at(day, first_dose + minutes),
                "timepoint": timepoint(phase, minutes), "score": score, "answeredBy": "clinician",
                "performer": case.professional(NURSE),
            }));
        }
        let (recovery, least) = case.chance.pick(&[("aldrete", 9), ("mpadss", 9), ("aldrete", 8)]);
        results.push(json!({
            "id": recovery, "instrument": recovery, "at": case.at(day, first_dose + 120),
            "timepoint": timepoint("pre-discharge", 120), "score": case.chance.between(least, 10),
            "answeredBy": "clinician", "performer": case.professional(NURSE),
        }));
    }
    if case.chance.percent(25) {
        results.push(json!({
            "id": "nausea", "instrument": "nausea-nrs", "at": case.at(day, first_dose + 60),
            "score": case.chance.between(0, 6), "answeredBy": "patient",
        }));
    }
    if case.protocol.approach == "psychedelic" && case.chance.percent(80) {
        for (part, most) in [("mystical", 75), ("positive", 30), ("transcendence", 30), ("ineffability", 15)] {
            let instrument = format!("meq30-{part}");
            results.push(json!({
                "id": instrument, "instrument": instrument, "at": case.at(day, first_dose + 125), "method": "raw",
                "score": case.chance.between(most / 5, most), "answeredBy": "patient",
            }));
        }
    }
    set_list(record, "results", results);
}
