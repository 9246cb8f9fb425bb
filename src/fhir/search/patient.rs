//! Search in the fhir room: in which patient's compartment a resource is, by R4's own definition.
//!
//! <https://hl7.org/fhir/R4/compartmentdefinition-patient.html>

use crate::fhir::definitions::{Definitions, SearchParameter};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

const DEFINITION: &str = "http://hl7.org/fhir/CompartmentDefinition/patient";
const OFFICIAL: &str = "http://hl7.org/fhir/SearchParameter/";

/// Names of elements, from the resource down to a reference.
type Path = Vec<Box<str>>;

/// For each type the elements that name its patient: whom it is about first, then who did it.
static PATHS: LazyLock<HashMap<String, Vec<Path>>> = LazyLock::new(|| {
    let definitions = Definitions::base();
    let parameters = definitions.search_parameters();
    let compartments = definitions.compartments();
    let members = compartments.iter().find(|compartment| compartment.url == DEFINITION).map(|found| &found.members);
    let mut paths = HashMap::new();
    for (resource_type, codes) in members.into_iter().flatten().filter(|(_, codes)| !codes.is_empty()) {
        let mut codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        codes.sort_by_key(|code| !matches!(*code, "patient" | "subject"));
        let of_type: Vec<Path> = codes.iter().flat_map(|code| elements(&parameters, resource_type, code)).collect();
        paths.insert(resource_type.clone(), of_type);
    }
    paths
});

/// The elements in which a parameter of a type finds its values.
fn elements(parameters: &[SearchParameter], resource_type: &str, code: &str) -> Vec<Path> {
    let is_it = |parameter: &&SearchParameter| {
        parameter.code == code
            && parameter.url.starts_with(OFFICIAL)
            && parameter.base.iter().any(|base| base == resource_type)
    };
    let expressions = parameters.iter().filter(is_it).filter_map(|parameter| parameter.expression.as_deref());
    expressions.flat_map(|expression| expression.split('|')).filter_map(|term| path(term, resource_type)).collect()
}

/// `Type.a.b`, `(Type.a as Reference)`, `Type.a.as(Reference)`, `Type.a.where(resolve() is Patient)` become `a.b` or `a`;
/// only a reference to a patient counts anyway. `None`: of another type.
fn path(term: &str, resource_type: &str) -> Option<Path> {
    let term = term.trim().trim_matches(['(', ')']).strip_prefix(resource_type)?.strip_prefix('.')?;
    let end = [".where(", ".as(", " as "].iter().filter_map(|suffix| term.find(suffix)).min();
    Some(term[..end.unwrap_or(term.len())].split('.').map(Into::into).collect())
}

/// `Patient.id` of the compartment that a resource is in; a patient is in its own. `None`: in nobody's. Where several
/// patients are named (an appointment of two) it is the one that the definition's first parameter finds first.
pub fn patient(resource_type: &str, id: &str, resource: &Value) -> Option<String> {
    if resource_type == "Patient" {
        return Some(id.to_owned());
    }
    PATHS.get(resource_type)?.iter().find_map(|path| find(resource, path)).map(str::to_owned)
}

/// The first patient whom the path leads to. As deep as the path is long.
fn find<'a>(element: &'a Value, path: &[Box<str>]) -> Option<&'a str> {
    if let Value::Array(items) = element {
        return items.iter().find_map(|item| find(item, path));
    }
    match path.split_first() {
        Some((name, rest)) => {
            let child = element.get(&**name).or_else(|| element.get(format!("{name}Reference")))?;
            find(child, rest)
        }
        None => {
            let id = element.get("reference")?.as_str()?.strip_prefix("Patient/")?.split('/').next()?;
            (!id.is_empty()).then_some(id)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_member_of_the_definition_has_a_path() {
        assert!(PATHS.len() > 60, "{}", PATHS.len());
        for (resource_type, paths) in PATHS.iter() {
            assert!(!paths.is_empty(), "{resource_type}");
            for step in paths.iter().flatten() {
                assert!(step.bytes().all(|byte| byte.is_ascii_alphabetic()), "{resource_type}: {step}");
            }
        }
    }

    #[test]
    fn patients_are_found_where_the_definition_says() {
        let p1 = json!({ "reference": "Patient/p1" });
        for (resource_type, resource) in [
            ("Observation", json!({ "subject": p1, "performer": [{ "reference": "Patient/other" }] })),
            ("Observation", json!({ "subject": { "reference": "Group/g" }, "performer": [{ "reference": "x" }, p1] })),
            ("AllergyIntolerance", json!({ "patient": { "reference": "Patient/p1/_history/3" } })),
            ("Appointment", json!({ "participant": [{ "actor": { "reference": "Location/l" } }, { "actor": p1 }] })),
            ("Coverage", json!({ "beneficiary": p1 })),
            ("Claim", json!({ "payee": { "party": p1 } })),
            ("DocumentReference", json!({ "author": [p1] })),
            ("MedicationRequest", json!({ "subject": p1 })),
            ("Group", json!({ "member": [{ "entity": p1 }] })),
            ("Provenance", json!({ "target": [{ "reference": "Goal/g" }, p1] })),
        ] {
            assert_eq!(patient(resource_type, "x", &resource).as_deref(), Some("p1"), "{resource_type} {resource}");
        }
        assert_eq!(patient("Patient", "me", &json!({})).as_deref(), Some("me"));
    }

    #[test]
    fn others_are_in_no_compartment() {
        for (resource_type, resource) in [
            ("Practitioner", json!({ "subject": { "reference": "Patient/p1" } })),
            ("Observation", json!({ "subject": { "reference": "https://other.example/Patient/p1" } })),
            ("Observation", json!({ "subject": { "reference": "Patient/" } })),
            ("Observation", json!({ "subject": "Patient/p1" })),
            ("Banana", json!({})),
        ] {
            assert_eq!(patient(resource_type, "x", &resource), None, "{resource_type}");
        }
    }
}
