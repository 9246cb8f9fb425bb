//! The fhir room: ids within a resource.

use super::*;

#[test]
fn an_id_stands_on_one_element_only() {
    let names = json!([{ "id": "n", "family": "Testpatient" }, { "id": "n", "family": "Testpatient" }]);
    error(&with(patient(), json!({ "name": names })), "element-id", "Patient.name[1]");
    let gender = json!({ "name": [{ "id": "n", "family": "Testpatient" }], "_gender": { "id": "n" } });
    error(&with(patient(), gender), "element-id", "Patient.gender");
    let apart = json!([{ "id": "n", "family": "Testpatient" }, { "id": "m", "family": "Testpatient" }]);
    valid(&with(patient(), json!({ "name": apart })));
}

#[test]
fn what_is_contained_and_each_entry_have_ids_of_their_own() {
    let inner = json!({ "resourceType": "Patient", "id": "p", "name": [{ "id": "n", "family": "Testpatient" }] });
    let own = json!({ "contained": [inner], "subject": { "reference": "#p" }, "note": [{ "id": "n", "text": "x" }] });
    valid(&with(observation(), own));
    let entry = |number: u32| {
        let resource = with(patient(), json!({ "id": null, "name": [{ "id": "n", "family": "Testpatient" }] }));
        json!({ "fullUrl": format!("urn:uuid:00000000-0000-4000-8000-00000000000{number}"), "resource": resource })
    };
    valid(&json!({ "resourceType": "Bundle", "type": "collection", "entry": [entry(1), entry(2)] }));
}

#[test]
fn two_contained_resources_with_one_id_cannot_be_told_apart() {
    let inner = |active: bool| json!({ "resourceType": "Patient", "id": "p", "active": active });
    let both = json!({ "contained": [inner(true), inner(false)], "subject": { "reference": "#p" } });
    error(&with(observation(), both), "contained-id", "Observation.contained[1].ofType(Patient)");
}
