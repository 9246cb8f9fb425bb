//! The program's words about a database.

use crate::database::{Server, empty_database, sql};
use crate::gateway::{Gateway, goal, program};
use reqwest::StatusCode;
use std::process::Command;

fn told(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn file_and_database_exclude_each_other() {
    let both = ["serve", "--data-file", "kap.db", "--database", "postgres://kap:sesame@localhost/kap"];
    let (code, text) = told(program().args(both));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("exclude each other") && !text.contains("sesame"), "{text}");
}

#[test]
fn password_is_shown_neither_by_help_nor_by_errors() {
    let url = "postgres://kap:sesame@127.0.0.1:1/kap";
    for command in ["serve", "doctor", "import", "backup", "restore", "migrate-store"] {
        let (_, text) = told(program().args([command, "--help"]).env("KAP_GATEWAY_DATABASE", url));
        assert!(text.contains("Usage") && !text.contains("sesame"), "{text}");
    }
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["doctor"][..]] {
        let (code, text) = told(program().args(arguments).env("KAP_GATEWAY_DATABASE", url));
        assert_eq!(code, Some(1), "{text}");
        assert!(!text.contains("sesame"), "{text}");
    }
    let (code, text) = told(program().arg("serve").env("KAP_GATEWAY_DATABASE", "postgres://kap:sesame@h:x/kap"));
    assert!(code == Some(1) && !text.contains("sesame") && text.contains("postgres://user@host"), "{text}");
}

#[test]
fn backup_and_restore_of_a_database_name_what_makes_them() {
    for (command, instead) in [("backup", "pg_dump"), ("restore", "pg_restore")] {
        let (code, text) = told(program().args([command, "copy.db", "--database", "postgres://kap@localhost/kap"]));
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(instead), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_of_a_database_and_changes_nothing() {
    let database = empty_database().await;
    let doctor = |database: &str| told(program().args(["doctor", "--listen", "127.0.0.1:0", "--database", database]));
    let (code, text) = doctor(&database);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("PostgreSQL") && text.contains("is empty"), "{text}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(sql(&database, tables).await, ["0"]);
    drop(Gateway::on(&database).await);
    assert!(doctor(&database).1.contains("schema version 2"));
    sql(&database, "UPDATE schema_version SET version = 1").await;
    let (code, text) = doctor(&database);
    assert!(code == Some(1) && text.contains("was in no release"), "{text}");
    let (code, text) = told(program().args(["serve", "--listen", "127.0.0.1:0", "--database", &database]));
    assert!(code == Some(1) && text.contains("was in no release"), "{text}");
    sql(&database, "UPDATE schema_version SET version = 99").await;
    let (code, text) = doctor(&database);
    assert!(code == Some(1) && text.contains("a newer kap-gateway has used it"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn database_that_loses_what_it_acknowledges_is_refused() {
    let server = Server::start(&["fsync=off"]);
    let database = server.empty_database().await;
    let (code, text) = told(program().args(["serve", "--listen", "127.0.0.1:0", "--database", &database]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("fsync = off"), "{text}");
}

/// The default of a server may be weaker than what a gateway promises.
#[tokio::test(flavor = "multi_thread")]
async fn commits_wait_for_the_disk_whatever_the_server_says() {
    let server = Server::start(&["synchronous_commit=off", "log_statement=all"]);
    let database = server.empty_database().await;
    let gateway = Gateway::on(&database).await;
    assert_eq!(gateway.put(&goal("g", "x"), None).await.status(), StatusCode::CREATED);
    let log = std::fs::read_to_string(server.data().with_file_name("log")).unwrap();
    assert!(log.contains("SET synchronous_commit = on"), "{log}");
}

/// TLS with an authority of its own, and with a password from a file.
#[tokio::test(flavor = "multi_thread")]
async fn database_over_tls_is_verified_and_asked_with_a_password_from_a_file() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let server = Server::start(&[]);
    let certificate = server.file("server.pem", &made.cert.pem());
    let key = server.file("server.key", &made.signing_key.serialize_pem());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let database = server.empty_database().await;
    let name = database.rsplit_once('/').unwrap().1.to_owned();
    sql(&server.url(), "CREATE ROLE gateway LOGIN PASSWORD 'sesame'").await;
    sql(&server.url(), &format!("ALTER DATABASE {name} OWNER TO gateway")).await;
    let rules = "local all kap trust\nhostssl all gateway 127.0.0.1/32 scram-sha-256\n";
    server.file("data/pg_hba.conf", rules);
    server.stop();
    let settings = format!(
        "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nport = {port}\n",
        certificate.display(),
        key.display()
    );
    server.file("data/postgresql.auto.conf", &settings);
    server.listen("localhost");
    server.go_on();
    let folder = tempfile::tempdir().unwrap();
    let (authority, password) = (folder.path().join("ca.pem"), folder.path().join("password"));
    std::fs::write(&authority, made.cert.pem()).unwrap();
    std::fs::write(&password, "sesame\n").unwrap();
    let (authority, password) = (authority.to_str().unwrap(), password.to_str().unwrap());
    let database = format!("postgres://gateway@localhost:{port}/{name}?sslmode=verify-full");
    let secret = ["--database-password-file", password];
    let trusting = ["--database", &database, "--database-ca", authority];
    let gateway = Gateway::with(&[&trusting[..], &secret[..]].concat()).await;
    assert_eq!(gateway.put(&goal("g", "x"), None).await.status(), StatusCode::CREATED);

    let serve = |arguments: &[&str]| told(program().args(["serve", "--listen", "127.0.0.1:0"]).args(arguments));
    // The system does not know that authority.
    let (code, text) = serve(&[&["--database", &database][..], &secret[..]].concat());
    assert!(code == Some(1) && text.contains("certificate"), "{text}");
    let (code, text) = serve(&trusting);
    assert!(code == Some(1) && text.contains("password"), "{text}");
    std::fs::write(folder.path().join("password"), "wrong").unwrap();
    let (code, text) = serve(&[&trusting[..], &secret[..]].concat());
    assert!(code == Some(1) && text.contains("28P01") && !text.contains("wrong\""), "{text}");
}
