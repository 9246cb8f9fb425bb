//! `kap-gateway validate`, as a person starts it.

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

const GOOD: &str = r#"{"resourceType":"Patient","id":"good","gender":"male"}"#;
const BAD: &str = r#"{"resourceType":"Patient","id":"bad","gender":"banana","birthDate":"2026-02-30"}"#;

/// Exit code, standard output, standard error.
fn validate(arguments: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kap-gateway"));
    command.arg("validate").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = command.spawn().expect("the program");
    let mut stdin = program.stdin.take().expect("its input");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that needs no input does not read it.
        let _ = stdin.write_all(&input);
    });
    let output = program.wait_with_output().expect("an end");
    writer.join().expect("written");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn file(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(&path, content).expect("written");
    path
}

fn gz(content: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(content).expect("packed");
    packed.finish().expect("packed")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn every_error_is_a_line_with_file_resource_place_and_rule() {
    let folder = TempDir::new().expect("a folder");
    let bad = file(&folder, "bad.json", BAD);
    let (code, out, told) = validate(&[text(&bad)], b"");
    assert_eq!(code, Some(1), "{told}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    for (line, place, rule) in
        [(lines[0], "Patient.gender", "[binding-required]"), (lines[1], "Patient.birthDate", "[primitive-format]")]
    {
        assert!(line.starts_with(&format!("{}:1: error: Patient/bad: {place}: ", text(&bad))), "{line}");
        assert!(line.contains(rule), "{line}");
    }
    assert!(told.contains("1 resource in 1 file: 1 with errors; 2 errors"), "{told}");
}

#[test]
fn no_errors_is_exit_code_0_and_notes_are_listed_on_request() {
    let folder = TempDir::new().expect("a folder");
    let good = file(&folder, "good.json", GOOD);
    let (code, out, _) = validate(&[text(&good)], b"");
    assert_eq!((code, out.as_str()), (Some(0), ""));
    let (code, out, _) = validate(&[text(&good), "--level", "information"], b"");
    assert_eq!(code, Some(0));
    assert!(out.contains("[dom-6]"), "{out}");
}

#[test]
fn ndjson_tells_the_line_also_of_broken_lines() {
    let lines = format!("{GOOD}\n\n{BAD}\n{{broken\n{GOOD}\n{BAD}");
    let folder = TempDir::new().expect("a folder");
    for name in ["some.ndjson", "some.jsonl", "some.json", "some.txt"] {
        let path = file(&folder, name, &lines);
        let (code, out, told) = validate(&[text(&path)], b"");
        assert_eq!(code, Some(1), "{told}");
        for (number, named) in [(3, "Patient.gender"), (4, "[unreadable]"), (6, "Patient.birthDate")] {
            let start = format!("{}:{number}: error: ", text(&path));
            assert!(out.lines().any(|line| line.starts_with(&start) && line.contains(named)), "{number}: {out}");
        }
        assert!(!out.contains(":1:") && !out.contains(":5:"), "{out}");
        assert!(told.contains("4 resources in 1 file: 3 with errors"), "{told}");
    }
}

#[test]
fn standard_input_takes_json_laid_out_lines_and_xml() {
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(BAD).expect("JSON")).expect("JSON");
    let xml = r#"<Patient xmlns="http://hl7.org/fhir"><gender value="banana"/></Patient>"#;
    for (input, place) in [(pretty.as_str(), "-: error: "), (BAD, "-:1: error: "), (xml, "-: error: ")] {
        let (code, out, told) = validate(&["-"], input.as_bytes());
        assert_eq!(code, Some(1), "{told}");
        assert!(out.starts_with(place) && out.contains("Patient.gender"), "{out}");
    }
}

#[test]
fn folders_gzip_and_archives_are_opened() {
    let folder = TempDir::new().expect("a folder");
    file(&folder, "all/a.json", GOOD);
    file(&folder, "all/deeper/b.ndjson.gz", gz(format!("{GOOD}\n{BAD}\n").as_bytes()));
    file(&folder, "all/package.json", "{\"name\": \"x\"}");
    file(&folder, "all/notes.md", "no resource");
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [("package/c.json", BAD), ("package/package.json", "{}"), ("package/d.xml", "<Patient/>")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, content.as_bytes()).expect("packed");
    }
    file(&folder, "all/e.tgz", gz(&archive.into_inner().expect("packed")));
    let (code, out, told) = validate(&[text(&folder.path().join("all"))], b"");
    assert_eq!(code, Some(1), "{told}");
    for named in ["b.ndjson.gz:2: error: Patient/bad", "e.tgz: package/c.json:1: error: Patient/bad", "d.xml: error: "]
    {
        assert!(out.contains(named), "{named}: {out}");
    }
    assert!(told.starts_with("4 resources in 4 files: 3 with errors"), "{told}");
}

#[test]
fn json_report_is_one_document() {
    let (code, out, _) = validate(&["-", "--format", "json"], format!("{GOOD}\n{BAD}\n{BAD}\n").as_bytes());
    assert_eq!(code, Some(1));
    let report: Value = serde_json::from_str(&out).expect("JSON");
    let issues = report["issues"].as_array().expect("issues");
    assert_eq!(issues.len(), 4, "{report}");
    assert_eq!(issues[0]["line"], 2);
    assert_eq!(issues[0]["resource"], "Patient/bad");
    assert_eq!(issues[0]["location"], "Patient.gender");
    assert_eq!(issues[0]["rule"], "binding-required");
    assert_eq!(report["summary"]["resources"], 3);
    assert_eq!(report["summary"]["errors"], 4);
    let (code, out, _) = validate(&["-", "--format", "json"], GOOD.as_bytes());
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &report["issues"]), (Some(0), &json!([])));
}

