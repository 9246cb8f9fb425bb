//! Capabilities: what this server does, read off its routes and its search table.
//!
//! <https://hl7.org/fhir/R4/http.html#capabilities>, <https://hl7.org/fhir/R4/capabilitystatement.html>

use crate::{
    api::{
        Api,
        error::{ApiError, ParameterError},
        fhir::{
            self, COUNT,
            search_filter::{self, COLUMNS},
            search_include::{INCLUDE, REVINCLUDE},
            search_query::{SORT, TOTAL},
            search_subset::{self, ELEMENTS, SUMMARY},
        },
        parameters::{self, FORMAT, PRETTY},
    },
    fhir::{
        outcome::IssueType,
        search::{self, SearchParameter, SearchType},
    },
};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// The day on which what this statement says last changed; it is the same for every build of a version.
const DATE: &str = "2026-11-22";

/// Each may be answered with the one statement, says R4. <https://hl7.org/fhir/R4/http.html#capabilities>
const MODE: &str = "mode";
const MODES: [&str; 3] = ["full", "normative", "terminology"];

pub async fn metadata(request: HttpRequest, api: web::Data<Api>) -> Result<HttpResponse, ApiError> {
    let parameters = parameters::decode(request.query_string())?;
    let mut errors = parameters::check_names(&parameters, &[MODE, SUMMARY, ELEMENTS, FORMAT, PRETTY]);
    let subset = search_subset::asked(&parameters, &mut errors);
    let mode = parameters.iter().find(|parameter| parameter.name == MODE);
    if mode.is_some_and(|mode| !MODES.contains(&mode.value.as_str())) {
        errors.push(ParameterError::new(MODE, IssueType::Value, format!("must be {}", MODES.join(", "))));
    }
    let representation = fhir::representation(&request, &parameters, errors)?;
    let generation = search::added::generation();
    let statement = text(Of { fhir_base: api.fhir_base(), chain_links: api.limits.chain_links, generation });
    let part = subset.of_body("CapabilityStatement", statement, &api.definitions)?;
    Ok(representation.write(HttpResponse::Ok(), part))
}

/// On what the statement depends.
#[derive(Clone, PartialEq, Eq)]
struct Of {
    fhir_base: String,
    chain_links: usize,
    /// Of the search parameters.
    generation: usize,
}

/// The statement as it is sent; made once, for it names some thousands of parameters.
fn text(of: Of) -> Bytes {
    static MADE: Mutex<Option<(Of, Bytes)>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    match made.as_ref() {
        Some((known, statement)) if *known == of => statement.clone(),
        Some(_) | None => {
            let statement = Bytes::from(capability_statement(&of.fhir_base, of.chain_links).to_string());
            *made = Some((of, statement.clone()));
            statement
        }
    }
}

/// The CapabilityStatement of the server at that base URL.
pub fn capability_statement(fhir_base: &str, chain_links: usize) -> Value {
    let interactions = interactions();
    let kept = fhir::kept_types().map(|name| resource(name, &interactions));
    // Not kept here, but validated.
    let asked = ["Parameters"].map(|name| json!({ "type": name, "operation": operations(name) }));
    let resources: Vec<Value> = kept.chain(asked).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "name": "KapGateway",
        "title": "kap-gateway",
        "status": "active",
        "date": DATE,
        "description": "Ketamine-assisted psychotherapy records as FHIR R4 resources, and R4 resources of any type beside \
            them. What a KAP record made is read here and changed through /kap/v1 alone (see /openapi.yaml): a write to \
            it is answered with 409. The resources of the KAP guide are part of the program and do not change.",
        "kind": "instance",
        "software": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "kap-gateway", "url": fhir_base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json", "application/fhir+xml"],
        "rest": [{
            "mode": "server",
            "documentation": documentation_of_all(chain_links),
            "searchParam": of_all(),
            "compartment": COMPARTMENTS.map(|name| format!("http://hl7.org/fhir/CompartmentDefinition/{name}")),
            "resource": resources,
            "interaction": [{ "code": "transaction" }, { "code": "batch" }, { "code": "history-system" }, { "code": "search-system" }],
        }],
    })
}

