//! The safety room.

use super::doses::esketamine;
use super::*;

#[test]
fn nobody_leaves_without_escort_or_waiver() {
    let alone = set(course(), "contact-2026-02-02", "/participant", json!([]));
    assert_eq!(firing(&alone), [("R-40", "high")]);
    let waiver = set(
        alone.clone(),
        "contact-2026-02-02",
        "/extension",
        json!([{ "url": format!("{EXTENSION}kap-escort-waiver"), "extension": [] }]),
    );
    assert!(firing(&waiver).is_empty());
    let home = set(alone, "contact-2026-02-02", "/class", json!({ "code": "HH" }));
    assert!(!firing(&home).contains(&("R-40", "high")), "nobody leaves");
}

#[test]
fn integration_is_missed_when_it_is_due_and_not_before() {
    let rules = Ruleset::embedded().expect("the rules");
    let alone = without(course(), &["integration"]);
    let state = |resources: &[Value], as_of: &str| judged_by(resources, &rules, as_of)[RuleId::R41 as usize].state;
    assert_eq!(state(&alone, "2026-02-16T15:00:00Z"), State::Holds, "the fourteenth day");
    assert_eq!(state(&alone, "2026-02-16T15:00:01Z"), State::Fires);
    let late = with(alone, [encounter("late", "2026-03-01", "10:00", "11:00", "integration-session")]);
    let found = verdict(RuleId::R41, &late);
    assert!(found.findings[0].until.is_some(), "it came, late");
}

#[test]
fn esketamine_is_observed_for_two_hours_with_three_blood_pressures() {
    let day = "2026-02-05";
    let base = course_and(esketamine(day, "56"));
    assert!(firing(&base).is_empty());
    let short = set(base.clone(), &format!("discharge-{day}"), "/effectiveDateTime", json!(at(day, "11:52")));
    let found = verdict(RuleId::R42, &short);
    assert!(found.findings[0].sentence.contains("112 minutes"), "{}", found.findings[0].sentence);
    // Readings at 10:20 (20), 10:40 (40), 11:05 (65): without 10:40 none lies within 25 to 55 minutes.
    let middle = without(base.clone(), &["bp2-2026-02-05"]);
    assert!(verdict(RuleId::R42, &middle).findings[0].sentence.contains("at 40 minutes"));
    assert_eq!(verdict(RuleId::R42, &middle).findings[0].code, Some("COMPLY"));
    let last = without(base.clone(), &["bp3-2026-02-05", "bp4-2026-02-05", "bp5-2026-02-05"]);
    assert!(verdict(RuleId::R42, &last).findings[0].sentence.contains("before completion"));
    assert!(firing(&without(base.clone(), &["bp0-2026-02-05"])).contains(&("R-42", "high")));
    assert_eq!(
        firing(&without(
            base,
            &[
                "spo20-2026-02-05",
                "spo21-2026-02-05",
                "spo22-2026-02-05",
                "spo23-2026-02-05",
                "spo24-2026-02-05",
                "spo25-2026-02-05"
            ]
        )),
        [("R-43", "moderate")]
    );
}

#[test]
fn the_rems_form_is_missed_after_seven_days() {
    let day = "2026-02-05";
    let bare = without(course_and(esketamine(day, "56")), &["form-"]);
    assert_eq!(firing(&bare), [("R-44", "low")]);
    let rules = Ruleset::embedded().expect("the rules");
    let state = judged_by(&bare, &rules, "2026-02-12T15:00:00Z")[RuleId::R44 as usize].state;
    assert_eq!(state, State::Holds, "not due yet");
}

#[test]
fn esketamine_stays_in_the_clinic() {
    let day = "2026-02-05";
    let base = course_and(esketamine(day, "56"));
    let contact = format!("contact-{day}");
    let home = json!([{ "resourceType": "Location", "id": "place", "type": [concept("x", "PTRES")] }]);
    assert!(firing(&set(base.clone(), &contact, "/contained", home)).contains(&("R-45", "high")));
    assert!(lacking(&set(base.clone(), &contact, "/class", json!({ "code": "VR" }))).contains(&"R-45"));
    let dispense = json!({ "resourceType": "MedicationDispense", "id": "md", "status": "completed",
        "medicationCodeableConcept": concept(RX, "2201623"), "whenHandedOver": at(day, "09:00"),
        "context": { "reference": format!("Encounter/{contact}") } });
    assert!(firing(&with(base, [dispense])).contains(&("R-45", "high")));
}

