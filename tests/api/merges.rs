//! Two patients who are one: what stands under either id is found by each, whatever the route; and the way back.
//! Mapping specification D-02.

use crate::test_app::{TestApp, fixture, ids};
use kap_gateway::{
    app::Options,
    consent::{Context, Decision, Policy, Row},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const OTHER: &str = "urn:kap:test:other";

async fn send(app: &TestApp, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
    let kind = if path.starts_with("/fhir") { "application/fhir+json" } else { "application/json" };
    let request = app.request(method, path).header("Content-Type", kind).body(body.to_string());
    let response = request.send().await.expect("an answer");
    (response.status(), response.json().await.expect("JSON"))
}

fn path_of(record: &Value) -> String {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).expect("text").to_owned();
    format!("/kap/v1/{}/{}", text("/kind"), text("/source/recordId"))
}

async fn put(app: &TestApp, record: &Value) -> Value {
    let (status, body) = send(app, Method::PUT, &path_of(record), record).await;
    assert!(status.is_success(), "{}: {status} {body}", path_of(record));
    body
}

/// The same record of another system's patient and course.
fn of_other(mut record: Value) -> Value {
    let number = json!({ "system": OTHER, "value": "number-2" });
    if record["kind"] == "intake" {
        record["patient"]["identifiers"] = json!([number]);
        record["patient"]["name"] = json!({ "family": "Testpatient", "given": ["Other"] });
    } else {
        record["patient"]["identifier"] = number;
    }
    record["course"]["identifier"]["value"] = json!("second-course");
    record["source"]["system"] = json!(OTHER);
    record
}

fn request() -> Value {
    json!({ "survivor": { "identifier": { "system": "urn:kap:test", "value": "case08-patient" } },
            "merged": { "identifier": { "system": OTHER, "value": "number-2" } } })
}

fn why() -> Value {
    let mut body = request();
    body["reason"] = json!("Two sisters with one birthday.");
    body["by"] = json!({ "identifier": { "system": "urn:kap:test:staff", "value": "7" }, "name": "Test Registrar" });
    body
}

struct Two {
    app: TestApp,
    /// `Patient.id` of who stays and of who is merged.
    survivor: String,
    merged: String,
}

async fn two_with(app: TestApp) -> Two {
    for name in ["case-08/01-intake.json", "case-08/02-dosing-session-1.json"] {
        put(&app, &fixture(name)).await;
    }
    let survivor = patient_of(&app, "case08-course").await;
    put(&app, &of_other(fixture("case-08/01-intake.json"))).await;
    put(&app, &of_other(fixture("case-08/02-dosing-session-1.json"))).await;
    let merged = patient_of(&app, "second-course").await;
    assert_ne!(survivor, merged);
    Two { app, survivor, merged }
}

async fn two() -> Two {
    two_with(TestApp::start()).await
}

async fn patient_of(app: &TestApp, course: &str) -> String {
    let course = app.json(&format!("/kap/v1/courses/{course}")).await;
    course["course"]["patient"].as_str().expect("a patient").trim_start_matches("Patient/").to_owned()
}

