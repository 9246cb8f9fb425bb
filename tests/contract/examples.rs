//! openapi.yaml says of itself what is true: its examples are valid, its words are the tables' words.

use super::{CONTRACT, judge};
use kap_gateway::kap::instruments::Registry;
use kap_gateway::kap::kind::Kind;
use kap_gateway::mapping::concepts::{self, Concept};
use serde_json::Value;

fn words(pointer: &str) -> Vec<&'static str> {
    let list = CONTRACT.document().pointer(pointer).and_then(Value::as_array).unwrap_or_else(|| panic!("{pointer}"));
    list.iter().map(|word| word.as_str().expect("a word")).collect()
}

#[test]
fn the_examples_of_instruments_are_those_that_come_with_the_gateway() {
    let table: Vec<_> = Registry::built_in().scales().iter().map(|scale| scale.key.as_str()).collect();
    assert_eq!(words("/components/schemas/InstrumentKey/examples"), table);
}

/// A word without a code would be lost in FHIR, a code without a word could never be sent.
#[test]
fn every_word_of_a_closed_set_has_its_row_in_the_tables_of_codes() {
    let tables: &[(&str, &[Concept], &[&str])] = &[
        // `other` has no code: the route is kept as text.
        ("Route/properties/term", concepts::ROUTE, &["other"]),
        ("Medicine/properties/term", concepts::MEDICINE, &[]),
        ("Diagnosis/properties/term", concepts::DIAGNOSIS, &[]),
        ("AdverseEventWord", concepts::ADVERSE_EVENT, &[]),
        ("AdverseEvent/properties/category", concepts::EVENT_CATEGORY, &[]),
        ("Modality/properties/term", concepts::MODALITY, &[]),
        ("DosingSession/properties/format", concepts::FORMAT, &[]),
        ("IntegrationSession/properties/format", concepts::FORMAT, &[]),
        ("PreparationSession/properties/format", concepts::FORMAT, &[]),
        ("PreparationSession/properties/activities/items/properties/activity", concepts::ACTIVITY, &[]),
        ("CheckIn/properties/timing", concepts::TIMING, &[]),
        ("CheckIn/properties/visit", concepts::VISIT, &[]),
        ("CheckIn/properties/nextStep/properties/step", concepts::STEP, &[]),
        ("ScheduledCheckIn/properties/timing", concepts::TIMING, &[]),
        ("Communication/properties/category", concepts::COMMUNICATION_CATEGORY, &[]),
        ("Communication/properties/topic", concepts::TOPIC, &[]),
        ("Communication/properties/medium", concepts::MEDIUM, &[]),
        ("CourseClosure/properties/change", concepts::COURSE_CHANGE, &[]),
        ("CourseClosure/properties/reason/properties/term", concepts::COURSE_END_REASON, &[]),
        ("OnwardReferral/properties/service", concepts::ONWARD_SERVICE, &[]),
        ("Contact/properties/setting", concepts::SETTING, &[]),
        ("Contact/properties/place/properties/kind", concepts::PLACE, &[]),
        ("Contact/properties/participants/items/properties/presence", concepts::PRESENCE, &[]),
        ("TeamRole", concepts::ROLE, &[]),
        ("AdministrationPerformer/properties/function", concepts::PERFORMER_FUNCTION, &[]),
        ("DosingSession/properties/approach", concepts::APPROACH, &[]),
        ("Product/properties/formulation", concepts::FORMULATION, &[]),
        ("StatusReason/properties/term", concepts::STATUS_REASON, &[]),
        ("SupportMeasure/properties/measure", concepts::MEASURE, &[]),
        ("Discharge/properties/disposition", concepts::DISPOSITION, &[]),
        ("IntegrationSession/properties/themes/items", concepts::THEME, &[]),
        ("IntegrationSession/properties/nextStep/properties/step", concepts::STEP, &[]),
        ("Outcome/properties/phase", concepts::OUTCOME_PHASE, &[]),
    ];
    for (place, table, text_only) in tables {
        let mut words = words(&format!("/components/schemas/{place}/enum"));
        words.retain(|word| !text_only.contains(word));
        let mut rows: Vec<_> = table.iter().map(|row| row.word).collect();
        words.sort();
        rows.sort();
        assert_eq!(words, rows, "{place}");
    }
}

#[test]
fn every_kind_has_a_whole_example_that_is_valid() {
    for kind in Kind::ALL {
        let path = format!("/paths/~1kap~1v1~1{}/post/requestBody/content/application~1json/examples", kind.as_str());
        let examples =
            CONTRACT.document().pointer(&path).and_then(Value::as_object).unwrap_or_else(|| panic!("{path}"));
        assert!(!examples.is_empty());
        for (name, example) in examples {
            let example = match example.get("$ref").and_then(Value::as_str) {
                Some(reference) => CONTRACT.document().pointer(reference.trim_start_matches('#')).expect("the example"),
                None => example,
            };
            let faults = judge(*kind, example["value"].to_string().as_bytes());
            assert!(faults.errors.is_empty() && faults.warnings.is_empty(), "{name}: {faults:#?}");
        }
    }
}

#[test]
fn the_example_of_a_refusal_is_what_such_a_record_is_told() {
    let path = "/components/responses/Refused/content/application~1fhir+json/examples/refused/value/issue";
    let issues = CONTRACT.document().pointer(path).and_then(Value::as_array).expect("issues");
    let record = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/case-08/wrong/07-deferred-without-reasons.json");
    let faults = judge(Kind::Intake, &std::fs::read(record).expect("the record")).errors;
    assert_eq!(issues.len(), faults.len());
    for (issue, fault) in issues.iter().zip(faults) {
        assert_eq!(issue["diagnostics"], fault.pointer.as_str());
        assert_eq!(issue["details"]["text"], fault.sentence.as_str());
        assert_eq!(issue["expression"][0].as_str(), fault.expression().as_deref());
    }
}

#[test]
fn every_reference_within_the_document_leads_somewhere() {
    fn walk(value: &Value, count: &mut usize) {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            assert!(CONTRACT.document().pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
            *count += 1;
        }
        match value {
            Value::Object(fields) => fields.values().for_each(|inner| walk(inner, count)),
            Value::Array(elements) => elements.iter().for_each(|inner| walk(inner, count)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut count = 0;
    walk(CONTRACT.document(), &mut count);
    assert!(count > 300, "{count}");
}

#[test]
fn every_operation_has_a_summary_and_says_what_errors_look_like() {
    let paths = CONTRACT.document()["paths"].as_object().expect("paths");
    assert!(paths.len() >= 15, "{}", paths.len());
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("a path item") {
            if method == "parameters" {
                continue;
            }
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(operation["operationId"].is_string(), "{method} {path}");
            let answers = operation["responses"].as_object().expect("responses");
            assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
        }
    }
}
