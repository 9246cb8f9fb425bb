//! Generated answers and scores: items that add up, totals of licensed instruments, scores that follow the course.

use super::case::{Case, THERAPIST, THERAPY, set, set_list};
use jiff::civil::Date;
use serde_json::{Value, json};

/// Instrument, items, most points of an item; no items: only the total is sent. Then most points of the total.
const DEPRESSION: [(&str, i64, i64, i64); 5] =
    [("madrs", 0, 6, 60), ("ham-d17", 0, 0, 52), ("bdi-ii", 0, 0, 63), ("isi", 7, 4, 28), ("who-5-raw", 5, 5, 25)];

/// Points spread over items so that they add up: each item takes what it can.
fn items(case: &mut Case, count: i64, most: i64, total: i64) -> Vec<Value> {
    let mut left = total;
    (1..=count)
        .map(|item| {
            let behind = count - item;
            let (least, highest) = ((left - behind * most).max(0), left.min(most));
            let answer = case.chance.between(least, highest);
            left -= answer;
            json!({ "item": item.to_string(), "answer": answer })
        })
        .collect()
}

/// A scored instrument with its items.
fn scored(case: &mut Case, instrument: &str, count: i64, most: i64, total: i64) -> Value {
    let mut result = json!({ "id": instrument, "instrument": instrument, "score": total });
    set_list(&mut result, "items", items(case, count, most, total));
    let clinician = matches!(instrument, "madrs" | "ham-d17");
    set(&mut result, "answeredBy", json!(if clinician { "clinician" } else { "patient" }));
    if clinician {
        set(&mut result, "performer", case.professional(THERAPIST));
    }
    result
}

/// The screens of an intake.
pub fn screens(case: &mut Case) -> Vec<Value> {
    let alcohol = case.chance.between(0, 8);
    let mut results = vec![scored(case, "audit-c", 3, 4, alcohol), suicide_screen(case)];
    if case.chance.percent(25) {
        results.push(json!({ "id": "moca", "instrument": "moca", "score": case.chance.between(22, 30) }));
    }
    results
}

/// The C-SSRS screener, with the tier of its answers.
fn suicide_screen(case: &mut Case) -> Value {
    let depth = match case.chance.between(1, 100) {
        1..=60 => 0,
        61..=80 => 1,
        81..=92 => 2,
        93..=97 => 3,
        _ => 4,
    };
    let lifetime = case.chance.percent(8);
    let mut items: Vec<Value> =
        (1..=5).map(|item| json!({ "item": item.to_string(), "answer": i64::from(item <= depth) })).collect();
    items.push(json!({ "item": "6-lifetime", "answer": i64::from(lifetime) }));
    items.push(json!({ "item": "6-3-months", "answer": 0 }));
    let tier = match (depth, lifetime) {
        (4.., _) => "high",
        (3, _) | (_, true) => "moderate",
        (_, false) => "low",
    };
    json!({
        "id": "c-ssrs", "instrument": "c-ssrs-screener", "items": items, "riskLevel": tier,
        "method": "Columbia screener triage, item 4 high", "answeredBy": "clinician",
        "performer": case.professional(THERAPIST),
    })
}

/// The scores with which the course began, and which instruments it uses.
pub struct Baseline {
    phq9: i64,
    gad7: i64,
    /// Instrument, items, most points of an item, score.
    other: (&'static str, i64, i64, i64),
    pcl5: Option<i64>,
}

pub fn baseline(case: &mut Case, indication: &str) -> Baseline {
    let (name, count, most, top) = case.chance.pick(&DEPRESSION);
    let share = if name == "who-5-raw" { (15, 45) } else { (35, 75) };
    Baseline {
        phq9: case.chance.between(9, 26),
        gad7: case.chance.between(5, 20),
        other: (name, count, most, top * case.chance.between(share.0, share.1) / 100),
        pcl5: (indication == "ptsd").then(|| case.chance.between(33, 72)),
    }
}

/// An outcome record; `progress` is the share of the course that lies behind, in percent.
pub fn outcome(case: &mut Case, day: Date, id: &str, phase: &str, baseline: &Baseline, progress: i64) -> Value {
    let at = case.at(day, 15 * 60);
    let mut record = case.record("outcome", THERAPY, id, &case.at(day, 15 * 60 + 40), THERAPIST);
    set(&mut record, "at", json!(at));
    set(&mut record, "phase", json!(phase));
    let is_baseline = phase == "baseline";
    let mut results = Vec::new();
    // Most get better, some do not.
    let fall = if case.chance.percent(80) { progress * case.chance.between(30, 90) / 100 } else { 0 };
    let now = |score: i64| (score * (100 - fall) / 100).max(0);
    let known = json!({ "recordId": case.record_id("outcome-baseline") });
    let mut add = |case: &mut Case, name: &str, count: i64, most: i64, first: i64, score: i64| {
        let mut result = scored(case, name, count, most, score);
        if !is_baseline {
            set(&mut result, "baseline", json!({ "score": first, "record": known }));
        }
        results.push(result);
    };
    add(case, "phq-9", 9, 3, baseline.phq9, now(baseline.phq9));
    if is_baseline || case.chance.percent(60) {
        add(case, "gad-7", 7, 3, baseline.gad7, now(baseline.gad7));
    }
    let (name, count, most, first) = baseline.other;
    if is_baseline || case.chance.percent(50) {
        let better_is_more = name == "who-5-raw";
        let score = if better_is_more { (first + fall / 8).min(25) } else { now(first) };
        add(case, name, count, most, first, score);
    }
    if let Some(first) = baseline.pcl5 {
        add(case, "pcl-5", 20, 4, first, now(first));
    }
    if is_baseline {
        results.push(suicide_screen(case));
    } else if case.chance.percent(3) {
        // An answer is missing: no total can be computed (decision D-14).
        if let Some(first) = results.first_mut().and_then(Value::as_object_mut) {
            first.shift_remove("score");
            first.shift_remove("baseline");
            if let Some(items) = first.get_mut("items").and_then(Value::as_array_mut) {
                items.pop();
            }
        }
    }
    set_list(&mut record, "results", results);
    record
}
