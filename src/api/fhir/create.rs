//! Create, also only where nothing is found (`If-None-Exist`). <https://hl7.org/fhir/R4/http.html#create>

use super::{
    acceptance::Purpose,
    binary,
    write::{Intent, Verb, answer, content, matching::Matching},
};
use crate::api::{
    Api, conditional,
    error::ApiError,
    fhir,
    idempotency::{self, Begun},
    session::Session,
};
use actix_web::{HttpRequest, HttpResponse, http::header::HeaderName, web};
use uuid::Uuid;

const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

pub async fn create(
    request: HttpRequest,
    resource_type: web::Path<String>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let resource_type = resource_type.into_inner();
    let representation = fhir::representation_only(&request)?;
    fhir::check_type(&resource_type)?;
    conditional::refuse_meaningless(&request, true)?;
    let unless = unless(&request, &api, &resource_type)?;
    let (resource, size) = binary::or_resource(&request, payload, &api, (&resource_type, None)).await?;
    let ticket = match idempotency::begin(&request, &api).await? {
        Begun::Again(kept) => return Ok(idempotency::send(representation, kept)),
        Begun::First(ticket) => ticket,
    };
    content::check_type(&resource_type, &resource)?;
    let (resource, report) = content::accept(&api, &resource_type, resource, size, Purpose::Create).await?;
    let verb = Verb::Create { id: Uuid::new_v4().to_string(), resource, unless };
    let intent = Intent { resource_type, verb, if_match: None };
    answer::perform_one(&api, &request, representation, (intent, report), ticket).await
}

/// The search of `If-None-Exist`.
fn unless(request: &HttpRequest, api: &Api, resource_type: &str) -> Result<Option<Matching>, ApiError> {
    let mut sent = request.headers().get_all(IF_NONE_EXIST);
    let Some(value) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        return Err(ApiError::WrongHeader { header: "If-None-Exist", problem: "may be given only once" });
    }
    let text = value
        .to_str()
        .map_err(|_| ApiError::WrongHeader { header: "If-None-Exist", problem: "must be percent-encoded ASCII" })?;
    Matching::of_text(api, resource_type, text).map(Some)
}
