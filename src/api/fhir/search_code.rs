//! Systems in searches for elements of the type `code`. Such an element has no system beside it: it is implied by the value
//! set to which the element is bound, and a search may name it. <https://hl7.org/fhir/R4/search.html#token>

use crate::{
    fhir::{
        definitions::{
            Code, Definitions, Membership,
            structure::{Element, Strength, Structure},
        },
        search::SearchParameter,
    },
    store::FilterValue,
};
use std::sync::Arc;

/// Codes that `system|` stands for at most: no value set that R4 binds a `code` to and that can be listed is larger.
const MOST_CODES: usize = 1000;

/// To each value that names a system implied by an element of the parameter, the code as it stands in that element.
pub fn widen(
    definitions: &Definitions,
    resource_type: &str,
    parameter: &SearchParameter,
    values: Vec<FilterValue>,
) -> Vec<FilterValue> {
    let named = |value: &FilterValue| {
        let FilterValue::Token { system: Some(system), code } = value else { return None };
        (!system.is_empty()).then(|| (system.clone(), code.clone()))
    };
    let named: Vec<_> = values.iter().filter_map(named).collect();
    let paths: Vec<&str> = parameter.sources.iter().filter_map(|source| source.code_path.as_deref()).collect();
    let mut values = values;
    if named.is_empty() || paths.is_empty() {
        return values;
    }
    for value_set in paths.iter().filter_map(|path| value_set(definitions, resource_type, path)) {
        for (system, code) in &named {
            let codes = match code {
                Some(code) if is_member(definitions, &value_set, system, code) => vec![code.clone()],
                Some(_) => Vec::new(),
                None => members(definitions, &value_set, system),
            };
            let bare = |code| FilterValue::Token { system: Some(String::new()), code: Some(code) };
            values.extend(codes.into_iter().map(bare));
        }
    }
    values
}

fn is_member(definitions: &Definitions, value_set: &str, system: &str, code: &str) -> bool {
    let code = Code { system: Some(system), code, ..Code::default() };
    matches!(definitions.validate_code(value_set, &code), Membership::Member(_))
}

/// The codes of one system; none where the value set cannot be listed.
fn members(definitions: &Definitions, value_set: &str, system: &str) -> Vec<String> {
    let Ok(expansion) = definitions.expand(value_set) else { return Vec::new() };
    let of_system = expansion.concepts.iter().filter(|concept| concept.system.as_deref() == Some(system));
    of_system.take(MOST_CODES).map(|concept| concept.code.clone()).collect()
}

/// The value set to which R4 binds the element at the end of a way through a type.
fn value_set(definitions: &Definitions, resource_type: &str, path: &str) -> Option<String> {
    let mut structure = definitions.structure(resource_type).ok()?;
    let mut place = 0;
    for name in path.split('.') {
        let mut element = structure.elements.get(place)?;
        if let Some(of) = element.content_reference {
            element = structure.elements.get(of)?;
        }
        place = match child(&structure, element, name) {
            Some(place) => place,
            // Its members are those of its datatype.
            None => {
                structure = definitions.structure(&element.types.first()?.code).ok()?;
                child(&structure, structure.elements.first()?, name)?
            }
        };
    }
    let binding = structure.elements.get(place)?.binding.as_ref()?;
    binding.value_set.clone().filter(|_| binding.strength == Strength::Required)
}

fn child(structure: &Arc<Structure>, parent: &Element, name: &str) -> Option<usize> {
    let is_it = |place: &&usize| structure.elements.get(**place).is_some_and(|element| element.name == name);
    parent.children.iter().find(is_it).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_set_of_a_code_is_found_in_the_type_in_its_parts_and_in_its_datatypes() {
        let definitions = Definitions::base();
        for (resource_type, path, expected) in [
            ("Patient", "gender", Some("administrative-gender")),
            ("Patient", "address.use", Some("address-use")),
            ("Appointment", "participant.status", Some("participationstatus")),
            ("Observation", "status", Some("observation-status")),
            ("Patient", "banana", None),
            ("Patient", "gender.banana", None),
        ] {
            let found = value_set(&definitions, resource_type, path);
            let name = found.as_deref().and_then(|url| url.rsplit('/').next()?.split('|').next());
            assert_eq!(name, expected, "{resource_type}.{path}");
        }
    }
}
