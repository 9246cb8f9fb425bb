//! Modifiers, units, composites, and searches that join resources.

use crate::test_app::{TestApp, ids, link, outcome};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Two patients with a practitioner, an encounter and observations.
async fn ward() -> TestApp {
    let app = TestApp::start();
    let quantity = |digits: &str, unit: &str| {
        json!({ "value": serde_json::from_str::<Value>(digits).expect("a value"), "unit": unit,
                "system": "http://unitsofmeasure.org", "code": unit })
    };
    let coded = |code: &str, text: &str| json!({ "coding": [{ "system": "urn:c", "code": code, "display": text }] });
    let part =
        |code: &str, value: &str| json!({ "code": coded(code, "part"), "valueQuantity": quantity(value, "mm[Hg]") });
    for resource in [
        json!({ "resourceType": "Organization", "id": "clinic", "meta": {}, "name": "Clinic of the Testpatients" }),
        json!({ "resourceType": "Practitioner", "id": "doc", "meta": {}, "name": [{ "family": "Heiler" }] }),
        json!({ "resourceType": "Patient", "id": "ada", "meta": { "tag": [{ "system": "urn:t", "code": "HTEST" }] },
            "identifier": [{ "system": "urn:mrn", "value": "77",
                "type": { "coding": [{ "system": "urn:types", "code": "MR" }], "text": "Medical record" } }],
            "name": [{ "family": "Testpatient-Müller", "given": ["Ada"] }], "birthDate": "1980-05-05", "gender": "female",
            "generalPractitioner": [{ "reference": "Practitioner/doc" }],
            "managingOrganization": { "reference": "Organization/clinic" } }),
        json!({ "resourceType": "Patient", "id": "bob", "meta": {}, "name": [{ "family": "Testpatient" }],
            "birthDate": "1970-01-01", "gender": "male",
            "identifier": [{ "system": "urn:other", "value": "77" }] }),
        json!({ "resourceType": "Encounter", "id": "visit", "meta": {}, "status": "finished",
            "class": { "code": "AMB" }, "subject": { "reference": "Patient/ada" } }),
        json!({ "resourceType": "Observation", "id": "dose", "meta": {}, "status": "final",
            "code": coded("dose", "Amount given"), "subject": { "reference": "Patient/ada" },
            "encounter": { "reference": "Encounter/visit" }, "valueQuantity": quantity("50.0", "mg"),
            "effectiveDateTime": "2026-02-01" }),
        json!({ "resourceType": "Observation", "id": "pressure", "meta": {}, "status": "final",
            "code": coded("bp", "Pressure"), "subject": { "reference": "Patient/ada" },
            "effectiveDateTime": "2026-02-02", "component": [part("sys", "120"), part("dia", "80")] }),
        json!({ "resourceType": "Observation", "id": "else", "meta": {}, "status": "amended",
            "code": coded("dose", "Amount given"), "subject": { "identifier": { "system": "urn:mrn", "value": "88" } },
            "performer": [{ "reference": "Patient/bob" }], "valueQuantity": quantity("2", "g") }),
    ] {
        app.store(&resource).await;
    }
    app
}

async fn assert_found(app: &TestApp, cases: &[(&str, &[&str])]) {
    for (query, expected) in cases {
        let bundle = app.json(&format!("/fhir/{query}")).await;
        assert_eq!(ids(&bundle), *expected, "{query}");
    }
}

