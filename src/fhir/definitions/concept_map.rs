//! The fhir room: what a ConceptMap says about a code, <https://hl7.org/fhir/R4/conceptmap.html>.

use super::library::{Kind, Library, NotHere};
use super::read::{list, text};
use super::terminology::{Translation, Unexpandable};
use serde_json::Value;

/// A map may name another one for what it leaves out; so many in a row.
const MAX_MAPS: usize = 8;

impl Library {
    pub(super) fn translate(
        &self,
        canonical: &str,
        system: Option<&str>,
        code: &str,
    ) -> Result<Vec<Translation>, Unexpandable> {
        let mut next = canonical.to_owned();
        for _ in 0..MAX_MAPS {
            let map = self.find(Kind::ConceptMap, &next).map_err(|why| match why {
                NotHere::Unknown => Unexpandable::new(format!("the ConceptMap {next} is not here")),
                NotHere::OtherVersion(here) => {
                    Unexpandable::new(format!("the ConceptMap {next} is not here in that version, but as {here}"))
                }
            })?;
            let faulty = |reason| Unexpandable::new(format!("the ConceptMap {next} is faulty: {reason}"));
            match map.json(|map| in_map(map, system, code)).map_err(faulty)? {
                Found::Targets(targets) => return Ok(targets),
                Found::See(other) => next = other,
            }
        }
        Err(Unexpandable::new(format!("ConceptMaps point at each other more than {MAX_MAPS} times, or in a circle")))
    }
}

enum Found {
    Targets(Vec<Translation>),
    /// Canonical of the map that has what this one leaves out.
    See(String),
}

fn in_map(map: &Value, system: Option<&str>, code: &str) -> Found {
    let mut targets = Vec::new();
    let mut other_map = None;
    for group in list(map, "group").filter(|g| system.is_none() || g["source"].as_str() == system) {
        let mut elements = list(group, "element").filter(|e| e["code"] == code).peekable();
        if elements.peek().is_none() {
            match unmapped(group, code) {
                Some(Found::Targets(more)) => targets.extend(more),
                Some(Found::See(other)) => other_map = other_map.or(Some(other)),
                None => {}
            }
        }
        for target in elements.flat_map(|e| list(e, "target")) {
            targets.push(Translation {
                equivalence: text(target, "equivalence").unwrap_or_default(),
                system: text(group, "target"),
                code: text(target, "code"),
                display: text(target, "display"),
            });
        }
    }
    match other_map {
        Some(other) if targets.is_empty() => Found::See(other),
        Some(_) | None => Found::Targets(targets),
    }
}

fn unmapped(group: &Value, code: &str) -> Option<Found> {
    let unmapped = group.get("unmapped")?;
    let target = |equivalence: &str, code: Option<String>| Translation {
        equivalence: equivalence.to_owned(),
        system: text(group, "target"),
        code,
        display: text(unmapped, "display"),
    };
    match unmapped["mode"].as_str()? {
        "provided" => Some(Found::Targets(vec![target("equal", Some(code.to_owned()))])),
        // How near the fixed code is to this one, the map does not say.
        "fixed" => Some(Found::Targets(vec![target("relatedto", text(unmapped, "code"))])),
        "other-map" => text(unmapped, "url").map(Found::See),
        _ => None,
    }
}
