//! The api room: how much one request may ask for. Each limit is a setting, and an answer that refuses names both.

use crate::api::{Api, error::ApiError};
use actix_web::{
    HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web,
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Up to so many bytes a body is taken without asking how many others are being taken.
pub const LARGE_BODY: usize = 1024 * 1024;

/// What one request may ask for; the names are those of the settings.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body under `/kap/v1`, and of a search's form.
    pub body_limit: usize,
    /// Bytes of a body under `/fhir`.
    pub fhir_body_limit: usize,
    /// Bodies larger than a mebibyte that are in memory at one time.
    pub large_bodies: Arc<Semaphore>,
    /// Entries of a batch or transaction.
    pub bundle_entries: usize,
    /// Elements in each other.
    pub content_depth: usize,
    /// Resources that come along with one page.
    pub include_limit: usize,
    /// Links of a chain, and of `_has`.
    pub chain_links: usize,
    /// Time for one request, from its head to its answer; zero: any.
    pub request_time: Duration,
    /// Time in which a body must arrive.
    pub body_time: Duration,
}

/// The most bytes that a body may have, and the setting that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit {
    pub bytes: usize,
    pub setting: &'static str,
}

impl Limits {
    pub fn of_records(&self) -> BodyLimit {
        BodyLimit { bytes: self.body_limit, setting: "body_limit" }
    }

    pub fn of_fhir(&self) -> BodyLimit {
        BodyLimit { bytes: self.fhir_body_limit, setting: "fhir_body_limit" }
    }

    /// Waits until there is room for a large body; the room is the request's until it is answered.
    pub async fn room_for_large(&self, request: &HttpRequest) -> Result<(), ApiError> {
        if request.extensions().contains::<Room>() {
            return Ok(());
        }
        let waiting = Arc::clone(&self.large_bodies).acquire_owned();
        match tokio::time::timeout(self.body_time / 2, waiting).await {
            Ok(Ok(permit)) => {
                request.extensions_mut().insert(Room { _permit: permit });
                Ok(())
            }
            Ok(Err(_)) | Err(_) => Err(ApiError::NoRoom),
        }
    }

    pub fn check_depth(&self, content: &Value) -> Result<(), ApiError> {
        match is_within(content, self.content_depth) {
            true => Ok(()),
            false => Err(ApiError::TooDeep { limit: self.content_depth }),
        }
    }
}

struct Room {
    _permit: OwnedSemaphorePermit,
}

/// The readers of JSON and XML have bounded the depth already.
fn is_within(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| is_within(item, depth - 1)),
        Value::Object(members) => depth > 0 && members.values().all(|member| is_within(member, depth - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// The middleware of every route: an answer comes in time, or it is said that it does not.
pub async fn in_time(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let limit = request.app_data::<web::Data<Api>>().map(|api| api.limits.request_time);
    let Some(time) = limit.filter(|time| !time.is_zero()) else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let asked = request.request().clone();
    match tokio::time::timeout(time, next.call(request)).await {
        Ok(answered) => answered.map(ServiceResponse::map_into_boxed_body),
        Err(_) => Ok(ServiceResponse::from_err(ApiError::TooLong { seconds: time.as_secs() }, asked)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn depth_counts_lists_and_objects() {
        let content = json!({ "a": [{ "b": 1 }] });
        assert!(is_within(&content, 3) && !is_within(&content, 2));
    }
}
