//! The CapabilityStatement says what the server does, and nothing else.

use crate::test_app::TestApp;
use kap_gateway::{api, fhir::codec};
use reqwest::StatusCode;
use serde_json::Value;
use std::collections::BTreeSet;

fn texts<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item[member].as_str().expect("text")).collect()
}

#[tokio::test]
async fn statement_is_fhir_and_names_this_server() {
    let app = TestApp::start();
    let statement = app.json("/fhir/metadata").await;
    codec::from_json(statement.to_string().as_bytes()).expect("FHIR R4");
    assert_eq!(statement["fhirVersion"], "4.0.1");
    assert_eq!(statement["kind"], "instance");
    assert_eq!(statement["implementation"]["url"], app.url("/fhir"));
    assert_eq!(statement["software"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(statement["format"], serde_json::json!(["application/fhir+json", "application/fhir+xml"]));
}

/// Every parameter of every type, with each modifier of its kind, and the sort by it.
#[tokio::test]
async fn every_stated_parameter_modifier_sort_and_include_is_taken() {
    let app = TestApp::start();
    let statement = app.json("/fhir/metadata").await;
    let resources = statement["rest"][0]["resource"].as_array().expect("resources");
    assert_eq!(resources.len(), 146);
    let mut asked = 0;
    for resource in resources.iter().filter(|resource| resource["searchInclude"].is_array()) {
        let name = resource["type"].as_str().expect("text");
        let mut queries = vec![];
        for parameter in resource["searchParam"].as_array().expect("parameters") {
            let (code, kind) = (parameter["name"].as_str().expect("text"), parameter["type"].as_str().expect("text"));
            let (value, modifiers): (_, &[&str]) = match kind {
                "date" => ("ge2026", &[]),
                "number" | "quantity" => ("5.4", &[]),
                "token" => ("x", &["not", "text"]),
                "string" => ("x", &["exact", "contains"]),
                "reference" => ("x", &["identifier"]),
                "uri" => ("http://x", &["above", "below"]),
                "composite" => ("", &[]),
                other => panic!("{other}"),
            };
            if kind == "composite" {
                queries.push(format!("{code}:missing=true"));
                continue;
            }
            queries.push(format!("{code}={value}&_sort=-{code}"));
            if !["_id", "_lastUpdated"].contains(&code) {
                queries.push(format!("{code}:missing=true"));
                queries.extend(modifiers.iter().map(|modifier| format!("{code}:{modifier}={value}")));
            }
        }
        for (member, parameter) in [("searchInclude", "_include"), ("searchRevInclude", "_revinclude")] {
            let values = resource[member].as_array().map(Vec::as_slice).unwrap_or_default();
            queries.extend(values.iter().map(|value| format!("{parameter}={}", value.as_str().expect("text"))));
        }
        // Some in one request: a search takes 20 filters and 20 includes.
        let (sorted, plain): (Vec<String>, Vec<String>) =
            queries.into_iter().partition(|query| query.contains("_sort"));
        let together = plain.chunks(10).map(|part| part.join("&")).chain(sorted);
        for query in together {
            let response = app.get(&format!("/fhir/{name}?{query}")).await;
            assert_eq!(response.status(), StatusCode::OK, "{name}?{query}: {}", response.text().await.expect("text"));
            asked += 1;
        }
    }
    assert!(asked > 2000, "{asked}");
}

#[tokio::test]
async fn parameters_that_are_not_served_are_named_and_refused() {
    let app = TestApp::start();
    let statement = app.json("/fhir/metadata").await;
    let told = statement["rest"][0]["documentation"].as_str().expect("text").to_owned();
    for (name, parameter) in
        [("Observation", "_text"), ("Location", "near"), ("Patient", "age"), ("Patient", "_content")]
    {
        assert!(told.contains(&format!(".{parameter}")), "{parameter}: {told}");
        let status = app.get(&format!("/fhir/{name}?{parameter}=x")).await.status();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{name}?{parameter}");
    }
}

#[tokio::test]
async fn every_stated_interaction_has_a_route_and_every_route_is_stated() {
    let app = TestApp::start();
    let statement = app.json("/fhir/metadata").await;
    let routed: BTreeSet<&str> =
        api::endpoints().iter().filter_map(|endpoint| endpoint.interaction?.resource_code()).collect();
    for resource in statement["rest"][0]["resource"].as_array().expect("resources") {
        let stated: BTreeSet<&str> = texts(&resource["interaction"], "code").into_iter().collect();
        // A type without interactions is only asked about.
        assert!(stated == routed || (stated.is_empty() && resource["operation"].is_array()), "{resource}");
    }
}

/// Every type has `$validate`; the terminology operations stand at their types.
#[tokio::test]
async fn every_stated_operation_has_a_route_and_every_route_is_stated() {
    let app = TestApp::start();
    let statement = app.json("/fhir/metadata").await;
    let mut stated = BTreeSet::new();
    for resource in statement["rest"][0]["resource"].as_array().expect("resources") {
        let names = texts(&resource["operation"], "name");
        assert!(names.contains(&"validate"), "{resource}");
        assert!(texts(&resource["operation"], "definition").iter().all(|url| url.contains("/OperationDefinition/")));
        stated.extend(
            names.into_iter().map(|name| (resource["type"].as_str().expect("text").to_owned(), name.to_owned())),
        );
    }
    let mut routed = BTreeSet::new();
    for endpoint in api::endpoints() {
        let Some(operation) = endpoint.interaction.and_then(|interaction| interaction.operation()) else { continue };
        assert!(endpoint.path.ends_with(&format!("/${}", operation.name)), "{}", endpoint.path);
        if let Some(resource_type) = operation.resource_type {
            assert!(endpoint.path.starts_with(&format!("/fhir/{resource_type}/")), "{}", endpoint.path);
            routed.insert((resource_type.to_owned(), operation.name.to_owned()));
        }
    }
    stated.retain(|(_, name)| name != "validate");
    assert_eq!(stated, routed);
}
