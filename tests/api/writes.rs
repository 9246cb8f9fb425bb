//! Create, update, delete: <https://hl7.org/fhir/R4/http.html#create>

use crate::test_app::{PATIENT, TestApp, assert_outcome, fixture, header, ids, outcome, patient};
use kap_gateway::{app::Options, config::WriteValidation, fhir::codec};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

pub const JSON: &str = "application/fhir+json";

pub fn request(app: &TestApp, method: Method, path: &str) -> RequestBuilder {
    app.request(method, path).header("Content-Type", JSON)
}

pub async fn send(app: &TestApp, method: Method, path: &str, body: &Value) -> Response {
    request(app, method, path).body(body.to_string()).send().await.expect("an answer")
}

pub async fn post(app: &TestApp, path: &str, body: &Value) -> Response {
    send(app, Method::POST, path, body).await
}

pub async fn put(app: &TestApp, path: &str, body: &Value) -> Response {
    send(app, Method::PUT, path, body).await
}

pub async fn delete(app: &TestApp, path: &str) -> Response {
    app.request(Method::DELETE, path).send().await.expect("an answer")
}

/// Type, id and version that a Location tells, below the FHIR base.
pub fn location(app: &TestApp, response: &Response) -> String {
    let location = header(response, "location");
    location.strip_prefix(&app.url("/fhir/")).expect("our own").to_owned()
}

pub fn goal(id: &str, text: &str) -> Value {
    json!({ "resourceType": "Goal", "id": id, "lifecycleStatus": "active", "description": { "text": text },
        "meta": { "tag": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST" }] },
        "subject": { "reference": format!("Patient/{PATIENT}") } })
}

#[tokio::test]
async fn create_gives_id_version_and_location_and_what_is_read_is_what_was_sent() {
    let app = TestApp::start();
    let sent = patient("theirs", "A-1");
    let response = post(&app, "/fhir/Patient", &sent).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(header(&response, "etag"), "W/\"1\"");
    assert!(header(&response, "last-modified").ends_with(" GMT"));
    let location = location(&app, &response);
    let body: Value = response.json().await.expect("JSON");
    let id = body["id"].as_str().expect("text");
    assert_ne!(id, "theirs");
    assert_eq!(location, format!("Patient/{id}/_history/1"));
    assert_eq!(body["meta"]["versionId"], "1");
    assert_eq!(app.json(&format!("/fhir/Patient/{id}")).await, body);
    assert_eq!(app.json(&format!("/fhir/{location}")).await, body);
    for member in ["name", "identifier", "text"] {
        assert_eq!(body[member], sent[member]);
    }
    assert_eq!(body["meta"]["profile"], sent["meta"]["profile"]);
    assert_eq!(ids(&app.json("/fhir/Patient?identifier=urn:test:mrn|A-1").await), [id]);
}

#[tokio::test]
async fn update_makes_versions_and_the_same_content_makes_none() {
    let app = TestApp::start();
    let first = put(&app, "/fhir/Goal/g", &goal("g", "one")).await;
    assert_eq!((first.status(), location(&app, &first).as_str()), (StatusCode::CREATED, "Goal/g/_history/1"));
    let mut changed = goal("g", "two");
    // What the client says of version and time is the server's to say.
    changed["meta"]["versionId"] = "77".into();
    changed["meta"]["lastUpdated"] = "2000-01-01T00:00:00Z".into();
    let second = put(&app, "/fhir/Goal/g", &changed).await;
    assert_eq!((second.status(), header(&second, "etag").as_str()), (StatusCode::OK, "W/\"2\""));
    let body: Value = second.json().await.expect("JSON");
    assert_eq!(body["meta"]["versionId"], "2");
    assert_ne!(body["meta"]["lastUpdated"], "2000-01-01T00:00:00Z");
    let again = put(&app, "/fhir/Goal/g", &body).await;
    assert_eq!((again.status(), header(&again, "etag").as_str()), (StatusCode::OK, "W/\"2\""));
    assert_eq!(app.json("/fhir/Goal/g/_history").await["total"], 2);
}

#[tokio::test]
async fn deleted_resource_is_gone_from_reads_and_searches_and_stays_in_history() {
    let app = TestApp::start();
    put(&app, "/fhir/Goal/g", &goal("g", "one")).await;
    let deleted = delete(&app, "/fhir/Goal/g").await;
    assert_eq!((deleted.status(), header(&deleted, "etag").as_str()), (StatusCode::NO_CONTENT, "W/\"2\""));
    assert_eq!(deleted.text().await.expect("text"), "");
    let gone = outcome(app.get("/fhir/Goal/g").await, StatusCode::GONE).await;
    assert_eq!(gone["issue"][0]["code"], "deleted");
    outcome(app.get("/fhir/Goal/g/_history/2").await, StatusCode::GONE).await;
    assert_eq!(app.json("/fhir/Goal/g/_history/1").await["description"]["text"], "one");
    assert_eq!(app.json("/fhir/Goal").await["total"], 0);
    assert_eq!(app.json(&format!("/fhir/Goal?patient={PATIENT}")).await["total"], 0);
    let history = app.json("/fhir/Goal/g/_history").await;
    codec::from_json(history.to_string().as_bytes()).expect("FHIR R4");
    assert_eq!(history["total"], 2);
    let newest = &history["entry"][0];
    assert_eq!((&newest["request"]["method"], newest.get("resource")), (&json!("DELETE"), None));
    assert_eq!(newest["response"]["status"], "204");
    // Again, and of what was never there, is no error.
    for path in ["/fhir/Goal/g", "/fhir/Goal/nobody"] {
        assert_eq!(delete(&app, path).await.status(), StatusCode::NO_CONTENT);
    }
    assert_eq!(app.json("/fhir/Goal/g/_history").await["total"], 2);
    outcome(app.get("/fhir/Goal/nobody").await, StatusCode::NOT_FOUND).await;
    let back = put(&app, "/fhir/Goal/g", &goal("g", "two")).await;
    assert_eq!((back.status(), header(&back, "etag").as_str()), (StatusCode::CREATED, "W/\"3\""));
    assert_eq!(app.json("/fhir/Goal").await["total"], 1);
}

/// The first official example of each type in which HL7's validator finds no error.
fn official_examples() -> BTreeMap<String, Value> {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fhir/examples/examples-r4-clinical.tgz");
    let good: BTreeSet<&str> = include_str!("../conformance/official-verdicts.tsv")
        .lines()
        .filter_map(|line| line.split_once('\t').filter(|(_, rest)| rest.starts_with("0\t")).map(|(name, _)| name))
        .collect();
    let mut examples = BTreeMap::new();
    let Ok(archive) = std::fs::File::open(archive) else { return examples };
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    for entry in archive.entries().expect("an archive") {
        let entry = entry.expect("an entry");
        let path = entry.path().expect("a path").into_owned();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| good.contains(name)) else {
            continue;
        };
        let example: Value = serde_json::from_reader(entry).unwrap_or_else(|_| panic!("{name} is JSON"));
        let resource_type = example["resourceType"].as_str().expect("text").to_owned();
        examples.entry(resource_type).or_insert(example);
    }
    examples
}