impl Two {
    async fn merge(&self) -> Value {
        let (status, answer) = send(&self.app, Method::POST, "/kap/v1/patients/$merge", &request()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    async fn unmerge(&self) -> Value {
        let (status, answer) = send(&self.app, Method::POST, "/kap/v1/patients/$unmerge", &why()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// Matches of a search over all pages, and the total of the first.
    async fn found(&self, path: &str) -> (Vec<String>, Value) {
        let (mut all, mut total, mut next) = (Vec::new(), Value::Null, Some(self.app.url(path)));
        while let Some(url) = next {
            let page: Value = self.app.client.get(&url).send().await.expect("an answer").json().await.expect("JSON");
            assert_eq!(page["resourceType"], "Bundle", "{path}: {page}");
            if total.is_null() {
                total = page["total"].clone();
            }
            let matches = page["entry"].as_array().into_iter().flatten().filter(|one| one["search"]["mode"] == "match");
            all.extend(matches.map(|one| {
                let resource = &one["resource"];
                let text = |name: &str| resource[name].as_str().expect("text");
                format!("{}/{}", text("resourceType"), text("id"))
            }));
            next = crate::test_app::link(&page, "next").map(str::to_owned);
        }
        all.sort();
        (all, total)
    }
}

const ROUTES: [&str; 12] = [
    "/fhir/MedicationAdministration?patient={}&_count=1",
    "/fhir/MedicationAdministration?subject=Patient/{}",
    "/fhir/Observation?patient=Patient/{}&category=vital-signs&_count=2",
    "/fhir/Observation?subject={}&category=vital-signs",
    "/fhir/Condition?subject:Patient={}",
    "/fhir/EpisodeOfCare?patient={}",
    "/fhir/Encounter?patient={}&_sort=date",
    "/fhir/Patient/{}/Observation?category=vital-signs",
    "/fhir/Patient/{}/MedicationAdministration",
    "/fhir/Patient/{}/*?_type=Condition,Encounter,Patient&_count=3",
    "/fhir/Provenance?target:Observation.subject={}",
    "/fhir/Task?patient={}",
];

#[tokio::test]
async fn what_stands_under_either_id_is_found_by_each_on_any_route() {
    let two = two().await;
    let at = |route: &str, id: &str| route.replace("{}", id);
    let mut expected = Vec::new();
    for route in ROUTES {
        let (mut own, others) =
            (two.found(&at(route, &two.survivor)).await.0, two.found(&at(route, &two.merged)).await.0);
        own.extend(others);
        own.sort();
        expected.push(own);
    }
    assert!(expected.iter().all(|found| found.len() > 1 || found.is_empty()), "each route finds something of both");
    two.merge().await;
    for (route, expected) in ROUTES.iter().zip(&expected) {
        // The sums and findings of the gateway are the survivor's now.
        for id in [&two.survivor, &two.merged] {
            let (found, total) = two.found(&at(route, id)).await;
            assert_eq!(found.iter().filter(|one| expected.contains(one)).count(), expected.len(), "{route} {id}");
            if !route.contains("Provenance") {
                assert_eq!(&found, expected, "{route} {id}");
            }
            assert_eq!(total, json!(found.len()), "{route} {id}: the total is that of what is given");
        }
    }
}

#[tokio::test]
async fn chains_has_and_what_comes_along_lead_through_either_id() {
    let two = two().await;
    two.merge().await;
    let doses = two.found(&format!("/fhir/MedicationAdministration?patient={}", two.survivor)).await.0;
    assert_eq!(doses.len(), 2);
    for chain in [
        "patient.identifier=urn:kap:test|case08-patient".to_owned(),
        format!("patient.identifier={OTHER}|number-2"),
        "subject:Patient.given=Other".to_owned(),
        format!("subject:Patient._id={}", two.merged),
    ] {
        let found = two.found(&format!("/fhir/MedicationAdministration?{chain}")).await;
        assert_eq!(found, (doses.clone(), json!(2)), "{chain}");
    }
    // Only the other's course has that identifier; the survivor has it.
    let has = "/fhir/Patient?_has:EpisodeOfCare:patient:identifier=second-course";
    let (mut both, _) = (vec![format!("Patient/{}", two.survivor), format!("Patient/{}", two.merged)], ());
    both.sort();
    assert_eq!(two.found(has).await, (both.clone(), json!(2)));
    let survivor = format!("{has}&_id={}", two.survivor);
    assert_eq!(two.found(&survivor).await.0, [format!("Patient/{}", two.survivor)]);
    let along = format!("/fhir/Patient?_id={}&_revinclude=MedicationAdministration:patient", two.survivor);
    let page = two.app.json(&along).await;
    let brought: Vec<&str> = page["entry"]
        .as_array()
        .expect("entries")
        .iter()
        .filter(|one| one["search"]["mode"] == "include")
        .filter_map(|one| one["resource"]["id"].as_str())
        .collect();
    assert_eq!(brought.len(), 2, "{brought:?}");
    // `link` itself tells of two, and is not what makes them one there.
    assert_eq!(
        two.found(&format!("/fhir/Patient?link=Patient/{}", two.survivor)).await.0,
        [format!("Patient/{}", two.merged)]
    );
}

#[tokio::test]
async fn everything_course_and_summary_tell_of_both_and_the_answer_says_why() {
    let two = two().await;
    let everything = |id: &str| format!("/fhir/Patient/{id}/$everything?_count=7");
    let mut before: Vec<String> = two.found(&everything(&two.survivor)).await.0;
    before.extend(two.found(&everything(&two.merged)).await.0);
    let pressure = json!({ "resourceType": "Observation", "status": "final", "subject": { "reference": format!("Patient/{}", two.merged) },
        "code": { "text": "handgrip" },
        "effectiveDateTime": "2026-05-20T10:00:00-05:00",
        "valueString": "firm" });
    let (status, pressure) = send(&two.app, Method::POST, "/fhir/Observation", &pressure).await;
    assert_eq!(status, StatusCode::CREATED, "{pressure}");
    let elsewhere = format!("Observation/{}", pressure["id"].as_str().expect("an id"));
    two.merge().await;
    for id in [&two.survivor, &two.merged] {
        let now = two.found(&everything(id)).await.0;
        let missing: Vec<&String> = before.iter().filter(|one| !now.contains(one)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let mut once = now.clone();
        once.dedup();
        assert_eq!(once, now, "each once");
    }
    // The bundle says why there are two ids, and the link to itself is what was asked.
    let path = format!("/fhir/MedicationAdministration?patient={}", two.survivor);
    let page = two.app.json(&path).await;
    let own = crate::test_app::link(&page, "self").expect("a self link");
    assert!(own.contains(&format!("patient={}", two.survivor)) && !own.contains(&two.merged), "{own}");
    let note = page["entry"].as_array().expect("entries").iter().find(|one| one["search"]["mode"] == "outcome");
    let text = note.expect("a note")["resource"]["issue"][0]["details"]["text"].to_string();
    assert!(text.contains(&format!("Patient/{} = Patient/{}", two.survivor, two.merged)), "{text}");
    for course in ["case08-course", "second-course"] {
        let course = two.app.json(&format!("/kap/v1/courses/{course}")).await;
        let told: Vec<&Value> =
            course["events"].as_array().expect("events").iter().map(|one| &one["reference"]).collect();
        assert!(told.contains(&&json!(elsewhere)), "what another system wrote of the merged one");
        let id = course["course"]["reference"].as_str().expect("a reference");
        let document = two.app.json(&format!("/fhir/{id}/$kap-summary")).await;
        assert_eq!(
            document["entry"][0]["resource"]["subject"]["reference"].as_str().map(|one| one.ends_with(&two.survivor)),
            Some(true)
        );
    }
    let newest = two.app.json(&format!("/fhir/Observation/$lastn?patient={}&code=8867-4&max=9", two.merged)).await;
    assert!(ids(&newest).len() >= 2, "{newest}");
}

/// A conditional write finds under either id too: what the search and the store's own look say is the same.
#[tokio::test]
async fn a_conditional_create_finds_what_stands_under_the_other_id() {
    let two = two().await;
    two.merge().await;
    let condition = json!({ "resourceType": "Condition", "code": { "text": "test condition" },
        "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active" }] },
        "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-category", "code": "problem-list-item" }] }],
        "identifier": [{ "system": "urn:x:y", "value": "c-1" }], "subject": { "reference": format!("Patient/{}", two.merged) } });
    let create = async |patient: &str| {
        let request = two.app.request(Method::POST, "/fhir/Condition").header("Content-Type", "application/fhir+json");
        let criteria = format!("patient={patient}&identifier=urn:x:y|c-1");
        request.header("If-None-Exist", criteria).body(condition.to_string()).send().await.expect("an answer").status()
    };
    assert_eq!(create(&two.survivor).await, StatusCode::CREATED);
    assert_eq!(create(&two.survivor).await, StatusCode::OK);
    assert_eq!(create(&two.merged).await, StatusCode::OK);
}

