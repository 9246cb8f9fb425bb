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
];

#[test]
fn the_official_examples_are_judged_as_hl7_judges_them() {
    let archive = Path::new("../shared/fhir/examples/examples-r4-clinical.tgz");
    let verdicts = Path::new("tests/conformance/official-verdicts.tsv");
    if !archive.exists() || !verdicts.exists() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("official-examples-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    assert!(Command::new("tar").arg("xzf").arg(archive).arg("-C").arg(&folder).status().unwrap().success());
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in std::fs::read_to_string(verdicts).unwrap().lines() {
        let mut columns = line.split('\t');
        let (Some(name), Some(Ok(errors))) = (columns.next(), columns.next().map(str::parse::<u32>)) else { continue };
        let Ok(text) = std::fs::read_to_string(folder.join("examples-r4").join(name)) else { continue };
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
    assert_eq!(count, 717);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
