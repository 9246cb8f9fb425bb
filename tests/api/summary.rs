//! Courses: the timeline with what other systems wrote, and the summary as a document.

use crate::test_app::{TestApp, fixture, outcome};
use kap_gateway::fhir::{codec, search::extract};
use kap_gateway::store::{DEFAULT_TENANT, RecordKey, RecordWrite, Write, WriteMode};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// All records of an example course, in their order.
fn records(case: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(case);
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("fixtures")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(|first: char| first.is_ascii_digit()))
        .collect();
    names.sort();
    names.iter().map(|name| fixture(&format!("{case}/{name}"))).collect()
}

async fn post(app: &TestApp, record: &Value) -> Value {
    let path = format!("/kap/v1/{}", record["kind"].as_str().expect("a kind"));
    let request = app.request(Method::POST, &path).header("Content-Type", "application/json");
    let response = request.body(record.to_string()).send().await.expect("an answer");
    assert!(response.status().is_success(), "{}", response.text().await.expect("text"));
    response.json().await.expect("JSON")
}

/// A gateway with a course in it; gives the ids of course and patient.
async fn with_course(case: &str) -> (TestApp, String, String) {
    let app = TestApp::start();
    let mut receipt = Value::Null;
    for record in records(case) {
        receipt = post(&app, &record).await;
    }
    let id = |name: &str| receipt[name].as_str().and_then(|text| text.split_once('/')).expect("an id").1.to_owned();
    let (course, patient) = (id("course"), id("patient"));
    (app, course, patient)
}

/// Stores what another system says about a patient, as a write to `/fhir` does.
async fn write(app: &TestApp, patient: &str, resource: Value) {
    let text = |name: &str| resource[name].as_str().expect("text").to_owned();
    let write = Write {
        resource_type: text("resourceType"),
        id: text("id"),
        body: resource.to_string().into(),
        mode: WriteMode::Put,
        patient: Some(patient.to_owned()),
        index: extract(&text("resourceType"), resource.to_string().as_bytes()).expect("a resource"),
    };
    let record = RecordWrite {
        key: RecordKey { kind: "elsewhere".into(), system: "urn:test".into(), record_id: text("id") },
        revision: "1".into(),
        digest: [0; 32],
        based_on: None,
        writes: vec![write],
        retractions: Vec::new(),
    };
    app.running.store.commit(DEFAULT_TENANT, record).await.expect("stored");
}

fn entries(bundle: &Value) -> &Vec<Value> {
    bundle["entry"].as_array().expect("entries")
}

fn composition(bundle: &Value) -> &Value {
    assert_eq!(bundle["type"], "document");
    let first = &entries(bundle)[0]["resource"];
    assert_eq!(first["resourceType"], "Composition");
    first
}

/// What our validator finds wrong.
async fn errors(app: &TestApp, resource: &Value) -> Vec<String> {
    let path = format!("/fhir/{}/$validate", resource["resourceType"].as_str().expect("a type"));
    let request = app.request(Method::POST, &path).header("Content-Type", "application/fhir+json");
    let report: Value = request.body(resource.to_string()).send().await.expect("an answer").json().await.expect("JSON");
    let issues = report["issue"].as_array().expect("issues");
    issues.iter().filter(|issue| issue["severity"] == "error").map(Value::to_string).collect()
}

#[tokio::test]
async fn timeline_tells_stages_doses_scores_and_what_is_missing() {
    let (app, course, _) = with_course("case-01").await;
    let timeline = app.json(&format!("/kap/v1/courses/{course}")).await;
    assert_eq!(timeline["doses"].as_array().expect("doses").len(), 6);
    assert_eq!(timeline["doses"][0]["dose"], "41.2 mg");
    // Six doses of 41.2 mg.
    assert_eq!(timeline["exposure"][0]["total"], "247.2");
    assert_eq!(timeline["exposure"].as_array().expect("routes").len(), 1);
    let phq9 =
        timeline["scores"].as_array().expect("scores").iter().find(|of| of["instrument"] == "phq-9").expect("PHQ-9");
    let scores = phq9["scores"].as_array().expect("scores");
    let last = &scores[scores.len() - 1];
    assert_eq!((last["score"].to_string(), phq9["baseline"]["score"].to_string()), ("4".into(), "21".into()));
    assert_eq!(last["change"]["percent"].to_string(), "-80.95");
    assert_eq!((&last["change"]["direction"], &last["change"]["remission"]), (&json!("improved"), &json!(true)));
    let stages = timeline["stages"].as_array().expect("stages");
    assert_eq!(stages.len(), 14);
    let state = |stage: usize| stages[stage]["state"].as_str().expect("a state");
    assert_eq!(
        (state(0), state(2), state(3), state(4), state(6), state(9)),
        ("met", "met", "met", "met", "met", "met")
    );
    // The course has no preparation session on record: it is said, not guessed.
    assert_eq!(state(5), "open");
    assert!(stages[5]["missing"][0].as_str().expect("a sentence").contains("preparation"));
    assert_eq!(state(12), "cannot-evaluate");
    assert!(timeline["vitals"].as_array().expect("vitals").len() > 20);
    assert_eq!(timeline["background"]["medicines"][0]["what"], "sertraline");
    assert_eq!(timeline["elsewhere"], json!({ "shown": 0, "outside": 0 }));
}

