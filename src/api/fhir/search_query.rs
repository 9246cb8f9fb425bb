//! Search parameters of a request, read into a store query: each is used, or refused by name.
//!
//! <https://hl7.org/fhir/R4/search.html>

use crate::{
    api::{
        PageSize,
        error::ParameterError,
        fhir::{COUNT, CURSOR},
        parameters::{FORMAT, Handling, PRETTY, Parameter, repetition},
    },
    fhir::{
        outcome::{Issue, IssueType, Place, Severity},
        search::{self, SearchParameter, SearchType},
    },
    store::{Cursor, DatePrefix, Filter, FilterValue, SearchQuery, Sort},
};
use std::collections::HashSet;

pub const SORT: &str = "_sort";
pub const TOTAL: &str = "_total";

/// Filters of one search, and their values together. Each is a part of the store's query: with many, one request
/// would hold up the others.
const MOST_FILTERS: usize = 20;
const MOST_VALUES: usize = 200;

/// Parameters on every type that are columns of the store. Their meaning: <https://hl7.org/fhir/R4/resource.html#search>
pub const COLUMNS: [(&str, SearchType); 2] = [("_id", SearchType::Token), ("_lastUpdated", SearchType::Date)];

/// A search as it will be run, and what to tell the client about it.
#[derive(Debug)]
pub struct Search {
    pub query: SearchQuery,
    /// `_count=0`: the number of matches and no resources.
    pub count_only: bool,
    /// The parameters that were used, for the self link; the page size is among them.
    pub used: Vec<Parameter>,
    /// What was done differently from what was asked.
    pub notes: Vec<Issue>,
}

/// Reads all parameters, and gives the errors of all that cannot be used: with any, the search must not run.
/// `fhir_base` is our own base, for absolute references.
pub fn parse(
    resource_type: &str,
    parameters: &[Parameter],
    handling: Handling,
    page: PageSize,
    fhir_base: &str,
) -> (Search, Vec<ParameterError>) {
    let mut reader = Reader {
        resource_type,
        page,
        fhir_base,
        handling,
        errors: Vec::new(),
        filters: 0,
        values: 0,
        search: Search {
            query: SearchQuery {
                resource_type: resource_type.to_owned(),
                count: page.default,
                total: true,
                ..SearchQuery::default()
            },
            count_only: false,
            used: Vec::new(),
            notes: Vec::new(),
        },
    };
    for parameter in parameters {
        reader.take(parameter);
        // Whoever sends so many errors does not read them.
        if reader.errors.len() > MOST_FILTERS {
            break;
        }
    }
    reader.finish()
}

struct Reader<'a> {
    resource_type: &'a str,
    page: PageSize,
    fhir_base: &'a str,
    handling: Handling,
    errors: Vec<ParameterError>,
    /// Filters so far, also those that are not known.
    filters: usize,
    /// Their values so far.
    values: usize,
    search: Search,
}

