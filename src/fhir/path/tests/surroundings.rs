//! The fhir room: variables, references and what the engine asks its host, <https://hl7.org/fhir/R4/fhirpath.html>.

use super::sample::{OBSERVATION, PATIENT, SAMPLE_TYPES, check, outcome, show};
use crate::fhir::path::{Context, EvaluationError, Expression, Host, Item, Resolution, Types, reference_type};
use serde_json::{Value, json};
use smallvec::smallvec;

#[test]
fn variables_of_fhir_are_known() {
    check(
        &PATIENT,
        &[
            ("%ucum", "'http://unitsofmeasure.org'"),
            ("%sct", "'http://snomed.info/sct'"),
            ("%loinc", "'http://loinc.org'"),
            ("%resource.id", "p1"),
            ("%rootResource.id", "p1"),
            ("name.select(%context.id)", "p1, p1"),
            ("%`vs-observation-status`", "'http://hl7.org/fhir/ValueSet/observation-status'"),
            ("%vs-observation-status", "'http://hl7.org/fhir/ValueSet/observation-status'"),
            ("%`ext-patient-birthTime`", "'http://hl7.org/fhir/StructureDefinition/patient-birthTime'"),
        ],
    );
}

#[test]
fn an_unknown_variable_is_an_error() {
    assert!(matches!(outcome(&PATIENT, "%mystery"), Err(EvaluationError::Cannot(_))));
}

#[test]
fn own_variables_are_found() {
    let expression = Expression::parse("%limit + 1").unwrap();
    let focus = Item::resource(&PATIENT, &SAMPLE_TYPES);
    let mut context = Context::new(&SAMPLE_TYPES, focus.clone());
    context.variables.push(("limit", smallvec![Item::Integer(3)]));
    let result = expression.evaluate(&context, focus).unwrap();
    assert_eq!(result.iter().map(show).collect::<Vec<_>>(), ["4"]);
}

#[test]
fn references_are_followed_inside_the_resource_and_known_by_type_outside() {
    check(
        &PATIENT,
        &[
            ("managingOrganization.resolve().name", "Clinic"),
            ("managingOrganization.resolve() is Organization", "true"),
            ("generalPractitioner.where(resolve() is Practitioner).reference", "Practitioner/d1"),
            ("generalPractitioner.resolve().ofType(Organization).count()", "1"),
            ("name.resolve()", ""),
        ],
    );
    let out_of_reach = outcome(&PATIENT, "generalPractitioner.first().resolve().active");
    assert!(matches!(out_of_reach, Err(EvaluationError::Cannot(_))), "{out_of_reach:?}");
}

#[test]
fn the_type_in_a_reference_is_read_from_its_text() {
    let name = |reference| reference_type(reference, &SAMPLE_TYPES).map(|t| SAMPLE_TYPES.name(t));
    assert_eq!(name("Patient/1"), Some("Patient"));
    assert_eq!(name("https://example.org/fhir/Patient/1"), Some("Patient"));
    assert_eq!(name("https://example.org/fhir/Patient/1/_history/2"), Some("Patient"));
    assert_eq!(name("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"), None);
    assert_eq!(name("Quantity/1"), None);
    assert_eq!(name("Nothing/1"), None);
    assert_eq!(name("1"), None);
    assert_eq!(name(""), None);
}

/// Knows one value set, one profile and one resource.
struct Knowing {
    practitioner: Value,
}

impl<'a> Host<'a> for &'a Knowing {
    fn resolve(&self, reference: &str, _types: &Types) -> Resolution<'a> {
        match reference {
            "Practitioner/d1" => Resolution::Resource(&self.practitioner),
            _ => Resolution::Nothing,
        }
    }

    fn member_of(&self, item: &Item<'a>, value_set: &str) -> Option<bool> {
        (value_set == "http://example.org/vs").then(|| show(item) == "female")
    }

    fn conforms_to(&self, _item: &Item<'a>, profile: &str) -> Option<bool> {
        (profile == "http://example.org/profile").then_some(true)
    }
}

#[test]
fn the_host_answers_what_the_engine_cannot_know() {
    let knowing = Knowing { practitioner: json!({"resourceType": "Practitioner", "active": true}) };
    let host = &knowing;
    let rules = [
        ("generalPractitioner.resolve().active", Some("true")),
        ("generalPractitioner.resolve().count()", Some("1")),
        ("gender.memberOf('http://example.org/vs')", Some("true")),
        ("gender.memberOf('http://example.org/other')", None),
        ("conformsTo('http://example.org/profile')", Some("true")),
        ("conformsTo('http://example.org/other')", None),
        ("text.`div`.htmlChecks()", Some("true")),
    ]
    .map(|(text, wanted)| (Expression::parse(text).unwrap(), wanted));
    let focus = Item::resource(&PATIENT, &SAMPLE_TYPES);
    let mut context = Context::new(&SAMPLE_TYPES, focus.clone());
    context.host = &host;
    for (expression, wanted) in &rules {
        let text = expression.text();
        match (expression.evaluate(&context, focus.clone()), wanted) {
            (Ok(found), Some(wanted)) => assert_eq!(found.iter().map(show).collect::<String>(), *wanted, "{text}"),
            (Err(EvaluationError::Cannot(_)), None) => {}
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn without_a_host_nothing_is_guessed() {
    for text in [
        "gender.memberOf('http://example.org/vs')",
        "conformsTo('http://example.org/profile')",
        "code.subsumes(code)",
        "'<div/>'.htmlChecks()",
    ] {
        let found = outcome(&OBSERVATION, text).and(outcome(&PATIENT, text));
        assert!(matches!(found, Err(EvaluationError::Cannot(_))), "{text}: {found:?}");
    }
}

#[test]
fn an_invariant_holds_fails_or_is_neither() {
    let rules = [
        ("active", Some(true)),
        ("deceased", Some(false)),
        ("name.first()", Some(true)),
        ("birthDate < @1980-02", None),
        ("{}", None),
        ("0", Some(true)),
    ]
    .map(|(text, wanted)| (Expression::parse(text).unwrap(), wanted));
    let names = Expression::parse("name").unwrap();
    let focus = Item::resource(&PATIENT, &SAMPLE_TYPES);
    let context = Context::new(&SAMPLE_TYPES, focus.clone());
    for (rule, wanted) in &rules {
        assert_eq!(rule.holds(&context, focus.clone()), Ok(*wanted), "{}", rule.text());
    }
    assert!(matches!(names.holds(&context, focus), Err(EvaluationError::Fault(_))));
}

#[test]
fn modifier_extensions_must_be_understood() {
    let patient = json!({"resourceType": "Patient", "modifierExtension": [{"url": "http://example.org/not"}]});
    assert!(matches!(outcome(&patient, "checkModifiers('http://example.org/other')"), Err(EvaluationError::Fault(_))));
    assert!(outcome(&patient, "checkModifiers('http://example.org/not').exists()").is_ok_and(|found| found == "true"));
}

#[test]
fn a_resource_of_unknown_type_is_read_without_types_and_not_guessed_about() {
    let unknown = json!({"resourceType": "Mystery", "valueQuantity": {"value": 3}, "code": ["a", null, "b"]});
    check(&unknown, &[("code", "a, b"), ("value.value", "3"), ("Mystery.code.count()", "2")]);
    assert!(matches!(outcome(&unknown, "$this is Patient"), Err(EvaluationError::Cannot(_))));
    assert!(matches!(outcome(&unknown, "code.ofType(string)"), Err(EvaluationError::Cannot(_))));
}
