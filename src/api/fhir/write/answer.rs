//! The answer to a write: status, version headers, and the body that the client prefers.
//! <https://hl7.org/fhir/R4/http.html#ops>

use super::{Done, Failure};
use crate::{
    api::{
        conditional::{etag, http_date},
        error::ApiError,
        fhir::acceptance::RULES,
        parameters,
        representation::Representation,
        session::Session,
    },
    fhir::outcome::{Issue, IssueType, Severity, operation_outcome},
    store::transaction::ChangeOutcome,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use serde_json::Value;

/// `Prefer: return=…`. What is none of these is no preference of ours, as the RFC has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    Minimal,
    Representation,
    Outcome,
}

impl Return {
    /// The resource where nothing is said: it shows what the server made of it.
    pub fn of(request: &HttpRequest) -> Self {
        Self::said(request).unwrap_or(Self::Representation)
    }

    pub fn said(request: &HttpRequest) -> Option<Self> {
        let all = [
            ("return=minimal", Self::Minimal),
            ("return=representation", Self::Representation),
            ("return=OperationOutcome", Self::Outcome),
        ];
        all.into_iter().find(|(text, _)| parameters::prefers(request, text)).map(|(_, preference)| preference)
    }
}

/// The status that tells what became of it.
pub fn status(outcome: ChangeOutcome) -> StatusCode {
    match outcome {
        ChangeOutcome::Created => StatusCode::CREATED,
        ChangeOutcome::Updated | ChangeOutcome::Unchanged => StatusCode::OK,
        ChangeOutcome::Deleted | ChangeOutcome::Absent => StatusCode::NO_CONTENT,
    }
}

/// The version that is there now, as a client can ask for it; below the FHIR base.
pub fn location(done: &Done) -> String {
    let resource = &done.resource;
    format!("{}/{}/_history/{}", resource.resource_type, resource.id, resource.version_id)
}

/// What was done and what the validator had to say, as a resource.
pub fn outcome(done: &Done) -> Value {
    let text = match done.outcome {
        ChangeOutcome::Created => "The resource was created.",
        ChangeOutcome::Updated => "The resource has a new version.",
        ChangeOutcome::Unchanged => "The resource is there already and says the same: nothing was stored.",
        ChangeOutcome::Deleted => "The resource was deleted; its versions stay in its history.",
        ChangeOutcome::Absent => "There was nothing to delete.",
    };
    let severity = Severity::Information;
    let told = Issue { severity, code: IssueType::Informational, text: text.to_owned(), place: None };
    let mut outcome = operation_outcome(&[told]);
    if !done.report.issues.is_empty() {
        let mut found = done.report.to_operation_outcome(RULES);
        if let (Some(all), Some(more)) = (outcome["issue"].as_array_mut(), found["issue"].as_array_mut()) {
            all.append(more);
        }
    }
    outcome
}

/// The answer to a request about one resource.
pub fn one(api: &Session, request: &HttpRequest, representation: Representation, done: Vec<Done>) -> HttpResponse {
    let Some(done) = done.into_iter().next() else {
        return HttpResponse::from_error(ApiError::Unwritable);
    };
    let prefers = Return::of(request);
    let mut status = status(done.outcome);
    if status == StatusCode::NO_CONTENT && prefers == Return::Outcome {
        status = StatusCode::OK;
    }
    let mut answer = HttpResponse::build(status);
    if done.resource.version_id > 0 {
        answer.insert_header((header::ETAG, etag(done.resource.version_id)));
        answer.insert_header((header::LAST_MODIFIED, http_date(done.resource.last_updated)));
    }
    if !done.resource.is_deletion() {
        answer.insert_header((header::LOCATION, format!("{}/{}", api.fhir_base(), location(&done))));
    }
    match (prefers, done.resource.is_deletion()) {
        (Return::Outcome, _) => representation.write(answer, outcome(&done).to_string().into()),
        // What was written is a row like any other.
        (Return::Representation, false) if api.rows().shows(&done.resource) => {
            representation.write(answer, done.resource.body)
        }
        (Return::Minimal | Return::Representation, _) => answer.finish(),
    }
}

/// The one failure of a request about one resource.
pub fn failure(failures: Vec<Failure>) -> ApiError {
    failures.into_iter().next().map_or(ApiError::Unwritable, |failure| failure.error)
}
