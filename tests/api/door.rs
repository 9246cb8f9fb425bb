//! One door: what is withheld is not there, on any route.
//!
//! Two ways to look: a twin that never had the withheld rows must answer the same to the letter; and no route may say a
//! word of them.

use crate::{
    test_app::{TestApp, fixture, header, observation, patient},
    writes::{delete, goal, post, put, send},
};
use kap_gateway::{
    api,
    app::Options,
    config::WriteValidation,
    consent::{Context, Decision, Policy, Row},
};
use regex::Regex;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// Withholds all that is in one patient's compartment, from the moment when it is told to.
#[derive(Default)]
struct Withheld {
    patient: Mutex<String>,
    is_on: AtomicBool,
}

impl Policy for Withheld {
    fn withholds(&self, _: &Context) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    fn decide(&self, _: &Context, row: &Row<'_>) -> Decision {
        let is_withheld =
            self.is_on.load(Ordering::Relaxed) && row.patients().contains(&*self.patient.lock().expect("free"));
        if is_withheld { Decision::Withhold } else { Decision::Permit }
    }
}

impl Withheld {
    fn withhold(&self, patient: &str) {
        patient.clone_into(&mut self.patient.lock().expect("free"));
        self.is_on.store(true, Ordering::Relaxed);
    }
}

const HIDDEN: &str = "99999999-9999-5999-8999-999999999999";
const SEEN: &str = "11111111-1111-5111-8111-111111111111";

async fn stored(app: &TestApp, resource: &Value) {
    let path = format!(
        "/fhir/{}/{}",
        resource["resourceType"].as_str().expect("text"),
        resource["id"].as_str().expect("text")
    );
    let answer = put(app, &path, resource).await;
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.expect("text"));
}

fn by(mut observation: Value, practitioner: &str) -> Value {
    observation["performer"] = json!([{ "reference": format!("Practitioner/{practitioner}") }]);
    observation.as_object_mut().expect("an object").remove("meta");
    observation
}

fn plain_patient(id: &str, identifier: &str) -> Value {
    let mut patient = patient(id, identifier);
    patient.as_object_mut().expect("an object").remove("meta");
    patient
}

/// What both gateways have; where it is asked for, the withheld patient's rows between them.
async fn filled(app: &TestApp, with_hidden: bool) {
    for id in ["dr", "nurse"] {
        stored(app, &json!({ "resourceType": "Practitioner", "id": id, "name": [{ "family": "Testpractitioner" }] }))
            .await;
    }
    stored(app, &plain_patient(SEEN, "seen-1")).await;
    if with_hidden {
        stored(app, &plain_patient(HIDDEN, "hidden-1")).await;
    }
    for day in 1..=6 {
        if with_hidden {
            let time = format!("2026-03-0{day}T08:00:00Z");
            stored(app, &by(observation(&format!("hidden-{day}"), HIDDEN, "final", &time), "nurse")).await;
        }
        let time = format!("2026-03-0{day}T10:00:00Z");
        stored(app, &by(observation(&format!("seen-{day}"), SEEN, "final", &time), "dr")).await;
    }
    if with_hidden {
        let changed = by(observation("hidden-1", HIDDEN, "amended", "2026-03-01T08:00:00Z"), "nurse");
        stored(app, &changed).await;
        assert_eq!(delete(app, "/fhir/Observation/hidden-2").await.status(), StatusCode::NO_CONTENT);
        let mut own = goal("hidden-goal", "less pain");
        own["subject"] = json!({ "reference": format!("Patient/{HIDDEN}") });
        stored(app, &own).await;
        // A last row, behind all that is seen.
        stored(app, &by(observation("hidden-9", HIDDEN, "final", "2026-03-09"), "nurse")).await;
    }
    assert_eq!(delete(app, "/fhir/Observation/seen-6").await.status(), StatusCode::NO_CONTENT);
}

