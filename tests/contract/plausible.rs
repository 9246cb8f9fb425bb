//! Parts of a record that speak against each other: told with their place, and kept.

use super::{CONTRACT, kind_of, read};
use kap_gateway::kap::check::check;
use serde_json::{Value, json};
use std::path::Path;

const ESKETAMINE: &str = "case-03/03-dosing-session-1.json";
const INFUSION: &str = "case-01/03-dosing-session-1.json";
const INTAKE: &str = "case-01/01-intake.json";
const EXPERIENCE: &str = "case-02/03-dosing-session-1.json";

/// Pointers of the warnings of a fixture with one change; `null` takes a field away.
fn warned(record: &str, pointer: &str, value: Value) -> Vec<String> {
    let mut record = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(record));
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = record.pointer_mut(parent).expect("the parent");
    match parent.as_array_mut() {
        Some(list) => list.push(value),
        None if value.is_null() => assert!(parent.as_object_mut().expect("an object").remove(name).is_some()),
        None => parent[name] = value,
    }
    let faults = check(&CONTRACT, kind_of(&record), &record, None);
    assert!(faults.errors.is_empty(), "{faults:#?}");
    faults.warnings.into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn esketamine_tells_its_lot_its_devices_and_its_route() {
    assert_eq!(warned(ESKETAMINE, "/doses/0/product/lotNumber", Value::Null), ["/doses/0/product/lotNumber"]);
    assert_eq!(warned(ESKETAMINE, "/doses/0/product", Value::Null), ["/doses/0/product"]);
    assert_eq!(warned(ESKETAMINE, "/doses/0/devices", json!(3)), ["/doses/0/devices"]);
    assert_eq!(warned(ESKETAMINE, "/doses/0/route/term", json!("oral")), ["/doses/0/route/term"]);
    assert_eq!(warned(INFUSION, "/rems", json!({ "formSubmitted": true })), ["/rems"]);
}

#[test]
fn a_dose_lies_within_its_contact_and_before_the_discharge() {
    let early = json!("2026-02-02T09:00:00-05:00");
    assert_eq!(warned(INFUSION, "/discharge/at", early), ["/discharge/at"]);
    let late = json!("2026-02-02T10:01:00-05:00");
    assert_eq!(warned(INFUSION, "/contact/start", late), ["/doses/0/start"]);
    assert_eq!(warned(INFUSION, "/discharge/escortPresent", json!(false)), ["/discharge/escortPresent"]);
}

#[test]
fn who_was_born_after_the_intake_or_decided_without_a_role_is_told() {
    assert_eq!(warned(INTAKE, "/patient/birthDate", json!("2030-01-01")), ["/patient/birthDate"]);
    let therapist = json!({ "identifier": { "system": "urn:kap:test", "value": "case01-therapist" } });
    assert_eq!(warned(INTAKE, "/suitability/decidedBy", therapist), ["/suitability/decidedBy"]);
    assert_eq!(warned("case-06/01-intake.json", "/pregnancy", json!({ "status": "pregnant" })), ["/pregnancy/status"]);
    assert!(warned("case-06/01-intake.json", "/pregnancy", json!({ "status": "not-pregnant" })).is_empty());
}

#[test]
fn scores_that_make_another_agree_with_it() {
    let total = |score: i64| json!({ "id": "whole", "instrument": "meq30-total", "score": score, "at": "2026-03-10T12:10:00-05:00" });
    // 52, 21, 24 and 12.
    assert!(warned(EXPERIENCE, "/results/-", total(109)).is_empty());
    let found = warned(EXPERIENCE, "/results/-", total(110));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("/score"));
}
