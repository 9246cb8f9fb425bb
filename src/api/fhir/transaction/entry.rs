//! One entry of a batch or transaction: what it asks for. <https://hl7.org/fhir/R4/bundle.html#Bundle.entry.request>

use crate::{
    api::{
        Api,
        conditional::version_of,
        error::{ApiError, ParameterError},
        fhir::{
            self, patch,
            search::Place,
            search_subset::{self, ELEMENTS, SUMMARY, Subset},
            update,
            write::{At, IfMatch, Intent, Verb, content, matching::Matching},
        },
        parameters::{self, Parameter},
    },
    fhir::{outcome::IssueType, search::parse_date},
};
use serde_json::Value;
use uuid::Uuid;

/// An entry that was read.
pub struct Entry {
    pub full_url: Option<String>,
    pub ask: Ask,
}

pub enum Ask {
    Write(Box<Intent>),
    Read(Reading),
}

/// What a GET asks for.
pub struct Reading {
    pub target: Target,
    /// The version that the client has already: `ifNoneMatch`.
    pub has: Option<IfMatch>,
    /// Since when it wants to know of a change: `ifModifiedSince`, in microseconds since 1970. `ifNoneMatch` goes before.
    pub since: Option<i64>,
}

pub enum Target {
    Read { resource_type: String, id: String, subset: Subset },
    Version { resource_type: String, id: String, version_id: String, subset: Subset },
    Search { place: Place, parameters: Vec<Parameter> },
    History { resource_type: Option<String>, id: Option<String>, parameters: Vec<Parameter> },
}

/// Members of `request` that we know.
const KNOWN: [&str; 8] =
    ["id", "method", "url", "ifNoneMatch", "ifModifiedSince", "ifMatch", "ifNoneExist", "extension"];

pub fn read(api: &Api, entry: &Value) -> Result<Entry, ApiError> {
    let request = entry.get("request").and_then(Value::as_object);
    let request = request.ok_or_else(|| wrong("has no request that says what is asked for"))?;
    if let Some((name, _)) = request.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
        return Err(wrong(format!("has {name} in its request, which is not supported here")));
    }
    let text = |name: &str| match request.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.as_str())),
        Some(_) => Err(wrong(format!("has a {name} in its request that is no text"))),
    };
    let method = text("method")?.ok_or_else(|| wrong("has no method in its request"))?;
    let url = text("url")?.ok_or_else(|| wrong("has no url in its request"))?;
    let full_url = entry.get("fullUrl").and_then(Value::as_str).map(str::to_owned);
    let resource = || entry.get("resource").ok_or_else(|| wrong("has no resource, and its method needs one"));
    let tag = |name| match text(name)? {
        None => Ok(None),
        Some(tag) => version_of(tag).map(Some).ok_or_else(|| wrong(format!("has a {name} that is no ETag or *"))),
    };
    // A condition that the method does not heed would be ignored.
    let heeded: &[&str] = match method {
        "GET" => &["ifNoneMatch", "ifModifiedSince"],
        "POST" => &["ifNoneExist"],
        "PUT" => &["ifMatch", "ifNoneMatch"],
        _ => &["ifMatch"],
    };
    for condition in ["ifNoneMatch", "ifModifiedSince", "ifMatch", "ifNoneExist"] {
        if request.contains_key(condition) && !heeded.contains(&condition) {
            return Err(wrong(format!("has {condition}, which has no meaning with {method}")));
        }
    }
    if method == "GET" {
        let since = text("ifModifiedSince")?.map(|text| parse_date(text).map(|(low, _)| low));
        if since == Some(None) {
            return Err(wrong("has an ifModifiedSince that is no instant"));
        }
        let reading = Reading { target: target(api, url)?, has: tag("ifNoneMatch")?, since: since.flatten() };
        return Ok(Entry { full_url, ask: Ask::Read(reading) });
    }
    let Url { resource_type, id, version_id, parameters } = Url::parse(api, url)?;
    let at = |id: Option<String>| -> Result<At, ApiError> {
        match id {
            Some(id) if parameters.is_empty() => Ok(At::Id(id)),
            Some(_) => Err(wrong("has parameters in a url that names one resource")),
            None => {
                let matching = Matching::parse(api, &resource_type, &parameters)?;
                Ok(At::Matching { matching, new_id: Uuid::new_v4().to_string() })
            }
        }
    };
    let no_version = || match version_id {
        Some(_) => Err(wrong("names a version, which is read and not written")),
        None => Ok(()),
    };
    let verb = match method {
        "POST" => {
            let resource = resource()?;
            content::check_type(&resource_type, resource)?;
            if id.is_some() || !parameters.is_empty() {
                return Err(wrong("creates, so that its url is a type alone"));
            }
            let unless = match text("ifNoneExist")? {
                None => None,
                Some(criteria) => Some(Matching::of_text(api, &resource_type, criteria)?),
            };
            Verb::Create { id: Uuid::new_v4().to_string(), resource: resource.clone(), unless }
        }
        "PUT" => {
            no_version()?;
            let resource = resource()?;
            content::check_type(&resource_type, resource)?;
            if let Some(id) = &id {
                update::check_id(resource, id)?;
            }
            let only_new = match tag("ifNoneMatch")? {
                None => false,
                Some(IfMatch::Any) => true,
                Some(IfMatch::Version(_)) => return Err(wrong("has an ifNoneMatch that is not *")),
            };
            Verb::Update { at: at(id)?, resource: resource.clone(), only_new }
        }
        "DELETE" => {
            no_version()?;
            Verb::Delete { at: at(id)? }
        }
        "PATCH" => {
            no_version()?;
            Verb::Patch { patch: patch::of_entry(resource()?)?, at: at(id)? }
        }
        _ => return Err(wrong("has a method that is not supported here: GET, POST, PUT, PATCH and DELETE are")),
    };
    Ok(Entry { full_url, ask: Ask::Write(Box::new(Intent { resource_type, verb, if_match: tag("ifMatch")? })) })
}

