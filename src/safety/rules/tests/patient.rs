//! The safety room, over one complete course with one fact changed.

use super::*;

#[test]
fn consent_decision_weight_and_medicines_are_missed() {
    assert_eq!(firing(&without(course(), &["consent"])), [("R-01", "high")]);
    assert_eq!(firing(&without(course(), &["decision"])), [("R-02", "high")]);
    let lacking_weight = without(course(), &["weight"]);
    assert_eq!(firing(&lacking_weight), [("R-03", "low")]);
    assert_eq!(lacking(&lacking_weight), ["R-30"], "no weight to judge the dose by");
    let sentence = &verdict(RuleId::R30, &lacking_weight).findings[0].sentence;
    assert!(sentence.contains("no weight in the last 30 days"), "{sentence}");
    let lacking_medicines = without(course(), &["sertraline"]);
    assert_eq!(firing(&lacking_medicines), [("R-04", "moderate")]);
    assert_eq!(lacking(&lacking_medicines), ["R-20", "R-21", "R-22", "R-23", "R-24"]);
    let none = json!({ "resourceType": "List", "id": "none", "status": "current", "code": concept(LOINC, "10160-0"),
                       "emptyReason": { "coding": [{ "code": "nilknown" }] } });
    assert!(firing(&with(lacking_medicines, [none])).is_empty());
}

#[test]
fn a_consent_counts_on_its_days_only() {
    let period =
        |start: &str, end: &str| set(course(), "consent", "/provision/period", json!({ "start": start, "end": end }));
    assert!(firing(&period("2026-02-02", "2026-02-02")).is_empty(), "first and last day inclusive");
    assert_eq!(firing(&period("2026-02-03", "2027-01-28")), [("R-01", "high")]);
    assert_eq!(firing(&period("2026-01-01", "2026-02-01")), [("R-01", "high")]);
    // It was active then, perhaps: nobody recorded when it ended.
    assert_eq!(lacking(&set(course(), "consent", "/status", json!("inactive"))), ["R-01"]);
}

#[test]
fn a_decision_must_be_suitable_and_come_first() {
    let decision = |code: &str| set(course(), "decision", "/valueCodeableConcept", concept("x", code));
    assert!(firing(&decision("suitable-with-conditions")).is_empty());
    assert_eq!(firing(&decision("not-suitable")), [("R-02", "high")]);
    assert_eq!(firing(&decision("deferred")), [("R-02", "high")]);
    let late = set(course(), "decision", "/effectiveDateTime", json!("2026-02-02T10:01:00-05:00"));
    assert_eq!(firing(&late), [("R-02", "high")]);
}

#[test]
fn a_weight_is_as_old_as_the_limit_allows() {
    let dated = |day: &str| firing(&set(course(), "weight", "/effectiveDateTime", json!(at(day, "08:00"))));
    assert!(dated("2026-01-03").is_empty(), "30 days");
    assert_eq!(dated("2026-01-02"), [("R-03", "low")], "31 days");
    assert_eq!(dated("2026-02-03"), [("R-03", "low")], "after the dose");
}

#[test]
fn liver_tests_are_wanted_from_the_second_administration() {
    let second = course_and(session("2026-02-05"));
    assert!(firing(&second).is_empty());
    assert_eq!(firing(&without(second.clone(), &["ggt"])), [("R-05", "moderate")]);
    assert!(firing(&without(course(), &["ggt"])).is_empty());
    let sentence = verdict(RuleId::R05, &without(second, &["alp", "alt"])).findings[0].sentence.clone();
    assert!(sentence.contains("ALT or AST, alkaline phosphatase"), "{sentence}");
}

#[test]
fn who_gives_a_dose_is_prescriber_or_nurse_or_the_patient_with_a_witness() {
    let by = |performers: Value| set(course(), "dose-2026-02-02", "/performer", performers);
    let actor = |reference: &str| json!({ "actor": { "reference": reference } });
    assert_eq!(firing(&by(json!([actor("Practitioner/therapist")]))), [("R-06", "moderate")]);
    assert_eq!(lacking(&by(json!([actor("Practitioner/stranger")]))), ["R-06"]);
    assert_eq!(lacking(&by(json!([]))), ["R-06"]);
    let patient = actor("Patient/p");
    assert_eq!(firing(&by(json!([patient]))), [("R-06", "moderate")]);
    let witness = json!({ "function": concept("x", "witness"), "actor": { "reference": "Practitioner/nurse" } });
    assert!(firing(&by(json!([patient, witness]))).is_empty());
}

