//! The fhir room: where extensions may stand.

use super::profiles::validator;
use super::*;

const URL: &str = "http://kap.example/StructureDefinition/mark";

/// An extension with a string, that may stand where `context` says.
fn marked(context: Value, invariants: Value) -> Validator {
    validator(&[json!({ "resourceType": "StructureDefinition", "url": URL, "name": "Mark", "status": "draft",
        "kind": "complex-type", "abstract": false, "type": "Extension", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "context": [context], "contextInvariant": invariants,
        "snapshot": { "element": [{ "id": "Extension", "path": "Extension", "min": 0, "max": "*" }] } })])
}

fn mark() -> Value {
    json!([{ "url": URL, "valueString": "x" }])
}

#[track_caller]
fn stands(validator: &Validator, resource: &Value) {
    let report = validator.validate(resource, &Options::default());
    assert!(report.issues.iter().all(|issue| !issue.rule.starts_with("extension")), "{:#?}", report.issues);
}

#[track_caller]
fn stands_wrong(validator: &Validator, resource: &Value, rule: &str, place: &str) {
    let report = validator.validate(resource, &Options::default());
    check(validator, &report, resource, rule, Severity::Error, place);
}

#[test]
fn a_context_by_fhirpath_is_what_the_expression_finds() {
    let context = json!({ "type": "fhirpath", "expression": "Patient.name.where(family = 'Testpatient').given" });
    let by_path = marked(context, json!([]));
    let named = |family: &str| {
        let name = json!({ "family": family, "given": ["Ada"], "_given": [{ "extension": mark() }] });
        with(patient(), json!({ "name": [name] }))
    };
    stands(&by_path, &named("Testpatient"));
    stands_wrong(&by_path, &named("Other"), "extension-context", "Patient.name[0].given[0].extension[0]");
    stands_wrong(
        &by_path,
        &with(patient(), json!({ "extension": mark() })),
        "extension-context",
        "Patient.extension[0]",
    );
}

#[test]
fn a_context_by_fhirpath_that_cannot_be_read_is_a_warning() {
    let by_path = marked(json!({ "type": "fhirpath", "expression": "Patient.(" }), json!([]));
    let resource = with(patient(), json!({ "extension": mark() }));
    let report = by_path.validate(&resource, &Options::default());
    check(&by_path, &report, &resource, "extension-context", Severity::Warning, "Patient.extension[0]");
}

#[test]
fn a_context_by_extension_is_the_one_of_that_url() {
    let within = marked(json!({ "type": "extension", "expression": "http://example.org/outer" }), json!([]));
    let held = |url: &str| with(patient(), json!({ "extension": [{ "url": url, "extension": mark() }] }));
    let unknown = |report: Report| report.issues.iter().any(|issue| issue.rule == "extension-context");
    assert!(!unknown(within.validate(&held("http://example.org/outer"), &Options::default())));
    stands_wrong(&within, &held("http://example.org/other"), "extension-context", "Patient.extension[0].extension[0]");
    stands_wrong(
        &within,
        &with(patient(), json!({ "extension": mark() })),
        "extension-context",
        "Patient.extension[0]",
    );
}

#[test]
fn rules_about_the_context_see_what_holds_the_extension_and_the_extension() {
    let anywhere = json!({ "type": "element", "expression": "Element" });
    let family = marked(anywhere.clone(), json!(["family = 'Testpatient'", "%extension.value = 'x'"]));
    let named = |family: &str, extension: Value| {
        with(patient(), json!({ "name": [{ "family": family, "extension": extension }] }))
    };
    stands(&family, &named("Testpatient", mark()));
    let place = "Patient.name[0].extension[0]";
    stands_wrong(&family, &named("Other", mark()), "extension-context-invariant", place);
    let other = json!([{ "url": URL, "valueString": "y" }]);
    stands_wrong(&family, &named("Testpatient", other), "extension-context-invariant", place);
}

#[test]
fn an_element_of_a_choice_and_of_a_contained_resource_is_found() {
    let context = json!({ "type": "fhirpath", "expression": "Observation.value.ofType(Quantity) | Patient.birthDate" });
    let by_path = marked(context, json!([]));
    let quantity = with(observation()["valueQuantity"].clone(), json!({ "extension": mark() }));
    stands(&by_path, &with(observation(), json!({ "valueQuantity": quantity })));
    let inner =
        json!({ "resourceType": "Patient", "id": "in", "birthDate": "2000", "_birthDate": { "extension": mark() } });
    let contained = json!({ "contained": [inner], "subject": { "reference": "#in" } });
    stands(&by_path, &with(observation(), contained));
}

#[test]
fn an_extension_that_hl7_never_published_is_an_error() {
    for url in
        ["http://hl7.org/fhir/StructureDefinition/banana", "http://hl7.org/fhir/us/core/StructureDefinition/banana"]
    {
        let resource = with(patient(), json!({ "extension": [{ "url": url, "valueString": "x" }] }));
        error(&resource, "extension-unknown", "Patient.extension[0]");
    }
    let later = "http://hl7.org/fhir/StructureDefinition/individual-genderIdentity";
    let resource = with(patient(), json!({ "extension": [{ "url": later, "valueString": "x" }] }));
    broken(&resource, "extension-unknown", Severity::Warning, "Patient.extension[0]");
}
