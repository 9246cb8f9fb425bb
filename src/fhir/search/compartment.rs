//! Search in the fhir room: what belongs to a patient, a practitioner, a device, <https://hl7.org/fhir/R4/compartmentdefinition.html>.

use super::{IndexRow, IndexValue, Source, parameter};
use crate::fhir::definitions::{Compartment, Definitions};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static COMPARTMENTS: LazyLock<Vec<Compartment>> = LazyLock::new(|| Definitions::base().compartments());

/// The names of the reference parameters by which a resource of that type is in a compartment (`Patient`). `None`: R4
/// defines no such compartment. No names: such resources are never in it.
pub fn compartment_parameters(compartment: &str, resource_type: &str) -> Option<Vec<&'static str>> {
    let definition = COMPARTMENTS.iter().find(|definition| definition.code == compartment)?;
    let members = definition.members.iter().find(|(code, _)| code == resource_type);
    let names = members.map_or(&[][..], |(_, parameters)| parameters.as_slice());
    Some(names.iter().filter_map(|name| Some(parameter(resource_type, name)?.name.as_str())).collect())
}

/// Ids of the patients in whose compartments a resource is, by its index rows; a Patient is in its own.
pub fn patients(resource_type: &str, id: &str, rows: &[IndexRow]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if resource_type == "Patient" {
        found.insert(id.to_owned());
    }
    let names = compartment_parameters("Patient", resource_type).unwrap_or_default();
    let sources: Vec<&Source> =
        names.iter().filter_map(|name| parameter(resource_type, name)).flat_map(|known| &known.sources).collect();
    for row in rows {
        if let IndexValue::Reference { resource_type, id } = &row.value
            && resource_type == "Patient"
            && sources.iter().any(|source| source.field == row.field)
        {
            found.insert(id.clone());
        }
    }
    found
}
