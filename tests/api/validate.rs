//! `$validate`: <https://hl7.org/fhir/R4/resource-operation-validate.html>

use crate::test_app::{PATIENT, TestApp, assert_outcome, fixture, header, observation, outcome, patient};
use kap_gateway::{app::Options, fhir::codec};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

const JSON: &str = "application/fhir+json";
const XML: &str = "application/fhir+xml";
const US_CORE_PATIENT: &str = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient";

async fn post(app: &TestApp, path: &str, content_type: &str, body: impl ToString) -> Response {
    let request = app.request(Method::POST, path).header("Content-Type", content_type);
    request.body(body.to_string()).send().await.expect("an answer")
}

/// Posts a resource and gives the report, which must come with 200.
async fn report(app: &TestApp, path: &str, body: &Value) -> Value {
    outcome(post(app, path, JSON, body).await, StatusCode::OK).await
}

/// Severity, rule and place of every issue.
fn issues(report: &Value) -> Vec<(&str, &str, &str)> {
    fn text(value: &Value) -> &str {
        value.as_str().unwrap_or_default()
    }
    let issues = report["issue"].as_array().expect("issues");
    issues
        .iter()
        .map(|issue| {
            (text(&issue["severity"]), text(&issue["details"]["coding"][0]["code"]), text(&issue["expression"][0]))
        })
        .collect()
}

fn errors(report: &Value) -> Vec<(&str, &str)> {
    issues(report)
        .into_iter()
        .filter(|(severity, _, _)| *severity == "error")
        .map(|(_, rule, place)| (rule, place))
        .collect()
}

