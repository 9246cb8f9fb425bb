//! GET in a batch or transaction. <https://hl7.org/fhir/R4/http.html#transaction>

use super::{
    entry::{Reading, Target},
    response::{line, of_error},
};
use crate::{
    api::{
        conditional::etag,
        error::ApiError,
        fhir::{
            history::{self, instant},
            read, search, vread,
            write::IfMatch,
        },
        parameters::Handling,
        session::Session,
    },
    store::StoredResource,
};
use actix_web::http::StatusCode;
use bytes::Bytes;
use serde_json::{Value, json};

pub async fn answer(api: &Session, reading: Reading, handling: Handling) -> Value {
    let whole = |bundle: Result<Bytes, ApiError>| match bundle {
        Ok(bundle) => with_body(&bundle, json!({ "status": line(StatusCode::OK) })),
        Err(error) => of_error(&error),
    };
    let (found, subset) = match reading.target {
        Target::Search { place, parameters } => return whole(search::find(api, place, parameters, handling).await),
        Target::History { resource_type, id, parameters } => {
            return whole(history::find(api, parameters, resource_type, id).await);
        }
        Target::Read { resource_type, id, subset } => (read::find(api, resource_type, &id).await, subset),
        Target::Version { resource_type, id, version_id, subset } => {
            (vread::find(api, resource_type, &id, &version_id).await, subset)
        }
    };
    match found.and_then(|stored| Ok(subset.of(stored, &api.definitions)?)) {
        Ok(stored) => of_resource(&stored, reading.has, reading.since),
        Err(error) => of_error(&error),
    }
}

fn of_resource(stored: &StoredResource, has: Option<IfMatch>, since: Option<i64>) -> Value {
    let is_there = match has {
        None => since.is_some_and(|since| stored.last_updated <= since),
        Some(IfMatch::Any) => true,
        Some(IfMatch::Version(version)) => version == stored.version_id,
    };
    let status = if is_there { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let response = json!({
        "status": line(status),
        "etag": etag(stored.version_id),
        "lastModified": instant(stored.last_updated),
    });
    if is_there { json!({ "response": response }) } else { with_body(&stored.body, response) }
}

fn with_body(body: &[u8], response: Value) -> Value {
    match serde_json::from_slice::<Value>(body) {
        Ok(resource) => json!({ "resource": resource, "response": response }),
        Err(_) => of_error(&ApiError::Unwritable),
    }
}
