//! `$withdraw`: a sender takes a record back.

use super::{JSON, body, check_json_is_accepted, kind, records::receipt_json, segment, system};
use crate::api::{error::ApiError, session::Session};
use actix_web::{HttpRequest, HttpResponse, web};

pub async fn withdraw(request: HttpRequest, payload: web::Payload, api: Session) -> Result<HttpResponse, ApiError> {
    let kind = kind(&request)?;
    let record_id = segment(&request, "record_id")?;
    let system = system(&request)?;
    check_json_is_accepted(&request)?;
    let body = body(&request, payload, &api).await?;
    let receipt = api.gateway.withdraw(api.rows(), kind, &record_id, system.as_deref(), &body).await?;
    Ok(HttpResponse::Ok().content_type(JSON).body(receipt_json(&receipt).to_string()))
}
