//! Search parameters of a request, read into a store query: each is used, or refused by name.
//!
//! <https://hl7.org/fhir/R4/search.html>

use super::{
    search_filter::{Refusal, Surroundings, bad, known, too_costly},
    search_include::{self, INCLUDE, REVINCLUDE},
    search_subset::{self, ELEMENTS, SUMMARY, Subset},
};
use crate::{
    api::{
        PageSize,
        error::ParameterError,
        fhir::{COUNT, CURSOR},
        parameters::{FORMAT, Handling, PRETTY, Parameter, repetition},
    },
    fhir::{
        outcome::{Issue, IssueType, Place, Severity},
        search::SearchType,
    },
    store::{Cursor, Filter, FilterValue, SearchQuery, SortKey},
};

pub const SORT: &str = "_sort";
pub const TOTAL: &str = "_total";

/// Filters of one search, and their values together. Each is a part of the store's query: with many, one request
/// would hold up the others.
const MOST_FILTERS: usize = 20;
const MOST_VALUES: usize = 200;
const MOST_SORTS: usize = 5;
const MOST_INCLUDES: usize = 20;

/// A search as it will be run, and what to tell the client about it.
#[derive(Debug)]
pub struct Search {
    pub query: SearchQuery,
    /// `_count=0`: the number of matches and no resources.
    pub count_only: bool,
    /// What of each resource is sent.
    pub subset: Subset,
    /// The parameters that were used, for the self link; the page size is among them.
    pub used: Vec<Parameter>,
    /// What was done differently from what was asked.
    pub notes: Vec<Issue>,
}