/// An answer without what tells one gateway, or one moment, from another.
async fn masked(app: &TestApp, method: Method, path: &str, body: Option<&Value>) -> String {
    let answer = match body {
        None => app.request(method, path).send().await.expect("an answer"),
        Some(body) => send(app, method, path, body).await,
    };
    let head = format!("{} {} {}", answer.status(), header(&answer, "etag"), header(&answer, "content-type"));
    let text = app.neutral(&answer.text().await.expect("text"));
    let times = Regex::new(r#"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z|_cursor=[^"&]*"#).expect("a pattern");
    format!("{head}\n{}", times.replace_all(&text, "…"))
}

/// Follows the links to the next page; ids on each.
async fn pages(app: &TestApp, path: &str) -> Vec<Vec<String>> {
    let (mut found, mut next) = (Vec::new(), Some(app.url(path)));
    while let Some(url) = next {
        let page: Value = app.client.get(url).send().await.expect("an answer").json().await.expect("JSON");
        found.push(crate::test_app::ids(&page).into_iter().map(str::to_owned).collect());
        next = crate::test_app::link(&page, "next").map(str::to_owned);
        assert!(found.len() < 30, "{path}: pages without end");
    }
    found
}

async fn twins() -> (TestApp, TestApp) {
    let policy = Arc::new(Withheld::default());
    let options = || Options { validate_writes: Some(WriteValidation::Off), ..Options::default() };
    let withholding = TestApp::start_with_policy(options(), policy.clone());
    let twin = TestApp::start_with(options());
    filled(&withholding, true).await;
    filled(&twin, false).await;
    policy.withhold(HIDDEN);
    (withholding, twin)
}

const READS: [&str; 41] = [
    "/fhir/Patient",
    "/fhir/Patient?identifier=hidden-1",
    "/fhir/Patient?_summary=count",
    "/fhir/Patient/99999999-9999-5999-8999-999999999999",
    "/fhir/Patient/99999999-9999-5999-8999-999999999999/_history",
    "/fhir/Patient/99999999-9999-5999-8999-999999999999/_history/1",
    "/fhir/Patient/99999999-9999-5999-8999-999999999999/Observation",
    "/fhir/Patient/99999999-9999-5999-8999-999999999999/*",
    "/fhir/Practitioner/nurse/Observation",
    "/fhir/Practitioner/nurse/*?_total=accurate",
    "/fhir/Observation",
    "/fhir/Observation?_total=accurate",
    "/fhir/Observation?_sort=date",
    "/fhir/Observation?_sort=-date&_count=2",
    "/fhir/Observation?_sort=-_lastUpdated",
    "/fhir/Observation?status=amended",
    "/fhir/Observation?performer=Practitioner/nurse",
    "/fhir/Observation?performer.name=Testpractitioner&_sort=date",
    "/fhir/Observation?patient.identifier=hidden-1",
    "/fhir/Observation?patient.identifier=hidden-1,seen-1&_include=Observation:patient",
    "/fhir/Observation?date=2026-03-01&_include=Observation:performer&_include=Observation:patient",
    "/fhir/Observation?_include=*&_count=3",
    "/fhir/Observation/hidden-1",
    "/fhir/Observation/hidden-1/_history",
    "/fhir/Observation/hidden-1/_history/1",
    "/fhir/Observation/hidden-2",
    "/fhir/Observation/hidden-2/_history",
    "/fhir/Observation/hidden-2/_history/1",
    "/fhir/Observation/hidden-2/_history/2",
    "/fhir/Observation/_history",
    "/fhir/Observation/seen-6",
    "/fhir/Observation/seen-6/_history",
    "/fhir/_history?_count=4",
    "/fhir/Practitioner?_has:Observation:performer:code=8867-4",
    "/fhir/Practitioner?_has:Observation:performer:patient.identifier=hidden-1",
    "/fhir/Practitioner?_has:Observation:performer:status=amended&_total=accurate",
    "/fhir/Practitioner?_revinclude=Observation:performer",
    "/fhir/Practitioner?_id=nurse&_revinclude=Observation:performer&_include:iterate=Observation:patient",
    "/fhir/Patient?_has:Observation:patient:status=final&_revinclude=Observation:patient",
    "/fhir/Goal?_total=accurate",
    "/fhir?_type=Patient,Observation,Goal",
];

#[tokio::test]
async fn what_is_withheld_changes_no_answer() {
    let (withholding, twin) = twins().await;
    for path in READS {
        let (own, others) =
            (masked(&withholding, Method::GET, path, None).await, masked(&twin, Method::GET, path, None).await);
        assert_eq!(own, others, "{path}");
    }
    for path in [
        "/fhir/Observation?_count=2",
        "/fhir/Observation?_sort=-date&_count=2",
        "/fhir/_history?_count=3",
        "/fhir?_count=3",
    ] {
        assert_eq!(pages(&withholding, path).await, pages(&twin, path).await, "{path}");
    }
    let entry = |url: &str| json!({ "request": { "method": "GET", "url": url } });
    let urls =
        ["Observation", "Observation/hidden-1", "Observation/hidden-2/_history/1", "Patient?identifier=hidden-1"];
    for kind in ["batch", "transaction"] {
        let bundle = json!({ "resourceType": "Bundle", "type": kind, "entry": urls.map(entry) });
        let own = masked(&withholding, Method::POST, "/fhir", Some(&bundle)).await;
        assert_eq!(own, masked(&twin, Method::POST, "/fhir", Some(&bundle)).await, "{kind}");
    }
}

/// The answers to writes are the twin's too: what is not seen is neither found nor changed, and a condition is about what is
/// seen.
#[tokio::test]
async fn writes_find_and_change_nothing_that_is_withheld() {
    let (withholding, twin) = twins().await;
    let patch = json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
        { "name": "type", "valueCode": "delete" }, { "name": "path", "valueString": "Observation.note" },
    ] }] });
    let hidden = by(observation("hidden-1", HIDDEN, "final", "2026-03-01"), "dr");
    for (method, path, body) in [
        (Method::PATCH, "/fhir/Observation/hidden-1", Some(&patch)),
        (Method::PATCH, "/fhir/Observation?status=amended", Some(&patch)),
        (Method::DELETE, "/fhir/Observation?status=amended", None),
        (Method::GET, "/fhir/Observation/hidden-1/$validate?mode=delete", None),
    ] {
        let own = masked(&withholding, method.clone(), path, body).await;
        assert_eq!(own, masked(&twin, method.clone(), path, body).await, "{method} {path}");
    }
    // An id that is taken cannot be hidden from whoever wants to give it: but nothing of what is there is told or changed.
    for answer in [
        put(&withholding, "/fhir/Observation/hidden-1", &hidden).await,
        delete(&withholding, "/fhir/Observation/hidden-1").await,
    ] {
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        let text = answer.text().await.expect("text");
        assert!(!text.contains("version") && !text.contains("hidden"), "{text}");
    }
    // A conditional create whose only match is withheld creates, as it would without it.
    let new = json!({ "resourceType": "Patient", "identifier": [{ "system": "urn:test:mrn", "value": "hidden-1" }] });
    let create = |app: &TestApp| {
        let request = app.request(Method::POST, "/fhir/Patient").header("Content-Type", "application/fhir+json");
        request.header("If-None-Exist", "identifier=urn:test:mrn|hidden-1").body(new.to_string()).send()
    };
    for expected in [StatusCode::CREATED, StatusCode::OK] {
        for app in [&withholding, &twin] {
            assert_eq!(create(app).await.expect("an answer").status(), expected);
        }
    }
    // What one writes and does not see is stored, and does not come back.
    let own = by(observation("new", HIDDEN, "final", "2026-03-01"), "dr");
    let answer = put(&withholding, "/fhir/Observation/new", &own).await;
    assert_eq!((answer.status(), answer.text().await.expect("text").as_str()), (StatusCode::CREATED, ""));
}

