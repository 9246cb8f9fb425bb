//! The fhir room: codings and what they are bound to.

use super::*;

#[test]
fn a_coding_without_a_system_is_in_no_value_set() {
    let condition = |coding: Value| {
        json!({ "resourceType": "Condition", "text": patient()["text"], "subject": { "reference": "Patient/1" },
            "code": { "text": "x" }, "clinicalStatus": { "coding": [coding] } })
    };
    let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    valid(&condition(json!({ "system": system, "code": "active" })));
    error(&condition(json!({ "code": "active" })), "binding-required", "Condition.clinicalStatus");
    let married = with(patient(), json!({ "maritalStatus": { "coding": [{ "code": "M" }] } }));
    broken(&married, "binding-extensible", Severity::Warning, "Patient.maritalStatus");
    broken(&married, "coding-system", Severity::Warning, "Patient.maritalStatus.coding[0]");
    valid(&married);
}

#[test]
fn one_coding_with_a_system_is_enough() {
    let married =
        json!([{ "code": "M" }, { "system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M" }]);
    let report = report(&with(patient(), json!({ "maritalStatus": { "coding": married } })));
    assert!(report.issues.iter().all(|issue| issue.rule != "binding-extensible"), "{:#?}", report.issues);
}
