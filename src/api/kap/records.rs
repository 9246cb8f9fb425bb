//! Records: store one, get one back as it was sent.

use super::{JSON, SYSTEM, body, check_json_is_accepted, kind, query, segment, system};
use crate::{
    api::{
        conditional::{Version, version_headers},
        error::ApiError,
        idempotency::{self, Begun, Ticket},
        parameters::{self, Parameter},
        session::Session,
    },
    ingest::{Fault, Ingested, Judging, Manner, Receipt, ReceiptAnswer, RecordOnce, RecordOutcome},
    store::{
        WriteOutcome, WrittenResource,
        once::{KeptAnswer, ShownRow},
    },
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, rt, web};
use serde_json::{Value, json};
use std::sync::Arc;

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
    let ticket = match idempotency::begin(request, api).await? {
        Begun::Again(kept) => return Ok(idempotency::send_json(kept)),
        Begun::First(ticket) => ticket,
    };
    let answer: ReceiptAnswer = {
        let base_url = api.base_url.clone();
        Arc::new(move |receipt: &Receipt| kept(&base_url, receipt))
    };
    let key = ticket.as_ref().map(Ticket::key);
    let once = key.map(|key| RecordOnce { key, answer: Arc::clone(&answer) });
    let manner = Manner { judging: Judging::Now, sight: api.rows().clone(), once };
    let (gateway, record_id) = (Arc::clone(&api.gateway), record_id.map(str::to_owned));
    // Ends what it has begun also where the client goes away or the time for the request is over.
    let ingesting = rt::spawn(async move { gateway.ingest_for(kind, &body, record_id.as_deref(), &manner).await });
    let ingested = ingesting.await.map_err(|_| ApiError::Framework(StatusCode::INTERNAL_SERVER_ERROR))??;
    Ok(idempotency::send_json(match (ingested, key) {
        (Ingested::Before(earlier), Some(key)) => {
            idempotency::again(api, &key, earlier.request, earlier.answer).await?
        }
        (Ingested::Before(earlier), None) => earlier.answer,
        (Ingested::Now(receipt), _) => answer(&receipt),
    }))
}

/// The answer to a receipt, as it is sent and kept.
fn kept(base_url: &str, receipt: &Receipt) -> KeptAnswer {
    let status = match receipt.outcome {
        RecordOutcome::Created => StatusCode::CREATED,
        RecordOutcome::Updated | RecordOutcome::Unchanged | RecordOutcome::Withdrawn => StatusCode::OK,
    };
    let row = |written: &WrittenResource| ShownRow {
        resource_type: written.resource_type.clone(),
        id: written.id.clone(),
        version_id: written.version_id,
    };
    KeptAnswer {
        status: status.as_u16(),
        headers: vec![("location".to_owned(), location(base_url, receipt))],
        body: receipt_json(receipt).to_string().into(),
        rows: receipt.resources.iter().map(row).collect(),
    }
}

/// Where the record can be had; the system is in it, because another may use the same id.
fn location(base_url: &str, receipt: &Receipt) -> String {
    let system = parameters::encode(&[Parameter::new(SYSTEM, receipt.system.as_str())]);
    format!("{base_url}/kap/v1/{}/{}?{system}", receipt.kind.as_str(), receipt.record_id)
}

pub(super) fn receipt_json(receipt: &Receipt) -> Value {
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
            RecordOutcome::Withdrawn => "withdrawn",
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
