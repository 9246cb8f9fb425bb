//! What is sent while a generated session is under way: a first revision in which the dose is running, or held. The record of
//! the whole session follows as the next revision.

use super::case::{Case, set, set_list};
use super::chance::quantity;
use jiff::civil::Date;
use serde_json::{Value, json};

/// What is known by then.
const KNOWN: [&str; 16] = [
    "kind",
    "source",
    "recordedAt",
    "author",
    "patient",
    "course",
    "security",
    "contact",
    "format",
    "group",
    "atHome",
    "approach",
    "sessionNumber",
    "intention",
    "setAndSetting",
    "order",
];

/// In so many of a hundred sessions.
const SHARE: i64 = 8;

/// The earlier revision of some sessions. `first_dose`: minutes of the day.
pub fn interim(case: &mut Case, whole: &mut Value, day: Date, first_dose: i64) -> Option<Value> {
    if !case.chance.percent(SHARE) {
        return None;
    }
    let first = whole.pointer("/doses/0").filter(|dose| dose["status"] != "not-done")?.clone();
    let mut record = whole.clone();
    record.as_object_mut()?.retain(|name, _| KNOWN.contains(&name.as_str()));
    let contact = record.get_mut("contact")?;
    set(contact, "status", json!("in-progress"));
    contact.as_object_mut()?.shift_remove("end");
    let (dose, order) = match held(case, &first) {
        Some(dose) => (dose, "on-hold"),
        None => (running(&first)?, "active"),
    };
    set_list(&mut record, "doses", vec![dose]);
    if let Some(own) = record.get_mut("order") {
        set(own, "status", json!(order));
    }
    let known = whole.get("vitals").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    set_list(&mut record, "vitals", known.iter().take(1).cloned().collect());
    set(&mut record, "recordedAt", json!(case.at(day, first_dose + 8)));
    set(whole.get_mut("source")?, "revision", json!(2));
    Some(record)
}

/// Under way: what an infusion will have given is not known yet; what was taken at once is.
fn running(dose: &Value) -> Option<Value> {
    let mut dose = dose.clone();
    let runs = dose.get("rate").is_some();
    let members = dose.as_object_mut()?;
    members.retain(|name, _| !matches!(name.as_str(), "end" | "pauses" | "wasted" | "statusReasons"));
    if runs {
        members.retain(|name, _| !matches!(name.as_str(), "dose" | "dosePerWeight" | "dosingWeight"));
    }
    set(&mut dose, "status", json!("in-progress"));
    Some(dose)
}

/// Every other infusion, and the spray after its first device, is held; other doses cannot be.
fn held(case: &mut Case, dose: &Value) -> Option<Value> {
    let (runs, devices) = (dose.get("rate").is_some(), dose["devices"].as_i64().unwrap_or(0));
    if !(runs || devices > 1) || !case.chance.percent(50) {
        return None;
    }
    let mut held = running(dose)?;
    set(&mut held, "status", json!("on-hold"));
    set_list(&mut held, "statusReasons", vec![json!({ "term": case.chance.pick(&["elevated-bp", "equipment"]) })]);
    if devices > 1 {
        set(&mut held, "devices", json!(1));
        set(&mut held, "dose", quantity(28, 0, "mg"));
    }
    Some(held)
}
