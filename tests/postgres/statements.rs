//! Ways to the database: a search takes few, however many resources it looks at.

use crate::database::Server;
use crate::gateway::{Gateway, patient};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

const PATIENTS: usize = 120;

/// Patients, and five Observations of one code for each.
fn bundle() -> Value {
    let entry = |resource: Value| {
        let url = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        json!({ "resource": resource, "request": { "method": "PUT", "url": url } })
    };
    let patients = (0..PATIENTS).map(|number| {
        let mut patient = patient(&number.to_string());
        patient["id"] = format!("p{number}").into();
        entry(patient)
    });
    let observations = (0..PATIENTS * 5).map(|number| {
        entry(json!({
            "resourceType": "Observation",
            "id": format!("o{number}"),
            "status": if number % 50 == 0 { "amended" } else { "final" },
            "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }] },
            "subject": { "reference": format!("Patient/p{}", number / 5) },
        }))
    });
    json!({ "resourceType": "Bundle", "type": "batch", "entry": patients.chain(observations).collect::<Vec<_>>() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_takes_few_statements_however_many_it_looks_at() {
    let server = Server::start(&["log_statement=all"]);
    let gateway = Gateway::on(&server.empty_database().await).await;
    assert_eq!(gateway.post("/fhir", &bundle(), None).await.status(), StatusCode::OK);
    let log = server.data().with_file_name("log");
    let executed = || {
        let all = std::fs::read_to_string(&log).unwrap();
        all.matches("execute ").count()
    };
    for (query, found, most) in [
        // The identifier leads to one patient: those who have results are not all looked at.
        ("Patient?_has:Observation:subject:code=8867-4&identifier=urn:test:mrn|77", 1, 9),
        ("Patient?identifier=urn:test:mrn|77&_has:Observation:subject:code=8867-4", 1, 9),
        // What matches is known when all have been looked at, 256 in a statement.
        ("Observation?status:not=final", 12, 9),
    ] {
        let path = format!("/fhir/{query}");
        // Names of what is searched by are looked up once.
        gateway.json(&path).await;
        // What is asked of the database now and then comes beside: the fewest of some tries count.
        let mut fewest = usize::MAX;
        for _ in 0..3 {
            let before = executed();
            let answer = gateway.json(&path).await;
            assert_eq!(answer["total"], found, "{query}");
            tokio::time::sleep(Duration::from_millis(200)).await;
            fewest = fewest.min(executed() - before);
        }
        println!("{query}: {fewest} statements");
        assert!(fewest > 0 && fewest <= most, "{query}: {fewest} statements");
    }
}
