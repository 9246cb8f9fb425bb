//! Names of search parameters: with modifiers, chained, and turned round. <https://hl7.org/fhir/R4/search.html#modifiers>,
//! <https://hl7.org/fhir/R4/search.html#chaining>, <https://hl7.org/fhir/R4/search.html#has>

use super::{
    search_code,
    search_value::{self, split_unescaped, unescape},
};
use crate::{
    api::error::ParameterError,
    fhir::{
        definitions::{Code, Concept, Definitions, Membership},
        outcome::IssueType,
        search::{self, SearchParameter, SearchType},
    },
    store::{CodeSet, Filter, FilterValue, TextMatching, UriRelation},
};
use std::{collections::HashSet, sync::Arc};

/// Filters that the types of a chain make of one parameter at most.
const MOST_TYPES: usize = 150;
/// Codes of a value set that are looked up one by one.
const MOST_CODES: usize = 1000;

/// Parameters on every type that are columns of the store. Their meaning: <https://hl7.org/fhir/R4/resource.html#search>
pub const COLUMNS: [(&str, SearchType); 2] = [("_id", SearchType::Token), ("_lastUpdated", SearchType::Date)];

/// What reading needs to know.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub definitions: &'a Definitions,
    /// Our own base, for absolute references.
    pub fhir_base: &'a str,
    /// Links of a chain, and of `_has`, at most.
    pub chain_links: usize,
    /// Resources that come along with one page at most.
    pub include_limit: usize,
}

/// Why a parameter was not taken: only an unknown one may be ignored on request.
#[derive(Debug)]
pub enum Refusal {
    Unknown(ParameterError),
    Bad(ParameterError),
}

impl From<ParameterError> for Refusal {
    fn from(error: ParameterError) -> Self {
        Self::Bad(error)
    }
}

pub fn bad(name: &str, problem: impl Into<String>) -> Refusal {
    Refusal::Bad(ParameterError::new(name, IssueType::Value, problem))
}

pub fn unsupported(name: &str, problem: impl Into<String>) -> Refusal {
    Refusal::Bad(ParameterError::new(name, IssueType::NotSupported, problem))
}

pub fn too_costly(name: &str, problem: impl Into<String>) -> Refusal {
    Refusal::Bad(ParameterError::new(name, IssueType::TooCostly, problem))
}

pub fn unknown(name: &str, resource_type: &str) -> Refusal {
    let problem = format!("is not known for {resource_type}; GET /fhir/metadata lists what is");
    Refusal::Unknown(ParameterError::new(name, IssueType::NotSupported, problem))
}

