//! The FHIR REST API, one file per interaction. <https://hl7.org/fhir/R4/http.html>

pub mod acceptance;
pub mod binary;
pub mod bundle;
pub mod create;
pub mod delete;
pub mod everything;
pub mod guide;
pub mod history;
pub mod lastn;
pub mod metadata;
pub mod operation;
pub mod patch;
pub mod read;
pub mod reindex;
pub mod resource_body;
pub mod search;
pub mod search_code;
pub mod search_filter;
pub mod search_include;
pub mod search_query;
pub mod search_subset;
pub mod search_value;
pub mod summary;
pub mod terminology;
pub mod transaction;
pub mod update;
pub mod validate;
pub mod vread;
pub mod write;

use crate::{
    api::{
        Endpoint,
        error::{ApiError, ParameterError},
        parameters::{self, FORMAT, PRETTY, Parameter},
        representation::Representation,
    },
    fhir::definitions::RESOURCE_TYPES,
};
use actix_web::{HttpRequest, http::Method, web};
use operation::Operation;
use search_subset::{ELEMENTS, SUMMARY, Subset};

/// Our own paging parameter: only links that we wrote hold it.
pub const CURSOR: &str = "_cursor";
pub const COUNT: &str = "_count";

/// What the API can do with resources. <https://hl7.org/fhir/R4/valueset-type-restful-interaction.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interaction {
    Capabilities,
    Read,
    Vread,
    HistoryInstance,
    HistoryType,
    HistorySystem,
    SearchType,
    SearchSystem,
    Create,
    Update,
    Patch,
    Delete,
    /// A Bundle at the base: about no type.
    Batch,
    Operation(&'static Operation),
}

impl Interaction {
    /// The code in CapabilityStatement.rest.resource.interaction; `capabilities` is about no resource.
    pub fn resource_code(self) -> Option<&'static str> {
        match self {
            Self::Capabilities | Self::HistorySystem | Self::SearchSystem | Self::Batch | Self::Operation(_) => None,
            Self::Read => Some("read"),
            Self::Vread => Some("vread"),
            Self::HistoryInstance => Some("history-instance"),
            Self::HistoryType => Some("history-type"),
            Self::SearchType => Some("search-type"),
            Self::Create => Some("create"),
            Self::Update => Some("update"),
            Self::Patch => Some("patch"),
            Self::Delete => Some("delete"),
        }
    }

    /// The operation that it is.
    pub fn operation(self) -> Option<&'static Operation> {
        match self {
            Self::Operation(operation) => Some(operation),
            Self::Capabilities
            | Self::Read
            | Self::Vread
            | Self::HistoryInstance
            | Self::HistoryType
            | Self::HistorySystem
            | Self::SearchType
            | Self::SearchSystem
            | Self::Create
            | Self::Update
            | Self::Patch
            | Self::Delete
            | Self::Batch => None,
        }
    }
}

/// Read comes first: it is asked for most, and its pattern excludes the others.
pub fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = vec![
        Endpoint {
            method: Method::GET,
            path: "/fhir/{resource_type:[A-Za-z]+}/{id:[A-Za-z0-9.-]+}",
            interaction: Some(Interaction::Read),
            route: || web::route().to(read::read),
        },
        Endpoint {
            method: Method::GET,
            path: "/fhir/metadata",
            interaction: Some(Interaction::Capabilities),
            route: || web::route().to(metadata::metadata),
        },
        Endpoint {
            method: Method::GET,
            path: "/fhir/{resource_type:[A-Za-z]+}",
            interaction: Some(Interaction::SearchType),
            route: || web::route().to(search::search),
        },
        Endpoint {
            method: Method::POST,
            path: "/fhir/{resource_type:[A-Za-z]+}/_search",
            interaction: Some(Interaction::SearchType),
            route: || web::route().to(search::search_by_post),
        },
        Endpoint {
            method: Method::GET,
            path: "/fhir/{resource_type:[A-Za-z]+}/{id:[A-Za-z0-9.-]+}/_history/{version_id:[0-9]+}",
            interaction: Some(Interaction::Vread),
            route: || web::route().to(vread::vread),
        },
        Endpoint {
            method: Method::GET,
            path: "/fhir/{resource_type:[A-Za-z]+}/{id:[A-Za-z0-9.-]+}/_history",
            interaction: Some(Interaction::HistoryInstance),
            route: || web::route().to(history::history),
        },
        Endpoint {
            method: Method::GET,
            path: "/fhir/{resource_type:[A-Za-z]+}/_history",
            interaction: Some(Interaction::HistoryType),
            route: || web::route().to(history::history_of_type),
        },
        Endpoint {
            method: Method::GET,
            path: "/fhir/_history",
            interaction: Some(Interaction::HistorySystem),
            route: || web::route().to(history::history_of_all),
        },
    ];
    endpoints.extend(wider_searches());
    endpoints.extend(writes());
    endpoints.extend(operations());
    endpoints
}