/// The course with a compounded troche at home by telemedicine.
fn at_home() -> Vec<Value> {
    let changed = set(course(), "contact-2026-02-02", "/class", json!({ "code": "VR" }));
    let changed = set(
        changed,
        "dose-2026-02-02",
        "/dosage",
        json!({ "route": concept(SCT, "37839007"), "dose": quantity("100", "mg") }),
    );
    let medication = json!([{ "resourceType": "Medication", "id": "product", "code": concept(RX, "6130"),
        "extension": [{ "url": format!("{EXTENSION}kap-compounded"), "extension": [{ "url": "compounded", "valueBoolean": true }] }] }]);
    let changed = set(changed, "dose-2026-02-02", "/contained", medication);
    let changed = set(changed, "dose-2026-02-02", "/medicationReference", json!({ "reference": "#product" }));
    set(changed, "dose-2026-02-02", "/medicationCodeableConcept", json!(null))
}

#[test]
fn each_safeguard_at_home_is_missed_by_name() {
    assert!(firing(&at_home()).is_empty());
    let alone = set(at_home(), "contact-2026-02-02", "/participant", json!([]));
    assert_eq!(firing(&alone), [("R-46", "moderate")]);
    assert!(verdict(RuleId::R46, &alone).findings[0].sentence.ends_with("without: a second adult."));
    let told = |code: &str, value: bool| {
        json!({ "resourceType": "Observation", "id": code, "status": "final", "code": concept(KAP, code),
                "partOf": [{ "reference": "Procedure/session-2026-02-02" }], "valueBoolean": value,
                "effectiveDateTime": at("2026-02-02", "09:40") })
    };
    assert!(firing(&with(alone, [told("second-adult-present", true)])).is_empty());
    let unwatched = with(at_home(), [told("remote-monitoring", false)]);
    assert!(verdict(RuleId::R46, &unwatched).findings[0].sentence.ends_with("without: remote monitoring."));
    let unmeasured = without(at_home(), &["bp0", "hr0", "spo20"]);
    assert!(verdict(RuleId::R46, &unmeasured).findings[0].sentence.ends_with("without: baseline vital signs."));
    let unknown = set(at_home(), "dose-2026-02-02", "/contained/0/extension", json!([]));
    assert_eq!(lacking(&unknown), ["R-46"]);
}

#[test]
fn ketamine_is_not_prescribed_by_telemedicine_after_the_day() {
    let order = |day: &str| {
        json!({ "resourceType": "MedicationRequest", "id": "order", "status": "active", "intent": "order",
                "medicationCodeableConcept": concept(RX, "6130"), "authoredOn": at(day, "09:00"),
                "encounter": { "reference": "Encounter/contact-2026-02-02" } })
    };
    assert!(firing(&with(at_home(), [order("2026-12-31")])).is_empty());
    assert_eq!(firing(&with(at_home(), [order("2027-01-05")])), [("R-47", "low")]);
    assert!(firing(&with(course(), [order("2027-01-05")])).is_empty(), "in the clinic");
}

