//! The fhir room: the rules of profiles, one by one.

use super::*;

pub(super) const URL: &str = "http://kap.example/StructureDefinition/trial";

pub(super) fn definition(url: &str, of: &str, elements: Value) -> Value {
    let kind = if of.starts_with(char::is_uppercase) && R4.type_named(of).unwrap().is_resource() {
        "resource"
    } else {
        "complex-type"
    };
    let elements: Vec<Value> = std::iter::once(json!({ "id": of, "path": of, "min": 0, "max": "*" }))
        .chain(elements.as_array().unwrap().iter().map(|element| {
            let path: Vec<&str> =
                element["id"].as_str().unwrap().split('.').map(|step| step.split(':').next().unwrap()).collect();
            with(json!({ "path": path.join("."), "min": 0, "max": "*", "base": { "max": "*" } }), element.clone())
        }))
        .collect();
    json!({ "resourceType": "StructureDefinition", "url": url, "name": "Trial", "status": "draft", "kind": kind, "abstract": false,
        "type": of, "baseDefinition": format!("http://hl7.org/fhir/StructureDefinition/{of}"), "derivation": "constraint",
        "snapshot": { "element": elements } })
}

pub(super) fn validator(definitions: &[Value]) -> Validator {
    let mut all = Definitions::base();
    for definition in definitions {
        all.add_resource(definition.clone()).unwrap();
    }
    Validator::new(all)
}

pub(super) fn trial(of: &str, elements: Value) -> Validator {
    validator(&[definition(URL, of, elements)])
}

pub(super) fn held(validator: &Validator, resource: &Value) -> Report {
    validator.validate(resource, &Options { profiles: &[URL], ..Options::default() })
}

#[track_caller]
pub(super) fn breaks(validator: &Validator, resource: &Value, rule: &str, expression: &str) {
    check(validator, &held(validator, resource), resource, rule, Severity::Error, expression);
}

#[track_caller]
pub(super) fn keeps(validator: &Validator, resource: &Value) {
    let report = held(validator, resource);
    assert!(report.is_valid(), "{:#?}", report.issues);
}

#[test]
fn a_profile_that_is_not_here_is_a_warning() {
    let claimed = with(patient(), json!({ "meta": { "profile": ["http://kap.example/none"] } }));
    broken(&claimed, "profile-unknown", Severity::Warning, "Patient.meta.profile[0]");
    let report = R4.validate(&patient(), &Options { profiles: &["http://kap.example/none"], ..Options::default() });
    check(&R4, &report, &patient(), "profile-unknown", Severity::Warning, "Patient");
}

#[test]
fn a_profile_is_for_its_type() {
    breaks(&trial("Observation", json!([])), &patient(), "profile-type", "Patient");
}

#[test]
fn cardinalities_are_tightened() {
    let method = trial(
        "Observation",
        json!([{ "id": "Observation.method", "min": 1, "max": "1", "base": { "max": "1" }, "type": [{ "code": "CodeableConcept" }] }]),
    );
    breaks(&method, &observation(), "cardinality-min", "Observation");
    let none = trial("Patient", json!([{ "id": "Patient.name", "max": "0", "type": [{ "code": "HumanName" }] }]));
    breaks(&none, &patient(), "cardinality-max", "Patient");
}

#[test]
fn fixed_values_and_patterns_are_held() {
    let unit = |key: &str, value: Value| {
        let mut quantity = json!({ "id": "Observation.value[x]", "max": "1", "base": { "max": "1" }, "type": [{ "code": "Quantity" }] });
        quantity[key] = value;
        trial("Observation", json!([quantity]))
    };
    let place = "Observation.value.ofType(Quantity)";
    let kg = observation()["valueQuantity"].clone();
    keeps(&unit("fixedQuantity", kg.clone()), &observation());
    breaks(&unit("fixedQuantity", with(kg.clone(), json!({ "unit": null }))), &observation(), "fixed", place);
    keeps(&unit("patternQuantity", json!({ "code": "kg" })), &observation());
    breaks(&unit("patternQuantity", json!({ "code": "g" })), &observation(), "pattern", place);
}

