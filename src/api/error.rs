//! Errors of the api room, and the one table that turns each into an HTTP answer.
//!
//! Every error is an OperationOutcome: <https://hl7.org/fhir/R4/http.html#Status-Codes>

use crate::{
    api::{
        fhir::{acceptance::RULES, transaction, write::Failure},
        representation::Representation,
    },
    fhir::{
        outcome::{Issue, IssueType, Place, Severity, operation_outcome},
        patch::PatchError,
        validate::Report,
        xml,
    },
    ingest::{Fault, FaultKind, FaultSeverity, IngestError},
    store::StoreError,
};
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde_json::Value;

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
    #[error("this gateway knows no instrument by that key; GET /kap/v1/instruments lists those that it knows")]
    UnknownInstrument,
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
    #[error("the body is larger than {limit} bytes, the most that is taken here (setting {setting})")]
    BodyTooLarge { limit: usize, setting: &'static str },
    #[error("too many large bodies are being taken at this time (setting large_bodies): try again")]
    NoRoom,
    #[error("the content has more than {limit} elements in each other (setting content_depth)")]
    TooDeep { limit: usize },
    #[error(
        "the answer took longer than {seconds} seconds (setting request_seconds): ask for less, or filter more. Of a write it is not \
         known here whether it was done: a retry with the same Idempotency-Key tells"
    )]
    TooLong { seconds: u64 },
    #[error("the body ended before it was complete, or is not packed as its Content-Encoding says")]
    BodyIncomplete,
    #[error("the body did not arrive within {seconds} seconds (setting body_seconds)")]
    BodyTooSlow { seconds: u64 },
    /// The body is no JSON or XML that can be read; the reason repeats no value of it.
    #[error("the body cannot be read: {0}")]
    UnreadableBody(String),
    /// The question cannot be answered with what is here: never to be taken for yes or for no.
    #[error("this cannot be told: {0}")]
    NotTold(String),
    /// Likewise: the answer would take too much work.
    #[error("this cannot be told: {0}")]
    TooCostly(String),
    #[error("{0}")]
    NoDefinition(String),
    #[error("R4 has no resource type of that name")]
    NoResourceType,
    #[error("the {resource_type} with that id was deleted; its history has its versions")]
    Gone { resource_type: String },
    #[error("this needs a resource as its body")]
    NoBody,
    /// No resource of the type that the path names; the reason repeats no value of it.
    #[error("{0}")]
    NotThatResource(String),
    #[error("an id has 1 to 64 letters, digits, hyphens and dots")]
    NoId,
    #[error("the resource must carry the id of the resource that it changes, and says another or none")]
    OtherId,
    #[error("the header {header} {problem}")]
    WrongHeader { header: &'static str, problem: &'static str },
    #[error("parameters must say which resource is meant: at least one that filters")]
    NoCriteria,
    #[error("more than one resource is found: say more exactly which is meant")]
    MultipleMatches,
    #[error("the version that the request is built on is not the one that is there{}", there(*current))]
    VersionMismatch { current: Option<u64> },
    #[error(
        "a KAP record made this {resource_type}, and only the record changes it: send the record's next revision to \
         /kap/v1, and the resource follows"
    )]
    OfRecord { resource_type: String },
    #[error("this resource of the KAP guide is part of the program and is not changed")]
    OfGuide,
    #[error(
        "the content is tagged SUBSETTED, so it is a part of the resource (_summary, _elements): stored, it would take the \
         rest away. Read the whole resource and change that, or send a patch"
    )]
    PartOfResource,
    #[error("entry {first} is about the same resource: a resource stands once in a transaction")]
    SameResource { first: usize },
    #[error("a reference by search finds nothing")]
    NoTarget,
    #[error("a reference names an entry that the Bundle does not have")]
    NoEntry,
    #[error("a reference names another entry: those of a batch do not know each other, those of a transaction do")]
    BetweenBatchEntries,
    #[error("a Bundle holds {limit} entries at most here (setting bundle_entries), and this one has {count}")]
    TooManyEntries { limit: usize, count: usize },
    /// What is wrong with a transaction, entry by entry: nothing of it was stored.
    #[error("the transaction cannot be done")]
    Transaction(Vec<Failure>),
    /// Operations of a patch that cannot be read.
    #[error("the patch cannot be read")]
    UnreadablePatch(Vec<PatchError>),
    /// An operation that does not fit the resource.
    #[error("{0}: nothing was changed")]
    UnfitPatch(PatchError),
    #[error("the patch would make it another resource: type and id stay")]
    PatchOfIdentity,
    #[error("others change the same resources all the time: try again")]
    Contended,
    #[error("a request with this Idempotency-Key is being answered: try again when it is done")]
    KeyUnderWay,
    #[error(
        "another request had this Idempotency-Key: each request needs a key of its own, and a retry is the same request"
    )]
    KeyOfAnother,
    #[error("this request was done; what it was answered with is no longer given to whoever asks")]
    KeptAnswerWithheld,
    /// The reason repeats nothing but what the definition says.
    #[error("this SearchParameter cannot be searched by: {0}. With another status than active it is kept all the same")]
    UnfitParameter(String),
    /// The validator found errors: the report has them all.
    #[error("the resource is not valid")]
    Invalid(Report),
    #[error("the content is no resource as R4 has it: $validate tells what is wrong")]
    NotR4,
    #[error("parameters cannot be used")]
    Parameters(Vec<ParameterError>),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stored content that cannot be written as XML: the text may repeat the content.
    #[error("a stored resource cannot be written in this format")]
    Xml(#[from] xml::Unwritable),
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
            Self::BodyTooSlow { .. } => row(StatusCode::REQUEST_TIMEOUT, IssueType::Timeout),
            Self::NoRoom => row(StatusCode::SERVICE_UNAVAILABLE, IssueType::Throttled),
            Self::TooDeep { .. } => row(StatusCode::BAD_REQUEST, IssueType::TooCostly),
            Self::TooLong { .. } => row(StatusCode::GATEWAY_TIMEOUT, IssueType::Timeout),
            Self::UnreadableBody(_) => row(StatusCode::BAD_REQUEST, IssueType::Structure),
            Self::NotTold(_) => row(StatusCode::UNPROCESSABLE_ENTITY, IssueType::NotSupported),
            Self::TooCostly(_) => row(StatusCode::UNPROCESSABLE_ENTITY, IssueType::TooCostly),
            Self::NoResourceType => row(StatusCode::NOT_FOUND, IssueType::NotSupported),
            Self::Gone { .. } => row(StatusCode::GONE, IssueType::Deleted),
            Self::NoBody => row(StatusCode::BAD_REQUEST, IssueType::Required),
            Self::NotThatResource(_) => row(StatusCode::BAD_REQUEST, IssueType::Invalid),
            Self::NoId => row(StatusCode::BAD_REQUEST, IssueType::Value),
            Self::OtherId => row(StatusCode::BAD_REQUEST, IssueType::Invalid),
            Self::WrongHeader { .. } => row(StatusCode::BAD_REQUEST, IssueType::Value),
            Self::NoCriteria => row(StatusCode::BAD_REQUEST, IssueType::Required),
            Self::MultipleMatches => row(StatusCode::PRECONDITION_FAILED, IssueType::MultipleMatches),
            Self::VersionMismatch { .. } => row(StatusCode::PRECONDITION_FAILED, IssueType::Conflict),
            Self::OfRecord { .. } => row(StatusCode::CONFLICT, IssueType::BusinessRule),
            Self::OfGuide => row(StatusCode::CONFLICT, IssueType::BusinessRule),
            Self::PartOfResource => row(StatusCode::UNPROCESSABLE_ENTITY, IssueType::BusinessRule),
            Self::SameResource { .. } => row(StatusCode::BAD_REQUEST, IssueType::Duplicate),
            Self::NoTarget => row(StatusCode::PRECONDITION_FAILED, IssueType::NotFound),
            Self::NoEntry => row(StatusCode::BAD_REQUEST, IssueType::NotFound),
            Self::BetweenBatchEntries => row(StatusCode::BAD_REQUEST, IssueType::Invalid),
            Self::TooManyEntries { .. } => row(StatusCode::PAYLOAD_TOO_LARGE, IssueType::TooCostly),
            Self::Transaction(failures) => row(transaction::status(failures), IssueType::Invalid),
            Self::UnreadablePatch(_) => row(StatusCode::BAD_REQUEST, IssueType::Structure),
            Self::UnfitPatch(_) => row(StatusCode::UNPROCESSABLE_ENTITY, IssueType::Invalid),
            Self::PatchOfIdentity => row(StatusCode::UNPROCESSABLE_ENTITY, IssueType::BusinessRule),
            Self::Contended => row(StatusCode::SERVICE_UNAVAILABLE, IssueType::Transient),
            Self::KeyUnderWay => row(StatusCode::CONFLICT, IssueType::Transient),
            Self::KeyOfAnother => row(StatusCode::UNPROCESSABLE_ENTITY, IssueType::BusinessRule),
            Self::KeptAnswerWithheld => row(StatusCode::NOT_FOUND, IssueType::NotFound),
            Self::Invalid(_) => row(StatusCode::UNPROCESSABLE_ENTITY, IssueType::Invalid),
            Self::UnfitParameter(_) => row(StatusCode::UNPROCESSABLE_ENTITY, IssueType::NotSupported),
            Self::NotR4 => row(StatusCode::UNPROCESSABLE_ENTITY, IssueType::Structure),
            Self::NoDefinition(_) => row(StatusCode::NOT_FOUND, IssueType::NotFound),
            Self::Parameters(_) => row(StatusCode::BAD_REQUEST, IssueType::Invalid),
            Self::UnknownKind => row(StatusCode::NOT_FOUND, IssueType::NotSupported),
            Self::UnknownInstrument => row(StatusCode::NOT_FOUND, IssueType::NotFound),
            Self::Store(error) => store_row(error),
            Self::Ingest(error) => ingest_row(error),
            Self::Xml(_) => hidden(StatusCode::INTERNAL_SERVER_ERROR, IssueType::Exception),
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
        if let Self::UnreadablePatch(errors) = self {
            let issue = |error: &PatchError| Issue {
                severity: Severity::Error,
                code: IssueType::Structure,
                text: sentence(&error.to_string()),
                place: Some(Place::Element { expression: None, pointer: format!("/{}", error.operation) }),
            };
            return Some(errors.iter().map(issue).collect());
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
            IngestError::Withdrawn { revision } => Some(vec![Issue {
                code: IssueType::Deleted,
                ..revision_issue(format!(
                    "This record was withdrawn by its sender; a revision newer than {revision} would bring it again."
                ))
            }]),
            IngestError::Ambiguous { systems } => {
                let problem = format!("must say which sender is meant: {}", systems.join(", "));
                Some(vec![parameter_issue(&ParameterError::new("system", IssueType::Required, problem))])
            }
            IngestError::Contended
            | IngestError::UnknownRecord
            | IngestError::UnknownPatient
            | IngestError::UnknownCourse
            | IngestError::UnknownComposition
            | IngestError::Store(_)
            | IngestError::Rebuild(_)
            | IngestError::Internal(_) => None,
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.row().status
    }

    /// All that is wrong, as a resource.
    pub fn outcome(&self) -> Value {
        if let Self::Invalid(report) = self {
            return report.to_operation_outcome(RULES);
        }
        if let Self::Transaction(failures) = self {
            return transaction::outcome(failures);
        }
        operation_outcome(&self.issues())
    }

    /// The answer, in the format that the request asked for (a handler that read it off the body leaves it with the
    /// request), or in JSON where that is not to be had.
    pub fn response(&self, request: &HttpRequest) -> HttpResponse {
        let chosen = request.extensions().get::<Representation>().copied();
        let representation = chosen.or_else(|| Representation::of(request).ok()).unwrap_or_default();
        let outcome = self.outcome();
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
        StoreError::TooCostly(_) | StoreError::TooManyIncluded { .. } => {
            row(StatusCode::BAD_REQUEST, IssueType::TooCostly)
        }
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
        IngestError::Withdrawn { .. } => row(StatusCode::GONE, IssueType::Deleted),
        IngestError::Contended => row(StatusCode::SERVICE_UNAVAILABLE, IssueType::Transient),
        IngestError::UnknownRecord => row(StatusCode::NOT_FOUND, IssueType::NotFound),
        IngestError::Ambiguous { .. } => row(StatusCode::BAD_REQUEST, IssueType::Required),
        IngestError::UnknownPatient => row(StatusCode::NOT_FOUND, IssueType::NotFound),
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

fn there(current: Option<u64>) -> String {
    match current {
        Some(version) => format!(": version {version} is there"),
        None => ": nothing is there".to_owned(),
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
