//! Search in the fhir room: which datatypes a search parameter of each kind reads,
//! <https://hl7.org/fhir/R4/search.html#ptypes>.

use super::SearchType;

/// Datatypes, as far as searches tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Datatype {
    /// code, string, id and the like
    Text,
    Boolean,
    /// decimal and the integers
    Number,
    Coding,
    CodeableConcept,
    Identifier,
    ContactPoint,
    HumanName,
    Address,
    /// date, dateTime, instant
    Date,
    Period,
    Timing,
    Quantity,
    Money,
    Range,
    Reference,
    /// uri, url, oid, uuid
    Uri,
    Canonical,
    /// A resource inside of the resource.
    Resource,
}

impl Datatype {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "code" | "string" | "id" | "markdown" | "time" | "base64Binary" | "xhtml" => Self::Text,
            "boolean" => Self::Boolean,
            "decimal" | "integer" | "positiveInt" | "unsignedInt" => Self::Number,
            "Coding" => Self::Coding,
            "CodeableConcept" => Self::CodeableConcept,
            "Identifier" => Self::Identifier,
            "ContactPoint" => Self::ContactPoint,
            "HumanName" => Self::HumanName,
            "Address" => Self::Address,
            "date" | "dateTime" | "instant" => Self::Date,
            "Period" => Self::Period,
            "Timing" => Self::Timing,
            "Quantity" | "Age" | "Duration" | "Count" | "Distance" | "SimpleQuantity" => Self::Quantity,
            "Money" | "MoneyQuantity" => Self::Money,
            "Range" => Self::Range,
            "Reference" => Self::Reference,
            "uri" | "url" | "oid" | "uuid" => Self::Uri,
            "canonical" => Self::Canonical,
            _ => return None,
        })
    }

    /// Does a parameter of that kind make anything of it?
    pub(super) fn is_read_as(self, kind: SearchType) -> bool {
        use Datatype as D;
        match kind {
            SearchType::Token => matches!(
                self,
                D::Text
                    | D::Boolean
                    | D::Coding
                    | D::CodeableConcept
                    | D::Identifier
                    | D::ContactPoint
                    | D::Uri
                    | D::Canonical
            ),
            SearchType::String => matches!(self, D::Text | D::HumanName | D::Address | D::CodeableConcept),
            SearchType::Date => matches!(self, D::Date | D::Period | D::Timing),
            SearchType::Reference => matches!(self, D::Reference | D::Canonical | D::Uri | D::Resource),
            SearchType::Quantity => matches!(self, D::Quantity | D::Money | D::Range),
            SearchType::Number => matches!(self, D::Number | D::Range),
            SearchType::Uri => matches!(self, D::Uri | D::Canonical | D::Text),
            SearchType::Composite => false,
        }
    }
}
