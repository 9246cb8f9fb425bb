//! A record's life after it was stored: withdrawn, brought again; two patients who are one; what the gateway concludes from
//! all of it. Mapping specification D-02, §2.10.

use crate::test_app::{TestApp, fixture, outcome};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const DOSING: &str = "case-08/02-dosing-session-1.json";

async fn send(app: &TestApp, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
    let kind = if path.starts_with("/fhir") { "application/fhir+json" } else { "application/json" };
    let request = app.request(method, path).header("Content-Type", kind).body(body.to_string());
    let response = request.send().await.expect("an answer");
    (response.status(), response.json().await.expect("JSON"))
}

async fn put(app: &TestApp, record: &Value) -> Value {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).expect("text");
    let path = format!("/kap/v1/{}/{}", text("/kind"), text("/source/recordId"));
    let (status, body) = send(app, Method::PUT, &path, record).await;
    assert!(status.is_success(), "{path}: {status} {body}");
    body
}

async fn case_08() -> (TestApp, Value) {
    let app = TestApp::start();
    put(&app, &fixture("case-08/01-intake.json")).await;
    let session = fixture(DOSING);
    put(&app, &session).await;
    put(&app, &fixture("case-08/03-integration-session-1.json")).await;
    (app, session)
}

fn path_of(record: &Value) -> String {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).expect("text").to_owned();
    format!("/kap/v1/{}/{}", text("/kind"), text("/source/recordId"))
}

fn reason() -> Value {
    json!({ "reason": "Sent for the wrong patient." })
}

async fn course(app: &TestApp) -> Value {
    app.json("/kap/v1/courses/case08-course").await
}

fn states(report: &Value, rule: &str) -> Value {
    let rules = report["rules"].as_array().expect("rules");
    rules.iter().find(|one| one["rule"] == rule).expect("the rule")["state"].clone()
}

#[tokio::test]
async fn a_record_that_was_withdrawn_leaves_timeline_and_rules_and_stays_readable() {
    let (app, session) = case_08().await;
    let dose = course(&app).await["doses"][0]["reference"].as_str().expect("a dose").to_owned();
    assert_eq!(states(&app.json("/kap/v1/courses/case08-course/rules").await, "R-01"), "holds");
    let path = format!("{}/$withdraw", path_of(&session));
    let (status, receipt) = send(&app, Method::POST, &path, &reason()).await;
    assert_eq!((status, &receipt["outcome"]), (StatusCode::OK, &json!("withdrawn")), "{receipt}");
    let stored = app.json(&format!("/fhir/{dose}")).await;
    assert_eq!(stored["status"], "entered-in-error");
    let history = app.json(&format!("/fhir/{dose}/_history")).await;
    assert_eq!(history["entry"].as_array().expect("versions").len(), 2);
    let after = course(&app).await;
    assert_eq!((&after["doses"], &after["exposure"]), (&json!([]), &json!([])));
    let kinds: Vec<&Value> = after["records"].as_array().expect("records").iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["intake", "integration-session"]);
    let rules = app.json("/kap/v1/courses/case08-course/rules").await;
    assert_eq!(states(&rules, "R-01"), "not-applicable", "nothing was given any more");
    // Who withdrew it and why stands in a Provenance.
    let provenance = receipt["resources"].as_array().expect("resources")[0]["reference"].as_str().expect("one");
    let provenance = app.json(&format!("/fhir/{provenance}")).await;
    assert_eq!(provenance["reason"][0]["text"], "Sent for the wrong patient.");
    assert_eq!(provenance["activity"]["coding"][0]["code"], "record-withdrawn");
    let targets = provenance["target"].as_array().expect("targets");
    assert!(targets.iter().any(|target| target["reference"] == dose.as_str()), "{targets:?}");
    let gone = outcome(app.get(&path_of(&session)).await, StatusCode::GONE).await;
    assert_eq!(gone["issue"][0]["code"], "deleted");
}

