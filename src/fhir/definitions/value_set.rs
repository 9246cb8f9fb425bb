//! The fhir room: ValueSets as they are composed, <https://hl7.org/fhir/R4/valueset.html>.

use super::code_system::designations;
use super::read::{list, text, texts};
use super::terminology::Concept;
use serde_json::Value;
use std::sync::Arc;

/// A ValueSet resource, read.
#[derive(Debug)]
pub(super) struct ValueSet {
    /// Canonical with version.
    pub(super) canonical: String,
    /// `None`: it has no `compose`.
    pub(super) compose: Option<Compose>,
    /// The codes of the expansion that it came with, unless that is known to be a part only.
    pub(super) expansion: Option<Vec<Arc<Concept>>>,
}

#[derive(Debug)]
pub(super) struct Compose {
    /// `compose.inactive = false`.
    pub(super) without_inactive: bool,
    pub(super) include: Vec<Part>,
    pub(super) exclude: Vec<Part>,
}

/// An include or exclude: codes that fulfil all that it says.
#[derive(Debug)]
pub(super) struct Part {
    /// Canonical of the system, with `|version` where given.
    pub(super) system: Option<String>,
    /// `None`: not listed, so all, or those that pass the filters.
    pub(super) concepts: Option<Vec<Arc<Concept>>>,
    pub(super) filters: Vec<Filter>,
    pub(super) value_sets: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Filter {
    pub(super) property: String,
    /// `is-a`, `regex`: FilterOperator, <https://hl7.org/fhir/R4/valueset-filter-operator.html>.
    pub(super) op: String,
    pub(super) value: String,
}

impl ValueSet {
    pub(super) fn read(resource: &Value) -> Result<Self, String> {
        let url = text(resource, "url").unwrap_or_default();
        let compose = resource.get("compose").map(|compose| {
            let parts = |key| list(compose, key).map(part).collect();
            Compose {
                without_inactive: compose["inactive"].as_bool() == Some(false),
                include: parts("include"),
                exclude: parts("exclude"),
            }
        });
        Ok(Self {
            canonical: text(resource, "version").map_or_else(|| url.clone(), |version| format!("{url}|{version}")),
            compose,
            expansion: resource.get("expansion").and_then(expansion),
        })
    }
}

impl Part {
    /// The system without its version.
    pub(super) fn system_url(&self) -> Option<&str> {
        self.system.as_deref().map(|system| system.split('|').next().unwrap_or(system))
    }
}

fn part(part: &Value) -> Part {
    let url = text(part, "system");
    let concept = |c: &Value| Concept {
        system: url.clone(),
        code: text(c, "code").unwrap_or_default(),
        display: text(c, "display"),
        designations: designations(c),
        ..Concept::default()
    };
    let concepts: Vec<Arc<Concept>> = list(part, "concept").map(concept).map(Arc::new).collect();
    let filter = |f: &Value| Filter {
        property: text(f, "property").unwrap_or_default(),
        op: text(f, "op").unwrap_or_default(),
        value: text(f, "value").unwrap_or_default(),
    };
    Part {
        system: url.clone().map(|url| text(part, "version").map_or_else(|| url.clone(), |v| format!("{url}|{v}"))),
        concepts: (!concepts.is_empty()).then_some(concepts),
        filters: list(part, "filter").map(filter).collect(),
        value_sets: texts(part, "valueSet"),
    }
}

fn expansion(expansion: &Value) -> Option<Vec<Arc<Concept>>> {
    let mut concepts = Vec::new();
    let mut stack: Vec<&Value> = list(expansion, "contains").collect();
    stack.reverse();
    let mut listed = 0_u64;
    while let Some(contained) = stack.pop() {
        listed += 1;
        let below = stack.len();
        stack.extend(list(contained, "contains"));
        stack[below..].reverse();
        // An entry without a code groups others.
        if let Some(code) = text(contained, "code") {
            concepts.push(Arc::new(Concept {
                system: text(contained, "system"),
                code,
                display: text(contained, "display"),
                designations: designations(contained),
                is_abstract: contained["abstract"].as_bool().unwrap_or(false),
                inactive: contained["inactive"].as_bool().unwrap_or(false),
                definition: None,
            }));
        }
    }
    let is_page = expansion["total"].as_u64().is_some_and(|total| total > listed)
        || expansion["offset"].as_u64().is_some_and(|offset| offset > 0)
        || list(expansion, "extension")
            .any(|e| e["url"].as_str().is_some_and(|url| url.contains("valueset-toocostly")));
    (!is_page).then_some(concepts)
}
