//! Records: store one, get one back as it was sent.

use super::{JSON, SYSTEM, body, check_json_is_accepted, kind, query, seen_remarks, segment, system};
use crate::{
    api::{
        conditional::{Version, version_headers},
        error::ApiError,
        parameters::{self, Parameter},
        session::Session,
    },
    ingest::{Fault, Receipt, RecordOutcome},
    store::WriteOutcome,
};
use actix_web::{HttpRequest, HttpResponse, http::header, web};
use serde_json::{Value, json};

pub async fn post(request: HttpRequest, payload: web::Payload, api: Session) -> Result<HttpResponse, ApiError> {
    store(&request, payload, &api, None).await
}

pub async fn put(request: HttpRequest, payload: web::Payload, api: Session) -> Result<HttpResponse, ApiError> {
    let record_id = segment(&request, "record_id")?;
    store(&request, payload, &api, Some(&record_id)).await
}

async fn store(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Session,
    record_id: Option<&str>,
) -> Result<HttpResponse, ApiError> {
    let kind = kind(request)?;
    query(request, &[])?;
    check_json_is_accepted(request)?;
    let body = body(request, payload, api).await?;
    let mut receipt = api.gateway.ingest(kind, &body, record_id).await?;
    receipt.remarks = seen_remarks(api, receipt.remarks).await?;
    let mut answer = match receipt.outcome {
        RecordOutcome::Created => HttpResponse::Created(),
        RecordOutcome::Updated | RecordOutcome::Unchanged => HttpResponse::Ok(),
    };
    Ok(answer
        .insert_header((header::LOCATION, location(api, &receipt)))
        .content_type(JSON)
        .body(receipt_json(&receipt).to_string()))
}

/// Where the record can be had; the system is in it, because another may use the same id.
fn location(api: &Session, receipt: &Receipt) -> String {
    let system = parameters::encode(&[Parameter::new(SYSTEM, receipt.system.as_str())]);
    format!("{}/kap/v1/{}/{}?{system}", api.base_url, receipt.kind.as_str(), receipt.record_id)
}

fn receipt_json(receipt: &Receipt) -> Value {
    let resources = receipt.resources.iter().map(|written| {
        json!({
            "reference": format!("{}/{}", written.resource_type, written.id),
            "versionId": written.version_id.to_string(),
            "outcome": match written.outcome {
                WriteOutcome::Created => "created",
                WriteOutcome::Updated => "updated",
                WriteOutcome::Unchanged => "unchanged",
            },
        })
    });
    json!({
        "kind": receipt.kind.as_str(),
        "system": receipt.system,
        "recordId": receipt.record_id,
        "revision": receipt.revision,
        "outcome": match receipt.outcome {
            RecordOutcome::Created => "created",
            RecordOutcome::Updated => "updated",
            RecordOutcome::Unchanged => "unchanged",
        },
        "patient": format!("Patient/{}", receipt.patient_id),
        "course": format!("EpisodeOfCare/{}", receipt.course_id),
        "resources": resources.collect::<Vec<_>>(),
        "warnings": receipt.warnings.iter().map(warning).collect::<Vec<_>>(),
        "rules": receipt.remarks,
    })
}

fn warning(fault: &Fault) -> Value {
    json!({ "pointer": fault.pointer, "text": fault.sentence })
}

/// The record, rebuilt from the FHIR resources that it became.
pub async fn get(request: HttpRequest, api: Session) -> Result<HttpResponse, ApiError> {
    let kind = kind(&request)?;
    let record_id = segment(&request, "record_id")?;
    let system = system(&request)?;
    check_json_is_accepted(&request)?;
    let rebuilt = api.gateway.record(api.rows(), kind, &record_id, system.as_deref()).await?;
    let version = Version { tag: &rebuilt.revision, last_updated: rebuilt.last_updated };
    let (mut answer, unchanged) = version_headers(&request, version);
    if unchanged {
        return Ok(answer.finish());
    }
    Ok(answer.content_type(JSON).body(rebuilt.record.to_string()))
}
