//! The terminology operations: <https://hl7.org/fhir/R4/terminology-service.html>

use crate::test_app::{TestApp, outcome};
use kap_gateway::fhir::codec;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const GUIDE: &str = "https://kap-gateway.example.org/fhir";
const GENDER_SET: &str = "http://hl7.org/fhir/ValueSet/administrative-gender";
const GENDER: &str = "http://hl7.org/fhir/administrative-gender";
const SNOMED: &str = "http://snomed.info/sct";

/// The answer to a GET, which must be FHIR and come with 200.
async fn get(app: &TestApp, path: &str) -> Value {
    let body = app.json(path).await;
    codec::from_json(body.to_string().as_bytes()).expect("FHIR R4");
    body
}

async fn post(app: &TestApp, path: &str, parameters: Value, status: StatusCode) -> Value {
    let body = json!({ "resourceType": "Parameters", "parameter": parameters });
    let request = app.request(Method::POST, path).header("Content-Type", "application/fhir+json");
    let answer = request.body(body.to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), status, "{body}");
    answer.json().await.expect("JSON")
}

/// The value of the first output parameter of a name.
fn output<'a>(body: &'a Value, name: &str) -> &'a Value {
    let found = body["parameter"].as_array().expect("parameters").iter().find(|parameter| parameter["name"] == name);
    let values = found.and_then(Value::as_object).into_iter().flatten();
    values.into_iter().find(|(key, _)| key.starts_with("value")).map_or(&Value::Null, |(_, value)| value)
}

