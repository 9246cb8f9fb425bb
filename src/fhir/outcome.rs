//! OperationOutcome in the fhir room: issues in, a resource out.
//!
//! <https://hl7.org/fhir/R4/operationoutcome.html>

use serde_json::{Map, Value, json};

/// <https://hl7.org/fhir/R4/valueset-issue-severity.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
    Information,
}

impl Severity {
    pub fn code(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

/// The issue types that the gateway uses. <https://hl7.org/fhir/R4/valueset-issue-type.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueType {
    BusinessRule,
    CodeInvalid,
    Conflict,
    Deleted,
    Duplicate,
    Exception,
    Incomplete,
    Informational,
    Invalid,
    Invariant,
    MultipleMatches,
    NotFound,
    NotSupported,
    Required,
    Structure,
    Throttled,
    Timeout,
    TooCostly,
    TooLong,
    Transient,
    Value,
}

impl IssueType {
    pub fn code(self) -> &'static str {
        match self {
            Self::BusinessRule => "business-rule",
            Self::CodeInvalid => "code-invalid",
            Self::Conflict => "conflict",
            Self::Deleted => "deleted",
            Self::Duplicate => "duplicate",
            Self::Exception => "exception",
            Self::Incomplete => "incomplete",
            Self::Informational => "informational",
            Self::Invalid => "invalid",
            Self::Invariant => "invariant",
            Self::MultipleMatches => "multiple-matches",
            Self::NotFound => "not-found",
            Self::NotSupported => "not-supported",
            Self::Required => "required",
            Self::Structure => "structure",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::TooCostly => "too-costly",
            Self::TooLong => "too-long",
            Self::Transient => "transient",
            Self::Value => "value",
        }
    }
}

/// One thing to tell the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub severity: Severity,
    pub code: IssueType,
    /// A plain sentence for the person who reads the answer.
    pub text: String,
    /// Where in the submitted content, if anywhere.
    pub place: Option<Place>,
}

/// What an issue points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An element of submitted content, as FHIRPath (`None` for the whole) and as JSON Pointer. They go to `expression`
    /// and `diagnostics`.
    Element { expression: Option<String>, pointer: String },
    /// A parameter of the URL or of a form: R4 has `location` for it, as `http.` and the name.
    Parameter(String),
}

/// The resource, as JSON.
pub fn operation_outcome(issues: &[Issue]) -> Value {
    json!({ "resourceType": "OperationOutcome", "issue": issues.iter().map(issue).collect::<Vec<_>>() })
}

fn issue(issue: &Issue) -> Value {
    let mut members = Map::new();
    members.insert("severity".into(), issue.severity.code().into());
    members.insert("code".into(), issue.code.code().into());
    members.insert("details".into(), json!({ "text": issue.text }));
    match &issue.place {
        None => {}
        Some(Place::Parameter(name)) => {
            members.insert("location".into(), json!([format!("http.{name}")]));
        }
        Some(Place::Element { expression, pointer }) => {
            // FHIR has no empty strings: the pointer to the whole content is one.
            if !pointer.is_empty() {
                members.insert("diagnostics".into(), pointer.as_str().into());
            }
            if let Some(expression) = expression {
                members.insert("expression".into(), json!([expression]));
            }
        }
    }
    Value::Object(members)
}
