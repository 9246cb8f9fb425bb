//! Courses: all of one as a timeline.

use super::{JSON, SYSTEM, check_json_is_accepted, query, segment, system};
use crate::{
    api::{
        error::{ApiError, ParameterError},
        session::Session,
    },
    fhir::outcome::IssueType,
};
use actix_web::{HttpRequest, HttpResponse, http::header};

/// By the EpisodeOfCare's id, or by the sender's identifier of the course.
pub async fn course(request: HttpRequest, api: Session) -> Result<HttpResponse, ApiError> {
    let id = segment(&request, "id")?;
    let system = system(&request)?;
    check_json_is_accepted(&request)?;
    let timeline = api.gateway.course(api.rows(), &id, system.as_deref()).await?;
    let text = serde_json::to_vec(&timeline).map_err(|_| ApiError::Unwritable)?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "private, no-cache")).content_type(JSON).body(text))
}

const AS_OF: &str = "asOf";

/// How the safety rules stand for a course, now or as of an instant.
pub async fn rules(request: HttpRequest, api: Session) -> Result<HttpResponse, ApiError> {
    let id = segment(&request, "id")?;
    let parameters = query(&request, &[SYSTEM, AS_OF])?;
    check_json_is_accepted(&request)?;
    let value = |name: &str| parameters.iter().find(|own| own.name == name).map(|own| own.value.as_str());
    let wrong = |_: jiff::Error| {
        let problem = "must be an instant with an offset, such as 2026-02-10T12:00:00Z (write + as %2B)";
        ApiError::Parameters(vec![ParameterError::new(AS_OF, IssueType::Value, problem)])
    };
    let as_of = value(AS_OF).map(|text| text.parse::<jiff::Timestamp>().map_err(wrong)).transpose()?;
    let report = api.gateway.course_rules(api.rows(), &id, value(SYSTEM), as_of).await?;
    let text = serde_json::to_vec(&report).map_err(|_| ApiError::Unwritable)?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "private, no-cache")).content_type(JSON).body(text))
}
