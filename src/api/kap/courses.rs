//! Courses: all of one as a timeline.

use super::{JSON, check_json_is_accepted, segment, system};
use crate::api::{Api, error::ApiError};
use actix_web::{HttpRequest, HttpResponse, http::header, web};

/// By the EpisodeOfCare's id, or by the sender's identifier of the course.
pub async fn course(request: HttpRequest, api: web::Data<Api>) -> Result<HttpResponse, ApiError> {
    let id = segment(&request, "id")?;
    let system = system(&request)?;
    check_json_is_accepted(&request)?;
    let timeline = api.gateway.course(&id, system.as_deref()).await?;
    let text = serde_json::to_vec(&timeline).map_err(|_| ApiError::Unwritable)?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "private, no-cache")).content_type(JSON).body(text))
}
