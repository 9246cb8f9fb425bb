//! What the CapabilityStatement says of every type, tried on every type of which R4 has an example, in JSON and XML.

use crate::{
    test_app::{TestApp, ids},
    writes::{post, put},
};
use flate2::read::GzDecoder;
use kap_gateway::{app::Options, config::WriteValidation};
use reqwest::{Client, Method, StatusCode, header::ACCEPT};
use serde_json::Value;
use std::{collections::BTreeMap, fs::File, io::Read, path::Path};

/// One example of each type.
fn examples() -> Option<BTreeMap<String, Value>> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fhir/examples/examples-r4-clinical.tgz");
    let Ok(file) = File::open(place) else {
        println!("NOT TRIED: the examples are not beside the project");
        return None;
    };
    let mut found = BTreeMap::new();
    for entry in tar::Archive::new(GzDecoder::new(file)).entries().expect("entries") {
        let mut entry = entry.expect("an entry");
        if entry.path().expect("a path").extension().is_some_and(|extension| extension == "json") {
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("text");
            let mut resource: Value = serde_json::from_str(&text).expect("JSON");
            resource["id"] = "x1".into();
            found.entry(resource["resourceType"].as_str().expect("a type").to_owned()).or_insert(resource);
        }
    }
    Some(found)
}

#[tokio::test]
async fn every_stated_interaction_is_done_on_every_type() {
    let Some(examples) = examples() else { return };
    let mut app = TestApp::start_with(Options { validate_writes: Some(WriteValidation::Off), ..Options::default() });
    let statement = app.json("/fhir/metadata").await;
    let resources = statement["rest"][0]["resource"].as_array().expect("resources");
    let stated = resources.iter().filter(|one| one["interaction"].as_array().is_some_and(|all| !all.is_empty()));
    let mut tried = 0;
    // A Binary is read as what it holds, unless FHIR is asked for.
    let fhir = reqwest::header::HeaderValue::from_static("application/fhir+json");
    app.client = Client::builder().default_headers([(ACCEPT, fhir)].into_iter().collect()).build().expect("a client");
    for name in stated.map(|one| one["type"].as_str().expect("text")) {
        let Some(example) = examples.get(name) else { continue };
        let (of_type, of_one) = (format!("/fhir/{name}"), format!("/fhir/{name}/x1"));
        let get = async |path: String| app.get(&path).await.status();
        assert_eq!(put(&app, &of_one, example).await.status(), StatusCode::CREATED, "{name}");
        assert_eq!(post(&app, &of_type, example).await.status(), StatusCode::CREATED, "{name}");
        assert_eq!(app.json(&of_one).await["meta"]["versionId"], "1", "{name}");
        assert_eq!(get(format!("{of_one}/_history/1")).await, StatusCode::OK, "{name}");
        assert_eq!(ids(&app.json(&format!("{of_type}?_id=x1")).await), ["x1"], "{name}");
        let patch = app.request(Method::PATCH, &of_one).header("Content-Type", "application/json-patch+json");
        let patch = patch.body(r#"[{ "op": "add", "path": "/language", "value": "en" }]"#).send().await;
        assert_eq!(patch.expect("an answer").status(), StatusCode::OK, "{name}");
        // Written as XML and taken as XML, it is the same.
        let xml = app.get(&format!("{of_one}?_format=xml")).await.text().await.expect("text");
        let renamed = xml.replacen("<id value=\"x1\"/>", "<id value=\"x2\"/>", 1);
        let sent = app.request(Method::PUT, &format!("{of_type}/x2")).header("Content-Type", "application/fhir+xml");
        assert_eq!(sent.body(renamed).send().await.expect("an answer").status(), StatusCode::CREATED, "{name}");
        let (mut one, mut other) = (app.json(&of_one).await, app.json(&format!("{of_type}/x2")).await);
        for resource in [&mut one, &mut other] {
            let members = resource.as_object_mut().expect("an object");
            ["id", "meta", "text"].iter().for_each(|name| drop(members.remove(*name)));
        }
        assert_eq!(one, other, "{name}");
        for part in ["_summary=true", "_summary=text", "_summary=data", "_elements=id"] {
            assert_eq!(get(format!("{of_type}?{part}")).await, StatusCode::OK, "{name} {part}");
            assert_eq!(get(format!("{of_one}?{part}&_format=xml")).await, StatusCode::OK, "{name} {part}");
        }
        let gone = app.request(Method::DELETE, &of_one).send().await.expect("an answer");
        assert_eq!(gone.status(), StatusCode::NO_CONTENT, "{name}");
        assert_eq!(get(of_one.clone()).await, StatusCode::GONE, "{name}");
        assert_eq!(get(format!("{of_one}/_history/3")).await, StatusCode::GONE, "{name}");
        assert_eq!(get(format!("{of_one}/_history/2")).await, StatusCode::OK, "{name}");
        assert_eq!(app.json(&format!("{of_one}/_history")).await["total"], 3, "{name}");
        assert_eq!(app.json(&format!("{of_type}/_history")).await["type"], "history", "{name}");
        tried += 1;
    }
    assert!(tried > 120, "{tried}");
}
