//! The terminology service, over the definitions of the program and those of the user's packages.
//! <https://hl7.org/fhir/R4/terminology-service.html>
//!
//! What cannot be told is an error with the reason: never an answer that could be taken for yes or for no.

mod expand;
mod lookup;
mod translate;
mod validate_code;

use super::{
    Interaction,
    operation::{self, Input, Inputs, Operation, refuse},
};
use crate::{
    api::{Api, Endpoint, error::ApiError, representation::Representation},
    fhir::{
        definitions::{Allowance, Artifact, Code, Definitions, NoResource},
        outcome::IssueType,
    },
};
use actix_web::{
    HttpRequest, HttpResponse, Route,
    http::{Method, StatusCode},
    web,
};
use serde_json::Value;

static LOOKUP: Operation =
    operation_of("lookup", "CodeSystem", "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup");
static CODE_SYSTEM_VALIDATE: Operation =
    operation_of("validate-code", "CodeSystem", "http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code");
static EXPAND: Operation =
    operation_of("expand", "ValueSet", "http://hl7.org/fhir/OperationDefinition/ValueSet-expand");
static VALUE_SET_VALIDATE: Operation =
    operation_of("validate-code", "ValueSet", "http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code");
static TRANSLATE: Operation =
    operation_of("translate", "ConceptMap", "http://hl7.org/fhir/OperationDefinition/ConceptMap-translate");

const fn operation_of(name: &'static str, resource_type: &'static str, definition: &'static str) -> Operation {
    Operation { name, definition, resource_type: Some(resource_type) }
}

/// Path, operation, handler.
type Asked = (&'static str, &'static Operation, fn() -> Route);

pub fn endpoints() -> Vec<Endpoint> {
    let routes: [Asked; 9] = [
        ("/fhir/CodeSystem/$lookup", &LOOKUP, || web::route().to(lookup::lookup)),
        ("/fhir/CodeSystem/$validate-code", &CODE_SYSTEM_VALIDATE, || web::route().to(validate_code::in_code_system)),
        ("/fhir/CodeSystem/{id:[A-Za-z0-9.-]+}/$validate-code", &CODE_SYSTEM_VALIDATE, || {
            web::route().to(validate_code::in_code_system)
        }),
        ("/fhir/ValueSet/$expand", &EXPAND, || web::route().to(expand::expand)),
        ("/fhir/ValueSet/{id:[A-Za-z0-9.-]+}/$expand", &EXPAND, || web::route().to(expand::expand)),
        ("/fhir/ValueSet/$validate-code", &VALUE_SET_VALIDATE, || web::route().to(validate_code::in_value_set)),
        ("/fhir/ValueSet/{id:[A-Za-z0-9.-]+}/$validate-code", &VALUE_SET_VALIDATE, || {
            web::route().to(validate_code::in_value_set)
        }),
        ("/fhir/ConceptMap/$translate", &TRANSLATE, || web::route().to(translate::translate)),
        ("/fhir/ConceptMap/{id:[A-Za-z0-9.-]+}/$translate", &TRANSLATE, || web::route().to(translate::translate)),
    ];
    let both = |(path, operation, route)| {
        [Method::GET, Method::POST].map(|method| Endpoint {
            method,
            path,
            interaction: Some(Interaction::Operation(operation)),
            route,
        })
    };
    routes.into_iter().flat_map(both).collect()
}

/// What an operation works with.
struct Question {
    definitions: Definitions,
    inputs: Inputs,
    /// The id in the path, where the operation is asked of an instance.
    id: Option<String>,
    /// What this one request may cost.
    allowance: Allowance,
}

/// Reads the inputs and answers off the threads that serve: a hostile ValueSet may take a second.
async fn answered(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
    declared: &'static [Input],
    answer: fn(Question, Representation) -> Result<Answer, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let (representation, inputs) = operation::read(&request, payload, &api, declared).await?;
    let id = request.match_info().get("id").map(str::to_owned);
    let question = Question { definitions: api.definitions.clone(), inputs, id, allowance: Allowance::default() };
    let answer = web::block(move || answer(question, representation)).await;
    let answer = answer.map_err(|_| ApiError::Framework(StatusCode::INTERNAL_SERVER_ERROR))??;
    Ok(match answer {
        Answer::Parameters(parameters) => operation::answer(representation, parameters),
        Answer::Resource(resource) => representation.write(HttpResponse::Ok(), resource.to_string().into()),
    })
}

enum Answer {
    Parameters(Vec<Value>),
    Resource(Value),
}

