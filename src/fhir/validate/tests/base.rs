//! The fhir room: the rules of base R4, one by one.

use super::*;

#[test]
fn right_resources_have_no_errors() {
    valid(&observation());
    valid(&patient());
    assert_eq!(report(&observation()).issues.iter().filter(|issue| issue.severity == Severity::Warning).count(), 0);
}

#[test]
fn what_is_no_resource_is_told_at_the_root() {
    for value in [json!([]), json!("x"), json!(null), json!({}), json!({ "resourceType": 1 })] {
        assert!(!report(&value).is_valid(), "{value}");
    }
    let unknown = report(&json!({ "resourceType": "Widget" }));
    assert_eq!((unknown.issues[0].rule.as_str(), unknown.issues[0].expression.as_str()), ("resource-type", "$this"));
    error(&with(observation(), json!({ "category": [null] })), "json-type", "Observation.category[0]");
    assert!(!report(&json!({ "resourceType": "DomainResource" })).is_valid());
    assert!(!report(&json!({ "resourceType": "Quantity" })).is_valid());
}

#[test]
fn keys_and_their_json_are_held_to_the_definition() {
    error(&with(observation(), json!({ "bodyWeightKg": 70 })), "unknown-element", "Observation");
    error(
        &with(observation(), json!({ "subject": { "refrence": "Patient/1" } })),
        "unknown-element",
        "Observation.subject",
    );
    error(&with(observation(), json!({ "subject": "Patient/1" })), "json-type", "Observation.subject");
    error(&with(observation(), json!({ "status": ["final"] })), "json-array", "Observation.status");
    error(&with(observation(), json!({ "category": { "text": "x" } })), "json-array", "Observation.category");
    error(&with(observation(), json!({ "category": [] })), "empty-array", "Observation.category");
    error(&with(observation(), json!({ "method": {} })), "empty-object", "Observation.method");
    error(&with(observation(), json!({ "method": { "id": "a" } })), "ele-1", "Observation.method");
    error(&with(observation(), json!({ "method": { "text": "" } })), "empty-string", "Observation.method.text");
}

#[test]
fn cardinalities_are_held() {
    error(&with(observation(), json!({ "status": null })), "cardinality-min", "Observation");
    let two = json!({ "resourceType": "Basic", "code": { "text": "x" }, "text": patient()["text"], "identifier": [] });
    error(&two, "empty-array", "Basic.identifier");
    let link = json!({ "link": [{ "other": { "reference": "Patient/2" } }] });
    error(&with(patient(), link), "cardinality-min", "Patient.link[0]");
}

#[test]
fn a_choice_is_one_of_its_types_and_given_once() {
    error(&with(observation(), json!({ "valueString": "x" })), "choice-twice", "Observation.value.ofType(string)");
    let address = with(observation(), json!({ "valueQuantity": null, "valueAddress": { "city": "x" } }));
    error(&address, "choice-type", "Observation");
    let quantity = json!({ "value": "70", "unit": "kg" });
    error(
        &with(observation(), json!({ "valueQuantity": quantity })),
        "json-type",
        "Observation.value.ofType(Quantity).value",
    );
}

#[test]
fn primitives_have_their_format() {
    error(&with(patient(), json!({ "birthDate": "1974-13-45" })), "primitive-format", "Patient.birthDate");
    error(&with(patient(), json!({ "id": "a b" })), "primitive-format", "Patient.id");
    error(&with(patient(), json!({ "active": "true" })), "json-type", "Patient.active");
    error(&with(patient(), json!({ "gender": "fe male " })), "whitespace", "Patient.gender");
    let name = json!({ "name": [{ "family": "Testpatient" }, { "given": ["A", " B"] }] });
    broken(&with(patient(), name), "whitespace", Severity::Warning, "Patient.name[1].given[1]");
    let telecom = json!({ "telecom": [{ "system": "phone", "value": "1", "rank": 0 }] });
    error(&with(patient(), telecom), "primitive-range", "Patient.telecom[0].rank");
}

#[test]
fn what_stands_beside_a_primitive_is_its_id_and_extensions() {
    let reason = json!({ "extension": [{ "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown" }] });
    valid(&with(patient(), json!({ "birthDate": null, "_birthDate": reason })));
    valid(&with(patient(), json!({ "_gender": { "id": "a" } })));
    valid(&with(patient(), json!({ "name": [{ "given": ["A", null], "_given": [null, reason] }] })));
    error(&with(patient(), json!({ "birthDate": null, "_birthDate": { "id": "a" } })), "ele-1", "Patient.birthDate");
    error(&with(patient(), json!({ "name": [{ "given": ["A", null] }] })), "json-null", "Patient.name[0].given[1]");
    let shorter = with(patient(), json!({ "name": [{ "given": ["A"], "_given": [null, reason] }] }));
    broken(&shorter, "sibling", Severity::Warning, "Patient.name[0].given");
    valid(&shorter);
    error(&with(patient(), json!({ "_birthDate": "x" })), "sibling", "Patient.birthDate");
    error(&with(patient(), json!({ "_birthDate": { "value": "x" } })), "unknown-element", "Patient.birthDate");
    error(
        &with(patient(), json!({ "maritalStatus": { "text": "x" }, "_maritalStatus": { "id": "x" } })),
        "sibling",
        "Patient",
    );
}

