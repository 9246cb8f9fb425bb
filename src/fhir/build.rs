//! Short constructors for the data types, so that a mapping reads as the resource it makes.
//!
//! <https://hl7.org/fhir/R4/datatypes.html>

use super::model::types::{
    Annotation, CodeableConcept, Coding, DateTime, Decimal, Extension, ExtensionValue, HumanName, Identifier, Markdown,
    Period, Quantity, Reference, String,
};

pub const UCUM: &str = "http://unitsofmeasure.org";
pub const DATA_ABSENT_REASON: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

pub fn coding(system: &str, code: &str, display: &str) -> Coding {
    Coding {
        system: Some(system.into()),
        code: Some(code.into()),
        display: (!display.is_empty()).then(|| display.into()),
        ..Default::default()
    }
}

/// A concept of one coding, without text.
pub fn concept(coding: Coding) -> CodeableConcept {
    CodeableConcept { coding: vec![coding], ..Default::default() }
}

/// A concept in words alone.
pub fn words(text: &str) -> CodeableConcept {
    CodeableConcept { text: Some(text.into()), ..Default::default() }
}

pub fn identifier(system: &str, value: &str) -> Identifier {
    Identifier { system: Some(system.into()), value: Some(value.into()), ..Default::default() }
}

pub fn decimal(text: impl Into<std::string::String>) -> Decimal {
    Decimal { value: Some(text.into()), ..Default::default() }
}

/// A quantity in a UCUM unit; `value` keeps its digits.
pub fn quantity(value: impl Into<std::string::String>, unit: &str) -> Quantity {
    Quantity {
        value: Some(decimal(value)),
        unit: Some(unit.into()),
        system: Some(UCUM.into()),
        code: Some(unit.into()),
        ..Default::default()
    }
}

pub fn date_time(text: &str) -> DateTime {
    DateTime { value: Some(text.into()), ..Default::default() }
}

pub fn period(start: Option<&str>, end: Option<&str>) -> Period {
    Period { start: start.map(date_time), end: end.map(date_time), ..Default::default() }
}

/// A literal reference, `Type/id`.
pub fn reference(resource_type: &str, id: &str) -> Reference {
    Reference { reference: Some(format!("{resource_type}/{id}").as_str().into()), ..Default::default() }
}

/// A reference to what is known in words alone.
pub fn described(words: &str) -> Reference {
    Reference { display: Some(words.into()), ..Default::default() }
}

pub fn extension(url: impl Into<std::string::String>, value: ExtensionValue) -> Extension {
    Extension { url: url.into(), value: Some(value), ..Default::default() }
}

/// An extension made of other extensions.
pub fn complex_extension(url: impl Into<std::string::String>, parts: Vec<Extension>) -> Extension {
    Extension { url: url.into(), extension: parts, ..Default::default() }
}

pub fn annotation(text: &str) -> Annotation {
    Annotation { text: Markdown { value: Some(text.into()), ..Default::default() }, ..Default::default() }
}

/// A name of which only the text is known, or nothing at all; the family name, which is not told apart in it, is
/// marked unknown. US Core demands a family name or this mark (its "Missing Data").
pub fn name_in_text(text: Option<&str>) -> HumanName {
    HumanName {
        text: text.map(Into::into),
        family: Some(String { extension: vec![unknown()], ..Default::default() }),
        ..Default::default()
    }
}

/// The value is unknown: an extension in its place, never a guess.
pub fn unknown() -> Extension {
    extension(DATA_ABSENT_REASON, ExtensionValue::Code("unknown".into()))
}