#[tokio::test]
async fn official_examples_of_every_type_are_stored_read_and_found() {
    let examples = official_examples();
    if examples.is_empty() {
        println!("NOT TRIED: the official examples are not beside the project");
        return;
    }
    let app = TestApp::start_with(Options { fhir_body_limit: Some(16 << 20), ..Options::default() });
    for (name, example) in examples.iter().filter(|(name, _)| *name != "Parameters") {
        let id = example["id"].as_str().expect("text");
        let path = format!("/fhir/{name}/{id}");
        let answer = put(&app, &path, example).await;
        let status = answer.status();
        assert_eq!(status, StatusCode::CREATED, "{path}: {}", answer.text().await.expect("text"));
        // Without a word on the format a Binary is read as what it holds.
        let mut read = app.json(&format!("{path}?_format=json")).await;
        let meta = read["meta"].as_object_mut().expect("meta");
        for of_the_server in ["versionId", "lastUpdated"] {
            meta.shift_remove(of_the_server).expect(of_the_server);
        }
        let mut sent = example.clone();
        sent["meta"] = sent.get("meta").cloned().unwrap_or_else(|| json!({}));
        for of_the_server in ["versionId", "lastUpdated"] {
            sent["meta"].as_object_mut().expect("meta").shift_remove(of_the_server);
        }
        assert_eq!(read, sent, "{path}");
        assert_eq!(ids(&app.json(&format!("/fhir/{name}?_id={id}")).await), [id], "{name}");
        let xml = app.get(&format!("{path}?_format=xml")).await;
        assert_eq!(xml.status(), StatusCode::OK, "{path} in XML");
    }
    assert!(examples.len() > 50, "{}", examples.len());
}

