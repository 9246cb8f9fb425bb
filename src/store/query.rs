//! The store room: what is asked of a search, whatever the engine, and what it answers.
//! <https://hl7.org/fhir/R4/search.html>

use super::StoredResource;
use crate::fhir::search::NumberKey;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Resources that come along with one page at most, where nothing else is said.
pub const INCLUDE_LIMIT: usize = 1000;

/// A search on one resource type. Every filter must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SearchQuery {
    pub resource_type: String,
    pub filters: Vec<Filter>,
    /// The first counts most. None: the order in which resources were first stored, which never changes.
    pub sort: Vec<SortKey>,
    /// Page size, at least 1.
    pub count: usize,
    /// Where the page before ended, from its `SearchPage::next`.
    pub after: Option<Cursor>,
    /// Count all matches, not only this page's, unless that costs much.
    pub total: bool,
    /// Count them also where that costs much; too much it may still be.
    pub exact_total: bool,
    /// Resources to give along with the matches.
    pub includes: Vec<Include>,
    /// How many may come along with a page; more are an error. `None`: `INCLUDE_LIMIT`.
    pub include_limit: Option<usize>,
}

impl SearchQuery {
    /// Is one of the values of its filters, or of those within them, such a one?
    pub fn asks(&self, is_such: &dyn Fn(&FilterValue) -> bool) -> bool {
        self.filters.iter().any(|filter| has(&filter.any_of, is_such))
    }

    /// Bytes that filters and sort take in memory, about.
    pub fn weight(&self) -> usize {
        weight(&self.filters) + size_of_val(self.sort.as_slice())
    }
}

/// One filter: any of its values must match.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Name of the search parameter, or `_id`, `_lastUpdated`.
    pub parameter: String,
    pub any_of: Vec<FilterValue>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FilterValue {
    /// `system` `None`: any system; `Some("")`: explicitly none. `code` `None`: any code of the system.
    Token { system: Option<String>, code: Option<String> },
    /// `:text`: a text beside the code begins like that, as `fhir::search::normalize` has it.
    TokenText(String),
    /// `:in`
    TokenIn(CodeSet),
    /// `:of-type`: the identifier's type, and its value.
    OfType { system: String, code: String, value: String },
    /// The resource's span against [low, high] of the value (microseconds, inclusive) by the prefix.
    Date { prefix: DatePrefix, low: i64, high: i64 },
    /// `resource_type` `None`: any type.
    Reference { resource_type: Option<String>, id: String },
    /// `:identifier`, likewise by system and value.
    ReferenceIdentifier { system: Option<String>, value: Option<String> },
    /// A uri, canonical or absolute reference. A canonical without version is that of any version.
    Uri { relation: UriRelation, uri: String },
    /// `text` as it was sent.
    Text { matching: TextMatching, text: String },
    /// The numbers of the resource against the value's.
    Number(NumberTest),
    /// `unit` `None`: any.
    Quantity { number: NumberTest, unit: Option<UnitTest> },
    /// One value for each part.
    Composite(Vec<FilterValue>),
    /// `:missing`
    Missing(bool),
    /// `:not`: none of these match.
    Not(Vec<FilterValue>),
    /// It is in the compartment of that resource; the filter's `parameter` is not looked at.
    Compartment { compartment: String, id: String },
    /// The parameter's reference leads to a resource of that type for which all of these hold.
    Chain { resource_type: String, filters: Vec<Filter> },
    /// `_has`: a resource of that type refers to this one by its reference `parameter`, and all of these hold for it. The
    /// filter's own `parameter` is not looked at.
    Has { resource_type: String, parameter: String, filters: Vec<Filter> },
}

/// <https://hl7.org/fhir/R4/search.html#uri>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UriRelation {
    Same,
    /// The resource's begins with this one.
    Below,
    /// This one begins with the resource's.
    Above,
}

/// <https://hl7.org/fhir/R4/search.html#string>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextMatching {
    /// Without regard to case and accents.
    Begins,
    /// Likewise, anywhere in it.
    Contains,
    Exact,
}

/// A number as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NumberTest {
    pub prefix: DatePrefix,
    /// The number itself.
    pub value: NumberKey,
    /// What it covers by its digits, or with `ap` a tenth to either side: from the first to before the second.
    pub from: NumberKey,
    pub to: NumberKey,
}

/// The unit of a quantity that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UnitTest {
    /// A code of a system. With UCUM also the same number in base units, so that other units are found.
    Code { system: String, code: String, canonical: Option<(Arc<str>, NumberTest)> },
    /// A code or a unit in words, of any system.
    Any(String),
}

/// Of system and code whether they are meant.
pub type CodeTest = dyn Fn(&str, &str) -> bool + Send + Sync;

