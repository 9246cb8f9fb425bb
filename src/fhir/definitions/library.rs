//! The fhir room: conformance resources by canonical, each parsed on its first use,
//! <https://hl7.org/fhir/R4/references.html#canonical>.

use super::code_system::CodeSystem;
use super::structure::{self, Structure};
use super::value_set::ValueSet;
use super::{NoStructure, pack, read};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// What a conformance resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    StructureDefinition,
    ValueSet,
    CodeSystem,
    ConceptMap,
    SearchParameter,
    CompartmentDefinition,
}

impl Kind {
    pub(super) fn of(resource_type: &str) -> Option<Self> {
        Some(match resource_type {
            "StructureDefinition" => Self::StructureDefinition,
            "ValueSet" => Self::ValueSet,
            "CodeSystem" => Self::CodeSystem,
            "ConceptMap" => Self::ConceptMap,
            "SearchParameter" => Self::SearchParameter,
            "CompartmentDefinition" => Self::CompartmentDefinition,
            _ => return None,
        })
    }
}

/// Where the JSON of a definition is.
#[derive(Debug)]
pub(super) enum Place {
    Packed { block: &'static [u8], offset: usize, length: usize, type_kind: Option<structure::Kind> },
    Here(Value),
}

/// One conformance resource, and what it was parsed into.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) url: Arc<str>,
    pub(super) version: Option<Box<str>>,
    /// Version of the package that it came with; empty where it came alone.
    pub(super) package_version: Arc<str>,
    place: Place,
    structure: OnceLock<Result<Arc<Structure>, NoStructure>>,
    terms: OnceLock<Terms>,
}

/// What an entry of the terminology was parsed into; the reason if it cannot be read.
#[derive(Debug, Clone)]
enum Terms {
    ValueSet(Result<Arc<ValueSet>, String>),
    CodeSystem(Result<Arc<CodeSystem>, String>),
}

impl Entry {
    pub(super) fn new(kind: Kind, url: &str, version: Option<&str>, package_version: &Arc<str>, place: Place) -> Self {
        Self {
            kind,
            url: url.into(),
            version: version.map(Into::into),
            package_version: Arc::clone(package_version),
            place,
            structure: OnceLock::new(),
            terms: OnceLock::new(),
        }
    }

    /// Hands the JSON to `f`; the reason if it cannot be read.
    pub(super) fn json<T>(&self, f: impl FnOnce(&Value) -> T) -> Result<T, String> {
        match &self.place {
            Place::Here(value) => Ok(f(value)),
            Place::Packed { block, offset, length, type_kind: _ } => {
                let value: Value = pack::text(block, *offset, *length, |text| serde_json::from_slice(text))?
                    .map_err(|e| e.to_string())?;
                Ok(f(&value))
            }
        }
    }

    /// Its id on this server: see `Definitions::canonical_of`.
    pub(super) fn id(&self) -> Option<&str> {
        let own = match &self.place {
            Place::Here(resource) => resource["id"].as_str(),
            Place::Packed { .. } => None,
        };
        own.or_else(|| self.url.rsplit('/').next())
    }

    /// Of a StructureDefinition that defines a type, and is no profile: which kind of type. The definition need not be
    /// parsed to tell.
    pub(super) fn type_kind(&self) -> Option<structure::Kind> {
        match &self.place {
            Place::Packed { type_kind, .. } => *type_kind,
            Place::Here(resource) if resource["derivation"] != "constraint" => {
                resource["kind"].as_str().and_then(structure::Kind::of)
            }
            Place::Here(_) => None,
        }
    }

    pub(super) fn structure(&self) -> Result<Arc<Structure>, NoStructure> {
        let read = || {
            let faulty = |reason| NoStructure::Faulty { url: self.url.to_string(), reason };
            self.json(read::structure).map_err(faulty)?.map(Arc::new)
        };
        self.structure.get_or_init(read).clone()
    }

    pub(super) fn value_set(&self) -> Result<Arc<ValueSet>, String> {
        let read = || Terms::ValueSet(self.json(ValueSet::read).and_then(|read| read).map(Arc::new));
        match self.terms.get_or_init(read) {
            Terms::ValueSet(read) => read.clone(),
            Terms::CodeSystem(_) => Err(format!("{} is a CodeSystem", self.url)),
        }
    }

    pub(super) fn code_system(&self) -> Result<Arc<CodeSystem>, String> {
        let read = || Terms::CodeSystem(self.json(CodeSystem::read).and_then(|read| read).map(Arc::new));
        match self.terms.get_or_init(read) {
            Terms::CodeSystem(read) => read.clone(),
            Terms::ValueSet(_) => Err(format!("{} is a ValueSet", self.url)),
        }
    }
}

/// All entries, found by canonical. Of one canonical the entry that was added last comes first.
#[derive(Debug, Clone, Default)]
pub(super) struct Library {
    entries: Vec<Arc<Entry>>,
    /// Of each kind (in the order of [`Kind`]): the places in `entries` of a url, the last added last.
    by_url: [HashMap<Arc<str>, Places>; 6],
}

/// Most canonicals stand for one entry: no allocation then.
#[derive(Debug, Clone)]
enum Places {
    One(u32),
    More(Vec<u32>),
}

/// Why a canonical finds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotHere {
    Unknown,
    /// It is here in this version only.
    OtherVersion(String),
}

impl Library {
    pub(super) fn add(&mut self, entry: Entry) {
        let Ok(place) = u32::try_from(self.entries.len()) else { return };
        let places = self.by_url[entry.kind as usize].entry(Arc::clone(&entry.url));
        places
            .and_modify(|places| match places {
                Places::One(first) => *places = Places::More(vec![*first, place]),
                Places::More(more) => more.push(place),
            })
            .or_insert(Places::One(place));
        self.entries.push(Arc::new(entry));
    }

    /// By url, or by `url|version`. The version is the resource's own or that of its package: R4's own bindings name
    /// v3 ValueSets by the version of the specification.
    pub(super) fn find(&self, kind: Kind, canonical: &str) -> Result<&Arc<Entry>, NotHere> {
        let (url, version) = canonical.split_once('|').map_or((canonical, None), |(url, v)| (url, Some(v)));
        // A canonical may name a part of the resource.
        let (url, version) = (before_fragment(url), version.map(before_fragment));
        let mut newest_first = self.of_url(kind, url).peekable();
        let newest = *newest_first.peek().ok_or(NotHere::Unknown)?;
        let Some(version) = version.filter(|v| !v.is_empty()) else { return Ok(newest) };
        let fits =
            |entry: &&Arc<Entry>| entry.version.as_deref() == Some(version) || *entry.package_version == *version;
        newest_first
            .find(fits)
            .ok_or_else(|| NotHere::OtherVersion(newest.version.as_deref().unwrap_or("none").to_owned()))
    }

    /// The last added first.
    pub(super) fn of_url(&self, kind: Kind, url: &str) -> impl Iterator<Item = &Arc<Entry>> {
        let places = match self.by_url[kind as usize].get(url) {
            Some(Places::One(place)) => std::slice::from_ref(place),
            Some(Places::More(places)) => places.as_slice(),
            None => &[],
        };
        places.iter().rev().filter_map(|place| self.entries.get(usize::try_from(*place).ok()?))
    }

    /// All entries of a kind, the older of one url too, in the order in which they were added.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter().filter(move |entry| entry.kind == kind)
    }
}

fn before_fragment(text: &str) -> &str {
    text.split_once('#').map_or(text, |(before, _)| before)
}
