//! The fhir room: one StructureDefinition as a tree of element tables, <https://hl7.org/fhir/R4/structuredefinition.html>.

use serde_json::Value;
use std::sync::Arc;

/// A type or a profile, from its snapshot.
#[derive(Debug)]
pub struct Structure {
    pub url: String,
    pub name: String,
    pub kind: Kind,
    /// `Patient`, `Quantity`, `Extension`, `string`.
    pub type_name: String,
    pub is_abstract: bool,
    /// Canonical of what it derives from.
    pub base: Option<String>,
    /// `derivation = constraint`: a profile.
    pub is_profile: bool,
    /// Where an extension may stand; empty for all else.
    pub context: Vec<ExtensionContext>,
    pub context_invariants: Vec<String>,
    /// All elements in the order of the snapshot; `elements[0]` is the root. The tree hangs on `Element::children`
    /// and `Element::slices`.
    pub elements: Vec<Element>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Primitive,
    Complex,
    Resource,
    Logical,
}

impl Kind {
    /// `StructureDefinition.kind`; `None`: none of R4's.
    pub(super) fn of(code: &str) -> Option<Self> {
        Some(match code {
            "primitive-type" => Self::Primitive,
            "complex-type" => Self::Complex,
            "resource" => Self::Resource,
            "logical" => Self::Logical,
            _ => return None,
        })
    }
}

/// <https://hl7.org/fhir/R4/defining-extensions.html#context>
#[derive(Debug, Clone)]
pub struct ExtensionContext {
    pub kind: ContextKind,
    pub expression: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextKind {
    Element,
    Extension,
    FhirPath,
}

/// Place of an element in `Structure::elements`.
pub type ElementIndex = usize;

/// One ElementDefinition, <https://hl7.org/fhir/R4/elementdefinition.html>.
#[derive(Debug)]
pub struct Element {
    /// `Observation.component:systolic.code`.
    pub id: String,
    /// `Observation.component.code`; a choice ends in `[x]`.
    pub path: String,
    /// Last segment of the path without `[x]`: `code`, `value`. The root's is the type.
    pub name: String,
    pub is_choice: bool,
    pub slice_name: Option<String>,
    pub min: u32,
    /// `None`: any number (`*`).
    pub max: Option<u32>,
    /// `max` of the definition that this one derives from: whether the JSON is an array.
    pub is_list: bool,
    /// Empty where `content_reference` says it.
    pub types: Vec<TypeRef>,
    /// Element of the same structure (or of the base type) whose children these are: `#Questionnaire.item`.
    pub content_reference: Option<ElementIndex>,
    /// The reference of a profile names the element of its base type: what the profile says of that element elsewhere
    /// does not hold here.
    pub content_of_base: bool,
    /// The whole element must equal this; `fixed[x]`.
    pub fixed: Option<Value>,
    /// The element must contain this; `pattern[x]`.
    pub pattern: Option<Value>,
    pub binding: Option<Binding>,
    pub slicing: Option<Slicing>,
    pub constraints: Vec<Arc<Constraint>>,
    /// With its type: a date, an instant, a number, a Quantity.
    pub min_value: Option<Value>,
    pub max_value: Option<Value>,
    pub max_length: Option<usize>,
    pub must_support: bool,
    pub is_modifier: bool,
    /// It belongs to the summary of a resource.
    pub is_summary: bool,
    pub parent: Option<ElementIndex>,
    /// Child elements without slices, in order. Empty: the children are those of the type.
    pub children: Vec<ElementIndex>,
    /// The slices of this element, in order.
    pub slices: Vec<ElementIndex>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRef {
    /// `Reference`, `string`, `Quantity`. A FHIRPath system type (`http://hl7.org/fhirpath/System.String`) stands as
    /// the FHIR type that the official definition names for it (`string` for `Element.id`, `uri` for `Extension.url`).
    pub code: String,
    /// Any of these must hold.
    pub profiles: Vec<String>,
    /// Of a Reference or canonical: what it may point at; any of these.
    pub target_profiles: Vec<String>,
    /// contained, referenced, bundled.
    pub aggregation: Vec<String>,
    /// either, independent, specific.
    pub versioning: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub strength: Strength,
    /// Canonical of the ValueSet, perhaps with `|version`.
    pub value_set: Option<String>,
    /// `elementdefinition-maxValueSet`: what an extensible or preferred binding must not leave.
    pub max_value_set: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    Required,
    Extensible,
    Preferred,
    Example,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slicing {
    pub discriminators: Vec<Discriminator>,
    pub ordered: bool,
    pub rules: SlicingRules,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discriminator {
    pub kind: DiscriminatorKind,
    /// `$this`, `code`, `value.ofType(Quantity).code`, `resolve()`, `extension('url').value`.
    pub path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscriminatorKind {
    Value,
    Exists,
    Pattern,
    Type,
    Profile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlicingRules {
    Open,
    Closed,
    OpenAtEnd,
}

/// An invariant of an element.
#[derive(Debug)]
pub struct Constraint {
    /// `obs-6`
    pub key: String,
    pub is_error: bool,
    /// The rule in words; empty where the definition carries none.
    pub human: String,
    /// FHIRPath; empty where the definition has none, and then the rule cannot be checked.
    pub expression: String,
    /// Canonical of the definition that brought it.
    pub source: Option<String>,
}

impl Constraint {
    /// Whether a profile that has this one repeats `base`: the key alone does not tell, for who writes a profile may
    /// have taken one that is in use. A later wording of the same rule by the same definition counts as the rule.
    pub(in crate::fhir) fn repeats(&self, base: &Self) -> bool {
        let name =
            |source: &Option<String>| source.as_deref().and_then(|url| url.rsplit('/').next().map(str::to_owned));
        self.key == base.key && (self.expression == base.expression || name(&self.source) == name(&base.source))
    }
}
