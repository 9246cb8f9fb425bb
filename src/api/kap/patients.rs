//! `$merge`: two patients who are one; `$unmerge`: they are two after all.

use super::{JSON, body, check_json_is_accepted, query};
use crate::api::{error::ApiError, session::Session};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

pub async fn merge(request: HttpRequest, payload: web::Payload, api: Session) -> Result<HttpResponse, ApiError> {
    query(&request, &[])?;
    check_json_is_accepted(&request)?;
    let body = body(&request, payload, &api).await?;
    let merged = api.gateway.merge_patients(api.rows(), &body).await?;
    let mut answer = json!({
        "outcome": if merged.is_unchanged { "unchanged" } else { "merged" },
        "survivor": format!("Patient/{}", merged.survivor),
        "merged": format!("Patient/{}", merged.merged),
    });
    if let Some(provenance) = merged.provenance {
        answer["provenance"] = format!("Provenance/{provenance}").into();
    }
    Ok(HttpResponse::Ok().content_type(JSON).body(answer.to_string()))
}

pub async fn unmerge(request: HttpRequest, payload: web::Payload, api: Session) -> Result<HttpResponse, ApiError> {
    query(&request, &[])?;
    check_json_is_accepted(&request)?;
    let body = body(&request, payload, &api).await?;
    let unmerged = api.gateway.unmerge_patients(api.rows(), &body).await?;
    let record =
        |key: &crate::store::RecordKey| json!({ "kind": key.kind, "system": key.system, "recordId": key.record_id });
    let mut answer = json!({
        "outcome": if unmerged.is_unchanged { "unchanged" } else { "unmerged" },
        "survivor": format!("Patient/{}", unmerged.survivor),
        "merged": format!("Patient/{}", unmerged.merged),
        "records": unmerged.records.iter().map(record).collect::<Vec<_>>(),
        "undecided": unmerged.undecided,
        "undecidedTotal": unmerged.undecided_total,
    });
    if let Some(provenance) = unmerged.provenance {
        answer["provenance"] = format!("Provenance/{provenance}").into();
    }
    Ok(HttpResponse::Ok().content_type(JSON).body(answer.to_string()))
}
