//! `$map`: what a record would become, without storing anything.

use super::{body, kind, query, wants_outcome};
use crate::{
    api::{
        Api,
        error::{ApiError, fault_issues},
        parameters::{FORMAT, PRETTY},
        representation::Representation,
    },
    fhir::outcome::{Issue, IssueType, Severity, operation_outcome},
};
use actix_web::{HttpRequest, HttpResponse, web};

/// How many warnings there are; `Prefer: return=OperationOutcome` shows them. A transaction Bundle has no place
/// for them.
const WARNINGS: &str = "X-Kap-Warnings";

pub async fn map(request: HttpRequest, payload: web::Payload, api: web::Data<Api>) -> Result<HttpResponse, ApiError> {
    let kind = kind(&request)?;
    let parameters = query(&request, &[FORMAT, PRETTY])?;
    let representation = Representation::chosen(&parameters, request.headers())?;
    let body = body(&request, payload, &api).await?;
    let preview = api.gateway.preview(kind, &body)?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((WARNINGS, preview.warnings.len()));
    if wants_outcome(&request) {
        let mut issues = fault_issues(&preview.warnings);
        if issues.is_empty() {
            issues.push(Issue {
                severity: Severity::Information,
                code: IssueType::Informational,
                text: "The record fits the contract, and there is nothing to say about it.".to_owned(),
                place: None,
            });
        }
        return Ok(representation.write(answer, operation_outcome(&issues).to_string().into()));
    }
    Ok(representation.write(answer, preview.bundle.into()))
}
