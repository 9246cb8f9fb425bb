//! The way back: a record's resources by the slots they were written to.

use super::concepts::{Concept, by_code};
use super::systems::extension_url;
use crate::fhir::model::Resource;
use crate::fhir::model::types::{
    CodeableConcept, Extension, ExtensionValue, Identifier, Quantity as FhirQuantity, Reference,
};
use crate::fhir::resource::{Emitted, identify};
use crate::kap::records::shared::{Code, CodedText, Organization, Practitioner, RecordReference, SystemIdentifier};
use crate::kap::units;
use crate::kap::values::{DateTime, Decimal, Quantity, Termed};
use std::collections::HashMap;

/// Why a stored record cannot be rebuilt: a resource of ours is not as we wrote it.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("slot {slot}: {what}")]
pub struct RebuildError {
    pub slot: String,
    pub what: &'static str,
}

impl RebuildError {
    pub fn new(slot: &str, what: &'static str) -> Self {
        Self { slot: slot.to_owned(), what }
    }
}

/// The resources of one record.
pub struct Reading<'a> {
    by_slot: HashMap<&'a str, &'a Resource>,
    /// In the order in which the record wrote them: lists come back in the sender's order.
    slots: Vec<&'a str>,
}

impl<'a> Reading<'a> {
    /// `prefix` is what the record's sources start with: `system#kind/record-id/`.
    pub fn new(prefix: &str, resources: &'a [Resource]) -> Self {
        let mut by_slot = HashMap::with_capacity(resources.len());
        let mut slots = Vec::with_capacity(resources.len());
        for resource in resources {
            let source = identify(resource).and_then(|(_, _, meta)| meta?.source.as_ref()?.value.as_deref());
            if let Some(slot) = source.and_then(|source| source.strip_prefix(prefix)) {
                by_slot.insert(slot, resource);
                slots.push(slot);
            }
        }
        Self { by_slot, slots }
    }

    /// The resource in that slot, if the record has one.
    pub fn find<R: Emitted>(&self, slot: &str) -> Option<&'a R> {
        self.by_slot.get(slot).and_then(|resource| R::from_resource(resource))
    }

    /// The resource in that slot.
    pub fn one<R: Emitted>(&self, slot: &str) -> Result<&'a R, RebuildError> {
        self.find(slot).ok_or_else(|| RebuildError::new(slot, "is missing"))
    }

    /// The slots of a list's elements (`{list}/{key}`), each once, in order.
    pub fn elements(&self, list: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for slot in &self.slots {
            let Some(rest) = slot.strip_prefix(list).and_then(|rest| rest.strip_prefix('/')) else { continue };
            let key = rest.split('/').next().unwrap_or(rest);
            let element = format!("{list}/{key}");
            if !found.contains(&element) {
                found.push(element);
            }
        }
        found
    }
}

/// The sender's own id of a list's element; `None` where the gateway made the key.
pub fn sender_id(slot: &str) -> Option<String> {
    let key = slot.rsplit('/').next()?;
    // A copy mark (`~2`) cannot stand behind a sender's id: ids are unique among neighbours, and hold no `~`.
    (!key.starts_with('~')).then(|| key.to_owned())
}

/// The extension of ours with that name.
pub fn find_extension<'e>(extensions: &'e [Extension], name: &str) -> Option<&'e Extension> {
    let url = extension_url(name);
    extensions.iter().find(|extension| extension.url == url)
}

/// What a choice element holds, if it is of that type.
macro_rules! choice {
    ($value:expr, $variant:path) => {
        if let $variant(inner) = $value { Some(inner) } else { None }
    };
}
pub(in crate::mapping) use choice;

/// The part of a complex extension with that name.
pub fn part<'e>(extension: &'e Extension, name: &str) -> Option<&'e ExtensionValue> {
    extension.extension.iter().find(|part| part.url == name)?.value.as_ref()
}

/// The text of a string-like extension value.
pub fn value_text(value: &ExtensionValue) -> Option<&str> {
    if let ExtensionValue::String(text) = value {
        text.value.as_deref()
    } else if let ExtensionValue::Code(code) = value {
        code.value.as_deref()
    } else if let ExtensionValue::Uri(uri) = value {
        uri.value.as_deref()
    } else if let ExtensionValue::DateTime(at) = value {
        at.value.as_deref()
    } else {
        None
    }
}

/// The text of our string-like extension with that name.
pub fn extension_text<'e>(extensions: &'e [Extension], name: &str) -> Option<&'e str> {
    value_text(find_extension(extensions, name)?.value.as_ref()?)
}

pub fn extension_quantity(extensions: &[Extension], name: &str) -> Option<Quantity> {
    quantity(choice!(find_extension(extensions, name)?.value.as_ref()?, ExtensionValue::Quantity)?)
}

pub fn extension_bool(extensions: &[Extension], name: &str) -> Option<bool> {
    choice!(find_extension(extensions, name)?.value.as_ref()?, ExtensionValue::Boolean)?.value
}

