//! Search parameters that say which resource is meant: conditional interactions.
//! <https://hl7.org/fhir/R4/http.html#ccreate>, <https://hl7.org/fhir/R4/http.html#cond-update>

use crate::{
    api::{
        Api,
        error::{ApiError, ParameterError},
        fhir::{
            COUNT, CURSOR,
            search_include::{INCLUDE, REVINCLUDE},
            search_query::{self, SORT, TOTAL},
            search_subset::{ELEMENTS, SUMMARY},
        },
        parameters::{self, FORMAT, Handling, PRETTY, Parameter},
        session::Session,
    },
    consent::Found,
    fhir::outcome::IssueType,
    store::SearchQuery,
};

/// A search that is to find one resource at most.
#[derive(Debug, Clone)]
pub struct Matching {
    query: SearchQuery,
}

impl Matching {
    /// The search of an `If-None-Exist`: parameters as in a URL. Client libraries also send the type before them, or the
    /// whole URL of the search; then it has to be of the type that is created.
    pub fn of_text(api: &Api, resource_type: &str, text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        let query = match text.split_once('?') {
            Some((before, query)) if !before.contains(['=', '&']) => {
                let named = before.rsplit('/').next().unwrap_or(before);
                if !before.is_empty() && named != resource_type {
                    return Err(ApiError::WrongHeader {
                        header: "If-None-Exist",
                        problem: "must search the type that is created",
                    });
                }
                query
            }
            Some(_) | None => text,
        };
        Self::parse(api, resource_type, &parameters::decode(query)?)
    }

    /// Parameters that filter, one at least; unknown ones are errors whatever the request prefers: what is meant must not
    /// become more than was said.
    pub fn parse(api: &Api, resource_type: &str, parameters: &[Parameter]) -> Result<Self, ApiError> {
        let mut filters = Vec::new();
        let mut errors = Vec::new();
        for parameter in parameters {
            match parameter.name.as_str() {
                FORMAT | PRETTY => {}
                COUNT | CURSOR | SORT | TOTAL | SUMMARY | ELEMENTS => {
                    let problem = "has no meaning here: only parameters that filter say which resource is meant";
                    errors.push(ParameterError::new(&parameter.name, IssueType::NotSupported, problem));
                }
                name if name.starts_with(INCLUDE) || name.starts_with(REVINCLUDE) => {
                    let problem = "has no meaning here: nothing is given along";
                    errors.push(ParameterError::new(name, IssueType::NotSupported, problem));
                }
                _ => filters.push(parameter.clone()),
            }
        }
        let base = api.fhir_base();
        let surroundings = api.surroundings(&base);
        let (search, more) =
            search_query::parse(resource_type, &filters, Handling::Strict, api.page_size, surroundings);
        errors.extend(more);
        if !errors.is_empty() {
            return Err(ApiError::Parameters(errors));
        }
        if search.query.filters.is_empty() {
            return Err(ApiError::NoCriteria);
        }
        Ok(Self { query: SearchQuery { total: false, ..search.query } })
    }

    /// The same for two that ask for the same, in whatever order.
    pub fn criteria(&self) -> String {
        let mut filters: Vec<String> = self.query.filters.iter().map(|filter| format!("{filter:?}")).collect();
        filters.sort_unstable();
        filters.join("&")
    }

    /// What the requester finds, and the condition that they still do.
    pub async fn find(&self, api: &Session) -> Result<Found, ApiError> {
        Ok(api.rows().find_one(&self.query).await?)
    }
}