#[tokio::test]
async fn a_record_withdrawn_twice_changes_nothing_and_a_newer_revision_brings_it_again() {
    let (app, mut session) = case_08().await;
    let before = course(&app).await;
    let path = format!("{}/$withdraw", path_of(&session));
    send(&app, Method::POST, &path, &reason()).await;
    let (status, again) = send(&app, Method::POST, &path, &json!({ "reason": "Once more." })).await;
    assert_eq!((status, &again["outcome"]), (StatusCode::OK, &json!("unchanged")));
    let (status, _) = send(&app, Method::PUT, &path_of(&session), &session).await;
    assert_eq!(status, StatusCode::GONE, "the same revision does not bring it again");
    session["source"]["revision"] = json!(2);
    assert_eq!(put(&app, &session).await["outcome"], "updated");
    let back: Value = app.json(&path_of(&session)).await;
    assert_eq!(back, session);
    let after = course(&app).await;
    assert_eq!(after["doses"], before["doses"]);
    assert_eq!(after["records"].as_array().expect("records").len(), 3);
    // The withdrawal is void, and the record can be withdrawn again.
    assert_eq!(send(&app, Method::POST, &path, &reason()).await.1["outcome"], "withdrawn");
}

#[tokio::test]
async fn an_intake_takes_patient_and_course_with_it_only_when_it_is_alone() {
    let (app, _) = case_08().await;
    let patient = course(&app).await["course"]["patient"].as_str().expect("a patient").to_owned();
    let path = "/kap/v1/intake/case08-intake/$withdraw";
    assert_eq!(send(&app, Method::POST, path, &reason()).await.1["outcome"], "withdrawn");
    assert_eq!(app.json(&format!("/fhir/{patient}")).await["active"], Value::Null, "the session speaks of the patient");
    assert_eq!(course(&app).await["course"]["status"], "active");
    let alone = TestApp::start();
    put(&alone, &fixture("case-08/01-intake.json")).await;
    send(&alone, Method::POST, path, &reason()).await;
    assert_eq!(alone.json(&format!("/fhir/{patient}")).await["active"], false);
    assert_eq!(course(&alone).await["course"]["status"], "entered-in-error");
}

