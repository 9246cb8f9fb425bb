//! Medications of their own, put where they are told of.

use super::view::View;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The resources with each Medication that one refers to contained in it, so that whoever reads it knows the medicine.
/// For reading only: what is sent out keeps its reference.
pub fn with_medications(mut resources: Vec<Value>) -> Vec<Value> {
    let medications: HashMap<String, Value> = resources
        .iter()
        .filter(|resource| View(resource).kind() == "Medication")
        .map(|resource| (View(resource).reference(), resource.clone()))
        .collect();
    if medications.is_empty() {
        return resources;
    }
    for resource in &mut resources {
        let Some(target) = View(resource).target("medicationReference.reference") else { continue };
        let (Some(medication), Some(members)) = (medications.get(&target), resource.as_object_mut()) else { continue };
        let id = medication["id"].as_str().unwrap_or_default();
        let reference = json!({ "reference": format!("#{id}") });
        members.insert("medicationReference".to_owned(), reference);
        match members.get_mut("contained").and_then(Value::as_array_mut) {
            Some(contained) => contained.push(medication.clone()),
            None => {
                members.insert("contained".to_owned(), json!([medication]));
            }
        }
    }
    resources
}