#[tokio::test]
async fn modifiers_mean_what_r4_says() {
    let app = ward().await;
    assert_found(
        &app,
        &[
            ("Observation?status:not=final", &["else"]),
            ("Observation?status:not=final,amended", &[]),
            ("Observation?code:text=amount", &["dose", "else"]),
            ("Observation?code:text=given", &[]),
            ("Patient?identifier=77", &["ada", "bob"]),
            ("Patient?identifier:of-type=urn:types|MR|77", &["ada"]),
            ("Patient?identifier:of-type=urn:types|XX|77", &[]),
            ("Patient?identifier:text=medical", &["ada"]),
            ("Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", &["ada", "bob"]),
            ("Patient?gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender", &[]),
            ("Observation?encounter:missing=true", &["pressure", "else"]),
            ("Observation?encounter:missing=false", &["dose"]),
            ("Observation?subject:missing=true", &[]),
            ("Observation?subject:identifier=urn:mrn|88", &["else"]),
            ("Observation?subject:Patient=ada", &["dose", "pressure"]),
            ("Observation?subject:Group=ada", &[]),
            ("Patient?family=testpatient-MULLER", &["ada"]),
            ("Patient?family:exact=testpatient", &[]),
            ("Patient?family:exact=Testpatient", &["bob"]),
            ("Patient?family:contains=MÜLL", &["ada"]),
            ("Patient?_tag=HTEST", &["ada"]),
            ("Patient?_tag:not=HTEST", &["bob"]),
            ("Patient?deceased=false", &["ada", "bob"]),
        ],
    )
    .await;
}

