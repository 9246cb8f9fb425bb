//! Generated talk: the integration session.

use super::case::{Case, MEDICAL, THERAPIST, THERAPY, later, set, set_list};
use jiff::civil::Date;
use serde_json::{Value, json};

const MODALITIES: [&str; 8] =
    ["cognitive-behavioral", "emdr", "somatic", "ifs", "act", "mindfulness", "psychodynamic", "narrative"];
const THEMES: [&str; 10] = [
    "self-compassion",
    "grief",
    "trauma-processing",
    "identity",
    "relationships",
    "meaning-purpose",
    "spirituality",
    "professional-values",
    "embodiment",
    "fear",
];

/// The format of a session of talk.
pub fn format(case: &mut Case, record: &mut Value) -> &'static str {
    let format = match case.chance.between(1, 100) {
        1..=7 => "group",
        8..=11 => "couple",
        _ => "individual",
    };
    set(record, "format", json!(format));
    if format == "group" {
        let group = json!({ "pseudonym": case.identifier("talk-group-member"), "size": case.chance.between(3, 8) });
        set(record, "group", group);
    }
    format
}

/// The integration of the dosing session with that number.
pub fn integration(case: &mut Case, day: Date, dosing: i64) -> Value {
    let id = format!("integration-{dosing}");
    let written = case.at(day, 15 * 60 + 5);
    let mut record = case.record("integration-session", THERAPY, &id, &case.at(day, 15 * 60 + 10), THERAPIST);
    let setting = case.chance.pick(&["clinic", "telehealth"]);
    set(&mut record, "contact", case.contact(day, 14 * 60, 60, setting, &[(THERAPIST, "therapist")]));
    let format = format(case, &mut record);
    let integrated = json!({ "system": MEDICAL, "recordId": case.record_id(&format!("dosing-{dosing}")) });
    set_list(&mut record, "integrates", vec![integrated]);
    set_list(&mut record, "modalities", vec![json!({ "term": case.chance.pick(&MODALITIES) })]);
    let first = case.chance.between(0, 9);
    let chosen = (0..case.chance.between(1, 3)).map(|step| (first + step * 3) % 10);
    let themes =
        chosen.filter_map(|place| THEMES.get(usize::try_from(place).ok()?)).map(|theme| json!(theme)).collect();
    set_list(&mut record, "themes", themes);
    if case.chance.percent(50) {
        let mut insight = json!({ "id": "insight", "text": case.chance.pick(&["I may rest.", "It was not my fault.", "I miss her."]) });
        set(&mut insight, "restricted", case.chance.percent(20).then(|| json!(true)));
        set_list(&mut record, "insights", vec![insight]);
    }
    if case.chance.percent(50) {
        let homework = json!({
            "id": "homework", "description": "Ten minutes of writing each evening", "status": "requested",
            "due": later(day, 7).to_string(),
        });
        set_list(&mut record, "homework", vec![homework]);
    }
    let step = case.chance.pick(&["continue", "continue", "continue", "adjust-dose", "change-route", "pause"]);
    set(&mut record, "nextStep", json!({ "step": step }));
    let summary = json!({
        "id": "summary", "title": "Integration summary", "date": written, "author": case.professional(THERAPIST),
        "text": "Oriented and calm. Worked with what came up. No thoughts of suicide. Next session as planned.",
    });
    set(&mut record, "summary", summary);
    if format == "group" {
        let note = json!({ "id": "group-note", "text": "Took part and listened.", "date": written });
        set(&mut record, "groupNote", note);
    }
    if case.chance.percent(30) {
        let note = json!({
            "exists": true, "identifier": case.identifier(&format!("note-{dosing}")), "date": written,
            "author": case.professional(THERAPIST),
        });
        set(&mut record, "psychotherapyNote", note);
    }
    record
}