#[test]
fn wrong_use_is_exit_code_2_and_says_why() {
    let folder = TempDir::new().expect("a folder");
    let good = file(&folder, "good.json", GOOD);
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).expect("made");
    for (arguments, named) in [
        (vec![], "FILE"),
        (vec!["/nowhere/x.json"], "/nowhere/x.json"),
        (vec![text(&empty)], "no resource"),
        (vec!["-"], "no resource"),
        (vec![text(&good), "--profile", "urn:nowhere"], "urn:nowhere"),
        (vec![text(&good), "--package", text(&empty)], "defines nothing"),
        (vec![text(&good), "--package", text(&good)], "defines nothing"),
        (vec![text(&good), "--package", "/nowhere/x.tgz"], "/nowhere/x.tgz"),
        (vec![text(&good), "--format", "banana"], "banana"),
    ] {
        let (code, _, told) = validate(&arguments, b"");
        assert_eq!(code, Some(2), "{arguments:?}: {told}");
        assert!(told.contains(named), "{arguments:?}: {told}");
    }
}

#[test]
fn an_empty_file_is_a_fault_beside_others_and_no_lines_are_none() {
    let folder = TempDir::new().expect("a folder");
    let good = file(&folder, "good.json", GOOD);
    for name in ["empty.json", "blank.xml"] {
        let empty = file(&folder, name, if name == "blank.xml" { "  \n" } else { "" });
        let (code, out, _) = validate(&[text(&good), text(&empty)], b"");
        assert_eq!(code, Some(1), "{name}: {out}");
        assert!(out.contains("the file is empty"), "{name}: {out}");
    }
    let lines = file(&folder, "empty.ndjson", "");
    assert_eq!(validate(&[text(&good), text(&lines)], b"").0, Some(0));
}

#[test]
fn faults_of_xml_are_told_in_its_words() {
    let xml = |inside: &str| format!("<Patient xmlns=\"http://hl7.org/fhir\">{inside}</Patient>");
    for (inside, rule, words) in [
        ("<gender value=\"male\"/><active value=\"true\"/>", "xml-order", "active stands out of order"),
        ("<name><id value=\"b\"/><family value=\"Testpatient\"/></name>", "unknown-element", "attribute of"),
        ("<active value=\"true\" foo=\"x\"/>", "unknown-element", "no attribute or element foo"),
        ("hello<active value=\"true\"/>", "unknown-element", "text stands in Patient"),
        ("<active value=\"true\"/><active value=\"true\"/>", "json-array", "give it once"),
    ] {
        let (code, out, _) = validate(&["-"], xml(inside).as_bytes());
        assert_eq!(code, Some(1), "{inside}: {out}");
        assert!(out.contains(&format!("[{rule}]")) && out.contains(words), "{inside}: {out}");
    }
}

#[test]
fn profiles_hold_and_packages_bring_their_own() {
    let us_core = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient";
    let (code, out, _) = validate(&["-", "--profile", us_core], GOOD.as_bytes());
    assert_eq!(code, Some(1));
    assert!(out.contains(&format!("(profile {us_core})")), "{out}");
    let folder = TempDir::new().expect("a folder");
    let system = json!({ "resourceType": "CodeSystem", "url": "urn:test:system", "status": "draft", "content": "complete",
        "concept": [{ "code": "a" }] });
    let package = file(&folder, "own.json", system.to_string());
    let tagged = r#"{"resourceType":"Patient","meta":{"tag":[{"system":"urn:test:system","code":"banana"}]}}"#;
    let (code, without, _) = validate(&["-"], tagged.as_bytes());
    assert_eq!(code, Some(0), "{without}");
    let (_, with, told) = validate(&["-", "--package", text(&package)], tagged.as_bytes());
    assert!(with.contains("Patient.meta.tag[0]") && with != without, "{with}{told}");
}

#[test]
fn what_comes_from_a_file_writes_no_commands_to_the_terminal() {
    let hostile = "{\"resourceType\":\"Patient\",\"id\":\"a\\u001b[2Jb\\nc\",\"gender\":\"\\u001b]0;x\"}";
    let (code, out, _) = validate(&["-"], hostile.as_bytes());
    assert_eq!(code, Some(1));
    assert!(!out.contains('\u{1b}') && out.lines().all(|line| line.starts_with("-:1: ")), "{out:?}");
}

#[test]
fn long_input_is_read_in_bounded_memory() {
    let folder = TempDir::new().expect("a folder");
    // Some 60 MB of input: a program that kept it would need more than the 400 MB that it may have.
    let line = format!("{{\"resourceType\":\"Basic\",\"code\":{{\"text\":\"{}\"}}}}\n", "x".repeat(2_000));
    let long = file(&folder, "long.ndjson.gz", gz(line.repeat(30_000).as_bytes()));
    let script = format!("ulimit -v 400000; exec {} validate {}", env!("CARGO_BIN_EXE_kap-gateway"), text(&long));
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("30000 resources in 1 file: 0 with errors"), "{told}");
    assert_eq!(output.status.code(), Some(0));
}
