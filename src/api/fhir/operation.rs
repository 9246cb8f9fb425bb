//! Input and output parameters of operations. <https://hl7.org/fhir/R4/operations.html>
//!
//! An operation declares what it takes; everything else that is sent is an error that names it.

use super::resource_body;
use crate::{
    api::{
        Api,
        error::{ApiError, ParameterError},
        fhir,
        parameters::{self, FORMAT, PRETTY, Parameter},
        representation::Representation,
    },
    fhir::{outcome::IssueType, search::parse_date},
};
use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use serde_json::{Value, json};

/// An operation as the CapabilityStatement names it.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// Without the `$`.
    pub name: &'static str,
    /// Canonical of its OperationDefinition.
    pub definition: &'static str,
    /// `None`: of every resource type.
    pub resource_type: Option<&'static str>,
}

/// What kind of value an input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// uri, canonical, code, string.
    Text,
    Boolean,
    /// dateTime, date or instant, as exact as it is known.
    DateTime,
    /// 0 or more.
    Count,
    Coding,
    CodeableConcept,
    Resource,
}

/// One input that an operation takes, once at most.
pub type Input = (&'static str, Kind);

/// What was sent, each value of the kind that was declared.
#[derive(Debug, Default)]
pub struct Inputs {
    values: Vec<(&'static str, Value)>,
}

impl Inputs {
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.value(name).and_then(Value::as_bool)
    }

    pub fn count(&self, name: &str) -> Option<usize> {
        self.value(name).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok())
    }

    /// Those of `names` that were sent.
    pub fn sent<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        names.iter().copied().filter(|name| self.value(name).is_some()).collect()
    }
}

/// Reads the inputs of an operation: from the URL, and with POST from Parameters in the body too.
pub async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
    declared: &[Input],
) -> Result<(Representation, Inputs), ApiError> {
    let body = match *request.method() {
        Method::POST => resource_body::read(request, payload, api).await?,
        _ => None,
    };
    let (representation, mut inputs, mut errors) = from_url(request, declared)?;
    match body {
        None => {}
        Some(body) if body["resourceType"] == "Parameters" => {
            from_parameters(&body, declared, &mut inputs, &mut errors)
        }
        Some(_) => errors.push(ParameterError::new("body", IssueType::Structure, "must be a Parameters resource")),
    }
    if errors.is_empty() { Ok((representation, inputs)) } else { Err(ApiError::Parameters(errors)) }
}

/// The inputs of the URL, and what is wrong with them.
pub fn from_url(
    request: &HttpRequest,
    declared: &[Input],
) -> Result<(Representation, Inputs, Vec<ParameterError>), ApiError> {
    let sent = parameters::decode(request.query_string())?;
    let simple = |(_, kind): &&Input| matches!(kind, Kind::Text | Kind::Boolean | Kind::DateTime | Kind::Count);
    let known: Vec<&str> = declared.iter().filter(simple).map(|(name, _)| *name).chain([FORMAT, PRETTY]).collect();
    let mut errors = parameters::check_names(&sent, &known);
    let mut inputs = Inputs::default();
    for parameter in &sent {
        let Some((name, kind)) = declared.iter().filter(simple).find(|(name, _)| *name == parameter.name) else {
            continue;
        };
        let value = match kind {
            Kind::Boolean => parameter.value.parse().ok().map(Value::Bool),
            Kind::Count => parameter.value.parse::<u32>().ok().map(Value::from),
            Kind::Text | Kind::DateTime | Kind::Coding | Kind::CodeableConcept | Kind::Resource => {
                Some(parameter.value.as_str().into())
            }
        };
        inputs.take(name, *kind, value.unwrap_or_default(), &mut errors);
    }
    let representation = fhir::representation(request, &sent, Vec::new());
    match representation {
        Ok(representation) => Ok((representation, inputs, errors)),
        Err(ApiError::Parameters(more)) => Err(ApiError::Parameters(errors.into_iter().chain(more).collect())),
        Err(other) => Err(other),
    }
}

/// The inputs of a Parameters resource.
pub fn from_parameters(body: &Value, declared: &[Input], inputs: &mut Inputs, errors: &mut Vec<ParameterError>) {
    let known = || declared.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let members = body.as_object().into_iter().flatten();
    for (name, _) in members.filter(|(name, _)| !matches!(name.as_str(), "resourceType" | "id" | "meta" | "parameter"))
    {
        errors.push(ParameterError::new(name, IssueType::Structure, "is no element of Parameters that is taken here"));
    }
    let empty = Vec::new();
    let sent = match body.get("parameter") {
        None => &empty,
        Some(Value::Array(sent)) => sent,
        Some(_) => {
            errors.push(ParameterError::new("parameter", IssueType::Structure, "must be a list"));
            &empty
        }
    };
    for parameter in sent {
        let Some(name) = parameter["name"].as_str() else {
            errors.push(ParameterError::new("parameter", IssueType::Required, "needs a name"));
            continue;
        };
        let Some((name, kind)) = declared.iter().find(|(known, _)| *known == name) else {
            let problem = format!("is not known here; known: {}", known());
            errors.push(ParameterError::new(name, IssueType::NotSupported, problem));
            continue;
        };
        let mut rest = parameter.as_object().into_iter().flatten().filter(|(key, _)| *key != "name" && *key != "id");
        match (rest.next(), rest.next()) {
            (Some((key, value)), None) if kind.is_held_by(key) => inputs.take(name, *kind, value.clone(), errors),
            (_, _) => errors.push(ParameterError::new(name, IssueType::Value, kind.wanted())),
        }
    }
}

