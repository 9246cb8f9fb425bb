//! The fhir room: slices told by what a reference leads to, and by its profile.

use super::profiles::{URL, definition, validator};
use super::*;

const ADULT: &str = "http://kap.example/StructureDefinition/adult";

/// Performers, sliced by a discriminator; of slice `adult`, which takes references to `target`, at most one.
fn performers(kind: &str, target: &str, max: &str) -> Validator {
    let adult = definition(
        ADULT,
        "Patient",
        json!([{ "id": "Patient.maritalStatus", "min": 1, "max": "1", "base": { "max": "1" }, "type": [{ "code": "CodeableConcept" }] }]),
    );
    let sliced = definition(
        URL,
        "Observation",
        json!([{ "id": "Observation.performer", "type": [{ "code": "Reference" }],
                 "slicing": { "discriminator": [{ "type": kind, "path": "resolve()" }], "rules": "open" } },
               { "id": "Observation.performer:adult", "sliceName": "adult", "max": max,
                 "type": [{ "code": "Reference", "targetProfile": [target] }] }]),
    );
    validator(&[adult, sliced])
}

/// Two patients perform, of whom so many are adults by the profile.
fn performed(adults: usize) -> Value {
    let one = |number: usize| {
        let inner = json!({ "resourceType": "Patient", "id": format!("p{number}"), "active": true });
        if number < adults { with(inner, json!({ "maritalStatus": { "text": "x" } })) } else { inner }
    };
    let references = json!([{ "reference": "#p0" }, { "reference": "#p1" }]);
    with(observation(), json!({ "contained": [one(0), one(1)], "performer": references, "meta": { "profile": [URL] } }))
}

#[test]
fn slices_by_profile_are_told_by_what_the_reference_leads_to() {
    let by_profile = performers("profile", ADULT, "1");
    let report = |resource: &Value| by_profile.validate(resource, &Options::default());
    for adults in [0, 1] {
        assert!(report(&performed(adults)).is_valid(), "{:#?}", report(&performed(adults)).issues);
    }
    check(&by_profile, &report(&performed(2)), &performed(2), "slice-max", Severity::Error, "Observation");
}

#[test]
fn slices_by_type_are_told_by_what_the_reference_names() {
    let by_type = performers("type", "http://hl7.org/fhir/StructureDefinition/Practitioner", "1");
    let performed = |of: [&str; 2]| {
        let references: Vec<Value> = of.iter().map(|of| json!({ "reference": format!("{of}/1") })).collect();
        with(observation(), json!({ "performer": references, "meta": { "profile": [URL] } }))
    };
    let report = |resource: &Value| by_type.validate(resource, &Options::default());
    assert!(report(&performed(["Practitioner", "Patient"])).is_valid());
    let both = performed(["Practitioner", "Practitioner"]);
    check(&by_type, &report(&both), &both, "slice-max", Severity::Error, "Observation");
}

#[test]
fn a_slice_by_profile_of_what_is_not_at_hand_is_a_warning() {
    let by_profile = performers("profile", ADULT, "1");
    let away = json!({ "performer": [{ "reference": "Patient/1" }], "meta": { "profile": [URL] } });
    let resource = with(observation(), away);
    let report = by_profile.validate(&resource, &Options::default());
    check(&by_profile, &report, &resource, "slice-unchecked", Severity::Warning, "Observation");
}