/// All records of an example course, in their order.
fn records(case: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(case);
    let files = std::fs::read_dir(folder).expect("fixtures").map(|entry| entry.expect("a file").file_name());
    let mut names: Vec<String> = files.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with(|first: char| first.is_ascii_digit()));
    names.sort();
    names.iter().map(|name| fixture(&format!("{case}/{name}"))).collect()
}

/// Routes that give no stored rows, or only take them.
const WITHOUT_ROWS: [&str; 12] = [
    "/fhir/metadata",
    "/kap/v1/instruments",
    "/kap/v1/instruments/{key}",
    "/healthz",
    "/readyz",
    "/metrics",
    "/fhir/SearchParameter/$reindex",
    "/fhir/ValueSet/$expand",
    "/fhir/ValueSet/$validate-code",
    "/fhir/CodeSystem/$validate-code",
    "/fhir/CodeSystem/$lookup",
    "/fhir/ConceptMap/$translate",
];

/// A whole course of records is withheld. Every route that gives rows is asked for them by the ids that they have.
#[tokio::test]
async fn no_route_says_a_word_of_a_patient_who_is_withheld() {
    let policy = Arc::new(Withheld::default());
    let app = TestApp::start_with_policy(Options::default(), policy.clone());
    let (mut receipt, mut written) = (Value::Null, Vec::new());
    let records = records("case-01");
    for record in &records {
        let answer = post(&app, &format!("/kap/v1/{}", record["kind"].as_str().expect("a kind")), &Value::Null).await;
        assert!(answer.status().is_client_error());
        let request = app.request(Method::POST, &format!("/kap/v1/{}", record["kind"].as_str().expect("a kind")));
        let answer = request
            .header("Content-Type", "application/json")
            .body(record.to_string())
            .send()
            .await
            .expect("an answer");
        assert!(answer.status().is_success());
        receipt = answer.json().await.expect("JSON");
        let resources = receipt["resources"].as_array().expect("resources");
        written.extend(resources.iter().map(|resource| resource["reference"].as_str().expect("text").to_owned()));
    }
    let id = |name: &str| receipt[name].as_str().and_then(|text| text.split_once('/')).expect("an id").1.to_owned();
    let (course, patient) = (id("course"), id("patient"));
    let compartment: Value = app.json(&format!("/fhir/Patient/{patient}/*?_count=100")).await;
    let mut secrets: BTreeSet<String> = crate::test_app::ids(&compartment).into_iter().map(str::to_owned).collect();
    secrets.extend([patient.clone(), course.clone()]);
    assert!(secrets.len() > 30, "{}", secrets.len());
    let families = Regex::new(r#""family":"([^"]+)""#).expect("a pattern");
    let text = app.json(&format!("/fhir/Patient/{patient}")).await.to_string();
    assert!(families.is_match(&text), "{text}");
    let summary = app.json(&format!("/fhir/EpisodeOfCare/{course}/$kap-summary")).await;
    let composition = summary["entry"][0]["resource"]["id"].as_str().expect("an id").to_owned();
    secrets.insert(composition.clone());

    policy.withhold(&patient);
    let mut asked = BTreeSet::new();
    let mut probes = Vec::new();
    for endpoint in api::endpoints() {
        let path = endpoint.path;
        let is_without =
            WITHOUT_ROWS.contains(&path) || path.starts_with("/docs") || path.starts_with("/openapi") || path == "/";
        if is_without || !["GET", "POST"].contains(&endpoint.method.as_str()) {
            continue;
        }
        asked.insert(path);
        // The parts of the pattern, with what is withheld in their place.
        for (resource_type, id) in written.iter().filter_map(|reference| reference.split_once('/')) {
            let compartment = ("{compartment:[A-Za-z]+}/{id:[A-Za-z0-9.-]+}", format!("Patient/{patient}"));
            let filled = [
                (compartment.0, compartment.1.as_str()),
                ("EpisodeOfCare/{id:[A-Za-z0-9.-]+}", &format!("EpisodeOfCare/{course}")),
                ("Composition/{id:[A-Za-z0-9.-]+}", &format!("Composition/{composition}")),
                ("Patient/{id:[A-Za-z0-9.-]+}", &format!("Patient/{patient}")),
                ("courses/{id}", &format!("courses/{course}")),
                ("{resource_type:[A-Za-z]+|\\*}", "*"),
                ("{resource_type:[A-Za-z]+}", resource_type),
                ("{id:[A-Za-z0-9.-]+}", id),
                ("{version_id:[0-9]+}", "1"),
            ];
            let path = filled.iter().fold(path.to_owned(), |path, (part, with)| path.replace(part, with));
            probes.push((endpoint.method.to_string(), path));
        }
    }
    for record in &records {
        let (kind, id) =
            (record["kind"].as_str().expect("a kind"), record["source"]["recordId"].as_str().expect("an id"));
        probes.push(("GET".to_owned(), format!("/kap/v1/{kind}/{id}")));
    }
    probes.retain(|(_, path)| !path.contains('{'));
    probes.sort();
    probes.dedup();
    assert!(probes.len() > 150 && asked.len() > 15, "{} of {asked:?}", probes.len());
    for (method, path) in probes {
        let method: Method = method.parse().expect("a method");
        let mut request = app.request(method.clone(), &path);
        if method == Method::POST && path.ends_with("/_search") {
            request = request.header("Content-Type", "application/x-www-form-urlencoded").body("");
        }
        let answer = request.send().await.expect("an answer");
        assert!(!answer.status().is_server_error(), "{method} {path}: {}", answer.status());
        let (is_ok, headers) = (answer.status().is_success(), format!("{:?}", answer.headers()));
        let body = answer.text().await.expect("text");
        // The self link of a search repeats what was asked.
        let body = match serde_json::from_str::<Value>(&body) {
            Ok(mut answer) => {
                answer.as_object_mut().map(|answer| answer.remove("link"));
                answer.to_string()
            }
            Err(_) => body,
        };
        for secret in &secrets {
            assert!(
                !body.contains(secret.as_str()) && !headers.contains(secret.as_str()),
                "{method} {path} tells {secret}: {}",
                &body[body.find(secret.as_str()).unwrap_or(0).saturating_sub(300)..][..600.min(body.len())]
            );
        }
        assert!(!is_ok || !families.is_match(&body) || !path.starts_with("/fhir/Patient"), "{method} {path}: {body}");
    }
}

/// Withholds every Medication, from the moment when it is told to.
#[derive(Default)]
struct NoMedications(AtomicBool);

impl Policy for NoMedications {
    fn withholds(&self, _: &Context) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn decide(&self, _: &Context, row: &Row<'_>) -> Decision {
        let is_withheld = self.0.load(Ordering::Relaxed) && row.resource_type == "Medication";
        if is_withheld { Decision::Withhold } else { Decision::Permit }
    }
}

#[tokio::test]
async fn rules_do_not_pass_over_a_medication_that_is_withheld() {
    let policy = Arc::new(NoMedications::default());
    let app = TestApp::start_with_policy(Options::default(), policy.clone());
    stored(&app, &plain_patient(SEEN, "A-1")).await;
    stored(&app, &json!({ "resourceType": "Medication", "id": "m", "code": { "text": "a medicine" } })).await;
    let subject = json!({ "reference": format!("Patient/{SEEN}") });
    let course = json!({ "resourceType": "EpisodeOfCare", "id": "c", "status": "active", "patient": subject });
    stored(&app, &course).await;
    let taken = json!({ "resourceType": "MedicationStatement", "id": "s", "status": "active", "subject": subject,
        "medicationReference": { "reference": "Medication/m" } });
    stored(&app, &taken).await;
    let states = async || -> BTreeSet<String> {
        let report = app.json("/kap/v1/courses/c/rules").await;
        let rules = report["rules"].as_array().expect("rules").clone();
        rules.iter().map(|rule| rule["state"].as_str().expect("a state").to_owned()).collect()
    };
    let passes = |states: &BTreeSet<String>| states.contains("holds") || states.contains("not-applicable");
    assert!(passes(&states().await));
    policy.0.store(true, Ordering::Relaxed);
    assert!(!passes(&states().await));
}
