//! The safety room.

use super::*;

/// The course with another dose: route, mg, and no rate.
fn dosed(route: &str, milligrams: &str) -> Vec<Value> {
    let changed = set(course(), "dose-2026-02-02", "/dosage/route", concept(SCT, route));
    let changed = set(changed, "dose-2026-02-02", "/dosage/dose", quantity(milligrams, "mg"));
    set(changed, "dose-2026-02-02", "/dosage/rateQuantity", json!(null))
}

fn of_band(route: &str, milligrams: &str) -> Option<Severity> {
    verdict(RuleId::R30, &dosed(route, milligrams)).findings.first().map(|finding| finding.severity)
}

#[test]
fn a_dose_is_judged_by_the_band_of_its_route() {
    let (moderate, high, remark) = (Some(Severity::Moderate), Some(Severity::High), Some(Severity::Information));
    for (route, milligrams, expected) in [
        // 80 kg: 0.75, 1.0 and 2.0 mg/kg intravenously.
        ("47625008", "60", None),
        ("47625008", "80", None),
        ("47625008", "80.1", moderate),
        ("47625008", "160", moderate),
        ("47625008", "160.1", high),
        ("47625008", "7.9", remark),
        ("78421000", "120", None),
        ("78421000", "120.1", moderate),
        ("34206005", "80.1", moderate),
        ("46713006", "100", None),
        ("46713006", "101", moderate),
        ("46713006", "151", high),
        ("26643006", "300", None),
        ("26643006", "301", moderate),
        ("26643006", "501", high),
        ("37839007", "99", remark),
        ("37839007", "400", None),
        ("54471007", "601", high),
        ("37161004", "100", remark),
        ("37161004", "801", high),
    ] {
        assert_eq!(of_band(route, milligrams), expected, "{route} {milligrams} mg");
    }
}

#[test]
fn units_are_converted_before_a_dose_is_judged() {
    let grams = set(dosed("47625008", "1"), "dose-2026-02-02", "/dosage/dose", quantity("0.2", "g"));
    assert_eq!(firing(&grams), [("R-30", "high")], "200 mg at 80 kg");
    let micrograms = set(dosed("47625008", "1"), "dose-2026-02-02", "/dosage/dose", quantity("40000", "ug"));
    assert!(firing(&micrograms).is_empty());
    let drops = set(dosed("47625008", "1"), "dose-2026-02-02", "/dosage/dose", quantity("40", "[drp]"));
    assert!(lacking(&drops).contains(&"R-30"));
}

#[test]
fn another_route_cannot_be_evaluated() {
    assert!(lacking(&dosed("0", "40")).contains(&"R-30"));
}

#[test]
fn a_dose_told_per_weight_above_the_limits_fires_without_a_weight_too() {
    let unweighed = without(course(), &["weight"]);
    let told = set(
        unweighed,
        "dose-2026-02-02",
        "/extension",
        json!([extension("kap-dose-per-weight", "valueQuantity", quantity("2.5", "mg/kg"))]),
    );
    assert!(firing(&told).contains(&("R-30", "high")));
}

#[test]
fn what_was_stopped_or_is_a_part_is_not_too_small() {
    let small = dosed("47625008", "4");
    assert_eq!(verdict(RuleId::R30, &small).findings.len(), 1);
    let stopped = set(small.clone(), "dose-2026-02-02", "/status", json!("stopped"));
    assert!(verdict(RuleId::R30, &stopped).findings.is_empty());
    let part =
        set(small, "dose-2026-02-02", "/extension", json!([extension("kap-dose-role", "valueCode", json!("booster"))]));
    assert!(verdict(RuleId::R30, &part).findings.is_empty());
}

