//! The head of a request that changes a resource: which one is meant, by its id or by a search, and on which version the
//! client builds.

use super::{At, IfMatch, matching::Matching};
use crate::api::{Api, conditional, error::ApiError, fhir, parameters, representation::Representation};
use actix_web::HttpRequest;
use uuid::Uuid;

pub struct Head {
    pub representation: Representation,
    pub resource_type: String,
    pub at: At,
    pub if_match: Option<IfMatch>,
}

impl Head {
    /// `PUT [type]/[id]` and the like.
    pub fn of_id(request: &HttpRequest, (resource_type, id): (String, String)) -> Result<Self, ApiError> {
        let representation = fhir::representation_only(request)?;
        fhir::check_type(&resource_type)?;
        conditional::refuse_meaningless(request, false)?;
        let if_match = conditional::if_match(request)?;
        Ok(Self { representation, resource_type, at: At::Id(id), if_match })
    }

    /// `PUT [type]?[search]` and the like: the resource that the URL's search finds, or a new one.
    /// <https://hl7.org/fhir/R4/http.html#cond-update>
    pub fn of_search(request: &HttpRequest, api: &Api, resource_type: String) -> Result<Self, ApiError> {
        let parameters = parameters::decode(request.query_string())?;
        let representation = fhir::representation(request, &parameters, Vec::new())?;
        fhir::check_type(&resource_type)?;
        let matching = Matching::parse(api, &resource_type, &parameters)?;
        conditional::refuse_meaningless(request, false)?;
        let if_match = conditional::if_match(request)?;
        let at = At::Matching { matching, new_id: Uuid::new_v4().to_string() };
        Ok(Self { representation, resource_type, at, if_match })
    }
}
