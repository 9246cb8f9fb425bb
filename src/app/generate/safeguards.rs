//! What guards a generated session: who is with the patient at home, and the evidence that the safety programme of
//! esketamine asks for.

use super::case::{Case, NURSE, extend, set, set_list};
use jiff::civil::Date;
use serde_json::{Value, json};

/// Who is there beside the staff: a second adult at home, the partner in a couple's session.
pub fn companions(case: &mut Case, record: &mut Value, format: &str) {
    let mut companions = Vec::new();
    if case.protocol.at_home {
        let is_there = case.chance.percent(92);
        if is_there {
            companions.push(json!({
                "id": "second-adult", "role": "sitter", "presence": "physical",
                "person": { "name": "Test Roommate", "relationship": case.chance.pick(&["roommate", "sister", "friend"]) },
            }));
        }
        let guards = json!({ "secondAdultPresent": is_there, "remoteMonitoring": case.chance.percent(90) });
        set(record, "atHome", guards);
    }
    if format == "couple" {
        companions.push(json!({
            "id": "partner", "role": "partner", "presence": "physical",
            "person": { "name": "Test Partner", "relationship": "partner" },
        }));
    }
    if let Some(contact) = record.get_mut("contact") {
        set_list(contact, "companions", companions);
    }
}

/// Evidence for the safety programme, mostly whole.
pub fn rems(case: &mut Case, record: &mut Value, day: Date, first_dose: i64, left: i64) {
    if case.protocol.medicine != "esketamine" {
        return;
    }
    let mut evidence = json!({
        "site": case.clinic(),
        "monitoring": { "start": case.at(day, first_dose), "end": case.at(day, left) },
    });
    if case.chance.percent(90) {
        extend(&mut evidence, json!({ "formSubmitted": true, "formSubmittedAt": case.at(day, left + 20) }));
    }
    set(record, "rems", evidence);
}

/// A screen for drugs before some sessions.
pub fn drug_screen(case: &mut Case, record: &mut Value, day: Date, first_dose: i64) {
    if case.chance.percent(5) {
        let screen = json!({
            "id": "drug-screen", "test": { "term": "drug-screen" }, "at": case.at(day, first_dose - 25), "finding": "negative",
        });
        set_list(record, "labs", vec![screen]);
    }
    if case.chance.percent(4) {
        let witness = json!({ "function": "verifier", "practitioner": case.professional(NURSE) });
        let performers = record.pointer_mut("/doses/0/performers").and_then(Value::as_array_mut);
        if let Some(performers) = performers {
            performers.push(witness);
        }
    }
}
