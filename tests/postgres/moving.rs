//! `migrate-store`: what a file held, a database holds.

use crate::database::{empty_database, sql};
use crate::gateway::{Gateway, goal, patient, program};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// A file with records, their corrections, and what was written and deleted beside them.
async fn fill(folder: &Path) -> String {
    let (records, file) = (folder.join("records.ndjson"), folder.join("kap.db"));
    let made = program().args(["generate", "--patients", "4", "--seed", "5", "--out"]).arg(&records).output().unwrap();
    assert!(made.status.success());
    let imported = program().arg("import").arg(&records).arg("--data-file").arg(&file).output().unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let file = file.to_str().unwrap().to_owned();
    let gateway = Gateway::with(&["--data-file", &file]).await;
    for version in 0..3 {
        gateway.put(&goal("changed", &version.to_string()), None).await;
        gateway.put(&goal("deleted", &version.to_string()), None).await;
    }
    gateway.post("/fhir/Patient", &patient(&"x".repeat(3000)), None).await;
    let deleted = reqwest::Client::new().delete(format!("{}/fhir/Goal/deleted", gateway.url)).send().await.unwrap();
    assert!(deleted.status().is_success());
    file
}

/// All pages of a Bundle's entries, without what tells one gateway from another.
async fn entries(gateway: &Gateway, path: &str) -> Vec<Value> {
    let mut next = Some(path.to_owned());
    let mut all = Vec::new();
    while let Some(path) = next {
        let text = gateway.json(&path).await.to_string().replace(&gateway.url, "http://gateway");
        let page: Value = serde_json::from_str(&text).unwrap();
        all.extend(page["entry"].as_array().cloned().unwrap_or_default());
        let links = page["link"].as_array().cloned().unwrap_or_default();
        let link = links.into_iter().find(|link| link["relation"] == "next");
        next = link.map(|link| link["url"].as_str().unwrap().replace("http://gateway", ""));
    }
    all
}

fn migrate(file: &str, database: &str) -> (bool, String) {
    let output = program().args(["migrate-store", "--from", file, "--to", database]).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn database_answers_as_the_file_did() {
    let folder = tempfile::tempdir().unwrap();
    let file = fill(folder.path()).await;
    let database = empty_database().await;
    let (done, text) = migrate(&file, &database);
    assert!(done && text.contains("copied and counted"), "{text}");
    let of_file = Gateway::with(&["--data-file", &file]).await;
    let of_database = Gateway::on(&database).await;
    let mut compared = 0;
    for path in [
        "/fhir/_history?_count=100",
        "/fhir/Goal/deleted/_history",
        "/fhir/Observation?_count=37",
        "/fhir/Observation?_sort=-date,code&_count=50",
        "/fhir/Observation?category=vital-signs&_sort=date&_include=Observation:subject",
        "/fhir/Observation?value-quantity=gt100&_total=accurate",
        "/fhir/Patient?family=test&_revinclude=EpisodeOfCare:patient",
        "/fhir/Patient?_has:Observation:patient:code=44261-6&_sort=_id",
        "/fhir/Encounter?patient.family=Testpatient&_sort=-_lastUpdated&_count=11",
        "/fhir/MedicationAdministration?effective-time=ge2020-01-01&_sort=effective-time",
        "/fhir/Observation?status:not=final&_total=accurate",
    ] {
        let (one, other) = (entries(&of_file, path).await, entries(&of_database, path).await);
        assert_eq!(one.len(), other.len(), "{path}");
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one, other, "{path}");
        }
        compared += one.len();
    }
    assert!(compared > 1000, "only {compared} entries were compared");
    // It goes on from there: the same record again changes nothing, a change is the next version.
    let records = folder.path().join("records.ndjson");
    let again = program().arg("import").arg(&records).args(["--database", &database]).output().unwrap();
    let text = String::from_utf8(again.stderr).unwrap();
    assert!(again.status.success() && text.contains(" 0 new, 0 corrected"), "{text}");
    let changed = of_database.put(&goal("changed", "later"), Some(3)).await;
    assert!(changed.status().is_success());
    assert_eq!(of_database.json("/fhir/Goal/changed/_history").await["total"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_that_was_broken_off_goes_on_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = fill(folder.path()).await;
    let database = empty_database().await;
    for delay in [30, 90, 150, 220, 300] {
        let mut copy = program().args(["migrate-store", "--from", &file, "--to", &database]).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(delay)).await;
        // It may have come to its end.
        let _ = copy.kill();
        copy.wait().unwrap();
    }
    // The last one may have come to its end.
    let (done, text) = migrate(&file, &database);
    assert!(done || text.contains("is finished"), "{text}");
    let (done, text) = migrate(&file, &database);
    assert!(!done && text.contains("is finished"), "{text}");
    let twice = "SELECT count(*) - count(DISTINCT (collection, id)) FROM resource";
    assert_eq!(sql(&database, twice).await, ["0"]);
}

fn refused_output(command: &mut std::process::Command) -> String {
    String::from_utf8(command.output().unwrap().stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_copy_serves_nobody_and_another_file_does_not_continue_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = fill(folder.path()).await;
    let database = empty_database().await;
    assert!(migrate(&file, &database).0);
    sql(&database, "UPDATE arrival SET finished = false").await;
    let text = refused_output(program().args(["serve", "--listen", "127.0.0.1:0", "--database", &database]));
    assert!(text.contains("run kap-gateway migrate-store again"), "{text}");
    sql(&database, "UPDATE arrival SET newest = 1").await;
    let (done, text) = migrate(&file, &database);
    assert!(!done && text.contains("another file"), "{text}");
    let used = empty_database().await;
    Gateway::on(&used).await.put(&goal("g", "x"), None).await;
    let (done, text) = migrate(&file, &used);
    assert!(!done && text.contains("name an empty one"), "{text}");
    // Rows that vanished are noticed.
    let short = empty_database().await;
    assert!(migrate(&file, &short).0);
    sql(&short, "UPDATE arrival SET finished = false; DELETE FROM token WHERE field = (SELECT min(field) FROM token)")
        .await;
    let (done, text) = migrate(&file, &short);
    assert!(!done && text.contains("is not what the file holds"), "{text}");
}
