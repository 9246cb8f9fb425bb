//! Patient.link: who took whose place. Mapping specification D-02. <https://hl7.org/fhir/R4/patient-definitions.html#Patient.link>

use super::course::view::View;
use crate::fhir::model::resources::Patient;
use crate::fhir::model::types::Identifier;
use serde_json::{Value, json};

const REPLACED_BY: &str = "replaced-by";
const REPLACES: &str = "replaces";
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
    const NAME: &[u8] = b"\"link\"";
    resource_type == "Patient" && body.windows(NAME.len()).any(|part| part == NAME)
}

fn linked<'a>(patient: &View<'a>, kind: &'static str) -> impl Iterator<Item = String> + use<'a> {
    let links = patient.each("link").filter(move |link| link.text("type") == Some(kind));
    links.filter_map(|link| Some(link.target("other.reference")?.strip_prefix("Patient/")?.to_owned()))
}

/// `Patient.id` of who took the patient's place.
pub fn replaced_by(patient: &View<'_>) -> Option<String> {
    linked(patient, REPLACED_BY).next()
}

/// `Patient.id` of all whose place the patient took.
pub fn replaces(patient: &View<'_>) -> Vec<String> {
    linked(patient, REPLACES).collect()
}

/// Survivor and merged patient as they are to be stored. `None`: one is no object.
pub fn merge(mut survivor: Value, mut merged: Value) -> Option<(Value, Value)> {
    let reference = |patient: &Value| View(patient).reference();
    let (of_survivor, of_merged) = (reference(&survivor), reference(&merged));
    let identifiers = merged.get("identifier").and_then(Value::as_array).cloned().unwrap_or_default();
    let own = survivor.get("identifier").and_then(Value::as_array).cloned().unwrap_or_default();
    for patient in [&mut survivor, &mut merged] {
        let meta = patient.as_object_mut()?.get_mut("meta").and_then(Value::as_object_mut);
        if let Some(meta) = meta {
            meta.shift_remove("versionId");
            meta.shift_remove("lastUpdated");
        }
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
