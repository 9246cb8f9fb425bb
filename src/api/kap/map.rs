//! `$map`: what a record would become, without storing anything.

use super::{body, kind, query, wants_outcome};
use crate::ingest::Remark;
use crate::{
    api::{
        error::{ApiError, fault_issues},
        parameters::{FORMAT, PRETTY},
        representation::Representation,
        session::Session,
    },
    fhir::outcome::{Issue, IssueType, Severity, operation_outcome},
};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

/// How many warnings there are; `Prefer: return=OperationOutcome` shows them. A transaction Bundle has no place
/// for them.
const WARNINGS: &str = "X-Kap-Warnings";

pub async fn map(request: HttpRequest, payload: web::Payload, api: Session) -> Result<HttpResponse, ApiError> {
    let kind = kind(&request)?;
    let parameters = query(&request, &[FORMAT, PRETTY])?;
    let representation = Representation::chosen(&parameters, request.headers())?;
    let body = body(&request, payload, &api).await?;
    let preview = api.gateway.preview(kind, &body)?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((WARNINGS, preview.warnings.len()));
    if wants_outcome(&request) {
        let mut issues = fault_issues(&preview.warnings);
        issues.extend(fault_issues(&api.gateway.comparisons(api.rows(), kind, &body).await?));
        let remarks = api.gateway.remarks_on(api.rows(), kind, &body).await?;
        if issues.is_empty() && remarks.is_empty() {
            issues.push(Issue {
                severity: Severity::Information,
                code: IssueType::Informational,
                text: "The record fits the contract, and there is nothing to say about it.".to_owned(),
                place: None,
            });
        }
        let mut outcome = operation_outcome(&issues);
        if let Some(issues) = outcome.get_mut("issue").and_then(Value::as_array_mut) {
            issues.extend(remarks.iter().map(remark_issue));
        }
        return Ok(representation.write(answer, outcome.to_string().into()));
    }
    Ok(representation.write(answer, preview.bundle.into()))
}

/// A remark of a safety rule: request-time output of the mapping specification §5.
fn remark_issue(remark: &Remark) -> Value {
    let is_warning = remark.state == "fires" && remark.severity != Some("information");
    let rule = json!({
        "system": "https://kap-gateway.example.org/fhir/CodeSystem/kap-rule",
        "code": remark.rule,
        "display": remark.title,
    });
    json!({
        "severity": if is_warning { Severity::Warning } else { Severity::Information }.code(),
        "code": IssueType::BusinessRule.code(),
        "details": { "coding": [rule], "text": remark.text },
    })
}