/// Codes that a value set holds.
#[derive(Clone)]
pub struct CodeSet {
    /// Its canonical: what makes one the same as another.
    pub value_set: String,
    /// All (system, code), where they are few enough to look up each.
    pub codes: Option<Vec<(String, String)>>,
    /// Is (system, code) in it?
    pub holds: Arc<CodeTest>,
}

impl fmt::Debug for CodeSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CodeSet({})", self.value_set)
    }
}

impl PartialEq for CodeSet {
    fn eq(&self, other: &Self) -> bool {
        self.value_set == other.value_set
    }
}

impl Eq for CodeSet {}

impl Hash for CodeSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value_set.hash(state);
    }
}

/// <https://hl7.org/fhir/R4/search.html#prefix>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DatePrefix {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
}

impl DatePrefix {
    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Gt, Self::Lt, Self::Ge, Self::Le, Self::Sa, Self::Eb, Self::Ap];
}

/// A search parameter to sort by, or `_id`, `_lastUpdated`. Of a resource's values ascending the lowest counts, descending
/// the highest; resources without any come last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SortKey {
    pub parameter: String,
    pub descending: bool,
}

/// <https://hl7.org/fhir/R4/search.html#include>
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Include {
    pub direction: IncludeDirection,
    /// The type whose references are meant.
    pub resource_type: String,
    /// The reference parameter; `None`: all of them.
    pub parameter: Option<String>,
    /// Only references to resources of that type.
    pub target: Option<String>,
    /// Also from what was included.
    pub iterate: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncludeDirection {
    /// What the references lead to.
    Forward,
    /// What refers.
    Reverse,
}

/// A place in a sorted result: opaque outside the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(pub String);

#[derive(Debug, Clone)]
pub struct SearchPage {
    pub resources: Vec<StoredResource>,
    /// Each once, and none that is among `resources`.
    pub included: Vec<StoredResource>,
    pub total: Option<u64>,
    pub next: Option<Cursor>,
}

fn has(values: &[FilterValue], is_such: &dyn Fn(&FilterValue) -> bool) -> bool {
    values.iter().any(|value| {
        is_such(value)
            || match value {
                FilterValue::Not(values) | FilterValue::Composite(values) => has(values, is_such),
                FilterValue::Chain { filters, .. } | FilterValue::Has { filters, .. } => {
                    filters.iter().any(|filter| has(&filter.any_of, is_such))
                }
                FilterValue::Token { .. }
                | FilterValue::TokenText(_)
                | FilterValue::TokenIn(_)
                | FilterValue::OfType { .. }
                | FilterValue::Date { .. }
                | FilterValue::Reference { .. }
                | FilterValue::ReferenceIdentifier { .. }
                | FilterValue::Uri { .. }
                | FilterValue::Text { .. }
                | FilterValue::Number(_)
                | FilterValue::Quantity { .. }
                | FilterValue::Missing(_)
                | FilterValue::Compartment { .. } => false,
            }
    })
}

fn weight(filters: &[Filter]) -> usize {
    let of = |filter: &Filter| size_of::<Filter>() + filter.parameter.len() + weight_of(&filter.any_of);
    filters.iter().map(of).sum()
}

fn weight_of(values: &[FilterValue]) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let of = |value: &FilterValue| match value {
        FilterValue::Token { system, code } | FilterValue::ReferenceIdentifier { system, value: code } => {
            length(system) + length(code)
        }
        FilterValue::TokenText(text) | FilterValue::Uri { uri: text, .. } | FilterValue::Text { text, .. } => {
            text.len()
        }
        FilterValue::TokenIn(set) => set.value_set.len(),
        FilterValue::OfType { system, code, value } => system.len() + code.len() + value.len(),
        FilterValue::Reference { resource_type, id } => length(resource_type) + id.len(),
        FilterValue::Compartment { compartment, id } => compartment.len() + id.len(),
        FilterValue::Number(number) => number_weight(number),
        FilterValue::Quantity { number, unit } => {
            let unit = match unit {
                None => 0,
                Some(UnitTest::Any(words)) => words.len(),
                Some(UnitTest::Code { system, code, canonical }) => {
                    let canonical = canonical.as_ref().map_or(0, |(unit, number)| unit.len() + number_weight(number));
                    system.len() + code.len() + canonical
                }
            };
            number_weight(number) + unit
        }
        FilterValue::Composite(values) | FilterValue::Not(values) => weight_of(values),
        FilterValue::Chain { resource_type, filters } => resource_type.len() + weight(filters),
        FilterValue::Has { resource_type, parameter, filters } => {
            resource_type.len() + parameter.len() + weight(filters)
        }
        FilterValue::Date { .. } | FilterValue::Missing(_) => 0,
    };
    size_of_val(values) + values.iter().map(of).sum::<usize>()
}

fn number_weight(number: &NumberTest) -> usize {
    number.value.0.len() + number.from.0.len() + number.to.0.len()
}