impl Reader<'_> {
    fn take(&mut self, parameter: &Parameter) {
        let once = [COUNT, SORT, TOTAL, CURSOR, FORMAT, PRETTY].contains(&parameter.name.as_str());
        if once && self.search.used.iter().any(|used| used.name == parameter.name) {
            self.errors.push(repetition(&parameter.name));
            return;
        }
        let taken = match parameter.name.as_str() {
            COUNT => self.count(&parameter.value),
            SORT => self.sort(&parameter.value),
            TOTAL => self.total(&parameter.value),
            CURSOR => {
                self.search.query.after = Some(Cursor(parameter.value.clone()));
                Ok(())
            }
            // Read where the format is chosen.
            FORMAT | PRETTY => Ok(()),
            _ => self.filter(parameter),
        };
        match taken {
            Ok(()) => self.search.used.push(parameter.clone()),
            Err(Refusal::Unknown(error)) if self.handling == Handling::Lenient => self.search.notes.push(Issue {
                severity: Severity::Warning,
                code: error.code,
                text: format!("Parameter {} {}: it was ignored.", error.name, error.problem),
                place: Some(Place::Parameter(error.name)),
            }),
            Err(Refusal::Unknown(error) | Refusal::Bad(error)) => self.errors.push(error),
        }
    }

    fn count(&mut self, value: &str) -> Result<(), Refusal> {
        let size = page_size(value, self.page)?;
        self.search.count_only = size == 0;
        self.search.query.count = size.max(1);
        if value.trim_start_matches('0') != size.to_string() && size > 0 {
            self.search.notes.push(Issue {
                severity: Severity::Information,
                code: IssueType::TooCostly,
                text: format!("A page holds {size} resources at most: the rest is behind the next link."),
                place: Some(Place::Parameter(COUNT.to_owned())),
            });
        }
        Ok(())
    }

    /// `date` means the type's date also where R4 has another name for it; that name is taken too.
    fn sort(&mut self, value: &str) -> Result<(), Refusal> {
        let (name, descending) = match value.strip_prefix('-') {
            Some(name) => (name, true),
            None => (value, false),
        };
        let date = search::sort_date(self.resource_type).map(|parameter| parameter.name);
        self.search.query.sort = match name {
            "_lastUpdated" => Sort::LastUpdated { descending },
            name if date.is_some() && (name == "date" || date == Some(name)) => Sort::Date { descending },
            _ => {
                let mut names = vec!["_lastUpdated"];
                names.extend(date.map(|_| "date"));
                names.extend(date.filter(|name| *name != "date"));
                let names = names.join(", ");
                let problem = format!("must be one of {names}, with a - before it for descending");
                return Err(bad(SORT, problem));
            }
        };
        Ok(())
    }

    fn total(&mut self, value: &str) -> Result<(), Refusal> {
        self.search.query.total = match value {
            "none" => false,
            // The index counts exactly, so an estimate costs the same.
            "estimate" | "accurate" => true,
            _ => return Err(bad(TOTAL, "must be none, estimate or accurate")),
        };
        Ok(())
    }

    fn filter(&mut self, parameter: &Parameter) -> Result<(), Refusal> {
        self.filters += 1;
        if self.filters > MOST_FILTERS {
            let problem = format!("is one too many: a search takes {MOST_FILTERS} filters at most");
            return Err(too_costly(&parameter.name, problem));
        }
        let (name, modifier) = match parameter.name.split_once(':') {
            Some((name, modifier)) => (name, Some(modifier)),
            None => (parameter.name.as_str(), None),
        };
        let Some((name, kind)) = self.known(name) else {
            let error = ParameterError::new(
                &parameter.name,
                IssueType::NotSupported,
                format!("is not known for {}; GET /fhir/metadata lists what is", self.resource_type),
            );
            return Err(Refusal::Unknown(error));
        };
        if modifier.is_some() {
            let problem = "has a modifier; this server knows none";
            return Err(Refusal::Bad(ParameterError::new(&parameter.name, IssueType::NotSupported, problem)));
        }
        let mut values = split_unescaped(&parameter.value, ',');
        let mut seen = HashSet::new();
        values.retain(|value| seen.insert(*value));
        self.values += values.len();
        if self.values > MOST_VALUES {
            let problem = format!("has too many values: the filters of a search take {MOST_VALUES} together at most");
            return Err(too_costly(&parameter.name, problem));
        }
        let any_of = values
            .into_iter()
            .map(|value| match kind {
                SearchType::Token => token(name, value),
                SearchType::Date => date(value),
                SearchType::Reference => reference(name, value, self.fhir_base),
            })
            .collect::<Result<Vec<_>, String>>()
            .map_err(|problem| bad(&parameter.name, problem))?;
        self.search.query.filters.push(Filter { parameter: name.to_owned(), any_of });
        Ok(())
    }

    /// `date` means the type's date also where R4 has another name for it, as it does for sorting.
    fn known(&self, name: &str) -> Option<(&'static str, SearchType)> {
        let date = search::sort_date(self.resource_type).map(|parameter| parameter.name);
        let name = if name == "date" { date.unwrap_or(name) } else { name };
        let columns = COLUMNS.into_iter();
        let of_type = search::parameters(self.resource_type).iter();
        let mut all = columns.chain(of_type.map(|known: &SearchParameter| (known.name, known.kind)));
        all.find(|(known, _)| *known == name)
    }

    fn finish(mut self) -> (Search, Vec<ParameterError>) {
        // The links say what was used: the page size always, and not more than a page may hold.
        let count = if self.search.count_only { 0 } else { self.search.query.count };
        self.search.used.retain(|used| used.name != COUNT);
        self.search.used.push(Parameter::new(COUNT, count.to_string()));
        if self.search.count_only {
            self.search.query.total = true;
        }
        (self.search, self.errors)
    }
}