#[tokio::test]
async fn every_type_that_is_stated_is_taken_and_no_other() {
    let app = TestApp::start_with(Options { validate_writes: Some(WriteValidation::Off), ..Options::default() });
    let statement = app.json("/fhir/metadata").await;
    let resources = statement["rest"][0]["resource"].as_array().expect("resources");
    assert_eq!(resources.len(), 146);
    for resource in resources.iter().filter(|resource| resource.get("interaction").is_some()) {
        let name = resource["type"].as_str().expect("text");
        let bare = json!({ "resourceType": name, "id": "x", "language": "en" });
        let status = put(&app, &format!("/fhir/{name}/x"), &bare).await.status();
        // Elements that a type must have may be missing: then the content is refused, not the type.
        assert!([StatusCode::CREATED, StatusCode::UNPROCESSABLE_ENTITY].contains(&status), "{name}: {status}");
        assert_eq!(app.get(&format!("/fhir/{name}?_lastUpdated=2026")).await.status(), StatusCode::OK, "{name}");
    }
    for name in ["Parameters", "Banana", "Resource", "DomainResource", "Quantity"] {
        outcome(put(&app, &format!("/fhir/{name}/x"), &json!({})).await, StatusCode::NOT_FOUND).await;
        outcome(app.get(&format!("/fhir/{name}")).await, StatusCode::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn content_that_is_not_valid_returns_422_with_every_error_and_stores_nothing() {
    let app = TestApp::start();
    let faulty = json!({ "resourceType": "Patient", "id": "p", "banana": 1, "gender": "x", "birthDate": "2026-02-30",
        "name": [{ "family": "Testpatient" }] });
    for answer in [post(&app, "/fhir/Patient", &faulty).await, put(&app, "/fhir/Patient/p", &faulty).await] {
        let told = outcome(answer, StatusCode::UNPROCESSABLE_ENTITY).await;
        let places: Vec<_> = told["issue"]
            .as_array()
            .expect("issues")
            .iter()
            .filter(|issue| issue["severity"] == "error")
            .map(|issue| issue["expression"][0].as_str().expect("text"))
            .collect();
        assert_eq!(places.len(), 3, "{told}");
        assert!(places.contains(&"Patient.gender") && places.contains(&"Patient.birthDate"), "{told}");
    }
    assert_eq!(app.json("/fhir/Patient").await["total"], 0);
}

#[tokio::test]
async fn profile_of_the_guide_is_held_to_and_of_others_faults_are_told() {
    let app = TestApp::start();
    let mut claims = patient("p", "A-1");
    claims.as_object_mut().expect("an object").remove("identifier");
    claims["meta"]["profile"] = json!(["https://kap-gateway.example.org/fhir/StructureDefinition/kap-treated-patient"]);
    outcome(put(&app, "/fhir/Patient/p", &claims).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    // Whoever made it claims another guide and breaks it: it is taken, and told.
    claims["meta"]["profile"] = json!(["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"]);
    let taken = request(&app, Method::PUT, "/fhir/Patient/p").header("Prefer", "return=OperationOutcome");
    let told = outcome(taken.body(claims.to_string()).send().await.expect("an answer"), StatusCode::CREATED).await;
    let min = told["issue"].as_array().expect("issues").iter().find(|one| {
        one["details"]["coding"][0]["code"] == "cardinality-min"
            && one["details"]["text"].to_string().contains("us-core")
    });
    assert_eq!(min.expect("the fault is told")["severity"], "warning", "{told}");
    // Where that is wanted no fault of any profile is taken.
    let strict = TestApp::start_with(Options { validate_writes: Some(WriteValidation::Strict), ..Options::default() });
    outcome(put(&strict, "/fhir/Patient/p", &claims).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    claims["meta"]["profile"] = json!(["urn:nowhere"]);
    let taken = request(&app, Method::PUT, "/fhir/Patient/p").header("Prefer", "return=OperationOutcome");
    let told = outcome(taken.body(claims.to_string()).send().await.expect("an answer"), StatusCode::OK).await;
    assert!(told.to_string().contains("profile-unknown"), "what cannot be checked is told: {told}");
}

#[tokio::test]
async fn wrong_display_alone_is_a_warning_on_write() {
    let app = TestApp::start();
    let named = json!({ "resourceType": "Observation", "id": "o", "status": "final", "code": { "text": "mood" },
        "category": [{ "coding": [{ "code": "survey", "display": "Testpatient's numbers",
            "system": "http://terminology.hl7.org/CodeSystem/observation-category" }] }] });
    let taken = request(&app, Method::PUT, "/fhir/Observation/o").header("Prefer", "return=OperationOutcome");
    let told = outcome(taken.body(named.to_string()).send().await.expect("an answer"), StatusCode::CREATED).await;
    let display = told["issue"]
        .as_array()
        .expect("issues")
        .iter()
        .find(|issue| issue["details"]["coding"][0]["code"] == "display");
    assert_eq!(display.expect("the display is told")["severity"], "warning");
}

#[tokio::test]
async fn without_validation_content_must_still_be_r4() {
    let app = TestApp::start_with(Options { validate_writes: Some(WriteValidation::Off), ..Options::default() });
    let odd = json!({ "resourceType": "Patient", "id": "p", "gender": "x", "name": [{ "family": "Testpatient" }] });
    assert_eq!(put(&app, "/fhir/Patient/p", &odd).await.status(), StatusCode::CREATED);
    let unknown = json!({ "resourceType": "Patient", "id": "p", "banana": 1 });
    outcome(put(&app, "/fhir/Patient/p", &unknown).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    let xml = app.get("/fhir/Patient/p?_format=xml").await;
    assert_eq!(xml.status(), StatusCode::OK);
}

#[tokio::test]
async fn body_that_is_no_resource_of_the_path_returns_400() {
    let app = TestApp::start();
    for (path, body) in [
        ("/fhir/Goal/g", json!([])),
        ("/fhir/Goal/g", json!({ "id": "g" })),
        ("/fhir/Goal/g", json!({ "resourceType": "Patient", "id": "g" })),
        ("/fhir/Goal/g", json!({ "resourceType": "Banana", "id": "g" })),
        ("/fhir/Goal/g", goal("other", "one")),
        ("/fhir/Goal/g", json!({ "resourceType": "Goal" })),
    ] {
        outcome(put(&app, path, &body).await, StatusCode::BAD_REQUEST).await;
    }
    let long = "a".repeat(65);
    outcome(put(&app, &format!("/fhir/Goal/{long}"), &goal(&long, "x")).await, StatusCode::BAD_REQUEST).await;
    for text in ["", "{", "{\"resourceType\":\"Goal\",\"id\":\"g\",\"id\":\"h\"}", "\u{0}"] {
        let answer = request(&app, Method::PUT, "/fhir/Goal/g").body(text).send().await.expect("an answer");
        outcome(answer, StatusCode::BAD_REQUEST).await;
    }
    let answer = app.request(Method::PUT, "/fhir/Goal/g").header("Content-Type", "text/plain").body("x").send();
    outcome(answer.await.expect("an answer"), StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    assert_eq!(app.json("/fhir/Goal").await["total"], 0);
    outcome(put(&app, "/fhir/Goal/g?banana=1", &goal("g", "x")).await, StatusCode::BAD_REQUEST).await;
    outcome(send(&app, Method::PATCH, "/fhir/metadata", &json!({})).await, StatusCode::METHOD_NOT_ALLOWED).await;
}

#[tokio::test]
async fn body_above_the_limit_returns_413_and_stores_nothing() {
    let app = TestApp::start_with(Options { fhir_body_limit: Some(2000), ..Options::default() });
    let told = outcome(put(&app, "/fhir/Goal/g", &goal("g", &"a".repeat(2000))).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(told.await["issue"][0]["code"], "too-long");
    assert_eq!(app.json("/fhir/Goal").await["total"], 0);
}

#[tokio::test]
async fn xml_is_stored_as_json_is() {
    let app = TestApp::start();
    let xml = r#"<Goal xmlns="http://hl7.org/fhir"><id value="g"/><lifecycleStatus value="active"/>
        <description><text value="one"/></description><subject><reference value="Patient/p"/></subject></Goal>"#;
    let answer = app.request(Method::PUT, "/fhir/Goal/g").header("Content-Type", "application/fhir+xml").body(xml);
    let answer = answer.header("Accept", "application/fhir+xml").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "content-type"), "application/fhir+xml; charset=utf-8");
    codec::from_xml(&answer.text().await.expect("text")).expect("FHIR XML");
    assert_eq!(app.json("/fhir/Goal/g").await["description"]["text"], "one");
    let twice = r#"<Goal xmlns="http://hl7.org/fhir"><lifecycleStatus value="active"/><banana value="x"/></Goal>"#;
    let answer = app.request(Method::POST, "/fhir/Goal").header("Content-Type", "application/fhir+xml").body(twice);
    outcome(answer.send().await.expect("an answer"), StatusCode::UNPROCESSABLE_ENTITY).await;
}

#[tokio::test]
async fn preferred_body_is_given() {
    let app = TestApp::start();
    let ask = |preference: &'static str, text: &'static str| {
        let body = goal("g", text).to_string();
        request(&app, Method::PUT, "/fhir/Goal/g").header("Prefer", preference).body(body).send()
    };
    let minimal = ask("return=minimal", "one").await.expect("an answer");
    assert_eq!((minimal.status(), header(&minimal, "etag").as_str()), (StatusCode::CREATED, "W/\"1\""));
    assert_eq!(minimal.text().await.expect("text"), "");
    let whole: Value = ask("return=representation", "two").await.expect("an answer").json().await.expect("JSON");
    assert_eq!(whole["resourceType"], "Goal");
    let told: Value = ask("return=OperationOutcome", "two").await.expect("an answer").json().await.expect("JSON");
    assert_outcome(&told);
    let deleted = app.request(Method::DELETE, "/fhir/Goal/g").header("Prefer", "return=OperationOutcome").send();
    outcome(deleted.await.expect("an answer"), StatusCode::OK).await;
}

#[tokio::test]
async fn stale_or_missing_version_returns_412() {
    let app = TestApp::start();
    let ask = |method: Method, id: &'static str, tag: &'static str, text: &'static str| {
        let path = format!("/fhir/Goal/{id}");
        request(&app, method, &path).header("If-Match", tag).body(goal(id, text).to_string()).send()
    };
    outcome(ask(Method::PUT, "g", "*", "one").await.expect("an answer"), StatusCode::PRECONDITION_FAILED).await;
    outcome(ask(Method::PUT, "g", "W/\"1\"", "one").await.expect("an answer"), StatusCode::PRECONDITION_FAILED).await;
    put(&app, "/fhir/Goal/g", &goal("g", "one")).await;
    assert_eq!(ask(Method::PUT, "g", "W/\"1\"", "two").await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(ask(Method::PUT, "g", "*", "three").await.expect("an answer").status(), StatusCode::OK);
    for (method, tag) in [(Method::PUT, "W/\"1\""), (Method::PUT, "\"banana\""), (Method::DELETE, "W/\"2\"")] {
        let told = outcome(ask(method, "g", tag, "x").await.expect("an answer"), StatusCode::PRECONDITION_FAILED).await;
        assert_eq!(told["issue"][0]["code"], "conflict");
    }
    for tag in ["banana", "W/\"1\", W/\"2\"", "3"] {
        outcome(ask(Method::PUT, "g", tag, "x").await.expect("an answer"), StatusCode::BAD_REQUEST).await;
    }
    assert_eq!(app.json("/fhir/Goal/g").await["meta"]["versionId"], "3");
    assert_eq!(ask(Method::DELETE, "g", "W/\"3\"", "").await.expect("an answer").status(), StatusCode::NO_CONTENT);
    let only_new = |id: &'static str| {
        let path = format!("/fhir/Goal/{id}");
        request(&app, Method::PUT, &path).header("If-None-Match", "*").body(goal(id, "new").to_string()).send()
    };
    assert_eq!(only_new("n").await.expect("an answer").status(), StatusCode::CREATED);
    outcome(only_new("n").await.expect("an answer"), StatusCode::PRECONDITION_FAILED).await;
}

#[tokio::test]
async fn what_a_record_made_is_changed_by_its_record_alone() {
    let app = TestApp::start();
    let record = fixture("case-01/03-dosing-session-1.json");
    let request = app.request(Method::POST, "/kap/v1/dosing-session").header("Content-Type", "application/json");
    assert_eq!(request.body(record.to_string()).send().await.expect("an answer").status(), StatusCode::CREATED);
    let doses = app.json("/fhir/MedicationAdministration").await;
    let dose = &doses["entry"][0]["resource"];
    let path = format!("/fhir/MedicationAdministration/{}", dose["id"].as_str().expect("text"));
    let mut other = dose.clone();
    other["dosage"]["text"] = "another".into();
    for answer in [put(&app, &path, &other).await, delete(&app, &path).await] {
        let told = outcome(answer, StatusCode::CONFLICT).await;
        assert_eq!(told["issue"][0]["code"], "business-rule");
        assert!(told["issue"][0]["details"]["text"].as_str().expect("text").contains("/kap/v1"), "{told}");
    }
    assert_eq!(&app.json(&path).await, dose);
    let trial = app.json(&format!("{path}/$validate?mode=delete")).await;
    assert_eq!(trial["issue"][0]["severity"], "error", "{trial}");
    assert_eq!(&app.json(&path).await, dose);
}

#[tokio::test]
async fn resource_of_the_guide_is_not_changed_and_others_of_its_type_stand_beside_it() {
    let app = TestApp::start();
    let guides = app.json("/fhir/ValueSet/kap-ketamine-route").await;
    let told = outcome(put(&app, "/fhir/ValueSet/kap-ketamine-route", &guides).await, StatusCode::CONFLICT).await;
    assert_eq!(told["issue"][0]["code"], "business-rule");
    outcome(delete(&app, "/fhir/ValueSet/kap-ketamine-route").await, StatusCode::CONFLICT).await;
    let own = json!({ "resourceType": "ValueSet", "id": "own", "url": "urn:test:own", "status": "draft" });
    assert_eq!(put(&app, "/fhir/ValueSet/own", &own).await.status(), StatusCode::CREATED);
    assert_eq!(ids(&app.json("/fhir/ValueSet?url=urn:test:own").await), ["own"]);
    let both = app.json("/fhir/ValueSet?_id=own,kap-ketamine-route").await;
    assert_eq!((both["total"].as_u64(), ids(&both).len()), (Some(2), 2));
    let url = guides["url"].as_str().expect("text");
    assert_eq!(ids(&app.json(&format!("/fhir/ValueSet?url={url}")).await), ["kap-ketamine-route"]);
    let all = app.json("/fhir/ValueSet").await;
    assert_eq!(ids(&all), ["own"]);
    assert!(all.to_string().contains("by url or _id alone"), "{all}");
}

#[tokio::test]
async fn what_a_write_names_enters_the_patients_compartment() {
    let app = TestApp::start();
    put(&app, &format!("/fhir/Patient/{PATIENT}"), &patient(PATIENT, "A-1")).await;
    put(&app, "/fhir/Goal/g", &goal("g", "one")).await;
    let allergy = json!({ "resourceType": "AllergyIntolerance", "id": "a", "code": { "text": "nuts" },
        "patient": { "reference": format!("Patient/{PATIENT}") },
        "clinicalStatus": { "coding": [{ "code": "active",
            "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical" }] } });
    assert_eq!(put(&app, "/fhir/AllergyIntolerance/a", &allergy).await.status(), StatusCode::CREATED);
    let organization = json!({ "resourceType": "Organization", "id": "o", "name": "Clinic" });
    assert_eq!(put(&app, "/fhir/Organization/o", &organization).await.status(), StatusCode::CREATED);
    use kap_gateway::store::DEFAULT_TENANT;
    let found = app.running.store.compartment(DEFAULT_TENANT, PATIENT).await.expect("a store");
    let ids: Vec<_> = found.iter().map(|resource| resource.id.as_str()).collect();
    assert_eq!(ids, [PATIENT, "g", "a"]);
}

#[tokio::test]
async fn head_answers_as_get_does_without_a_body() {
    let app = TestApp::start();
    put(&app, "/fhir/Goal/g", &goal("g", "one")).await;
    let head = app.request(Method::HEAD, "/fhir/Goal/g").send().await.expect("an answer");
    assert_eq!((head.status(), header(&head, "etag").as_str()), (StatusCode::OK, "W/\"1\""));
    assert_eq!(head.text().await.expect("text"), "");
    delete(&app, "/fhir/Goal/g").await;
    let head = app.request(Method::HEAD, "/fhir/Goal/g").send().await.expect("an answer");
    assert_eq!(head.status(), StatusCode::GONE);
}

/// Without the validator the codec is the only reader: what FHIR has not, empty lists and objects, must not end it.
#[tokio::test]
async fn hollow_content_is_refused_without_the_validator_too() {
    let app = TestApp::start_with(Options { validate_writes: Some(WriteValidation::Off), ..Options::default() });
    for resource in [
        json!({ "resourceType": "Basic", "identifier": [] }),
        json!({ "resourceType": "Basic", "code": {} }),
        json!({ "resourceType": "Basic", "code": { "coding": [{}] } }),
    ] {
        outcome(post(&app, "/fhir/Basic", &resource).await, StatusCode::UNPROCESSABLE_ENTITY).await;
        let entry = json!({ "resource": resource, "request": { "method": "POST", "url": "Basic" } });
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry] });
        outcome(post(&app, "/fhir", &bundle).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
}