/// Withholds one patient's own row, or all rows that name the patient.
#[derive(Default)]
struct Withheld {
    row: Mutex<String>,
    named: Mutex<String>,
}

impl Policy for Withheld {
    fn withholds(&self, _: &Context) -> bool {
        true
    }

    fn decide(&self, _: &Context, row: &Row<'_>) -> Decision {
        let is_row = row.resource_type == "Patient" && row.id == *self.row.lock().expect("free");
        let is_named = row.patients().contains(&*self.named.lock().expect("free"));
        if is_row || is_named { Decision::Withhold } else { Decision::Permit }
    }
}

#[tokio::test]
async fn a_link_that_is_not_seen_leads_nowhere() {
    let policy = Arc::new(Withheld::default());
    let two = two_with(TestApp::start_with_policy(Options::default(), policy.clone())).await;
    two.merge().await;
    let doses = |id: &str| format!("/fhir/MedicationAdministration?patient={id}");
    assert_eq!(two.found(&doses(&two.survivor)).await.0.len(), 2, "nothing is withheld yet");
    let has = "/fhir/Patient?_has:EpisodeOfCare:patient:identifier=second-course";
    assert_eq!(two.found(has).await.0.len(), 2);
    let chained = format!("/fhir/MedicationAdministration?patient.identifier={OTHER}|number-2");
    assert_eq!(two.found(&chained).await.0.len(), 2);
    // All that names the merged one, the survivor's link with it: nothing tells of the merge.
    policy.named.lock().expect("free").clone_from(&two.merged);
    let page = two.app.json(&doses(&two.survivor)).await;
    assert_eq!((&page["total"], page.to_string().contains(&two.merged)), (&json!(1), false), "{page}");
    assert_eq!(two.found(has).await.0, [""; 0]);
    assert_eq!(two.found(&doses(&two.merged)).await.0, [""; 0]);
    policy.named.lock().expect("free").clear();
    // The merged one's own row alone: what names it is found by the survivor, whose link is seen; not by itself.
    policy.row.lock().expect("free").clone_from(&two.merged);
    assert_eq!(two.found(&doses(&two.survivor)).await.0.len(), 2);
    assert_eq!(two.found(&doses(&two.merged)).await.0.len(), 1);
}