/// Reads all parameters, and gives the errors of all that cannot be used: with any, the search must not run.
pub fn parse(
    resource_type: &str,
    parameters: &[Parameter],
    handling: Handling,
    page: PageSize,
    surroundings: Surroundings<'_>,
) -> (Search, Vec<ParameterError>) {
    let mut reader = Reader {
        resource_type,
        page,
        surroundings,
        handling,
        errors: Vec::new(),
        filters: 0,
        values: 0,
        search: Search {
            query: SearchQuery {
                resource_type: resource_type.to_owned(),
                count: page.default,
                total: true,
                include_limit: Some(surroundings.include_limit),
                ..SearchQuery::default()
            },
            count_only: false,
            subset: Subset::Whole,
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
    surroundings: Surroundings<'a>,
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
        let once = [COUNT, SORT, TOTAL, CURSOR, FORMAT, PRETTY, ELEMENTS, SUMMARY].contains(&parameter.name.as_str());
        if once && self.search.used.iter().any(|used| used.name == parameter.name) {
            self.errors.push(repetition(&parameter.name));
            return;
        }
        let taken = match parameter.name.as_str() {
            COUNT => self.count(&parameter.value),
            SORT => self.sort(&parameter.value),
            TOTAL => self.total(&parameter.value),
            ELEMENTS => {
                search_subset::elements(&parameter.value).and_then(|subset| self.search.subset.narrow(ELEMENTS, subset))
            }
            SUMMARY => self.summary(&parameter.value),
            CURSOR => {
                self.search.query.after = Some(Cursor(parameter.value.clone()));
                Ok(())
            }
            // Read where the format is chosen.
            FORMAT | PRETTY => Ok(()),
            name => match search_include::read(self.resource_type, name, &parameter.value) {
                Some(include) => self.include(name, include),
                None => self.filter(parameter),
            },
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
        self.search.count_only |= size == 0;
        self.search.query.count = size.max(1);
        if value.trim_start_matches('0') != size.to_string() && size > 0 {
            self.search.notes.push(Issue {
                severity: Severity::Information,
                code: IssueType::TooCostly,
                text: format!(
                    "A page holds {size} resources at most (setting page_size_max): the rest is behind the next link."
                ),
                place: Some(Place::Parameter(COUNT.to_owned())),
            });
        }
        Ok(())
    }

    /// Parameters with commas between them. `date` means the type's date also where R4 has another name for it.
    fn sort(&mut self, value: &str) -> Result<(), Refusal> {
        let mut keys = Vec::new();
        for part in value.split(',') {
            let (name, descending) = match part.strip_prefix('-') {
                Some(name) => (name, true),
                None => (part, false),
            };
            let parameter = match name {
                "_id" | "_lastUpdated" => Some(name),
                name => known(self.resource_type, name)
                    .filter(|known| known.kind != SearchType::Composite)
                    .map(|known| known.name.as_str()),
            };
            let Some(parameter) = parameter else {
                let problem = format!(
                    "must be search parameters of {} (composites cannot be sorted by), _id or _lastUpdated, each with a - \
                     before it for descending",
                    self.resource_type
                );
                return Err(bad(SORT, problem));
            };
            keys.push(SortKey { parameter: parameter.to_owned(), descending });
        }
        if keys.len() > MOST_SORTS {
            return Err(too_costly(SORT, format!("takes {MOST_SORTS} keys at most")));
        }
        self.search.query.sort = keys;
        Ok(())
    }

    fn total(&mut self, value: &str) -> Result<(), Refusal> {
        (self.search.query.total, self.search.query.exact_total) = match value {
            "none" => (false, false),
            // What can be counted is counted exactly.
            "estimate" => (true, false),
            "accurate" => (true, true),
            _ => return Err(bad(TOTAL, "must be none, estimate or accurate")),
        };
        Ok(())
    }

    fn summary(&mut self, value: &str) -> Result<(), Refusal> {
        if value == "count" {
            self.search.count_only = true;
            return Ok(());
        }
        self.search.subset.narrow(SUMMARY, search_subset::summary(value)?)
    }

    fn include(&mut self, name: &str, include: Result<crate::store::Include, Refusal>) -> Result<(), Refusal> {
        let include = include?;
        if self.search.query.includes.len() >= MOST_INCLUDES {
            let problem =
                format!("is one too many: a search takes {MOST_INCLUDES} of {INCLUDE} and {REVINCLUDE} at most");
            return Err(too_costly(name, problem));
        }
        self.search.query.includes.push(include);
        Ok(())
    }

    fn filter(&mut self, parameter: &Parameter) -> Result<(), Refusal> {
        self.filters += 1;
        if self.filters > MOST_FILTERS {
            let problem = format!("is one too many: a search takes {MOST_FILTERS} filters at most");
            return Err(too_costly(&parameter.name, problem));
        }
        let filter = self.surroundings.filter(self.resource_type, &parameter.name, &parameter.value)?;
        self.values += values(&filter);
        if self.values > MOST_VALUES {
            let problem = format!("has too many values: the filters of a search take {MOST_VALUES} together at most");
            return Err(too_costly(&parameter.name, problem));
        }
        self.search.query.filters.push(filter);
        Ok(())
    }

    fn finish(mut self) -> (Search, Vec<ParameterError>) {
        // The links say what was used: the page size always, and not more than a page may hold.
        let count = if self.search.count_only { 0 } else { self.search.query.count };
        self.search.used.retain(|used| used.name != COUNT);
        self.search.used.push(Parameter::new(COUNT, count.to_string()));
        if self.search.count_only {
            self.search.query.total = true;
            self.search.query.exact_total = true;
            self.search.query.includes.clear();
        }
        (self.search, self.errors)
    }
}

/// The values of a filter, those of its links too.
fn values(filter: &Filter) -> usize {
    let count = |value: &FilterValue| match value {
        FilterValue::Not(values) => values.len(),
        // Of the types of one link each has the same values.
        FilterValue::Chain { filters, .. } | FilterValue::Has { filters, .. } => filters.iter().map(values).sum(),
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
        | FilterValue::Composite(_)
        | FilterValue::Missing(_)
        | FilterValue::Compartment { .. } => 1,
    };
    match filter.any_of.first() {
        Some(FilterValue::Chain { .. }) => filter.any_of.iter().map(count).max().unwrap_or(0),
        Some(_) | None => filter.any_of.iter().map(count).sum(),
    }
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