/// A session of esketamine on that day, given by the nurse in the clinic.
pub(super) fn esketamine(day: &str, milligrams: &str) -> Vec<Value> {
    let id = format!("dose-{day}");
    let changed = set(session(day), &id, "/medicationCodeableConcept", concept(RX, "2119365"));
    let changed =
        set(changed, &id, "/dosage", json!({ "route": concept(SCT, "46713006"), "dose": quantity(milligrams, "mg") }));
    let changed = set(changed, &id, "/extension", json!([]));
    let form = json!({ "resourceType": "Observation", "id": format!("form-{day}"), "status": "final", "valueBoolean": true,
        "code": concept(KAP, "rems-form-submitted"), "effectiveDateTime": at(day, "13:00"),
        "partOf": [{ "reference": format!("Procedure/session-{day}") }] });
    with(set(changed, &id, "/effectivePeriod", json!({ "start": at(day, "10:00") })), [form])
}

/// The course with esketamine on these days in place of the infusion.
fn esketamine_on(days: &[&str]) -> Vec<Value> {
    let bare: Vec<Value> =
        course().into_iter().filter(|one| !one["id"].as_str().is_some_and(|id| id.ends_with("2026-02-02"))).collect();
    let integrated =
        days.iter().map(|day| encounter(&format!("i-{day}"), day, "16:00", "17:00", "integration-session"));
    with(with(bare, days.iter().flat_map(|day| esketamine(day, "56"))), integrated)
}

#[test]
fn esketamine_comes_in_the_doses_of_the_label() {
    for (milligrams, expected) in
        [("56", vec![]), ("84.0", vec![]), ("28", vec![("R-31", "moderate")]), ("60", vec![("R-31", "moderate")])]
    {
        let bare: Vec<Value> = esketamine_on(&[]);
        let integration = encounter("i", "2026-02-03", "16:00", "17:00", "integration-session");
        let found = firing(&with(with(bare, esketamine("2026-02-02", milligrams)), [integration]));
        assert_eq!(found, expected, "{milligrams}");
    }
}

#[test]
fn esketamine_comes_as_often_as_its_phase_has_it() {
    // Twice a week, then weekly; the first of week 5 comes four days after the last of week 4.
    let label = [
        "2026-02-02",
        "2026-02-05",
        "2026-02-09",
        "2026-02-12",
        "2026-02-16",
        "2026-02-19",
        "2026-02-23",
        "2026-02-26",
        "2026-03-02",
        "2026-03-09",
    ];
    assert!(firing(&esketamine_on(&label)).is_empty());
    assert_eq!(firing(&esketamine_on(&["2026-02-02", "2026-02-05", "2026-02-08"])), [("R-32", "moderate")]);
    assert_eq!(firing(&esketamine_on(&["2026-02-02", "2026-03-02", "2026-03-08"])), [("R-32", "moderate")]);
    assert!(firing(&esketamine_on(&["2026-02-02", "2026-03-02", "2026-03-09"])).is_empty());
}

#[test]
fn racemic_ketamine_on_more_than_three_days_in_seven() {
    let days = |more: &[&str]| firing(&course_and(more.iter().flat_map(|day| session(day)).collect()));
    assert!(days(&["2026-02-04", "2026-02-06"]).is_empty());
    assert_eq!(days(&["2026-02-04", "2026-02-06", "2026-02-08"]), [("R-33", "low")]);
    assert!(days(&["2026-02-04", "2026-02-06", "2026-02-09"]).is_empty(), "the eighth day");
}

#[test]
fn review_is_wanted_where_a_clinic_asks_for_it() {
    let rules = Ruleset::with("[rules.R-34]\nenabled = true\nlimits.sessions.value = 1\nlimits.milligrams.value = 100")
        .expect("rules");
    let twice = with(course(), session("2026-02-05"));
    let found = judged_by(&twice, &rules, LATER);
    assert_eq!(found[RuleId::R34 as usize].findings.len(), 1, "two sessions; 80 mg");
    let plan = json!({ "resourceType": "CarePlan", "id": "plan", "status": "active", "created": "2026-02-03" });
    assert_eq!(judged_by(&with(twice.clone(), [plan]), &rules, LATER)[RuleId::R34 as usize].state, State::Holds);
    let thrice = with(twice, session("2026-02-09"));
    assert_eq!(judged_by(&thrice, &rules, LATER)[RuleId::R34 as usize].findings.len(), 2, "three sessions; 120 mg");
}