#[test]
fn conditions_fire_by_their_codes_while_they_are_active() {
    for (system, code, expected) in [
        (SCT, "233985008", ("R-10", "high")),
        ("http://hl7.org/fhir/sid/icd-10-cm", "I71.40", ("R-10", "high")),
        (SCT, "84114007", ("R-11", "high")),
        (SCT, "58214004", ("R-12", "high")),
        (SCT, "13746004", ("R-12", "moderate")),
        (SCT, "77386006", ("R-13", "high")),
        (SCT, "1260078007", ("R-14", "moderate")),
        (SCT, "66590003", ("R-15", "moderate")),
        (SCT, "724715004", ("R-15", "high")),
        (SCT, "38822007", ("R-16", "moderate")),
        (SCT, "19943007", ("R-17", "moderate")),
    ] {
        assert_eq!(firing(&with(course(), [condition("c", system, code, "active")])), [expected], "{code}");
        let past = firing(&with(course(), [condition("c", system, code, "resolved")]));
        // What is over still tells of psychosis, and of dependence on the very medicine.
        let history = match code {
            "724715004" => vec![("R-15", "moderate")],
            _ if expected.0 == "R-12" => vec![("R-12", "moderate")],
            _ => Vec::new(),
        };
        assert_eq!(past, history, "{code}, resolved");
    }
}

#[test]
fn hypertension_is_a_hazard_where_it_is_not_controlled() {
    let hypertension = condition("c", SCT, "38341003", "active");
    assert!(firing(&with(course(), [hypertension.clone()])).is_empty(), "124/80 before the dose");
    let high = set(
        with(course(), [hypertension.clone()]),
        "bp0-2026-02-02",
        "/component/1/valueQuantity",
        quantity("91", "mm[Hg]"),
    );
    assert_eq!(firing(&high), [("R-11", "high"), ("R-50", "moderate")]);
    let unmeasured = without(with(course(), [hypertension]), &["bp0"]);
    assert!(lacking(&unmeasured).contains(&"R-11"));
}

#[test]
fn a_condition_in_words_makes_the_screen_incomplete() {
    let words = json!({ "resourceType": "Condition", "id": "w", "code": { "text": "complex regional pain" } });
    let incomplete = ["R-10", "R-11", "R-12", "R-15", "R-16", "R-17"];
    assert_eq!(lacking(&with(course(), [words])), incomplete);
    assert_eq!(lacking(&without(course(), &["indication"])), incomplete);
    // A code of the sender's own says as little as words.
    let own = condition("w", "urn:clinic:problems", "X1", "active");
    assert_eq!(lacking(&with(course(), [own])), incomplete);
}

#[test]
fn an_allergy_to_ketamine_is_a_contraindication() {
    let allergy = |status: &str| {
        json!({ "resourceType": "AllergyIntolerance", "id": "a", "code": concept(SCT, "373464007"),
                "clinicalStatus": { "coding": [{ "code": status }] } })
    };
    let found = verdict(RuleId::R10, &with(course(), [allergy("active")]));
    assert_eq!((found.state, found.findings[0].code), (State::Fires, Some("DALG")));
    assert!(firing(&with(course(), [allergy("inactive")])).is_empty());
}

#[test]
fn pregnancy_is_unknown_only_where_it_is_possible() {
    let woman = set(course(), "p", "/gender", json!("female"));
    assert_eq!(lacking(&woman), ["R-13", "R-14"]);
    assert_eq!(verdict(RuleId::R13, &woman).findings[0].severity, Severity::Low);
    let older = set(woman.clone(), "p", "/birthDate", json!("1969-01-01"));
    assert!(lacking(&older).is_empty(), "57 years");
    let potential = told("cp", KAP, "childbearing-potential", "valueBoolean", json!(false));
    assert!(lacking(&with(woman.clone(), [potential])).is_empty());
    let no_sex = set(course(), "p", "/gender", json!("unknown"));
    assert_eq!(lacking(&no_sex), ["R-13", "R-14"]);
    let nursing = |value: bool| told("n", SCT, "1260078007", "valueBoolean", json!(value));
    let status = |code: &str| told("ps", LOINC, "82810-3", "valueCodeableConcept", concept(SCT, code));
    let known = with(woman.clone(), [nursing(false), status("60001007")]);
    assert!(lacking(&known).is_empty() && firing(&known).is_empty());
    assert_eq!(
        firing(&with(woman.clone(), [nursing(true), status("77386006")])),
        [("R-13", "high"), ("R-14", "moderate")]
    );
    let mut test = told("t", LOINC, "2106-3", "valueCodeableConcept", concept(SCT, "10828004"));
    test["effectiveDateTime"] = json!("2026-02-01T08:00:00-05:00");
    assert_eq!(firing(&with(known, [test])), [("R-13", "high")], "a later positive test");
}

