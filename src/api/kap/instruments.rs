//! Instruments: what this gateway knows of each, with the marks of what nobody has verified.

use super::{JSON, check_json_is_accepted, query, segment};
use crate::api::{Api, error::ApiError};
use actix_web::{HttpRequest, HttpResponse, http::header, web};
use serde_json::Value;

/// All in short.
pub async fn list(request: HttpRequest, api: web::Data<Api>) -> Result<HttpResponse, ApiError> {
    query(&request, &[])?;
    check_json_is_accepted(&request)?;
    Ok(answer(&api.gateway.instruments()))
}

/// One whole, by its key or by that of one of its scales.
pub async fn show(request: HttpRequest, api: web::Data<Api>) -> Result<HttpResponse, ApiError> {
    let key = segment(&request, "key")?;
    query(&request, &[])?;
    check_json_is_accepted(&request)?;
    let instrument = api.gateway.instrument(&key).ok_or(ApiError::UnknownInstrument)?;
    Ok(answer(&instrument))
}

/// No patient's data: anybody may keep it for a while. It changes only when the gateway starts again.
fn answer(value: &Value) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-cache")).content_type(JSON).body(value.to_string())
}