#[tokio::test]
async fn gate_names_what_an_intake_left_out() {
    let app = TestApp::start();
    let mut intake = fixture("case-01/01-intake.json");
    intake["vitals"][0].as_object_mut().expect("vitals").remove("weight");
    intake.as_object_mut().expect("a record").remove("labs");
    let receipt = post(&app, &intake).await;
    let course = receipt["course"].as_str().expect("a course").replace("EpisodeOfCare/", "");
    let timeline = app.json(&format!("/kap/v1/courses/{course}")).await;
    let gate = &timeline["nextGate"];
    assert_eq!((&gate["stage"], &gate["state"]), (&json!(1), &json!("open")));
    let missing = gate["missing"].to_string();
    assert!(missing.contains("weight") && missing.contains("liver") && missing.contains("suicide"), "{missing}");
    assert!(!missing.contains("oxygen"), "{missing}");
    assert_eq!(timeline["stages"][6]["state"], "not-begun");
}

#[tokio::test]
async fn what_other_systems_wrote_stands_in_the_timeline_and_is_marked() {
    let (app, course, patient) = with_course("case-08").await;
    let before = app.json(&format!("/kap/v1/courses/{course}")).await;
    let start = before["course"]["start"].as_str().expect("a start").to_owned();
    let subject = json!({ "reference": format!("http://ehr.example.org/fhir/Patient/{patient}") });
    let rxnorm = |code: &str, text: &str| json!({ "coding": [{ "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code }], "text": text });
    for resource in [
        json!({ "resourceType": "MedicationAdministration", "id": "ma", "meta": {}, "status": "completed", "subject": subject,
            "medicationCodeableConcept": rxnorm("6130", "Ketamine"), "effectiveDateTime": start,
            "dosage": { "dose": { "value": 30, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg" } } }),
        json!({ "resourceType": "MedicationRequest", "id": "mr", "meta": {}, "status": "active", "intent": "order", "subject": subject,
            "medicationCodeableConcept": rxnorm("8123", "Phenelzine"), "authoredOn": "2019-01-01" }),
        json!({ "resourceType": "Condition", "id": "co", "meta": {}, "subject": subject, "code": { "text": "Aortic aneurysm" },
            "clinicalStatus": { "coding": [{ "code": "active" }] }, "recordedDate": start }),
        json!({ "resourceType": "AllergyIntolerance", "id": "al", "meta": {}, "patient": subject, "code": { "text": "Peanut" } }),
        json!({ "resourceType": "Observation", "id": "ob", "meta": {}, "status": "final", "subject": subject,
            "category": [{ "coding": [{ "code": "laboratory" }] }], "code": { "text": "ALT" }, "effectiveDateTime": start,
            "valueQuantity": { "value": 92, "unit": "U/L" } }),
        json!({ "resourceType": "Observation", "id": "old", "meta": {}, "status": "final", "subject": subject,
            "code": { "text": "ALT" }, "effectiveDateTime": "2001-05", "valueQuantity": { "value": 20, "unit": "U/L" } }),
        json!({ "resourceType": "Observation", "id": "wrong", "meta": {}, "status": "entered-in-error", "subject": subject,
            "code": { "text": "Never true" }, "effectiveDateTime": start }),
        json!({ "resourceType": "Encounter", "id": "en", "meta": {}, "status": "finished", "subject": subject,
            "class": { "code": "AMB" }, "type": [{ "text": "Office visit" }], "period": { "start": start } }),
        json!({ "resourceType": "DocumentReference", "id": "do", "meta": {}, "status": "current", "subject": subject,
            "type": { "text": "Letter" }, "date": format!("{start}T10:00:00Z"), "content": [{ "attachment": { "title": "From the GP" } }] }),
        json!({ "resourceType": "QuestionnaireResponse", "id": "qr", "meta": {}, "status": "completed", "subject": subject,
            "questionnaire": "http://example.org/Questionnaire/phq-2|1", "authored": format!("{start}T11:00:00Z") }),
        json!({ "resourceType": "DetectedIssue", "id": "di", "meta": {}, "status": "final", "patient": subject, "severity": "high",
            "code": { "text": "Condition" }, "detail": "Aneurysm" }),
    ] {
        write(&app, &patient, resource).await;
    }
    let timeline = app.json(&format!("/kap/v1/courses/{course}")).await;
    let elsewhere = |list: &str| -> BTreeSet<String> {
        let rows = timeline.pointer(list).and_then(Value::as_array).expect("a list");
        let rows = rows.iter().filter(|row| row["elsewhere"] == true);
        rows.map(|row| row["reference"].as_str().expect("text").to_owned()).collect()
    };
    let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        elsewhere("/events"),
        all(&[
            "MedicationAdministration/ma",
            "MedicationRequest/mr",
            "Condition/co",
            "Observation/ob",
            "Encounter/en",
            "DocumentReference/do",
            "QuestionnaireResponse/qr"
        ])
    );
    assert_eq!(elsewhere("/doses"), all(&["MedicationAdministration/ma"]));
    assert_eq!(elsewhere("/background/medicines"), all(&["MedicationRequest/mr"]));
    assert_eq!(elsewhere("/background/problems"), all(&["Condition/co"]));
    assert_eq!(elsewhere("/background/allergies"), all(&["AllergyIntolerance/al"]));
    assert_eq!(timeline["elsewhere"], json!({ "shown": 8, "outside": 1 }));
    // Beside what the safety rules make of the same resources.
    let issues = timeline["issues"].as_array().expect("issues");
    assert!(issues.iter().any(|issue| issue["what"] == "Aneurysm"), "{issues:?}");
    assert!(!timeline.to_string().contains("Never true"));
    let letter = timeline["events"].as_array().expect("events").iter().find(|event| event["kind"] == "questionnaire");
    assert!(letter.is_some());
    // And in the summary.
    let document = app.json(&format!("/fhir/EpisodeOfCare/{course}/$kap-summary")).await;
    let text = document.to_string();
    assert!(text.contains("Aortic aneurysm (from another system)") && text.contains("Phenelzine"), "{text}");
}

#[tokio::test]
async fn summary_is_a_valid_document_in_json_and_xml() {
    for case in ["case-01", "case-02", "case-08"] {
        let (app, course, patient) = with_course(case).await;
        let path = format!("/fhir/EpisodeOfCare/{course}/$kap-summary");
        let document = app.json(&path).await;
        let composition = composition(&document);
        assert_eq!(composition["subject"]["reference"], format!("Patient/{patient}"));
        assert_eq!(errors(&app, &document).await, Vec::<String>::new(), "{case}");
        let codes: Vec<&str> = composition["section"]
            .as_array()
            .expect("sections")
            .iter()
            .filter_map(|section| section["code"]["coding"][0]["code"].as_str())
            .collect();
        assert_eq!(&codes[..6], ["11450-4", "10160-0", "48765-2", "80565-5", "8716-3", "47420-5"]);
        assert!(codes.contains(&"18776-5"));
        // Everything that the Composition names is there, and nobody else's.
        let there: BTreeSet<&str> = entries(&document).iter().filter_map(|entry| entry["fullUrl"].as_str()).collect();
        assert_eq!(there.len(), entries(&document).len(), "each once");
        let mut named = Vec::new();
        references(composition, &mut named);
        for reference in named {
            assert!(there.iter().any(|url| url.ends_with(&format!("/fhir/{reference}"))), "{case}: {reference}");
        }
        let patients = there.iter().filter(|url| url.contains("/Patient/")).count();
        assert_eq!(patients, 1);
        // The same in XML.
        let response =
            app.request(Method::GET, &path).header("Accept", "application/fhir+xml").send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        let xml = response.text().await.expect("text");
        let read: Value = serde_json::from_slice(&codec::to_json(&codec::from_xml(&xml).expect("FHIR")).expect("JSON"))
            .expect("JSON");
        assert_eq!(read["entry"][0]["resource"]["section"], composition["section"]);
    }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("reference").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| references(element, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn summary_says_what_a_clinician_looks_for() {
    let (app, course, _) = with_course("case-01").await;
    let document = app.json(&format!("/fhir/EpisodeOfCare/{course}/$kap-summary")).await;
    let text = composition(&document).to_string();
    for wanted in [
        "41.2 mg",
        "1.03 mg/min",
        "247.2 mg in 6 doses",
        "-80.95 %",
        "remission yes",
        "sertraline",
        "124/78",
        "146/88",
        "Remission",
    ] {
        let found = text.contains(wanted) || text.to_lowercase().contains(&wanted.to_lowercase());
        assert!(found, "{wanted} is not in {text}");
    }
    // The label of the strictest entry, and the test mark.
    let labels = composition(&document)["meta"]["security"].to_string();
    assert!(labels.contains("\"R\"") && labels.contains("HTEST") && labels.contains("\"MH\""), "{labels}");
    assert_eq!(document["meta"]["security"], composition(&document)["meta"]["security"]);
}

#[tokio::test]
async fn psychotherapy_notes_restricted_words_and_accounts_stay_out() {
    let (app, course, _) = with_course("case-02").await;
    let document = app.json(&format!("/fhir/EpisodeOfCare/{course}/$kap-summary")).await.to_string();
    let timeline = app.json(&format!("/kap/v1/courses/{course}")).await.to_string();
    for text in [&document, &timeline] {
        assert!(!text.contains("PSYTHPN") && !text.contains("psychotherapy-note"), "{text}");
    }
    let narrative = "I stood where it happened";
    let insight = "stay in the room";
    let intention = "what I have been running from";
    assert!(
        !document.contains(narrative) && !document.contains(insight) && !document.contains(intention),
        "{document}"
    );
}

#[tokio::test]
async fn as_of_leaves_out_what_is_dated_later() {
    let (app, course, _) = with_course("case-01").await;
    let path = format!("/fhir/EpisodeOfCare/{course}/$kap-summary?asOf=2026-02-09");
    let document = app.json(&path).await;
    let text = composition(&document).to_string();
    assert!(text.contains("123.6 mg in 3 doses"), "{text}");
    let refused = app.get(&format!("/fhir/EpisodeOfCare/{course}/$kap-summary?asOf=yesterday")).await;
    outcome(refused, StatusCode::BAD_REQUEST).await;
    let parameters =
        json!({ "resourceType": "Parameters", "parameter": [{ "name": "asOf", "valueDateTime": "2026-02-09" }] });
    let request = app.request(Method::POST, &format!("/fhir/EpisodeOfCare/{course}/$kap-summary"));
    let posted = request
        .header("Content-Type", "application/fhir+json")
        .body(parameters.to_string())
        .send()
        .await
        .expect("an answer");
    assert_eq!(posted.status(), StatusCode::OK, "{}", posted.text().await.expect("text"));
}

#[tokio::test]
async fn composition_of_a_course_is_read_and_asked_for_as_a_document() {
    let (app, course, patient) = with_course("case-08").await;
    let read = app.json(&format!("/fhir/Composition/summary-{course}")).await;
    let document = app.json(&format!("/fhir/Composition/summary-{course}/$document?persist=false")).await;
    assert_eq!(composition(&document), &read);
    let again = app.json(&format!("/fhir/EpisodeOfCare/{course}/$kap-summary")).await;
    assert_eq!(again, document, "while nothing changes it is the same document");
    for path in [
        "/fhir/Composition/summary-nobody/$document",
        "/fhir/Composition/x/$document",
        "/fhir/Composition/summary-",
        "/fhir/EpisodeOfCare/x/$kap-summary",
    ] {
        outcome(app.get(path).await, StatusCode::NOT_FOUND).await;
    }
    let persisted = app.get(&format!("/fhir/Composition/summary-{course}/$document?persist=true")).await;
    outcome(persisted, StatusCode::BAD_REQUEST).await;
    outcome(app.get(&format!("/fhir/Composition/summary-{course}/$document?graph=x")).await, StatusCode::BAD_REQUEST)
        .await;
    // One that another system wrote.
    let letter = json!({
        "resourceType": "Composition", "id": "letter", "meta": {}, "status": "final", "type": { "text": "Letter" },
        "subject": { "reference": format!("Patient/{patient}") }, "date": "2026-01-01", "author": [{ "display": "Somebody" }],
        "title": "Letter",
    });
    write(&app, &patient, letter).await;
    let document = app.json("/fhir/Composition/letter/$document").await;
    assert_eq!(entries(&document)[1]["resource"]["resourceType"], "Patient");
}

#[tokio::test]
async fn hostile_words_stay_words() {
    let app = TestApp::start();
    let mut intake = fixture("case-01/01-intake.json");
    let hostile = "</td></table><script>alert('x')</script><img src=\"http://evil\"/> & ]]>";
    intake["plan"]["description"] = json!(hostile);
    intake["medications"][0]["medicine"] = json!({ "text": hostile });
    intake["indications"][0]["condition"] = json!({ "text": hostile });
    let receipt = post(&app, &intake).await;
    let course = receipt["course"].as_str().expect("a course").replace("EpisodeOfCare/", "");
    let document = app.json(&format!("/fhir/EpisodeOfCare/{course}/$kap-summary")).await;
    let text = composition(&document).to_string();
    assert!(!text.contains("<script") && !text.contains("<img") && text.contains("&lt;script&gt;"), "{text}");
    assert_eq!(errors(&app, &document).await, Vec::<String>::new());
}
