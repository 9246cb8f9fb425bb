//! The fhir room: the official examples beside the verdicts of HL7's validator, where the examples are at hand.

use super::*;
use std::path::Path;
use std::process::Command;

/// Examples that we judge otherwise, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("Bundle-conceptmaps.json", "HL7 looks the codes of a ConceptMap up in the ValueSet it names"),
    ("Bundle-ussg-fht.json", "HL7 wants a request's url to lead to a definition"),
    ("DiagnosticReport-example-pgx.json", "HL7 computes the hash of an attachment"),
    ("DiagnosticReport-gingival-mass.json", "HL7 refuses white space in an attachment's base64, R4 allows it"),
    ("Media-example.json", "HL7 refuses white space in an attachment's base64, R4 allows it"),
    ("Measure-hiv-indicators.json", "HL7 looks into the CQL of a Measure"),
    ("Media-sound.json", "HL7 looks up the fragments that images point at"),
    ("StructureMap-example.json", "HL7 reads the mapping language"),
    ("StructureMap-supplyrequest-transform.json", "HL7 reads the mapping language"),
    (
        "us-core-6.1.0/Bundle-c887e62f-6166-419f-8268-b5ecd6c7b901.json",
        "HL7 looks up the fragments of links in a narrative",
    ),
];

#[test]
fn the_official_examples_are_judged_as_hl7_judges_them() {
    compare("../shared/fhir/examples/examples-r4-clinical.tgz", "examples-r4", "", 717);
}

#[test]
fn the_examples_of_us_core_are_judged_as_hl7_judges_them() {
    compare("../shared/fhir/packages/hl7.fhir.us.core-6.1.0.tgz", "package/example", "us-core-6.1.0/", 183);
}

/// Unpacks the archive; its examples stand in `folder_of`, and their verdicts under `prefix`.
fn compare(archive: &str, folder_of: &str, prefix: &str, expected: usize) {
    let archive = Path::new(archive);
    let verdicts = Path::new("tests/conformance/official-verdicts.tsv");
    if !archive.exists() || !verdicts.exists() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("official-examples-{expected}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    assert!(Command::new("tar").arg("xzf").arg(archive).arg("-C").arg(&folder).status().unwrap().success());
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in std::fs::read_to_string(verdicts).unwrap().lines() {
        let mut columns = line.split('\t');
        let (Some(name), Some(Ok(errors))) = (columns.next(), columns.next().map(str::parse::<u32>)) else { continue };
        let Some(file) = name.strip_prefix(prefix).filter(|file| !file.contains('/')) else { continue };
        let Ok(text) = std::fs::read_to_string(folder.join(folder_of).join(file)) else { continue };
        let resource: Value = serde_json::from_str(&text).unwrap();
        let report = report(&resource);
        count += 1;
        for issue in report.errors() {
            resolves(&R4, &resource, &issue.expression);
        }
        if report.is_valid() != (errors == 0) && !DIFFERENCES.iter().any(|(known, _)| *known == name) {
            wrong.push((name.to_owned(), errors, report.errors().next().cloned()));
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(count, expected);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
