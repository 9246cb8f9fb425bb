//! Generated talk before, between and after doses: preparation, check-ins, the end of the course.

use super::case::{Case, MEDICAL, PRESCRIBER, THERAPIST, THERAPY, later, set, set_list};
use super::chance::quantity;
use super::talk;
use jiff::civil::Date;
use serde_json::{Value, json};

const UNWANTED: [&str; 5] = ["headache", "nausea", "anxiety", "dizziness", "trauma-reactivation"];
const REASONS: [&str; 5] = ["goal-met", "goal-met", "no-benefit", "patient-choice", "cost"];

/// A session before the first dose.
pub fn preparation(case: &mut Case, day: Date) -> Value {
    let mut record =
        case.record("preparation-session", THERAPY, "preparation-1", &case.at(day, 15 * 60 + 10), THERAPIST);
    let setting = case.chance.pick(&["clinic", "telehealth"]);
    set(&mut record, "contact", case.contact(day, 14 * 60, 60, setting, &[(THERAPIST, "therapist")]));
    talk::format(case, &mut record);
    let mut activities = vec![json!({ "id": "education", "activity": "psychoeducation" })];
    activities.push(json!({
        "id": "expectations", "activity": "expectation-setting", "performer": case.professional(THERAPIST),
        "note": "Hopes and limits talked through.",
    }));
    set_list(&mut record, "activities", activities);
    if case.chance.percent(60) {
        let mut intention = json!({ "text": case.chance.pick(&["To rest.", "To forgive.", "To look at it."]) });
        set(&mut intention, "restricted", case.chance.percent(20).then(|| json!(true)));
        set(&mut record, "intention", intention);
    }
    let setting = json!({
        "music": "Instrumental playlist", "eyeshades": case.chance.percent(70), "touchPreference": "Only when asked for"
    });
    set(&mut record, "setAndSetting", setting);
    let summary = json!({ "id": "summary", "text": "Informed and prepared.", "date": case.at(day, 15 * 60) });
    set(&mut record, "summary", summary);
    record
}

/// A call after the dosing session with that number, where there is one.
pub fn check_in(case: &mut Case, session: Date, dosing: i64) -> Option<Value> {
    if !case.chance.percent(35) {
        return None;
    }
    let (timing, days) = case.chance.pick(&[("24-hours", 1), ("72-hours", 3), ("7-days", 7)]);
    let day = later(session, days);
    let id = format!("check-in-{dosing}");
    let mut record = case.record("check-in", THERAPY, &id, &case.at(day, 11 * 60), THERAPIST);
    set(&mut record, "at", json!(case.at(day, 10 * 60 + 30)));
    set(&mut record, "timing", json!(timing));
    set(&mut record, "follows", json!({ "system": MEDICAL, "recordId": case.record_id(&format!("dosing-{dosing}")) }));
    if case.chance.percent(70) {
        set(&mut record, "contact", case.contact(day, 10 * 60 + 30, 20, "telehealth", &[(THERAPIST, "therapist")]));
        set(&mut record, "visit", json!("telephone"));
    }
    let is_unwell = case.chance.percent(20);
    let mut answers = json!({
        "mood": case.chance.between(2, 9), "sleep": case.chance.between(2, 9), "adverseEvent": is_unwell,
        "answeredBy": "patient",
    });
    if is_unwell {
        set_list(&mut answers, "adverseEvents", vec![json!(case.chance.pick(&UNWANTED))]);
    }
    let is_in_danger = case.chance.percent(3);
    set(&mut answers, "suicidalThoughts", json!(is_in_danger));
    set(&mut record, "answers", answers);
    if is_in_danger {
        let message = json!({
            "id": "alert", "category": "alert", "status": "completed", "topic": "suicidal-thoughts", "medium": "phone",
            "sentAt": case.at(day, 10 * 60 + 55), "sender": { "practitioner": case.professional(THERAPIST) },
            "recipients": [{ "practitioner": case.professional(PRESCRIBER) }],
        });
        set_list(&mut record, "communications", vec![message]);
    }
    if timing != "7-days" {
        let next = json!({
            "id": "day-7", "timing": "7-days", "due": case.at(later(session, 7), 10 * 60 + 30), "status": "requested",
            "owner": case.professional(THERAPIST),
        });
        set_list(&mut record, "scheduled", vec![next]);
    }
    Some(record)
}

