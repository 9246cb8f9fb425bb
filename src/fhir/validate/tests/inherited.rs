//! The fhir room: rules that stand elsewhere: on an element whose content is repeated, on the profile of a data type,
//! on a base type.

use super::profiles::{URL, breaks, definition, keeps, trial, validator};
use super::*;

#[test]
fn the_rules_of_an_element_hold_where_its_content_is_repeated() {
    let component = json!([{ "code": { "text": "x" }, "valueString": "x", "referenceRange": [{ "appliesTo": [{ "text": "x" }] }] }]);
    error(
        &with(observation(), json!({ "component": component })),
        "obs-3",
        "Observation.component[0].referenceRange[0]",
    );
    let parameters =
        |part: Value| json!({ "resourceType": "Parameters", "parameter": [{ "name": "a", "part": [part] }] });
    error(&parameters(json!({ "name": "b" })), "inv-1", "Parameters.parameter[0].part[0]");
    valid(&parameters(json!({ "name": "b", "valueString": "x" })));
    let display = json!({ "linkId": "b", "type": "display", "text": "x", "item": [{ "linkId": "c", "type": "display", "text": "x" }] });
    let form = json!({ "resourceType": "Questionnaire", "name": "X", "status": "draft", "text": patient()["text"],
        "item": [{ "linkId": "a", "type": "group", "item": [display] }] });
    error(&form, "que-1", "Questionnaire.item[0].item[0]");
    let exclude = json!([{ "filter": [{ "property": "a", "op": "=", "value": "b" }] }]);
    let set = json!({ "resourceType": "ValueSet", "name": "X", "status": "draft",
        "compose": { "include": [{ "system": "http://a.example/c" }], "exclude": exclude } });
    let report = report(&set);
    for rule in ["vsd-1", "vsd-2"] {
        let found =
            report.errors().any(|issue| issue.rule == rule && issue.expression == "ValueSet.compose.exclude[0]");
        assert!(found, "{rule}: {:#?}", report.issues);
    }
}

/// A profile of Parameters with a rule on `parameter`; `reference` is what its parts repeat.
fn parts(reference: &str) -> Validator {
    let rule =
        json!([{ "key": "kap-1", "severity": "error", "human": "x", "expression": "name = 'a'", "source": URL }]);
    trial(
        "Parameters",
        json!([{ "id": "Parameters.parameter", "type": [{ "code": "BackboneElement" }], "constraint": rule },
            { "id": "Parameters.parameter.part", "contentReference": reference }]),
    )
}

#[test]
fn a_profile_whose_element_repeats_another_of_its_own_repeats_its_rules_and_not_those_of_the_base() {
    let parameters = json!({ "resourceType": "Parameters", "parameter": [{ "name": "a", "part": [{ "name": "b", "valueString": "x" }] }] });
    breaks(&parts("#Parameters.parameter"), &parameters, "kap-1", "Parameters.parameter[0].part[0]");
    let of_base = parts("http://hl7.org/fhir/StructureDefinition/Parameters#Parameters.parameter");
    keeps(&of_base, &parameters);
}

#[test]
fn a_dose_is_a_simple_quantity_and_has_no_comparator() {
    let given = |dosage: Value| {
        json!({ "resourceType": "MedicationAdministration", "status": "completed", "text": patient()["text"],
            "medicationCodeableConcept": { "text": "x" }, "subject": { "reference": "Patient/1" },
            "effectiveDateTime": "2020", "dosage": dosage })
    };
    let report = report(&given(json!({ "dose": { "value": 50, "comparator": "<" } })));
    assert!(report.errors().any(|i| i.rule == "sqty-1" && i.expression == "MedicationAdministration.dosage.dose"));
    let rate = super::report(&given(json!({ "rateQuantity": { "value": 50, "comparator": "<" } })));
    let place = "MedicationAdministration.dosage.rate.ofType(Quantity)";
    assert!(rate.errors().any(|issue| issue.rule == "sqty-1" && issue.expression == place), "{:#?}", rate.issues);
    valid(&given(json!({ "dose": { "value": 50 } })));
    let range = with(observation(), json!({ "referenceRange": [{ "low": { "value": 1, "comparator": ">" } }] }));
    assert!(!super::report(&range).is_valid());
    // Where R4 asks for a Quantity of any kind, one may say "less than".
    valid(&with(observation(), json!({ "valueQuantity": { "value": 5, "comparator": "<" } })));
}

#[test]
fn a_rule_of_a_profile_counts_even_if_its_key_is_that_of_another_rule() {
    let mut taken = definition(URL, "Patient", json!([]));
    let rule = |key: &str, source: Value| {
        with(
            json!({ "key": key, "severity": "error", "human": "x", "expression": "active.exists()" }),
            json!({ "source": source }),
        )
    };
    for key in ["dom-2", "per-1", "ele-1"] {
        taken["snapshot"]["element"][0]["constraint"] = json!([rule(key, Value::Null)]);
        breaks(&validator(&[taken.clone()]), &patient(), key, "Patient");
        taken["snapshot"]["element"][0]["constraint"] = json!([rule(key, json!(URL))]);
        breaks(&validator(&[taken.clone()]), &patient(), key, "Patient");
    }
    // R4's own rule in later words: it has been checked.
    let later = rule("dom-2", json!("http://hl7.org/fhir/StructureDefinition/DomainResource"));
    taken["snapshot"]["element"][0]["constraint"] = json!([later]);
    keeps(&validator(&[taken]), &patient());
}