/// The system of a `code` is the one of the value set to which R4 binds the element.
#[tokio::test]
async fn code_is_found_with_the_system_that_its_element_implies() {
    let app = ward().await;
    let (gender, status) = ("http://hl7.org/fhir/administrative-gender", "http://hl7.org/fhir/observation-status");
    for (query, expected) in [
        (format!("Patient?gender={gender}|male"), &["bob"][..]),
        (format!("Patient?gender={gender}|"), &["ada", "bob"]),
        (format!("Patient?gender={gender}|male,{gender}|female"), &["ada", "bob"]),
        (format!("Observation?status:not={status}|final"), &["else"]),
        (format!("Observation?status={gender}|final"), &[]),
        ("Observation?status=urn:else|final".to_owned(), &[]),
        ("Observation?status:not=urn:else|".to_owned(), &["dose", "else", "pressure"]),
        (format!("Observation?subject:Patient.gender={gender}|female"), &["dose", "pressure"]),
    ] {
        let bundle = app.json(&format!("/fhir/{query}")).await;
        let mut found = ids(&bundle);
        found.sort_unstable();
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn quantities_are_compared_across_units() {
    let app = ward().await;
    assert_found(
        &app,
        &[
            ("Observation?value-quantity=50|http://unitsofmeasure.org|mg", &["dose"]),
            ("Observation?value-quantity=0.05|http://unitsofmeasure.org|g", &["dose"]),
            ("Observation?value-quantity=gt49|http://unitsofmeasure.org|mg", &["dose", "else"]),
            ("Observation?value-quantity=gt1|http://unitsofmeasure.org|g", &["else"]),
            ("Observation?value-quantity=lt1|http://unitsofmeasure.org|kg", &["dose", "else"]),
            ("Observation?value-quantity=50||mg", &["dose"]),
            ("Observation?value-quantity=50.04", &[]),
            ("Observation?value-quantity=ap48", &["dose"]),
            ("Observation?value-quantity=50|urn:else|mg", &[]),
            ("Observation?value-quantity=2,50", &["dose", "else"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn composite_parts_belong_together() {
    let app = ward().await;
    assert_found(
        &app,
        &[
            ("Observation?component-code-value-quantity=sys$120", &["pressure"]),
            ("Observation?component-code-value-quantity=sys$80", &[]),
            (
                "Observation?component-code-value-quantity=urn:c|dia$lt90|http://unitsofmeasure.org|mm[Hg]",
                &["pressure"],
            ),
            ("Observation?combo-code-value-quantity=dose$gt49", &["dose"]),
            ("Observation?combo-code-value-quantity=sys$gt100", &["pressure"]),
            ("Observation?code-value-quantity=dose$2", &["else"]),
            ("Observation?component-code-value-quantity:missing=true", &["dose", "else"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn chains_and_has_follow_references() {
    let app = ward().await;
    assert_found(
        &app,
        &[
            ("Observation?subject:Patient.family=testpatient-m", &["dose", "pressure"]),
            ("Observation?patient.identifier=urn:mrn|77", &["dose", "pressure"]),
            ("Observation?subject.family=nobody", &[]),
            ("Observation?patient.general-practitioner:Practitioner.family=heiler", &["dose", "pressure"]),
            ("Observation?patient.organization.name:contains=clinic&code=bp", &["pressure"]),
            ("Patient?_has:Observation:patient:code=bp", &["ada"]),
            ("Patient?_has:Observation:performer:status=amended", &["bob"]),
            ("Practitioner?_has:Patient:general-practitioner:_has:Observation:patient:code=urn:c|dose", &["doc"]),
            ("Patient?_has:Observation:patient:code=nothing", &[]),
            ("Encounter?subject.birthdate=lt1990&subject.gender=female", &["visit"]),
        ],
    )
    .await;
    for query in [
        "Observation?code.x=1",
        "Observation?subject:Banana.name=x",
        "Observation?patient.banana=x",
        "Patient?_has:Observation:patient",
        "Patient?_has:Observation:code:status=x",
        "Patient?_has:Banana:patient:code=x",
        "Practitioner?_has:Observation:patient:code=x",
        "Observation?patient.link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.name=x",
        "Patient?gender:in=urn:unknown",
    ] {
        outcome(app.get(&format!("/fhir/{query}")).await, StatusCode::BAD_REQUEST).await;
    }
}

fn modes(bundle: &Value) -> Vec<(String, String)> {
    let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    entries.iter().map(|entry| (text(&entry["search"]["mode"]), text(&entry["resource"]["id"]))).collect()
}

#[tokio::test]
async fn includes_come_once_and_by_their_mode() {
    let app = ward().await;
    for (query, expected) in [
        ("Observation?code=dose&_include=Observation:subject", "match dose, match else, include ada"),
        ("Observation?code=dose&_include=Observation:performer", "match dose, match else, include bob"),
        ("Observation?code=dose&_include=Observation:subject:Group", "match dose, match else"),
        ("Observation?_id=dose&_include=*", "match dose, include visit, include ada"),
        (
            "Observation?_id=dose&_include=Observation:patient&_include:iterate=Patient:general-practitioner",
            "match dose, include ada, include doc",
        ),
        (
            "Observation?_id=dose&_include=Observation:patient&_include=Patient:general-practitioner",
            "match dose, include ada",
        ),
        ("Patient?_id=ada&_revinclude=Observation:patient", "match ada, include dose, include pressure"),
        (
            "Practitioner?_revinclude=Patient:general-practitioner&_revinclude:iterate=Encounter:patient",
            "match doc, include ada, include visit",
        ),
    ] {
        let bundle = app.json(&format!("/fhir/{query}")).await;
        let found: Vec<String> = modes(&bundle).into_iter().map(|(mode, id)| format!("{mode} {id}")).collect();
        assert_eq!(found.join(", "), expected, "{query}");
    }
    for query in [
        "_include=Observation:code",
        "_include=Observation",
        "_include:recurse=Observation:subject",
        "_revinclude=*",
        "_include=Banana:subject",
        "_include=Observation:subject:Banana",
    ] {
        outcome(app.get(&format!("/fhir/Observation?{query}")).await, StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn compartments_hold_what_r4_says() {
    let app = ward().await;
    assert_found(
        &app,
        &[
            ("Patient/ada/Observation", &["dose", "pressure"]),
            ("Patient/ada/Observation?code=bp", &["pressure"]),
            ("Patient/bob/Observation", &["else"]),
            ("Patient/nobody/Observation", &[]),
            ("Patient/ada/Organization", &[]),
            ("Encounter/visit/Observation", &["dose"]),
            ("Patient/ada/*?_type=Encounter,Patient", &["visit", "ada"]),
        ],
    )
    .await;
    let bundle = app.json("/fhir/Patient/ada/*?_count=2").await;
    assert_eq!(bundle["total"], 4);
    outcome(app.get("/fhir/Banana/x/Observation").await, StatusCode::NOT_FOUND).await;
    outcome(app.get("/fhir/Patient/ada/Banana").await, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn system_search_goes_through_all_types_page_by_page() {
    let app = ward().await;
    let mut seen = Vec::new();
    let mut next = Some("/fhir?_count=3&_type=Patient,Observation,Practitioner".to_owned());
    while let Some(path) = next {
        let bundle = app.json(&path).await;
        assert_eq!(bundle["total"], 6);
        seen.extend(ids(&bundle).into_iter().map(str::to_owned));
        next = link(&bundle, "next").map(|url| url.strip_prefix(&app.running.base_url).expect("our own").to_owned());
    }
    assert_eq!(seen, ["dose", "pressure", "else", "ada", "bob", "doc"]);
    assert_eq!(app.json("/fhir?_id=doc,visit").await["total"], 2);
    for query in ["gender=male", "_type=Banana", "_sort=_id", "_cursor=Patient.x", "_cursor=x"] {
        outcome(app.get(&format!("/fhir?{query}")).await, StatusCode::BAD_REQUEST).await;
    }
    let form = app.request(Method::POST, "/fhir/_search").header("Content-Type", "application/x-www-form-urlencoded");
    let bundle: Value =
        form.body("_type=Patient&gender=male").send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(ids(&bundle), ["bob"]);
}

#[tokio::test]
async fn sort_takes_several_keys_of_any_kind() {
    let app = ward().await;
    assert_found(
        &app,
        &[
            ("Patient?_sort=family", &["bob", "ada"]),
            ("Patient?_sort=-birthdate", &["ada", "bob"]),
            ("Observation?_sort=code,-status", &["pressure", "dose", "else"]),
            ("Observation?_sort=code,status", &["pressure", "else", "dose"]),
            ("Observation?_sort=-value-quantity", &["else", "dose", "pressure"]),
            ("Observation?_sort=_id", &["dose", "else", "pressure"]),
        ],
    )
    .await;
    let first = app.json("/fhir/Patient?_sort=family&_count=1").await;
    let url = link(&first, "next").expect("a next page").to_owned();
    let path = url.strip_prefix(&app.running.base_url).expect("our own");
    assert_eq!(ids(&app.json(path).await), ["ada"]);
    assert!(!url.to_lowercase().contains("testpatient"), "{url}");
}

#[tokio::test]
async fn elements_and_summary_leave_out_and_say_so() {
    let app = ward().await;
    let resource = |bundle: Value| bundle["entry"][0]["resource"].clone();
    let some = resource(app.json("/fhir/Observation?_id=dose&_elements=valueQuantity,encounter").await);
    let names: Vec<&str> = some.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(names, ["resourceType", "id", "meta", "status", "code", "encounter", "valueQuantity"]);
    assert_eq!(some["meta"]["tag"][0]["code"], "SUBSETTED");
    assert!(some.to_string().contains("50.0"));
    let counted = app.json("/fhir/Observation?_summary=count").await;
    assert_eq!((counted["total"].as_u64(), counted.get("entry")), (Some(3), None));
    assert!(
        resource(app.json("/fhir/Patient?_id=ada&_summary=data").await)["meta"]["tag"]
            .as_array()
            .is_some_and(|tags| tags.len() == 1)
    );
    let summary = resource(app.json("/fhir/Observation?_id=pressure&_summary=true").await);
    let names: Vec<&str> = summary.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = ["resourceType", "id", "meta", "status", "code", "subject", "effectiveDateTime", "component"];
    assert_eq!(names, expected);
    let patient = resource(app.json("/fhir/Patient?_id=ada&_summary=true").await);
    assert!(patient.get("generalPractitioner").is_none() && patient["managingOrganization"].is_object());
    outcome(app.get("/fhir/Patient?_summary=maybe").await, StatusCode::BAD_REQUEST).await;
    outcome(app.get("/fhir/Patient?_elements=a%20b").await, StatusCode::BAD_REQUEST).await;
}
