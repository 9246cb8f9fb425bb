//! The safety room: what is not recorded is "cannot evaluate", never "holds"; each fact is taken away alone.

use super::*;

fn screener(answers: &[(&str, bool)]) -> Vec<Value> {
    let items: Vec<Value> = answers
        .iter()
        .map(|(link, answer)| json!({ "linkId": format!("/{link}"), "answer": [{ "valueBoolean": answer }] }))
        .collect();
    set(course(), "c-ssrs", "/item", items.into())
}

#[test]
fn a_screener_in_part_is_no_pass() {
    assert_eq!(lacking(&without(course(), &["c-ssrs"])), ["R-61"]);
    let (thoughts, intent, plan, recent) = ("93247-5", "93249-1", "93250-9", "93269-9");
    assert!(lacking(&screener(&[(thoughts, false), (recent, false)])).is_empty(), "3 to 5 are skipped after a no");
    assert_eq!(lacking(&screener(&[(thoughts, false)])), ["R-61"]);
    assert_eq!(lacking(&screener(&[(recent, false)])), ["R-61"]);
    assert_eq!(lacking(&screener(&[(thoughts, true), (intent, false), (recent, false)])), ["R-61"]);
    assert!(lacking(&screener(&[(thoughts, true), (intent, false), (plan, false), (recent, false)])).is_empty());
    let found = verdict(RuleId::R61, &screener(&[(thoughts, true), (intent, false), (recent, false)]));
    assert_eq!(found.findings[0].missing, ["C-SSRS question 5"]);
    assert_eq!(firing(&screener(&[(intent, true)])), [("R-61", "high")], "what fires needs no more");
}

#[test]
fn a_phq_9_without_item_9_is_no_pass() {
    let none = without(course(), &["phq9"]);
    assert_eq!(lacking(&none), ["R-60", "R-62"]);
    let total = phq9("later", "2026-02-10", "LA6568-5", "10").pop().expect("the total");
    assert_eq!(lacking(&with(course(), [total])), ["R-60"], "a newer total, and nobody knows item 9");
    assert!(lacking(&with(course(), phq9("later", "2026-02-10", "LA6568-5", "10"))).is_empty());
}

#[test]
fn an_item_within_a_panel_is_read() {
    let nested = json!({ "resourceType": "QuestionnaireResponse", "id": "n", "status": "completed",
        "authored": at("2026-02-10", "08:00"), "item": [{ "linkId": "/44249-1/44260-8",
        "answer": [{ "valueCoding": { "system": LOINC, "code": "LA6570-1" } }] }] });
    assert_eq!(firing(&with(course(), [nested])), [("R-60", "moderate")]);
}

fn check_in(items: Value) -> Value {
    json!({ "resourceType": "QuestionnaireResponse", "id": "ci", "status": "in-progress",
        "questionnaire": "https://kap-gateway.example.org/fhir/Questionnaire/kap-checkin",
        "authored": at("2026-02-05", "09:00"), "item": items })
}

#[test]
fn a_check_in_that_leaves_the_question_out_is_no_pass() {
    let mood = json!({ "linkId": "mood", "answer": [{ "valueInteger": 5 }] });
    assert_eq!(lacking(&with(course(), [check_in(json!([mood]))])), ["R-62"]);
    let no = json!({ "linkId": "suicidal-thoughts", "answer": [{ "valueBoolean": false }] });
    assert!(lacking(&with(course(), [check_in(json!([mood, no]))])).is_empty());
}

#[test]
fn a_complaint_that_the_patient_ticks_counts() {
    let ticked = |code: &str| {
        let what =
            json!({ "linkId": "adverse-event-what", "answer": [{ "valueCoding": { "system": SCT, "code": code } }] });
        let no = json!({ "linkId": "suicidal-thoughts", "answer": [{ "valueBoolean": false }] });
        firing(&with(course(), [check_in(json!([what, no]))]))
    };
    assert_eq!(ticked("49650001"), [("R-16", "moderate")]);
    assert!(ticked("422587007").is_empty(), "nausea");
}

