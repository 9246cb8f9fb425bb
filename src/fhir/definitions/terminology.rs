//! The fhir room: questions to the terminology and their answers, <https://hl7.org/fhir/R4/terminology-service.html>.
//!
//! What cannot be told from what is here is `Unknown` with the reason, never a guess.

/// A code as it stands in a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Code<'a> {
    /// `None` for an element of type `code`: then any system of the ValueSet will do.
    pub system: Option<&'a str>,
    /// `Coding.version`, where the resource gives one.
    pub version: Option<&'a str>,
    pub code: &'a str,
    pub display: Option<&'a str>,
}

/// Whether a code is in a ValueSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    Member(Concept),
    NotMember,
    /// It cannot be told; the reason, for a person.
    Unknown(String),
}

/// Whether a code is in a CodeSystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    Found(Concept),
    NotFound,
    /// It cannot be told; the reason, for a person.
    Unknown(String),
}

/// What is known of a code that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concept {
    /// `None` where only a grammar was at hand (UCUM, language tags).
    pub system: Option<String>,
    pub code: String,
    pub display: Option<String>,
    /// Further displays, with their languages where given.
    pub designations: Vec<Designation>,
    /// For grouping only, not for use in a record.
    pub is_abstract: bool,
    pub inactive: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Designation {
    pub language: Option<String>,
    pub value: String,
}

/// All codes of a ValueSet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expansion {
    /// Canonical of the ValueSet with its version.
    pub value_set: String,
    pub concepts: Vec<Concept>,
}

/// Why a ValueSet cannot be expanded, or a ConceptMap not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unexpandable {
    pub reason: String,
}

impl Unexpandable {
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// One target of a ConceptMap for a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// `equivalent`, `wider`, `unmatched`: ConceptMapEquivalence.
    pub equivalence: String,
    pub system: Option<String>,
    pub code: Option<String>,
    pub display: Option<String>,
}