// ---------------------------------------------------------------- the way back

#[tokio::test]
async fn a_merge_that_is_undone_leaves_both_as_they_were() {
    let two = two().await;
    let both = async || {
        let mut found = Vec::new();
        for id in [&two.survivor, &two.merged] {
            let mut patient = two.app.json(&format!("/fhir/Patient/{id}")).await;
            patient.as_object_mut().expect("an object").remove("meta");
            found.push(patient);
        }
        found
    };
    let before = both().await;
    let doses = two.found(&format!("/fhir/MedicationAdministration?patient={}", two.merged)).await;
    let merged = two.merge().await;
    let provenance = two.app.json(&format!("/fhir/{}", merged["provenance"].as_str().expect("one"))).await;
    assert_eq!(provenance["activity"]["coding"][0]["code"], "patients-merged");
    assert_ne!(both().await, before);
    let answer = two.unmerge().await;
    assert_eq!(
        (&answer["outcome"], &answer["records"], &answer["undecidedTotal"]),
        (&json!("unmerged"), &json!([]), &json!(0)),
        "{answer}"
    );
    assert_eq!(both().await, before);
    assert_eq!(two.found(&format!("/fhir/MedicationAdministration?patient={}", two.merged)).await, doses);
    let provenance = two.app.json(&format!("/fhir/{}", answer["provenance"].as_str().expect("one"))).await;
    assert_eq!(provenance["reason"][0]["text"], "Two sisters with one birthday.");
    assert_eq!(provenance["activity"]["coding"][0]["code"], "patients-unmerged");
    assert_eq!(provenance["agent"][0]["who"]["display"], "Test Registrar");
    let was: Vec<&Value> =
        provenance["entity"].as_array().expect("two").iter().map(|one| &one["what"]["reference"]).collect();
    assert_eq!(
        was,
        [&json!(format!("Patient/{}/_history/2", two.survivor)), &json!(format!("Patient/{}/_history/2", two.merged))]
    );
    // The rules judge each by its own: the sum of the doses is that of one again.
    for id in [&two.survivor, &two.merged] {
        let sums =
            two.app.json(&format!("/fhir/Observation?patient={id}&code=cumulative-ketamine-dose&status=final")).await;
        assert_eq!(sums["entry"][0]["resource"]["valueQuantity"]["value"], json!(14), "{sums}");
    }
    // Once more changes nothing; merged and parted again works.
    assert_eq!(two.unmerge().await["outcome"], "unchanged");
    assert_eq!(two.merge().await["outcome"], "merged");
    assert_eq!(two.unmerge().await["outcome"], "unmerged");
    assert_eq!(both().await, before);
}

