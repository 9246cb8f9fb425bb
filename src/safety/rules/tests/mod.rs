//! The safety room: the rules over hand-made resources. One complete course in which nothing fires; each test changes or
//! takes away one fact.

mod course;
mod doses;
mod monitoring;
mod patient;
mod unknown;

use crate::safety::facts::{Facts, Stored};
use crate::safety::finding::{State, Verdict};
use crate::safety::judge;
use crate::safety::ruleset::{RuleId, Ruleset, Severity};
use serde_json::{Value, json};

const SCT: &str = "http://snomed.info/sct";
const RX: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const LOINC: &str = "http://loinc.org";
const KAP: &str = "https://kap-gateway.example.org/fhir/CodeSystem/kap";
const EXTENSION: &str = "https://kap-gateway.example.org/fhir/StructureDefinition/";
/// A year after the course, so that everything that can be due is.
const LATER: &str = "2027-02-02T10:00:00Z";

fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

fn quantity(value: &str, unit: &str) -> Value {
    let value: Value = serde_json::from_str(value).expect("a number");
    json!({ "value": value, "code": unit })
}

fn extension(name: &str, kind: &str, value: Value) -> Value {
    json!({ "url": format!("{EXTENSION}{name}"), kind: value })
}

fn at(day: &str, time: &str) -> String {
    format!("{day}T{time}:00-05:00")
}

fn condition(id: &str, system: &str, code: &str, status: &str) -> Value {
    json!({ "resourceType": "Condition", "id": id, "code": concept(system, code),
            "clinicalStatus": { "coding": [{ "code": status }] } })
}

fn medicine(id: &str, code: &str) -> Value {
    json!({ "resourceType": "MedicationStatement", "id": id, "status": "active",
            "medicationCodeableConcept": concept(RX, code) })
}

fn lab(id: &str, day: &str, code: &str, value: &str, high: &str) -> Value {
    json!({ "resourceType": "Observation", "id": id, "status": "final", "code": concept(LOINC, code),
            "effectiveDateTime": at(day, "08:00"), "valueQuantity": quantity(value, "U/L"),
            "referenceRange": [{ "high": quantity(high, "U/L") }] })
}

fn told(id: &str, system: &str, code: &str, kind: &str, value: Value) -> Value {
    json!({ "resourceType": "Observation", "id": id, "status": "final", "code": concept(system, code),
            "effectiveDateTime": "2026-01-26T10:00:00-05:00", kind: value })
}

fn phq9(id: &str, day: &str, item9: &str, total: &str) -> Vec<Value> {
    vec![
        json!({ "resourceType": "QuestionnaireResponse", "id": format!("{id}-answers"), "status": "completed",
                "authored": at(day, "08:30"),
                "item": [{ "linkId": "/44260-8", "answer": [{ "valueCoding": { "system": LOINC, "code": item9 } }] }] }),
        json!({ "resourceType": "Observation", "id": id, "status": "final", "code": concept(LOINC, "44261-6"),
                "effectiveDateTime": at(day, "08:30"), "valueQuantity": quantity(total, "{score}") }),
    ]
}

fn vital(id: &str, session: &str, when: &str, code: &str, value: &str) -> Value {
    json!({ "resourceType": "Observation", "id": id, "status": "final", "code": concept(LOINC, code),
            "partOf": [{ "reference": format!("Procedure/{session}") }], "effectiveDateTime": when,
            "valueQuantity": quantity(value, "1") })
}

fn pressure(id: &str, session: &str, when: &str, systolic: &str, diastolic: &str) -> Value {
    let part = |code, value| json!({ "code": concept(LOINC, code), "valueQuantity": quantity(value, "mm[Hg]") });
    json!({ "resourceType": "Observation", "id": id, "status": "final", "code": concept(LOINC, "85354-9"),
            "partOf": [{ "reference": format!("Procedure/{session}") }], "effectiveDateTime": when,
            "component": [part("8480-6", systolic), part("8462-4", diastolic)] })
}

fn score(id: &str, session: &str, when: &str, code: &str, value: i64) -> Value {
    json!({ "resourceType": "Observation", "id": id, "status": "final",
            "code": concept("https://kap-gateway.example.org/fhir/CodeSystem/kap-score", code),
            "partOf": [{ "reference": format!("Procedure/{session}") }], "effectiveDateTime": when,
            "valueInteger": value })
}

