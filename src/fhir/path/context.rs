//! The fhir room: what an expression is evaluated with, <http://hl7.org/fhirpath/N1/#environment-variables>.

use super::item::{Collection, Item};
use super::types::{Type, Types};
use serde_json::Value;
use std::cell::Cell;

/// Why an expression has no result. None of these says that a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// Something that this engine cannot do or this context cannot know.
    #[error("cannot evaluate: {0}")]
    Cannot(String),
    /// The expression asks for what its operands do not allow, such as `'a' - 1` or a sum of two lists.
    #[error("cannot evaluate: the expression is at fault here: {0}")]
    Fault(String),
    /// More work than [`Context::steps`] allows.
    #[error("cannot evaluate: gave up after {0} steps")]
    GaveUp(u64),
}

/// What a reference leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution<'a> {
    Resource(&'a Value),
    /// The resource is not at hand, but its type is known: `resolve() is Patient` has an answer, and
    /// `resolve().active` is [`EvaluationError::Cannot`].
    TypeOnly(Type),
    /// It leads nowhere: `resolve()` is empty.
    Nothing,
}

/// What the engine asks its surroundings for. `None` everywhere means: not known, and makes the evaluation end with
/// [`EvaluationError::Cannot`].
pub trait Host<'a> {
    /// `reference` is what stands in `Reference.reference` or in a canonical. References to contained resources
    /// (`#id`) are followed by the engine and do not come here. Without a host of its own the engine knows the type that
    /// the text of a reference names.
    fn resolve(&self, reference: &str, types: &Types) -> Resolution<'a> {
        reference_type(reference, types).map_or(Resolution::Nothing, Resolution::TypeOnly)
    }

    /// `memberOf()`: whether a code, Coding or CodeableConcept is in a value set.
    fn member_of(&self, item: &Item<'a>, value_set: &str) -> Option<bool> {
        let _ = (item, value_set);
        None
    }

    /// `conformsTo()`: whether an element keeps to a profile.
    fn conforms_to(&self, item: &Item<'a>, profile: &str) -> Option<bool> {
        let _ = (item, profile);
        None
    }

    /// `htmlChecks()`: whether the text of a narrative keeps to the rules of XHTML in FHIR.
    fn html_checks(&self, xhtml: &str) -> Option<bool> {
        let _ = xhtml;
        None
    }

    /// `subsumes()`: whether the concept `a` includes `b`; both are code, Coding or CodeableConcept.
    fn subsumes(&self, a: &Item<'a>, b: &Item<'a>) -> Option<bool> {
        let _ = (a, b);
        None
    }
}

/// Knows the types that references name, and nothing else.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHost;

impl Host<'_> for NoHost {}

/// What `%resource` and the like stand for, and how much may be done.
#[derive(Clone)]
pub struct Context<'a> {
    pub types: &'a Types,
    pub host: &'a dyn Host<'a>,
    /// `%resource`: the resource that holds the element, a contained one where it is in there.
    pub resource: Item<'a>,
    /// `%rootResource`: the resource that contains `%resource`, or that itself.
    pub root_resource: Item<'a>,
    /// More variables by name, without `%`.
    pub variables: Vec<(&'a str, Collection<'a>)>,
    /// What `now()` and `today()` say; the system's clock where `None`.
    pub now: Option<jiff::Zoned>,
    /// How much work one evaluation may be; a step is a node of the expression, an element looked at, or 16 bytes of text
    /// made.
    pub steps: u64,
    /// The steps that evaluations with this context have taken, all together: for who bounds more than one.
    pub used: Cell<u64>,
}

impl<'a> Context<'a> {
    /// Some tenth of a second.
    pub const STEPS: u64 = 2_000_000;

    /// For expressions over one resource and what is inside.
    pub fn new(types: &'a Types, resource: Item<'a>) -> Self {
        Context {
            types,
            host: &NoHost,
            root_resource: resource.clone(),
            resource,
            variables: Vec::new(),
            now: None,
            steps: Self::STEPS,
            used: Cell::new(0),
        }
    }
}

/// The type that a literal reference names: `Patient/1`, `https://example.org/fhir/Patient/1/_history/2`.
pub fn reference_type(reference: &str, types: &Types) -> Option<Type> {
    let path = reference.split(['?', '#', '|']).next().unwrap_or_default();
    let mut segments = path.rsplit('/');
    let mut name = segments.nth(1)?;
    if name == "_history" {
        name = segments.nth(1)?;
    }
    types.named(name).filter(|t| types.kind(*t) == super::types::TypeKind::Resource)
}
