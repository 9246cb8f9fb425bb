//! The program on a store, for tests.

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program, without settings of this environment.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kap-gateway"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KAP_GATEWAY_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

pub struct Gateway {
    child: Child,
    pub url: String,
}

impl Gateway {
    /// On that database, ready.
    pub async fn on(database: &str) -> Self {
        Self::with(&["--database", database]).await
    }

    pub async fn with(arguments: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let child =
            program().args(["serve", "--listen", &address, "--log-level", "warn"]).args(arguments).spawn().unwrap();
        let gateway = Self { child, url: format!("http://{address}") };
        gateway.until_ready().await;
        gateway
    }

    pub async fn until_ready(&self) {
        let patience = Instant::now() + Duration::from_secs(60);
        while !Client::new()
            .get(format!("{}/readyz", self.url))
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            assert!(Instant::now() < patience, "not ready after a minute");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub async fn get(&self, path: &str) -> Response {
        Client::new().get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    /// The body of a GET that must succeed.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub async fn put(&self, resource: &Value, if_match: Option<u64>) -> Response {
        let (kind, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let mut request = Client::new().put(format!("{}/fhir/{kind}/{id}", self.url)).json(resource);
        if let Some(version) = if_match {
            request = request.header("If-Match", format!("W/\"{version}\""));
        }
        request.send().await.unwrap()
    }

    pub async fn post(&self, path: &str, resource: &Value, if_none_exist: Option<&str>) -> Response {
        let mut request = Client::new().post(format!("{}{path}", self.url)).json(resource);
        if let Some(criteria) = if_none_exist {
            request = request.header("If-None-Exist", criteria);
        }
        request.send().await.unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Killed already, perhaps.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn test_data() -> Value {
    json!({ "tag": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST" }] })
}

pub fn patient(identifier: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "meta": test_data(),
        "identifier": [{ "system": "urn:test:mrn", "value": identifier }],
        "name": [{ "family": "Testpatient" }],
    })
}

pub fn goal(id: &str, text: &str) -> Value {
    json!({
        "resourceType": "Goal",
        "id": id,
        "meta": test_data(),
        "lifecycleStatus": "active",
        "description": { "text": text },
        "subject": { "display": "Testpatient" },
    })
}

/// Runs all at once, and gives their answers in order.
pub async fn all<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}
