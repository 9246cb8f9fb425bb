//! The program as a person starts it.

use kap_gateway::fhir::codec;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// The program, without settings of this environment.
pub fn gateway() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kap-gateway"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KAP_GATEWAY_")) {
        command.env_remove(name);
    }
    command
}

fn run(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().expect("the program");
    (status.code(), String::from_utf8(stderr).expect("text"))
}

/// Each place asks for another address that is refused, so the refusal tells which one won.
#[test]
fn flag_wins_over_environment_over_file() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("gateway.toml");
    fs::write(&file, "listen = '192.0.2.3:3'").expect("written");
    let refused = |command: &mut Command, address: &str| {
        let (code, text) = run(command);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(&format!("refusing to listen on {address}")), "{text}");
    };
    refused(gateway().arg("serve").arg("--config").arg(&file), "192.0.2.3:3");
    refused(gateway().arg("serve").env("KAP_GATEWAY_CONFIG", &file), "192.0.2.3:3");
    let environment = ("KAP_GATEWAY_LISTEN", "192.0.2.2:2");
    refused(gateway().arg("serve").arg("--config").arg(&file).env(environment.0, environment.1), "192.0.2.2:2");
    let flags = ["serve", "--listen", "192.0.2.1:1"];
    refused(gateway().args(flags).arg("--config").arg(&file).env(environment.0, environment.1), "192.0.2.1:1");
}

#[test]
fn misspelt_settings_are_refused_wherever_they_stand() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("gateway.toml");
    fs::write(&file, "listn = '127.0.0.1:0'").expect("written");
    for (command, named) in [
        (gateway().arg("serve").arg("--config").arg(&file), "listn"),
        (gateway().arg("serve").env("KAP_GATEWAY_LISTN", "127.0.0.1:0"), "KAP_GATEWAY_LISTN"),
        (gateway().args(["serve", "--listn", "127.0.0.1:0"]), "--listn"),
        (gateway().args(["serve", "--config", "/nowhere/gateway.toml"]), "/nowhere/gateway.toml"),
    ] {
        let (code, text) = run(command);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(named), "{text}");
    }
}

#[test]
fn demo_for_other_machines_is_refused_without_naming_a_flag_that_it_has_not() {
    let (code, text) = run(gateway().args(["demo", "--listen", "192.0.2.1:1"]));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("192.0.2.1:1") && !text.contains("--allow"), "{text}");
}

#[test]
fn help_names_every_command_with_an_example() {
    let output = gateway().arg("--help").output().expect("the program");
    let help = String::from_utf8(output.stdout).expect("text");
    for command in ["serve", "map", "validate", "import", "generate", "backup", "restore", "doctor", "demo"] {
        assert!(help.contains(command), "{help}");
        let output = gateway().args([command, "--help"]).output().expect("the program");
        let help = String::from_utf8(output.stdout).expect("text");
        assert!(help.contains(&format!("kap-gateway {command}")), "{help}");
    }
}

/// The log is what operators keep and pass on: nothing of a request's content may stand in it.
#[tokio::test]
async fn log_holds_no_request_content_and_a_signal_ends_the_program() {
    let folder = TempDir::new().expect("a folder");
    let mut program = gateway()
        .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data-file"])
        .arg(folder.path().join("test.db"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut log = BufReader::new(program.stderr.take().expect("its log"));
    let mut lines = String::new();
    let url = loop {
        let start = lines.len();
        assert!(log.read_line(&mut lines).expect("a line") > 0, "{lines}");
        let line: Value = serde_json::from_str(&lines[start..]).expect("JSON");
        if let Some(url) = line["fields"]["url"].as_str() {
            break url.to_owned();
        }
    };
    let client = reqwest::Client::new();
    for path in
        ["/fhir/Patient/secret-1", "/fhir/Patient?identifier=secret-2&secret-3=x", "/secret-4", "/fhir/secretType/1"]
    {
        client.get(format!("{url}{path}")).header("X-Request-Id", "secret-5").send().await.expect("an answer");
    }
    let form =
        client.post(format!("{url}/fhir/Patient/_search")).header("Content-Type", "application/x-www-form-urlencoded");
    form.body("identifier=secret-6").send().await.expect("an answer");
    let method = reqwest::Method::from_bytes(b"secret-7").expect("a method");
    client.request(method, format!("{url}/healthz")).send().await.expect("an answer");

    let stopped = Command::new("kill").args(["-TERM", &program.id().to_string()]).status().expect("kill");
    assert!(stopped.success());
    assert_eq!(program.wait().expect("an end").code(), Some(0));
    log.read_to_string(&mut lines).expect("the rest");
    assert!(!lines.contains("secret"), "{lines}");
    let requests: Vec<Value> = lines
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line["fields"]["message"] == "request")
        .collect();
    let routes: Vec<&str> = requests.iter().filter_map(|line| line["fields"]["route"].as_str()).collect();
    assert_eq!(requests.len(), 6, "{lines}");
    assert!(routes[1].starts_with("/fhir/{resource_type"), "{routes:?}");
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

#[test]
fn map_writes_the_bundle_as_json_or_xml() {
    let file = fixture("case-01/03-dosing-session-1.json");
    let mapped = |arguments: &[&str]| {
        let output = gateway().arg("map").arg(&file).args(arguments).output().expect("the program");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).expect("text")
    };
    let json = mapped(&[]);
    let bundle = codec::from_json(json.as_bytes()).expect("FHIR JSON");
    assert_eq!(codec::from_xml(&mapped(&["--format", "xml"])).expect("FHIR XML"), bundle);
    let pretty = mapped(&["--pretty"]);
    assert!(pretty.lines().count() > 100 && json.lines().count() == 1);
    assert_eq!(codec::from_json(pretty.as_bytes()).expect("FHIR JSON"), bundle);
}

#[test]
fn map_reads_standard_input() {
    let file = fs::File::open(fixture("case-01/01-intake.json")).expect("a fixture");
    let output = gateway().args(["map", "-"]).stdin(file).output().expect("the program");
    assert_eq!(output.status.code(), Some(0));
    codec::from_json(&output.stdout).expect("FHIR JSON");
}

#[test]
fn map_of_a_bad_record_tells_every_error_and_exits_with_1() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("bad.json");
    let mut record: Value =
        serde_json::from_slice(&fs::read(fixture("case-01/03-dosing-session-1.json")).expect("a fixture"))
            .expect("JSON");
    record["banana"] = Value::from(1);
    record["recordedAt"] = Value::from("yesterday");
    for (text, named) in [
        (record.to_string(), vec!["error: /banana: ", "error: /recordedAt: "]),
        ("{".to_owned(), vec!["error: "]),
        ("{\"kind\":\"banana\"}".to_owned(), vec!["dosing-session"]),
    ] {
        fs::write(&file, text).expect("written");
        let output = gateway().arg("map").arg(&file).output().expect("the program");
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let told = String::from_utf8(output.stderr).expect("text");
        assert!(named.iter().all(|named| told.contains(named)), "{told}");
    }
    let (code, told) = run(gateway().args(["map", "/nowhere/record.json"]));
    assert_eq!(code, Some(2), "{told}");
}