/// Those that R4 defines. <https://hl7.org/fhir/R4/valueset-compartment-type.html>
const COMPARTMENTS: [&str; 5] = ["patient", "encounter", "relatedPerson", "practitioner", "device"];

fn modifiers_of(kind: SearchType) -> String {
    format!("{} takes {}", kind.code(), search_filter::modifiers(kind))
}

/// How to search, for people.
fn documentation_of_all(chain_links: usize) -> String {
    let unsupported: Vec<String> = search::unsupported().into_iter().collect();
    let modifiers = [SearchType::Token, SearchType::String, SearchType::Reference, SearchType::Uri, SearchType::Date];
    let modifiers = modifiers.map(modifiers_of).join("; ");
    format!(
        "Searches take all search parameters of R4 but {}, those of US Core and of the KAP guide; chains and _has of up to \
         {chain_links} links; {INCLUDE}, {REVINCLUDE} with :iterate; {SORT} by up to 5 parameters; {COUNT}, {TOTAL}, {ELEMENTS} \
         and {SUMMARY}, which reads, histories and $everything take too. Modifiers: {modifiers}; all others take :missing. {REVINCLUDE} takes every \
         reference parameter of every type that may lead to the matches. Searches go on one type, in a compartment (Patient, \
         Encounter, RelatedPerson, Practitioner and Device, each by R4's own definition: Encounter/[id]/Observation, \
         Device/[id]/*) and on all types ({COUNT} and {TOTAL}, no {SORT}). History takes {COUNT}, _since and _at, and tells by \
         which method each version was made. Writes take Idempotency-Key: a retry is done once and answered alike. \
         A SearchParameter that is stored as active is indexed in the \
         background and then searched by; SearchParameter/$reindex tells how far it is. $lastn (GET, or POST with Parameters) takes the search parameters of Observation, of which patient or subject and a category or a code must be \
         given. Everything takes {FORMAT} and {PRETTY}. Unknown parameters are errors \
         unless the request says Prefer: handling=lenient, which searches heed.",
        unsupported.join(", ")
    )
}

/// What every type takes.
fn of_all() -> Vec<Value> {
    let columns = COLUMNS.iter().map(|(name, kind)| json!({ "name": name, "type": kind.code() }));
    let common = search::parameters("Basic").iter().filter(|known| known.name.starts_with('_'));
    columns.chain(common.map(|known| json!({ "name": known.name, "type": known.kind.code() }))).collect()
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
    let columns = COLUMNS.iter().map(|(name, kind)| json!({ "name": name, "type": kind.code() }));
    let searchable = search::parameters(name).iter().filter(|known| !search::added::is_pending(name, &known.name));
    let of_type = searchable.map(|parameter| {
        let mut told = json!({
            "name": parameter.name,
            "definition": parameter.definition,
            "type": parameter.kind.code(),
        });
        if let Some(text) = documentation(name, parameter) {
            told["documentation"] = text.into();
        }
        told
    });
    json!({
        "type": name,
        "interaction": interactions.iter().map(|code| json!({ "code": code })).collect::<Vec<_>>(),
        "versioning": "versioned",
        "readHistory": true,
        "updateCreate": true,
        "conditionalCreate": true,
        "conditionalRead": "full-support",
        "conditionalUpdate": true,
        "conditionalDelete": "single",
        "searchInclude": includes(name),
        "searchParam": columns.chain(of_type).collect::<Vec<_>>(),
        "operation": operations(name),
    })
}

/// What is not as the definition has it.
fn documentation(resource_type: &str, parameter: &SearchParameter) -> Option<&'static str> {
    if parameter.name == "phonetic" {
        return Some("Compares as name does: no sounds are compared.");
    }
    let is_date = search::sort_date(resource_type).is_some_and(|date| date.name == parameter.name);
    (is_date && parameter.name != "date").then_some("Taken by the name date too.")
}

/// What `_include` takes for matches of that type.
fn includes(resource_type: &str) -> Vec<String> {
    let is_meant = |known: &&SearchParameter| {
        known.kind == SearchType::Reference && !search::added::is_pending(resource_type, &known.name)
    };
    let references = search::parameters(resource_type).iter().filter(is_meant);
    std::iter::once("*".to_owned()).chain(references.map(|known| format!("{resource_type}:{}", known.name))).collect()
}
