//! The fhir room: the rules that the walk checks itself have the same answers as their FHIRPath.

use super::super::narrative;
use super::super::rules::NATIVE;
use super::*;
use crate::fhir::path::{Host, Types};

/// Where the rule is checked, as FHIRPath; the resource.
fn cases(key: &str) -> Vec<(&'static str, Value)> {
    let with_contained = |inner: Value, subject: &str| {
        with(observation(), json!({ "contained": [inner], "subject": { "reference": subject } }))
    };
    let inner = |more: Value| with(json!({ "resourceType": "Patient", "id": "in", "active": true }), more);
    let all_contained = || {
        vec![
            ("Observation", observation()),
            ("Observation", with_contained(inner(json!({})), "#in")),
            ("Observation", with_contained(inner(json!({})), "Patient/1")),
            ("Observation", with_contained(inner(json!({ "meta": { "versionId": "1" } })), "#in")),
            ("Observation", with_contained(inner(json!({ "meta": { "lastUpdated": "2024-01-01T00:00:00Z" } })), "#in")),
            ("Observation", with_contained(inner(json!({ "meta": { "security": [{ "code": "R" }] } })), "#in")),
            (
                "Observation",
                with_contained(inner(json!({ "contained": [{ "resourceType": "Basic", "id": "b" }] })), "#in"),
            ),
            (
                "Observation",
                with_contained(inner(json!({ "generalPractitioner": [{ "reference": "#" }] })), "Patient/1"),
            ),
        ]
    };
    let extension = |extension: Value| ("Patient.extension", with(patient(), json!({ "extension": [extension] })));
    let text =
        |div: &str| ("Patient.text.`div`", with(patient(), json!({ "text": { "status": "generated", "div": div } })));
    match key {
        "ele-1" => vec![
            ("Patient.maritalStatus", with(patient(), json!({ "maritalStatus": { "id": "a" } }))),
            ("Patient.maritalStatus", with(patient(), json!({ "maritalStatus": { "id": "a", "text": "b" } }))),
            ("Patient.birthDate", with(patient(), json!({ "_birthDate": { "id": "a" } }))),
            ("Patient.birthDate", with(patient(), json!({ "birthDate": null, "_birthDate": { "id": "a" } }))),
            (
                "Patient.birthDate",
                with(
                    patient(),
                    json!({ "birthDate": null, "_birthDate": { "extension": [{ "url": "http://example.org/x", "valueCode": "a" }] } }),
                ),
            ),
        ],
        "ext-1" => vec![
            extension(json!({ "url": "http://example.org/x" })),
            extension(json!({ "url": "http://example.org/x", "valueString": "a" })),
            extension(json!({ "url": "http://example.org/x", "extension": [{ "url": "a", "valueCode": "b" }] })),
            extension(
                json!({ "url": "http://example.org/x", "valueString": "a", "extension": [{ "url": "a", "valueCode": "b" }] }),
            ),
        ],
        "txt-1" | "txt-2" => vec![
            text("<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"),
            text("<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>"),
            text("<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>a</script></div>"),
        ],
        "dom-6" => vec![("Patient", patient()), ("Patient", with(patient(), json!({ "text": null })))],
        "ref-1" => all_contained()
            .into_iter()
            .map(|(_, resource)| ("Observation.subject", resource))
            .chain([("Observation.subject", with(observation(), json!({ "subject": { "reference": "#none" } })))])
            .collect(),
        "qty-3" => vec![
            ("Observation.value", observation()),
            ("Observation.value", with(observation(), json!({ "valueQuantity": { "value": 1, "code": "kg" } }))),
            ("Observation.value", with(observation(), json!({ "valueQuantity": { "value": 1, "unit": "kg" } }))),
        ],
        "bdl-7" => {
            let entry = |url: &str, version: Value| json!({ "fullUrl": url, "resource": with(patient(), json!({ "meta": { "versionId": version } })) });
            let url = "http://example.org/fhir/Patient/p1";
            let bundle = |kind: &str, entries: Value| {
                ("Bundle", json!({ "resourceType": "Bundle", "type": kind, "entry": entries }))
            };
            vec![
                bundle("collection", json!([entry(url, json!("1"))])),
                bundle("collection", json!([entry(url, json!("1")), entry(url, json!("1"))])),
                bundle("collection", json!([entry(url, json!("1")), entry(url, json!("2"))])),
                bundle("history", json!([entry(url, json!("1")), entry(url, json!("1"))])),
            ]
        }
        _ => all_contained(),
    }
}

struct Html;

impl Host<'_> for Html {
    fn html_checks(&self, xhtml: &str) -> Option<bool> {
        Some(narrative::check(xhtml).is_ok())
    }
}

#[test]
fn native_rules_agree_with_their_fhirpath() {
    let types: &Types = R4.types();
    for (key, expression) in NATIVE {
        let rule = Expression::parse(expression).unwrap();
        let mut answers = [0, 0];
        for (focus, resource) in cases(key) {
            let place = Expression::parse(focus).unwrap();
            let root = Item::resource(&resource, types);
            let mut context = Context::new(types, root.clone());
            context.host = &Html;
            let item = place.evaluate(&context, root).unwrap().into_iter().next().unwrap();
            let by_path = rule.holds(&context, item).unwrap() == Some(true);
            // Both rules of a narrative are one function.
            let broken = |rule: &str| rule == *key || (key.starts_with("txt") && rule.starts_with("txt"));
            let natively = !report(&resource).issues.iter().any(|issue| broken(&issue.rule));
            assert_eq!(natively, by_path, "{key} on {resource}");
            answers[usize::from(by_path)] += 1;
        }
        assert!(answers[0] > 0 && answers[1] > 0, "{key} is not both kept and broken by its cases: {answers:?}");
    }
}