#[test]
fn a_null_is_told_where_it_stands_whatever_stands_beside_it() {
    let mut resource = patient();
    resource["birthDate"] = Value::Null;
    error(&resource, "json-null", "Patient.birthDate");
    let reason = json!({ "extension": [{ "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown" }] });
    resource["_birthDate"] = reason;
    error(&resource, "json-null", "Patient.birthDate");
}

#[test]
fn narratives_keep_to_their_whitelist() {
    let text = |div: &str| json!({ "text": { "status": "generated", "div": div } });
    let script = "<div xmlns=\"http://www.w3.org/1999/xhtml\">a<script>x</script></div>";
    error(&with(patient(), text(script)), "txt-1", "Patient.text.`div`");
    error(&with(patient(), text("<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>")), "txt-2", "Patient.text.`div`");
}

#[test]
fn references_have_a_form_and_a_target() {
    let subject = |reference: Value| with(observation(), json!({ "subject": reference }));
    broken(
        &subject(json!({ "reference": "Medication/p1" })),
        "reference-target",
        Severity::Warning,
        "Observation.subject",
    );
    let by_type = subject(json!({ "type": "Medication", "display": "x" }));
    broken(&by_type, "reference-target", Severity::Warning, "Observation.subject");
    error(&subject(json!({ "reference": "Patient/p1", "type": "Group" })), "reference-type", "Observation.subject");
    error(&subject(json!({ "reference": "#p1" })), "ref-1", "Observation.subject");
    for good in [
        "Patient/p1/_history/2",
        "http://example.org/fhir/Patient/p1",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "Patient?identifier=x|1",
    ] {
        valid(&subject(json!({ "reference": good })));
    }
    let strict = Options { trust_reference_names: true, ..Options::default() };
    let wrong = subject(json!({ "reference": "Medication/p1" }));
    check(&R4, &R4.validate(&wrong, &strict), &wrong, "reference-target", Severity::Error, "Observation.subject");
}

#[test]
fn contained_resources_are_linked_and_have_no_life_of_their_own() {
    let contained = |inner: Value, subject: &str| {
        with(observation(), json!({ "contained": [inner], "subject": { "reference": subject } }))
    };
    let person = |more: Value| with(json!({ "resourceType": "Patient", "id": "in", "active": true }), more);
    valid(&contained(person(json!({})), "#in"));
    let place = "Observation.contained[0].ofType(Patient)";
    error(&contained(person(json!({})), "Patient/1"), "dom-3", place);
    error(&contained(person(json!({ "meta": { "versionId": "1" } })), "#in"), "dom-4", place);
    let label = json!({ "meta": { "security": [{ "display": "x" }] } });
    error(&contained(person(label), "#in"), "dom-5", place);
    error(&contained(person(json!({ "id": null })), "Patient/1"), "contained-id", place);
    let nested = person(json!({ "contained": [{ "resourceType": "Basic", "id": "deep", "code": { "text": "x" } }] }));
    error(&contained(nested, "#in"), "dom-2", place);
    let medication = json!({ "resourceType": "Medication", "id": "in", "status": "active" });
    error(&contained(medication, "#in"), "reference-target", "Observation.subject");
    // One that points back at its container is linked with it.
    let back = json!({ "resourceType": "Provenance", "id": "in", "target": [{ "reference": "#" }],
        "recorded": "2024-01-01T00:00:00Z", "agent": [{ "who": { "display": "x" } }] });
    valid(&contained(back, "Patient/1"));
}

