//! The fhir room: the validator. Holds a resource to R4 and to profiles, and tells every fault with its place,
//! <https://hl7.org/fhir/R4/validation.html>.
//!
//! ```text
//! let validator = Validator::new(Definitions::base());                  // once
//! let report = validator.validate(&json, &Options::default());          // from any thread
//! report.is_valid()
//! ```
//!
//! Two walks go over the same JSON. `object` holds every element to its base type: keys, JSON types, formats, numbers of
//! items, bindings, invariants. `profile` then looks only at what a profile says, and goes only where it says something.
//! What cannot be checked (an unknown profile, value set or code system) is an issue, never silence.

mod binding;
mod bundle;
mod compile;
mod conform;
mod contained;
mod context;
mod discriminator;
mod document;
mod evaluation;
mod extension;
mod fixed;
mod matching;
pub mod narrative;
mod object;
mod place;
pub mod primitive;
mod profile;
mod reference;
mod report;
mod resource;
mod rules;
mod slicing;
mod value;
mod vital_signs;
mod walk;

#[cfg(test)]
mod tests;

pub use report::{Issue, Report};

use crate::fhir::definitions::structure::{Constraint, Kind};
use crate::fhir::definitions::{Definitions, NoStructure, TYPE_URL};
use crate::fhir::path::Types;
use compile::{Compiled, Slot, choice_suffixes};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::OnceLock;

/// How a resource is to be validated.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Canonicals of profiles that the resource must keep, besides those that it claims in `meta.profile`.
    pub profiles: &'a [&'a str],
    /// More issues than these are only counted.
    pub max_issues: usize,
    /// Whether the text of a reference that leads to nothing at hand is taken for its type: `Patient/1` is then an
    /// error where only a Group may stand, and else a warning. The official validator does not take it so unless asked.
    pub trust_reference_names: bool,
    /// How many levels of elements a resource may have.
    pub max_depth: usize,
    pub enforced: Enforced,
}

/// Whose faults are errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Enforced {
    #[default]
    All,
    /// R4's own, and those of profiles whose canonicals begin so. What breaks other profiles is a warning, as are units and
    /// displays that their systems do not have.
    Own(&'static str),
}

impl Enforced {
    fn takes(self, rule: &str, profile: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Own(beginning) => {
                !matches!(rule, "unit-unknown" | "display")
                    && profile.is_none_or(|profile| profile.starts_with(beginning))
            }
        }
    }
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { profiles: &[], max_issues: 1_000, trust_reference_names: false, max_depth: 100, enforced: Enforced::All }
    }
}

/// Holds resources to a set of definitions. Share it: what it prepares for a type or a profile is kept.
pub struct Validator {
    definitions: Definitions,
    types: Types,
    slots: Vec<SlotEntry>,
    by_url: HashMap<Box<str>, Slot>,
    /// Slots of the types by their names: `Patient`, `Quantity`. No profiles: a profile is compiled with its types.
    by_type: HashMap<Box<str>, Slot>,
    suffixes: HashMap<Box<str>, Box<str>>,
}

struct SlotEntry {
    url: Box<str>,
    compiled: OnceLock<Result<Compiled, NoStructure>>,
}

impl Validator {
    /// Reads no definition yet: each type and profile is made ready when it is first needed. Definitions that are added
    /// to a clone of `definitions` later are not seen.
    pub fn new(definitions: Definitions) -> Self {
        let mut slots = Vec::new();
        let mut by_url = HashMap::new();
        for url in definitions.structures() {
            by_url.insert(url.into(), slots.len());
            slots.push(SlotEntry { url: url.into(), compiled: OnceLock::new() });
        }
        let types = Types::of(&definitions);
        let mut by_type: HashMap<Box<str>, Slot> = HashMap::new();
        let mut data_types = Vec::new();
        for (name, kind) in definitions.types() {
            if let Some(slot) = by_url.get(format!("{TYPE_URL}{name}").as_str()) {
                by_type.insert(name.into(), *slot);
            }
            if matches!(kind, Kind::Primitive | Kind::Complex) {
                data_types.push(name);
            }
        }
        let suffixes = choice_suffixes(data_types.into_iter());
        Self { definitions, types, slots, by_url, by_type, suffixes }
    }

    /// Holds a resource to its base type, the profiles that it claims, and those of the options.
    pub fn validate(&self, resource: &Value, options: &Options<'_>) -> Report {
        walk::validate(self, resource, options)
    }

    /// The definitions that this one works with.
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// The types as FHIRPath sees them.
    pub fn types(&self) -> &Types {
        &self.types
    }

    fn type_slot(&self, name: &str) -> Option<Slot> {
        self.by_type.get(name).copied()
    }

    /// The slot of a canonical in whatever version is here.
    fn slot_of_any_version(&self, canonical: &str) -> Option<Slot> {
        self.by_url.get(canonical.split('|').next().unwrap_or(canonical)).copied()
    }

    /// The slot of a canonical. One that asks for a version which is not here has none.
    fn slot(&self, canonical: &str) -> Result<Slot, NoStructure> {
        let url = canonical.split('|').next().unwrap_or(canonical);
        let slot = self.by_url.get(url).copied().ok_or_else(|| NoStructure::Unknown(canonical.into()))?;
        if url.len() != canonical.len() {
            self.definitions.structure(canonical)?;
        }
        Ok(slot)
    }

    fn compiled(&self, slot: Slot) -> Result<&Compiled, &NoStructure> {
        let entry = &self.slots[slot];
        entry
            .compiled
            .get_or_init(|| self.definitions.structure(&entry.url).and_then(|structure| Compiled::new(self, structure)))
            .as_ref()
    }

    /// The resource type or data type of a name.
    fn type_named(&self, name: &str) -> Option<&Compiled> {
        self.type_slot(name).and_then(|slot| self.compiled(slot).ok())
    }

    /// All rules of a type that is no profile.
    fn type_rules(&self, slot: Slot) -> Vec<&Constraint> {
        match self.compiled(slot) {
            Ok(compiled) if !compiled.structure.is_profile => {
                compiled.structure.elements.iter().flat_map(|element| &element.constraints).map(AsRef::as_ref).collect()
            }
            _ => Vec::new(),
        }
    }
}