/// What the demo prints is pasted by people: each line must work as it stands.
#[test]
fn every_command_that_the_demo_prints_works() {
    let mut demo =
        gateway().args(["demo", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().expect("the program");
    let mut commands = Vec::new();
    for line in BufReader::new(demo.stdout.take().expect("its text")).lines() {
        let line = line.expect("a line");
        if line.starts_with("curl ") {
            commands.push(line);
        } else if line.starts_with("Ctrl-C") {
            break;
        }
    }
    assert_eq!(commands.len(), 9, "{commands:?}");
    for command in commands {
        let script = command.replacen("curl ", "curl --silent --show-error --fail ", 1);
        let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.len() > 20, "{command}");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(!text.contains("\"total\": 0"), "{command} finds nothing");
    }
    let stopped = Command::new("kill").args(["-INT", &demo.id().to_string()]).status().expect("kill");
    assert!(stopped.success());
    assert_eq!(demo.wait().expect("an end").code(), Some(0));
}

/// A folder with one file that has many faults, one of them a key of the gateway.
fn wrong_instruments() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let text = "key = \"phq-9\"\ntitle = \"x\"\ncanonical = \"https://clinic.example.org/fhir\"\nsource = \"x\"\ncolour = 1\n\
        [licence]\nitems = \"allowed\"\nterms = \"x\"\nverified = \"maybe\"\n[[scores]]\nkey = \"phq-9\"\nname = \"x\"\n\
        code = { system = \"http://loinc.org\", code = \"44261-7\", verified = \"no\" }\nbetter = \"lower\"\n\
        range = { least = 9, most = 0, verified = \"yes\" }\nscoring = { rule = \"as-given\", verified = \"yes\" }\nplain = \"x\"\n";
    fs::write(folder.path().join("phq-9.toml"), text).expect("written");
    folder
}

#[test]
fn wrong_instruments_are_refused_at_start_with_all_their_faults() {
    let folder = wrong_instruments();
    let data = folder.path().join("test.db");
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/case-01/02-outcome-baseline.json");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-file"];
    for command in [
        gateway().args(serve).arg(&data).arg("--instruments").arg(folder.path()),
        gateway().args(serve).arg(&data).env("KAP_GATEWAY_INSTRUMENTS", folder.path()),
        gateway().arg("import").arg(&record).arg("--data-file").arg(&data).arg("--instruments").arg(folder.path()),
        gateway().arg("map").arg(&record).arg("--instruments").arg(folder.path()),
    ] {
        let (code, text) = run(command);
        assert_eq!(code, Some(2), "{text}");
        for told in [
            "phq-9.toml, line 5, colour: This key is not known.",
            "phq-9.toml, line 9, licence.verified: `verified` must be one of \"yes\", \"partly\", \"no\".",
            "phq-9.toml, line 13, scores[0].code.code: The check digit of 44261-7 is wrong",
            "phq-9.toml, line 15, scores[0].range: The least score (9) must be below the most (0)",
            "phq-9.toml, scores[0].key: `phq-9` is a key of an instrument that comes with the gateway",
        ] {
            assert!(text.contains(told), "{told}\n{text}");
        }
    }
    assert!(!data.exists(), "nothing was started");
}

#[test]
fn a_folder_without_instruments_and_an_unknown_tiering_are_refused() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("test.db");
    let serve = |more: &[&str]| run(gateway().args(["serve", "--data-file"]).arg(&data).args(more));
    let (code, text) = serve(&["--instruments", &folder.path().to_string_lossy()]);
    assert!(code == Some(2) && text.contains("holds no .toml file"), "{text}");
    let (code, text) = serve(&["--instruments", "/nowhere"]);
    assert!(code == Some(2) && text.contains("cannot read /nowhere"), "{text}");
    let (code, text) = serve(&["--tiering", "c-ssrs-screener=red"]);
    assert!(code == Some(2) && text.contains("known are c-ssrs-screener=columbia"), "{text}");
}
