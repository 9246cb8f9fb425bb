//! What a timeline and a summary say to a reader from whom something may be withheld: the same whether something is or not.

use crate::test_app::{TestApp, fixture};
use kap_gateway::{
    app::Options,
    consent::{Context, Decision, Policy, Row},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// May withhold adverse events, and does.
#[derive(Default)]
struct NoEvents(AtomicBool);

impl Policy for NoEvents {
    fn withholds(&self, _: &Context) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn decide(&self, _: &Context, row: &Row<'_>) -> Decision {
        let is_withheld = self.0.load(Ordering::Relaxed) && row.resource_type == "AdverseEvent";
        if is_withheld { Decision::Withhold } else { Decision::Permit }
    }
}

async fn send(app: &TestApp, method: Method, path: &str, body: &Value) -> Value {
    let kind = if path.starts_with("/fhir") { "application/fhir+json" } else { "application/json" };
    let answer = app.request(method, path).header("Content-Type", kind).body(body.to_string()).send().await;
    let answer = answer.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.expect("JSON")
}

/// Timeline and summary, without the times at which they were stored.
async fn told(app: &TestApp) -> (Value, String) {
    let timeline = app.json("/kap/v1/courses/case08-course").await;
    let course = timeline["course"]["reference"].as_str().expect("a reference").to_owned();
    let document = app.json(&format!("/fhir/{course}/$kap-summary")).await;
    let composition = &document["entry"][0]["resource"];
    (timeline, format!("{}{}", composition["text"], composition["section"]))
}

#[tokio::test]
async fn a_reader_from_whom_something_may_be_withheld_is_told_so_whether_it_is_or_not() {
    let (policy, twin_policy) = (Arc::new(NoEvents::default()), Arc::new(NoEvents::default()));
    let app = TestApp::start_with_policy(Options::default(), policy.clone());
    let twin = TestApp::start_with_policy(Options::default(), twin_policy.clone());
    for app in [&app, &twin] {
        send(app, Method::PUT, "/kap/v1/intake/case08-intake", &fixture("case-08/01-intake.json")).await;
    }
    let patient = told(&app).await.0["course"]["patient"].clone();
    let event = json!({ "resourceType": "AdverseEvent", "actuality": "actual", "subject": { "reference": patient },
        "event": { "text": "a fall" }, "date": "2026-05-01T10:00:00-05:00" });
    send(&app, Method::POST, "/fhir/AdverseEvent", &event).await;
    let (timeline, summary) = told(&app).await;
    assert!(timeline["notice"].is_null() && timeline.to_string().contains("a fall"), "to whom all is shown");
    assert!(!summary.contains("may not be shown") && summary.contains("a fall"), "{summary}");
    let (_, of_twin) = told(&twin).await;
    assert!(
        of_twin.contains("No dose of ketamine was given.") && of_twin.contains("No adverse events are on record.<"),
        "{of_twin}"
    );
    for policy in [&policy, &twin_policy] {
        policy.0.store(true, Ordering::Relaxed);
    }
    let (timeline, summary) = told(&app).await;
    let (of_twin, summary_of_twin) = told(&twin).await;
    assert_eq!(timeline, of_twin, "nothing tells that one has something to hide");
    assert_eq!(summary, summary_of_twin);
    assert!(timeline["notice"].as_str().is_some_and(|notice| notice.contains("may be stored all the same")));
    assert!(summary.contains("may be stored all the same") && !summary.contains("a fall"), "{summary}");
    // Nothing is called absent for certain.
    assert!(summary.contains("No dose of ketamine is shown.") && !summary.contains("was given."), "{summary}");
    assert!(summary.contains("No adverse events are on record. Something may be stored and not shown."), "{summary}");
}