fn encounter(id: &str, day: &str, from: &str, to: &str, kind: &str) -> Value {
    json!({ "resourceType": "Encounter", "id": id, "status": "finished", "class": { "code": "AMB" },
            "type": [concept(KAP, kind)], "episodeOfCare": [{ "reference": "EpisodeOfCare/course" }],
            "period": { "start": at(day, from), "end": at(day, to) } })
}

/// An infusion of 40 mg over 40 minutes at 80 kg, with everything around it; discharged after two hours.
fn session(day: &str) -> Vec<Value> {
    let id = |what: &str| format!("{what}-{day}");
    let session = id("session");
    let mut found = vec![
        json!({ "resourceType": "MedicationAdministration", "id": id("dose"), "status": "completed",
                "medicationCodeableConcept": concept(RX, "6130"),
                "partOf": [{ "reference": format!("Procedure/{session}") }],
                "context": { "reference": format!("Encounter/{}", id("contact")) },
                "effectivePeriod": { "start": at(day, "10:00"), "end": at(day, "10:40") },
                "performer": [{ "function": concept("x", "performer"), "actor": { "reference": "Practitioner/nurse" } }],
                "extension": [extension("kap-dose-per-weight", "valueQuantity", quantity("0.5", "mg/kg"))],
                "dosage": { "route": concept(SCT, "47625008"), "dose": quantity("40", "mg"),
                            "rateQuantity": quantity("1", "mg/min") } }),
        json!({ "resourceType": "Procedure", "id": session, "status": "completed",
                "code": concept(KAP, "ketamine-assisted-psychotherapy-session"),
                "encounter": { "reference": format!("Encounter/{}", id("contact")) },
                "performedPeriod": { "start": at(day, "09:30"), "end": at(day, "12:15") } }),
        json!({ "resourceType": "Observation", "id": id("discharge"), "status": "final",
                "partOf": [{ "reference": format!("Procedure/{session}") }],
                "code": concept(KAP, "discharge-ready"), "effectiveDateTime": at(day, "12:05"), "valueBoolean": true }),
        score(&id("moaas"), &session, &at(day, "10:20"), "moaas", 4),
        score(&id("aldrete"), &session, &at(day, "12:00"), "aldrete", 10),
    ];
    let mut contact = encounter(&id("contact"), day, "09:30", "12:15", "dosing-session");
    contact["participant"] = json!([{ "type": [concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "ESC")],
                                      "individual": { "reference": "RelatedPerson/escort" } }]);
    found.push(contact);
    let readings = ["09:45", "10:20", "10:40", "11:05", "11:30", "11:55"];
    for (place, time) in readings.into_iter().enumerate() {
        let when = at(day, time);
        let systolic = ["124", "140", "136", "130", "128", "126"][place];
        found.push(pressure(&id(&format!("bp{place}")), &session, &when, systolic, "80"));
        found.push(vital(&id(&format!("hr{place}")), &session, &when, "8867-4", "80"));
        found.push(vital(&id(&format!("spo2{place}")), &session, &when, "59408-5", "98"));
    }
    found
}