#[test]
fn thoughts_of_self_harm_stand_until_a_later_answer_of_nothing() {
    let positive = with(without(course(), &["phq9"]), phq9("phq9", "2026-01-28", "LA6569-3", "21"));
    let found = verdict(RuleId::R60, &positive);
    assert_eq!((found.findings.len(), found.findings[0].until), (1, None));
    let answered = with(positive.clone(), phq9("phq9b", "2026-02-20", "LA6568-5", "9"));
    let found = verdict(RuleId::R60, &answered);
    assert_eq!(found.findings[0].until.map(|at| at.day.to_string()).as_deref(), Some("2026-02-20"));
    let again = with(answered, phq9("phq9c", "2026-03-20", "LA6570-1", "12"));
    let found = verdict(RuleId::R60, &again);
    assert_eq!(found.findings.iter().map(|one| one.until.is_none()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(lacking(&without(course(), &["phq9-answers"])), ["R-60"], "a total alone");
}

#[test]
fn the_screener_fires_on_intent_plan_or_recent_behaviour() {
    for (link, expected) in [
        ("/93247-5", false),
        ("/93248-3", false),
        ("/93249-1", true),
        ("/93250-9", true),
        ("/93269-9", true),
        ("/93267-3", false),
    ] {
        let item = json!([{ "linkId": link, "answer": [{ "valueBoolean": true }] }]);
        let found = firing(&set(course(), "c-ssrs", "/item", item));
        assert_eq!(found.contains(&("R-61", "high")), expected, "{link}");
    }
    let item = json!({ "resourceType": "Observation", "id": "q4", "status": "final", "code": concept(LOINC, "93249-1"),
        "effectiveDateTime": at("2026-02-01", "09:00"), "valueCodeableConcept": concept(LOINC, "LA33-6") });
    assert!(firing(&with(course(), [item])).contains(&("R-61", "high")), "an item of another EHR");
}

#[test]
fn worsening_is_a_check_in_or_five_points_over_baseline() {
    let check_in = json!({ "resourceType": "QuestionnaireResponse", "id": "ci", "status": "completed",
        "authored": at("2026-02-05", "09:00"), "item": [{ "linkId": "suicidal-thoughts", "answer": [{ "valueBoolean": true }] }] });
    assert_eq!(firing(&with(course(), [check_in])), [("R-62", "high")]);
    let later = |total: &str| firing(&with(course(), phq9("later", "2026-02-10", "LA6568-5", total)));
    assert!(later("19").is_empty(), "15 and 4");
    assert_eq!(later("20"), [("R-62", "high")]);
}

#[test]
fn severe_distress_is_followed_up_within_a_day() {
    let event = |severity: &str| {
        json!({ "resourceType": "AdverseEvent", "id": "ae", "date": at("2026-02-02", "10:30"), "event": concept(SCT, "225624000"),
                "category": [concept("x", "emotional")], "severity": concept("x", severity),
                "encounter": { "reference": "Encounter/contact-2026-02-02" } })
    };
    assert!(firing(&with(course(), [event("moderate")])).is_empty());
    // The next contact is two days later.
    assert_eq!(firing(&with(course(), [event("severe")])), [("R-63", "moderate")]);
    let call =
        |when: String| json!({ "resourceType": "Communication", "id": "call", "status": "completed", "sent": when });
    assert!(firing(&with(course(), [event("severe"), call(at("2026-02-03", "10:30"))])).is_empty());
    assert_eq!(firing(&with(course(), [event("severe"), call(at("2026-02-03", "10:31"))])), [("R-63", "moderate")]);
}

#[test]
fn long_treatment_needs_screens() {
    let long = |screens: Vec<Value>| {
        let consent = set(course(), "consent", "/provision/period/end", json!("2030-01-01"));
        let weights = ["2026-08-01", "2026-10-01"].map(|day| {
            json!({ "resourceType": "Observation", "id": format!("w{day}"), "status": "final", "code": concept(LOINC, "29463-7"),
                    "effectiveDateTime": at(day, "08:00"), "valueQuantity": quantity("80", "kg") })
        });
        let integrated = ["2026-08-02", "2026-10-03"]
            .map(|day| encounter(&format!("i{day}"), day, "16:00", "17:00", "integration-session"));
        let sessions = [session("2026-08-02"), session("2026-10-02")].concat();
        with(with(with(with(consent, weights), integrated), sessions), screens)
    };
    // Due on 2026-08-02, six months after the first dose; the dose of that day is not after it, that of October is.
    let found = verdict(RuleId::R70, &long(Vec::new()));
    assert_eq!(found.findings.len(), 2, "bladder and liver: {:?}", found.findings);
    let urine = json!({ "resourceType": "Observation", "id": "u", "status": "final", "code": concept(LOINC, "24356-8"),
                        "effectiveDateTime": at("2026-07-01", "08:00") });
    let screens = vec![urine, lab("alt9", "2026-07-01", "1742-6", "20", "40")];
    assert!(firing(&long(screens)).is_empty());
    // A screen that came too late ends the gap, which stays on record.
    let late = vec![lab("alt9", "2026-11-01", "1742-6", "20", "40")];
    let found = verdict(RuleId::R70, &long(late));
    assert!(found.findings.iter().any(|finding| finding.until.is_some()));
}
