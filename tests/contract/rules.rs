//! The rules across fields, one small change of a good record each.

use super::{CONTRACT, kind_of, read};
use kap_gateway::kap::check::check;
use kap_gateway::kap::fault::{Fault, Faults};
use serde_json::{Value, json};
use std::path::Path;

/// A fixture, changed: `null` takes a field away.
fn changed(record: &str, changes: &[(&str, Value)]) -> Faults {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(record);
    let mut record = read(&path);
    let kind = kind_of(&record);
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        match record.pointer_mut(parent).expect("the parent") {
            Value::Object(fields) if value.is_null() => {
                fields.remove(name).expect("the field was there");
            }
            Value::Object(fields) => {
                fields.insert(name.to_owned(), value.clone());
            }
            Value::Array(elements) => elements[name.parse::<usize>().expect("an index")] = value.clone(),
            leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                panic!("{pointer} is in {leaf}")
            }
        }
    }
    check(&CONTRACT, kind, &record, None)
}

#[track_caller]
fn tells(faults: &[Fault], pointer: &str, word: &str) {
    assert_eq!(faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(), [pointer], "{faults:#?}");
    assert!(faults[0].sentence.contains(word), "{faults:#?}");
}

#[track_caller]
fn refuses(record: &str, changes: &[(&str, Value)], pointer: &str, word: &str) {
    let faults = changed(record, changes);
    tells(&faults.errors, pointer, word);
    assert!(faults.warnings.is_empty(), "{faults:#?}");
}

#[track_caller]
fn warns(record: &str, changes: &[(&str, Value)], pointer: &str, word: &str) {
    let faults = changed(record, changes);
    tells(&faults.warnings, pointer, word);
    assert!(faults.errors.is_empty(), "{faults:#?}");
}

#[track_caller]
fn accepts(record: &str, changes: &[(&str, Value)]) {
    assert_eq!(changed(record, changes), Faults::default());
}

const INFUSION: &str = "case-01/03-dosing-session-1.json";
const INJECTION: &str = "case-02/03-dosing-session-1.json";
const INTAKE: &str = "case-01/01-intake.json";
const BASELINE: &str = "case-01/02-outcome-baseline.json";

#[test]
fn a_push_needs_neither_rate_nor_end_and_an_infusion_needs_both() {
    let push = [("/doses/0/push", json!(true)), ("/doses/0/rate", json!(null)), ("/doses/0/end", json!(null))];
    accepts(INFUSION, &push);
    refuses(INFUSION, &push[1..2], "/doses/0/rate", "push");
    refuses(INFUSION, &push[2..], "/doses/0/end", "push");
}