#[tokio::test]
async fn a_closure_that_is_withdrawn_unsays_the_end() {
    let app = TestApp::start();
    for name in ["01-intake", "02-check-in-1", "03-course-closure"] {
        put(&app, &fixture(&format!("case-06/{name}.json"))).await;
    }
    let closure = fixture("case-06/03-course-closure.json");
    assert!(app.json("/kap/v1/courses/case06-course").await["course"]["endReason"].is_string());
    let (status, _) = send(&app, Method::POST, &format!("{}/$withdraw", path_of(&closure)), &reason()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(app.json("/kap/v1/courses/case06-course").await["course"]["endReason"], Value::Null);
}

#[tokio::test]
async fn a_withdrawal_without_a_reason_or_of_nothing_is_refused() {
    let (app, session) = case_08().await;
    let path = format!("{}/$withdraw", path_of(&session));
    for (body, status) in
        [(json!({}), 422), (json!({ "reason": " " }), 422), (json!({ "reason": "x", "y": 1 }), 422), (json!([]), 422)]
    {
        assert_eq!(send(&app, Method::POST, &path, &body).await.0.as_u16(), status, "{body}");
    }
    assert_eq!(send(&app, Method::POST, "/kap/v1/intake/none/$withdraw", &reason()).await.0, StatusCode::NOT_FOUND);
    assert_eq!(send(&app, Method::POST, &format!("{path}?x=1"), &reason()).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(course(&app).await["doses"].as_array().expect("doses").len(), 1, "nothing was withdrawn");
}

fn of_another_number(mut record: Value) -> Value {
    let number = json!({ "system": "urn:kap:test:other", "value": "number-2" });
    if record["kind"] == "intake" {
        record["patient"]["identifiers"] = json!([number]);
    } else {
        record["patient"]["identifier"] = number;
    }
    record["course"]["identifier"]["value"] = json!("second-course");
    record["source"]["system"] = json!("urn:kap:test:other");
    record
}

#[tokio::test]
async fn two_patients_who_are_one_are_found_by_either_number_and_read_together() {
    let (app, session) = case_08().await;
    let first = course(&app).await["course"]["patient"].as_str().expect("a patient").to_owned();
    put(&app, &of_another_number(fixture("case-08/01-intake.json"))).await;
    let other = of_another_number(session);
    put(&app, &other).await;
    let second = app.json("/kap/v1/courses/second-course").await["course"]["patient"].as_str().expect("one").to_owned();
    assert_ne!(first, second);
    let merge = json!({ "survivor": { "identifier": { "system": "urn:kap:test", "value": "case08-patient" } },
                        "merged": { "identifier": { "system": "urn:kap:test:other", "value": "number-2" } } });
    let (status, answer) = send(&app, Method::POST, "/kap/v1/patients/$merge", &merge).await;
    assert_eq!((status, &answer["outcome"]), (StatusCode::OK, &json!("merged")), "{answer}");
    assert_eq!((&answer["survivor"], &answer["merged"]), (&json!(first), &json!(second)));
    let gone = app.json(&format!("/fhir/{second}")).await;
    assert_eq!((&gone["active"], &gone["link"][0]["type"]), (&json!(false), &json!("replaced-by")));
    let found = app.json("/fhir/Patient?identifier=urn:kap:test:other|number-2").await;
    let ids: Vec<&Value> =
        found["entry"].as_array().expect("entries").iter().map(|one| &one["resource"]["id"]).collect();
    assert!(ids.iter().any(|id| first.ends_with(id.as_str().expect("an id"))), "{ids:?}");
    // The rules see the doses of both; the sum by route is that of both.
    let rules = app.json("/kap/v1/courses/case08-course/rules").await;
    assert_eq!(rules["patient"], json!(first));
    let sums = app.json(&format!("/fhir/Observation?patient={first}&code=cumulative-ketamine-dose")).await;
    assert_eq!(sums["entry"][0]["resource"]["valueQuantity"]["value"], json!(28), "14 mg twice");
    // A record by the old number is the survivor's now, and each comes back as it was sent.
    let mut corrected = other;
    corrected["source"]["revision"] = json!(2);
    assert_eq!(put(&app, &corrected).await["patient"], json!(first));
    let system = "?system=urn:kap:test:other";
    assert_eq!(app.json(&format!("{}{system}", path_of(&corrected))).await, corrected);
    let intake = of_another_number(fixture("case-08/01-intake.json"));
    assert_eq!(app.json(&format!("{}{system}", path_of(&intake))).await, intake);
    assert_eq!(
        app.json(&format!("{}?system=urn:kap:test:medical", path_of(&intake))).await,
        fixture("case-08/01-intake.json")
    );
    // Once more changes nothing.
    assert_eq!(send(&app, Method::POST, "/kap/v1/patients/$merge", &merge).await.1["outcome"], "unchanged");
}

#[tokio::test]
async fn an_intake_that_comes_again_keeps_the_merge() {
    let (app, _) = case_08().await;
    put(&app, &of_another_number(fixture("case-08/01-intake.json"))).await;
    let merge = json!({ "survivor": { "identifier": { "system": "urn:kap:test", "value": "case08-patient" } },
                        "merged": { "identifier": { "system": "urn:kap:test:other", "value": "number-2" } } });
    send(&app, Method::POST, "/kap/v1/patients/$merge", &merge).await;
    let mut intake = fixture("case-08/01-intake.json");
    intake["source"]["revision"] = json!(2);
    intake["patient"]["language"] = json!("en-GB");
    let receipt = put(&app, &intake).await;
    let patient = app.json(&format!("/fhir/{}", receipt["patient"].as_str().expect("one"))).await;
    assert_eq!(patient["link"][0]["type"], "replaces");
    assert!(patient["identifier"].as_array().expect("identifiers").iter().any(|one| one["value"] == "number-2"));
    assert_eq!(app.json(&format!("{}?system=urn:kap:test:medical", path_of(&intake))).await, intake);
}

#[tokio::test]
async fn a_merge_of_strangers_or_of_one_is_refused() {
    let (app, _) = case_08().await;
    let patient = |value: &str| json!({ "identifier": { "system": "urn:kap:test", "value": value } });
    let merge = |one: &str, other: &str| json!({ "survivor": patient(one), "merged": patient(other) });
    let path = "/kap/v1/patients/$merge";
    for (body, status) in [
        (merge("case08-patient", "nobody"), 404),
        (merge("case08-patient", "case08-patient"), 422),
        (json!({}), 422),
        (json!({ "survivor": patient("case08-patient"), "merged": { "name": "x" } }), 422),
    ] {
        assert_eq!(send(&app, Method::POST, path, &body).await.0.as_u16(), status, "{body}");
    }
}

#[tokio::test]
async fn the_sum_of_the_doses_by_route_is_an_observation_of_the_gateway() {
    let (app, session) = case_08().await;
    let patient = course(&app).await["course"]["patient"].as_str().expect("a patient").to_owned();
    let search = format!("/fhir/Observation?patient={patient}&code=cumulative-ketamine-dose");
    let found = app.json(&search).await;
    let sum = &found["entry"][0]["resource"];
    assert_eq!((&sum["valueQuantity"]["value"], &sum["valueQuantity"]["code"]), (&json!(14), &json!("mg")));
    assert_eq!(sum["method"]["coding"][0]["code"], "gateway-derived");
    assert_eq!(sum["component"][1]["valueCodeableConcept"]["coding"][0]["code"], "47625008");
    let version = sum["meta"]["versionId"].clone();
    // The same record again computes the same, and writes nothing.
    put(&app, &session).await;
    assert_eq!(app.json(&search).await["entry"][0]["resource"]["meta"]["versionId"], version);
    let of = format!("/fhir/Provenance?target=Observation/{}", sum["id"].as_str().expect("an id"));
    let provenance = app.json(&of).await;
    assert_eq!(provenance["entry"][0]["resource"]["agent"][0]["who"]["type"], "Device");
    send(&app, Method::POST, &format!("{}/$withdraw", path_of(&session)), &reason()).await;
    assert_eq!(app.json(&search).await["entry"][0]["resource"]["status"], "entered-in-error");
}

/// What was concluded from a record is closed by what another system writes: a finding belongs to no record.
#[tokio::test]
async fn a_finding_of_a_record_is_closed_by_a_resource_of_another_system() {
    let app = TestApp::start();
    put(&app, &fixture("case-01/01-intake.json")).await;
    put(&app, &fixture("case-01/02-outcome-baseline.json")).await;
    let open = || async {
        let course = app.json("/kap/v1/courses/case01-course").await;
        course["issues"].as_array().expect("issues").iter().filter(|one| one["rule"] == "R-60").count()
    };
    assert_eq!(open().await, 2);
    let patient = app.json("/kap/v1/courses/case01-course").await["course"]["patient"].clone();
    let answer = json!({ "valueCoding": { "system": "http://loinc.org", "code": "LA6568-5" } });
    let response = json!({ "resourceType": "QuestionnaireResponse", "status": "completed",
        "questionnaire": "http://example.org/Questionnaire/phq-9", "subject": { "reference": patient },
        "authored": "2026-03-20T10:00:00-05:00", "item": [{ "linkId": "/44249-1/44260-8", "answer": [answer] }] });
    assert_eq!(send(&app, Method::POST, "/fhir/QuestionnaireResponse", &response).await.0, StatusCode::CREATED);
    assert_eq!(open().await, 0);
}

/// A medicine that stands in a Medication of its own is known all the same.
#[tokio::test]
async fn a_dose_whose_medicine_is_a_resource_of_its_own_counts() {
    let (app, _) = case_08().await;
    let patient = course(&app).await["course"]["patient"].clone();
    let medication = json!({ "resourceType": "Medication", "code": { "coding": [
        { "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6130" }], "text": "ketamine 50 mg/mL" } });
    let (status, medication) = send(&app, Method::POST, "/fhir/Medication", &medication).await;
    assert_eq!(status, StatusCode::CREATED);
    let dose = json!({ "resourceType": "MedicationAdministration", "status": "completed", "subject": { "reference": patient },
        "medicationReference": { "reference": format!("Medication/{}", medication["id"].as_str().expect("an id")) },
        "effectiveDateTime": "2026-05-20T10:00:00-05:00",
        "dosage": { "route": { "coding": [{ "system": "http://snomed.info/sct", "code": "78421000" }], "text": "IM" },
                    "dose": { "value": 400, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg" } } });
    assert_eq!(send(&app, Method::POST, "/fhir/MedicationAdministration", &dose).await.0, StatusCode::CREATED);
    let after = course(&app).await;
    let exposure = after["exposure"].as_array().expect("exposure");
    let muscle = exposure.iter().find(|one| one["route"] == "Intramuscular route").expect("by its code");
    assert_eq!((&muscle["total"], &muscle["medicine"]), (&json!("400"), &json!("ketamine")));
    assert_eq!(states(&app.json("/kap/v1/courses/case08-course/rules").await, "R-30"), "fires", "5 mg/kg at 80 kg");
}

#[tokio::test]
async fn doses_of_two_kits_of_one_medicine_add_up() {
    let app = TestApp::start();
    for name in ["01-intake", "03-dosing-session-1", "04-dosing-session-2"] {
        put(&app, &fixture(&format!("case-03/{name}.json"))).await;
    }
    let exposure = app.json("/kap/v1/courses/case03-course").await["exposure"].clone();
    let expected = json!([{ "medicine": "esketamine", "route": "Nasal route", "doses": 2, "total": "140" }]);
    assert_eq!(exposure, expected, "56 and 84 mg");
}

#[tokio::test]
async fn what_is_dated_in_the_future_stands_in_the_timeline() {
    let app = TestApp::start();
    put(&app, &fixture("case-08/01-intake.json")).await;
    let later = fixture(DOSING).to_string().replace("2026-05-12", "2091-05-12");
    put(&app, &serde_json::from_str(&later).expect("JSON")).await;
    assert_eq!(course(&app).await["doses"].as_array().expect("doses").len(), 1);
}

/// The state of patient and course hangs on which records stand, and not on the order in which they came and went.
#[tokio::test]
async fn a_later_session_brings_patient_and_course_of_a_withdrawn_intake_again() {
    let intake = fixture("case-08/01-intake.json");
    let withdraw = format!("{}/$withdraw", path_of(&intake));
    let app = TestApp::start();
    put(&app, &intake).await;
    let patient = course(&app).await["course"]["patient"].as_str().expect("a patient").to_owned();
    send(&app, Method::POST, &withdraw, &reason()).await;
    assert_eq!(course(&app).await["course"]["status"], "entered-in-error");
    let receipt = put(&app, &fixture(DOSING)).await;
    let text = receipt["warnings"].to_string();
    assert!(text.contains("stand again"), "{text}");
    let twin = TestApp::start();
    put(&twin, &intake).await;
    put(&twin, &fixture(DOSING)).await;
    send(&twin, Method::POST, &withdraw, &reason()).await;
    let plain = async |app: &TestApp, path: &str| {
        let mut resource = app.json(path).await;
        resource.as_object_mut().expect("an object").remove("meta");
        resource
    };
    let id = course(&app).await["course"]["reference"].as_str().expect("a reference").to_owned();
    for path in [&patient, &id] {
        let path = format!("/fhir/{path}");
        assert_eq!(plain(&app, &path).await, plain(&twin, &path).await, "{path}");
    }
    assert_eq!(course(&app).await["course"]["status"], "active");
    assert_eq!(course(&app).await["doses"].as_array().expect("doses").len(), 1);
    // With the last record that stands both go, whoever had described them; and what comes brings them again.
    let session = fixture(DOSING);
    send(&app, Method::POST, &format!("{}/$withdraw", path_of(&session)), &reason()).await;
    assert_eq!(course(&app).await["course"]["status"], "entered-in-error");
    assert_eq!(app.json(&format!("/fhir/{patient}")).await["active"], false);
    put(&app, &fixture("case-08/03-integration-session-1.json")).await;
    assert_eq!(course(&app).await["course"]["status"], "active");
    // The intake, corrected, says it anew.
    let mut corrected = intake.clone();
    corrected["source"]["revision"] = json!(2);
    put(&app, &corrected).await;
    assert_eq!(app.json(&path_of(&corrected)).await, corrected);
    assert_eq!(app.json(&format!("/fhir/{patient}")).await["active"], Value::Null);
}

#[tokio::test]
async fn a_course_goes_with_its_own_last_record_and_one_that_was_only_named_goes_too() {
    let app = TestApp::start();
    put(&app, &fixture("case-08/01-intake.json")).await;
    let mut second = fixture(DOSING);
    second["course"]["identifier"]["value"] = json!("second-course");
    put(&app, &second).await;
    // The patient stays: the intake speaks of them. The second course was the session's alone.
    send(&app, Method::POST, &format!("{}/$withdraw", path_of(&second)), &reason()).await;
    let named = app.json("/kap/v1/courses/second-course").await;
    assert_eq!(named["course"]["status"], "entered-in-error");
    let patient = named["course"]["patient"].as_str().expect("a patient").to_owned();
    assert_eq!(app.json(&format!("/fhir/{patient}")).await["active"], Value::Null);
    assert_eq!(course(&app).await["course"]["status"], "active");
    second["source"]["revision"] = json!(2);
    put(&app, &second).await;
    let again = app.json(&format!("/fhir/{}", named["course"]["reference"].as_str().expect("a reference"))).await;
    assert_eq!(again["status"], "active");
}

/// A closure that comes after the intake was taken back tells the end of a course that was, and not of an error.
#[tokio::test]
async fn a_closure_after_a_withdrawn_intake_ends_the_course_that_was_described() {
    let app = TestApp::start();
    let intake = fixture("case-06/01-intake.json");
    put(&app, &intake).await;
    send(&app, Method::POST, &format!("{}/$withdraw", path_of(&intake)), &reason()).await;
    put(&app, &fixture("case-06/03-course-closure.json")).await;
    let course = app.json("/kap/v1/courses/case06-course").await;
    assert_eq!(course["course"]["status"], "cancelled");
    let id = course["course"]["reference"].as_str().expect("a reference").to_owned();
    let history = app.json(&format!("/fhir/{id}")).await["statusHistory"].to_string();
    assert!(!history.contains("entered-in-error"), "{history}");
    assert_ne!(
        app.json(&format!("/fhir/{}", course["course"]["patient"].as_str().expect("one"))).await["active"],
        false
    );
    let closure = fixture("case-06/03-course-closure.json");
    send(&app, Method::POST, &format!("{}/$withdraw", path_of(&closure)), &reason()).await;
    assert_eq!(app.json("/kap/v1/courses/case06-course").await["course"]["status"], "entered-in-error");
}

// ---------------------------------------------------------------- a baseline beside its record

async fn outcome_with_baseline(app: &TestApp, score: i64, record: Value) -> Vec<String> {
    let mut later = fixture("case-01/02-outcome-baseline.json");
    later["source"]["recordId"] = json!(format!("later-{score}"));
    later["recordedAt"] = json!("2026-03-20T12:00:00-05:00");
    later["phase"] = json!("end-of-course");
    later["results"] = json!([{ "id": "later", "instrument": "phq-9", "score": 4, "answeredBy": "patient",
        "at": "2026-03-20T11:00:00-05:00", "baseline": { "score": score, "record": record } }]);
    let receipt = put(app, &later).await;
    let warnings = receipt["warnings"].as_array().expect("warnings").iter();
    let told: Vec<String> = warnings
        .filter(|one| one["pointer"] == "/results/0/baseline")
        .map(|one| one["text"].as_str().expect("text").to_owned())
        .collect();
    // Trying it out tells the same.
    let request = app.request(Method::POST, "/kap/v1/outcome/$map").header("Content-Type", "application/json");
    let request = request.header("Prefer", "return=OperationOutcome").body(later.to_string());
    let outcome: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    for text in &told {
        assert!(outcome.to_string().contains(text), "{outcome}");
    }
    told
}

#[tokio::test]
async fn a_baseline_is_held_beside_the_record_that_it_is_taken_from() {
    let app = TestApp::start();
    let record = json!({ "recordId": "case01-outcome-baseline" });
    put(&app, &fixture("case-01/01-intake.json")).await;
    let unknown = outcome_with_baseline(&app, 21, record.clone()).await;
    assert!(unknown[0].starts_with("Cannot be evaluated") && unknown[0].contains("is not stored here"), "{unknown:?}");
    put(&app, &fixture("case-01/02-outcome-baseline.json")).await;
    assert_eq!(outcome_with_baseline(&app, 21, record.clone()).await, [""; 0], "the PHQ-9 of the record is 21");
    let wrong = outcome_with_baseline(&app, 18, record.clone()).await;
    assert!(wrong[0].starts_with("It says 18, and the outcome `case01-outcome-baseline` says 21."), "{wrong:?}");
    let other =
        outcome_with_baseline(&app, 20, json!({ "recordId": "case01-outcome-baseline", "system": "urn:x:y" })).await;
    assert!(other[0].contains("is not stored here"), "another system's record of that id: {other:?}");
    // Another patient's.
    let mut foreign = fixture("case-01/02-outcome-baseline.json");
    foreign["source"]["recordId"] = json!("foreign");
    foreign["patient"]["identifier"]["value"] = json!("somebody-else");
    foreign["course"]["identifier"]["value"] = json!("their-course");
    put(&app, &foreign).await;
    let foreign = outcome_with_baseline(&app, 19, json!({ "recordId": "foreign" })).await;
    assert!(foreign[0].contains("which is about another patient"), "{foreign:?}");
    let path = "/kap/v1/outcome/case01-outcome-baseline/$withdraw";
    send(&app, Method::POST, path, &reason()).await;
    let gone = outcome_with_baseline(&app, 17, record).await;
    assert!(gone[0].contains("was withdrawn by its sender"), "{gone:?}");
}

/// A record that was sent for the wrong patient and corrected: nothing that was concluded from it stays with the first.
#[tokio::test]
async fn a_record_corrected_to_another_patient_leaves_nothing_with_the_first() {
    let app = TestApp::start();
    let intake = fixture("case-08/01-intake.json");
    put(&app, &intake).await;
    let mut session = fixture(DOSING);
    session["doses"][0]["dose"]["value"] = json!(200);
    put(&app, &session).await;
    let patient = course(&app).await["course"]["patient"].as_str().expect("a patient").to_owned();
    let dose = course(&app).await["doses"][0]["reference"].as_str().expect("a dose").to_owned();
    let of = async |path: String| -> Vec<Value> {
        let found = app.json(&path).await;
        let found = found["entry"].as_array().cloned().unwrap_or_default();
        found.into_iter().filter(|one| one["search"]["mode"] == "match").map(|one| one["resource"].clone()).collect()
    };
    let issues = format!("/fhir/DetectedIssue?patient={patient}&_count=100");
    let rule = |issue: &Value, code: &str| issue["code"].to_string().contains(code) && issue["status"] == "final";
    assert!(of(issues.clone()).await.iter().any(|issue| rule(issue, "DOSEH")), "2.5 mg/kg into the vein");
    session["source"]["revision"] = json!(2);
    session["patient"]["identifier"]["value"] = json!("case08-other");
    session["course"]["identifier"]["value"] = json!("other-course");
    put(&app, &session).await;
    assert!(!of(issues).await.iter().any(|issue| rule(issue, "DOSEH")), "closed with what it rested on");
    assert_eq!(course(&app).await["doses"], json!([]));
    let sums = of(format!("/fhir/Observation?patient={patient}&code=cumulative-ketamine-dose")).await;
    assert!(sums.iter().all(|sum| sum["status"] == "entered-in-error"), "{sums:?}");
    // Nor does a closed finding bring the other patient's dose.
    let everything = app.json(&format!("/fhir/{patient}/$everything")).await.to_string();
    assert!(!everything.contains(&format!("\"id\":\"{}\"", dose.trim_start_matches("MedicationAdministration/"))));
    let other = app.json("/kap/v1/courses/other-course").await;
    assert_eq!(other["doses"].as_array().expect("doses").len(), 1);
    // Back again: whom only this record had named is gone with it.
    session["source"]["revision"] = json!(3);
    session["patient"] = fixture(DOSING)["patient"].clone();
    session["course"] = fixture(DOSING)["course"].clone();
    put(&app, &session).await;
    let other = app.json("/kap/v1/courses/other-course").await;
    assert_eq!(other["course"]["status"], "entered-in-error");
    let named = other["course"]["patient"].as_str().expect("a patient").to_owned();
    assert_eq!(app.json(&format!("/fhir/{named}")).await["active"], false);
    assert_eq!(course(&app).await["doses"].as_array().expect("doses").len(), 1);
}

#[tokio::test]
async fn a_finding_that_closes_is_told_once_with_all_that_was_made_of_it() {
    let app = TestApp::start();
    put(&app, &fixture("case-01/01-intake.json")).await;
    let outcome = fixture("case-01/02-outcome-baseline.json");
    put(&app, &outcome).await;
    let (_, receipt) = send(&app, Method::POST, &format!("{}/$withdraw", path_of(&outcome)), &reason()).await;
    let rules = receipt["rules"].as_array().expect("remarks").iter();
    let closed: Vec<&Value> = rules.filter(|one| one["rule"] == "R-60" && one["state"] == "closed").collect();
    assert_eq!(closed.len(), 1, "{closed:?}");
    let mut types: Vec<&str> = closed[0]["stored"]
        .as_array()
        .expect("what is closed")
        .iter()
        .map(|one| one.as_str().expect("a reference").split('/').next().expect("a type"))
        .collect();
    types.sort_unstable();
    assert_eq!(types, ["DetectedIssue", "Flag"]);
}

/// An intake that was sent under the wrong number: whom others speak of under that number stays, without the description.
#[tokio::test]
async fn an_intake_corrected_to_another_number_takes_its_description_along() {
    let (app, _) = case_08().await;
    let patient = course(&app).await["course"]["patient"].as_str().expect("a patient").to_owned();
    let mut intake = fixture("case-08/01-intake.json");
    intake["source"]["revision"] = json!(2);
    intake["patient"]["identifiers"][0]["value"] = json!("case08-right");
    intake["course"]["identifier"]["value"] = json!("right-course");
    put(&app, &intake).await;
    let left = app.json(&format!("/fhir/{patient}")).await;
    assert_eq!(
        (&left["active"], &left["birthDate"], &left["meta"]["tag"]),
        (&Value::Null, &Value::Null, &Value::Null),
        "{left}"
    );
    assert!(left["identifier"].to_string().contains("case08-patient") && left["name"][0]["family"].is_null(), "{left}");
    let id = course(&app).await["course"]["reference"].as_str().expect("a reference").to_owned();
    assert_eq!(app.json(&format!("/fhir/{id}")).await["status"], "active");
    assert_eq!(course(&app).await["doses"].as_array().expect("doses").len(), 1);
    let right = app.json("/kap/v1/courses/right-course").await;
    let right = app.json(&format!("/fhir/{}", right["course"]["patient"].as_str().expect("a patient"))).await;
    assert_eq!(right["birthDate"], intake["patient"]["birthDate"]);
    assert_eq!(app.json(&path_of(&intake)).await, intake);
}
