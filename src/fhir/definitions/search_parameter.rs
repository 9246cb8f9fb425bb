//! The fhir room: SearchParameters and compartments, <https://hl7.org/fhir/R4/searchparameter.html>,
//! <https://hl7.org/fhir/R4/compartmentdefinition.html>.

use super::read::{list, text, texts};
use serde_json::Value;

/// One SearchParameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchParameter {
    pub url: String,
    /// The name in a search: `birthdate`.
    pub code: String,
    /// `Patient`; one parameter may serve several types.
    pub base: Vec<String>,
    /// `date`, `token`, `reference`.
    pub kind: String,
    /// FHIRPath; `None` for `_content` and the like.
    pub expression: Option<String>,
    /// Of a reference: the types that it may point at.
    pub target: Vec<String>,
    /// Of a composite: the canonical of each part's SearchParameter and its FHIRPath.
    pub component: Vec<(String, String)>,
}

impl SearchParameter {
    /// `None`: it lacks url, code or type.
    pub fn read(resource: &Value) -> Option<Self> {
        Some(Self {
            url: text(resource, "url")?,
            code: text(resource, "code")?,
            base: texts(resource, "base"),
            kind: text(resource, "type")?,
            expression: text(resource, "expression"),
            target: texts(resource, "target"),
            component: list(resource, "component")
                .filter_map(|part| Some((text(part, "definition")?, text(part, "expression")?)))
                .collect(),
        })
    }
}

/// One CompartmentDefinition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compartment {
    pub url: String,
    /// `Patient`.
    pub code: String,
    /// Each type with the search parameters that put it into the compartment; none: it is never in it. `{def}` stands
    /// for the resource itself.
    pub members: Vec<(String, Vec<String>)>,
}

impl Compartment {
    pub(super) fn read(resource: &Value) -> Option<Self> {
        Some(Self {
            url: text(resource, "url")?,
            code: text(resource, "code")?,
            members: list(resource, "resource").filter_map(|r| Some((text(r, "code")?, texts(r, "param")))).collect(),
        })
    }
}
