//! Binary as what it holds. <https://hl7.org/fhir/R4/binary.html#rest>

use crate::{
    test_app::{TestApp, header, outcome},
    writes::{location, post},
};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

async fn read(app: &TestApp, path: &str, accept: &str) -> Response {
    app.request(Method::GET, path).header("Accept", accept).send().await.expect("an answer")
}

#[tokio::test]
async fn binary_is_read_in_its_own_media_type_unless_fhir_is_asked_for() {
    let app = TestApp::start();
    let sent = json!({ "resourceType": "Binary", "contentType": "text/html", "data": "PGI+VGVzdDwvYj4=",
                       "securityContext": { "reference": "Patient/p" } });
    let made = location(&app, &post(&app, "/fhir/Binary", &sent).await);
    let path = format!("/fhir/{}", made.split("/_history").next().expect("a path"));
    for (path, accept) in [(path.clone(), "*/*"), (path.clone(), "text/html"), (format!("/fhir/{made}"), "text/*")] {
        let answer = read(&app, &path, accept).await;
        assert_eq!(answer.status(), StatusCode::OK, "{accept}");
        assert_eq!(header(&answer, "content-type"), "text/html");
        assert_eq!(header(&answer, "etag"), "W/\"1\"");
        assert_eq!(header(&answer, "x-security-context"), "Patient/p");
        // What somebody stored is no page of this server.
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert!(header(&answer, "content-security-policy").contains("sandbox"));
        assert_eq!(answer.text().await.expect("text"), "<b>Test</b>");
    }
    for (query, accept) in [("", "application/fhir+json"), ("?_format=json", "*/*"), ("?_pretty=true", "*/*")] {
        let answer = read(&app, &format!("{path}{query}"), accept).await;
        let resource: Value = answer.json().await.expect("JSON");
        assert_eq!(resource["data"], "PGI+VGVzdDwvYj4=", "{query} {accept}");
    }
    outcome(read(&app, &path, "image/png").await, StatusCode::NOT_ACCEPTABLE).await;
    let unchanged = app.request(Method::GET, &path).header("If-None-Match", "W/\"1\"").send().await;
    assert_eq!(unchanged.expect("an answer").status(), StatusCode::NOT_MODIFIED);
    outcome(read(&app, "/fhir/Binary/none", "*/*").await, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn content_of_a_binary_is_taken_as_it_is() {
    let app = TestApp::start();
    let write = async |method: Method, path: &str, media_type: &str, body: &[u8]| {
        let request =
            app.request(method, path).header("Content-Type", media_type).header("X-Security-Context", "Patient/p");
        request.body(body.to_vec()).send().await.expect("an answer")
    };
    let bytes = b"%PDF-1.7 \x00\xff";
    assert_eq!(write(Method::POST, "/fhir/Binary", "application/pdf", bytes).await.status(), StatusCode::CREATED);
    assert_eq!(write(Method::PUT, "/fhir/Binary/b", "application/pdf", bytes).await.status(), StatusCode::CREATED);
    let kept = app.json("/fhir/Binary/b?_format=json").await;
    assert_eq!((&kept["contentType"], &kept["data"]), (&json!("application/pdf"), &json!("JVBERi0xLjcgAP8=")));
    assert_eq!(kept["securityContext"]["reference"], "Patient/p");
    let content = app.get("/fhir/Binary/b").await;
    assert_eq!(content.bytes().await.expect("bytes").as_ref(), bytes);
    // The same again makes no version; no content, and content at another type, are refused.
    let again = write(Method::PUT, "/fhir/Binary/b", "application/pdf", bytes).await;
    assert_eq!((again.status(), header(&again, "etag").as_str()), (StatusCode::OK, "W/\"1\""));
    outcome(write(Method::POST, "/fhir/Binary", "application/pdf", b"").await, StatusCode::BAD_REQUEST).await;
    let patient = write(Method::POST, "/fhir/Patient", "application/pdf", bytes).await;
    outcome(patient, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    // A page of another site sends text without a question before, but not without its origin.
    let page = app.request(Method::POST, "/fhir/Binary").header("Origin", "https://other.example").body("x");
    let page = page.header("Content-Type", "text/plain").send().await.expect("an answer");
    outcome(page, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    // FHIR sent as FHIR is a resource, which must be a Binary.
    let resource = write(Method::POST, "/fhir/Binary", "application/fhir+json", b"{\"resourceType\":\"Goal\"}").await;
    assert!(resource.status().is_client_error());
}
