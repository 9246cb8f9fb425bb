//! The fhir room: what a valid resource is, as data: StructureDefinitions, terminology, search parameters of R4,
//! of US Core and of our own guide, <https://hl7.org/fhir/R4/conformance-module.html>.

mod allowance;
mod code_system;
mod concept_map;
mod expand;
mod filter;
mod grammar;
mod library;
mod membership;
mod pack;
mod package;
mod read;
mod resources;
mod search_parameter;
pub mod structure;
pub mod terminology;
#[cfg(test)]
mod tests;
mod value_set;

pub use allowance::Allowance;
pub use resources::{Artifact, NoResource};
pub use search_parameter::{Compartment, SearchParameter};
pub use structure::Structure;
pub use terminology::{Code, Concept, Expansion, Lookup, Membership, Translation, Unexpandable};

use library::{Entry, Kind, Library, NotHere, Place};
use membership::Way;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// What the canonicals of R4's types begin with.
pub const TYPE_URL: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Of packs that define the same canonical, the later one is taken where no version is asked for.
const PACKS: [&[u8]; 3] = [
    include_bytes!("../../../definitions/r4-core.pack"),
    include_bytes!("../../../definitions/us-core.pack"),
    include_bytes!("../../../definitions/kap-guide.pack"),
];

static BASE: LazyLock<Definitions> = LazyLock::new(|| {
    let mut library = Library::default();
    for pack in PACKS {
        // The packs are part of the program: a test reads them all.
        let entries = pack::read(pack).unwrap_or_else(|reason| panic!("the program's own definitions: {reason}"));
        entries.into_iter().for_each(|entry| library.add(entry));
    }
    Definitions { library: Arc::new(library) }
});

/// Every resource type of R4 that can be sent, by name: no abstract ones.
pub static RESOURCE_TYPES: LazyLock<BTreeSet<Box<str>>> = LazyLock::new(|| {
    const ABSTRACT: [&str; 2] = ["Resource", "DomainResource"];
    let is_sent =
        |(name, kind): &(&str, structure::Kind)| *kind == structure::Kind::Resource && !ABSTRACT.contains(name);
    Definitions::base().types().filter(is_sent).map(|(name, _)| name.into()).collect()
});

/// All definitions that a validator works with. A clone shares what is loaded; definitions that are added to one clone
/// are not seen by the others.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    library: Arc<Library>,
}

/// Why there is no [`Structure`] to hand out. None of these may be taken for "valid".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoStructure {
    #[error("there is no definition of {0} here")]
    Unknown(String),
    /// The definition is here, but not in the version that the canonical asks for.
    #[error("the definition {asked} is not here in that version, but as {here}")]
    OtherVersion { asked: String, here: String },
    #[error("the profile {0} has no snapshot")]
    NoSnapshot(String),
    /// The definition is here and cannot be read.
    #[error("the definition {url} is faulty: {reason}")]
    Faulty { url: String, reason: String },
}

/// Why a conformance resource or a package could not be added.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    #[error("{file}: {reason}")]
    File { file: String, reason: String },
    #[error("{0}")]
    Resource(String),
}

impl Definitions {
    /// What the program carries: R4 4.0.1, US Core 6.1.0 and our own guide. Reads the index on the first call; each
    /// definition is parsed on its first use.
    pub fn base() -> Self {
        BASE.clone()
    }

    /// Adds one conformance resource (StructureDefinition, ValueSet, CodeSystem, ConceptMap, SearchParameter,
    /// CompartmentDefinition). Where its url is here already, it goes before that one.
    pub fn add_resource(&mut self, resource: Value) -> Result<(), AddError> {
        let kind = resource["resourceType"].as_str().and_then(Kind::of);
        let kind = kind.ok_or_else(|| AddError::Resource("it is no conformance resource that is used here".into()))?;
        self.add(kind, resource, &Arc::from(""))
    }

    /// Adds every conformance resource of a FHIR NPM package (`.tgz`), of a folder of JSON files or of one JSON file;
    /// says how many. Resources of other types are passed over; if there is nothing else, that is an error. At the first
    /// fault nothing is added.
    pub fn add_package(&mut self, path: &Path) -> Result<usize, AddError> {
        let package_version = Arc::from("");
        let mut with_it = self.clone();
        let mut count = 0;
        package::read(path, &mut |(file, resource)| {
            let Some(kind) = resource["resourceType"].as_str().and_then(Kind::of) else { return Ok(()) };
            count += 1;
            with_it
                .add(kind, resource, &package_version)
                .map_err(|fault| AddError::File { file, reason: fault.to_string() })
        })?;
        // Who names a package wants to validate by it: silence would pass for a check.
        if count == 0 {
            let reason =
                "it defines nothing that is used here: no StructureDefinition, ValueSet, CodeSystem, ConceptMap, \
                          SearchParameter or CompartmentDefinition"
                    .to_owned();
            return Err(AddError::File { file: path.display().to_string(), reason });
        }
        *self = with_it;
        Ok(count)
    }

