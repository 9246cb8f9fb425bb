//! Two gateways, one database: what holds for one holds for both.

use crate::database::empty_database;
use crate::gateway::{Gateway, all, goal, patient};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

const CLIENTS: usize = 64;

/// Started at the same moment on an empty database: one makes the tables, the other waits.
async fn two() -> Arc<[Gateway; 2]> {
    let database = empty_database().await;
    let (one, other) = tokio::join!(Gateway::on(&database), Gateway::on(&database));
    Arc::new([one, other])
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_conditional_creates_on_two_gateways_exactly_one_is_made() {
    let gateways = two().await;
    for identifier in ["first", "second", "third"] {
        let answers = all((0..CLIENTS).map(|client| {
            let gateways = Arc::clone(&gateways);
            async move {
                let criteria = format!("identifier=urn:test:mrn|{identifier}");
                let gateway = &gateways[client % 2];
                gateway.post("/fhir/Patient", &patient(identifier), Some(&criteria)).await.status()
            }
        }))
        .await;
        let made = answers.iter().filter(|status| **status == StatusCode::CREATED).count();
        assert_eq!(made, 1, "{identifier}: {answers:?}");
        assert!(answers.iter().all(|status| matches!(status.as_u16(), 200 | 201)), "{answers:?}");
        for gateway in gateways.iter() {
            let found = gateway.json(&format!("/fhir/Patient?identifier=urn:test:mrn|{identifier}")).await;
            assert_eq!(found["total"], 1, "{found}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_updates_on_one_version_exactly_one_is_done() {
    let gateways = two().await;
    assert_eq!(gateways[0].put(&goal("g", "start"), None).await.status(), StatusCode::CREATED);
    let answers = all((0..CLIENTS).map(|client| {
        let gateways = Arc::clone(&gateways);
        async move { gateways[client % 2].put(&goal("g", &client.to_string()), Some(1)).await.status() }
    }))
    .await;
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{answers:?}");
    let refused = answers.iter().filter(|status| **status == StatusCode::PRECONDITION_FAILED).count();
    assert_eq!(refused, CLIENTS - 1, "{answers:?}");
    assert_eq!(gateways[1].json("/fhir/Goal/g/_history").await["total"], 2);
}

/// Who loses reads again: no update is lost.
#[tokio::test(flavor = "multi_thread")]
async fn updates_that_read_before_they_write_lose_nothing() {
    let gateways = two().await;
    gateways[0].put(&goal("g", "0"), None).await;
    all((0..16).map(|client| {
        let gateways = Arc::clone(&gateways);
        async move {
            let gateway = &gateways[client % 2];
            loop {
                let now = gateway.json("/fhir/Goal/g").await;
                let version: u64 = now["meta"]["versionId"].as_str().unwrap().parse().unwrap();
                let count: u64 = now["description"]["text"].as_str().unwrap().parse().unwrap();
                let answer = gateway.put(&goal("g", &(count + 1).to_string()), Some(version)).await;
                match answer.status() {
                    StatusCode::OK => break,
                    StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => {}
                    status => panic!("{status}: {}", answer.text().await.unwrap()),
                }
            }
        }
    }))
    .await;
    let last = gateways[1].json("/fhir/Goal/g").await;
    assert_eq!((&last["description"]["text"], &last["meta"]["versionId"]), (&json!("16"), &json!("17")));
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_whole_and_find_each_others_patient() {
    let gateways = two().await;
    let answers = all((0..32).map(|client| {
        let gateways = Arc::clone(&gateways);
        async move {
            let mut of_patient = goal(&format!("g{client}"), "sleep");
            of_patient["subject"] = json!({ "reference": "urn:uuid:0c0ffee0-0000-4000-8000-000000000001" });
            let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
                { "fullUrl": "urn:uuid:0c0ffee0-0000-4000-8000-000000000001", "resource": patient("shared"),
                  "request": { "method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:test:mrn|shared" } },
                { "resource": of_patient, "request": { "method": "PUT", "url": format!("Goal/g{client}") } },
            ]});
            let answer = gateways[client % 2].post("/fhir", &bundle, None).await;
            (answer.status(), answer.text().await.unwrap())
        }
    }))
    .await;
    for (status, text) in &answers {
        assert_eq!(*status, StatusCode::OK, "{text}");
    }
    let patients = gateways[0].json("/fhir/Patient").await;
    assert_eq!(patients["total"], 1, "{patients}");
    let reference = format!("Patient/{}", patients["entry"][0]["resource"]["id"].as_str().unwrap());
    let goals = gateways[1].json(&format!("/fhir/Goal?patient={reference}&_count=100")).await;
    assert_eq!(goals["total"], 32, "{goals}");
}

/// Numbers of names are remembered by each gateway: not knowing one is not remembered.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_gateway_writes_the_other_finds_at_once() {
    let gateways = two().await;
    for round in 0..4 {
        let (writer, reader) = (&gateways[round % 2], &gateways[(round + 1) % 2]);
        let system = format!("urn:test:system-{round}");
        let search = format!("/fhir/Patient?identifier={system}|1");
        assert_eq!(reader.json(&search).await["total"], 0);
        let mut new = patient("x");
        new["identifier"][0] = json!({ "system": system, "value": "1" });
        let made = writer.post("/fhir/Patient", &new, None).await;
        assert_eq!(made.status(), StatusCode::CREATED);
        let found = reader.json(&search).await;
        assert_eq!(found["total"], 1, "{found}");
        let mut changed: Value = found["entry"][0]["resource"].clone();
        changed["identifier"][0]["value"] = json!("2");
        assert_eq!(reader.put(&changed, Some(1)).await.status(), StatusCode::OK);
        assert_eq!(writer.json(&search).await["total"], 0, "the older version is found no more");
    }
}

/// Texts that PostgreSQL does not take, or not as keys of an index.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_are_answered_and_never_a_fault_of_the_database() {
    let gateways = two().await;
    let long = "x".repeat(6000);
    let mut new = patient(&long);
    let second = json!({ "system": format!("urn:{long}"), "value": "1" });
    new["identifier"].as_array_mut().unwrap().push(second);
    let made = gateways[0].post("/fhir/Patient", &new, None).await;
    assert_eq!(made.status(), StatusCode::CREATED, "{}", made.text().await.unwrap());
    for (query, total) in [
        (format!("identifier=urn:test:mrn|{long}"), 1),
        (format!("identifier={long}"), 1),
        (format!("identifier={long}y"), 0),
        (format!("identifier=urn:{long}|1"), 1),
        ("identifier=a%00b".to_owned(), 0),
        ("identifier=%00|b".to_owned(), 0),
        ("family=%00".to_owned(), 0),
        ("family=%F4%8F%BF%BF".to_owned(), 0),
        ("_id=%00".to_owned(), 0),
        ("general-practitioner=Practitioner/%00".to_owned(), 0),
        (format!("identifier={}", (0..150).map(|n| format!("v{n}")).collect::<Vec<_>>().join(",")), 0),
    ] {
        let answer = gateways[1].get(&format!("/fhir/Patient?{query}")).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        let shown = query.get(..40).unwrap_or(&query);
        assert!(!status.is_server_error(), "{shown}: {status} {text}");
        if status.is_success() {
            let found: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(found["total"], total, "{shown}");
        }
    }
    for path in ["/fhir/Patient/%00", "/fhir/Patient/a%00/_history", "/kap/v1/intake/%00"] {
        assert!(!gateways[0].get(path).await.status().is_server_error(), "{path}");
    }
}

/// What one gateway judges about a patient must not be judged by another on half of the records.
#[tokio::test(flavor = "multi_thread")]
async fn records_of_one_patient_through_two_gateways_are_judged_as_through_one() {
    use kap_gateway::store::postgres::{Place, PostgresStore};
    use kap_gateway::store::{DEFAULT_TENANT, ResourceStore};
    use std::time::{Duration, Instant};
    let database = empty_database().await;
    let open =
        || PostgresStore::open(Place { url: &database, password: None, authority: None, connections: 4 }).unwrap();
    let (one, other) = (open(), open());
    let held = one.hold(DEFAULT_TENANT, "p1").await.unwrap();
    // Another name is free, and the work of who waits is not held up.
    drop(other.hold(DEFAULT_TENANT, "p2").await.unwrap());
    other.check().await.unwrap();
    let began = Instant::now();
    let release = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(400)).await;
        drop(held);
    });
    drop(other.hold(DEFAULT_TENANT, "p1").await.unwrap());
    assert!(began.elapsed() >= Duration::from_millis(400), "it waits for the other gateway");
    release.await.unwrap();
    drop(one.hold(DEFAULT_TENANT, "p1").await.unwrap());
}
