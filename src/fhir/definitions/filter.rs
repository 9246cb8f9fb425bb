//! The fhir room: the filters of a ValueSet, <https://hl7.org/fhir/R4/valueset-filter-operator.html>.

use super::code_system::{CodeSystem, Node};
use super::value_set::Filter;
use regex::RegexBuilder;

/// A compiled expression of a ValueSet may take so much memory.
const MAX_REGEX: usize = 256 * 1024;

/// Whether a concept passes all filters; the reason if one cannot be evaluated.
pub(super) fn passes(system: &CodeSystem, node: &Node, filters: &[Filter]) -> Result<bool, String> {
    let mut all = true;
    for filter in filters {
        // Each is tried: what cannot be evaluated must not hide behind a false.
        all &= passes_one(system, node, filter)?;
    }
    Ok(all)
}

fn passes_one(system: &CodeSystem, node: &Node, filter: &Filter) -> Result<bool, String> {
    let Filter { property, op, value } = filter;
    let cannot =
        |why: &str| Err(format!("the filter {property} {op} {value} of {} cannot be evaluated: {why}", system.url));
    let values = |value: &str| value.split(',').map(|v| v.trim().to_owned()).collect::<Vec<_>>();
    if matches!(op.as_str(), "is-a" | "descendent-of" | "is-not-a" | "generalizes") {
        if property != "concept" && property != "code" {
            return cannot("the operator wants the property concept");
        }
        if !system.has_code(value) {
            return cannot("that concept is not here");
        }
        // In a part of a system a link may be missing.
        if let Some(incomplete) = system.incomplete() {
            return cannot(&incomplete);
        }
        let (same, below) = (system.same(node, value), system.is_below(node, value));
        return Ok(match op.as_str() {
            "is-a" => same || below,
            "descendent-of" => below,
            "is-not-a" => !(same || below),
            _ => same || system.find(value).is_some_and(|of| system.is_below(of, &node.concept.code)),
        });
    }
    let found: Vec<&str> = match property.as_str() {
        "code" | "concept" => vec![&node.concept.code],
        "display" => node.concept.display.as_deref().into_iter().collect(),
        "parent" => node.parent_codes(system).collect(),
        name if system.defines_property(name) => node.property(name).collect(),
        _ => return cannot("the CodeSystem does not define that property"),
    };
    match op.as_str() {
        "=" => Ok(found.contains(&value.as_str())),
        "in" => Ok(values(value).iter().any(|v| found.contains(&v.as_str()))),
        "not-in" => Ok(!values(value).iter().any(|v| found.contains(&v.as_str()))),
        "exists" => match value.as_str() {
            "true" => Ok(!found.is_empty()),
            "false" => Ok(found.is_empty()),
            _ => cannot("exists wants true or false"),
        },
        "regex" => match RegexBuilder::new(&format!("^(?:{value})$")).size_limit(MAX_REGEX).build() {
            Ok(regex) => Ok(found.iter().any(|text| regex.is_match(text))),
            Err(error) => cannot(&error.to_string()),
        },
        _ => cannot("the operator is not known"),
    }
}