/// Searches in a compartment and on all types.
fn wider_searches() -> Vec<Endpoint> {
    const IN_COMPARTMENT: &str = "/fhir/{compartment:[A-Za-z]+}/{id:[A-Za-z0-9.-]+}/{resource_type:[A-Za-z]+|\\*}";
    const IN_COMPARTMENT_BY_POST: &str =
        "/fhir/{compartment:[A-Za-z]+}/{id:[A-Za-z0-9.-]+}/{resource_type:[A-Za-z]+|\\*}/_search";
    let search = |method, path, interaction, route| Endpoint { method, path, interaction: Some(interaction), route };
    let (of_type, of_system) = (Interaction::SearchType, Interaction::SearchSystem);
    vec![
        search(Method::GET, IN_COMPARTMENT, of_type, || web::route().to(search::search_in_compartment)),
        search(Method::POST, IN_COMPARTMENT_BY_POST, of_type, || {
            web::route().to(search::search_in_compartment_by_post)
        }),
        search(Method::GET, "/fhir", of_system, || web::route().to(search::search_system)),
        search(Method::POST, "/fhir/_search", of_system, || web::route().to(search::search_system_by_post)),
    ]
}

fn writes() -> Vec<Endpoint> {
    const ON_TYPE: &str = "/fhir/{resource_type:[A-Za-z]+}";
    const ON_INSTANCE: &str = "/fhir/{resource_type:[A-Za-z]+}/{id:[A-Za-z0-9.-]+}";
    let write = |method, path, interaction, route| Endpoint { method, path, interaction: Some(interaction), route };
    vec![
        write(Method::POST, "/fhir", Interaction::Batch, || web::route().to(transaction::bundle)),
        write(Method::POST, ON_TYPE, Interaction::Create, || web::route().to(create::create)),
        write(Method::PUT, ON_INSTANCE, Interaction::Update, || web::route().to(update::update)),
        write(Method::PUT, ON_TYPE, Interaction::Update, || web::route().to(update::conditional_update)),
        write(Method::PATCH, ON_INSTANCE, Interaction::Patch, || web::route().to(patch::patch)),
        write(Method::PATCH, ON_TYPE, Interaction::Patch, || web::route().to(patch::conditional_patch)),
        write(Method::DELETE, ON_INSTANCE, Interaction::Delete, || web::route().to(delete::delete)),
        write(Method::DELETE, ON_TYPE, Interaction::Delete, || web::route().to(delete::conditional_delete)),
    ]
}

fn operations() -> Vec<Endpoint> {
    const ON_TYPE: &str = "/fhir/{resource_type:[A-Za-z]+}/$validate";
    const ON_INSTANCE: &str = "/fhir/{resource_type:[A-Za-z]+}/{id:[A-Za-z0-9.-]+}/$validate";
    let validate = |method, path, route| Endpoint {
        method,
        path,
        interaction: Some(Interaction::Operation(&validate::VALIDATE)),
        route,
    };
    let mut endpoints = vec![
        validate(Method::POST, ON_TYPE, || web::route().to(validate::validate_type)),
        validate(Method::GET, ON_INSTANCE, || web::route().to(validate::validate_instance)),
        validate(Method::POST, ON_INSTANCE, || web::route().to(validate::validate_instance)),
    ];
    endpoints.extend(terminology::endpoints());
    endpoints.extend(documents());
    endpoints.extend(wholes());
    endpoints
}