#[tokio::test]
async fn records_that_came_since_the_merge_go_to_whom_they_name() {
    let two = two().await;
    two.merge().await;
    // A corrected intake, a corrected session and a new one of a new course, all under the merged number.
    let mut intake = of_other(fixture("case-08/01-intake.json"));
    intake["source"]["revision"] = json!(2);
    intake["patient"]["language"] = json!("en-GB");
    assert_eq!(put(&two.app, &intake).await["patient"], json!(format!("Patient/{}", two.survivor)));
    let mut session = of_other(fixture("case-08/02-dosing-session-1.json"));
    session["source"]["revision"] = json!(2);
    put(&two.app, &session).await;
    let mut later = of_other(fixture("case-08/03-integration-session-1.json"));
    later["course"]["identifier"]["value"] = json!("third-course");
    put(&two.app, &later).await;
    let mut own = fixture("case-08/03-integration-session-1.json");
    own["source"]["recordId"] = json!("own-since");
    put(&two.app, &own).await;
    let note = json!({ "resourceType": "Observation", "status": "final", "code": { "text": "a remark" },
        "subject": { "reference": format!("Patient/{}", two.survivor) }, "valueString": "seen" });
    let (status, note) = send(&two.app, Method::POST, "/fhir/Observation", &note).await;
    assert_eq!(status, StatusCode::CREATED, "{note}");
    let answer = two.unmerge().await;
    let mut records: Vec<&str> = answer["records"]
        .as_array()
        .expect("records")
        .iter()
        .map(|one| one["recordId"].as_str().expect("an id"))
        .collect();
    records.sort_unstable();
    assert_eq!(records, ["case08-dosing-1", "case08-intake", "case08-integration-1"], "{answer}");
    assert_eq!(answer["undecided"], json!([format!("Observation/{}", note["id"].as_str().expect("an id"))]));
    let system = format!("?system={OTHER}");
    for record in [&intake, &session, &later] {
        assert_eq!(
            &two.app.json(&format!("{}{system}", path_of(record))).await,
            record,
            "each comes back as it was sent"
        );
        assert_eq!(put(&two.app, record).await["outcome"], "unchanged");
    }
    for course in ["second-course", "third-course"] {
        assert_eq!(patient_of(&two.app, course).await, two.merged, "{course}");
    }
    assert_eq!(patient_of(&two.app, "case08-course").await, two.survivor);
    let survivor = two.app.json(&format!("/fhir/Patient/{}", two.survivor)).await;
    assert!(!survivor.to_string().contains("number-2") && survivor["link"].is_null(), "{survivor}");
    assert_eq!(survivor["name"][0]["given"], fixture("case-08/01-intake.json")["patient"]["name"]["given"]);
    let merged = two.app.json(&format!("/fhir/Patient/{}", two.merged)).await;
    assert_eq!(
        (&merged["communication"][0]["language"]["coding"][0]["code"], &merged["link"]),
        (&json!("en-GB"), &Value::Null)
    );
    // Nothing of the moved records names the survivor any more, and the survivor keeps what is the survivor's.
    let (everything, _) = two.found(&format!("/fhir/Patient/{}/$everything", two.merged)).await;
    for one in &everything {
        let text = two.app.json(&format!("/fhir/{one}")).await.to_string();
        assert!(!text.contains(&two.survivor) || text.contains("patients-"), "{one}: {text}");
    }
    let own = two.found(&format!("/fhir/Encounter?patient={}&type=integration-session", two.survivor)).await.0;
    assert_eq!(own.len(), 1);
    let provenance = two.app.json(&format!("/fhir/{}", answer["provenance"].as_str().expect("one"))).await;
    assert!(provenance["target"].as_array().expect("targets").len() > 10, "all that was moved");
    // What comes now is the other's again.
    session["source"]["revision"] = json!(3);
    assert_eq!(put(&two.app, &session).await["patient"], json!(format!("Patient/{}", two.merged)));
}

