//! The courses of `fixtures/` and their deliberately wrong variants.

use super::{cases, files, judge, kind_of, read, records};
use kap_gateway::kap::fault::Fault;
use kap_gateway::kap::kind::Kind;
use serde_json::Value;

#[test]
fn every_record_of_every_course_passes_without_error_or_warning() {
    let records = records();
    assert!(records.len() >= 25, "only {} records", records.len());
    for path in records {
        let bytes = std::fs::read(&path).expect("a readable record");
        let faults = judge(kind_of(&read(&path)), &bytes);
        assert!(faults.errors.is_empty() && faults.warnings.is_empty(), "{}: {faults:#?}", path.display());
    }
}

#[test]
fn every_wrong_variant_is_told_exactly_its_faults_all_at_once() {
    let mut seen = 0;
    for case in cases() {
        for expectation in files(&case.join("wrong"), |path| path.to_string_lossy().ends_with(".expect.json")) {
            let expected = read(&expectation);
            let name = expectation.to_string_lossy().replace(".expect.json", ".json");
            let bytes = std::fs::read(&name).unwrap_or_else(|error| panic!("{name}: {error}"));
            let kind = expected["kind"].as_str().and_then(Kind::from_word).expect("a kind");
            let faults = judge(kind, &bytes);
            same(&name, &expected["errors"], &faults.errors);
            same(&name, &expected["warnings"], &faults.warnings);
            assert!(!faults.errors.is_empty() || !faults.warnings.is_empty(), "{name} is not wrong");
            seen += 1;
        }
        let variants = files(&case.join("wrong"), |path| path.to_string_lossy().ends_with(".expect.json"));
        assert!(variants.len() >= 6, "{} has only {} wrong variants", case.display(), variants.len());
    }
    assert!(seen >= 18);
}

/// The same pointers in the same order, each sentence with its word.
fn same(name: &str, expected: &Value, faults: &[Fault]) {
    let expected = expected.as_array().expect("a list");
    let pointers: Vec<_> = expected.iter().map(|fault| fault["pointer"].as_str().expect("a pointer")).collect();
    let told: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    let mut sorted = pointers.clone();
    sorted.sort();
    assert_eq!(told, sorted, "{name}: {faults:#?}");
    for fault in expected {
        let (pointer, word) = (fault["pointer"].as_str().expect("a pointer"), fault["word"].as_str().expect("a word"));
        let found = faults.iter().any(|fault| fault.pointer == pointer && fault.sentence.contains(word));
        assert!(found, "{name}: no sentence with “{word}” at {pointer}: {faults:#?}");
    }
}

#[test]
fn every_fixture_is_marked_as_test_data_of_a_testpatient() {
    for path in records() {
        let record = read(&path);
        assert_eq!(record["security"][0], "test-data", "{}", path.display());
        if let Some(name) = record.pointer("/patient/name") {
            assert_eq!(name["family"], "Testpatient", "{}", path.display());
        }
    }
}

#[test]
fn every_figure_belongs_to_a_record_of_its_case() {
    for case in cases() {
        let figures = read(&case.join("figures.json"));
        let figures = figures["figures"].as_array().expect("figures").clone();
        assert!(figures.len() >= 10, "{}", case.display());
        for figure in figures {
            let record = figure["record"].as_str().expect("a record");
            assert!(case.join(record).is_file(), "{record}");
            for name in ["what", "resource", "element", "value"] {
                assert!(figure[name].is_string(), "{name} of {figure}");
            }
        }
    }
}
