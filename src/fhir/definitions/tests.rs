//! The fhir room: facts of R4 and US Core, <https://hl7.org/fhir/R4/>, as the definitions tell them.

mod adding;
mod structures;
mod terms;

use super::Definitions;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Resources of a type of an official package, by url, where the machine has the package.
fn official(package: &str, resource_type: &str) -> Option<BTreeMap<String, Value>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fhir/packages");
    let folder = std::env::var("FHIR_PACKAGES").unwrap_or_else(|_| folder.to_owned());
    let file = Path::new(&folder).join(format!("{package}.tgz"));
    if !file.exists() {
        eprintln!("{package} is not here: not compared");
        return None;
    }
    let mut found = BTreeMap::new();
    super::package::read(&file, &mut |(_, resource)| {
        if resource["resourceType"] == resource_type {
            found.insert(resource["url"].as_str().unwrap().to_owned(), resource);
        }
        Ok(())
    })
    .unwrap();
    Some(found)
}

fn base() -> Definitions {
    Definitions::base()
}