#[tokio::test]
async fn what_cannot_be_undone_is_refused_with_the_reason_and_nothing_changes() {
    let two = two().await;
    let path = "/kap/v1/patients/$unmerge";
    let refused = async |body: &Value| {
        let (status, outcome) = send(&two.app, Method::POST, path, body).await;
        (status.as_u16(), outcome["issue"][0]["details"]["text"].as_str().unwrap_or_default().to_owned())
    };
    let (status, text) = refused(&why()).await;
    assert!(status == 422 && text.contains("no merge of these two"), "{text}");
    assert_eq!(refused(&request()).await.0, 422, "without a reason");
    let mut nobody = why();
    nobody["merged"]["identifier"]["value"] = json!("nobody");
    assert_eq!(refused(&nobody).await.0, 404);
    two.merge().await;
    let mut turned = why();
    (turned["survivor"], turned["merged"]) = (why()["merged"].clone(), why()["survivor"].clone());
    assert_eq!(refused(&turned).await.0, 422, "who was merged is no survivor");
    // A record that says itself that the two are one.
    let mut intake = fixture("case-08/01-intake.json");
    intake["source"]["revision"] = json!(2);
    intake["patient"]["identifiers"] =
        json!([intake["patient"]["identifiers"][0], { "system": OTHER, "value": "number-2" }]);
    put(&two.app, &intake).await;
    let (status, text) = refused(&why()).await;
    assert!(status == 422 && text.contains("intake case08-intake"), "{text}");
    let merged = two.app.json(&format!("/fhir/Patient/{}", two.merged)).await;
    assert_eq!(merged["link"][0]["type"], "replaced-by", "nothing was changed");
    intake["source"]["revision"] = json!(3);
    intake["patient"]["identifiers"] = fixture("case-08/01-intake.json")["patient"]["identifiers"].clone();
    put(&two.app, &intake).await;
    // The survivor's own merge comes first.
    let mut third = of_other(fixture("case-08/01-intake.json"));
    third["patient"]["identifiers"] = json!([{ "system": OTHER, "value": "number-3" }]);
    third["source"]["recordId"] = json!("third");
    third["course"]["identifier"]["value"] = json!("course-3");
    put(&two.app, &third).await;
    let into = |value: &str| json!({ "identifier": { "system": OTHER, "value": value } });
    let next = json!({ "survivor": into("number-3"), "merged": request()["survivor"], "reason": "x" });
    assert_eq!(send(&two.app, Method::POST, "/kap/v1/patients/$merge", &next).await.0, StatusCode::OK);
    let (status, text) = refused(&why()).await;
    assert!(status == 422 && text.contains("undo that merge first"), "{text}");
    assert_eq!(two.found(&format!("/fhir/EpisodeOfCare?patient={}", two.merged)).await.0.len(), 3, "a chain of merges");
    assert_eq!(refused(&next).await.0, 200);
    assert_eq!(refused(&why()).await.0, 200);
}