#[test]
fn bindings_are_held_by_their_strength() {
    error(&with(observation(), json!({ "status": "done" })), "binding-required", "Observation.status");
    let system = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus";
    let marital = |coding: Value| with(patient(), json!({ "maritalStatus": { "coding": coding } }));
    valid(&marital(json!([{ "system": system, "code": "M" }])));
    let other = json!([{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" }]);
    broken(&marital(other.clone()), "binding-extensible", Severity::Warning, "Patient.maritalStatus");
    // At least one of several codings.
    let local = json!({ "system": "http://example.org/local", "code": "m" });
    let both = marital(json!([{ "system": system, "code": "M" }, local]));
    assert!(!report(&both).issues.iter().any(|issue| issue.rule == "binding-extensible"));
    error(
        &marital(json!([{ "system": system, "code": "no such" }])),
        "code-unknown",
        "Patient.maritalStatus.coding[0]",
    );
    let condition = json!({
        "resourceType": "Condition", "text": patient()["text"], "subject": { "reference": "Patient/1" },
        "code": { "text": "x" },
        "clinicalStatus": { "text": "active" }
    });
    error(&condition, "binding-required", "Condition.clinicalStatus");
}

#[test]
fn codings_and_units_are_known_to_their_systems() {
    let unit = |code: &str| json!({ "value": 1, "unit": "x", "system": "http://unitsofmeasure.org", "code": code });
    error(
        &with(observation(), json!({ "valueQuantity": unit("mcg") })),
        "unit-unknown",
        "Observation.value.ofType(Quantity)",
    );
    let no_system = json!({ "value": 1, "code": "kg" });
    error(&with(observation(), json!({ "valueQuantity": no_system })), "qty-3", "Observation.value.ofType(Quantity)");
    let coding = |coding: Value| with(observation(), json!({ "code": { "coding": [coding] } }));
    let local = json!({ "system": "loinc", "code": "x" });
    error(&with(observation(), json!({ "meta": { "tag": [local] } })), "coding-system", "Observation.meta.tag[0]");
    broken(&coding(local), "coding-system", Severity::Warning, "Observation.code.coding[0]");
    let wrong =
        json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "Bus" });
    error(&coding(wrong), "display", "Observation.code.coding[0]");
    let uri = json!({ "identifier": [{ "system": "urn:ietf:rfc:3986", "value": "1.2.3" }] });
    error(&with(patient(), uri), "uri-system", "Patient.identifier[0]");
}

#[test]
fn invariants_are_held() {
    let reason = json!({ "dataAbsentReason": { "text": "x" } });
    error(&with(observation(), reason), "obs-6", "Observation");
    error(&with(patient(), json!({ "contact": [{ "gender": "female" }] })), "pat-1", "Patient.contact[0]");
    let period = json!({ "effectivePeriod": { "start": "2024-02-01", "end": "2024-01-01" } });
    error(&with(observation(), period), "per-1", "Observation.effective.ofType(Period)");
    broken(&with(patient(), json!({ "text": null })), "dom-6", Severity::Information, "Patient");
}

#[test]
fn extensions_are_known_stand_where_they_may_and_have_their_type() {
    let extended = |extension: Value| with(patient(), json!({ "extension": [extension] }));
    let birthplace = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace";
    valid(&extended(json!({ "url": birthplace, "valueAddress": { "city": "x" } })));
    error(
        &extended(json!({ "url": birthplace, "valueString": "x" })),
        "choice-type",
        "Patient.extension[0].value.ofType(string)",
    );
    error(&extended(json!({ "url": "http://example.org/x" })), "ext-1", "Patient.extension[0]");
    let both =
        json!({ "url": "http://example.org/x", "valueString": "x", "extension": [{ "url": "y", "valueCode": "z" }] });
    error(&extended(both), "ext-1", "Patient.extension[0]");
    broken(
        &extended(json!({ "url": "http://example.org/x", "valueString": "x" })),
        "extension-unknown",
        Severity::Warning,
        "Patient.extension[0]",
    );
    error(&extended(json!({ "url": "x", "valueString": "x" })), "extension-url", "Patient.extension[0].url");
    let modifier = json!({ "modifierExtension": [{ "url": "http://kap.example/x", "valueString": "x" }] });
    error(&with(patient(), modifier), "modifier-extension-unknown", "Patient.modifierExtension[0]");
    let misplaced = json!({ "extension": [{ "url": birthplace, "valueAddress": { "city": "x" } }] });
    error(&with(observation(), misplaced), "extension-context", "Observation.extension[0]");
    let as_modifier = json!({ "modifierExtension": [{ "url": birthplace, "valueAddress": { "city": "x" } }] });
    error(&with(patient(), as_modifier), "extension-modifier", "Patient.modifierExtension[0]");
    let nationality = "http://hl7.org/fhir/StructureDefinition/patient-nationality";
    let part = json!({ "url": nationality, "extension": [{ "url": "planet", "valueString": "x" }] });
    error(&extended(part), "extension-part", "Patient.extension[0].extension[0]");
}

fn bundle(kind: &str, entries: Value) -> Value {
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

#[test]
fn bundles_ask_for_full_urls_that_are_absolute_unique_and_right() {
    let entry = |url: &str| json!({ "fullUrl": url, "resource": patient() });
    let good = "http://example.org/fhir/Patient/p1";
    valid(&bundle("collection", json!([entry(good)])));
    error(&bundle("collection", json!([entry("Patient/p1")])), "bundle-fullurl", "Bundle.entry[0]");
    error(
        &bundle("collection", json!([entry("http://example.org/fhir/Patient/p2")])),
        "bundle-fullurl",
        "Bundle.entry[0]",
    );
    error(&bundle("collection", json!([{ "resource": patient() }])), "bundle-fullurl", "Bundle.entry[0]");
    error(&bundle("collection", json!([entry(good), entry(good)])), "bdl-7", "Bundle.entry[1]");
    error(&bundle("batch", json!([{ "resource": patient() }])), "bdl-3", "Bundle");
    let identity = json!({ "timestamp": "2024-01-01T00:00:00Z", "identifier": { "system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3" } });
    error(&with(bundle("document", json!([entry(good)])), identity), "bdl-11", "Bundle");
}

#[test]
fn references_within_a_bundle_are_followed() {
    let medication = json!({ "resourceType": "Medication", "id": "p1", "text": patient()["text"], "status": "active" });
    let entries = |url: &str, subject: Value| {
        json!([
            { "fullUrl": "http://example.org/fhir/Observation/o1", "resource": subject },
            { "fullUrl": url, "resource": medication }
        ])
    };
    let subject = |reference: &str| with(observation(), json!({ "subject": { "reference": reference } }));
    let place = "Bundle.entry[0].resource.ofType(Observation).subject";
    let urn = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520";
    error(&bundle("collection", entries(urn, subject(urn))), "reference-target", place);
    let url = "http://example.org/fhir/Medication/p1";
    error(&bundle("collection", entries(url, subject("Medication/p1"))), "reference-target", place);
    let nowhere = subject("urn:uuid:c757873d-ec9a-4326-a141-556f43239521");
    broken(&bundle("collection", entries(url, nowhere)), "bundle-reference", Severity::Warning, place);
}

#[test]
fn faults_deep_in_a_bundle_have_their_place() {
    let person = with(patient(), json!({ "name": [{ "given": ["A", ""] }] }));
    let all = bundle("collection", json!([{ "fullUrl": "http://example.org/fhir/Patient/p1", "resource": person }]));
    error(&all, "empty-string", "Bundle.entry[0].resource.ofType(Patient).name[0].given[1]");
}

#[test]
fn vital_signs_keep_their_profile_unasked() {
    let category = json!([{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs" }] }]);
    let weight = with(
        observation(),
        json!({ "category": category, "code": { "coding": [{ "system": "http://loinc.org", "code": "29463-7" }] } }),
    );
    error(&weight, "cardinality-min", "Observation");
    let report = report(&weight);
    assert!(
        report
            .issues
            .iter()
            .any(|issue| issue.profile.as_deref() == Some("http://hl7.org/fhir/StructureDefinition/bodyweight"))
    );
}

#[test]
fn attachments_say_their_size_and_identifiers_their_whole_system() {
    let media = |content: Value| json!({ "resourceType": "Media", "status": "completed", "content": content });
    let text = json!({ "contentType": "text/plain", "data": "aGkh", "size": 3 });
    valid(&media(text.clone()));
    error(&media(with(text, json!({ "size": 99 }))), "attachment-size", "Media.content");
    let local = json!({ "identifier": [{ "system": "mrn", "value": "1" }] });
    error(&with(patient(), local), "identifier-system", "Patient.identifier[0]");
}

#[test]
fn media_types_may_have_parameters_of_their_grammar() {
    let binary = |media_type: &str| json!({ "resourceType": "Binary", "contentType": media_type, "data": "aGkh" });
    for good in ["text/plain", "text/plain; charset=utf-8", "application/fhir+json;fhirVersion=4.0", "text/x;a=\"b c\""]
    {
        assert!(report(&binary(good)).issues.is_empty(), "{good}: {:?}", report(&binary(good)).issues);
    }
    for bad in ["text/plain; charset", "text/plain;", "text/plain; =x"] {
        broken(&binary(bad), "media-type", Severity::Warning, "Binary.contentType");
    }
    error(&binary("banana"), "binding-required", "Binary.contentType");
    error(&binary("json"), "binding-required", "Binary.contentType");
}

#[test]
fn capability_statement_may_name_a_format_by_its_short_word() {
    let statement = json!({
        "resourceType": "CapabilityStatement", "status": "draft", "date": "2026-01-01", "kind": "requirements",
        "fhirVersion": "4.0.1", "format": ["xml", "json", "application/fhir+json"],
        "rest": [{ "mode": "server" }], "description": "Synthetic"
    });
    valid(&statement);
    error(&with(statement, json!({ "format": ["yaml"] })), "binding-required", "CapabilityStatement.format[0]");
}