#[test]
fn types_and_limits_are_held() {
    let text = trial(
        "Observation",
        json!([{ "id": "Observation.value[x]", "max": "1", "base": { "max": "1" }, "type": [{ "code": "string" }] }]),
    );
    breaks(&text, &observation(), "choice-type", "Observation.value.ofType(Quantity)");
    let limited = trial(
        "Observation",
        json!([{ "id": "Observation.value[x]", "max": "1", "base": { "max": "1" }, "type": [{ "code": "integer" }], "minValueInteger": 3, "maxValueInteger": 5 }]),
    );
    let number = |number: i32| with(observation(), json!({ "valueQuantity": null, "valueInteger": number }));
    keeps(&limited, &number(3));
    breaks(&limited, &number(2), "min-value", "Observation.value.ofType(integer)");
    breaks(&limited, &number(6), "max-value", "Observation.value.ofType(integer)");
}

#[test]
fn rules_and_bindings_of_a_profile_are_held() {
    let rule = json!([{ "id": "Patient.name", "type": [{ "code": "HumanName" }],
        "constraint": [{ "key": "kap-1", "severity": "error", "human": "No more than one given name.", "expression": "given.count() <= 1", "source": URL }] }]);
    breaks(&trial("Patient", rule), &patient(), "kap-1", "Patient.name[0]");
    let binding = json!([{ "id": "Patient.gender", "max": "1", "base": { "max": "1" }, "type": [{ "code": "code" }],
        "binding": { "strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/days-of-week" } }]);
    breaks(&trial("Patient", binding), &patient(), "binding-required", "Patient.gender");
    let unknown = json!([{ "id": "Patient.gender", "max": "1", "base": { "max": "1" }, "type": [{ "code": "code" }],
        "binding": { "strength": "required", "valueSet": "http://kap.example/none" } }]);
    let unknown = trial("Patient", unknown);
    check(&unknown, &held(&unknown, &patient()), &patient(), "binding-unchecked", Severity::Warning, "Patient.gender");
    let broken = json!([{ "id": "Patient.name", "type": [{ "code": "HumanName" }],
        "constraint": [{ "key": "kap-2", "severity": "error", "human": "x", "expression": "given.(", "source": URL }] }]);
    let broken = trial("Patient", broken);
    check(&broken, &held(&broken, &patient()), &patient(), "kap-2", Severity::Warning, "Patient.name[0]");
}

/// Identifiers, sliced: `official` by its system, at least one.
fn sliced(discriminator: Value, rules: Value, slices: Value) -> Validator {
    let mut elements = vec![json!({ "id": "Patient.identifier", "type": [{ "code": "Identifier" }],
        "slicing": with(json!({ "discriminator": [discriminator], "rules": "open" }), rules) })];
    elements.extend(slices.as_array().unwrap().iter().cloned());
    trial("Patient", Value::Array(elements))
}

fn slice(name: &str, min: u32, max: &str, system: &str) -> Vec<Value> {
    vec![
        json!({ "id": format!("Patient.identifier:{name}"), "sliceName": name, "min": min, "max": max, "type": [{ "code": "Identifier" }] }),
        json!({ "id": format!("Patient.identifier:{name}.system"), "min": 1, "max": "1", "base": { "max": "1" }, "type": [{ "code": "uri" }], "fixedUri": system }),
    ]
}

fn identified(systems: &[&str]) -> Value {
    let identifiers: Vec<Value> = systems
        .iter()
        .map(|system| json!({ "system": format!("http://kap.example/{system}"), "value": "1" }))
        .collect();
    with(patient(), json!({ "identifier": identifiers }))
}

fn two_slices(rules: Value) -> Validator {
    let slices = [slice("a", 1, "1", "http://kap.example/a"), slice("b", 0, "*", "http://kap.example/b")].concat();
    sliced(json!({ "type": "value", "path": "system" }), rules, Value::Array(slices))
}

#[test]
fn slices_by_value_have_their_cardinality() {
    let open = two_slices(json!({}));
    keeps(&open, &identified(&["x", "a", "b", "y"]));
    breaks(&open, &identified(&["b"]), "slice-min", "Patient");
    breaks(&open, &patient(), "slice-min", "Patient");
    breaks(&open, &identified(&["a", "a"]), "slice-max", "Patient");
}

