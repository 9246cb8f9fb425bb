//! The program as a person starts it.

use std::{
    fs,
    process::{Command, Output},
};
use tempfile::TempDir;

fn gateway() -> Command {
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
fn help_names_every_command_with_an_example() {
    let output = gateway().arg("--help").output().expect("the program");
    let help = String::from_utf8(output.stdout).expect("text");
    for command in ["serve"] {
        assert!(help.contains(command), "{help}");
        let output = gateway().args([command, "--help"]).output().expect("the program");
        let help = String::from_utf8(output.stdout).expect("text");
        assert!(help.contains(&format!("kap-gateway {command}")), "{help}");
    }
}