/// The quantity as it was sent: undoes `observation_vitals::quantity`.
pub fn quantity(found: &FhirQuantity) -> Option<Quantity> {
    if let Some(original) = find_extension(&found.extension, "kap-original-quantity") {
        let value = choice!(part(original, "value")?, ExtensionValue::Decimal)?;
        return Some(Quantity {
            value: Decimal::parse(value.value.as_deref()?)?,
            unit: part(original, "unit").and_then(value_text)?.to_owned(),
        });
    }
    let code = found.code.as_ref()?.value.as_deref()?;
    let word = found.unit.as_ref().and_then(|unit| unit.value.as_deref());
    let senders = word.filter(|word| units::understand(word).is_some_and(|unit| unit.code == code));
    Some(Quantity {
        value: Decimal::parse(found.value.as_ref()?.value.as_deref()?)?,
        unit: senders.unwrap_or(code).to_owned(),
    })
}

pub fn date_time(found: &crate::fhir::model::types::DateTime) -> Option<DateTime> {
    found.value.clone().map(DateTime)
}

pub fn system_identifier(found: &Identifier) -> Option<SystemIdentifier> {
    Some(SystemIdentifier {
        system: found.system.as_ref()?.value.clone()?,
        value: found.value.as_ref()?.value.clone()?,
    })
}

pub fn practitioner(found: &Reference) -> Option<Practitioner> {
    Some(Practitioner {
        identifier: system_identifier(found.identifier.as_deref()?)?,
        name: found.display.as_ref().and_then(|name| name.value.clone()),
    })
}

/// Is it a literal reference to a resource of that type?
pub fn is_to(found: &Reference, resource_type: &str) -> bool {
    let target = found.reference.as_ref().and_then(|target| target.value.as_deref());
    target.and_then(|target| target.strip_prefix(resource_type)).is_some_and(|rest| rest.starts_with('/'))
}

pub fn organization(found: &Reference) -> Option<Organization> {
    Some(Organization {
        identifier: system_identifier(found.identifier.as_deref()?)?,
        name: found.display.as_ref()?.value.clone()?,
    })
}

/// The word of a concept that a table made.
pub fn table_word(table: &'static [Concept], concept: &CodeableConcept) -> Option<&'static str> {
    concept.coding.iter().filter(|coding| !is_senders(coding)).find_map(|coding| {
        let system = coding.system.as_ref()?.value.as_deref()?;
        by_code(table, system, coding.code.as_ref()?.value.as_deref()?).map(|row| row.word)
    })
}

/// Undoes `Draft::termed`.
pub fn termed(table: &'static [Concept], concept: &CodeableConcept) -> Termed {
    Termed { term: table_word(table, concept).map(str::to_owned), codes: codes(concept), text: sender_text(concept) }
}

/// The sender's words. Undoes `draft::gateway_text`: the gateway's are not the sender's.
pub fn sender_text(concept: &CodeableConcept) -> Option<String> {
    let text = concept.text.as_ref()?;
    let is_ours = extension_bool(&text.extension, "kap-gateway-text") == Some(true);
    if is_ours { None } else { text.value.clone() }
}

/// Undoes `Draft::coded_text`.
pub fn coded_text(concept: &CodeableConcept) -> Option<CodedText> {
    Some(CodedText { codes: codes(concept), text: sender_text(concept)? })
}

fn is_senders(coding: &crate::fhir::model::types::Coding) -> bool {
    coding.user_selected.as_ref().and_then(|flag| flag.value) == Some(true)
}

/// The sender's codes in the sender's order: known ones are codings, the others extensions that hold their place.
pub fn codes(concept: &CodeableConcept) -> Vec<Code> {
    let mut codes: Vec<Code> = concept
        .coding
        .iter()
        .filter(|coding| is_senders(coding))
        .filter_map(|coding| {
            Some(Code { system: coding.system.as_ref()?.value.clone()?, code: coding.code.as_ref()?.value.clone()? })
        })
        .collect();
    let url = extension_url("kap-unmapped-code");
    for extension in concept.extension.iter().filter(|extension| extension.url == url) {
        let text = |name| part(extension, name).and_then(value_text).map(str::to_owned);
        let place = match part(extension, "place") {
            Some(ExtensionValue::Integer(place)) => place.value.and_then(|place| usize::try_from(place).ok()),
            _ => None,
        };
        if let (Some(system), Some(code), Some(place)) = (text("system"), text("code"), place) {
            codes.insert(place.min(codes.len()), Code { system, code });
        }
    }
    codes
}

/// The sender's id of the element that a reference of `Draft::reference_to_element` points to.
pub fn element_id(reference: &Reference) -> Option<String> {
    sender_id(reference.identifier.as_ref()?.value.as_ref()?.value.as_deref()?)
}

/// The slot that a reference of `Draft::reference_to_element` points to.
pub fn element_slot(reference: &Reference) -> Option<&str> {
    let identifier = reference.identifier.as_ref()?.value.as_ref()?.value.as_deref()?;
    // A record id holds no slash.
    identifier.split_once('/').map(|(_, slot)| slot)
}

/// Does the value that carries these extensions come from the record as a whole? Undoes `draft::from_record`.
pub fn is_from_record(extensions: &[Extension]) -> bool {
    extension_bool(extensions, "kap-from-record") == Some(true)
}

/// Undoes `Draft::record_identifier`.
pub fn record_reference(found: &Reference) -> Option<RecordReference> {
    let identifier = found.identifier.as_deref()?;
    let SystemIdentifier { system, value } = system_identifier(identifier)?;
    let system = if is_from_record(&identifier.extension) { None } else { Some(system) };
    Some(RecordReference { system, record_id: value })
}
