//! `generate` and `import` as a person runs them.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

fn gateway() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kap-gateway"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KAP_GATEWAY_")) {
        command.env_remove(name);
    }
    command
}

/// Exit code and what was said on standard error.
fn run(command: &mut Command) -> (i32, String) {
    let Output { status, stderr, .. } = command.output().expect("the program");
    (status.code().expect("an end of its own"), String::from_utf8(stderr).expect("text"))
}

fn import(folder: &Path, files: &[&Path]) -> (i32, String) {
    run(gateway().arg("import").args(files).arg("--data-file").arg(folder.join("import.db")))
}

fn generated(folder: &Path, arguments: &[&str]) -> std::path::PathBuf {
    let file = folder.join("records.ndjson");
    let (code, text) = run(gateway().arg("generate").args(arguments).arg("--out").arg(&file));
    assert_eq!(code, 0, "{text}");
    file
}

#[test]
fn an_import_may_be_run_again_and_changes_nothing() {
    let folder = TempDir::new().expect("a folder");
    // Some of the records are corrected by later ones of the same file.
    let file = generated(folder.path(), &["--records", "400", "--seed", "3"]);
    let lines = fs::read_to_string(&file).expect("NDJSON");
    assert_eq!(lines.lines().count(), 400);
    let (code, first) = import(folder.path(), &[&file]);
    assert_eq!(code, 0, "{first}");
    assert!(first.contains("400 records") && first.contains(" 0 refused"), "{first}");
    // Only records of one patient that were taken out of their order could be older than what is stored.
    assert!(!first.contains("older") && !first.contains(" 0 corrected"), "{first}");
    let (code, again) = import(folder.path(), &[&file]);
    assert_eq!(code, 0, "{again}");
    assert!(again.contains("400 records: 0 new, 0 corrected"), "{again}");
    assert!(again.contains("older than what is stored") && again.contains(" 0 resources written"), "{again}");
}

#[test]
fn bad_records_are_told_with_their_lines_and_the_others_are_stored() {
    let folder = TempDir::new().expect("a folder");
    let file = generated(folder.path(), &["--records", "12"]);
    let mut lines: Vec<String> =
        fs::read_to_string(&file).expect("NDJSON").lines().map(|line| format!("{line}\n")).collect();
    lines.insert(1, "\n".into());
    lines.insert(2, "{\"kind\": \"horoscope\"}\n".into());
    lines.insert(3, "{\"kind\": \"intake\", \n".into());
    lines.insert(5, "{\"kind\": \"outcome\", \"phase\": \"x\"}\n".into());
    lines.insert(6, "[1, 2]\n".into());
    lines.insert(7, format!("{{\"kind\": \"intake\", \"a\": \"{}\"}}\n", "x".repeat(300_000)));
    lines.push("\u{0}\n".into());
    fs::write(&file, lines.concat()).expect("written");
    let errors = folder.path().join("errors.txt");
    let (code, text) = run(gateway()
        .arg("import")
        .arg(&file)
        .args(["--body-limit", "200000", "--errors"])
        .arg(&errors)
        .arg("--data-file")
        .arg(folder.path().join("import.db")));
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("18 records: 12 new") && text.contains(" 6 refused"), "{text}");
    let told = fs::read_to_string(&errors).expect("errors");
    let of_line = |line: usize| {
        let place = format!("{}:{line}: error: ", file.display());
        told.lines().filter_map(|text| text.strip_prefix(&place)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(of_line(3)[0].contains("/kind") && of_line(3)[0].contains("dosing-session"), "{told}");
    assert!(of_line(4)[0].contains("broken at line 1"), "{told}");
    assert!(of_line(6).iter().any(|text| text.starts_with("/phase: ")) && of_line(6).len() > 3, "{told}");
    assert!(of_line(7)[0].contains("/kind"), "{told}");
    assert!(of_line(8)[0].contains("200000 bytes"), "{told}");
    assert!(!of_line(19).is_empty(), "{told}");
    assert_eq!(of_line(1).len() + of_line(2).len() + of_line(5).len(), 0, "{told}");
}

#[test]
fn folders_packed_files_and_standard_input_are_read() {
    let folder = TempDir::new().expect("a folder");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/case-08");
    let nested = folder.path().join("export/deep");
    fs::create_dir_all(&nested).expect("a folder");
    // A record over many lines, and one with a byte order mark.
    fs::copy(fixtures.join("01-intake.json"), nested.join("intake.json")).expect("copied");
    let session = fs::read_to_string(fixtures.join("02-dosing-session-1.json")).expect("a record");
    fs::write(folder.path().join("export/session.json"), format!("\u{feff}{session}")).expect("written");
    fs::write(nested.join("notes.txt"), "no record").expect("written");
    let file = generated(folder.path(), &["--patients", "2"]);
    let packed = Command::new("gzip").arg(&file).status().expect("gzip");
    assert!(packed.success());
    let (code, text) =
        import(folder.path(), &[&folder.path().join("export"), &folder.path().join("records.ndjson.gz")]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(" 0 refused") && !text.starts_with("2 records"), "{text}");
    let mut from_input = gateway();
    let integration = File::open(fixtures.join("03-integration-session-1.json")).expect("a record");
    from_input
        .args(["import", "-", "--data-file"])
        .arg(folder.path().join("import.db"))
        .stdin(Stdio::from(integration));
    let (code, text) = run(&mut from_input);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("1 records: 1 new"), "{text}");
}

#[test]
fn wrong_use_of_import_and_generate_ends_with_2() {
    let folder = TempDir::new().expect("a folder");
    let missing = folder.path().join("missing.ndjson");
    let (code, text) = import(folder.path(), &[&missing]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("missing.ndjson"), "{text}");
    fs::create_dir(folder.path().join("empty")).expect("a folder");
    let (code, text) = import(folder.path(), &[&folder.path().join("empty")]);
    assert!(code == 2 && text.contains("no record"), "{text}");
    let (code, text) = run(gateway().args(["generate", "--seed", "1"]));
    assert!(code == 2 && text.contains("--patients"), "{text}");
    let (code, _) = run(gateway().args(["generate", "--patients", "1", "--out", "/nowhere/x"]));
    assert_eq!(code, 2);
}

#[tokio::test]
async fn a_file_that_a_gateway_holds_is_not_imported_into() {
    let app = super::test_app::TestApp::start_on_a_file();
    let folder = TempDir::new().expect("a folder");
    let file = generated(folder.path(), &["--records", "2"]);
    let (code, text) = run(gateway().arg("import").arg(&file).arg("--data-file").arg(app.data_file()));
    assert!(code == 2 && text.contains("in use by another"), "{text}");
}