/// What a GET is about. The paths are those of requests by themselves, but for operations.
fn target(api: &Api, url: &str) -> Result<Target, ApiError> {
    const HISTORY: &str = "_history";
    let (path, parameters) = split(api, url)?;
    let parts: Vec<&str> = path.split('/').collect();
    let some = |text: &str| Some(text.to_owned());
    Ok(match parts[..] {
        [""] => Target::Search { place: Place::everywhere(), parameters },
        [HISTORY] => Target::History { resource_type: None, id: None, parameters },
        [resource_type, HISTORY] => Target::History { resource_type: some(resource_type), id: None, parameters },
        [resource_type, id, HISTORY] if content::is_id(id) => {
            Target::History { resource_type: some(resource_type), id: some(id), parameters }
        }
        [compartment, id, member] if content::is_id(id) && !member.starts_with('$') => {
            Target::Search { place: Place::in_compartment(compartment, id, member)?, parameters }
        }
        [resource_type] => Target::Search { place: Place::of_type(resource_type)?, parameters },
        _ => match Url::parse(api, url)? {
            Url { resource_type, id: Some(id), version_id: None, parameters } => {
                Target::Read { resource_type, id, subset: subset(&parameters)? }
            }
            Url { resource_type, id: Some(id), version_id: Some(version_id), parameters } => {
                Target::Version { resource_type, id, version_id, subset: subset(&parameters)? }
            }
            Url { resource_type, id: None, parameters, .. } => {
                Target::Search { place: Place::of_type(&resource_type)?, parameters }
            }
        },
    })
}

/// What of a resource that is read is sent.
fn subset(parameters: &[Parameter]) -> Result<Subset, ApiError> {
    let mut errors = parameters::check_names(parameters, &[SUMMARY, ELEMENTS]);
    let subset = search_subset::asked(parameters, &mut errors);
    if errors.is_empty() { Ok(subset) } else { Err(ApiError::Parameters(errors)) }
}

/// A request's url, below the FHIR base or with it.
struct Url {
    resource_type: String,
    id: Option<String>,
    version_id: Option<String>,
    parameters: Vec<Parameter>,
}

impl Url {
    fn parse(api: &Api, url: &str) -> Result<Self, ApiError> {
        let (path, parameters) = split(api, url)?;
        let parts: Vec<&str> = path.split('/').collect();
        let (resource_type, id, version_id) = match parts[..] {
            [resource_type] => (resource_type, None, None),
            [resource_type, id] if content::is_id(id) => (resource_type, Some(id), None),
            [resource_type, id, "_history", version_id] if content::is_id(id) => {
                (resource_type, Some(id), Some(version_id))
            }
            _ => {
                let problem = "has a url that is not supported in a Bundle: types, resources, versions, histories and compartments are";
                return Err(wrong(problem));
            }
        };
        fhir::check_type(resource_type)?;
        Ok(Self {
            resource_type: resource_type.to_owned(),
            id: id.map(str::to_owned),
            version_id: version_id.map(str::to_owned),
            parameters,
        })
    }
}

/// The path below the FHIR base, and the parameters.
fn split(api: &Api, url: &str) -> Result<(String, Vec<Parameter>), ApiError> {
    let base = api.fhir_base();
    let below = match url.strip_prefix(&base) {
        Some(below) => below,
        None if url.contains("://") => return Err(wrong("has a url on another server")),
        None => url,
    };
    let (path, query) = below.split_once('?').unwrap_or((below, ""));
    let path = parameters::decode_percent(path.trim_start_matches('/'))?;
    Ok((path, parameters::decode(query)?))
}

/// What is wrong with an entry; `problem` goes on from "the entry".
fn wrong(problem: impl Into<String>) -> ApiError {
    ApiError::Parameters(vec![ParameterError::new("entry", IssueType::Invalid, problem)])
}
