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
            match self.in_concept_map(&next, |map| in_map(map, system, code))? {
                Found::Targets(targets) => return Ok(targets),
                Found::See(other) => next = other,
            }
        }
        Err(Unexpandable::new(format!("ConceptMaps point at each other more than {MAX_MAPS} times, or in a circle")))
    }

    /// What the map itself leads to the code; what it leaves to other maps, and codes that it lets pass, are not among it.
    pub(super) fn translate_back(
        &self,
        canonical: &str,
        system: Option<&str>,
        code: &str,
    ) -> Result<Vec<Translation>, Unexpandable> {
        self.in_concept_map(canonical, |map| {
            let groups = list(map, "group").filter(|group| system.is_none() || group["target"].as_str() == system);
            let mut sources = Vec::new();
            for (group, element) in groups.flat_map(|group| list(group, "element").map(move |element| (group, element)))
            {
                let to_it = list(element, "target").filter(|target| target["code"] == code);
                sources.extend(to_it.map(|target| Translation {
                    equivalence: turned_round(target["equivalence"].as_str().unwrap_or_default()).to_owned(),
                    system: text(group, "source"),
                    code: text(element, "code"),
                    display: text(element, "display"),
                }));
            }
            sources
        })
    }

    fn in_concept_map<T>(&self, canonical: &str, look: impl FnOnce(&Value) -> T) -> Result<T, Unexpandable> {
        let map = self.find(Kind::ConceptMap, canonical).map_err(|why| match why {
            NotHere::Unknown => Unexpandable::new(format!("the ConceptMap {canonical} is not here")),
            NotHere::OtherVersion(here) => {
                Unexpandable::new(format!("the ConceptMap {canonical} is not here in that version, but as {here}"))
            }
        })?;
        map.json(look).map_err(|reason| Unexpandable::new(format!("the ConceptMap {canonical} is faulty: {reason}")))
    }
}

/// How the source stands to the target, by how the target stands to the source.
/// <https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html>
fn turned_round(equivalence: &str) -> &str {
    match equivalence {
        "wider" => "narrower",
        "narrower" => "wider",
        "subsumes" => "specializes",
        "specializes" => "subsumes",
        same => same,
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
