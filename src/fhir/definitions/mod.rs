//! The fhir room: what a valid resource is, as data: StructureDefinitions, terminology, search parameters of R4,
//! of US Core and of our own guide, <https://hl7.org/fhir/R4/conformance-module.html>.

pub mod structure;
pub mod terminology;

pub use structure::Structure;
pub use terminology::{Code, Expansion, Lookup, Membership, Translation, Unexpandable};

use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// All definitions that a validator works with. A clone shares what is loaded; definitions that are added to one clone
/// are not seen by the others.
#[derive(Clone, Default)]
pub struct Definitions {}

/// Why there is no [`Structure`] to hand out. None of these may be taken for "valid".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoStructure {
    #[error("there is no definition of {0} here")]
    Unknown(String),
    /// The definition is here, but not in the version that the canonical asks for.
    #[error("the definition {url} is here as version {here}, and not as {asked}")]
    OtherVersion { url: String, asked: String, here: String },
    #[error("the profile {0} has no snapshot")]
    NoSnapshot(String),
    /// The definition is here and cannot be read.
    #[error("the definition {url} is faulty: {reason}")]
    Faulty { url: String, reason: String },
}

/// Why a conformance resource or a package could not be added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error("{file}: {reason}")]
    File { file: String, reason: String },
    #[error("{0}")]
    Resource(String),
}

impl Definitions {
    /// What the program carries: R4 4.0.1, US Core 6.1.0 and our own guide.
    pub fn base() -> Self {
        Self::default()
    }

    /// Adds one conformance resource (StructureDefinition, ValueSet, CodeSystem, ConceptMap, SearchParameter). One with
    /// the url and version of a definition that is here already takes its place.
    pub fn add_resource(&mut self, _resource: Value) -> Result<(), AddError> {
        Err(AddError::Resource("not built yet".into()))
    }

    /// Adds every conformance resource of a FHIR NPM package (`.tgz`) or of a folder of JSON files; says how many.
    pub fn add_package(&mut self, path: &Path) -> Result<usize, AddError> {
        Err(AddError::File { file: path.display().to_string(), reason: "not built yet".into() })
    }

    /// The type or profile of a canonical (with or without `|version`), or of a type name such as `Patient`.
    pub fn structure(&self, canonical_or_type: &str) -> Result<Arc<Structure>, NoStructure> {
        Err(NoStructure::Unknown(canonical_or_type.into()))
    }

    /// Canonicals of all StructureDefinitions, without versions.
    pub fn structures(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether a code belongs to a ValueSet (canonical, with or without `|version`).
    pub fn validate_code(&self, value_set: &str, _code: &Code) -> Membership {
        Membership::Unknown(format!("there is no ValueSet {value_set} here"))
    }

    /// Whether a code is one of a CodeSystem.
    pub fn lookup(&self, system: &str, _code: &str) -> Lookup {
        Lookup::Unknown(format!("there is no CodeSystem {system} here"))
    }

    /// All codes of a ValueSet, as far as they can be known.
    pub fn expand(&self, value_set: &str) -> Result<Expansion, Unexpandable> {
        Err(Unexpandable::new(format!("there is no ValueSet {value_set} here")))
    }

    /// What a ConceptMap (its canonical) says about a code.
    pub fn translate(
        &self,
        concept_map: &str,
        _system: Option<&str>,
        _code: &str,
    ) -> Result<Vec<Translation>, Unexpandable> {
        Err(Unexpandable::new(format!("there is no ConceptMap {concept_map} here")))
    }
}
