//! Read and search of our guide's own resources: profiles, value sets, questionnaires. They are part of the program and
//! cannot be changed. <https://hl7.org/fhir/R4/http.html#read>

use super::bundle::{Bundle, BundleType};
use crate::{
    api::{
        Api,
        error::{ApiError, ParameterError},
        fhir,
        parameters::{self, FORMAT, PRETTY},
        representation::Representation,
    },
    fhir::outcome::IssueType,
    store::StoredResource,
};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use include_dir::{Dir, include_dir};
use serde_json::json;
use std::{collections::BTreeSet, sync::LazyLock};

/// `ValueSet-kap-role.json`: type and id.
static GUIDE: Dir = include_dir!("$CARGO_MANIFEST_DIR/profiles/json");

const URL: &str = "url";
const ID: &str = "_id";
/// What a search takes, as the CapabilityStatement has it.
pub const SEARCH_PARAMETERS: [(&str, &str); 2] = [(ID, "token"), (URL, "uri")];

/// Types of which the guide has resources.
static TYPES: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| GUIDE.files().filter_map(|file| Some(file.path().to_str()?.split_once('-')?.0)).collect());

pub fn types() -> impl Iterator<Item = &'static str> {
    TYPES.iter().copied()
}

pub fn has_type(resource_type: &str) -> bool {
    TYPES.contains(resource_type)
}

fn find(resource_type: &str, id: &str) -> Option<&'static [u8]> {
    GUIDE.get_file(format!("{resource_type}-{id}.json")).map(|file| file.contents())
}

pub fn read(representation: Representation, resource_type: &str, id: &str) -> Result<HttpResponse, ApiError> {
    let found =
        find(resource_type, id).ok_or_else(|| ApiError::NotFound { resource_type: resource_type.to_owned() })?;
    Ok(representation.write(HttpResponse::Ok(), Bytes::from_static(found)))
}

/// By canonical or by id, one of them at least: all profiles at once are several megabytes.
pub fn search(
    request: &HttpRequest,
    resource_type: &str,
    sent: &[parameters::Parameter],
    api: &Api,
) -> Result<HttpResponse, ApiError> {
    let mut errors = parameters::check_names(sent, &[URL, ID, FORMAT, PRETTY]);
    let value = |name| sent.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.value.as_str());
    let (url, id) = (value(URL), value(ID));
    if errors.is_empty() && url.is_none() && id.is_none() {
        errors.push(ParameterError::new(
            URL,
            IssueType::Required,
            "or _id must be given to find a resource of the guide",
        ));
    }
    let representation = fhir::representation(request, sent, errors)?;
    // The id of each is the last part of its canonical: a test holds the guide to it.
    let of_url = url.map(|url| url.rsplit('/').next().unwrap_or(url));
    let found = id.or(of_url).and_then(|name| Some((name, find(resource_type, name)?)));
    let found = found.filter(|(name, resource)| {
        of_url.is_none_or(|of_url| of_url == *name) && url.is_none_or(|url| canonical(resource).as_deref() == Some(url))
    });
    let mut bundle = Bundle::new(BundleType::Searchset, Some(u64::from(found.is_some())));
    bundle.link("self", &format!("{}/{resource_type}", api.fhir_base()), sent);
    if let Some((id, resource)) = found {
        let stored = StoredResource {
            resource_type: resource_type.to_owned(),
            id: id.to_owned(),
            version_id: 1,
            last_updated: 0,
            body: Bytes::from_static(resource),
        };
        bundle.resource(&api.fhir_base(), &stored, &json!({ "search": { "mode": "match" } }));
    }
    Ok(representation.write(HttpResponse::Ok(), bundle.finish()))
}

fn canonical(resource: &[u8]) -> Option<String> {
    let resource: serde_json::Value = serde_json::from_slice(resource).ok()?;
    resource["url"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_of_the_guide_is_found_by_the_last_part_of_its_canonical() {
        let mut seen = 0;
        for file in GUIDE.files() {
            let resource: serde_json::Value = serde_json::from_slice(file.contents()).expect("JSON");
            let (name, id) = (resource["resourceType"].as_str().expect("text"), resource["id"].as_str().expect("text"));
            assert!(find(name, id).is_some() && has_type(name), "{name}/{id}");
            // NamingSystem has no url in R4.
            if let Some(url) = canonical(file.contents()) {
                assert_eq!(url.rsplit('/').next(), Some(id));
            }
            seen += 1;
        }
        assert!(seen > 150, "{seen}");
    }
}