#[test]
fn closed_ordered_and_open_at_end_slicing_are_held() {
    let closed = two_slices(json!({ "rules": "closed" }));
    keeps(&closed, &identified(&["b", "a"]));
    breaks(&closed, &identified(&["a", "x"]), "slice-closed", "Patient.identifier[1]");
    let ordered = two_slices(json!({ "ordered": true }));
    keeps(&ordered, &identified(&["a", "b", "b"]));
    breaks(&ordered, &identified(&["b", "a"]), "slice-order", "Patient.identifier[1]");
    let at_end = two_slices(json!({ "rules": "openAtEnd" }));
    keeps(&at_end, &identified(&["b", "a", "x"]));
    breaks(&at_end, &identified(&["x", "a"]), "slice-order", "Patient.identifier[1]");
}

#[test]
fn slices_by_pattern_and_by_existence_are_told() {
    let typed = json!([{ "id": "Patient.identifier:t", "sliceName": "t", "min": 1, "max": "1", "type": [{ "code": "Identifier" }] },
        { "id": "Patient.identifier:t.type", "min": 1, "max": "1", "base": { "max": "1" }, "type": [{ "code": "CodeableConcept" }],
          "patternCodeableConcept": { "coding": [{ "code": "MR" }] } }]);
    let by_pattern = sliced(json!({ "type": "pattern", "path": "type" }), json!({}), typed);
    let of_type = |code: &str| json!({ "identifier": [{ "value": "1", "type": { "coding": [{ "code": "Z" }, { "code": code }] } }] });
    keeps(&by_pattern, &with(patient(), of_type("MR")));
    breaks(&by_pattern, &with(patient(), of_type("DL")), "slice-min", "Patient");
    let dated = json!([{ "id": "Patient.identifier:p", "sliceName": "p", "max": "1", "type": [{ "code": "Identifier" }] },
        { "id": "Patient.identifier:p.period", "min": 1, "max": "1", "base": { "max": "1" }, "type": [{ "code": "Period" }] }]);
    let by_existence = sliced(json!({ "type": "exists", "path": "period" }), json!({}), dated);
    let dated =
        |count: usize| json!({ "identifier": vec![json!({ "value": "1", "period": { "start": "2024" } }); count] });
    keeps(&by_existence, &with(patient(), dated(1)));
    breaks(&by_existence, &with(patient(), dated(2)), "slice-max", "Patient");
}

#[test]
fn slices_by_type_tell_choices_apart() {
    let quantity = trial(
        "Observation",
        json!([{ "id": "Observation.value[x]", "max": "1", "base": { "max": "1" }, "type": [{ "code": "Quantity" }, { "code": "string" }],
                 "slicing": { "discriminator": [{ "type": "type", "path": "$this" }], "rules": "closed" } },
               { "id": "Observation.value[x]:valueQuantity", "sliceName": "valueQuantity", "max": "1", "base": { "max": "1" }, "type": [{ "code": "Quantity" }] },
               { "id": "Observation.value[x]:valueQuantity.unit", "max": "0", "base": { "max": "1" }, "type": [{ "code": "string" }] }]),
    );
    breaks(&quantity, &observation(), "cardinality-max", "Observation.value.ofType(Quantity)");
    let text = with(observation(), json!({ "valueQuantity": null, "valueString": "x" }));
    breaks(&quantity, &text, "slice-closed", "Observation.value.ofType(string)");
}

#[test]
fn a_slice_that_cannot_be_told_is_a_warning() {
    let slices = json!([{ "id": "Patient.identifier:q", "sliceName": "q", "min": 1, "max": "1", "type": [{ "code": "Identifier" }] }]);
    let vague = sliced(json!({ "type": "value", "path": "system" }), json!({}), slices);
    check(
        &vague,
        &held(&vague, &identified(&["a"])),
        &identified(&["a"]),
        "slice-unchecked",
        Severity::Warning,
        "Patient",
    );
}

