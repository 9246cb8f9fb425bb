//! What the patient brings along: problems, allergies and medicines, as they stand.

use super::event::ordered;
use super::view::View;
use serde::Serialize;

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Background {
    pub problems: Vec<Item>,
    pub allergies: Vec<Item>,
    pub medicines: Vec<Item>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    pub what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Dosage, criticality, reactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    pub reference: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
}

/// Does it say how things are now, whenever it was written?
pub fn is_current(resource: View<'_>) -> bool {
    let clinical = || {
        resource
            .at("clinicalStatus")
            .is_none_or(|status| status.codes().any(|(_, code)| matches!(code, "active" | "recurrence" | "relapse")))
    };
    match resource.kind() {
        "Condition" | "AllergyIntolerance" => clinical(),
        "MedicationRequest" | "MedicationStatement" => {
            matches!(resource.text("status"), Some("active" | "on-hold" | "intended"))
        }
        _ => false,
    }
}

pub fn background(resources: &[(View<'_>, bool)]) -> Background {
    let mut background = Background::default();
    for (resource, elsewhere) in resources {
        let code = || resource.at("code").and_then(View::words);
        let clinical = || resource.at("clinicalStatus").and_then(View::words);
        let (list, what, status, detail, since) = match resource.kind() {
            "Condition" => {
                let since = resource.first_time(&["onsetDateTime", "onsetString", "recordedDate"]);
                (&mut background.problems, code(), clinical(), resource.text("note.text").map(str::to_owned), since)
            }
            "AllergyIntolerance" => (
                &mut background.allergies,
                code(),
                clinical(),
                reactions(*resource),
                resource.first_time(&["onsetDateTime", "recordedDate"]),
            ),
            "MedicationStatement" => {
                let since = resource.time("effective").map(|(start, _)| start);
                let status = resource.text("status").map(str::to_owned);
                (
                    &mut background.medicines,
                    resource.medicine(),
                    status,
                    resource.text("dosage.text").map(str::to_owned),
                    since,
                )
            }
            "MedicationRequest" => {
                let status = resource.text("status").map(str::to_owned);
                (
                    &mut background.medicines,
                    resource.medicine(),
                    status,
                    ordered(*resource),
                    resource.first_time(&["authoredOn"]),
                )
            }
            _ => continue,
        };
        list.push(Item {
            what: what.unwrap_or_else(|| resource.kind().to_owned()),
            status,
            detail,
            since,
            reference: resource.reference(),
            elsewhere: *elsewhere,
        });
    }
    background
}

fn reactions(allergy: View<'_>) -> Option<String> {
    let told = allergy.each("reaction").flat_map(|reaction| reaction.each("manifestation")).filter_map(View::words);
    let criticality = allergy.text("criticality").map(|criticality| format!("criticality {criticality}"));
    let parts: Vec<String> = criticality.into_iter().chain(told).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