/// Why a parameter was not taken: only an unknown one may be ignored on request.
enum Refusal {
    Unknown(ParameterError),
    Bad(ParameterError),
}

impl From<ParameterError> for Refusal {
    fn from(error: ParameterError) -> Self {
        Self::Bad(error)
    }
}

fn bad(name: &str, problem: impl Into<String>) -> Refusal {
    Refusal::Bad(ParameterError::new(name, IssueType::Value, problem))
}

fn too_costly(name: &str, problem: String) -> Refusal {
    Refusal::Bad(ParameterError::new(name, IssueType::TooCostly, problem))
}

/// `_count`: a whole number; more than the page may hold becomes that.
pub fn page_size(value: &str, page: PageSize) -> Result<usize, ParameterError> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        return Err(ParameterError::new(COUNT, IssueType::Value, "must be a whole number, 0 or more"));
    }
    // Digits that do not fit the type are more than any page holds.
    Ok(value.parse().unwrap_or(usize::MAX).min(page.max))
}

/// `code`, `system|code`, `|code`, `system|`. <https://hl7.org/fhir/R4/search.html#token>
fn token(name: &str, value: &str) -> Result<FilterValue, String> {
    let parts = split_unescaped(value, '|');
    let (system, code) = match parts.as_slice() {
        [code] => (None, *code),
        [system, code] if name != "_id" => (Some(unescape(system)?), *code),
        _ if name == "_id" => return Err("takes ids alone".to_owned()),
        _ => return Err("has more than one | in a value (write | in a code as \\|)".to_owned()),
    };
    let code = Some(unescape(code)?).filter(|code| !code.is_empty());
    if code.is_none() && system.as_deref().unwrap_or_default().is_empty() {
        return Err("has an empty value".to_owned());
    }
    Ok(FilterValue::Token { system, code })
}

/// A prefix and a date of any precision. <https://hl7.org/fhir/R4/search.html#date>
fn date(value: &str) -> Result<FilterValue, String> {
    let (prefix, text) = match value.split_at_checked(2) {
        Some((letters, text)) if letters.bytes().all(|b| b.is_ascii_alphabetic()) => (date_prefix(letters), text),
        _ => (Some(DatePrefix::Eq), value),
    };
    let prefix = prefix.ok_or("has an unknown prefix; known: eq, ne, gt, lt, ge, le, sa, eb, ap")?;
    let (low, high) = search::parse_date(text).ok_or(
        "must be a date such as 2026, 2026-02, 2026-02-03 or 2026-02-03T10:00:00Z (write + in an offset as %2B)",
    )?;
    Ok(FilterValue::Date { prefix, low, high })
}

fn date_prefix(letters: &str) -> Option<DatePrefix> {
    match letters {
        "eq" => Some(DatePrefix::Eq),
        "ne" => Some(DatePrefix::Ne),
        "gt" => Some(DatePrefix::Gt),
        "lt" => Some(DatePrefix::Lt),
        "ge" => Some(DatePrefix::Ge),
        "le" => Some(DatePrefix::Le),
        "sa" => Some(DatePrefix::Sa),
        "eb" => Some(DatePrefix::Eb),
        "ap" => Some(DatePrefix::Ap),
        _ => None,
    }
}