#[tokio::test]
async fn every_error_comes_with_its_rule_and_place_and_status_200() {
    let app = TestApp::start();
    let faulty = json!({ "resourceType": "Patient", "banana": 1, "gender": "x", "birthDate": "2026-02-30",
        "name": [{ "family": "Testpatient" }, { "given": ["Ada", ""] }] });
    let report = report(&app, "/fhir/Patient/$validate", &faulty).await;
    let found = errors(&report);
    for expected in [
        ("unknown-element", "Patient"),
        ("binding-required", "Patient.gender"),
        ("primitive-format", "Patient.birthDate"),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
    assert!(found.iter().any(|(_, place)| *place == "Patient.name[1].given[1]"), "{found:?}");
}

#[tokio::test]
async fn nothing_to_say_is_said() {
    let app = TestApp::start();
    let report = report(&app, "/fhir/Patient/$validate", &patient(PATIENT, "A-1")).await;
    assert_eq!(report["issue"].as_array().expect("issues").len(), 1, "{report}");
    assert_eq!(report["issue"][0]["severity"], "information");
}

#[tokio::test]
async fn xml_gets_the_same_report_as_json_with_all_errors() {
    let app = TestApp::start();
    let faulty = json!({ "resourceType": "Patient", "banana": "1", "active": "maybe", "gender": "x" });
    let xml = r#"<Patient xmlns="http://hl7.org/fhir"><banana value="1"/><active value="maybe"/><gender value="x"/></Patient>"#;
    let from_json = report(&app, "/fhir/Patient/$validate", &faulty).await;
    let from_xml = outcome(post(&app, "/fhir/Patient/$validate", XML, xml).await, StatusCode::OK).await;
    assert_eq!(from_json, from_xml);
    assert_eq!(errors(&from_xml).len(), 3, "{from_xml}");
    let answer = post(&app, "/fhir/Patient/$validate?_format=xml", XML, xml).await;
    assert_eq!(header(&answer, "content-type"), "application/fhir+xml; charset=utf-8");
    codec::from_xml(&answer.text().await.expect("text")).expect("FHIR XML");
}

#[tokio::test]
async fn what_the_gateway_emits_is_valid_as_json_and_as_xml() {
    let app = TestApp::start();
    let request = app.request(Method::POST, "/kap/v1/dosing-session/$map").header("Content-Type", "application/json");
    let record = fixture("case-01/03-dosing-session-1.json");
    let bundle: Value = request.body(record.to_string()).send().await.expect("an answer").json().await.expect("JSON");
    let from_json = report(&app, "/fhir/Bundle/$validate", &bundle).await;
    assert_eq!(errors(&from_json), vec![], "{from_json}");
    assert!(issues(&from_json).len() > 20, "{from_json}");
    let typed = codec::from_json(bundle.to_string().as_bytes()).expect("FHIR");
    let xml = String::from_utf8(codec::to_xml(&typed).expect("XML")).expect("text");
    let from_xml = outcome(post(&app, "/fhir/Bundle/$validate", XML, xml).await, StatusCode::OK).await;
    assert_eq!(issues(&from_json), issues(&from_xml));
}

#[tokio::test]
async fn profiles_are_asked_for_claimed_or_unknown() {
    let app = TestApp::start();
    let bare = json!({ "resourceType": "Patient", "active": true });
    let by_url = report(&app, &format!("/fhir/Patient/$validate?profile={US_CORE_PATIENT}"), &bare).await;
    assert!(errors(&by_url).contains(&("cardinality-min", "Patient")), "{by_url}");
    let parameters = json!({ "resourceType": "Parameters", "parameter": [
        { "name": "resource", "resource": bare }, { "name": "profile", "valueUri": US_CORE_PATIENT }] });
    assert_eq!(report(&app, "/fhir/Patient/$validate", &parameters).await, by_url);
    // A profile that was asked for and is not here is an error, one that is claimed a warning: never silence.
    let unknown = report(&app, "/fhir/Patient/$validate?profile=urn:nowhere", &bare).await;
    assert_eq!(errors(&unknown), vec![("profile-unknown", "Patient")]);
    let claims = json!({ "resourceType": "Patient", "meta": { "profile": ["urn:nowhere"] } });
    let claimed = report(&app, "/fhir/Patient/$validate", &claims).await;
    assert_eq!(errors(&claimed), vec![]);
    assert!(issues(&claimed).iter().any(|(severity, rule, _)| (*severity, *rule) == ("warning", "profile-unknown")));
}

#[tokio::test]
async fn unreadable_bodies_are_400_and_others_415_413() {
    let app = TestApp::start_with(Options { fhir_body_limit: Some(2000), ..Options::default() });
    let path = "/fhir/Patient/$validate";
    let deep = format!("{{\"a\":{}", "[".repeat(1900));
    for (content_type, body) in [
        (JSON, "{\"resourceType\":\"Pat"),
        (JSON, "{\"resourceType\":\"Patient\",\"active\":true,\"active\":false}"),
        (JSON, deep.as_str()),
        (JSON, ""),
        (XML, "<Patient xmlns=\"http://hl7.org/fhir\">"),
        (XML, "<Patient/>"),
        (XML, "<!DOCTYPE a [<!ENTITY b \"c\">]><Patient xmlns=\"http://hl7.org/fhir\"/>"),
    ] {
        outcome(post(&app, path, content_type, body).await, StatusCode::BAD_REQUEST).await;
    }
    for content_type in
        ["text/plain", "application/fhir+json; charset=latin1", "application/fhir+json; fhirVersion=3.0"]
    {
        outcome(post(&app, path, content_type, "{}").await, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    }
    outcome(post(&app, path, JSON, " ".repeat(2001)).await, StatusCode::PAYLOAD_TOO_LARGE).await;
    outcome(app.get(path).await, StatusCode::METHOD_NOT_ALLOWED).await;
}

#[tokio::test]
async fn what_is_no_resource_is_told_and_other_types_are_errors() {
    let app = TestApp::start();
    for (body, expected) in [
        (json!([]), ("json-type", "")),
        (json!({}), ("resource-type", "")),
        (json!({ "resourceType": "Banana" }), ("resource-type", "")),
        (observation("a", PATIENT, "final", "2026-02-01T10:00:00Z"), ("resource-type", "Observation")),
    ] {
        let report = report(&app, "/fhir/Patient/$validate", &body).await;
        let found = errors(&report);
        assert!(
            found.iter().any(|(rule, place)| *rule == expected.0 && place.starts_with(expected.1)),
            "{body}: {found:?}"
        );
    }
    for path in ["/fhir/Banana/$validate", "/fhir/Resource/$validate", "/fhir/Quantity/$validate"] {
        outcome(post(&app, path, JSON, "{}").await, StatusCode::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn no_parameter_is_ignored() {
    let app = TestApp::start();
    let body = json!({ "resourceType": "Patient" });
    for query in [
        "profil=x",
        "mode=banana",
        "mode=create&mode=create",
        "mode=update",
        "mode=delete",
        "mode=profile",
        "_pretty=x",
    ] {
        let path = format!("/fhir/Patient/$validate?{query}");
        outcome(post(&app, &path, JSON, &body).await, StatusCode::BAD_REQUEST).await;
    }
    for parameter in [
        json!({ "name": "banana", "valueString": "x" }),
        json!({ "name": "profile", "valueInteger": 1 }),
        json!({ "name": "profile" }),
        json!({ "valueUri": "x" }),
        json!({ "name": "mode", "valueCode": "create", "valueString": "create" }),
        json!({ "name": "resource", "valueString": "x" }),
    ] {
        let resource = json!({ "name": "resource", "resource": body });
        let parameters = json!({ "resourceType": "Parameters", "parameter": [resource, parameter] });
        let answer = post(&app, "/fhir/Patient/$validate", JSON, &parameters).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{parameter}");
    }
    let empty = json!({ "resourceType": "Parameters", "parameter": [{ "name": "mode", "valueCode": "create" }] });
    outcome(post(&app, "/fhir/Patient/$validate", JSON, &empty).await, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn create_tells_what_becomes_of_the_id() {
    let app = TestApp::start();
    let report = report(&app, "/fhir/Patient/$validate?mode=create", &patient(PATIENT, "A-1")).await;
    assert_eq!(errors(&report), vec![]);
    let found = issues(&report);
    assert!(found.contains(&("information", "create-id", "Patient.id")), "{found:?}");
}

#[tokio::test]
async fn stored_resource_is_validated_as_it_is_or_against_a_profile() {
    let app = TestApp::start();
    let mut faulty = patient(PATIENT, "A-1");
    faulty["birthDate"] = "2026-02-30".into();
    app.store(&faulty).await;
    let path = format!("/fhir/Patient/{PATIENT}/$validate");
    let stored = app.json(&path).await;
    assert_outcome(&stored);
    assert_eq!(errors(&stored), vec![("primitive-format", "Patient.birthDate")]);
    assert_eq!(outcome(post(&app, &path, JSON, "").await, StatusCode::OK).await, stored);
    let profiled = app.json(&format!("{path}?mode=profile&profile={US_CORE_PATIENT}")).await;
    assert!(errors(&profiled).contains(&("cardinality-min", "Patient")), "{profiled}");
    outcome(app.get(&format!("{path}?mode=profile")).await, StatusCode::BAD_REQUEST).await;
    outcome(app.get(&format!("{path}?mode=create")).await, StatusCode::BAD_REQUEST).await;
    outcome(app.get("/fhir/Patient/nobody/$validate").await, StatusCode::NOT_FOUND).await;
    outcome(app.get("/fhir/Banana/x/$validate").await, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn update_holds_id_and_version_to_the_stored_resource() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    let path = format!("/fhir/Patient/{PATIENT}/$validate?mode=update");
    let mut next = patient(PATIENT, "A-2");
    next["meta"]["versionId"] = "1".into();
    // A record made it.
    assert_eq!(errors(&report(&app, &path, &next).await), vec![("change-refused", "Patient")]);
    next["meta"]["versionId"] = "7".into();
    let stale = report(&app, &path, &next).await;
    assert!(issues(&stale).contains(&("warning", "update-version", "Patient.meta.versionId")), "{stale}");
    next["id"] = "other".into();
    assert!(errors(&report(&app, &path, &next).await).contains(&("update-id", "Patient.id")));
    next.as_object_mut().expect("an object").remove("id");
    assert!(errors(&report(&app, &path, &next).await).contains(&("update-id", "Patient")));
    outcome(app.get(&path).await, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn delete_says_that_what_a_record_made_is_not_deleted() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    let report = app.json(&format!("/fhir/Patient/{PATIENT}/$validate?mode=delete")).await;
    assert_eq!(errors(&report), vec![("change-refused", "Patient")]);
}

#[tokio::test]
async fn parameters_are_validated_where_they_are_the_resource() {
    let app = TestApp::start();
    let parameters = json!({ "resourceType": "Parameters", "parameter": [{ "name": "a", "valueBoolean": "x" }] });
    let found = report(&app, "/fhir/Parameters/$validate", &parameters).await;
    assert!(errors(&found).iter().any(|(_, place)| place.starts_with("Parameters.parameter[0].value")), "{found}");
}

#[tokio::test]
async fn profiles_of_the_users_packages_are_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = json!({
        "resourceType": "StructureDefinition", "url": "urn:test:profile", "name": "Test", "status": "draft",
        "kind": "resource", "abstract": false, "type": "Patient", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "snapshot": { "element": [
            { "id": "Patient", "path": "Patient", "min": 0, "max": "*" },
            { "id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1, "max": "1", "type": [{ "code": "date" }] },
        ] },
    });
    std::fs::write(folder.path().join("profile.json"), profile.to_string()).expect("written");
    let packages = Some(vec![folder.path().to_owned()]);
    let app = TestApp::start_with(Options { packages, ..Options::default() });
    let found =
        report(&app, "/fhir/Patient/$validate?profile=urn:test:profile", &json!({ "resourceType": "Patient" })).await;
    assert_eq!(errors(&found), vec![("cardinality-min", "Patient")]);
}
