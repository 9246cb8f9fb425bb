//! The answer to a write: status, version headers, and the body that the client prefers.
//! <https://hl7.org/fhir/R4/http.html#ops>

use super::{Done, DoneAnswer, Failure, Intent, Keep, Performed, links::Links, perform};
use crate::{
    api::{
        conditional::{etag, http_date},
        error::ApiError,
        fhir::acceptance::RULES,
        idempotency::{self, Ticket},
        parameters,
        representation::Representation,
        session::Session,
    },
    consent::Sight,
    fhir::{
        outcome::{Issue, IssueType, Severity, operation_outcome},
        validate::Report,
    },
    store::{
        StoredResource,
        once::{KeptAnswer, ShownRow},
        transaction::ChangeOutcome,
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderName},
    },
};
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;

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

/// In which manner what was done is told.
#[derive(Clone)]
pub struct Manner {
    pub fhir_base: String,
    pub prefers: Return,
    pub sight: Sight,
}

impl Manner {
    pub fn of(api: &Session, request: &HttpRequest) -> Self {
        Self { fhir_base: api.fhir_base(), prefers: Return::of(request), sight: api.rows().clone() }
    }

    /// What was written is a row like any other: who may not see it does not get it back.
    pub fn shows(&self, resource: &StoredResource) -> bool {
        self.prefers == Return::Representation && !resource.is_deletion() && self.sight.shows(resource)
    }

    /// The answer to a request about one resource.
    fn one(&self, done: &Done) -> KeptAnswer {
        let resource = &done.resource;
        let mut status = status(done.outcome);
        if status == StatusCode::NO_CONTENT && self.prefers == Return::Outcome {
            status = StatusCode::OK;
        }
        let mut headers = Vec::new();
        let mut header = |name: HeaderName, value: String| headers.push((name.as_str().to_owned(), value));
        if resource.version_id > 0 {
            header(header::ETAG, etag(resource.version_id));
            header(header::LAST_MODIFIED, http_date(resource.last_updated).to_string());
        }
        if !resource.is_deletion() {
            header(header::LOCATION, format!("{}/{}", self.fhir_base, location(done)));
        }
        let body = match self.prefers {
            Return::Outcome => outcome(done).to_string().into(),
            Return::Representation | Return::Minimal if self.shows(resource) => resource.body.clone(),
            Return::Representation | Return::Minimal => Bytes::new(),
        };
        KeptAnswer { status: status.as_u16(), headers, body, rows: shown(std::slice::from_ref(done)) }
    }
}

/// The rows that an answer tells of.
pub fn shown(done: &[Done]) -> Vec<ShownRow> {
    let there = done.iter().map(|done| &done.resource).filter(|resource| resource.version_id > 0);
    let row = |resource: &StoredResource| ShownRow {
        resource_type: resource.resource_type.clone(),
        id: resource.id.clone(),
        version_id: resource.version_id,
    };
    there.map(row).collect()
}

/// Does what a request about one resource asks for, and answers it.
pub async fn perform_one(
    api: &Session,
    request: &HttpRequest,
    representation: Representation,
    (intent, report): (Intent, Report),
    ticket: Option<Ticket>,
) -> Result<HttpResponse, ApiError> {
    let manner = Manner::of(api, request);
    let of_one = move |done: Vec<Done>| match done.first() {
        Some(done) => manner.one(done),
        // A plan of one intent has one fate.
        None => KeptAnswer { status: 500, headers: Vec::new(), body: Bytes::new(), rows: Vec::new() },
    };
    let answer: DoneAnswer = Arc::new(of_one);
    let keep = ticket.map(|ticket| Keep { ticket, answer: Arc::clone(&answer) });
    let performed = perform(api, &[intent], &Links::default(), &[report], keep.as_ref()).await;
    let kept = match performed.map_err(failure)? {
        Performed::Now(done) => answer(done),
        Performed::Before(kept) => kept,
    };
    Ok(idempotency::send(representation, kept))
}

/// The one failure of a request about one resource.
pub fn failure(failures: Vec<Failure>) -> ApiError {
    failures.into_iter().next().map_or(ApiError::Unwritable, |failure| failure.error)
}