#[test]
fn allergies_that_nobody_asked_for_are_no_pass() {
    assert_eq!(lacking(&without(course(), &["no-allergies"])), ["R-10"]);
    let allergy = |text: &str| {
        json!({ "resourceType": "AllergyIntolerance", "id": "a", "code": { "text": text },
                "clinicalStatus": { "coding": [{ "code": "active" }] } })
    };
    assert_eq!(lacking(&with(course(), [allergy("penicillin")])), ["R-10"], "in words alone");
    assert_eq!(firing(&with(course(), [allergy("Ketalar, rash")])), [("R-10", "high")]);
}

#[test]
fn a_session_that_ended_without_a_decision_to_discharge_is_no_pass() {
    let found = without(course(), &["discharge"]);
    assert_eq!(lacking(&found), ["R-57"]);
    assert_eq!(verdict(RuleId::R57, &found).findings[0].missing, ["the decision to discharge"]);
}

#[test]
fn a_pressure_after_discharge_does_not_tell_how_the_patient_left() {
    let late = |value: &str| pressure("late", "session-2026-02-02", &at("2026-02-02", "18:00"), value, "80");
    assert!(firing(&with(course(), [late("90")])).is_empty(), "28 % below, six hours after discharge");
    let only = without(course(), &["bp1", "bp2", "bp3", "bp4", "bp5"]);
    let found = verdict(RuleId::R52, &with(only, [late("124")]));
    assert_eq!(found.findings[0].missing, ["a systolic pressure between dose and discharge"]);
}

#[test]
fn a_gap_of_thirty_minutes_and_a_second_is_a_gap() {
    // Readings at 11:30 and 11:55, discharge at 12:05: without that of 11:30 there are 50 minutes from 11:05.
    let without_one = without(course(), &["bp4", "hr4", "spo24"]);
    assert_eq!(firing(&without_one), [("R-56", "low")]);
    let moved = |second: &str| {
        let time = format!("2026-02-02T11:35:{second}-05:00");
        ["bp4", "hr4", "spo24"]
            .iter()
            .fold(course(), |all, name| set(all, &format!("{name}-2026-02-02"), "/effectiveDateTime", json!(time)))
    };
    assert!(firing(&moved("00")).is_empty());
    assert_eq!(firing(&moved("01")), [("R-56", "low")]);
}

#[test]
fn a_high_transaminase_stands_until_one_that_can_be_judged_follows() {
    let unbounded = set(vec![lab("alt3", "2026-02-09", "1742-6", "20", "40")], "alt3", "/referenceRange", json!([]));
    let high = with(with(course(), [lab("alt2", "2026-02-05", "1742-6", "121", "40")]), unbounded);
    let found = verdict(RuleId::R17, &high);
    let states: Vec<State> = found.findings.iter().map(|finding| finding.state).collect();
    assert!(states.contains(&State::Fires) && states.contains(&State::CannotEvaluate), "{states:?}");
    let low = with(high, [lab("alt4", "2026-02-11", "1742-6", "30", "40")]);
    assert_eq!(verdict(RuleId::R17, &low).state, State::Holds);
}

#[test]
fn a_booster_is_a_second_administration() {
    let mut booster = course().into_iter().find(|one| one["id"] == "dose-2026-02-02").expect("the dose");
    booster["id"] = json!("booster");
    booster["effectivePeriod"] = json!({ "start": at("2026-02-02", "10:45"), "end": at("2026-02-02", "11:25") });
    let found = without(with(course(), [booster]), &["ggt"]);
    assert!(firing(&found).contains(&("R-05", "moderate")));
}