#[test]
fn urinary_symptoms_count_once_treatment_has_begun() {
    let event = |day: &str| {
        json!({ "resourceType": "AdverseEvent", "id": "ae", "date": at(day, "09:00"), "event": concept(SCT, "49650001"),
                "category": [concept("x", "medical")], "severity": concept("x", "mild") })
    };
    assert_eq!(firing(&with(course(), [event("2026-02-10")])), [("R-16", "moderate")]);
    assert!(firing(&with(course(), [event("2026-01-10")])).is_empty());
}

#[test]
fn transaminases_are_compared_with_their_own_upper_limit() {
    let alt = |value: &str, high: &str| with(course(), [lab("alt2", "2026-02-01", "1742-6", value, high)]);
    assert_eq!(firing(&alt("92", "30")), [("R-17", "moderate")], "3 times 30 is 90");
    assert!(firing(&alt("90", "30")).is_empty(), "not above 90");
    let mut bare = lab("alt2", "2026-02-01", "1742-6", "92", "30");
    bare.as_object_mut().expect("an object").remove("referenceRange");
    assert_eq!(lacking(&with(course(), [bare])), ["R-17"]);
    let mut other_unit = lab("alt2", "2026-02-01", "1742-6", "1.5", "30");
    other_unit["valueQuantity"]["code"] = json!("ukat/L");
    assert_eq!(lacking(&with(course(), [other_unit])), ["R-17"]);
    assert_eq!(lacking(&without(course(), &["alt"])), ["R-17"]);
}

#[test]
fn age_is_that_on_the_date_of_the_record() {
    let born = |day: &str| set(course(), "p", "/birthDate", json!(day));
    // The newest contact is of 2026-02-04, the first of 2026-01-26.
    assert_eq!(firing(&born("1961-02-04")), [("R-18", "low")]);
    assert!(firing(&born("1961-02-05")).is_empty());
    assert_eq!(firing(&born("2008-01-27")), [("R-19", "high")]);
    assert!(firing(&born("2008-01-26")).is_empty());
    assert_eq!(lacking(&born("1961")), ["R-18"], "64 or 65");
    assert_eq!(lacking(&born("")), ["R-18", "R-19"]);
}

#[test]
fn medicines_fire_by_class_and_unknown_ones_leave_the_screen_incomplete() {
    for (code, expected) in [
        ("6470", Some(("R-20", "moderate"))),
        ("39993", Some(("R-20", "moderate"))),
        ("7804", Some(("R-20", "moderate"))),
        ("187832", Some(("R-20", "moderate"))),
        ("7243", None),
        ("28439", Some(("R-21", "low"))),
        ("8123", Some(("R-22", "moderate"))),
        ("700810", Some(("R-22", "moderate"))),
        ("6135", Some(("R-23", "low"))),
        ("9384", Some(("R-23", "low"))),
        ("10438", Some(("R-24", "moderate"))),
    ] {
        assert_eq!(firing(&with(course(), [medicine("m", code)])), Vec::from_iter(expected), "{code}");
    }
    let stopped = set(vec![medicine("m", "6470")], "m", "/status", json!("stopped"));
    assert!(firing(&with(course(), stopped)).is_empty());
    let ended = set(vec![medicine("m", "6470")], "m", "/effectivePeriod", json!({ "end": "2026-01-31" }));
    assert!(firing(&with(course(), ended)).is_empty());
    let product = with(course(), [medicine("m", "999999")]);
    assert_eq!(lacking(&product), ["R-20", "R-21", "R-22", "R-23", "R-24"]);
    assert!(verdict(RuleId::R20, &product).findings[0].sentence.contains("interaction screen incomplete"));
    // The ingredient stands in a contained Medication, or in one of its own.
    let contained = json!({ "resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
        "medicationReference": { "reference": "#a" }, "contained": [{ "resourceType": "Medication", "id": "a",
            "code": concept(RX, "999999"), "ingredient": [{ "itemCodeableConcept": concept(RX, "6470") }] }] });
    assert_eq!(firing(&with(course(), [contained])), [("R-20", "moderate")]);
    let own = [
        json!({ "resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
                "medicationReference": { "reference": "https://ehr.example/fhir/Medication/a" } }),
        json!({ "resourceType": "Medication", "id": "a", "ingredient": [{ "itemCodeableConcept": concept(RX, "6470") }] }),
    ];
    assert_eq!(firing(&with(course(), own)), [("R-20", "moderate")]);
}