/// The end of most courses, some after a pause.
pub fn closures(case: &mut Case, day: Date) -> Vec<Value> {
    let mut records = Vec::new();
    if case.chance.percent(10) {
        let mut pause = closure(case, day, 1, "pause");
        set(&mut pause, "reason", json!({ "text": "Travels for a month" }));
        records.push(pause);
        if case.chance.percent(60) {
            records.push(closure(case, later(day, 21), 3, "resume"));
        }
    }
    if case.chance.percent(75) {
        let day = later(day, 30);
        let mut end = closure(case, day, 2, "end");
        let reason = case.chance.pick(&REASONS);
        set(&mut end, "reason", json!({ "term": reason }));
        set(&mut end, "planCarriedOut", json!(matches!(reason, "goal-met" | "no-benefit")));
        set(&mut end, "contact", case.contact(day, 10 * 60, 40, "clinic", &[(PRESCRIBER, "prescriber")]));
        if case.chance.percent(40) {
            let enzyme = json!({
                "id": "alt", "test": { "term": "alt" }, "at": case.at(day, 8 * 60),
                "value": quantity(case.chance.between(12, 60), 0, "U/L"), "referenceHigh": quantity(40, 0, "U/L"),
            });
            set_list(&mut end, "labs", vec![enzyme]);
        }
        if case.chance.percent(30) {
            let service = case.chance.pick(&["primary-care", "psychiatrist", "psychotherapist", "psychiatry-service"]);
            let referral = json!({
                "id": "onward", "service": service, "referredAt": case.at(day, 10 * 60 + 35), "priority": "routine",
            });
            set_list(&mut end, "referrals", vec![referral]);
        }
        if case.chance.percent(3) {
            let concern = json!({
                "status": "active", "since": case.at(day, 10 * 60 + 20), "recorder": case.professional(PRESCRIBER),
                "text": "Asked for early refills twice",
            });
            set(&mut end, "misuseConcern", concern);
        }
        set(&mut end, "followUpPlan", json!("Psychotherapy goes on; a call in three months."));
        let text = "Course over. Benefit and open questions told to those who treat the patient next.";
        set(&mut end, "summary", json!({ "id": "summary", "text": text, "date": case.at(day, 10 * 60 + 45) }));
        records.push(end);
    }
    records
}

/// What follows a decision against treatment, or one that is put off: the patient is told, and the course is cancelled.
pub fn turned_down(case: &mut Case, decision: &str) -> Vec<Value> {
    let day = later(case.intake, 3);
    let mut told = case.record("check-in", MEDICAL, "check-in-0", &case.at(day, 11 * 60), PRESCRIBER);
    set(&mut told, "at", json!(case.at(day, 10 * 60 + 30)));
    set(&mut told, "timing", json!("other"));
    let message = json!({
        "id": "decision", "category": "notification", "status": "completed", "topic": "suitability", "medium": "phone",
        "sentAt": case.at(day, 10 * 60 + 30), "sender": { "practitioner": case.professional(PRESCRIBER) },
        "recipients": [{ "patient": true }],
    });
    set_list(&mut told, "communications", vec![message]);
    let mut records = vec![told];
    if decision != "deferred" {
        let reason = if decision == "withdrawn-by-patient" { "patient-choice" } else { "contraindication" };
        let mut cancelled = closure(case, later(day, 1), 1, "cancel");
        set(&mut cancelled, "reason", json!({ "term": reason }));
        records.push(cancelled);
    }
    records
}

fn closure(case: &Case, day: Date, number: i64, change: &str) -> Value {
    let id = format!("closure-{number}");
    let mut record = case.record("course-closure", MEDICAL, &id, &case.at(day, 11 * 60), PRESCRIBER);
    set(&mut record, "at", json!(case.at(day, 10 * 60 + 30)));
    set(&mut record, "change", json!(change));
    set(&mut record, "intake", json!({ "recordId": case.record_id("intake") }));
    set(&mut record, "decidedBy", case.professional(PRESCRIBER));
    record
}
