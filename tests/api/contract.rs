//! openapi.yaml, the router and the answers say the same.

use crate::test_app::{TestApp, fixture, outcome};
use kap_gateway::{api, ingest::Kind};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Parts of the page that shows the contract: not part of the contract.
const PAGE_PARTS: [&str; 2] = ["GET /", "GET /docs/{}"];

fn contract() -> Value {
    serde_saphyr::from_str(include_str!("../../openapi.yaml")).expect("YAML")
}

/// Method and path, with the names of path parameters taken out: the two sides name them differently.
fn operation(method: &str, path: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0;
    for letter in path.chars() {
        match letter {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    plain.push_str("{}");
                }
            }
            other if depth == 0 => plain.push(other),
            _ => {}
        }
    }
    format!("{} {plain}", method.to_uppercase())
}

/// The router has one pattern for all kinds of record where the contract has a path for each.
fn routed() -> BTreeSet<String> {
    let endpoints = api::endpoints();
    let operations = endpoints.iter().flat_map(|endpoint| {
        let kinds: Vec<&str> = match endpoint.path.contains("{kind}") {
            true => Kind::ALL.iter().map(|kind| kind.as_str()).collect(),
            false => vec![""],
        };
        let paths = kinds.into_iter().map(|kind| endpoint.path.replace("{kind}", kind));
        paths.map(|path| operation(endpoint.method.as_str(), &path)).collect::<Vec<_>>()
    });
    operations.filter(|operation| !PAGE_PARTS.contains(&operation.as_str())).collect()
}

#[test]
fn contract_and_router_have_the_same_operations() {
    let contract = contract();
    let mut published = BTreeSet::new();
    for (path, item) in contract["paths"].as_object().expect("paths") {
        for method in ["get", "put", "post", "delete", "patch"] {
            if item.get(method).is_some() {
                published.insert(operation(method, path));
            }
        }
    }
    assert_eq!(published, routed());
}

/// Every parameter that the contract lists for an operation is taken by it.
#[tokio::test]
async fn every_published_query_parameter_is_taken() {
    let app = TestApp::start();
    let contract = contract();
    let mut asked = 0;
    for (path, item) in contract["paths"].as_object().expect("paths") {
        let parameters = item["get"]["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        for parameter in parameters {
            let parameter = resolved(&contract, parameter);
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().expect("text");
            let value = match name {
                "_count" => "1",
                "_sort" => "-date",
                "_total" => "none",
                "_format" => "json",
                "_pretty" => "true",
                "date" | "_lastUpdated" | "_since" | "_at" => "2026",
                "_include" => "Observation:subject",
                "_revinclude" => "Provenance:target",
                "_summary" => "data",
                "_type" => "Observation",
                "mode" => "full",
                "asOf" => "2026-02-02T10:00:00Z",
                _ => "x",
            };
            // A cursor is taken from a link only: a wrong one is refused by name, not as unknown.
            let expected: &[StatusCode] = match name {
                // An operation looks first whether there is anything that it is about.
                "_cursor" if path.contains("{id}") => &[StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND],
                "_cursor" => &[StatusCode::BAD_REQUEST],
                // An operation needs more than one, and values that mean something.
                _ if path.contains('$') => &[StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND],
                _ => &[StatusCode::OK, StatusCode::NOT_FOUND],
            };
            let path = path.replace("{type}", "Observation").replace("{id}", "x").replace("{vid}", "1");
            let path =
                path.replace("{record-id}", "x").replace("{compartment}", "Patient").replace("{member}", "Observation");
            let response = app.get(&format!("{path}?{name}={value}")).await;
            assert!(expected.contains(&response.status()), "{path}?{name}: {}", response.status());
            if path.contains('$') {
                let told = response.text().await.expect("text");
                assert!(!told.contains("is not known here"), "{path}?{name}: {told}");
            }
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
}

fn resolved<'a>(contract: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => contract.pointer(reference.trim_start_matches('#')).expect("a target"),
        None => value,
    }
}

/// Asserts that a body is as the contract's schema of that name has it.
fn assert_schema(name: &str, body: &Value) {
    let mut schema = contract();
    schema["$ref"] = json!(format!("#/components/schemas/{name}"));
    let validator = jsonschema::draft202012::options().build(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(body).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:?} in {body}");
}

#[tokio::test]
async fn receipts_timelines_and_errors_are_as_published() {
    let app = TestApp::start();
    let record = fixture("case-01/03-dosing-session-1.json");
    for _ in 0..2 {
        let request = app.request(Method::POST, "/kap/v1/dosing-session").header("Content-Type", "application/json");
        let response = request.body(record.to_string()).send().await.expect("an answer");
        assert_schema("Receipt", &response.json().await.expect("JSON"));
    }
    assert_schema("Timeline", &app.json("/kap/v1/courses/case01-course").await);
    assert_schema("RulesReport", &app.json("/kap/v1/courses/case01-course/rules").await);
    let body = outcome(app.get("/fhir/Observation?banana=1&date=x").await, StatusCode::BAD_REQUEST).await;
    assert_schema("OperationOutcome", &body);
    let request = app.request(Method::POST, "/kap/v1/dosing-session").header("Content-Type", "application/json");
    let response = request.body("{\"a\": 1}").send().await.expect("an answer");
    assert_schema("OperationOutcome", &outcome(response, StatusCode::UNPROCESSABLE_ENTITY).await);
}
