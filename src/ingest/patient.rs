//! The pipeline: everything that is known of a patient.

use super::timeline::json;
use super::{Gateway, IngestError};
use crate::consent::{Compartment, Sight};
use crate::mapping::course::view::View;
use memchr::memmem;
use std::collections::BTreeSet;

/// So many Medications of their own are read for one patient.
const MOST_MEDICATIONS: usize = 2_000;

impl Gateway {
    /// The current resources of the patient's compartment, those of all whom a merge made the same, and the Medications that
    /// they refer to: those are in nobody's compartment, and without them a dose would not be known for one.
    pub(super) async fn everything(&self, sight: &Sight, patient: &str) -> Result<Compartment, IngestError> {
        let Compartment { resources: mut found, mut is_whole } = self.compartments(sight, patient).await?;
        let mut wanted = BTreeSet::new();
        for stored in &found {
            if is_of_medicine(&stored.resource_type) && names_another(&stored.body) {
                wanted.extend(medication(&View(&json(stored)?)));
            }
        }
        is_whole &= wanted.len() <= MOST_MEDICATIONS;
        for id in wanted.iter().take(MOST_MEDICATIONS) {
            match sight.read("Medication", id).await? {
                Some(medication) => found.push(medication),
                // One that is withheld is not one that is not there: rules must not pass without it.
                None => is_whole &= !sight.hides("Medication", id).await?,
            }
        }
        Ok(Compartment { resources: found, is_whole })
    }
}

fn is_of_medicine(resource_type: &str) -> bool {
    matches!(
        resource_type,
        "MedicationAdministration" | "MedicationDispense" | "MedicationRequest" | "MedicationStatement"
    )
}

/// Spares the parsing of what tells its medicine itself.
fn names_another(body: &[u8]) -> bool {
    const NAME: &[u8] = b"Medication/";
    memmem::find(body, NAME).is_some()
}

/// `Medication.id` that a resource refers to.
fn medication(resource: &View<'_>) -> Option<String> {
    Some(resource.target("medicationReference.reference")?.strip_prefix("Medication/")?.to_owned())
}