#[tokio::test]
async fn lookup_tells_what_is_known_of_a_code() {
    let app = TestApp::start();
    let male = get(&app, &format!("/fhir/CodeSystem/$lookup?system={GENDER}&code=male")).await;
    assert_eq!(output(&male, "display"), "Male");
    assert_eq!(output(&male, "name"), "AdministrativeGender");
    let by_post = json!([{ "name": "coding", "valueCoding": { "system": GENDER, "code": "male" } }]);
    assert_eq!(post(&app, "/fhir/CodeSystem/$lookup", by_post, StatusCode::OK).await, male);
    // Units are a grammar: no CodeSystem lists them.
    let unit = get(&app, "/fhir/CodeSystem/$lookup?system=http://unitsofmeasure.org&code=mg/kg").await;
    assert_eq!(output(&unit, "display"), "mg/kg");
    let own = "https://kap-gateway.example.org/fhir/CodeSystem/kap-suitability";
    let suitable = get(&app, &format!("/fhir/CodeSystem/$lookup?system={own}&code=suitable")).await;
    let told = suitable["parameter"].as_array().expect("parameters").iter();
    let definition = told.into_iter().find(|told| told["part"][0]["valueCode"] == "definition").expect("a definition");
    assert!(definition["part"][1]["valueString"].as_str().is_some_and(|text| text.len() > 20), "{definition}");
    let missing = app.get(&format!("/fhir/CodeSystem/$lookup?system={GENDER}&code=banana")).await;
    outcome(missing, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn what_cannot_be_told_is_an_error_with_the_reason() {
    let app = TestApp::start();
    for path in [
        format!("/fhir/CodeSystem/$lookup?system={SNOMED}&code=373464007"),
        format!("/fhir/CodeSystem/$validate-code?url={SNOMED}&code=373464007"),
        format!(
            "/fhir/ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/condition-code&system={SNOMED}&code=370143000"
        ),
        "/fhir/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/condition-code".to_owned(),
    ] {
        let body = outcome(app.get(&path).await, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(body["issue"][0]["code"], "not-supported", "{path}");
        assert!(body["issue"][0]["details"]["text"].as_str().expect("text").contains(SNOMED), "{body}");
    }
}

#[tokio::test]
async fn code_is_in_a_value_set_or_not() {
    let app = TestApp::start();
    let asked = |rest: &str| format!("/fhir/ValueSet/$validate-code?url={GENDER_SET}&system={GENDER}&{rest}");
    for (rest, expected) in [
        ("code=male", true),
        ("code=male&display=Male", true),
        ("code=male&display=MALE", true),
        ("code=male&display=Female", false),
        ("code=banana", false),
    ] {
        let answer = get(&app, &asked(rest)).await;
        assert_eq!(output(&answer, "result"), expected, "{rest}: {answer}");
        assert_eq!(output(&answer, "message").is_string(), !expected, "{answer}");
    }
    let of_instance =
        get(&app, &format!("/fhir/ValueSet/administrative-gender/$validate-code?system={GENDER}&code=male")).await;
    assert_eq!(output(&of_instance, "result"), true);
    let concept = json!({ "coding": [{ "system": "urn:x", "code": "y" }, { "system": GENDER, "code": "male" }] });
    let by_post = json!([{ "name": "url", "valueUri": GENDER_SET }, { "name": "codeableConcept", "valueCodeableConcept": concept }]);
    let answer = post(&app, "/fhir/ValueSet/$validate-code", by_post, StatusCode::OK).await;
    assert_eq!(output(&answer, "result"), true, "one coding that fits is enough");
}

#[tokio::test]
async fn code_is_one_of_a_code_system_or_not() {
    let app = TestApp::start();
    let system = format!("{GUIDE}/CodeSystem/kap-band");
    let expanded = get(&app, &format!("/fhir/CodeSystem/$validate-code?url={system}&code=banana")).await;
    assert_eq!(output(&expanded, "result"), false);
    let of_instance = get(&app, "/fhir/CodeSystem/administrative-gender/$validate-code?code=male").await;
    assert_eq!(output(&of_instance, "result"), true);
    let other = json!([{ "name": "url", "valueUri": GENDER }, { "name": "coding", "valueCoding": { "system": "urn:x", "code": "male" } }]);
    assert_eq!(output(&post(&app, "/fhir/CodeSystem/$validate-code", other, StatusCode::OK).await, "result"), false);
}

#[tokio::test]
async fn value_set_is_expanded_in_pages_that_make_the_whole() {
    let app = TestApp::start();
    let codes = |body: &Value| -> Vec<String> {
        let contained = body["expansion"]["contains"].as_array().map(Vec::as_slice).unwrap_or_default();
        contained.iter().map(|concept| concept["code"].as_str().expect("text").to_owned()).collect()
    };
    let path = format!("/fhir/ValueSet/$expand?url={GUIDE}/ValueSet/kap-ketamine-route");
    assert_eq!(get(&app, &path).await["status"], "draft");
    let whole = get(&app, &path).await;
    let all = codes(&whole);
    assert_eq!(whole["expansion"]["total"], all.len());
    assert!(all.len() > 4 && whole.get("compose").is_none(), "{whole}");
    let mut paged = Vec::new();
    for offset in (0..all.len()).step_by(3) {
        let page = get(&app, &format!("{path}&offset={offset}&count=3")).await;
        assert_eq!((&page["expansion"]["total"], &page["expansion"]["offset"]), (&json!(all.len()), &json!(offset)));
        paged.extend(codes(&page));
    }
    assert_eq!(paged, all);
    let none = get(&app, &format!("{path}&count=0")).await;
    assert!(codes(&none).is_empty() && none["expansion"]["total"] == all.len(), "{none}");
    let filtered = get(&app, "/fhir/ValueSet/kap-ketamine-route/$expand?filter=INTRA%20route").await;
    let found = codes(&filtered);
    assert!(!found.is_empty() && found.len() < all.len(), "{filtered}");
    for concept in filtered["expansion"]["contains"].as_array().expect("codes") {
        let display = concept["display"].as_str().expect("text").to_lowercase();
        assert!(display.contains("intra") && display.contains("route"), "{concept}");
    }
}

#[tokio::test]
async fn value_set_that_is_sent_along_is_used_for_that_request_alone() {
    let app = TestApp::start();
    let set = json!({ "resourceType": "ValueSet", "url": "urn:test:set", "status": "draft", "compose": { "include": [
        { "system": "urn:test:system", "concept": [{ "code": "a", "display": "Alpha",
            "designation": [{ "language": "de", "value": "Alpha auf Deutsch" }] }] }] } });
    let parameters =
        json!([{ "name": "valueSet", "resource": set }, { "name": "includeDesignations", "valueBoolean": true }]);
    let expanded = post(&app, "/fhir/ValueSet/$expand", parameters, StatusCode::OK).await;
    assert_eq!(expanded["expansion"]["contains"][0]["designation"][0]["language"], "de");
    assert_eq!(expanded["status"], "draft");
    let parameters = json!([{ "name": "valueSet", "resource": set }, { "name": "displayLanguage", "valueCode": "de" },
        { "name": "coding", "valueCoding": { "system": "urn:test:system", "code": "a" } }]);
    let answer = post(&app, "/fhir/ValueSet/$validate-code", parameters, StatusCode::OK).await;
    assert_eq!(output(&answer, "display"), "Alpha auf Deutsch");
    outcome(app.get("/fhir/ValueSet/$expand?url=urn:test:set").await, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn map_translates_and_says_where_it_does_not() {
    let app = TestApp::start();
    let path = "/fhir/ConceptMap/kap-route-to-v3/$translate";
    let found = get(&app, &format!("{path}?system={SNOMED}&code=47625008")).await;
    assert_eq!(output(&found, "result"), true);
    let by_url =
        format!("/fhir/ConceptMap/$translate?url={GUIDE}/ConceptMap/kap-route-to-v3&system={SNOMED}&code=47625008");
    assert_eq!(get(&app, &by_url).await, found);
    assert_eq!(found["parameter"][1]["part"][1]["valueCoding"]["code"], "IV");
    let elsewhere = get(&app, &format!("{by_url}&targetsystem=urn:x")).await;
    assert_eq!(output(&elsewhere, "result"), false);
    let silent = get(&app, &format!("{path}?system={SNOMED}&code=1")).await;
    assert_eq!(output(&silent, "result"), false);
    assert!(output(&silent, "message").is_string());
    assert_ne!(output(&silent, "message"), output(&elsewhere, "message"));
}

#[tokio::test]
async fn map_is_read_from_its_target_side_and_within_a_value_set() {
    let app = TestApp::start();
    let v3 = "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration";
    let path = "/fhir/ConceptMap/kap-route-to-v3/$translate";
    let back = get(&app, &format!("{path}?system={v3}&code=IV&reverse=true")).await;
    assert_eq!(output(&back, "result"), true, "{back}");
    let codes: Vec<&Value> = back["parameter"].as_array().expect("parameters")[1..]
        .iter()
        .map(|found| &found["part"][1]["valueCoding"])
        .collect();
    assert!(codes.iter().any(|code| code["code"] == "47625008" && code["system"] == SNOMED), "{back}");
    let asked = format!("{path}?system={SNOMED}&code=47625008");
    assert_eq!(get(&app, &format!("{asked}&reverse=false")).await, get(&app, &asked).await);
    let outside = get(&app, &format!("{asked}&target={GENDER_SET}")).await;
    assert_eq!(output(&outside, "result"), false);
    outcome(app.get(&format!("{asked}&target=urn:nowhere")).await, StatusCode::NOT_FOUND).await;
    outcome(app.get(&format!("{asked}&reverse=perhaps")).await, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn hostile_questions_end_soon_and_say_that_they_cost_too_much() {
    let app = TestApp::start();
    let started = std::time::Instant::now();
    let parts = |count: usize, part: Value| json!({ "resourceType": "ValueSet", "status": "active", "compose": { "include": vec![part; count] } });
    let types = "http://hl7.org/fhir/ValueSet/all-types";
    let codings: Vec<Value> = (0..8_000)
        .map(|number| json!({ "system": "http://hl7.org/fhir/resource-types", "code": format!("x{number}") }))
        .collect();
    let many = json!([{ "name": "valueSet", "resource": parts(5_000, json!({ "valueSet": [types] })) },
        { "name": "codeableConcept", "valueCodeableConcept": { "coding": codings } }]);
    let patterns = json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        "filter": [{ "property": "concept", "op": "regex", "value": "(a|b|c|d|e|f|g|h)*[A-Z]{1,500}.*0" }] });
    let both = json!({ "valueSet": [types, "http://hl7.org/fhir/ValueSet/currencies"] });
    for (path, parameters) in [
        ("/fhir/ValueSet/$validate-code", many),
        ("/fhir/ValueSet/$expand", json!([{ "name": "valueSet", "resource": parts(6_000, patterns) }])),
        ("/fhir/ValueSet/$expand", json!([{ "name": "valueSet", "resource": parts(9_000, both) }])),
    ] {
        let told = post(&app, path, parameters, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(told["issue"][0]["code"], "too-costly", "{told}");
    }
    // Without optimization; the program takes a fraction of it.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    // What is asked often is looked at once.
    let often = json!([{ "name": "valueSet", "resource": parts(1_000, json!({ "valueSet": [GENDER_SET] })) },
        { "name": "coding", "valueCoding": { "system": GENDER, "code": "male" } }]);
    let answer = post(&app, "/fhir/ValueSet/$validate-code", often, StatusCode::OK).await;
    assert_eq!(output(&answer, "result"), true);
    let units = "/fhir/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/ucum-units";
    let told = outcome(app.get(units).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(told["issue"][0]["details"]["text"].as_str().is_some_and(|text| text.contains("grammar")), "{told}");
}

#[tokio::test]
async fn no_parameter_is_ignored_and_none_that_is_needed_is_guessed() {
    let app = TestApp::start();
    for path in [
        "/fhir/CodeSystem/$lookup?code=x".to_owned(),
        format!("/fhir/CodeSystem/$lookup?system={GENDER}"),
        format!("/fhir/CodeSystem/$lookup?system={GENDER}&code=male&property=x"),
        format!("/fhir/CodeSystem/$lookup?system={GENDER}&code=male&code=male"),
        "/fhir/ValueSet/$expand".to_owned(),
        format!("/fhir/ValueSet/$expand?url={GENDER_SET}&count=-1"),
        format!("/fhir/ValueSet/$expand?url={GENDER_SET}&activeOnly=maybe"),
        format!("/fhir/ValueSet/$expand?url={GENDER_SET}&excludeNested=true"),
        format!("/fhir/ValueSet/administrative-gender/$expand?url={GENDER_SET}"),
        format!("/fhir/ValueSet/$validate-code?url={GENDER_SET}&code=male"),
        format!("/fhir/ValueSet/$validate-code?url={GENDER_SET}&system={GENDER}"),
        format!("/fhir/ValueSet/$validate-code?url={GENDER_SET}&system={GENDER}&code="),
        format!("/fhir/ConceptMap/$translate?url={GUIDE}/ConceptMap/kap-route-to-v3&code=1"),
    ] {
        outcome(app.get(&path).await, StatusCode::BAD_REQUEST).await;
    }
    for path in [
        "/fhir/ValueSet/$expand?url=urn:nowhere".to_owned(),
        format!("/fhir/ValueSet/$expand?url={GENDER_SET}|9.9"),
        "/fhir/ValueSet/nowhere/$expand".to_owned(),
        "/fhir/ConceptMap/nowhere/$translate?system=urn:x&code=1".to_owned(),
        "/fhir/CodeSystem/nowhere/$validate-code?code=1".to_owned(),
    ] {
        outcome(app.get(&path).await, StatusCode::NOT_FOUND).await;
    }
    let two = json!([{ "name": "url", "valueUri": GENDER_SET }, { "name": "code", "valueCode": "male" },
        { "name": "coding", "valueCoding": { "code": "male" } }]);
    post(&app, "/fhir/ValueSet/$validate-code", two, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn hostile_value_set_is_answered_in_bounded_time() {
    let app = TestApp::start();
    let own: Vec<&str> = vec!["urn:test:circle"; 20_000];
    let set = json!({ "resourceType": "ValueSet", "url": "urn:test:circle", "status": "draft",
        "compose": { "include": [{ "valueSet": own }] } });
    let parameters = json!([{ "name": "valueSet", "resource": set }]);
    let started = std::time::Instant::now();
    post(&app, "/fhir/ValueSet/$expand", parameters, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
