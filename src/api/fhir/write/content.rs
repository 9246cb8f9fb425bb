//! The content of a write: whether it is taken, and as which bytes it is kept.

use crate::{
    api::{
        Api,
        error::ApiError,
        fhir::acceptance::{self, Purpose},
    },
    fhir::{
        codec, search,
        search::patient,
        validate::{Enforced, Report, Validator},
    },
    store::{Write, WriteMode},
};
use actix_web::{http::StatusCode, web};
use serde_json::{Map, Value};

/// Content up to so many bytes is validated on the thread that answers: it takes less than a change of thread.
const SMALL: usize = 16 * 1024;

/// Ids as FHIR has them. <https://hl7.org/fhir/R4/datatypes.html#id>
pub fn is_id(text: &str) -> bool {
    let letters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
    (1..=64).contains(&text.len()) && letters
}

/// Is it a resource of that type at all? What more it must be, the validator tells.
pub fn check_type(resource_type: &str, resource: &Value) -> Result<(), ApiError> {
    let wrong = |told: String| Err(ApiError::NotThatResource(told));
    match resource.get("resourceType").map(Value::as_str) {
        _ if !resource.is_object() => wrong("the body is no JSON object, and a resource is one".to_owned()),
        None => wrong(format!("the body has no resourceType; here it is {resource_type}")),
        Some(Some(own)) if own == resource_type => Ok(()),
        Some(Some(own)) if acceptance::is_resource_type(own) => {
            wrong(format!("the body is a {own}, and this path is for {resource_type}"))
        }
        Some(_) => wrong("the body's resourceType is no resource type of R4".to_owned()),
    }
}

/// Holds content to R4 and to the profiles that it claims, as far as the gateway is configured to: with an error it is
/// not taken.
pub async fn accept(
    api: &Api,
    resource_type: &str,
    resource: Value,
    size: usize,
    purpose: Purpose<'_>,
) -> Result<(Value, Report), ApiError> {
    if size <= SMALL {
        let report = judge((api.validator_on_write(), api.enforced), resource_type, &resource, purpose);
        return taken(report).map(|report| (resource, report));
    }
    let (validator, enforced) = (api.validator_on_write().cloned(), api.enforced);
    let resource_type = resource_type.to_owned();
    let id = match purpose {
        Purpose::Update { id, version } => Some((id.to_owned(), version)),
        Purpose::Look | Purpose::Create => None,
    };
    let judged = web::block(move || {
        let purpose = match &id {
            Some((id, version)) => Purpose::Update { id, version: *version },
            None => Purpose::Create,
        };
        let report = judge((validator.as_ref(), enforced), &resource_type, &resource, purpose);
        (resource, report)
    });
    let (resource, report) = judged.await.map_err(|_| ApiError::Framework(StatusCode::INTERNAL_SERVER_ERROR))?;
    taken(report).map(|report| (resource, report))
}

fn taken(report: Result<Report, ApiError>) -> Result<Report, ApiError> {
    match report? {
        report if report.is_valid() => Ok(report),
        report => Err(ApiError::Invalid(report)),
    }
}

/// Without a validator the content must still be what every answer can be written from: R4's elements and no other.
pub fn judge(
    (validator, enforced): (Option<&std::sync::Arc<Validator>>, Enforced),
    resource_type: &str,
    resource: &Value,
    purpose: Purpose,
) -> Result<Report, ApiError> {
    match validator {
        Some(validator) => Ok(acceptance::report((validator, enforced), resource_type, resource, purpose, &[])),
        None => match is_r4(resource) {
            true => Ok(Report::default()),
            // The codec's text may repeat the content: $validate tells what is wrong.
            false => Err(ApiError::NotR4),
        },
    }
}

/// Can the codec read it: R4's elements, and no other? Empty lists and objects, which FHIR does not have, end the codec.
pub fn is_r4(resource: &Value) -> bool {
    !is_hollow(resource) && codec::from_json(resource.to_string().as_bytes()).is_ok()
}

/// As deep as the reader of the body lets content be.
fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty() || items.iter().any(is_hollow),
        Value::Object(members) => members.is_empty() || members.values().any(is_hollow),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The store's write: the bytes that are kept, what finds them, and whose they are.
pub fn write(resource_type: &str, id: &str, resource: &Value) -> Result<Write, ApiError> {
    let body = body(resource_type, id, resource);
    let index = search::extract(resource_type, &body).map_err(|_| ApiError::Unwritable)?;
    Ok(Write {
        resource_type: resource_type.to_owned(),
        id: id.to_owned(),
        patient: patient::patient(resource_type, id, resource),
        body: body.into(),
        mode: WriteMode::Put,
        index,
    })
}

/// Type, id and meta first, as the store wants them; the rest in the order in which it came. Version and time of the
/// last change are the server's to tell.
fn body(resource_type: &str, id: &str, resource: &Value) -> Vec<u8> {
    let mut ordered = Map::new();
    ordered.insert("resourceType".into(), resource_type.into());
    ordered.insert("id".into(), id.into());
    let mut meta = resource.get("meta").and_then(Value::as_object).cloned().unwrap_or_default();
    for of_the_server in ["versionId", "_versionId", "lastUpdated", "_lastUpdated"] {
        meta.shift_remove(of_the_server);
    }
    ordered.insert("meta".into(), Value::Object(meta));
    for (name, value) in resource.as_object().into_iter().flatten() {
        if !matches!(name.as_str(), "resourceType" | "id" | "meta") {
            ordered.insert(name.clone(), value.clone());
        }
    }
    Value::Object(ordered).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn body_starts_with_type_id_and_meta_and_keeps_the_rest_in_order() {
        let sent: Value = serde_json::from_str(
            r#"{"meta":{"versionId":"7","lastUpdated":"2026-01-01T00:00:00Z","tag":[{"code":"HTEST"}]},
                "valueDecimal":0.50,"id":"theirs","_active":{"id":"x"},"resourceType":"Basic"}"#,
        )
        .expect("JSON");
        let kept = String::from_utf8(body("Basic", "ours", &sent)).expect("text");
        let expected = concat!(
            r#"{"resourceType":"Basic","id":"ours","meta":{"tag":[{"code":"HTEST"}]},"#,
            r#""valueDecimal":0.50,"_active":{"id":"x"}}"#
        );
        assert_eq!(kept, expected);
    }

    #[test]
    fn ids_are_letters_digits_hyphens_and_dots() {
        let longest = "a".repeat(64);
        for id in ["a", "A-1.b", longest.as_str()] {
            assert!(is_id(id), "{id}");
        }
        let too_long = "a".repeat(65);
        for id in ["", "a_b", "a/b", "ä", too_long.as_str()] {
            assert!(!is_id(id), "{id}");
        }
    }

    #[test]
    fn what_is_no_resource_of_the_type_is_told() {
        for body in [json!([]), json!({}), json!({ "resourceType": 1 }), json!({ "resourceType": "Goal" })] {
            assert!(check_type("Patient", &body).is_err(), "{body}");
        }
        assert!(check_type("Patient", &json!({ "resourceType": "Patient" })).is_ok());
    }
}