impl Surroundings<'_> {
    /// The filter of one parameter of a request.
    pub fn filter(self, resource_type: &str, name: &str, value: &str) -> Result<Filter, Refusal> {
        self.linked(resource_type, name, name, value, 0)
    }

    /// `whole` is the name as it was sent, for errors.
    fn linked(
        self,
        resource_type: &str,
        whole: &str,
        name: &str,
        value: &str,
        links: usize,
    ) -> Result<Filter, Refusal> {
        let most = self.chain_links;
        if links > most {
            let problem = format!("has too many links: a chain takes {most} at most (setting chain_links)");
            return Err(too_costly(whole, problem));
        }
        if let Some(rest) = name.strip_prefix("_has:") {
            return self.has(resource_type, whole, rest, value, links);
        }
        let Some((link, rest)) = name.split_once('.') else {
            return self.plain(resource_type, whole, name, value);
        };
        let (parameter, only) = match link.split_once(':') {
            Some((parameter, only)) => (parameter, Some(only)),
            None => (link, None),
        };
        let known = self.reference(resource_type, whole, parameter)?;
        let types = match only {
            Some(only) if is_type(only) => vec![only.to_owned()],
            Some(_) => return Err(bad(whole, "has a type in its chain that is none of R4's")),
            None => targets(known),
        };
        let mut any_of = Vec::new();
        let mut refused = None;
        for target in types.into_iter().take(MOST_TYPES) {
            match self.linked(&target, whole, rest, value, links + 1) {
                Ok(filter) => any_of.push(FilterValue::Chain { resource_type: target, filters: vec![filter] }),
                Err(refusal) => refused = Some(refusal),
            }
        }
        // A parameter that some of the types know is known; a value that those refuse is refused.
        match refused {
            Some(Refusal::Bad(error)) => Err(Refusal::Bad(error)),
            Some(Refusal::Unknown(error)) if any_of.is_empty() => Err(Refusal::Unknown(error)),
            Some(Refusal::Unknown(_)) | None => Ok(Filter { parameter: known.name.clone(), any_of }),
        }
    }

    fn has(self, resource_type: &str, whole: &str, rest: &str, value: &str, links: usize) -> Result<Filter, Refusal> {
        let mut parts = rest.splitn(3, ':');
        let (Some(source), Some(parameter), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad(whole, "must be _has:Type:reference:parameter"));
        };
        if !is_type(source) {
            return Err(bad(whole, "names a type that is none of R4's"));
        }
        let known = self.reference(source, whole, parameter)?;
        if !targets(known).iter().any(|target| target == resource_type) {
            return Err(bad(whole, format!("takes a reference of {source} that may lead to {resource_type}")));
        }
        let filters = vec![self.linked(source, whole, rest, value, links + 1)?];
        let has = FilterValue::Has { resource_type: source.to_owned(), parameter: known.name.clone(), filters };
        Ok(Filter { parameter: "_has".to_owned(), any_of: vec![has] })
    }

    fn reference(self, resource_type: &str, whole: &str, name: &str) -> Result<&'static SearchParameter, Refusal> {
        let known = search::parameter(resource_type, name).ok_or_else(|| unknown(whole, resource_type))?;
        if known.kind == SearchType::Reference {
            return Ok(known);
        }
        Err(bad(whole, format!("chains through {name}, which is no reference")))
    }

    fn plain(self, resource_type: &str, whole: &str, name: &str, value: &str) -> Result<Filter, Refusal> {
        let (name, modifier) = match name.split_once(':') {
            Some((name, modifier)) => (name, Some(modifier)),
            None => (name, None),
        };
        let values = || {
            let mut values = split_unescaped(value, ',');
            let mut seen = HashSet::new();
            values.retain(|value| seen.insert(*value));
            values
        };
        let any_of = |read: &dyn Fn(&str) -> Result<FilterValue, String>| {
            values().into_iter().map(read).collect::<Result<Vec<_>, String>>().map_err(|problem| bad(whole, problem))
        };
        if let Some((column, kind)) = COLUMNS.into_iter().find(|(column, _)| *column == name) {
            let is_date = kind == SearchType::Date;
            let plainly = |value: &str| if is_date { search_value::date(value) } else { id(value) };
            let any_of = match modifier {
                None => any_of(&plainly)?,
                Some("not") if column == "_id" => vec![FilterValue::Not(any_of(&plainly)?)],
                Some("missing") => vec![missing(whole, value)?],
                Some(_) => return Err(unsupported(whole, format!("has a modifier that {column} does not take"))),
            };
            return Ok(Filter { parameter: column.to_owned(), any_of });
        }
        let known = known(resource_type, name).ok_or_else(|| unknown(whole, resource_type))?;
        let plainly = |value: &str| search_value::read(known, value, self.fhir_base);
        let unknown_modifier = || {
            let problem =
                format!("has a modifier that {} does not take; it takes {}", known.name, modifiers(known.kind));
            unsupported(whole, problem)
        };
        let any_of = match (modifier, known.kind) {
            (None, _) => search_code::widen(self.definitions, resource_type, known, any_of(&plainly)?),
            (Some("missing"), _) => vec![missing(whole, value)?],
            (Some("not"), SearchType::Token) => {
                vec![FilterValue::Not(search_code::widen(self.definitions, resource_type, known, any_of(&plainly)?))]
            }
            (Some("text"), SearchType::Token | SearchType::Reference) => any_of(&|value| {
                let text = unescape(value)?;
                if text.trim().is_empty() {
                    Err("has an empty value".to_owned())
                } else {
                    Ok(FilterValue::TokenText(text))
                }
            })?,
            (Some("in"), SearchType::Token) => vec![FilterValue::TokenIn(self.code_set(whole, value)?)],
            (Some("not-in"), SearchType::Token) => {
                vec![FilterValue::Not(vec![FilterValue::TokenIn(self.code_set(whole, value)?)])]
            }
            (Some("of-type"), SearchType::Token) => any_of(&search_value::of_type)?,
            (Some("exact"), SearchType::String) => any_of(&|value| search_value::text(value, TextMatching::Exact))?,
            (Some("contains"), SearchType::String) => {
                any_of(&|value| search_value::text(value, TextMatching::Contains))?
            }
            (Some("below"), SearchType::Uri) => any_of(&|value| search_value::uri(value, UriRelation::Below))?,
            (Some("above"), SearchType::Uri) => any_of(&|value| search_value::uri(value, UriRelation::Above))?,
            (Some("identifier"), SearchType::Reference) => any_of(&|value| {
                let (system, value) = search_value::system_and_code(value)?;
                Ok(FilterValue::ReferenceIdentifier { system, value })
            })?,
            (Some(only), SearchType::Reference) if is_type(only) => {
                if !targets(known).iter().any(|target| target == only) {
                    return Err(bad(whole, format!("never refers to {only}")));
                }
                any_of(&|value| search_value::reference(Some(only), value, self.fhir_base))?
            }
            (Some(_), _) => return Err(unknown_modifier()),
        };
        Ok(Filter { parameter: known.name.clone(), any_of })
    }

    /// The value set of `:in`, by its canonical.
    fn code_set(self, whole: &str, value: &str) -> Result<CodeSet, Refusal> {
        let value_set = unescape(value).map_err(|problem| bad(whole, problem))?;
        let base = value_set.split('|').next().unwrap_or_default().to_owned();
        if !self.definitions.value_sets().any(|known| known == base) {
            return Err(Refusal::Bad(ParameterError::new(
                whole,
                IssueType::NotFound,
                "must be the canonical of one value set that this server has (GET /fhir/ValueSet/$expand?url=…)",
            )));
        }
        // What cannot be listed may hold codes that nobody here can tell: then a search would miss resources.
        let expansion = self.definitions.expand(&value_set).map_err(|error| unsupported(whole, error.reason))?;
        let pair = |concept: &Arc<Concept>| (concept.system.clone().unwrap_or_default(), concept.code.clone());
        let codes = (expansion.concepts.len() <= MOST_CODES).then(|| expansion.concepts.iter().map(pair).collect());
        let (definitions, asked) = (self.definitions.clone(), value_set.clone());
        let holds = move |system: &str, code: &str| {
            let system = Some(system).filter(|system| !system.is_empty());
            let code = Code { system, code, ..Code::default() };
            matches!(definitions.validate_code(&asked, &code), Membership::Member(_))
        };
        Ok(CodeSet { value_set, codes, holds: Arc::new(holds) })
    }
}