#[test]
fn profiles_on_data_types_and_on_what_references_lead_to_are_held() {
    let name_url = "http://kap.example/StructureDefinition/name";
    let name = definition(
        name_url,
        "HumanName",
        json!([{ "id": "HumanName.text", "min": 1, "max": "1", "base": { "max": "1" }, "type": [{ "code": "string" }] }]),
    );
    let named = definition(
        URL,
        "Patient",
        json!([{ "id": "Patient.name", "type": [{ "code": "HumanName", "profile": [name_url] }] }]),
    );
    let validator_of_names = validator(&[name, named]);
    breaks(&validator_of_names, &patient(), "cardinality-min", "Patient.name[0]");

    let adult_url = "http://kap.example/StructureDefinition/adult";
    let adult = definition(
        adult_url,
        "Patient",
        json!([{ "id": "Patient.maritalStatus", "min": 1, "max": "1", "base": { "max": "1" }, "type": [{ "code": "CodeableConcept" }] }]),
    );
    let about = definition(
        URL,
        "Observation",
        json!([{ "id": "Observation.subject", "max": "1", "base": { "max": "1" },
        "type": [{ "code": "Reference", "targetProfile": [adult_url] }] }]),
    );
    let targets = validator(&[adult, about]);
    let child = json!({ "resourceType": "Patient", "id": "in", "active": true });
    let contained =
        |inner: Value| with(observation(), json!({ "contained": [inner], "subject": { "reference": "#in" } }));
    breaks(&targets, &contained(child.clone()), "reference-target-profile", "Observation.subject");
    keeps(&targets, &contained(with(child, json!({ "maritalStatus": { "text": "x" } }))));
}

#[test]
fn profiles_in_a_circle_end() {
    let other = "http://kap.example/StructureDefinition/other";
    let name = |url: &str, next: &str| {
        definition(
            url,
            "Extension",
            json!([{ "id": "Extension.extension", "type": [{ "code": "Extension", "profile": [next] }] }]),
        )
    };
    let patient_profile = definition(
        URL,
        "Patient",
        json!([{ "id": "Patient.extension", "type": [{ "code": "Extension", "profile": [other] }] }]),
    );
    let circle =
        validator(&[name(other, "http://kap.example/third"), name("http://kap.example/third", other), patient_profile]);
    let mut nested = json!({ "url": "x", "valueString": "x" });
    for _ in 0..50 {
        nested = json!({ "url": "x", "extension": [nested] });
    }
    let resource = with(patient(), json!({ "extension": [nested] }));
    let report = held(&circle, &resource);
    assert!(!report.issues.is_empty());
}

#[test]
fn the_target_of_a_reference_has_its_own_contained_resources() {
    let target = "http://kap.example/StructureDefinition/target";
    let practitioner = "http://hl7.org/fhir/StructureDefinition/Practitioner";
    let condition = json!([{ "id": "Condition.recorder", "max": "1", "base": { "max": "1" }, "type": [{ "code": "Reference", "targetProfile": [practitioner] }] }]);
    let of_condition =
        json!([{ "id": "Observation.focus", "type": [{ "code": "Reference", "targetProfile": [target] }] }]);
    let validator =
        validator(&[definition(target, "Condition", condition), definition(URL, "Observation", of_condition)]);
    let recorder = json!({ "resourceType": "Practitioner", "id": "who", "active": true });
    let condition = json!({ "resourceType": "Condition", "id": "c1", "contained": [recorder],
        "subject": { "display": "Testpatient" }, "recorder": { "reference": "#who" } });
    let pointing = with(
        observation(),
        json!({ "id": "o1", "focus": [{ "reference": "Condition/c1" }], "meta": { "profile": [URL] } }),
    );
    let bundle = |condition: Value| {
        let entry = |resource: &Value| {
            let (of, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
            json!({ "fullUrl": format!("http://kap.example/fhir/{of}/{id}"), "resource": resource })
        };
        json!({ "resourceType": "Bundle", "type": "collection", "entry": [entry(&pointing), entry(&condition)] })
    };
    keeps_in(&validator, &bundle(condition.clone()));
    // Told where the reference is, and where the fault itself is.
    let none = bundle(with(condition, json!({ "contained": null })));
    let report = validator.validate(&none, &Options::default());
    let told = |rule: &str| report.errors().find(|issue| issue.rule == rule).map(|issue| issue.expression.as_str());
    let focus = "Bundle.entry[0].resource.ofType(Observation).focus[0]";
    assert_eq!(told("reference-target-profile"), Some(focus));
    assert_eq!(told("ref-1"), Some("Bundle.entry[1].resource.ofType(Condition).recorder"));
}

#[track_caller]
fn keeps_in(validator: &Validator, bundle: &Value) {
    let report = validator.validate(bundle, &Options::default());
    assert!(!report.issues.iter().any(|issue| issue.rule == "reference-target-profile"), "{:#?}", report.issues);
}
