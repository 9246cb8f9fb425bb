//! Capabilities: what this server does, read off its routes and its search table.
//!
//! <https://hl7.org/fhir/R4/http.html#capabilities>, <https://hl7.org/fhir/R4/capabilitystatement.html>

use crate::{
    api::{
        Api,
        error::ApiError,
        fhir::{
            self, COUNT, guide,
            search_query::{COLUMNS, SORT, TOTAL},
        },
        parameters::{FORMAT, PRETTY},
    },
    fhir::search::{self, SearchParameter, SearchType},
};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

/// The day on which what this statement says last changed; it is the same for every build of a version.
const DATE: &str = "2026-11-22";

pub async fn metadata(request: HttpRequest, api: web::Data<Api>) -> Result<HttpResponse, ApiError> {
    let representation = fhir::representation_only(&request)?;
    let statement = capability_statement(&api.fhir_base());
    Ok(representation.write(HttpResponse::Ok(), statement.to_string().into()))
}

/// The CapabilityStatement of the server at that base URL.
pub fn capability_statement(fhir_base: &str) -> Value {
    let interactions = interactions();
    let stored = search::resource_types().map(|name| resource(name, &interactions));
    let of_guide = guide::types().map(of_guide);
    // Not kept here, but often validated.
    let asked = ["Bundle", "Parameters"].map(|name| json!({ "type": name, "operation": operations(name) }));
    let resources: Vec<Value> = stored.chain(of_guide).chain(asked).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "name": "KapGateway",
        "title": "kap-gateway",
        "status": "active",
        "date": DATE,
        "description": "Ketamine-assisted psychotherapy records as FHIR R4 resources. The resources are read-only \
            here: they are written as KAP records through /kap/v1 (see /openapi.yaml). $validate takes a resource of \
            any type of R4.",
        "kind": "instance",
        "software": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "kap-gateway", "url": fhir_base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml"],
        "rest": [{
            "mode": "server",
            "documentation": format!(
                "Searches take {COUNT}, {SORT} (_lastUpdated, or the type's date by its name or as date; - before it for descending) and {TOTAL}; history takes \
                 {COUNT}; everything takes {FORMAT} and {PRETTY}. Unknown parameters are errors unless the request \
                 says Prefer: handling=lenient, which searches heed. Modifiers, chains and includes are not supported."
            ),
            "resource": resources,
        }],
    })
}

/// Interaction codes of the routes, each once.
fn interactions() -> Vec<&'static str> {
    let mut codes = Vec::new();
    for code in fhir::endpoints().iter().filter_map(|endpoint| endpoint.interaction?.resource_code()) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// A type of which our guide has resources.
fn of_guide(name: &str) -> Value {
    let parameters = guide::SEARCH_PARAMETERS.map(|(name, kind)| json!({ "name": name, "type": kind }));
    json!({
        "type": name,
        "documentation": "The resources of the KAP guide. They are part of the program and do not change.",
        "interaction": [{ "code": "read" }, { "code": "search-type" }],
        "searchParam": parameters,
        "operation": operations(name),
    })
}

/// The operations of a type, each once.
fn operations(resource_type: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for operation in fhir::endpoints().iter().filter_map(|endpoint| endpoint.interaction?.operation()) {
        let told = json!({ "name": operation.name, "definition": operation.definition });
        if operation.resource_type.is_none_or(|own| own == resource_type) && !found.contains(&told) {
            found.push(told);
        }
    }
    found
}

fn resource(name: &str, interactions: &[&str]) -> Value {
    let columns = COLUMNS.iter().map(|(name, kind)| json!({ "name": name, "type": type_code(*kind) }));
    let of_type = search::parameters(name).iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "definition": parameter.definition,
            "type": type_code(parameter.kind),
            "documentation": documentation(name, parameter),
        })
    });
    json!({
        "type": name,
        "interaction": interactions.iter().map(|code| json!({ "code": code })).collect::<Vec<_>>(),
        "versioning": "versioned",
        "readHistory": true,
        "updateCreate": false,
        "conditionalCreate": false,
        "conditionalRead": "full-support",
        "conditionalUpdate": false,
        "conditionalDelete": "not-supported",
        "searchParam": columns.chain(of_type).collect::<Vec<_>>(),
        "operation": operations(name),
    })
}

fn documentation(resource_type: &str, parameter: &SearchParameter) -> String {
    let text = parameter.documentation;
    let is_date = search::sort_date(resource_type).is_some_and(|date| date.name == parameter.name);
    if is_date && parameter.name != "date" { format!("{text}; taken by the name date too") } else { text.to_owned() }
}

/// <https://hl7.org/fhir/R4/valueset-search-param-type.html>
fn type_code(kind: SearchType) -> &'static str {
    match kind {
        SearchType::Token => "token",
        SearchType::Date => "date",
        SearchType::Reference => "reference",
    }
}
