//! `/healthz`: the process lives. `/readyz`: it can take work.

use crate::api::{Api, Endpoint, error::ApiError};
use actix_web::{HttpResponse, http::Method, web};
use serde_json::json;

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint { method: Method::GET, path: "/healthz", interaction: None, route: || web::route().to(alive) },
        Endpoint { method: Method::GET, path: "/readyz", interaction: None, route: || web::route().to(ready) },
    ]
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") }))
}

/// 503 with an OperationOutcome while the store cannot take a write.
async fn ready(api: web::Data<Api>) -> Result<HttpResponse, ApiError> {
    api.door.check().await?;
    Ok(HttpResponse::Ok().json(json!({ "status": "ready" })))
}
