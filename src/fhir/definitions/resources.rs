//! The fhir room: what a conformance resource says of itself, and where it is found by the id that it has on this
//! server, <https://hl7.org/fhir/R4/resource.html#canonical>.

use super::Definitions;
use super::library::{Kind, NotHere};
use serde_json::Value;

/// The kinds of conformance resources that operations are asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Artifact {
    CodeSystem,
    ConceptMap,
    ValueSet,
}

impl Artifact {
    pub fn type_name(self) -> &'static str {
        match self {
            Self::CodeSystem => "CodeSystem",
            Self::ConceptMap => "ConceptMap",
            Self::ValueSet => "ValueSet",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::CodeSystem => Kind::CodeSystem,
            Self::ConceptMap => Kind::ConceptMap,
            Self::ValueSet => Kind::ValueSet,
        }
    }
}

/// Why a canonical leads to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoResource {
    #[error("no {0} with that canonical is here")]
    Unknown(&'static str),
    #[error("the {0} is not here in that version, but as {1}")]
    OtherVersion(&'static str, String),
    #[error("the {0} that is here is faulty: {1}")]
    Faulty(&'static str, String),
}

impl Definitions {
    /// The members of a conformance resource; of those that the program carries, only what its packs keep.
    pub fn members(&self, of: Artifact, canonical: &str, names: &[&str]) -> Result<Vec<(String, Value)>, NoResource> {
        let name = of.type_name();
        let entry = self.library.find(of.kind(), canonical).map_err(|error| match error {
            NotHere::Unknown => NoResource::Unknown(name),
            NotHere::OtherVersion(here) => NoResource::OtherVersion(name, here),
        })?;
        let picked = |resource: &Value| {
            let member = |name: &&str| resource.get(*name).map(|value| ((*name).to_owned(), value.clone()));
            names.iter().filter_map(member).collect()
        };
        entry.json(picked).map_err(|reason| NoResource::Faulty(name, reason))
    }

    /// The canonical of the resource with that id: its own where the user's package gives one, and else the last
    /// segment of its url, as HL7 has it for its own. Of several the one that was added last.
    pub fn canonical_of(&self, of: Artifact, id: &str) -> Option<String> {
        let entries: Vec<_> = self.library.all(of.kind()).collect();
        let found = entries.into_iter().rev().find(|entry| entry.id().is_some_and(|own| own == id))?;
        Some(found.url.to_string())
    }
}
