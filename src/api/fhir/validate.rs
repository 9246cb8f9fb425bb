//! `$validate`: what is wrong with a resource, and whether it would be taken.
//! <https://hl7.org/fhir/R4/resource-operation-validate.html>
//!
//! The answer is 200 with an OperationOutcome, whatever is found; 4xx says that the question cannot be answered.

use super::{
    acceptance::{self, Purpose, RULES},
    operation::{self, Input, Inputs, Kind, Operation, refuse},
    resource_body,
    write::{self, content},
};
use crate::{
    api::{error::ApiError, fhir, representation::Representation, session::Session},
    fhir::{outcome::IssueType, validate::Report},
    store::{StoredResource, transaction::Action},
};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, http::Method, http::StatusCode, web};
use serde_json::Value;

pub static VALIDATE: Operation = Operation {
    name: "validate",
    definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate",
    resource_type: None,
};

const INPUTS: [Input; 3] = [("resource", Kind::Resource), ("mode", Kind::Text), ("profile", Kind::Text)];

/// <https://hl7.org/fhir/R4/valueset-resource-validation-mode.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Create,
    Update,
    Delete,
    Profile,
}

/// What was asked.
struct Asked {
    representation: Representation,
    resource: Option<Value>,
    mode: Option<Mode>,
    profile: Option<String>,
}

/// On a type: the resource comes in the body.
pub async fn validate_type(
    request: HttpRequest,
    resource_type: web::Path<String>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let resource_type = resource_type.into_inner();
    if !acceptance::is_resource_type(&resource_type) {
        return Err(ApiError::NoResourceType);
    }
    let asked = read(&request, payload, &api, &resource_type).await?;
    let creates = match asked.mode {
        None => false,
        Some(Mode::Create) => true,
        Some(Mode::Update | Mode::Delete | Mode::Profile) => {
            let problem = "is about a stored resource: ask /fhir/[type]/[id]/$validate";
            return refuse("mode", IssueType::Invalid, problem);
        }
    };
    let Some(resource) = asked.resource else { return refuse("resource", IssueType::Required, "is missing") };
    let enforced = api.enforced;
    let report = held(&api, move |validator| {
        let purpose = if creates { Purpose::Create } else { Purpose::Look };
        let profiles: Vec<&str> = asked.profile.as_deref().into_iter().collect();
        acceptance::report((validator, enforced), &resource_type, &resource, purpose, &profiles)
    });
    Ok(answer(asked.representation, &report.await?))
}

/// On a stored resource: what is stored, or what is to take its place.
pub async fn validate_instance(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    api: Session,
) -> Result<HttpResponse, ApiError> {
    let (resource_type, id) = path.into_inner();
    fhir::check_type(&resource_type)?;
    let asked = read(&request, payload, &api, &resource_type).await?;
    let Some(stored) = api.rows().read(&resource_type, &id).await? else {
        return Err(ApiError::NotFound { resource_type });
    };
    let representation = asked.representation;
    let (resource, updates) = match (asked.mode, asked.resource) {
        (None, resource) => (resource, false),
        (Some(Mode::Create), _) => {
            return refuse(
                "mode",
                IssueType::Invalid,
                "is about a resource that is not there yet: ask /fhir/[type]/$validate",
            );
        }
        (Some(Mode::Update), None) => {
            return refuse("resource", IssueType::Required, "is missing: an update is checked with its content");
        }
        (Some(Mode::Update), resource) => (resource, true),
        (Some(Mode::Delete), _) if asked.profile.is_some() => {
            return refuse("profile", IssueType::Invalid, "has no meaning for a delete");
        }
        // The content is ignored, says the specification.
        (Some(Mode::Delete), _) => {
            let action = Action::Delete { resource_type: resource_type.clone(), id };
            let refusal = write::try_change(&api, action).await?;
            return Ok(answer(representation, &acceptance::change_report(&resource_type, refusal.as_ref())));
        }
        (Some(Mode::Profile), Some(_)) => {
            return refuse(
                "resource",
                IssueType::Invalid,
                "has no meaning here: the stored resource is held to the profile",
            );
        }
        (Some(Mode::Profile), None) if asked.profile.is_none() => {
            return refuse("profile", IssueType::Required, "is missing: say to which the stored resource is held");
        }
        (Some(Mode::Profile), None) => (None, false),
    };
    let resource = resource.map_or_else(|| stored_json(&stored), Ok)?;
    let refusal = match updates {
        true => write::try_change(&api, Action::Put(content::write(&resource_type, &stored.id, &resource)?)).await?,
        false => None,
    };
    let enforced = api.enforced;
    let report = held(&api, move |validator| {
        let purpose = match updates {
            true => Purpose::Update { id: &stored.id, version: Some(stored.version_id) },
            false => Purpose::Look,
        };
        let profiles: Vec<&str> = asked.profile.as_deref().into_iter().collect();
        let mut report = acceptance::change_report(&resource_type, refusal.as_ref());
        report
            .issues
            .extend(acceptance::report((validator, enforced), &resource_type, &resource, purpose, &profiles).issues);
        report
    });
    Ok(answer(representation, &report.await?))
}

async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Session,
    resource_type: &str,
) -> Result<Asked, ApiError> {
    let (representation, mut inputs, mut errors) = operation::from_url(request, &INPUTS)?;
    // What is wrong with the body is told in the format that was asked for.
    request.extensions_mut().insert(representation);
    let body = match *request.method() {
        Method::POST => resource_body::read(request, payload, api).await?,
        _ => None,
    };
    let resource = match body {
        Some(body) if is_envelope(&body, resource_type) => {
            operation::from_parameters(&body, &INPUTS, &mut inputs, &mut errors);
            inputs.value("resource").cloned()
        }
        resource => resource,
    };
    if !errors.is_empty() {
        return Err(ApiError::Parameters(errors));
    }
    Ok(Asked { representation, resource, mode: mode(&inputs)?, profile: inputs.text("profile").map(str::to_owned) })
}

/// Parameters carry the resource, unless they are what is to be validated: those have no parameter `resource`.
fn is_envelope(body: &Value, resource_type: &str) -> bool {
    let has_resource = || {
        let parameters = body["parameter"].as_array().map(Vec::as_slice).unwrap_or_default();
        parameters.iter().any(|parameter| parameter["name"] == "resource")
    };
    body["resourceType"] == "Parameters" && (resource_type != "Parameters" || has_resource())
}

fn mode(inputs: &Inputs) -> Result<Option<Mode>, ApiError> {
    Ok(Some(match inputs.text("mode") {
        None => return Ok(None),
        Some("create") => Mode::Create,
        Some("update") => Mode::Update,
        Some("delete") => Mode::Delete,
        Some("profile") => Mode::Profile,
        Some(_) => return refuse("mode", IssueType::Value, "must be create, update, delete or profile"),
    }))
}

fn stored_json(stored: &StoredResource) -> Result<Value, ApiError> {
    serde_json::from_slice(&stored.body).map_err(|_| ApiError::Unwritable)
}

/// Validates off the threads that answer: a large resource would hold up the requests of others.
async fn held(
    api: &Session,
    work: impl FnOnce(&crate::fhir::validate::Validator) -> Report + Send + 'static,
) -> Result<Report, ApiError> {
    let validator = api.validator().clone();
    let report = web::block(move || work(&validator)).await;
    report.map_err(|_| ApiError::Framework(StatusCode::INTERNAL_SERVER_ERROR))
}

fn answer(representation: Representation, report: &Report) -> HttpResponse {
    representation.write(HttpResponse::Ok(), report.to_operation_outcome(RULES).to_string().into())
}
