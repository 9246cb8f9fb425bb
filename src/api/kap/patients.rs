//! `$merge`: two patients who are one.

use super::{JSON, body, check_json_is_accepted, query};
use crate::api::{error::ApiError, session::Session};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

pub async fn merge(request: HttpRequest, payload: web::Payload, api: Session) -> Result<HttpResponse, ApiError> {
    query(&request, &[])?;
    check_json_is_accepted(&request)?;
    let body = body(&request, payload, &api).await?;
    let merged = api.gateway.merge_patients(api.rows(), &body).await?;
    let answer = json!({
        "outcome": if merged.is_unchanged { "unchanged" } else { "merged" },
        "survivor": format!("Patient/{}", merged.survivor),
        "merged": format!("Patient/{}", merged.merged),
    });
    Ok(HttpResponse::Ok().content_type(JSON).body(answer.to_string()))
}