/// `id`, `Type/id`, or a URL under our own base. <https://hl7.org/fhir/R4/search.html#reference>
fn reference(name: &str, value: &str, fhir_base: &str) -> Result<FilterValue, String> {
    let value = unescape(value)?;
    let local = match value.strip_prefix(fhir_base).and_then(|rest| rest.strip_prefix('/')) {
        Some(local) => local,
        None if value.contains("://") => {
            return Err("names another server; only references on this one are kept".to_owned());
        }
        None => value.as_str(),
    };
    let (resource_type, id) = match local.split_once('/') {
        Some((resource_type, id)) => (Some(resource_type), id),
        None => (None, local),
    };
    let is_type = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphabetic());
    let is_id = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if !is_id || !resource_type.is_none_or(is_type) {
        return Err("must be an id, Type/id, or a URL of a resource on this server".to_owned());
    }
    if name == "patient" && resource_type.is_some_and(|named| named != "Patient") {
        return Err("takes patients only".to_owned());
    }
    let resource_type = if name == "patient" { Some("Patient") } else { resource_type };
    Ok(FilterValue::Reference { resource_type: resource_type.map(str::to_owned), id: id.to_owned() })
}

/// Splits at separators that no backslash precedes. <https://hl7.org/fhir/R4/search.html#escaping>
fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, letter) in text.char_indices() {
        if letter == separator && !escaped {
            parts.push(&text[start..at]);
            start = at + letter.len_utf8();
        }
        escaped = letter == '\\' && !escaped;
    }
    parts.push(&text[start..]);
    parts
}

fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped @ ('\\' | ',' | '|' | '$')) => plain.push(escaped),
                Some(_) | None => return Err("has a \\ that escapes none of \\ , | $".to_owned()),
            },
            other => plain.push(other),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting_respects_escapes() {
        assert_eq!(split_unescaped(r"a\,b,c\\,d", ','), [r"a\,b", r"c\\", "d"]);
        assert_eq!(unescape(r"a\,b\\c\|\$").as_deref(), Ok(r"a,b\c|$"));
        assert!(unescape(r"a\n").is_err());
        assert!(unescape("a\\").is_err());
    }

    #[test]
    fn tokens_have_four_forms() {
        let some = |text: &str| Some(text.to_owned());
        let cases = [
            ("c", None, some("c")),
            ("s|c", some("s"), some("c")),
            ("|c", some(""), some("c")),
            ("s|", some("s"), None),
        ];
        for (text, system, code) in cases {
            assert_eq!(token("code", text), Ok(FilterValue::Token { system, code }), "{text}");
        }
        for text in ["", "|", "a|b|c"] {
            assert!(token("code", text).is_err(), "{text}");
        }
        assert!(token("_id", "a|b").is_err());
    }

    #[test]
    fn references_have_three_forms_and_stay_on_this_server() {
        let base = "http://h/fhir";
        let patient = |resource_type: Option<&str>| {
            Ok(FilterValue::Reference { resource_type: resource_type.map(str::to_owned), id: "x".to_owned() })
        };
        assert_eq!(reference("subject", "x", base), patient(None));
        assert_eq!(reference("patient", "x", base), patient(Some("Patient")));
        assert_eq!(reference("subject", "Patient/x", base), patient(Some("Patient")));
        assert_eq!(reference("subject", "http://h/fhir/Patient/x", base), patient(Some("Patient")));
        for text in ["", "a b", "Patient/x/_history/1", "http://h/fhirPatient/x", "https://other/fhir/Patient/x", "/x"]
        {
            assert!(reference("subject", text, base).is_err(), "{text}");
        }
        assert!(reference("patient", "Group/x", base).is_err());
    }
}
