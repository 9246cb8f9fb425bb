//! `SearchParameter/$reindex`: how far the search parameters of the installation's own are. They are indexed by themselves
//! when they are stored as active.

use super::operation::{self, Operation};
use crate::{
    api::{error::ApiError, fhir, session::Session},
    ingest::{Progress, ProgressState},
};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

pub static REINDEX: Operation = Operation {
    name: "reindex",
    definition: "https://kap-gateway.example.org/fhir/OperationDefinition/kap-reindex",
    resource_type: Some("SearchParameter"),
};

pub async fn reindex(request: HttpRequest, api: Session) -> Result<HttpResponse, ApiError> {
    let representation = fhir::representation_only(&request)?;
    api.gateway.load_parameters().await?;
    let progress = api.gateway.parameter_progress();
    // Said where there is none, too: XML has no resource without content.
    let number = json!({ "name": "count", "valueInteger": count(progress.len() as u64) });
    let told = std::iter::once(number).chain(progress.iter().map(told)).collect::<Vec<_>>();
    Ok(operation::answer(representation, told))
}

fn count(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn told(progress: &Progress) -> Value {
    let (state, reason) = match &progress.state {
        ProgressState::Indexing => ("indexing", None),
        ProgressState::Searchable => ("searchable", None),
        ProgressState::Refused(reason) => ("refused", Some(reason)),
    };
    let mut parts = vec![
        json!({ "name": "url", "valueUri": progress.url }),
        json!({ "name": "code", "valueString": progress.code }),
        json!({ "name": "state", "valueCode": state }),
        json!({ "name": "lookedAt", "valueInteger": count(progress.looked_at) }),
        json!({ "name": "changed", "valueInteger": count(progress.changed) }),
    ];
    parts.extend(progress.types.iter().map(|name| json!({ "name": "base", "valueCode": name })));
    parts.extend(reason.map(|reason| json!({ "name": "reason", "valueString": reason })));
    json!({ "name": "searchParameter", "part": parts })
}
