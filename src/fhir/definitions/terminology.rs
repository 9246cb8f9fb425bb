//! The fhir room: questions to the terminology and their answers, <https://hl7.org/fhir/R4/terminology-service.html>.
//!
//! What cannot be told from what is here is `Unknown` with the reason, never a guess.

use std::sync::Arc;

/// A code as it stands in a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Code<'a> {
    /// `None` for an element of type `code`: then any system of the ValueSet will do. Empty for a Coding without a
    /// system: then none will.
    pub system: Option<&'a str>,
    /// `Coding.version`, where the resource gives one.
    pub version: Option<&'a str>,
    pub code: &'a str,
    pub display: Option<&'a str>,
}

/// Whether a code is in a ValueSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// As the ValueSet lists it; what its system knows of it besides, a lookup tells.
    Member(Arc<Concept>),
    NotMember,
    /// It cannot be told; the reason, for a person.
    Unknown(String),
}

/// Whether a code is in a CodeSystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    Found(Arc<Concept>),
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
    /// What the concept means. Of those that the program carries only our own code systems keep it.
    pub definition: Option<String>,
    /// Further displays, with their languages where given.
    pub designations: Vec<Designation>,
    /// For grouping only, not for use in a record.
    pub is_abstract: bool,
    pub inactive: bool,
}

impl Concept {
    /// Whether a display fits: `None` if no display is known for the language. Upper and lower case and runs of spaces do not
    /// matter. A display or a designation without a language counts for any.
    pub fn has_display(&self, display: &str, language: Option<&str>) -> Option<bool> {
        let speaks = |d: &&Designation| match (d.language.as_deref(), language) {
            (Some(own), Some(asked)) => primary(own) == primary(asked),
            (None, _) | (_, None) => true,
        };
        let designations = self.designations.iter().filter(speaks).map(|d| d.value.as_str());
        let mut known = self.display.as_deref().into_iter().chain(designations).peekable();
        known.peek()?;
        let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let asked = folded(display);
        Some(known.any(|own| folded(own) == asked))
    }
}

fn primary(language: &str) -> String {
    language.split('-').next().unwrap_or(language).to_lowercase()
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
    pub concepts: Vec<Arc<Concept>>,
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