impl Question {
    /// Canonical of the resource that is asked: that of the path, that of `url` with its version, or the one that was
    /// sent, which joins the definitions for this question.
    fn subject(&mut self, of: Artifact, sent_as: &'static str, version_as: &'static str) -> Result<String, ApiError> {
        let name = of.type_name();
        let given = self.inputs.sent(&["url", sent_as]);
        if let Some(id) = self.id.as_deref() {
            if let Some(first) = given.iter().copied().chain(self.inputs.sent(&[version_as])).next() {
                return refuse(first, IssueType::Invalid, format!("has no meaning here: the path names the {name}"));
            }
            let canonical = self.definitions.canonical_of(of, id);
            return canonical.ok_or_else(|| ApiError::NoDefinition(format!("there is no {name} with that id")));
        }
        let version = self.inputs.text(version_as);
        match (self.inputs.text("url"), self.inputs.value(sent_as)) {
            (Some(_), Some(_)) => refuse(sent_as, IssueType::Invalid, "cannot stand beside url"),
            (None, None) => refuse("url", IssueType::Required, format!("is missing: it names the {name}")),
            (Some(url), None) => match version {
                Some(_) if url.contains('|') => refuse(version_as, IssueType::Invalid, "stands in the url already"),
                Some(version) => Ok(format!("{url}|{version}")),
                None => Ok(url.to_owned()),
            },
            (None, Some(_)) if version.is_some() => {
                refuse(version_as, IssueType::Invalid, format!("has no meaning for a {name} that was sent"))
            }
            (None, Some(sent)) => {
                let mut sent = sent.clone();
                if sent["resourceType"] != name {
                    return refuse(sent_as, IssueType::Value, format!("must be a {name}"));
                }
                if sent["url"].as_str().is_none_or(str::is_empty) {
                    sent["url"] = "urn:kap-gateway:sent".into();
                }
                let canonical = sent["url"].as_str().unwrap_or_default().to_owned();
                match self.definitions.add_resource(sent) {
                    Ok(()) => Ok(canonical),
                    Err(fault) => refuse(sent_as, IssueType::Invalid, format!("cannot be used: {fault}")),
                }
            }
        }
    }

    /// Why there is no answer.
    fn not_told(&self, reason: String) -> ApiError {
        if self.allowance.is_spent() { ApiError::TooCostly(reason) } else { ApiError::NotTold(reason) }
    }

    /// Members of a resource that must be here.
    fn members(&self, of: Artifact, canonical: &str, names: &[&str]) -> Result<Vec<(String, Value)>, ApiError> {
        self.definitions.members(of, canonical, names).map_err(|error| match error {
            NoResource::Unknown(_) | NoResource::OtherVersion(_, _) => ApiError::NoDefinition(error.to_string()),
            NoResource::Faulty(_, _) => ApiError::NotTold(error.to_string()),
        })
    }
}

/// A code that is asked about.
#[derive(Debug, Default)]
struct Coding {
    system: Option<String>,
    version: Option<String>,
    code: String,
    display: Option<String>,
}

impl Coding {
    fn as_code(&self) -> Code<'_> {
        Code {
            system: self.system.as_deref(),
            version: self.version.as_deref(),
            code: &self.code,
            display: self.display.as_deref(),
        }
    }

    fn read(name: &str, value: &Value) -> Result<Self, ApiError> {
        let text = |member: &str| value[member].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        match text("code") {
            Some(code) => Ok(Self { system: text("system"), version: text("version"), code, display: text("display") }),
            None => refuse(name, IssueType::Value, "needs a code"),
        }
    }
}

/// The codes that are asked about: one as `code` with what belongs to it, one as `coding`, or those of a
/// `codeableConcept`.
fn codings(inputs: &Inputs, version_as: &str) -> Result<Vec<Coding>, ApiError> {
    let forms = inputs.sent(&["code", "coding", "codeableConcept"]);
    let [form] = forms[..] else {
        return refuse("code", IssueType::Required, "must be given: one of code, coding and codeableConcept");
    };
    if form != "code"
        && let [first, ..] = inputs.sent(&["system", "display"])[..]
    {
        return refuse(first, IssueType::Invalid, format!("belongs to code: {form} says it itself"));
    }
    let text = |name: &str| inputs.text(name).map(str::to_owned);
    match (form, inputs.value(form)) {
        ("coding", Some(coding)) => Ok(vec![Coding::read(form, coding)?]),
        ("codeableConcept", Some(concept)) => {
            let codings = concept["coding"].as_array().map(Vec::as_slice).unwrap_or_default();
            if codings.is_empty() {
                return refuse(form, IssueType::Value, "needs a coding");
            }
            codings.iter().map(|coding| Coding::read(form, coding)).collect()
        }
        (_, _) => Ok(vec![Coding {
            system: text("system"),
            version: text(version_as),
            code: text("code").unwrap_or_default(),
            display: text("display"),
        }]),
    }
}