#[test]
fn a_rectal_dose_is_remarked_on_without_a_weight_too() {
    let rectal = set(
        course(),
        "dose-2026-02-02",
        "/dosage",
        json!({ "route": concept(SCT, "37161004"), "dose": quantity("100", "mg") }),
    );
    let rectal = set(rectal, "dose-2026-02-02", "/extension", json!([]));
    let found = verdict(RuleId::R30, &without(rectal, &["weight"]));
    let told: Vec<(State, Severity)> = found.findings.iter().map(|finding| (finding.state, finding.severity)).collect();
    assert!(told.contains(&(State::Fires, Severity::Information)), "{told:?}");
    assert!(told.iter().any(|(state, _)| *state == State::CannotEvaluate), "{told:?}");
}

#[test]
fn a_pharmacy_that_fills_the_clinic_s_order_is_no_other_source() {
    let order = json!({ "resourceType": "MedicationRequest", "id": "order", "status": "active", "intent": "order",
        "medicationCodeableConcept": concept(RX, "6130"), "authoredOn": at("2026-02-02", "09:00"),
        "encounter": { "reference": "Encounter/contact-2026-02-02" } });
    let dispense = |prescription: Value| {
        json!({ "resourceType": "MedicationDispense", "id": "md", "status": "completed",
            "medicationCodeableConcept": concept(RX, "6130"), "whenHandedOver": at("2026-02-04", "09:00"),
            "authorizingPrescription": prescription,
            "performer": [{ "actor": { "reference": "Organization/pharmacy" } }] })
    };
    let filled = dispense(json!([{ "reference": "MedicationRequest/order" }]));
    assert!(firing(&with(course(), [order.clone(), filled])).is_empty());
    let alone = with(course(), [order, dispense(json!([]))]);
    assert_eq!(firing(&alone), [("R-36", "high")]);
    let sentence = &verdict(RuleId::R36, &alone).findings[0].sentence;
    assert!(sentence.contains("By whose order it was handed over on 2026-02-04 is not recorded"), "{sentence}");
}

#[test]
fn a_weight_is_no_baseline_vital_sign_at_home() {
    let home = set(course(), "contact-2026-02-02", "/class", json!({ "code": "HH" }));
    let home = set(home, "dose-2026-02-02", "/medicationCodeableConcept", json!(null));
    let home = set(
        home,
        "dose-2026-02-02",
        "/contained",
        json!([{ "resourceType": "Medication", "id": "m",
        "code": concept(RX, "6130"), "extension": [{ "url": format!("{EXTENSION}kap-compounded"),
        "extension": [{ "url": "compounded", "valueBoolean": true }] }] }]),
    );
    let home = set(home, "dose-2026-02-02", "/medicationReference", json!({ "reference": "#m" }));
    let told = |resources: &[Value]| verdict(RuleId::R46, resources).findings[0].sentence.clone();
    assert!(!told(&home).contains("baseline"), "{}", told(&home));
    let weighed = json!({ "resourceType": "Observation", "id": "w", "status": "final", "code": concept(LOINC, "29463-7"),
        "partOf": [{ "reference": "Procedure/session-2026-02-02" }], "effectiveDateTime": at("2026-02-02", "09:50"),
        "valueQuantity": quantity("80", "kg") });
    let only = with(without(home, &["bp0", "hr0", "spo20"]), [weighed]);
    assert!(told(&only).contains("baseline vital signs"), "{}", told(&only));
}

#[test]
fn a_second_course_has_a_baseline_of_its_own() {
    // 15 before the first course, 8 after it; 21 before the second, and 22 in it.
    let mut second = session("2026-09-07");
    for one in &mut second {
        if one["resourceType"] == "Encounter" {
            one["episodeOfCare"] = json!([{ "reference": "EpisodeOfCare/second" }]);
        }
    }
    let scores = [("a", "2026-02-10", "8"), ("b", "2026-09-01", "21"), ("c", "2026-09-10", "22")];
    let scores = scores.into_iter().flat_map(|(id, day, total)| phq9(id, day, "LA6568-5", total));
    let found = verdict(RuleId::R62, &with(with(course(), second), scores));
    let told: Vec<(&str, bool)> =
        found.findings.iter().map(|one| (one.sentence.as_str(), one.until.is_some())).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].0.contains("from 15") && told[0].0.contains("to 21") && told[0].1,
        "ended by the second course: {told:?}"
    );
}