#[test]
fn the_rule_for_infusions_holds_for_ketamine_by_code_and_not_for_other_medicines() {
    let no_rate = ("/doses/0/rate", json!(null));
    let ketamine = json!({"text": "Ketalar", "codes": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6130"}]});
    refuses(INFUSION, &[no_rate.clone(), ("/doses/0/medicine", ketamine)], "/doses/0/rate", "push");
    accepts(INFUSION, &[no_rate, ("/doses/0/medicine", json!({"text": "magnesium sulfate"}))]);
}

#[test]
fn a_completed_dose_needs_an_amount() {
    refuses(INJECTION, &[("/doses/1/dose", json!(null))], "/doses/1/dose", "volume");
}

#[test]
fn a_volume_of_known_strength_is_an_amount() {
    // 0.25 mL of 100 mg/mL is 25 mg.
    let quarter = ("/doses/1/volume", json!({"value": 0.25, "unit": "mL"}));
    accepts(INJECTION, &[("/doses/1/dose", json!(null)), quarter.clone()]);
    refuses(
        INJECTION,
        &[("/doses/1/dose", json!(null)), quarter, ("/doses/1/product", json!(null))],
        "/doses/1/product",
        "strength",
    );
}

#[test]
fn a_computed_dose_of_zero_is_no_dose() {
    let volume = |value: &str| {
        let value: Value = serde_json::from_str(value).expect("a number");
        [("/doses/1/dose", json!(null)), ("/doses/1/volume", json!({"value": value, "unit": "mL"}))]
    };
    // The product has 100 mg/mL.
    refuses(INJECTION, &volume("0.000000004"), "/doses/1/volume", "The computed dose is zero");
    accepts(INJECTION, &volume("0.000000005"));
}

#[test]
fn a_dose_not_given_has_a_reason_and_no_amount() {
    let not_done = ("/doses/1/status", json!("not-done"));
    let reason = ("/doses/1/statusReasons", json!([{"term": "no-escort"}]));
    accepts(
        INJECTION,
        &[not_done.clone(), reason.clone(), ("/doses/1/dose", json!(null)), ("/doses/1/route", json!(null))],
    );
    refuses(INJECTION, &[not_done.clone(), reason], "/doses/1/dose", "not given");
    refuses(INJECTION, &[not_done, ("/doses/1/dose", json!(null))], "/doses/1/statusReasons", "statusReasons");
}

#[test]
fn a_dose_that_was_held_needs_a_reason() {
    refuses(INJECTION, &[("/doses/1/status", json!("on-hold"))], "/doses/1/statusReasons", "statusReasons");
}

#[test]
fn a_route_is_needed_for_a_dose_that_was_given() {
    refuses(INJECTION, &[("/doses/0/route", json!(null))], "/doses/0/route", "not given");
}

#[test]
fn minutes_in_the_mouth_belong_to_the_mouth() {
    refuses(INJECTION, &[("/doses/0/holdMinutes", json!(12))], "/doses/0/holdMinutes", "sublingual");
    accepts(INJECTION, &[("/doses/0/holdMinutes", json!(12)), ("/doses/0/route", json!({"term": "sublingual"}))]);
}

#[test]
fn two_doses_do_not_have_one_number() {
    refuses(INJECTION, &[("/doses/1/sequence", json!(1))], "/doses/1/sequence", "same number");
}

#[test]
fn five_percent_between_weight_and_dose_is_silent_and_more_warns() {
    // 0.5 mg/kg x 82.4 kg = 41.2 mg. Of 43.36 mg, 5 % are 2.168 mg, and 43.36 - 41.2 = 2.16 mg; of 43.38 mg, 2.169 and 2.18.
    let no_rate = ("/doses/0/rate", json!({"value": 1.08, "unit": "mg/min"}));
    accepts(INFUSION, &[("/doses/0/dose/value", number("43.36")), no_rate.clone()]);
    warns(INFUSION, &[("/doses/0/dose/value", number("43.38")), no_rate], "/doses/0/dosePerWeight", "41.2 mg");
}

#[test]
fn the_rate_is_reckoned_in_each_of_its_units() {
    // 41.2 mg in 40 minutes: 61.8 mg/h; with 82.4 kg 0.75 mg/kg/h; with 50 mg/mL 1.236 mL/h.
    for (rate, tenfold, unit) in [("61.8", "618", "mg/h"), ("0.75", "7.5", "mg/kg/h"), ("1.236", "12.36", "mL/h")] {
        let rate_of = |digits| [("/doses/0/rate", json!({"value": number(digits), "unit": unit}))];
        accepts(INFUSION, &rate_of(rate));
        warns(INFUSION, &rate_of(tenfold), "/doses/0/rate", "over 40 running minutes is 412 mg");
    }
}

#[test]
fn the_dose_is_reckoned_in_each_of_its_units() {
    for (value, unit) in [("41200", "ug"), ("0.0412", "g")] {
        accepts(INFUSION, &[("/doses/0/dose", json!({"value": number(value), "unit": unit}))]);
    }
    let faults = changed(INFUSION, &[("/doses/0/dose/unit", json!("g"))]);
    assert_eq!(
        faults.warnings.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(),
        ["/doses/0/dosePerWeight", "/doses/0/rate"]
    );
}

#[test]
fn a_pause_does_not_run() {
    let pause = json!([{"start": "2026-02-02T10:10:00-05:00", "end": "2026-02-02T10:30:00-05:00"}]);
    let longer = ("/doses/0/end", json!("2026-02-02T11:00:00-05:00"));
    accepts(INFUSION, &[longer.clone(), ("/doses/0/pauses", pause)]);
    warns(INFUSION, &[longer], "/doses/0/rate", "60 running minutes");
}

#[test]
fn times_are_compared_by_their_instants() {
    // 15:40Z is 10:40-05:00.
    accepts(INFUSION, &[("/doses/0/end", json!("2026-02-02T15:40:00Z"))]);
    refuses(INFUSION, &[("/contact/end", json!("2026-02-02T12:00:00+01:00"))], "/contact/end", "before `start`");
}

#[test]
fn days_that_are_not_on_the_calendar_are_refused() {
    refuses(
        INFUSION,
        &[("/doses/0/product/expirationDate", json!("2027-02-29"))],
        "/doses/0/product/expirationDate",
        "calendar",
    );
    refuses(INTAKE, &[("/indications/0/onset", json!("2024-11-31"))], "/indications/0/onset", "calendar");
    refuses(INFUSION, &[("/recordedAt", json!("2026-02-29T10:00:00-05:00"))], "/recordedAt", "date and time");
}

#[test]
fn partial_days_are_compared_as_far_as_both_are_known() {
    accepts(INTAKE, &[("/medications/0/start", json!("2025-03")), ("/medications/0/end", json!("2025"))]);
    refuses(INTAKE, &[("/medications/0/end", json!("2025-02-28"))], "/medications/0/end", "before `start`");
}

#[test]
fn what_the_patient_measured_alone_has_no_performer() {
    refuses(INFUSION, &[("/vitals/0/selfReported", json!(true))], "/vitals/0/selfReported", "excludes");
}

#[test]
fn an_event_that_goes_on_has_no_end() {
    refuses(INJECTION, &[("/adverseEvents/0/outcome", json!("ongoing"))], "/adverseEvents/0/resolvedAt", "resolved");
}

#[test]
fn a_laboratory_result_says_something_in_one_unit() {
    refuses(
        INTAKE,
        &[("/labs/0", json!({"test": {"term": "urinalysis"}, "at": "2026-01-20T08:30:00-05:00"}))],
        "/labs/0/value",
        "finding",
    );
    refuses(INTAKE, &[("/labs/0/referenceHigh/unit", json!("mg/dL"))], "/labs/0/referenceHigh/unit", "unit");
    refuses(INTAKE, &[("/labs/0/referenceLow/value", json!(50))], "/labs/0/referenceHigh", "below");
}

#[test]
fn ketamine_that_was_never_taken_has_no_last_use() {
    refuses(INTAKE, &[("/priorKetamine/lastUse", json!("2020"))], "/priorKetamine/lastUse", "exposed");
}

#[test]
fn a_result_says_something() {
    refuses(BASELINE, &[("/results/2", json!({"instrument": "madrs"}))], "/results/2", "score");
    refuses(BASELINE, &[("/results/3/score", json!(1))], "/results/3/score", "no total");
}

#[test]
fn items_are_those_of_the_instrument_each_once() {
    refuses(BASELINE, &[("/results/0/items/8/item", json!("8"))], "/results/0/items/8/item", "more than once");
    refuses(BASELINE, &[("/results/0/items/8/item", json!("10"))], "/results/0/items/8/item", "no such item");
    refuses(BASELINE, &[("/results/1/items/6/item", json!("difficulty"))], "/results/1/items/6/item", "no such item");
    refuses(BASELINE, &[("/results/0/items/0/answer", json!(4))], "/results/0/items/0/answer", "from 0 to 3");
    refuses(BASELINE, &[("/results/3/items/0/answer", json!(2))], "/results/3/items/0/answer", "from 0 to 1");
    refuses(BASELINE, &[("/results/0/items/0/answer", number("3.0"))], "/results/0/items/0/answer", "decimal point");
}

#[test]
fn licensed_instruments_carry_totals_only() {
    let items = json!({"instrument": "bdi-ii", "score": 20, "items": [{"item": "1", "answer": 1}]});
    refuses(BASELINE, &[("/results/2", items)], "/results/2/items", "licence");
    accepts(BASELINE, &[("/results/2", json!({"instrument": "bdi-ii", "score": 20}))]);
}

#[test]
fn every_instrument_with_a_sum_is_summed() {
    // WHO-5: raw points times four are the percentage.
    let items = json!([{"item": "1", "answer": 1}, {"item": "2", "answer": 2}, {"item": "3", "answer": 2}, {"item": "4", "answer": 3}, {"item": "5", "answer": 1}]);
    accepts(BASELINE, &[("/results/2", json!({"instrument": "who-5-raw", "score": 9, "items": items}))]);
    accepts(BASELINE, &[("/results/2", json!({"instrument": "who-5-percent", "score": 36, "items": items}))]);
    refuses(
        BASELINE,
        &[("/results/2", json!({"instrument": "who-5-percent", "score": 9, "items": items}))],
        "/results/2/score",
        "make 36",
    );
    refuses(BASELINE, &[("/results/1/score", json!(13))], "/results/1/score", "make 14");
}

#[test]
fn a_t_score_keeps_to_no_range_of_raw_points() {
    let t_score = |method: &str| json!({"instrument": "proqol-bo", "score": 57, "method": method});
    accepts(BASELINE, &[("/results/2", t_score("T-score"))]);
    refuses(BASELINE, &[("/results/2", t_score("raw"))], "/results/2/score", "from 10 to 50");
}

#[test]
fn a_range_that_nobody_verified_is_not_enforced() {
    accepts(BASELINE, &[("/results/2", json!({"instrument": "bpic-ss", "score": 39}))]);
}

#[test]
fn the_record_id_is_that_of_the_path() {
    let record = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(BASELINE));
    let kind = kind_of(&record);
    assert!(check(&CONTRACT, kind, &record, Some("case01-outcome-baseline")).errors.is_empty());
    tells(&check(&CONTRACT, kind, &record, Some("another")).errors, "/source/recordId", "path");
}

#[test]
fn the_suitability_of_anybody_but_the_suitable_has_reasons() {
    let accepted =
        [("/suitability/decision", json!("not-suitable")), ("/suitability/reasons", json!([{"term": "hypertension"}]))];
    accepts(INTAKE, &accepted);
    refuses(INTAKE, &accepted[..1], "/suitability/reasons", "reasons");
}

#[test]
fn a_form_that_a_field_has_for_itself_is_told_in_words() {
    refuses(INTAKE, &[("/patient/language", json!("English"))], "/patient/language", "language tag");
    refuses(INFUSION, &[("/doses/0/product/ndc", json!("1"))], "/doses/0/product/ndc", "National Drug Code");
    refuses(INTAKE, &[("/patient/identifiers/0/value", json!(" 1"))], "/patient/identifiers/0/value", "white space");
}

/// A number with exactly these digits.
fn number(digits: &str) -> Value {
    Value::Number(digits.parse().expect("digits"))
}
