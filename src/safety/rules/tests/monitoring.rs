//! The safety room.

use super::*;

const DAY: &str = "2026-02-02";

fn systolic(id: &str, value: &str) -> Vec<Value> {
    set(course(), &format!("{id}-{DAY}"), "/component/0/valueQuantity", quantity(value, "mm[Hg]"))
}

fn value(id: &str, value: &str) -> Vec<Value> {
    set(course(), &format!("{id}-{DAY}"), "/valueQuantity", quantity(value, "1"))
}

#[test]
fn blood_pressure_before_the_dose_in_either_component() {
    assert!(!firing(&systolic("bp0", "140")).contains(&("R-50", "moderate")));
    assert!(firing(&systolic("bp0", "141")).contains(&("R-50", "moderate")));
    let diastolic = set(course(), &format!("bp0-{DAY}"), "/component/1/valueQuantity", quantity("91", "mm[Hg]"));
    assert_eq!(firing(&diastolic), [("R-50", "moderate")]);
    assert_eq!(lacking(&without(course(), &["bp0"])), ["R-50", "R-52"]);
}

#[test]
fn blood_pressure_counts_where_the_dose_then_was_not_given() {
    let not_done = set(systolic("bp0", "150"), &format!("dose-{DAY}"), "/status", json!("not-done"));
    // The last reading of a session without a dose is the last of all.
    let only = without(not_done, &["bp1", "bp2", "bp3", "bp4", "bp5"]);
    assert_eq!(firing(&only), [("R-50", "moderate")]);
}

#[test]
fn a_candidate_without_any_session_is_judged_by_the_last_reading() {
    let bare: Vec<Value> =
        course().into_iter().filter(|one| !one["id"].as_str().is_some_and(|id| id.ends_with(DAY))).collect();
    let mut reading = pressure("bp", "none", &at("2026-01-26", "10:05"), "178", "104");
    reading["partOf"] = json!([]);
    reading["encounter"] = json!({ "reference": "Encounter/intake" });
    assert_eq!(firing(&with(bare, [reading.clone()])), [("R-50", "moderate")]);
    assert!(firing(&with(course(), [reading])).is_empty(), "a session has its own readings");
}

#[test]
fn a_crisis_and_what_is_not_back() {
    assert!(firing(&systolic("bp1", "179")).contains(&("R-52", "moderate")), "124 to 179");
    assert!(!firing(&systolic("bp1", "179")).contains(&("R-51", "high")));
    assert!(firing(&systolic("bp1", "180")).contains(&("R-51", "high")));
    assert_eq!(firing(&systolic("bp1", "163")), []);
    assert_eq!(firing(&systolic("bp1", "164")), [("R-52", "moderate")], "by 40");
    // 124: within 20 percent is up to 148.8 and down to 99.2.
    assert_eq!(firing(&systolic("bp5", "148")), []);
    assert_eq!(firing(&systolic("bp5", "149")), [("R-52", "moderate")]);
    assert_eq!(firing(&systolic("bp5", "99")), [("R-52", "moderate")]);
    assert_eq!(lacking(&without(course(), &["bp1", "bp2", "bp3", "bp4", "bp5"])), ["R-51", "R-52"]);
}

#[test]
fn saturation_heart_rate_and_sedation() {
    assert_eq!(firing(&value("spo21", "92")), []);
    assert_eq!(firing(&value("spo21", "91.9")), [("R-53", "high")]);
    let oxygen = json!([{ "code": concept(LOINC, "3151-8"), "valueQuantity": quantity("2", "L/min") }]);
    assert_eq!(
        firing(&set(value("spo21", "90"), &format!("spo21-{DAY}"), "/component", oxygen)),
        [],
        "not on room air"
    );
    assert_eq!(lacking(&without(course(), &["spo2"])), ["R-53"]);
    assert_eq!(firing(&value("hr1", "121")), [("R-55", "moderate")]);
    assert_eq!(firing(&value("hr1", "49")), [("R-55", "moderate")]);
    assert_eq!(firing(&value("hr1", "50")), []);
    assert_eq!(lacking(&without(course(), &["hr"])), ["R-55"]);
    let moaas = |points: i64| firing(&set(course(), &format!("moaas-{DAY}"), "/valueInteger", json!(points)));
    assert_eq!(moaas(3), []);
    assert_eq!(moaas(2), [("R-54", "high")]);
    let session = format!("session-{DAY}");
    let rass = |points| firing(&with(course(), [score("rass", &session, &at(DAY, "10:30"), "rass", points)]));
    assert_eq!(rass(-2), []);
    assert_eq!(rass(-3), [("R-54", "high")]);
    assert_eq!(lacking(&without(course(), &["moaas"])), ["R-54"]);
}

#[test]
fn a_gap_in_monitoring_is_told_with_its_length() {
    let gap = without(course(), &["bp3", "hr3", "spo23"]);
    let found = verdict(RuleId::R56, &gap);
    assert!(found.findings[0].sentence.starts_with("50 minutes"), "{}", found.findings[0].sentence);
    assert_eq!(firing(&without(course(), &["bp3", "hr3"])), [], "one sign is enough");
    // Nothing tells when the patient left.
    let open = without(course(), &["discharge"]);
    let open = set(open, &format!("session-{DAY}"), "/performedPeriod", json!(null));
    let open = set(open, &format!("contact-{DAY}"), "/period", json!({ "start": at(DAY, "09:30") }));
    assert!(lacking(&open).contains(&"R-56"));
}

#[test]
fn recovery_is_judged_by_the_last_score_before_discharge() {
    let aldrete = |points: i64| firing(&set(course(), &format!("aldrete-{DAY}"), "/valueInteger", json!(points)));
    assert_eq!(aldrete(9), []);
    assert_eq!(aldrete(8), [("R-57", "high")]);
    assert_eq!(lacking(&without(course(), &["aldrete"])), ["R-57"]);
    let session = format!("session-{DAY}");
    let early = score("early", &session, &at(DAY, "10:45"), "mpadss", 6);
    assert_eq!(firing(&with(course(), [early])), [], "a later score was 10");
}

#[test]
fn measurements_of_another_ehr_belong_to_the_session_by_their_time() {
    let unlinked: Vec<Value> = course()
        .into_iter()
        .map(|mut one| {
            if one["resourceType"] == "Observation" {
                one.as_object_mut().expect("an object").remove("partOf");
            }
            one
        })
        .collect();
    assert_eq!(firing(&unlinked), []);
    assert!(lacking(&unlinked).is_empty(), "{:?}", lacking(&unlinked));
    let high = set(unlinked, &format!("bp1-{DAY}"), "/component/0/valueQuantity", quantity("196", "mm[Hg]"));
    assert_eq!(firing(&high), [("R-51", "high"), ("R-52", "moderate")]);
}