    fn add(&mut self, kind: Kind, resource: Value, package_version: &Arc<str>) -> Result<(), AddError> {
        let url = resource["url"].as_str().filter(|url| !url.is_empty() && !url.contains(['|', '#']));
        let url = url.ok_or_else(|| AddError::Resource("it has no canonical url".into()))?.to_owned();
        let version = resource["version"].as_str().map(str::to_owned);
        let entry = Entry::new(kind, &url, version.as_deref(), package_version, Place::Here(resource));
        let faulty = |reason| AddError::Resource(format!("{url}: {reason}"));
        // Read at once, so that a fault is told here and not on a later request.
        match kind {
            Kind::StructureDefinition => match entry.structure() {
                Ok(_) | Err(NoStructure::NoSnapshot(_)) => {}
                Err(fault) => return Err(AddError::Resource(fault.to_string())),
            },
            Kind::ValueSet => drop(entry.value_set().map_err(faulty)?),
            Kind::CodeSystem => drop(entry.code_system().map_err(faulty)?),
            Kind::SearchParameter => drop(
                entry
                    .json(SearchParameter::read)
                    .map_err(faulty)?
                    .ok_or_else(|| faulty("url, code or type is missing".into()))?,
            ),
            Kind::CompartmentDefinition => drop(
                entry
                    .json(Compartment::read)
                    .map_err(faulty)?
                    .ok_or_else(|| faulty("url or code is missing".into()))?,
            ),
            Kind::ConceptMap => {}
        }
        Arc::make_mut(&mut self.library).add(entry);
        Ok(())
    }

    /// The type or profile of a canonical (with or without `|version`), or of a type name such as `Patient`.
    pub fn structure(&self, canonical_or_type: &str) -> Result<Arc<Structure>, NoStructure> {
        let found = if canonical_or_type.contains(':') {
            self.library.find(Kind::StructureDefinition, canonical_or_type)
        } else {
            let canonical = format!("{TYPE_URL}{canonical_or_type}");
            self.library.find(Kind::StructureDefinition, &canonical)
        };
        match found {
            Ok(entry) => entry.structure(),
            Err(NotHere::Unknown) => Err(NoStructure::Unknown(canonical_or_type.to_owned())),
            Err(NotHere::OtherVersion(here)) => {
                Err(NoStructure::OtherVersion { asked: canonical_or_type.to_owned(), here })
            }
        }
    }

    /// Canonicals of all StructureDefinitions, without versions, in the order in which they were added.
    pub fn structures(&self) -> impl Iterator<Item = &str> {
        self.library.all(Kind::StructureDefinition).map(|entry| &*entry.url)
    }

    /// The types of R4 by name (`Patient`, `Quantity`, `string`) with their kinds; no definition is parsed for it.
    pub fn types(&self) -> impl Iterator<Item = (&str, structure::Kind)> {
        self.library.all(Kind::StructureDefinition).filter_map(|entry| {
            let name = entry.url.strip_prefix(TYPE_URL)?;
            Some((name, entry.type_kind()?))
        })
    }

    /// Canonicals of all ValueSets, likewise.
    pub fn value_sets(&self) -> impl Iterator<Item = &str> {
        self.library.all(Kind::ValueSet).map(|entry| &*entry.url)
    }

    /// Canonicals of all CodeSystems, likewise.
    pub fn code_systems(&self) -> impl Iterator<Item = &str> {
        self.library.all(Kind::CodeSystem).map(|entry| &*entry.url)
    }

    /// Canonicals of all ConceptMaps, likewise.
    pub fn concept_maps(&self) -> impl Iterator<Item = &str> {
        self.library.all(Kind::ConceptMap).map(|entry| &*entry.url)
    }

    /// Whether a code belongs to a ValueSet (canonical, with or without `|version`). The display is not looked at: ask
    /// [`Concept::has_display`].
    pub fn validate_code(&self, value_set: &str, code: &Code) -> Membership {
        self.validate_code_within(value_set, code, &Allowance::default())
    }

    /// The same as one of several questions that share an allowance. Once that is spent, the answer is `Unknown`.
    pub fn validate_code_within(&self, value_set: &str, code: &Code, allowance: &Allowance) -> Membership {
        self.library.in_value_set(value_set, code, &mut Way::new(allowance)).into()
    }

    /// Whether a code is one of a CodeSystem (canonical, with or without `|version`).
    pub fn lookup(&self, system: &str, code: &str) -> Lookup {
        self.library.lookup(system, code)
    }

    /// All codes of a ValueSet, as far as they can be known.
    pub fn expand(&self, value_set: &str) -> Result<Expansion, Unexpandable> {
        self.expand_within(value_set, &Allowance::default())
    }

    /// The same within an allowance.
    pub fn expand_within(&self, value_set: &str, allowance: &Allowance) -> Result<Expansion, Unexpandable> {
        self.library.expand(value_set, allowance)
    }

    /// What a ConceptMap (its canonical) says about a code. An empty list: it says nothing.
    pub fn translate(
        &self,
        concept_map: &str,
        system: Option<&str>,
        code: &str,
    ) -> Result<Vec<Translation>, Unexpandable> {
        self.library.translate(concept_map, system, code)
    }

    /// The same from the target's side: what the map leads to a code. Equivalences are turned round too.
    pub fn translate_back(
        &self,
        concept_map: &str,
        system: Option<&str>,
        code: &str,
    ) -> Result<Vec<Translation>, Unexpandable> {
        self.library.translate_back(concept_map, system, code)
    }

    /// All SearchParameters; read anew on each call (some 20 ms), so keep what you need.
    pub fn search_parameters(&self) -> Vec<SearchParameter> {
        self.library
            .all(Kind::SearchParameter)
            .filter_map(|entry| entry.json(SearchParameter::read).ok().flatten())
            .collect()
    }

    /// All CompartmentDefinitions; read anew on each call.
    pub fn compartments(&self) -> Vec<Compartment> {
        self.library
            .all(Kind::CompartmentDefinition)
            .filter_map(|entry| entry.json(Compartment::read).ok().flatten())
            .collect()
    }
}