#[test]
fn the_doses_of_a_session_are_summed_within_their_route() {
    let second = |route: &str, milligrams: &str| {
        let mut more = course().into_iter().find(|one| one["id"] == "dose-2026-02-02").expect("the dose");
        more["id"] = json!("dose-2");
        more["dosage"] = json!({ "route": concept(SCT, route), "dose": quantity(milligrams, "mg") });
        more["effectivePeriod"] = json!({ "start": at("2026-02-02", "11:00") });
        more["extension"] = json!([extension("kap-dose-role", "valueCode", json!("booster"))]);
        with(course(), [more])
    };
    // 40 mg, and 2 mg/kg at 80 kg are 160 mg.
    assert!(!firing(&second("47625008", "120")).iter().any(|(rule, _)| *rule == "R-35"));
    assert!(firing(&second("47625008", "121")).contains(&("R-35", "high")));
    assert!(!firing(&second("78421000", "121")).iter().any(|(rule, _)| *rule == "R-35"), "another route");
}

#[test]
fn another_organisation_within_seven_days() {
    let dispense = |day: &str, organization: &str| {
        with(
            course(),
            [json!({ "resourceType": "MedicationDispense", "id": "md", "status": "completed",
            "medicationCodeableConcept": concept(RX, "6130"), "whenHandedOver": at(day, "09:00"),
            "performer": [{ "actor": { "reference": organization } }] })],
        )
    };
    let found = verdict(RuleId::R36, &dispense("2026-02-09", "Organization/other"));
    assert_eq!(found.findings.len(), 1);
    assert!(!found.findings[0].sentence.contains("other"), "no source is named");
    assert!(firing(&dispense("2026-02-10", "Organization/other")).is_empty(), "the eighth day");
    assert!(firing(&dispense("2026-02-05", "Organization/clinic")).is_empty());
    assert_eq!(lacking(&dispense("2026-02-05", "")), ["R-36"]);
}

#[test]
fn rate_times_running_time_makes_the_dose() {
    let with_rate = |value: &str, unit: &str| {
        verdict(RuleId::R37, &set(course(), "dose-2026-02-02", "/dosage/rateQuantity", quantity(value, unit))).state
    };
    assert_eq!(with_rate("1.05", "mg/min"), State::Holds, "5 percent off");
    assert_eq!(with_rate("1.06", "mg/min"), State::Fires);
    assert_eq!(with_rate("60", "mg/h"), State::Holds);
    assert_eq!(with_rate("0.75", "mg/kg/h"), State::Holds, "60 mg/h at 80 kg");
    assert_eq!(with_rate("60", "mL/h"), State::CannotEvaluate, "no strength");
    assert_eq!(with_rate("3", "drops"), State::CannotEvaluate);
    let pause = json!([{ "url": format!("{EXTENSION}kap-infusion-pause"), "extension": [
        { "url": "start", "valueDateTime": at("2026-02-02", "10:10") },
        { "url": "end", "valueDateTime": at("2026-02-02", "10:15") }] }]);
    assert_eq!(
        verdict(RuleId::R37, &set(course(), "dose-2026-02-02", "/extension", pause)).state,
        State::Fires,
        "35 minutes ran"
    );
    let stopped = set(course(), "dose-2026-02-02", "/effectivePeriod/end", json!(at("2026-02-02", "10:14")));
    assert!(firing(&set(stopped, "dose-2026-02-02", "/status", json!("stopped"))).contains(&("R-37", "moderate")));
    let no_end = set(course(), "dose-2026-02-02", "/effectivePeriod", json!({ "start": at("2026-02-02", "10:00") }));
    assert_eq!(lacking(&no_end), ["R-37"]);
    let push =
        set(no_end, "dose-2026-02-02", "/extension", json!([extension("kap-iv-push", "valueBoolean", json!(true))]));
    assert!(!lacking(&set(push, "dose-2026-02-02", "/dosage/rateQuantity", json!(null))).contains(&"R-37"));
}
