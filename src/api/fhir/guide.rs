//! Our guide's own resources: profiles, value sets, questionnaires. They are part of the program, stand beside the stored
//! ones of their types, and cannot be changed. <https://hl7.org/fhir/R4/http.html#read>

use crate::store::{Filter, FilterValue, SearchQuery, StoredResource, UriRelation};
use bytes::Bytes;
use include_dir::{Dir, include_dir};
use std::{collections::BTreeSet, sync::LazyLock};

/// `ValueSet-kap-role.json`: type and id.
static GUIDE: Dir = include_dir!("$CARGO_MANIFEST_DIR/profiles/json");

const URL: &str = "url";
const ID: &str = "_id";

/// Types of which the guide has resources.
static TYPES: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| GUIDE.files().filter_map(|file| Some(file.path().to_str()?.split_once('-')?.0)).collect());

pub fn has_type(resource_type: &str) -> bool {
    TYPES.contains(resource_type)
}

/// A resource of the guide.
pub fn find(resource_type: &str, id: &str) -> Option<&'static [u8]> {
    if !has_type(resource_type) {
        return None;
    }
    GUIDE.get_file(format!("{resource_type}-{id}.json")).map(|file| file.contents())
}

/// The guide's resources that a search means: one that asks for them by canonical or by id, and for nothing else. All
/// profiles at once are several megabytes.
pub fn matches(query: &SearchQuery) -> Vec<StoredResource> {
    let Some(first) = query.filters.first().filter(|_| query.after.is_none()) else { return Vec::new() };
    // The id of each is the last part of its canonical: a test holds the guide to it.
    let names: BTreeSet<&str> = texts(first).map(|text| text.rsplit('/').next().unwrap_or(text)).collect();
    let candidates = names.into_iter().filter_map(|id| Some((id, find(&query.resource_type, id)?)));
    candidates
        .filter(|(id, resource)| query.filters.iter().all(|filter| passes(filter, id, resource)))
        .map(|(id, resource)| stored(&query.resource_type, id, resource))
        .collect()
}

/// As if it had been stored.
pub fn stored(resource_type: &str, id: &str, resource: &'static [u8]) -> StoredResource {
    StoredResource {
        resource_type: resource_type.to_owned(),
        id: id.to_owned(),
        version_id: 1,
        last_updated: 0,
        body: Bytes::from_static(resource),
    }
}

fn passes(filter: &Filter, id: &str, resource: &[u8]) -> bool {
    match filter.parameter.as_str() {
        ID => texts(filter).any(|text| text == id),
        URL => canonical(resource).is_some_and(|url| texts(filter).any(|text| text == url)),
        _ => false,
    }
}

/// The codes, ids or uris that a filter asks for.
fn texts(filter: &Filter) -> impl Iterator<Item = &str> {
    filter.any_of.iter().filter_map(|value| {
        if let FilterValue::Token { code, .. } = value {
            return code.as_deref();
        }
        if let FilterValue::Uri { relation: UriRelation::Same, uri } = value {
            return Some(uri.as_str());
        }
        None
    })
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