/// Search parameters that came as Parameters: each name with a value as it would stand in a URL.
pub fn search_parameters(body: &Value, errors: &mut Vec<ParameterError>) -> Vec<Parameter> {
    let Some(sent) = body.get("parameter").map_or(Some(&[][..]), |sent| sent.as_array().map(Vec::as_slice)) else {
        errors.push(ParameterError::new("parameter", IssueType::Structure, "must be a list"));
        return Vec::new();
    };
    if body["resourceType"] != "Parameters" {
        errors.push(ParameterError::new("body", IssueType::Structure, "must be a Parameters resource"));
    }
    let mut found = Vec::new();
    for parameter in sent {
        let Some(name) = parameter["name"].as_str() else {
            errors.push(ParameterError::new("parameter", IssueType::Required, "needs a name"));
            continue;
        };
        let mut rest = parameter.as_object().into_iter().flatten().filter(|(key, _)| *key != "name" && *key != "id");
        let value = match (rest.next(), rest.next()) {
            (Some((key, Value::String(text))), None) if key.starts_with("value") => Some(text.clone()),
            (Some((key, value @ (Value::Bool(_) | Value::Number(_)))), None) if key.starts_with("value") => {
                Some(value.to_string())
            }
            (_, _) => None,
        };
        match value {
            Some(value) => found.push(Parameter::new(name, value)),
            None => errors.push(ParameterError::new(name, IssueType::Value, "must be one text, number or boolean")),
        }
    }
    found
}

impl Inputs {
    /// Takes a value in, once and of the right kind.
    fn take(&mut self, name: &'static str, kind: Kind, value: Value, errors: &mut Vec<ParameterError>) {
        if self.value(name).is_some() {
            errors.push(parameters::repetition(name));
        } else if kind.fits(&value) {
            self.values.push((name, value));
        } else {
            errors.push(ParameterError::new(name, IssueType::Value, kind.wanted()));
        }
    }
}

impl Kind {
    fn is_held_by(self, key: &str) -> bool {
        match self {
            Self::Text => matches!(key, "valueUri" | "valueUrl" | "valueCanonical" | "valueCode" | "valueString"),
            Self::Boolean => key == "valueBoolean",
            Self::DateTime => matches!(key, "valueDateTime" | "valueDate" | "valueInstant"),
            Self::Count => matches!(key, "valueInteger" | "valuePositiveInt" | "valueUnsignedInt"),
            Self::Coding => key == "valueCoding",
            Self::CodeableConcept => key == "valueCodeableConcept",
            Self::Resource => key == "resource",
        }
    }

    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.as_str().is_some_and(|text| !text.is_empty()),
            Self::Boolean => value.is_boolean(),
            Self::DateTime => value.as_str().is_some_and(|text| parse_date(text).is_some()),
            Self::Count => value.as_u64().is_some_and(|count| u32::try_from(count).is_ok()),
            Self::Coding | Self::CodeableConcept | Self::Resource => value.is_object(),
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Text => "must be one text that is not empty (uri, canonical, code or string)",
            Self::Boolean => "must be true or false",
            Self::DateTime => "must be a FHIR dateTime such as 2026-03-01 or 2026-03-01T10:00:00Z",
            Self::Count => "must be a whole number from 0 to 4294967295",
            Self::Coding => "must be one valueCoding",
            Self::CodeableConcept => "must be one valueCodeableConcept",
            Self::Resource => "must be one resource",
        }
    }
}

/// One problem with one parameter, as an error.
pub fn refuse<T>(name: &str, code: IssueType, problem: impl Into<String>) -> Result<T, ApiError> {
    Err(ApiError::Parameters(vec![ParameterError::new(name, code, problem)]))
}

/// Output parameters as an answer.
pub fn answer(representation: Representation, parameters: Vec<Value>) -> HttpResponse {
    let mut body = json!({ "resourceType": "Parameters" });
    // FHIR JSON has no empty arrays.
    if !parameters.is_empty() {
        body["parameter"] = parameters.into();
    }
    representation.write(HttpResponse::Ok(), body.to_string().into())
}
