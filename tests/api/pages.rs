//! The contract, the page that shows it, and health.

use crate::test_app::{TestApp, header};
use reqwest::StatusCode;
use serde_json::Value;

#[tokio::test]
async fn health_and_readiness_answer() {
    let app = TestApp::start();
    assert_eq!(app.json("/healthz").await["status"], "alive");
    assert_eq!(app.json("/readyz").await["status"], "ready");
}

#[tokio::test]
async fn contract_is_the_same_in_yaml_and_json() {
    let app = TestApp::start();
    let response = app.get("/openapi.yaml").await;
    assert_eq!(header(&response, "content-type"), "application/yaml; charset=utf-8");
    let yaml: Value = serde_saphyr::from_str(&response.text().await.expect("text")).expect("YAML");
    assert_eq!(yaml["openapi"], "3.1.0");
    assert_eq!(app.json("/openapi.json").await, yaml);
}

#[tokio::test]
async fn page_needs_no_other_server() {
    let app = TestApp::start();
    assert_eq!(app.get("/").await.status(), StatusCode::SEE_OTHER);
    let page = app.get("/docs").await.text().await.expect("text");
    let mut files = 0;
    for attribute in ["href=\"", "src=\""] {
        for rest in page.split(attribute).skip(1) {
            let url = rest.split('"').next().expect("a value");
            assert_eq!(app.get(url).await.status(), StatusCode::OK, "{url}");
            files += 1;
        }
    }
    assert!(files >= 4, "{page}");
}