/// Assessed, consented, one infusion, integrated; a man of 40.
fn course() -> Vec<Value> {
    let mut found = vec![
        json!({ "resourceType": "Patient", "id": "p", "birthDate": "1986-01-01", "gender": "male" }),
        json!({ "resourceType": "EpisodeOfCare", "id": "course", "status": "active",
                "managingOrganization": { "reference": "Organization/clinic" } }),
        json!({ "resourceType": "CareTeam", "id": "team", "participant": [
            { "role": [concept("https://kap-gateway.example.org/fhir/CodeSystem/kap-role", "monitoring-nurse")],
              "member": { "reference": "Practitioner/nurse" } },
            { "role": [concept("https://kap-gateway.example.org/fhir/CodeSystem/kap-role", "therapist")],
              "member": { "reference": "Practitioner/therapist" } }] }),
        encounter("intake", "2026-01-26", "10:00", "11:00", "intake"),
        condition("indication", SCT, "191736004", "active"),
        medicine("sertraline", "36437"),
        json!({ "resourceType": "AllergyIntolerance", "id": "no-allergies", "code": concept(SCT, "716186003"),
                "clinicalStatus": { "coding": [{ "code": "active" }] } }),
        json!({ "resourceType": "Consent", "id": "consent", "status": "active",
                "scope": { "coding": [{ "code": "treatment" }] },
                "category": [concept(KAP, "consent-treatment")], "dateTime": at("2026-01-28", "16:30"),
                "provision": { "period": { "start": "2026-01-28", "end": "2027-01-28" } } }),
        json!({ "resourceType": "Observation", "id": "decision", "status": "final",
                "code": concept(KAP, "suitability-decision"), "effectiveDateTime": at("2026-01-28", "16:00"),
                "valueCodeableConcept": concept("x", "suitable") }),
        json!({ "resourceType": "Observation", "id": "weight", "status": "final", "code": concept(LOINC, "29463-7"),
                "effectiveDateTime": at("2026-01-26", "10:05"), "valueQuantity": quantity("80.0", "kg"),
                "encounter": { "reference": "Encounter/intake" } }),
        lab("alt", "2026-01-20", "1742-6", "24", "40"),
        lab("alp", "2026-01-20", "6768-6", "70", "120"),
        lab("ggt", "2026-01-20", "2324-2", "30", "60"),
        encounter("integration", "2026-02-04", "14:00", "15:00", "integration-session"),
        json!({ "resourceType": "QuestionnaireResponse", "id": "c-ssrs", "status": "completed",
                "authored": at("2026-01-28", "15:00"), "item": [
                    { "linkId": "/93246-7", "answer": [{ "valueBoolean": false }] },
                    { "linkId": "/93247-5", "answer": [{ "valueBoolean": false }] },
                    { "linkId": "/93269-9", "answer": [{ "valueBoolean": false }] }] }),
    ];
    found.extend(phq9("phq9", "2026-01-28", "LA6568-5", "15"));
    found.extend(session("2026-02-02"));
    found
}

/// The course with further sessions, and an integration session after them.
fn course_and(sessions: Vec<Value>) -> Vec<Value> {
    let after = encounter("integration-2", "2026-02-13", "14:00", "15:00", "integration-session");
    with(with(course(), sessions), [after])
}

fn facts_of(resources: &[Value], rules: &Ruleset, as_of: &str) -> (Facts, jiff::Timestamp) {
    let as_of = as_of.parse().expect("an instant");
    let stored: Vec<(String, String, Vec<u8>)> = resources
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().expect("a text").to_owned();
            (text("resourceType"), text("id"), one.to_string().into_bytes())
        })
        .collect();
    let stored = stored.iter().map(|(resource_type, id, body)| Stored { resource_type, id, body });
    let mut facts = Facts::read(stored, &rules.sets);
    facts.forget_after(as_of);
    (facts, as_of)
}

fn judged_by(resources: &[Value], rules: &Ruleset, as_of: &str) -> Vec<Verdict> {
    let (facts, as_of) = facts_of(resources, rules, as_of);
    judge(&facts, rules, as_of)
}

fn judged(resources: &[Value]) -> Vec<Verdict> {
    judged_by(resources, &Ruleset::embedded().expect("the rules"), LATER)
}

fn verdict(rule: RuleId, resources: &[Value]) -> Verdict {
    judged(resources).into_iter().find(|verdict| verdict.rule == rule).expect("every rule is judged")
}

/// The rules that fire, with severities, but for information; each once.
fn firing(resources: &[Value]) -> Vec<(&'static str, &'static str)> {
    let mut found: Vec<_> = judged(resources)
        .into_iter()
        .flat_map(|verdict| verdict.findings)
        .filter(|finding| finding.state == State::Fires && finding.severity != Severity::Information)
        .map(|finding| (finding.rule.as_str(), finding.severity.as_str()))
        .collect();
    found.dedup();
    found
}

fn lacking(resources: &[Value]) -> Vec<&'static str> {
    let verdicts = judged(resources).into_iter();
    verdicts.filter(|verdict| verdict.state == State::CannotEvaluate).map(|verdict| verdict.rule.as_str()).collect()
}

