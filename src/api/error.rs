//! Errors of the api room, and the one table that turns each into an HTTP answer.
//!
//! Every error is an OperationOutcome: <https://hl7.org/fhir/R4/http.html#Status-Codes>

use crate::{
    api::representation::Representation,
    fhir::{
        codec::CodecError,
        outcome::{Issue, IssueType, Place, Severity, operation_outcome},
    },
    ingest::{Fault, FaultKind, FaultSeverity, IngestError},
    store::StoreError,
};
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header},
};

/// One parameter of a request that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterError {
    pub name: String,
    pub code: IssueType,
    /// Says what is wrong, without the value: that may be patient data.
    pub problem: String,
}

impl ParameterError {
    pub fn new(name: &str, code: IssueType, problem: impl Into<String>) -> Self {
        Self { name: name.to_owned(), code, problem: problem.into() }
    }
}

/// Why a request could not be answered as asked. No `Display` text holds patient data.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("there is nothing at this path; GET /openapi.yaml lists what there is")]
    UnknownRoute,
    #[error("this path takes {allow} only")]
    MethodNotAllowed { allow: String },
    #[error("the URL or form holds percent-encoding that is not UTF-8 text: a % needs two hex digits (write % as %25)")]
    MalformedUrl,
    #[error("this server keeps no resources of that type; GET /fhir/metadata lists the types")]
    UnknownResourceType,
    #[error("there is no such kind of record; openapi.yaml has the kinds")]
    UnknownKind,
    #[error("there is no {resource_type} with that id")]
    NotFound { resource_type: String },
    #[error("the {resource_type} has no version with that number")]
    VersionNotFound { resource_type: String },
    #[error("no format that this server writes is accepted: ask for application/fhir+json or application/fhir+xml")]
    NotAcceptable,
    #[error("answers of /kap/v1 are written as application/json only: ask for that")]
    JsonNotAcceptable,
    #[error("no coding that this server writes is accepted: allow identity, gzip, deflate or zstd in Accept-Encoding")]
    CodingNotAcceptable,
    #[error("the body must be sent as {expected}")]
    UnsupportedMediaType { expected: &'static str },
    #[error("the body is larger than {limit} bytes, the most that is taken here")]
    BodyTooLarge { limit: usize },
    #[error("the body ended before it was complete")]
    BodyIncomplete,
    #[error("the body did not arrive within {seconds} seconds")]
    BodyTooSlow { seconds: u64 },
    /// The body is no JSON or XML that can be read; the reason repeats no value of it.
    #[error("the body cannot be read: {0}")]
    UnreadableBody(String),
    /// The question cannot be answered with what is here: never to be taken for yes or for no.
    #[error("this cannot be told: {0}")]
    NotTold(String),
    #[error("{0}")]
    NoDefinition(String),
    #[error("R4 has no resource type of that name")]
    NoResourceType,
    #[error("parameters cannot be used")]
    Parameters(Vec<ParameterError>),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stored content that the codec cannot write: the text may repeat the content.
    #[error("a stored resource cannot be written in this format")]
    Codec(#[from] CodecError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Something of ours that cannot be written down: a mistake of ours.
    #[error("an answer cannot be written")]
    Unwritable,
    /// The web framework refused the request before any handler saw it.
    #[error("the request cannot be read")]
    Framework(StatusCode),
}

/// One row of the table.
struct Row {
    status: StatusCode,
    code: IssueType,
    /// May the client see the error's text? Otherwise it gets a sentence that says nothing about the inside.
    shown: bool,
}

fn row(status: StatusCode, code: IssueType) -> Row {
    Row { status, code, shown: true }
}

fn hidden(status: StatusCode, code: IssueType) -> Row {
    Row { status, code, shown: false }
}

impl ApiError {
    /// The table: error, status, issue type, shown or hidden.
    fn row(&self) -> Row {
        match self {
            Self::UnknownRoute => row(StatusCode::NOT_FOUND, IssueType::NotFound),
            Self::MethodNotAllowed { .. } => row(StatusCode::METHOD_NOT_ALLOWED, IssueType::NotSupported),
            Self::MalformedUrl => row(StatusCode::BAD_REQUEST, IssueType::Structure),
            Self::UnknownResourceType => row(StatusCode::NOT_FOUND, IssueType::NotSupported),
            Self::NotFound { .. } => row(StatusCode::NOT_FOUND, IssueType::NotFound),
            Self::VersionNotFound { .. } => row(StatusCode::NOT_FOUND, IssueType::NotFound),
            Self::NotAcceptable => row(StatusCode::NOT_ACCEPTABLE, IssueType::NotSupported),
            Self::CodingNotAcceptable => row(StatusCode::NOT_ACCEPTABLE, IssueType::NotSupported),
            Self::JsonNotAcceptable => row(StatusCode::NOT_ACCEPTABLE, IssueType::NotSupported),
            Self::UnsupportedMediaType { .. } => row(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueType::NotSupported),
            Self::BodyTooLarge { .. } => row(StatusCode::PAYLOAD_TOO_LARGE, IssueType::TooLong),
            Self::BodyIncomplete => row(StatusCode::BAD_REQUEST, IssueType::Structure),
            Self::BodyTooSlow { .. } => row(StatusCode::REQUEST_TIMEOUT, IssueType::Transient),
            Self::UnreadableBody(_) => row(StatusCode::BAD_REQUEST, IssueType::Structure),
            Self::NotTold(_) => row(StatusCode::UNPROCESSABLE_ENTITY, IssueType::NotSupported),
            Self::NoResourceType => row(StatusCode::NOT_FOUND, IssueType::NotSupported),
            Self::NoDefinition(_) => row(StatusCode::NOT_FOUND, IssueType::NotFound),
            Self::Parameters(_) => row(StatusCode::BAD_REQUEST, IssueType::Invalid),
            Self::UnknownKind => row(StatusCode::NOT_FOUND, IssueType::NotSupported),
            Self::Store(error) => store_row(error),
            Self::Ingest(error) => ingest_row(error),
            Self::Codec(_) => hidden(StatusCode::INTERNAL_SERVER_ERROR, IssueType::Exception),
            Self::Unwritable => hidden(StatusCode::INTERNAL_SERVER_ERROR, IssueType::Exception),
            Self::Framework(status) if status.is_client_error() => row(*status, IssueType::Structure),
            Self::Framework(status) => hidden(*status, IssueType::Exception),
        }
    }

    fn issues(&self) -> Vec<Issue> {
        if let Some(issues) = self.own_issues() {
            return issues;
        }
        let row = self.row();
        let text = if row.shown {
            sentence(&self.to_string())
        } else {
            "The server cannot answer this request now. X-Request-Id names it for the operator.".to_owned()
        };
        vec![Issue { severity: Severity::Error, code: row.code, text, place: None }]
    }

    /// Errors that say more than one sentence, or where.
    fn own_issues(&self) -> Option<Vec<Issue>> {
        if let Self::Parameters(errors) = self {
            return Some(errors.iter().map(parameter_issue).collect());
        }
        let Self::Ingest(error) = self else {
            return None;
        };
        match error {
            IngestError::Unreadable(faults) => Some(fault_issues(faults)),
            IngestError::Refused(faults) => Some(fault_issues(faults.errors.iter().chain(&faults.warnings))),
            IngestError::Stale { stored } => Some(vec![revision_issue(format!(
                "Revision {stored} of this record is stored, which is newer: nothing was changed."
            ))]),
            IngestError::Conflicting { revision } => Some(vec![revision_issue(format!(
                "Revision {revision} of this record is stored with other content: a correction needs a newer revision."
            ))]),
            IngestError::Incomparable { stored } => Some(vec![revision_issue(format!(
                "Revision {stored} of this record is stored: a record's revisions are all numbers or all instants."
            ))]),
            IngestError::Ambiguous { systems } => {
                let problem = format!("must say which sender is meant: {}", systems.join(", "));
                Some(vec![parameter_issue(&ParameterError::new("system", IssueType::Required, problem))])
            }
            IngestError::Contended
            | IngestError::UnknownRecord
            | IngestError::UnknownCourse
            | IngestError::UnknownComposition
            | IngestError::Store(_)
            | IngestError::Rebuild(_)
            | IngestError::Internal(_) => None,
        }
    }

    /// The answer, in the format that the request asked for (a handler that read it off the body leaves it with the
    /// request), or in JSON where that is not to be had.
    pub fn response(&self, request: &HttpRequest) -> HttpResponse {
        let chosen = request.extensions().get::<Representation>().copied();
        let representation = chosen.or_else(|| Representation::of(request).ok()).unwrap_or_default();
        let outcome = operation_outcome(&self.issues());
        let mut answer = HttpResponse::build(self.row().status);
        if let Self::MethodNotAllowed { allow } = self {
            answer.insert_header((header::ALLOW, allow.as_str()));
        }
        if let Self::BodyTooSlow { .. } = self {
            // The rest of the body would be taken for the next request.
            answer.force_close();
        }
        representation.write(answer, outcome.to_string().into())
    }
}

/// The store's part of the table.
fn store_row(error: &StoreError) -> Row {
    match error {
        StoreError::InvalidCursor => row(StatusCode::BAD_REQUEST, IssueType::Value),
        StoreError::TooCostly(_) => row(StatusCode::BAD_REQUEST, IssueType::TooCostly),
        StoreError::Unavailable(_) => hidden(StatusCode::SERVICE_UNAVAILABLE, IssueType::Transient),
        StoreError::MalformedBody { .. } => hidden(StatusCode::INTERNAL_SERVER_ERROR, IssueType::Exception),
    }
}

/// The pipeline's part of the table.
fn ingest_row(error: &IngestError) -> Row {
    match error {
        IngestError::Unreadable(_) => row(StatusCode::BAD_REQUEST, IssueType::Structure),
        IngestError::Refused(_) => row(StatusCode::UNPROCESSABLE_ENTITY, IssueType::Invalid),
        IngestError::Stale { .. } => row(StatusCode::CONFLICT, IssueType::Conflict),
        IngestError::Conflicting { .. } => row(StatusCode::CONFLICT, IssueType::Conflict),
        IngestError::Incomparable { .. } => row(StatusCode::CONFLICT, IssueType::Conflict),
        IngestError::Contended => row(StatusCode::SERVICE_UNAVAILABLE, IssueType::Transient),
        IngestError::UnknownRecord => row(StatusCode::NOT_FOUND, IssueType::NotFound),
        IngestError::Ambiguous { .. } => row(StatusCode::BAD_REQUEST, IssueType::Required),
        IngestError::UnknownCourse => row(StatusCode::NOT_FOUND, IssueType::NotFound),
        IngestError::UnknownComposition => row(StatusCode::NOT_FOUND, IssueType::NotFound),
        IngestError::Store(error) => store_row(error),
        IngestError::Rebuild(_) => hidden(StatusCode::INTERNAL_SERVER_ERROR, IssueType::Exception),
        IngestError::Internal(_) => hidden(StatusCode::INTERNAL_SERVER_ERROR, IssueType::Exception),
    }
}

/// What is wrong with a record, as issues: pointer, sentence, expression.
pub fn fault_issues<'a>(faults: impl IntoIterator<Item = &'a Fault>) -> Vec<Issue> {
    let issue = |fault: &Fault| Issue {
        severity: match fault.severity {
            FaultSeverity::Error => Severity::Error,
            FaultSeverity::Warning => Severity::Warning,
        },
        code: match fault.kind {
            FaultKind::Unreadable | FaultKind::Structure => IssueType::Structure,
            FaultKind::Required => IssueType::Required,
            FaultKind::Value => IssueType::Value,
            FaultKind::CodeInvalid => IssueType::CodeInvalid,
            FaultKind::Invariant => IssueType::Invariant,
        },
        text: fault.sentence.clone(),
        place: Some(Place::Element { expression: fault.expression(), pointer: fault.pointer.clone() }),
    };
    faults.into_iter().map(issue).collect()
}

fn revision_issue(text: String) -> Issue {
    Issue {
        severity: Severity::Error,
        code: IssueType::Conflict,
        text,
        place: Some(Place::Element {
            expression: Some("source.revision".to_owned()),
            pointer: "/source/revision".to_owned(),
        }),
    }
}

fn parameter_issue(error: &ParameterError) -> Issue {
    Issue {
        severity: Severity::Error,
        code: error.code,
        text: format!("Parameter {} {}.", error.name, error.problem),
        place: Some(Place::Parameter(error.name.clone())),
    }
}

/// Error texts start small and without a full stop, so that they can be nested; an answer is a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

/// Carries the error out of the handler; `observe` writes the answer, because only it sees the request.
impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.row().status
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.row().status)
    }
}
