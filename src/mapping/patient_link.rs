//! Patient.link: who took whose place. Mapping specification D-02. <https://hl7.org/fhir/R4/patient-definitions.html#Patient.link>

use super::course::view::View;
use crate::fhir::model::resources::Patient;
use crate::fhir::model::types::Identifier;
use crate::fhir::patient_link::{REPLACED_BY, REPLACES, linked, may_link, target};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Identifiers of who was merged, and those that another record gave: they lead to the patient, and belong to no record.
const OLD: &str = "old";
const SECONDARY: &str = "secondary";

/// Whose description stands, seen from the record that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaces {
    /// The record's own.
    Own,
    /// Another record's.
    Another,
}

/// May it be a patient with a link? Looks at the bytes only.
pub fn is_linked(resource_type: &str, body: &[u8]) -> bool {
    resource_type == "Patient" && may_link(body)
}

/// `Patient.id` of who took the patient's place.
pub fn replaced_by(patient: &View<'_>) -> Option<String> {
    linked(patient.0, REPLACED_BY).next()
}

/// Survivor and merged patient as they are to be stored. `None`: one is no object.
pub fn merge(mut survivor: Value, mut merged: Value) -> Option<(Value, Value)> {
    let reference = |patient: &Value| View(patient).reference();
    let (of_survivor, of_merged) = (reference(&survivor), reference(&merged));
    let identifiers = merged.get("identifier").and_then(Value::as_array).cloned().unwrap_or_default();
    let own = survivor.get("identifier").and_then(Value::as_array).cloned().unwrap_or_default();
    for patient in [&mut survivor, &mut merged] {
        unversion(patient);
    }
    let is_same = |one: &Value, other: &Value| one["system"] == other["system"] && one["value"] == other["value"];
    for mut identifier in identifiers {
        if !own.iter().any(|known| is_same(known, &identifier)) {
            identifier.as_object_mut()?.insert("use".to_owned(), OLD.into());
            list(&mut survivor, "identifier")?.push(identifier);
        }
    }
    list(&mut survivor, "link")?.push(json!({ "other": { "reference": of_merged }, "type": REPLACES }));
    list(&mut merged, "link")?.push(json!({ "other": { "reference": of_survivor }, "type": REPLACED_BY }));
    merged.as_object_mut()?.insert("active".to_owned(), false.into());
    Some((survivor, merged))
}

/// A patient's identifier: system and value.
pub type Number = (String, String);

/// System and value of each identifier of a patient.
pub fn numbers(patient: &Value) -> BTreeSet<Number> {
    let text = |own: &Value, name: &str| own[name].as_str().unwrap_or_default().to_owned();
    let own = patient["identifier"].as_array().map_or(&[][..], Vec::as_slice);
    own.iter().map(|own| (text(own, "system"), text(own, "value"))).collect()
}

/// Both as they are to be stored when they are two again. `described`: the survivor as described by those whose records
/// stay; `taken`: the identifiers that the merge had brought; `was_active`: what the merged one said of itself before.
/// `None`: one is no object.
pub fn unmerge(
    survivor: &Value,
    described: &Value,
    mut merged: Value,
    taken: &BTreeSet<Number>,
    was_active: Option<&Value>,
) -> Option<(Value, Value)> {
    let (of_survivor, of_merged) = (View(survivor).reference(), View(&merged).reference());
    let mut left = described.clone();
    let is_taken = |own: &Value| {
        let number = (own["system"].as_str().unwrap_or_default(), own["value"].as_str().unwrap_or_default());
        taken.contains(&(number.0.to_owned(), number.1.to_owned()))
    };
    let known = numbers(&left);
    let gained = survivor["identifier"].as_array().cloned().unwrap_or_default();
    let gained = gained.into_iter().filter(|own| numbers(&json!({ "identifier": [own] })).is_disjoint(&known));
    list(&mut left, "identifier")?.extend(gained);
    list(&mut left, "identifier")?.retain(|own| !is_taken(own));
    *list(&mut left, "link")? = survivor["link"].as_array().cloned().unwrap_or_default();
    unlink(&mut left, REPLACES, &of_merged)?;
    unlink(&mut merged, REPLACED_BY, &of_survivor)?;
    let members = merged.as_object_mut()?;
    match was_active {
        Some(active) => drop(members.insert("active".to_owned(), active.clone())),
        None => drop(members.shift_remove("active")),
    }
    for patient in [&mut left, &mut merged] {
        unversion(patient);
        let members = patient.as_object_mut()?;
        // R4 has no empty lists.
        members.retain(|name, value| {
            !matches!(name.as_str(), "link" | "identifier") || value.as_array().is_none_or(|list| !list.is_empty())
        });
    }
    Some((left, merged))
}

fn unlink(patient: &mut Value, kind: &str, other: &str) -> Option<()> {
    list(patient, "link")?.retain(|link| {
        let target = target(link).map(|id| format!("Patient/{id}"));
        link["type"] != kind || target.as_deref() != Some(other)
    });
    Some(())
}

/// Takes away the version that the store put in: the store gives the next.
fn unversion(patient: &mut Value) {
    if let Some(meta) = patient.get_mut("meta").and_then(Value::as_object_mut) {
        meta.shift_remove("versionId");
        meta.shift_remove("lastUpdated");
    }
}

fn list<'v>(patient: &'v mut Value, name: &str) -> Option<&'v mut Vec<Value>> {
    patient.as_object_mut()?.entry(name).or_insert_with(|| json!([])).as_array_mut()
}

/// What a new description of a patient keeps of the one that stands: links, and identifiers that are not the record's.
pub fn keep(new: &mut Patient, old: &Patient, whose: Replaces) {
    new.link.clone_from(&old.link);
    let is_replaced =
        |link: &crate::fhir::model::resources::PatientLink| link.r#type.value.as_deref() == Some(REPLACED_BY);
    if old.link.iter().any(is_replaced) {
        new.active = Some(false.into());
    }
    for identifier in &old.identifier {
        let is_same = |own: &Identifier| own.system == identifier.system && own.value == identifier.value;
        if new.identifier.iter().any(is_same) || (whose == Replaces::Own && !is_of_others(identifier)) {
            continue;
        }
        let mut kept = identifier.clone();
        if kept.r#use.is_none() {
            kept.r#use = Some(SECONDARY.into());
        }
        new.identifier.push(kept);
    }
}

/// An identifier that the record did not give.
pub fn is_of_others(identifier: &Identifier) -> bool {
    let word = identifier.r#use.as_ref().and_then(|word| word.value.as_deref());
    matches!(word, Some(OLD | SECONDARY))
}

/// Was the patient's place taken by another?
pub fn is_replaced(patient: &Patient) -> bool {
    patient.link.iter().any(|link| link.r#type.value.as_deref() == Some(REPLACED_BY))
}
