//! Search on one type.

use crate::test_app::{OTHER_PATIENT, PATIENT, TestApp, assert_outcome, header, ids, link, observation, outcome};
use kap_gateway::fhir::codec;
use reqwest::{Method, StatusCode};
use serde_json::Value;

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn search_filters_by_each_parameter() {
    let app = TestApp::with_observations().await;
    let all = ["bp-2", "bp-1", "bp-3", "other"];
    let mine = ["bp-2", "bp-1", "bp-3"];
    let base = app.url("/fhir");
    let cases: [(String, &[&str]); 27] = [
        (String::new(), &all),
        ("_id=bp-1".into(), &["bp-1"]),
        ("_id=bp-1,bp-3".into(), &["bp-1", "bp-3"]),
        (format!("patient={PATIENT}"), &mine),
        (format!("patient=Patient/{PATIENT}"), &mine),
        (format!("patient={base}/Patient/{PATIENT}"), &mine),
        (format!("subject=Patient/{PATIENT}"), &mine),
        (format!("subject={PATIENT}"), &mine),
        (format!("subject=Group/{PATIENT}"), &[]),
        (format!("patient={PATIENT},{OTHER_PATIENT}"), &all),
        (format!("patient={PATIENT}&patient={OTHER_PATIENT}"), &[]),
        ("code=8867-4".into(), &all),
        ("code=http://loinc.org|8867-4".into(), &all),
        ("code=http://loinc.org|".into(), &all),
        ("code=|8867-4".into(), &[]),
        ("code=urn:other|8867-4".into(), &[]),
        ("category=vital-signs".into(), &all),
        ("status=final".into(), &["bp-2", "other"]),
        ("status=final,amended".into(), &["bp-2", "bp-1", "other"]),
        ("date=2026-02-01".into(), &["bp-1"]),
        ("date=2026-02".into(), &all),
        ("date=2026-02-01T15:00:00Z".into(), &["bp-1"]),
        ("date=2026-02-01T10:00:00-05:00".into(), &["bp-1"]),
        ("date=gt2026-02-02".into(), &["bp-3"]),
        ("date=ge2026-02-02&date=lt2026-02-03".into(), &["bp-2", "other"]),
        ("_lastUpdated=gt2000".into(), &all),
        ("_lastUpdated=lt2000".into(), &[]),
    ];
    for (query, expected) in cases {
        let bundle = app.json(&format!("/fhir/Observation?{query}")).await;
        assert_eq!(ids(&bundle), expected, "{query}");
        assert_eq!(bundle["total"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn search_by_identifier_reads_escapes() {
    let app = TestApp::with_observations().await;
    for (query, expected) in [
        ("identifier=A-1", vec![PATIENT]),
        ("identifier=urn:test:mrn|A-1", vec![PATIENT]),
        ("identifier=urn:test:mrn%7CA-1", vec![PATIENT]),
        (r"identifier=A\,2\|x", vec![OTHER_PATIENT]),
        (r"identifier=A-1,A\,2\|x", vec![PATIENT, OTHER_PATIENT]),
        ("identifier=A,2", vec![]),
    ] {
        let bundle = app.json(&format!("/fhir/Patient?{query}")).await;
        assert_eq!(ids(&bundle), expected, "{query}");
    }
}

#[tokio::test]
async fn searchset_bundle_is_whole() {
    let app = TestApp::with_observations().await;
    let text = app.get("/fhir/Observation?_id=bp-1").await.text().await.expect("text");
    let bundle: Value = serde_json::from_str(&text).expect("JSON");
    let entry = &bundle["entry"][0];
    let url = app.url("/fhir/Observation/bp-1");
    assert_eq!(bundle["type"], "searchset");
    assert_eq!(entry["fullUrl"], url);
    assert_eq!(entry["search"]["mode"], "match");
    assert_eq!(entry["resource"], app.json("/fhir/Observation/bp-1").await);
    assert!(text.contains("72.50"), "decimals keep their digits");
    codec::from_json(text.as_bytes()).expect("FHIR R4");
}

#[tokio::test]
async fn search_without_matches_has_no_entry_member() {
    let app = TestApp::start();
    let bundle = app.json("/fhir/Observation").await;
    assert_eq!(bundle["total"], 0);
    assert_eq!(bundle.get("entry"), None);
}

#[tokio::test]
async fn search_sorts_by_date_and_by_last_updated() {
    let app = TestApp::with_observations().await;
    let mine = format!("patient={PATIENT}");
    for (sort, expected) in [
        ("date", ["bp-1", "bp-2", "bp-3"]),
        ("-date", ["bp-3", "bp-2", "bp-1"]),
        ("_lastUpdated", ["bp-2", "bp-1", "bp-3"]),
        ("-_lastUpdated", ["bp-3", "bp-1", "bp-2"]),
    ] {
        let bundle = app.json(&format!("/fhir/Observation?{mine}&_sort={sort}")).await;
        assert_eq!(ids(&bundle), expected, "{sort}");
    }
}

#[tokio::test]
async fn pages_cover_every_match_once_in_each_order() {
    let app = TestApp::start();
    let names: Vec<String> = (0..7).map(|number| format!("o-{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        app.store(&observation(name, PATIENT, "final", &format!("2026-02-0{}", number / 2 + 1))).await;
    }
    for sort in ["", "&_sort=date", "&_sort=-date", "&_sort=_lastUpdated", "&_sort=-_lastUpdated"] {
        let mut seen = Vec::new();
        let mut next = Some(format!("/fhir/Observation?_count=3&patient={PATIENT}{sort}"));
        while let Some(path) = next {
            let bundle = app.json(&path).await;
            assert_eq!(bundle["total"], 7);
            assert!(ids(&bundle).len() <= 3);
            seen.extend(ids(&bundle).into_iter().map(str::to_owned));
            next =
                link(&bundle, "next").map(|url| url.strip_prefix(&app.running.base_url).expect("our own").to_owned());
        }
        seen.sort();
        assert_eq!(seen, names, "{sort}");
    }
}

#[tokio::test]
async fn self_link_says_what_was_used() {
    let app = TestApp::with_observations().await;
    let bundle = app.json("/fhir/Observation?code=http://loinc.org%7C8867-4&_sort=-date&_total=none").await;
    let own = app.neutral(link(&bundle, "self").expect("a self link"));
    assert_eq!(own, "http://gateway/fhir/Observation?code=http://loinc.org%7C8867-4&_sort=-date&_total=none&_count=50");
    assert_eq!(bundle.get("total"), None);
}

#[tokio::test]
async fn count_zero_gives_the_number_alone() {
    let app = TestApp::with_observations().await;
    let bundle = app.json("/fhir/Observation?_count=0&status=final").await;
    assert_eq!(bundle["total"], 2);
    assert_eq!(bundle.get("entry"), None);
    assert_eq!(link(&bundle, "next"), None);
}

#[tokio::test]
async fn count_above_the_maximum_is_cut_and_says_so() {
    let app = TestApp::with_observations().await;
    let bundle = app.json("/fhir/Observation?_count=101").await;
    assert!(link(&bundle, "self").expect("a self link").ends_with("_count=100"));
    let last = bundle["entry"].as_array().and_then(|entries| entries.last()).expect("entries");
    assert_eq!(last["search"]["mode"], "outcome");
    assert_eq!(last["resource"]["issue"][0]["severity"], "information");
    assert_eq!(last["resource"]["issue"][0]["location"][0], "http._count");
    assert_outcome(&last["resource"]);
    codec::from_json(bundle.to_string().as_bytes()).expect("FHIR R4");
    assert_eq!(ids(&app.json("/fhir/Observation?_count=100").await).len(), 4);
}

#[tokio::test]
async fn every_parameter_that_cannot_be_used_is_named() {
    let app = TestApp::with_observations().await;
    let query =
        "banana=1&code:exact=x&date=soon&_count=-1&_sort=banana&_total=maybe&status=&subject=a%20b&_pretty=2&_id=x";
    let body = outcome(app.get(&format!("/fhir/Observation?{query}")).await, StatusCode::BAD_REQUEST).await;
    insta::assert_json_snapshot!(body);
}

#[tokio::test]
async fn search_takes_200_values_and_no_more() {
    let app = TestApp::with_observations().await;
    let ids_upto = |count: usize| (3..=count).map(|n| format!(",x-{n}")).collect::<String>();
    // A value that stands twice counts once.
    for query in
        [format!("_id=bp-1,bp-3,bp-1{}", ids_upto(200)), format!("_id=bp-1,bp-3&_id=bp-1,bp-3{}", ids_upto(198))]
    {
        let bundle = app.json(&format!("/fhir/Observation?{query}")).await;
        assert_eq!(ids(&bundle), ["bp-1", "bp-3"]);
    }
    // Each such value is two tests.
    let dates: Vec<String> = (0..200).map(|n| format!("ne{}", 1900 + n)).collect();
    assert_eq!(ids(&app.json(&format!("/fhir/Observation?date={}", dates.join(","))).await).len(), 4);

    for query in [format!("_id=bp-1,bp-3{}", ids_upto(201)), format!("code=x&_id=bp-1,bp-3{}", ids_upto(200))] {
        let body = outcome(app.get(&format!("/fhir/Observation?{query}")).await, StatusCode::BAD_REQUEST).await;
        assert_eq!(body["issue"][0]["code"], "too-costly");
        assert_eq!(body["issue"][0]["location"][0], "http._id");
    }
}

#[tokio::test]
async fn search_takes_20_filters_and_no_more() {
    let app = TestApp::with_observations().await;
    let filters = "status=final&".repeat(20);
    assert_eq!(ids(&app.json(&format!("/fhir/Observation?{filters}_sort=date&_count=9")).await), ["other", "bp-2"]);
    let body = outcome(app.get(&format!("/fhir/Observation?{filters}code=x")).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(body["issue"][0]["code"], "too-costly");
    assert_eq!(body["issue"][0]["location"][0], "http.code");
}

#[tokio::test]
async fn error_texts_never_repeat_a_value() {
    let app = TestApp::start();
    for query in [
        "date=Testpatient",
        "_sort=Testpatient",
        "patient=Test patient",
        "identifier=Testpatient|a|b",
        "_count=Testpatient",
    ] {
        let text = app.get(&format!("/fhir/Observation?{query}")).await.text().await.expect("text");
        assert!(text.contains("OperationOutcome") && !text.contains("Testpatient"), "{query}: {text}");
    }
}

#[tokio::test]
async fn lenient_handling_ignores_unknown_parameters_and_says_so() {
    let app = TestApp::with_observations().await;
    let request = app.request(Method::GET, "/fhir/Observation?banana=1&_id=bp-1");
    let response = request.header("Prefer", "return=representation, handling=lenient").send().await.expect("an answer");
    let bundle: Value = response.json().await.expect("JSON");
    assert_eq!(ids(&bundle), ["bp-1"]);
    assert!(!link(&bundle, "self").expect("a self link").contains("banana"));
    let note = &bundle["entry"][1];
    assert_eq!(note["search"]["mode"], "outcome");
    assert_eq!(note["resource"]["issue"][0]["location"][0], "http.banana");
}

#[tokio::test]
async fn lenient_handling_still_refuses_modifiers_and_bad_values() {
    let app = TestApp::with_observations().await;
    for query in ["code:exact=x", "date=soon"] {
        let request = app.request(Method::GET, &format!("/fhir/Observation?{query}"));
        let response = request.header("Prefer", "handling=lenient").send().await.expect("an answer");
        outcome(response, StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn sort_by_date_on_a_type_without_dates_returns_400() {
    let app = TestApp::start();
    let body = outcome(app.get("/fhir/Patient?_sort=date").await, StatusCode::BAD_REQUEST).await;
    assert_eq!(body["issue"][0]["location"][0], "http._sort");
}

#[tokio::test]
async fn forged_cursor_returns_400() {
    let app = TestApp::with_observations().await;
    outcome(app.get("/fhir/Observation?_cursor=banana").await, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn search_by_post_joins_url_and_form() {
    let app = TestApp::with_observations().await;
    let request = app.request(Method::POST, &format!("/fhir/Observation/_search?patient={PATIENT}"));
    let response =
        request.header("Content-Type", FORM).body("status=final%2Camended&_sort=date").send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let bundle: Value = response.json().await.expect("JSON");
    assert_eq!(ids(&bundle), ["bp-1", "bp-2"]);
    let own = app.neutral(link(&bundle, "self").expect("a self link"));
    assert_eq!(
        own,
        format!("http://gateway/fhir/Observation?patient={PATIENT}&status=final%2Camended&_sort=date&_count=50")
    );
}

#[tokio::test]
async fn search_by_post_takes_the_format_from_the_form() {
    let app = TestApp::with_observations().await;
    let request = app.request(Method::POST, "/fhir/Observation/_search");
    let response = request.header("Content-Type", FORM).body("_format=xml").send().await.expect("an answer");
    assert_eq!(header(&response, "content-type"), "application/fhir+xml; charset=utf-8");
}

#[tokio::test]
async fn search_by_post_takes_the_format_of_errors_from_the_form_too() {
    let app = TestApp::start();
    let request = app.request(Method::POST, "/fhir/Observation/_search");
    let response = request.header("Content-Type", FORM).body("_format=xml&banana=1").send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(header(&response, "content-type"), "application/fhir+xml; charset=utf-8");
}

#[tokio::test]
async fn medication_administrations_are_found_by_date_too() {
    let app = TestApp::start();
    for (id, day) in [("a", 1), ("b", 2)] {
        app.store(&serde_json::json!({
            "resourceType": "MedicationAdministration",
            "id": id,
            "meta": {},
            "status": "completed",
            "effectiveDateTime": format!("2026-02-0{day}"),
        }))
        .await;
    }
    for name in ["date", "effective-time"] {
        let bundle = app.json(&format!("/fhir/MedicationAdministration?{name}=2026-02-02")).await;
        assert_eq!(ids(&bundle), ["b"], "{name}");
    }
}

#[tokio::test]
async fn search_by_post_with_another_body_returns_415() {
    let app = TestApp::start();
    let request = app.request(Method::POST, "/fhir/Observation/_search");
    let response = request.header("Content-Type", "application/json").body("{}").send().await.expect("an answer");
    outcome(response, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
}
