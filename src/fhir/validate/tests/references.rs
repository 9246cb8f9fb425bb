//! The fhir room: what a profile says of references, and other versions of what they name.

use super::profiles::{URL, breaks, definition, keeps, trial, validator};
use super::*;

fn about(of: Value) -> Validator {
    let reference = with(json!({ "code": "Reference" }), of);
    trial(
        "Observation",
        json!([{ "id": "Observation.subject", "max": "1", "base": { "max": "1" }, "type": [reference] }]),
    )
}

fn subject(reference: &str) -> Value {
    with(observation(), json!({ "subject": { "reference": reference } }))
}

fn contained() -> Value {
    let inner = json!({ "resourceType": "Patient", "id": "in", "active": true });
    with(subject("#in"), json!({ "contained": [inner] }))
}

#[test]
fn aggregation_says_where_a_reference_may_lead() {
    let inside = about(json!({ "aggregation": ["contained"] }));
    keeps(&inside, &contained());
    breaks(&inside, &subject("Patient/1"), "reference-aggregation", "Observation.subject");
    let outside = about(json!({ "aggregation": ["referenced", "bundled"] }));
    keeps(&outside, &subject("Patient/1"));
    breaks(&outside, &contained(), "reference-aggregation", "Observation.subject");
}

#[test]
fn a_bundled_reference_leads_to_an_entry() {
    let bundled = about(json!({ "aggregation": ["bundled"] }));
    let bundle = |id: &str| {
        let claiming = with(subject("Patient/p1"), json!({ "meta": { "profile": [URL] } }));
        json!({ "resourceType": "Bundle", "type": "collection", "entry": [
            { "fullUrl": "http://example.org/fhir/Observation/o1", "resource": claiming },
            { "fullUrl": format!("http://example.org/fhir/Patient/{id}"), "resource": with(patient(), json!({ "id": id })) }] })
    };
    let report = |resource: &Value| bundled.validate(resource, &Options::default());
    assert!(report(&bundle("p1")).is_valid(), "{:#?}", report(&bundle("p1")).issues);
    let place = "Bundle.entry[0].resource.ofType(Observation).subject";
    check(&bundled, &report(&bundle("p2")), &bundle("p2"), "reference-aggregation", Severity::Error, place);
}

#[test]
fn versioning_says_whether_a_reference_names_a_version() {
    let specific = about(json!({ "versioning": "specific" }));
    keeps(&specific, &subject("Patient/1/_history/2"));
    breaks(&specific, &subject("Patient/1"), "reference-versioning", "Observation.subject");
    let independent = about(json!({ "versioning": "independent" }));
    keeps(&independent, &subject("Patient/1"));
    breaks(&independent, &subject("Patient/1/_history/2"), "reference-versioning", "Observation.subject");
    keeps(&about(json!({ "versioning": "either" })), &subject("Patient/1"));
}

#[test]
fn another_version_of_a_profile_is_used_and_said() {
    let method = json!([{ "id": "Observation.method", "min": 1, "max": "1", "base": { "max": "1" }, "type": [{ "code": "CodeableConcept" }] }]);
    let profile = with(definition(URL, "Observation", method), json!({ "version": "2.0.0" }));
    let versioned = validator(&[profile]);
    let claimed = format!("{URL}|1.0.0");
    let report = versioned.validate(&observation(), &Options { profiles: &[&claimed], ..Options::default() });
    let said = report.issues.iter().find(|issue| issue.rule == "profile-version").unwrap();
    assert_eq!((said.severity, said.expression.as_str()), (Severity::Warning, "Observation"));
    assert!(said.text.contains("1.0.0") && said.text.contains("version 2.0.0 was used"), "{}", said.text);
    assert!(report.errors().any(|issue| issue.rule == "cardinality-min"), "{:#?}", report.issues);
    let right = format!("{URL}|2.0.0");
    let report = versioned.validate(&observation(), &Options { profiles: &[&right], ..Options::default() });
    assert!(report.issues.iter().all(|issue| issue.rule != "profile-version"));
}

#[test]
fn conforms_to_asks_the_profile() {
    let adult_url = "http://kap.example/StructureDefinition/adult";
    let adult = definition(
        adult_url,
        "Patient",
        json!([{ "id": "Patient.maritalStatus", "min": 1, "max": "1", "base": { "max": "1" }, "type": [{ "code": "CodeableConcept" }] }]),
    );
    let rule = |expression: String| {
        json!([{ "id": "Observation.status", "max": "1", "base": { "max": "1" }, "type": [{ "code": "code" }] },
            { "id": "Observation.contained", "type": [{ "code": "Resource" }],
              "constraint": [{ "key": "kap-9", "severity": "error", "human": "adults", "expression": expression, "source": URL }] }])
    };
    let asks = definition(URL, "Observation", rule(format!("conformsTo('{adult_url}')")));
    let adults = validator(&[adult.clone(), asks]);
    breaks(&adults, &contained(), "kap-9", "Observation.contained[0].ofType(Patient)");
    let mut married = contained();
    married["contained"][0]["maritalStatus"] = json!({ "text": "x" });
    keeps(&adults, &married);
    let unknown = definition(URL, "Observation", rule("conformsTo('http://kap.example/none')".into()));
    let unknown = validator(&[unknown]);
    let report = super::profiles::held(&unknown, &contained());
    check(&unknown, &report, &contained(), "kap-9", Severity::Warning, "Observation.contained[0].ofType(Patient)");
}

#[test]
fn a_reference_of_no_known_form_is_a_warning_and_without_a_path_in_a_bundle_an_error() {
    for reference in ["x", "Banana/x", "Patient/"] {
        broken(&subject(reference), "reference-format", Severity::Warning, "Observation.subject");
    }
    error(&subject("Patient/a b"), "reference-format", "Observation.subject");
    let strict = Options { trust_reference_names: true, ..Options::default() };
    let report = R4.validate(&subject("Banana/x"), &strict);
    check(&R4, &report, &subject("Banana/x"), "reference-format", Severity::Error, "Observation.subject");
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "fullUrl": "http://example.org/fhir/Observation/o1", "resource": subject("x") }] });
    error(&bundle, "reference-format", "Bundle.entry[0].resource.ofType(Observation).subject");
}
