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

#[tokio::test]
async fn every_stated_parameter_and_sort_is_answered_and_no_other() {
    let app = TestApp::start();
    let statement = app.json("/fhir/metadata").await;
    let resources = statement["rest"][0]["resource"].as_array().expect("resources");
    assert!(resources.len() > 20, "{}", resources.len());
    for resource in resources.iter().filter(|resource| resource.get("interaction").is_some()) {
        let name = resource["type"].as_str().expect("text");
        let parameters = texts(&resource["searchParam"], "name");
        let kinds = texts(&resource["searchParam"], "type");
        let dates: Vec<_> = parameters.iter().zip(kinds).filter(|(_, kind)| *kind == "date").collect();
        for parameter in
            ["_id", "_lastUpdated", "identifier", "patient", "subject", "code", "date", "status", "category"]
        {
            let value = match parameter {
                "date" | "_lastUpdated" => "2026",
                _ => "x",
            };
            let status = app.get(&format!("/fhir/{name}?{parameter}={value}")).await.status();
            // Every type that has a date takes it by that name.
            let stated = match parameter {
                "date" => dates.iter().any(|(name, _)| **name != "_lastUpdated"),
                other => parameters.contains(&other),
            };
            let expected = if stated { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            assert_eq!(status, expected, "{name}?{parameter}");
        }
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
        // The guide's resources have no versions; a type without interactions is only asked about.
        let of_guide = stated == BTreeSet::from(["read", "search-type"]);
        assert!(stated == routed || of_guide || (stated.is_empty() && resource["operation"].is_array()), "{resource}");
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
