//! What goes wrong in a generated session, and what was done about it.

use super::case::{Case, NURSE, PRESCRIBER, THERAPIST, set, set_list};
use super::chance::quantity;
use jiff::civil::Date;
use serde_json::{Value, json};

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
/// Name, RxNorm ingredient, mg.
type Rescue = (&'static str, &'static str, i64);
/// What happened, its category, and the rescue medicine, where one is given.
const EVENTS: [(&str, &str, Option<Rescue>); 31] = [
    ("nausea", "medical", Some(("ondansetron", "26225", 4))),
    ("vomiting", "medical", Some(("ondansetron", "26225", 8))),
    ("raised-blood-pressure", "medical", Some(("labetalol", "6185", 10))),
    ("headache", "medical", None),
    ("low-blood-pressure", "medical", None),
    ("tachycardia", "medical", None),
    ("bradycardia", "medical", None),
    ("palpitations", "medical", None),
    ("chest-pain", "medical", None),
    ("hypoxia", "medical", None),
    ("apnoea", "medical", None),
    ("sedation", "medical", None),
    ("loss-of-consciousness", "medical", None),
    ("syncope", "medical", None),
    ("diplopia", "medical", None),
    ("nystagmus", "medical", None),
    ("anaphylaxis", "medical", Some(("diphenhydramine", "3498", 50))),
    ("dysuria", "medical", None),
    ("urinary-frequency", "medical", None),
    ("agitation", "emotional", Some(("midazolam", "6960", 2))),
    ("acute-confusion", "emotional", None),
    ("hallucinations", "emotional", None),
    ("delirium", "emotional", None),
    ("suicidal-thoughts", "emotional", None),
    ("prolonged-dissociation", "emotional", None),
    ("boundary-concern", "emotional", None),
    ("dizziness", "medical", None),
    ("anxiety", "emotional", None),
    ("panic-attack", "emotional", Some(("lorazepam", "6470", 1))),
    ("challenging-experience", "emotional", None),
    ("trauma-reactivation", "emotional", None),
];

/// Adds adverse events to some sessions, and to every one that was stopped.
pub fn events(case: &mut Case, record: &mut Value, day: Date, first_dose: i64, was_stopped: bool) {
    if !was_stopped && !case.chance.percent(16) {
        return;
    }
    let mut events = Vec::new();
    let mut rescues = Vec::new();
    let mut supports = Vec::new();
    let count = if case.chance.percent(20) { 2 } else { 1 };
    for number in 1..=count {
        let (term, category, rescue) = case.chance.pick(&EVENTS);
        let id = format!("event-{number}");
        let start = first_dose + case.chance.between(5, 30) + number;
        let severity = case.chance.pick(&["mild", "mild", "moderate", "severe"]);
        let mut event = json!({
            "id": id, "event": { "term": term }, "category": category, "at": case.at(day, start),
            "severity": severity, "seriousness": "non-serious", "suspectDose": "dose-1",
            "recorder": case.professional(NURSE),
        });
        if case.chance.percent(93) {
            let end = start + case.chance.between(10, 70);
            set(&mut event, "outcome", json!("resolved"));
            set(&mut event, "resolvedAt", json!(case.at(day, end)));
        } else {
            set(&mut event, "outcome", json!("recovering"));
        }
        events.push(event);
        if let Some((name, code, milligrams)) = rescue.filter(|_| severity != "mild") {
            rescues.push(json!({
                "id": format!("rescue-{number}"),
                "medicine": { "text": name, "codes": [{ "system": RXNORM, "code": code }] },
                "dose": quantity(milligrams, 0, "mg"), "route": { "term": "intravenous" },
                "at": case.at(day, start + 2), "performer": case.professional(PRESCRIBER), "forAdverseEvent": id,
            }));
        }
        if category == "emotional" {
            supports.push(json!({
                "id": format!("support-{number}"), "measure": case.chance.pick(&["grounding", "reassurance", "environment-adjustment"]),
                "at": case.at(day, start + 1), "performer": case.professional(THERAPIST), "forAdverseEvent": id,
            }));
        }
    }
    set_list(record, "adverseEvents", events);
    set_list(record, "rescueMedications", rescues);
    set_list(record, "supportMeasures", supports);
}