/// All about one patient or encounter, and the newest of each code.
fn wholes() -> Vec<Endpoint> {
    const OF_PATIENT: &str = "/fhir/Patient/{id:[A-Za-z0-9.-]+}/$everything";
    const OF_ENCOUNTER: &str = "/fhir/Encounter/{id:[A-Za-z0-9.-]+}/$everything";
    const LASTN: &str = "/fhir/Observation/$lastn";
    let endpoint = |method, path, operation, route| Endpoint {
        method,
        path,
        interaction: Some(Interaction::Operation(operation)),
        route,
    };
    let (patient, encounter) = (&everything::OF_PATIENT, &everything::OF_ENCOUNTER);
    vec![
        endpoint(Method::GET, OF_PATIENT, patient, || web::route().to(everything::of_patient)),
        endpoint(Method::POST, OF_PATIENT, patient, || web::route().to(everything::of_patient)),
        endpoint(Method::GET, OF_ENCOUNTER, encounter, || web::route().to(everything::of_encounter)),
        endpoint(Method::POST, OF_ENCOUNTER, encounter, || web::route().to(everything::of_encounter)),
        endpoint(Method::GET, "/fhir/SearchParameter/$reindex", &reindex::REINDEX, || {
            web::route().to(reindex::reindex)
        }),
        endpoint(Method::GET, LASTN, &lastn::LASTN, || web::route().to(lastn::lastn)),
        endpoint(Method::POST, LASTN, &lastn::LASTN, || web::route().to(lastn::lastn)),
    ]
}

/// Not kept: R4 has it for operations alone. <https://hl7.org/fhir/R4/parameters.html>
const PARAMETERS: &str = "Parameters";

/// The types of which resources are kept: all of R4.
pub fn kept_types() -> impl Iterator<Item = &'static str> {
    RESOURCE_TYPES.iter().map(|name| &**name).filter(|name| *name != PARAMETERS)
}

fn documents() -> Vec<Endpoint> {
    const OF_COURSE: &str = "/fhir/EpisodeOfCare/{id:[A-Za-z0-9.-]+}/$kap-summary";
    const DOCUMENT: &str = "/fhir/Composition/{id:[A-Za-z0-9.-]+}/$document";
    let endpoint = |method, path, operation, route| Endpoint {
        method,
        path,
        interaction: Some(Interaction::Operation(operation)),
        route,
    };
    vec![
        endpoint(Method::GET, OF_COURSE, &summary::SUMMARY, || web::route().to(summary::summary)),
        endpoint(Method::POST, OF_COURSE, &summary::SUMMARY, || web::route().to(summary::summary)),
        endpoint(Method::GET, DOCUMENT, &summary::DOCUMENT, || web::route().to(summary::document)),
        endpoint(Method::POST, DOCUMENT, &summary::DOCUMENT, || web::route().to(summary::document)),
    ]
}

fn check_type(resource_type: &str) -> Result<(), ApiError> {
    match RESOURCE_TYPES.contains(resource_type) && resource_type != PARAMETERS {
        true => Ok(()),
        false => Err(ApiError::UnknownResourceType),
    }
}

/// For interactions that take `_format` and `_pretty` and nothing else.
fn representation_only(request: &HttpRequest) -> Result<Representation, ApiError> {
    if request.query_string().is_empty() {
        return Representation::of(request);
    }
    let parameters = parameters::decode(request.query_string())?;
    let errors = parameters::check_names(&parameters, &[FORMAT, PRETTY]);
    representation(request, &parameters, errors)
}

/// For interactions that read one resource: the format, and what of the resource is sent.
fn representation_of_part(request: &HttpRequest) -> Result<(Representation, Subset), ApiError> {
    if request.query_string().is_empty() {
        return Ok((Representation::of(request)?, Subset::Whole));
    }
    let parameters = parameters::decode(request.query_string())?;
    let mut errors = parameters::check_names(&parameters, &[SUMMARY, ELEMENTS, FORMAT, PRETTY]);
    let subset = search_subset::asked(&parameters, &mut errors);
    Ok((representation(request, &parameters, errors)?, subset))
}

/// The representation, unless there are errors: then all of them, those of the format's parameters too.
fn representation(
    request: &HttpRequest,
    parameters: &[Parameter],
    mut errors: Vec<ParameterError>,
) -> Result<Representation, ApiError> {
    match Representation::chosen(parameters, request.headers()) {
        Ok(representation) if errors.is_empty() => Ok(representation),
        Ok(_) => Err(ApiError::Parameters(errors)),
        Err(ApiError::Parameters(more)) => {
            errors.extend(more);
            Err(ApiError::Parameters(errors))
        }
        Err(other) => Err(other),
    }
}