#[test]
fn an_order_that_is_over_is_no_list_of_medicines() {
    let order = |status: &str| {
        json!({ "resourceType": "MedicationRequest", "id": "lorazepam", "status": status, "intent": "order",
            "medicationCodeableConcept": concept(RX, "6470"), "authoredOn": "2026-01-05" })
    };
    let none_asked = || without(course(), &["sertraline"]);
    assert!(firing(&with(none_asked(), [order("stopped")])).contains(&("R-04", "moderate")));
    assert!(lacking(&with(none_asked(), [order("stopped")])).contains(&"R-20"));
    let taken = firing(&with(none_asked(), [order("active")]));
    assert!(taken.contains(&("R-20", "moderate")) && !taken.contains(&("R-04", "moderate")), "{taken:?}");
}

#[test]
fn a_medicine_that_was_handed_over_is_taken_as_long_as_it_lasts() {
    let dispense = |day: &str, supply: Value| {
        json!({ "resourceType": "MedicationDispense", "id": "lorazepam", "status": "completed",
            "medicationCodeableConcept": concept(RX, "6470"), "whenHandedOver": at(day, "09:00"), "daysSupply": supply })
    };
    let fires =
        |day: &str, supply: Value| firing(&with(course(), [dispense(day, supply)])).contains(&("R-20", "moderate"));
    assert!(fires("2026-01-30", json!({ "value": 999 })));
    assert!(!fires("2025-11-01", json!({ "value": 14 })), "used up");
    assert!(fires("2025-11-01", json!(null)), "how long it lasts is not told, and nobody says that it is over");
}

#[test]
fn a_companion_on_the_screen_is_no_second_adult() {
    let video = || json!([extension("kap-participation-mode", "valueCoding", json!({ "code": "VIDEOCONF" }))]);
    let with_companion = |mode: Value| {
        let home = set(course(), "contact-2026-02-02", "/class", json!({ "code": "HH" }));
        let home = set(home, "dose-2026-02-02", "/medicationCodeableConcept", json!(null));
        let medication = json!([{ "resourceType": "Medication", "id": "m", "code": concept(RX, "6130"),
            "extension": [{ "url": format!("{EXTENSION}kap-compounded"),
                "extension": [{ "url": "compounded", "valueBoolean": true }] }] }]);
        let home = set(home, "dose-2026-02-02", "/contained", medication);
        let home = set(home, "dose-2026-02-02", "/medicationReference", json!({ "reference": "#m" }));
        let people = json!([{ "individual": { "reference": "RelatedPerson/friend" }, "extension": mode },
            { "individual": { "reference": "Practitioner/nurse" }, "extension": video() }]);
        verdict(RuleId::R46, &set(home, "contact-2026-02-02", "/participant", people))
    };
    let found = with_companion(video());
    assert!(found.findings[0].sentence.contains("without: a second adult"), "{:?}", found.findings);
    assert_eq!(with_companion(json!([])).state, State::Holds);
}

#[test]
fn who_left_although_not_ready_is_judged_by_the_last_score() {
    let left = |points: i64| {
        let found = set(course(), "discharge-2026-02-02", "/valueBoolean", json!(false));
        set(found, "aldrete-2026-02-02", "/valueInteger", json!(points))
    };
    assert!(firing(&left(7)).contains(&("R-57", "high")));
    assert!(!firing(&left(9)).iter().any(|(rule, _)| *rule == "R-57"));
    assert!(lacking(&without(left(9), &["aldrete"])).contains(&"R-57"));
    // The later word counts where there are two.
    let twice = with(
        left(9),
        [json!({ "resourceType": "Observation", "id": "later", "status": "final",
            "partOf": [{ "reference": "Procedure/session-2026-02-02" }], "code": concept(KAP, "discharge-ready"),
            "effectiveDateTime": at("2026-02-02", "12:20"), "valueBoolean": true })],
    );
    assert!(firing(&twice).is_empty(), "{:?}", firing(&twice));
}
