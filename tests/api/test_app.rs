//! A gateway for one test: its own folder, its own port, stopped when the test ends.

use kap_gateway::{
    app::{self, Running},
    config::{Config, Options},
    consent::{PermitAll, Policy},
    fhir::search::extract,
    store::{Committed, DEFAULT_TENANT, RecordKey, RecordWrite, Write, WriteMode, WrittenResource},
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tempfile::TempDir;

pub const PATIENT: &str = "11111111-1111-5111-8111-111111111111";
pub const OTHER_PATIENT: &str = "22222222-2222-5222-8222-222222222222";

pub struct TestApp {
    pub running: Running,
    pub client: Client,
    records: AtomicUsize,
    folder: TempDir,
    /// Its own, on a server that it shares with other tests.
    database: Option<String>,
}

impl TestApp {
    pub fn start() -> Self {
        Self::start_with(Options::default())
    }

    /// On a file, unless `KAP_TEST_ENGINE=postgres` asks for a database.
    pub fn start_with(options: Options) -> Self {
        Self::start_with_policy(options, Arc::new(PermitAll))
    }

    /// With somebody at the door.
    pub fn start_with_policy(options: Options, policy: Arc<dyn Policy>) -> Self {
        match std::env::var("KAP_TEST_ENGINE").as_deref() {
            Ok("postgres") => Self::start_on(Some(new_database()), options, policy),
            Ok("sqlite") | Err(_) => Self::start_on(None, options, policy),
            Ok(other) => panic!("KAP_TEST_ENGINE is sqlite or postgres, not {other}"),
        }
    }

    /// For tests of the file itself.
    pub fn start_on_a_file() -> Self {
        Self::start_on(None, Options::default(), Arc::new(PermitAll))
    }

    fn start_on(database: Option<String>, options: Options, policy: Arc<dyn Policy>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config::try_from(options.or(Options {
            listen: Some("127.0.0.1:0".parse().expect("an address")),
            data_file: database.is_none().then(|| folder.path().join("test.db")),
            database_connections: database.is_some().then_some(4),
            database: database.clone().map(Into::into),
            page_size_max: Some(100),
            workers: Some(1),
            ..Options::default()
        }))
        .expect("a right configuration");
        Self {
            running: app::run_with(&config, policy).expect("a gateway"),
            client: Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client"),
            records: AtomicUsize::new(0),
            folder,
            database,
        }
    }

    /// Two patients, and observations of the first: `bp-1` to `bp-3` on three days, one of each status.
    pub async fn with_observations() -> Self {
        let app = Self::start();
        app.store(&patient(PATIENT, "A-1")).await;
        app.store(&patient(OTHER_PATIENT, "A,2|x")).await;
        for (id, status, day) in [("bp-2", "final", 2), ("bp-1", "amended", 1), ("bp-3", "entered-in-error", 3)] {
            app.store(&observation(id, PATIENT, status, &format!("2026-02-0{day}T10:00:00-05:00"))).await;
        }
        app.store(&observation("other", OTHER_PATIENT, "final", "2026-02-02")).await;
        app
    }

    /// Stores one resource as a record of its own.
    pub async fn store(&self, resource: &Value) -> WrittenResource {
        let record = self.records.fetch_add(1, Ordering::Relaxed);
        let text = |member: &str| resource[member].as_str().expect("text").to_owned();
        let write = RecordWrite {
            key: RecordKey { kind: "intake".into(), system: "urn:test".into(), record_id: record.to_string() },
            revision: "1".into(),
            digest: [0; 32],
            based_on: None,
            writes: vec![Write {
                resource_type: text("resourceType"),
                id: text("id"),
                body: resource.to_string().into(),
                mode: WriteMode::Put,
                patient: None,
                index: extract(&text("resourceType"), resource.to_string().as_bytes()).expect("a resource"),
            }],
            retractions: Vec::new(),
        };
        match self.running.store.commit(DEFAULT_TENANT, write).await.expect("a store") {
            Committed::Stored(mut written) => written.remove(0),
            Committed::Superseded => panic!("a new record cannot be superseded"),
        }
    }

    /// The file that the gateway keeps everything in.
    pub fn data_file(&self) -> std::path::PathBuf {
        self.folder.path().join("test.db")
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.base_url)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.expect("an answer")
    }

    /// The body of a GET that must succeed.
    pub async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.expect("JSON")
    }

    /// Takes what tells one gateway from another out of a text.
    pub fn neutral(&self, text: &str) -> String {
        text.replace(&self.running.base_url, "http://gateway")
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(database) = self.database.take() {
            // A failed test has told what is wrong.
            let _ = aside(move || async move { crate::database::drop_database(&database).await });
        }
    }
}

fn new_database() -> String {
    aside(crate::database::empty_database).expect("a database")
}

/// Whoever starts or ends a gateway is a task, which cannot wait for another.
fn aside<T: Send + 'static, F: Future<Output = T>>(
    work: impl FnOnce() -> F + Send + 'static,
) -> std::thread::Result<T> {
    std::thread::spawn(|| tokio::runtime::Runtime::new().expect("a runtime").block_on(work())).join()
}

pub fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default()
}

/// Asserts that an answer is an OperationOutcome with that status, and gives its body.
pub async fn outcome(response: Response, status: StatusCode) -> Value {
    assert_eq!(response.status(), status, "{}", response.url());
    assert_eq!(header(&response, "content-type"), "application/fhir+json; charset=utf-8");
    let body: Value = response.json().await.expect("JSON");
    assert_outcome(&body);
    body
}

pub fn assert_outcome(body: &Value) {
    assert_eq!(body["resourceType"], "OperationOutcome", "{body}");
    let issues = body["issue"].as_array().expect("issues");
    assert!(!issues.is_empty());
    for issue in issues {
        assert!(issue["severity"].is_string() && issue["code"].is_string(), "{issue}");
    }
    kap_gateway::fhir::codec::from_json(body.to_string().as_bytes()).expect("FHIR R4");
}

/// Ids of a Bundle's matches, in order.
pub fn ids(bundle: &Value) -> Vec<&str> {
    let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    entries
        .iter()
        .filter(|entry| entry["search"]["mode"] != "outcome")
        .filter_map(|entry| entry["resource"]["id"].as_str())
        .collect()
}

pub fn link<'a>(bundle: &'a Value, relation: &str) -> Option<&'a str> {
    let links = bundle["link"].as_array()?;
    links.iter().find(|link| link["relation"] == relation)?["url"].as_str()
}

pub fn patient(id: &str, identifier: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "id": id,
        "meta": { "profile": ["http://hl7.org/fhir/StructureDefinition/Patient"] },
        "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>One Testpatient &amp; more</p></div>" },
        "identifier": [{ "system": "urn:test:mrn", "value": identifier }],
        "name": [{ "family": "Testpatient", "given": ["Ada"] }],
    })
}

pub fn observation(id: &str, patient: &str, status: &str, time: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "id": id,
        "meta": { "profile": ["http://hl7.org/fhir/StructureDefinition/bp"] },
        "status": status,
        "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs" }] }],
        "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }] },
        "subject": { "reference": format!("Patient/{patient}") },
        "effectiveDateTime": time,
        "valueQuantity": { "value": decimal("72.50"), "unit": "/min" },
    })
}

/// A number with the digits as written: a literal would lose them.
fn decimal(digits: &str) -> Value {
    serde_json::from_str(digits).expect("a number")
}

/// A record of the example courses.
pub fn fixture(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    serde_json::from_slice(&fs::read(file).expect("a fixture")).expect("JSON")
}
