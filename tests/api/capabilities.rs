//! The CapabilityStatement says what the server does, and nothing else.

use crate::{
    test_app::{TestApp, ids},
    writes::{post, put},
};
use kap_gateway::{api, app::Options, config::WriteValidation, fhir::codec};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
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

/// R4: a server may answer each mode with its CapabilityStatement; `_summary` and `_elements` are for every read.
#[tokio::test]
async fn statement_is_given_in_each_mode_and_in_parts() {
    let app = TestApp::start();
    let whole = app.json("/fhir/metadata").await;
    for mode in ["full", "normative", "terminology"] {
        assert_eq!(app.json(&format!("/fhir/metadata?mode={mode}")).await, whole, "{mode}");
    }
    let refused = app.get("/fhir/metadata?mode=banana").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let part = app.json("/fhir/metadata?_elements=fhirVersion").await;
    assert_eq!((&part["fhirVersion"], &part["rest"]), (&json!("4.0.1"), &Value::Null));
    let summary = app.json("/fhir/metadata?_summary=true").await;
    assert_eq!((&summary["kind"], summary["meta"]["tag"][0]["code"].as_str()), (&json!("instance"), Some("SUBSETTED")));
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
            queries.push(format!("{code}:missing=true"));
            if !["_id", "_lastUpdated"].contains(&code) {
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

/// Each compartment that the statement names is searched by R4's definition of it.
#[tokio::test]
async fn every_stated_compartment_is_searched_by_its_definition() {
    let app = TestApp::start_with(Options { validate_writes: Some(WriteValidation::Off), ..Options::default() });
    let reference = |name: &str| json!({ "reference": name });
    let mut resources = vec![
        json!({ "resourceType": "Encounter", "id": "e", "status": "finished", "class": { "code": "AMB" } }),
        json!({ "resourceType": "RelatedPerson", "id": "r", "patient": reference("Patient/p") }),
    ];
    resources.extend(
        ["Patient", "Practitioner", "Device"]
            .map(|name| json!({ "resourceType": name, "id": name[..1].to_lowercase() })),
    );
    // By subject, encounter, performer and device: each in its own way.
    let mut observation = |id: &str, member: &str, value: Value| {
        let mut one = json!({ "resourceType": "Observation", "id": id, "status": "final", "code": { "text": "x" } });
        one[member] = value;
        resources.push(one);
    };
    observation("of-patient", "subject", reference("Patient/p"));
    observation("of-encounter", "encounter", reference("Encounter/e"));
    observation("of-practitioner", "performer", json!([reference("Practitioner/p")]));
    observation("of-related", "performer", json!([reference("RelatedPerson/r")]));
    observation("of-device", "device", reference("Device/d"));
    for resource in &resources {
        let path = format!(
            "/fhir/{}/{}",
            resource["resourceType"].as_str().expect("text"),
            resource["id"].as_str().expect("text")
        );
        assert!(put(&app, &path, resource).await.status().is_success(), "{path}");
    }
    let statement = app.json("/fhir/metadata").await;
    let stated: BTreeSet<&str> = statement["rest"][0]["compartment"]
        .as_array()
        .expect("compartments")
        .iter()
        .filter_map(|url| url.as_str()?.rsplit('/').next())
        .collect();
    let expected = [
        ("patient", "Patient/p", "of-patient"),
        ("encounter", "Encounter/e", "of-encounter"),
        ("practitioner", "Practitioner/p", "of-practitioner"),
        ("relatedPerson", "RelatedPerson/r", "of-related"),
        ("device", "Device/d", "of-device"),
    ];
    assert_eq!(stated, expected.map(|(name, _, _)| name).into());
    for (_, owner, found) in expected {
        assert_eq!(ids(&app.json(&format!("/fhir/{owner}/Observation")).await), [found], "{owner}");
        let all = app.json(&format!("/fhir/{owner}/*")).await;
        assert!(ids(&all).contains(&found), "{owner}: {all}");
    }
    assert_eq!(app.get("/fhir/Goal/x/Observation").await.status(), StatusCode::NOT_FOUND);
}

/// Each operation answers at each level that its definition has: not with "there is nothing at this path".
#[tokio::test]
async fn every_stated_operation_answers() {
    let app = TestApp::start_with(Options { validate_writes: Some(WriteValidation::Off), ..Options::default() });
    for name in ["Patient", "Encounter"] {
        let mut resource = json!({ "resourceType": name, "id": "x" });
        if name == "Encounter" {
            resource["status"] = "finished".into();
            resource["class"] = json!({ "code": "AMB" });
        }
        assert!(put(&app, &format!("/fhir/{name}/x"), &resource).await.status().is_success());
    }
    let statement = app.json("/fhir/metadata").await;
    let mut asked = 0;
    for resource in statement["rest"][0]["resource"].as_array().expect("resources") {
        let name = resource["type"].as_str().expect("text");
        for operation in texts(&resource["operation"], "name").into_iter().filter(|operation| *operation != "validate")
        {
            let path = match operation {
                "everything" => format!("/fhir/{name}/x/$everything"),
                "lastn" => "/fhir/Observation/$lastn?patient=x&code=x".to_owned(),
                "kap-summary" | "document" => format!("/fhir/{name}/x/${operation}"),
                _ => format!("/fhir/{name}/${operation}"),
            };
            let answer = app.get(&path).await;
            let expected: &[StatusCode] = match operation {
                "everything" | "lastn" | "reindex" => &[StatusCode::OK],
                // Of no such course or Composition; and questions that lack what they are about.
                "kap-summary" | "document" => &[StatusCode::NOT_FOUND],
                _ => &[StatusCode::BAD_REQUEST],
            };
            let status = answer.status();
            let text = answer.text().await.expect("text");
            assert!(expected.contains(&status) && !text.contains("nothing at this path"), "{path}: {status} {text}");
            asked += 1;
        }
    }
    assert!(asked > 8, "{asked}");
}

/// What the statement says of every type and of the server: conditional forms, formats, patches, whole-system interactions.
#[tokio::test]
async fn stated_formats_conditions_and_system_interactions_are_served() {
    let app = TestApp::start();
    let statement = app.json("/fhir/metadata").await;
    let rest = &statement["rest"][0];
    let basic =
        rest["resource"].as_array().expect("resources").iter().find(|one| one["type"] == "Basic").expect("Basic");
    let told =
        ["updateCreate", "conditionalCreate", "conditionalUpdate", "readHistory"].map(|name| basic[name] == true);
    assert!(told.iter().all(|told| *told), "{basic}");
    assert_eq!((&basic["conditionalRead"], &basic["conditionalDelete"]), (&json!("full-support"), &json!("single")));
    let resource =
        |text: &str| json!({ "resourceType": "Basic", "identifier": [{ "value": "b" }], "code": { "text": text } });
    // Create, conditionally: the second finds the first.
    for expected in [StatusCode::CREATED, StatusCode::OK] {
        let request = app.request(Method::POST, "/fhir/Basic").header("Content-Type", "application/fhir+json");
        let answer = request.header("If-None-Exist", "identifier=b").body(resource("x").to_string()).send().await;
        assert_eq!(answer.expect("an answer").status(), expected);
    }
    assert_eq!(put(&app, "/fhir/Basic?identifier=b", &resource("y")).await.status(), StatusCode::OK);
    let found = app.json("/fhir/Basic?identifier=b").await;
    let id = ids(&found)[0].to_owned();
    // Read, conditionally.
    let request = app.request(Method::GET, &format!("/fhir/Basic/{id}")).header("If-None-Match", "W/\"2\"");
    assert_eq!(request.send().await.expect("an answer").status(), StatusCode::NOT_MODIFIED);
    // Patches in each format.
    let patch = |path: &str| {
        let part = |name: &str, kind: &str, value: &str| json!({ "name": name, kind: value });
        let parts = [
            part("type", "valueCode", "replace"),
            part("path", "valueString", path),
            part("value", "valueString", "z"),
        ];
        json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": parts }] })
    };
    let xml = kap_gateway::fhir::xml::json_to_xml(patch("Basic.code.text").to_string().as_bytes()).expect("XML");
    for (format, body) in [
        ("application/json-patch+json", r#"[{"op":"replace","path":"/code/text","value":"w"}]"#.to_owned()),
        ("application/fhir+json", patch("Basic.code.text").to_string()),
        ("application/fhir+xml", String::from_utf8(xml).expect("text")),
    ] {
        assert!(statement["patchFormat"].as_array().expect("formats").contains(&json!(format)));
        let request = app.request(Method::PATCH, &format!("/fhir/Basic/{id}")).header("Content-Type", format);
        let answer = request.body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{format}: {}", answer.text().await.expect("text"));
    }
    for format in texts_of(&statement["format"]) {
        let answer = app.request(Method::GET, &format!("/fhir/Basic/{id}")).header("Accept", format).send().await;
        assert!(crate::test_app::header(&answer.expect("an answer"), "content-type").starts_with(format), "{format}");
    }
    assert_eq!(texts(&rest["interaction"], "code"), ["transaction", "batch", "history-system", "search-system"]);
    for kind in ["transaction", "batch"] {
        let entry = json!({ "request": { "method": "GET", "url": format!("Basic/{id}") } });
        let bundle = json!({ "resourceType": "Bundle", "type": kind, "entry": [entry] });
        let answer: Value = post(&app, "/fhir", &bundle).await.json().await.expect("JSON");
        assert_eq!(answer["type"], format!("{kind}-response"));
    }
    assert_eq!(app.json("/fhir/_history").await["type"], "history");
    assert_eq!(ids(&app.json("/fhir?_type=Basic").await), [id.as_str()]);
    assert_eq!(
        app.request(Method::DELETE, "/fhir/Basic?identifier=b").send().await.expect("an answer").status(),
        StatusCode::NO_CONTENT
    );
}

fn texts_of(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|item| item.as_str().expect("text")).collect()
}
