//! The fhir room: the filters of a ValueSet, <https://hl7.org/fhir/R4/valueset-filter-operator.html>.

use super::allowance::Allowance;
use super::code_system::{CodeSystem, Node};
use super::value_set::Filter;
use regex::{Regex, RegexBuilder};

/// A compiled expression of a ValueSet may take so much memory.
const MAX_REGEX: usize = 256 * 1024;

/// Whether a concept passes all filters; the reason if one cannot be evaluated.
pub(super) fn passes(
    system: &CodeSystem,
    node: &Node,
    filters: &[Filter],
    allowance: &Allowance,
) -> Result<bool, String> {
    let mut all = true;
    for filter in filters {
        // Each is tried: what cannot be evaluated must not hide behind a false.
        allowance.spend(1 + test_cost(filter))?;
        all &= match &test(system, filter)? {
            Test::Property(name, test) => test.passes(&values(system, node, name)),
            Test::Related { op, to } => {
                // What is over is told with the next step.
                let is_below = |node: &Node, of: &str| {
                    let (told, looked_at) = system.is_below(node, of);
                    drop(allowance.spend(looked_at / 8));
                    told
                };
                let cannot = || cannot(system, filter, "its concepts are nested too deep");
                let (same, below) = (system.same(node, to), is_below(node, to).ok_or_else(cannot)?);
                let above = || system.find(to).map_or(Some(false), |of| is_below(of, &node.concept.code));
                match op {
                    Related::IsA => same || below,
                    Related::Descendant => below,
                    Related::IsNotA => !(same || below),
                    Related::Generalizes => same || above().ok_or_else(cannot)?,
                }
            }
        };
    }
    Ok(all)
}

/// All concepts that pass all filters, in the time that it takes to look at each once.
pub(super) fn passing<'s>(
    system: &'s CodeSystem,
    filters: &[Filter],
    allowance: &Allowance,
) -> Result<Vec<&'s Node>, String> {
    let mut selected = vec![true; system.nodes().len()];
    for filter in filters {
        allowance.spend(test_cost(filter) + system.nodes().len() * look_cost(filter))?;
        let related = match test(system, filter)? {
            Test::Property(name, test) => {
                for (selected, node) in selected.iter_mut().zip(system.nodes()) {
                    *selected = *selected && test.passes(&values(system, node, name));
                }
                continue;
            }
            Test::Related { op: Related::IsA, to } => (system.all_below(to, true), true),
            Test::Related { op: Related::Descendant, to } => (system.all_below(to, false), true),
            Test::Related { op: Related::IsNotA, to } => (system.all_below(to, true), false),
            Test::Related { op: Related::Generalizes, to } => (system.all_above(to), true),
        };
        for (selected, is_related) in selected.iter_mut().zip(related.0) {
            *selected = *selected && is_related == related.1;
        }
    }
    Ok(system.nodes().iter().zip(selected).filter(|(_, selected)| *selected).map(|(node, _)| node).collect())
}

/// Steps to make a filter ready: a regular expression is compiled, one with counts perhaps to all that it may have.
fn test_cost(filter: &Filter) -> usize {
    let is_regex = filter.op == "regex";
    let counted = if is_regex && filter.value.contains('{') { 5_000 } else { 0 };
    counted + filter.value.len() / 8 + if is_regex { 250 } else { 0 }
}

/// Steps to hold one concept to a filter.
fn look_cost(filter: &Filter) -> usize {
    match (filter.op.as_str(), filter.value.contains('{')) {
        ("regex", true) => 16,
        ("regex", false) => 2,
        (_, _) => 1,
    }
}

/// A filter made ready for a system.
enum Test<'f> {
    Related { op: Related, to: &'f str },
    Property(&'f str, PropertyTest<'f>),
}

#[derive(Clone, Copy)]
enum Related {
    IsA,
    Descendant,
    IsNotA,
    Generalizes,
}

enum PropertyTest<'f> {
    In(Vec<&'f str>),
    NotIn(Vec<&'f str>),
    Exists(bool),
    Regex(Regex),
}

impl PropertyTest<'_> {
    fn passes(&self, found: &[&str]) -> bool {
        match self {
            Self::In(wanted) => wanted.iter().any(|value| found.contains(value)),
            Self::NotIn(unwanted) => !unwanted.iter().any(|value| found.contains(value)),
            Self::Exists(wanted) => found.is_empty() != *wanted,
            Self::Regex(regex) => found.iter().any(|text| regex.is_match(text)),
        }
    }
}

fn test<'f>(system: &CodeSystem, filter: &'f Filter) -> Result<Test<'f>, String> {
    let Filter { property, op, value } = filter;
    let cannot = |why: &str| Err(cannot(system, filter, why));
    let related = match op.as_str() {
        "is-a" => Some(Related::IsA),
        "descendent-of" => Some(Related::Descendant),
        "is-not-a" => Some(Related::IsNotA),
        "generalizes" => Some(Related::Generalizes),
        _ => None,
    };
    if let Some(op) = related {
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
        return Ok(Test::Related { op, to: value });
    }
    if !matches!(property.as_str(), "code" | "concept" | "display" | "parent") && !system.defines_property(property) {
        return cannot("the CodeSystem does not define that property");
    }
    let listed = || value.split(',').map(str::trim).collect();
    let test = match op.as_str() {
        "=" => PropertyTest::In(vec![value]),
        "in" => PropertyTest::In(listed()),
        "not-in" => PropertyTest::NotIn(listed()),
        "exists" => match value.as_str() {
            "true" => PropertyTest::Exists(true),
            "false" => PropertyTest::Exists(false),
            _ => return cannot("exists wants true or false"),
        },
        "regex" => match RegexBuilder::new(&format!("^(?:{value})$")).size_limit(MAX_REGEX).build() {
            Ok(regex) => PropertyTest::Regex(regex),
            // The error repeats the expression; what is wrong with it stands in the last line.
            Err(error) => return cannot(error.to_string().lines().last().unwrap_or("it is no regular expression")),
        },
        _ => return cannot("the operator is not known"),
    };
    Ok(Test::Property(property, test))
}

fn cannot(system: &CodeSystem, filter: &Filter, why: &str) -> String {
    let Filter { property, op, value } = filter;
    // A hostile expression may be long.
    let shown: String = value.chars().take(100).collect();
    format!("the filter {property} {op} {shown} of {} cannot be evaluated: {why}", system.url)
}

fn values<'s>(system: &'s CodeSystem, node: &'s Node, property: &str) -> Vec<&'s str> {
    match property {
        "code" | "concept" => vec![&node.concept.code],
        "display" => node.concept.display.as_deref().into_iter().collect(),
        "parent" => node.parent_codes(system).collect(),
        name => node.property(name).collect(),
    }
}