/// The value of `:missing`.
fn missing(whole: &str, value: &str) -> Result<FilterValue, Refusal> {
    match value {
        "true" => Ok(FilterValue::Missing(true)),
        "false" => Ok(FilterValue::Missing(false)),
        _ => Err(bad(whole, "must be true or false")),
    }
}

/// `date` means the type's date also where R4 has another name for it.
pub fn known(resource_type: &str, name: &str) -> Option<&'static SearchParameter> {
    let own = search::parameter(resource_type, name);
    own.or_else(|| if name == "date" { search::sort_date(resource_type) } else { None })
}

pub fn is_type(name: &str) -> bool {
    search::resource_types().any(|known| known == name)
}

/// The types that a reference parameter may lead to.
pub fn targets(parameter: &SearchParameter) -> Vec<String> {
    let narrowed: Vec<String> = parameter.sources.iter().filter_map(|source| source.target.clone()).collect();
    match (narrowed.len() == parameter.sources.len(), parameter.targets.is_empty()) {
        (true, _) => narrowed,
        (false, false) => parameter.targets.clone(),
        (false, true) => search::resource_types().map(str::to_owned).collect(),
    }
}

/// The modifiers that a kind of parameter takes.
pub fn modifiers(kind: SearchType) -> &'static str {
    match kind {
        SearchType::Token => ":missing, :not, :text, :in, :not-in, :of-type",
        SearchType::String => ":missing, :exact, :contains",
        SearchType::Reference => ":missing, :identifier, :text and types",
        SearchType::Uri => ":missing, :below, :above",
        SearchType::Date | SearchType::Number | SearchType::Quantity | SearchType::Composite => ":missing",
    }
}

fn id(value: &str) -> Result<FilterValue, String> {
    match split_unescaped(value, '|').as_slice() {
        [_] => search_value::token(value),
        _ => Err("takes ids alone".to_owned()),
    }
}
