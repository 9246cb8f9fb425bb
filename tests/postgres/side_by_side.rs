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

/// What one is given the other learns while it runs, and writes with: no resource lacks its rows.
#[tokio::test(flavor = "multi_thread")]
async fn search_parameter_that_one_gateway_is_given_the_other_learns() {
    let gateways = two().await;
    assert_eq!(gateways[1].put(&goal("before", "early"), None).await.status(), StatusCode::CREATED);
    let parameter = json!({ "resourceType": "SearchParameter", "id": "said", "url": "https://clinic.example.org/said",
        "name": "Said", "status": "active", "description": "What the goal says.", "code": "said", "base": ["Goal"],
        "type": "string", "expression": "Goal.description.text" });
    assert_eq!(gateways[0].put(&parameter, None).await.status(), StatusCode::CREATED);
    // Written all the time, by the one that was not told.
    let writer = Arc::clone(&gateways);
    let writing = tokio::spawn(async move {
        for number in 0..60 {
            assert_eq!(writer[1].put(&goal(&format!("g{number}"), "late"), None).await.status(), StatusCode::CREATED);
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    });
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
    for gateway in gateways.iter() {
        while gateway.get("/fhir/Goal?said=early").await.status() != StatusCode::OK {
            assert!(std::time::Instant::now() < patience, "not known after a minute");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
    writing.await.unwrap();
    for gateway in gateways.iter() {
        assert_eq!(gateway.json("/fhir/Goal?said=early").await["total"], 1);
        assert_eq!(gateway.json("/fhir/Goal?said=late").await["total"], 60);
    }
    // Retired at the other: searched by at none.
    let mut retired = parameter;
    retired["status"] = "retired".into();
    assert_eq!(gateways[1].put(&retired, None).await.status(), StatusCode::OK);
    for gateway in gateways.iter() {
        while gateway.get("/fhir/Goal?said=early").await.status() != StatusCode::BAD_REQUEST {
            assert!(std::time::Instant::now() < patience, "still known after a minute");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}

fn records(folder: &str) -> Vec<(String, Value)> {
    let place = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut names: Vec<_> = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    const KINDS: [&str; 4] = ["intake", "outcome", "dosing-session", "integration-session"];
    let kind = |path: &std::path::Path| {
        let name =
            path.file_name().unwrap().to_str().unwrap().trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        KINDS.into_iter().find(|kind| name.starts_with(kind)).map(str::to_owned)
    };
    let read = |path: &std::path::PathBuf| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    names.iter().filter_map(|path| Some((kind(path)?, read(path)))).collect()
}

/// What the rules find about a course, without when they were asked.
async fn found(gateway: &Gateway, course: &str) -> (Vec<Value>, Vec<String>) {
    let report = gateway.json(&format!("/kap/v1/courses/{course}/rules")).await;
    let rules = report["rules"].as_array().unwrap_or_else(|| panic!("{report}")).clone();
    let issues = gateway.json("/fhir/DetectedIssue?_count=200").await;
    let entries = issues["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    let told = |entry: &Value| format!("{} {}", entry["resource"]["id"], entry["resource"]["status"]);
    let mut issues: Vec<String> = entries.iter().map(told).collect();
    issues.sort();
    (rules, issues)
}

/// A whole course, its records at the same time through both: the rules find what they find of the same course in order.
#[tokio::test(flavor = "multi_thread")]
async fn records_of_one_course_at_once_through_two_gateways_are_judged_as_in_order() {
    let records = records("case-01");
    assert_eq!(records.len(), 16);
    let course = "case01-course";
    let alone = Gateway::on(&empty_database().await).await;
    for (kind, record) in &records {
        let answer = alone.post(&format!("/kap/v1/{kind}"), record, None).await;
        assert!(answer.status().is_success(), "{kind}: {}", answer.text().await.unwrap());
    }
    let gateways = two().await;
    // The first says who the patient is.
    let mut rest = records.clone().into_iter();
    let (kind, first) = rest.next().unwrap();
    assert!(gateways[0].post(&format!("/kap/v1/{kind}"), &first, None).await.status().is_success());
    let answers = all(rest.enumerate().map(|(place, (kind, record))| {
        let gateways = Arc::clone(&gateways);
        async move {
            let answer = gateways[place % 2].post(&format!("/kap/v1/{kind}"), &record, None).await;
            (answer.status(), answer.text().await.unwrap())
        }
    }))
    .await;
    assert!(answers.iter().all(|(status, _)| status.is_success()), "{answers:?}");
    let expected = found(&alone, course).await;
    let fires = |rule: &&Value| rule["state"] == "fires" || rule["state"] == "holds";
    assert!(expected.0.iter().filter(fires).count() > 5, "the case has something to judge");
    for gateway in gateways.iter() {
        assert_eq!(found(gateway, course).await, expected);
    }
}