fn without(mut resources: Vec<Value>, ids: &[&str]) -> Vec<Value> {
    let before = resources.len();
    resources.retain(|one| !ids.iter().any(|id| one["id"].as_str().is_some_and(|own| own.starts_with(id))));
    assert!(resources.len() < before, "nothing was taken away: {ids:?}");
    resources
}

fn with(mut resources: Vec<Value>, more: impl IntoIterator<Item = Value>) -> Vec<Value> {
    resources.extend(more);
    resources
}

fn set(mut resources: Vec<Value>, id: &str, pointer: &str, value: Value) -> Vec<Value> {
    let resource = resources.iter_mut().find(|one| one["id"] == id).expect("the resource is there");
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = resource.pointer_mut(parent).expect("the parent is there");
    match parent.as_array_mut() {
        Some(items) => items[name.parse::<usize>().expect("a place")] = value,
        None => parent[name] = value,
    }
    resources
}

#[test]
fn nothing_fires_in_a_complete_course_and_nothing_is_unknown() {
    let verdicts = judged(&course());
    let told: Vec<_> = verdicts.iter().flat_map(|verdict| &verdict.findings).collect();
    assert!(told.is_empty(), "{told:#?}");
    assert_eq!(verdicts.len(), 51);
    let state = |rule: RuleId| verdicts[rule as usize].state;
    assert_eq!(state(RuleId::R01), State::Holds);
    assert_eq!(state(RuleId::R34), State::Disabled);
    assert_eq!(state(RuleId::R42), State::NotApplicable);
    assert_eq!(state(RuleId::R05), State::NotApplicable, "there was one administration only");
}

#[test]
fn what_was_entered_in_error_is_no_fact() {
    for (id, pointer, value) in
        [("consent", "/status", json!("entered-in-error")), ("consent", "/status", json!("rejected"))]
    {
        let found = judged(&set(course(), id, pointer, value));
        assert_ne!(found[RuleId::R01 as usize].state, State::Holds);
    }
    let wrong = condition("aneurysm", SCT, "432119003", "active");
    let wrong =
        set(vec![wrong], "aneurysm", "/verificationStatus", json!({ "coding": [{ "code": "entered-in-error" }] }));
    assert!(firing(&with(course(), wrong)).is_empty());
}

#[test]
fn hostile_resources_are_no_facts_and_no_panic() {
    let shapes =
        [json!(null), json!(7), json!("x"), json!([]), json!([[[]]]), json!({ "coding": "x" }), json!({ "start": 1 })];
    for resource in course() {
        let members: Vec<String> = resource.as_object().expect("an object").keys().cloned().collect();
        for member in members.iter().filter(|name| !matches!(name.as_str(), "resourceType" | "id")) {
            for shape in &shapes {
                let mut broken = resource.clone();
                broken[member.as_str()] = shape.clone();
                judged(&with(course(), [broken]));
            }
        }
    }
    let rules = Ruleset::embedded().expect("the rules");
    for body in ["", "{", "[]", "7", "{\"status\":", "\u{0}"] {
        let stored = Stored { resource_type: "Observation", id: "x", body: body.as_bytes() };
        Facts::read([stored], &rules.sets);
    }
    let huge = json!({ "resourceType": "MedicationAdministration", "id": "d", "status": "completed",
        "medicationCodeableConcept": concept(RX, "6130"), "effectiveDateTime": "9999-12-31T23:59:59+14:00",
        "dosage": { "route": concept(SCT, "47625008"), "dose": quantity("79228162514264337593543950335", "g"),
                    "rateQuantity": quantity("79228162514264337593543950335", "mg/h") } });
    judged_by(&with(course(), [huge]), &rules, "9999-12-30T22:00:00Z");
}

#[test]
fn every_finding_explains_itself() {
    let broken = without(course(), &["consent", "decision", "weight", "sertraline", "bp0"]);
    let rules = Ruleset::embedded().expect("the rules");
    let (facts, _) = facts_of(&broken, &rules, LATER);
    for finding in judged(&broken).into_iter().flat_map(|verdict| verdict.findings) {
        assert!(finding.sentence.ends_with('.'), "{}", finding.sentence);
        assert!(!finding.about.is_empty());
        assert_eq!(finding.state == State::CannotEvaluate, !finding.missing.is_empty(), "{finding:?}");
        assert!(finding.evidence.iter().all(|one| !facts.reference(one.source).is_empty()));
    }
}
