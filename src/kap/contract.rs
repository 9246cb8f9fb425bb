//! The schemas of openapi.yaml, enforced: the ones that the documentation shows are the ones that decide.
//!
//! OpenAPI 3.1 schemas are JSON Schema 2020-12 (<https://spec.openapis.org/oas/v3.1.1.html#schema-object>).

use super::fault::{Fault, FaultKind, MOST_FAULTS};
use super::instruments::{Registry, RegistryError};
use super::kind::Kind;
use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

/// The API's description, as `/openapi.yaml` serves it.
pub const OPENAPI: &str = include_str!("../../openapi.yaml");

/// More than an answer lists, even where several fall together at one field: reading on would only cost memory.
const ENOUGH_ERRORS: usize = 4 * MOST_FAULTS;

/// Why the contract cannot be used, found at start-up: a mistake of ours, or one in a clinic's instruments.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error("openapi.yaml is not readable as YAML: {0}")]
    Yaml(String),
    #[error("openapi.yaml has no usable schema for {kind}: {reason}")]
    Schema { kind: &'static str, reason: String },
    /// The clinic's own instruments cannot be used.
    #[error(transparent)]
    Instruments(#[from] RegistryError),
}

/// One compiled schema for each kind of record.
pub struct Contract {
    validators: Vec<(Kind, jsonschema::Validator)>,
    document: Value,
    /// Names of the fields that hold whole numbers.
    counts: HashSet<String>,
    instruments: Cow<'static, Registry>,
}

impl Contract {
    /// Compiles the embedded schemas. Once, at start-up; nothing is fetched. The instruments are those that come with
    /// the gateway.
    pub fn load() -> Result<Self, ContractError> {
        Self::with_instruments(Cow::Borrowed(Registry::built_in()))
    }

    /// The same, with a clinic's instruments beside those that come with the gateway.
    pub fn with_instruments(instruments: Cow<'static, Registry>) -> Result<Self, ContractError> {
        // Plain YAML 1.2 booleans only, so that an enum's `no` or `on` stays a word.
        let options = serde_saphyr::options! { strict_booleans: true };
        let document: Value = serde_saphyr::from_str_with_options(OPENAPI, options)
            .map_err(|error| ContractError::Yaml(error.to_string()))?;
        let validators = Kind::ALL
            .iter()
            .map(|kind| Ok((*kind, compile(&document, *kind)?)))
            .collect::<Result<_, ContractError>>()?;
        let counts = counts(&document);
        Ok(Self { validators, document, counts, instruments })
    }

    /// The same, with the instruments of a folder, and with other tierings as defaults (`instrument=tiering`).
    pub fn with_folder(folder: Option<&Path>, tierings: &[String]) -> Result<Self, ContractError> {
        let mut instruments = Cow::Borrowed(Registry::built_in());
        if let Some(folder) = folder {
            instruments = Cow::Owned(instruments.with_folder(folder)?);
        }
        for tiering in tierings {
            instruments = Cow::Owned(instruments.into_owned().with_tiering(tiering)?);
        }
        Self::with_instruments(instruments)
    }

    /// What records may name as their instruments.
    pub fn instruments(&self) -> &Registry {
        &self.instruments
    }

    /// openapi.yaml as a JSON value.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// What the schema of that kind finds wrong with a record: every error, at the very field.
    pub fn check(&self, kind: Kind, record: &Value) -> Vec<Fault> {
        let Some((_, validator)) = self.validators.iter().find(|(own, _)| *own == kind) else {
            return vec![Fault::error(FaultKind::Structure, "", "This kind of record is not known.")];
        };
        let mut faults = Vec::new();
        if !validator.is_valid(record) {
            let errors = validator.iter_errors(record).take(ENOUGH_ERRORS);
            faults.extend(errors.flat_map(|error| self.faults(&error)));
        }
        let sentence = "The value must be a whole number, written without a decimal point.";
        let mut counts_with_point = Vec::new();
        self.counts_with_point(record, &mut String::new(), &mut counts_with_point);
        faults.extend(counts_with_point.into_iter().map(|pointer| Fault::error(FaultKind::Value, pointer, sentence)));
        // One value can break several keywords of its schema at once (an empty text: length and pattern); the
        // sender needs to be told once.
        faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        faults.dedup_by(|later, earlier| later.pointer == earlier.pointer);
        faults
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "the contract cannot raise the other members of a foreign enum")]
    fn faults(&self, error: &ValidationError) -> Vec<Fault> {
        let pointer = error.instance_path().as_str();
        let keyword_at = error.schema_path().as_str();
        let schema = self.schema_around(keyword_at);
        let one = |kind, sentence: String| vec![Fault::error(kind, pointer, sentence)];
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let sentence = format!("The contract has no such field here. {}", known_fields(schema));
                unexpected
                    .iter()
                    .take(ENOUGH_ERRORS)
                    .map(|name| Fault::error(FaultKind::Structure, child(pointer, name), sentence.clone()))
                    .collect()
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                vec![Fault::error(FaultKind::Required, child(pointer, name), format!("`{name}` is needed."))]
            }
            ValidationErrorKind::Enum { options } => {
                one(FaultKind::CodeInvalid, format!("`{}` must be {}.", last(pointer), one_of(options)))
            }
            ValidationErrorKind::Constant { expected_value } => {
                one(FaultKind::CodeInvalid, format!("`{}` must be {}.", last(pointer), word(expected_value)))
            }
            ValidationErrorKind::Type { .. } => one(FaultKind::Value, wrong_type(schema, error.instance())),
            ValidationErrorKind::OneOfNotValid { .. }
            | ValidationErrorKind::OneOfMultipleValid { .. }
            | ValidationErrorKind::AnyOf { .. } => {
                one(FaultKind::Value, format!("The value must be {}.", alternatives(schema)))
            }
            ValidationErrorKind::Pattern { .. } | ValidationErrorKind::Format { .. } => {
                one(FaultKind::Value, wrong_form(keyword_at, schema))
            }
            ValidationErrorKind::MinLength { .. } => one(FaultKind::Value, "The text must not be empty.".to_owned()),
            ValidationErrorKind::MaxLength { limit } => {
                one(FaultKind::Value, format!("The text must not have more than {limit} characters."))
            }
            ValidationErrorKind::MinItems { .. } => one(
                FaultKind::Value,
                "The list must not be empty: leave the field out where there is nothing to say.".to_owned(),
            ),
            ValidationErrorKind::MaxItems { limit } => {
                one(FaultKind::Value, format!("The list must not have more than {limit} elements."))
            }
            ValidationErrorKind::MinProperties { .. } => {
                one(FaultKind::Value, format!("At least one field is needed here. {}", known_fields(schema)))
            }
            ValidationErrorKind::UniqueItems => {
                one(FaultKind::Value, "The list must not name anything twice.".to_owned())
            }
            ValidationErrorKind::Minimum { limit } => {
                one(FaultKind::Value, format!("The number must be at least {limit}."))
            }
            ValidationErrorKind::Maximum { limit } => {
                one(FaultKind::Value, format!("The number must be at most {limit}."))
            }
            ValidationErrorKind::ExclusiveMinimum { limit } => {
                one(FaultKind::Value, format!("The number must be more than {limit}."))
            }
            ValidationErrorKind::ExclusiveMaximum { limit } => {
                one(FaultKind::Value, format!("The number must be less than {limit}."))
            }
            // Keywords that openapi.yaml does not use: their name at least, never the value.
            other => one(FaultKind::Value, format!("The value breaks `{}` of the contract.", other.keyword())),
        }
    }

    /// The schema that holds the keyword at that place.
    fn schema_around(&self, keyword_at: &str) -> &Value {
        let place = keyword_at.rsplit_once('/').map_or("", |(schema, _)| schema);
        self.document.pointer(place).unwrap_or(&Value::Null)
    }

    /// Pointers to counts with a decimal point. JSON Schema takes `2.0` for an integer; here a count has one
    /// spelling, so that it comes back as it was sent.
    fn counts_with_point(&self, value: &Value, pointer: &mut String, found: &mut Vec<String>) {
        let before = pointer.len();
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field {
                        Value::Number(number) if number.as_str().contains('.') && self.counts.contains(name) => {
                            found.push(child(pointer, name));
                        }
                        Value::Object(_) | Value::Array(_) => {
                            pointer.push_str(&child("", name));
                            self.counts_with_point(field, pointer, found);
                            pointer.truncate(before);
                        }
                        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                    }
                }
            }
            Value::Array(elements) => {
                for (place, element) in elements.iter().enumerate() {
                    if matches!(element, Value::Object(_) | Value::Array(_)) {
                        pointer.push_str(&child("", &place.to_string()));
                        self.counts_with_point(element, pointer, found);
                        pointer.truncate(before);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

fn compile(document: &Value, kind: Kind) -> Result<jsonschema::Validator, ContractError> {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{}", kind.schema()),
        "components": { "schemas": document.pointer("/components/schemas") },
    });
    jsonschema::options()
        // This engine takes time in proportion to the text, whatever the text is; so no pattern may look ahead.
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .offline()
        .build(&schema)
        .map_err(|error| ContractError::Schema { kind: kind.as_str(), reason: error.to_string() })
}

/// The names of all fields of the contract that hold whole numbers.
fn counts(document: &Value) -> HashSet<String> {
    fn is_integer(schema: &Value) -> bool {
        let alternatives = schema.get("oneOf").and_then(Value::as_array);
        schema.get("type").is_some_and(|name| name == "integer")
            || alternatives.is_some_and(|all| all.iter().any(is_integer))
    }
    fn collect(schema: &Value, names: &mut HashSet<String>) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            names.extend(properties.iter().filter(|(_, schema)| is_integer(schema)).map(|(name, _)| name.clone()));
        }
        match schema {
            Value::Object(fields) => fields.values().for_each(|inner| collect(inner, names)),
            Value::Array(values) => values.iter().for_each(|inner| collect(inner, names)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut names = HashSet::new();
    if let Some(schemas) = document.pointer("/components/schemas") {
        collect(schemas, &mut names);
    }
    names
}

fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn last(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or_default()
}

fn word(value: &Value) -> String {
    match value {
        Value::String(word) => format!("`{word}`"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => format!("`{value}`"),
    }
}

/// The longest list of words that a sentence spells out.
const SMALL_SET: usize = 16;

fn one_of(options: &Value) -> String {
    match options.as_array().map(Vec::as_slice) {
        Some([only]) => word(only),
        Some(all) if all.len() <= SMALL_SET => {
            format!("one of {}", all.iter().map(word).collect::<Vec<_>>().join(", "))
        }
        Some(_) | None => "a word of the set that openapi.yaml lists for it".to_owned(),
    }
}

fn known_fields(schema: &Value) -> String {
    match schema.get("properties").and_then(Value::as_object) {
        Some(properties) if properties.len() <= SMALL_SET => {
            let names: Vec<_> = properties.keys().map(|name| format!("`{name}`")).collect();
            format!("Known here: {}.", names.join(", "))
        }
        Some(_) | None => "openapi.yaml lists the fields that are known here.".to_owned(),
    }
}

fn wrong_type(schema: &Value, instance: &Value) -> String {
    if instance.is_null() {
        return "Leave the field out where there is no value: null is not taken.".to_owned();
    }
    let wanted = schema.get("type").and_then(Value::as_str).map_or("of another type", type_in_words);
    format!("The value must be {wanted}, not {}.", type_in_words(type_of(instance)))
}

fn type_of(instance: &Value) -> &'static str {
    match instance {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn type_in_words(name: &str) -> &'static str {
    match name {
        "object" => "an object",
        "array" => "a list",
        "string" => "text in quotes",
        "number" => "a number",
        "integer" => "a whole number",
        "boolean" => "true or false",
        _ => "null",
    }
}

/// The ways out of a `oneOf`, in words: each by its type or by the name of its schema.
fn alternatives(schema: &Value) -> String {
    let all = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    let words = all.into_iter().flatten().map(|way| match way.get("$ref").and_then(Value::as_str) {
        Some(reference) => form_of(last(reference)).to_owned(),
        None => type_in_words(way.get("type").and_then(Value::as_str).unwrap_or_default()).to_owned(),
    });
    words.collect::<Vec<_>>().join(", or ")
}

fn wrong_form(keyword_at: &str, schema: &Value) -> String {
    let component = keyword_at.strip_prefix("/components/schemas/").and_then(|rest| rest.split_once('/'));
    let form = match component {
        // The keyword stands in the component itself and not in a field of it.
        Some((name, keyword)) if !keyword.contains('/') => form_of(name),
        Some(_) | None => match schema.get("description").and_then(Value::as_str) {
            Some(description) => return format!("The value does not have the form that is asked for. {description}"),
            None => "text without white space at either end or in a row",
        },
    };
    format!("The value must be {form}.")
}

/// What the texts of a component look like.
fn form_of(component: &str) -> &'static str {
    match component {
        "DateTime" => "a date and time with seconds and offset, such as 2026-02-02T10:00:00-05:00",
        "Date" => "a calendar day such as 2026-02-02",
        "PartialDate" => "a year, a month or a day, such as 2026, 2026-02 or 2026-02-02",
        "Uri" => "an absolute URI, such as urn:example:ids or https://ehr.example.org/ids",
        "Token" | "RecordId" => {
            "a short name of letters, digits and -._ (a record id also ~ and :) that starts with a letter or digit"
        }
        "InstrumentKey" => "the key of an instrument: lower-case letters and digits, joined by single hyphens",
        "Line" | "Text" => "text that is not only white space",
        _ => "of the form that openapi.yaml gives",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_and_format_of_a_component_has_its_words() {
        let contract = Contract::load().expect("the contract loads");
        let schemas = contract.document().pointer("/components/schemas").and_then(Value::as_object).expect("schemas");
        for (name, schema) in schemas {
            if schema.get("pattern").is_some() || schema.get("format").is_some() {
                assert_ne!(form_of(name), form_of("no such component"), "{name} has no words");
            }
        }
    }

    #[test]
    fn no_field_is_a_count_in_one_place_and_a_decimal_in_another() {
        fn collect(schema: &Value, names: &mut HashSet<String>) {
            if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
                let is_number = |schema: &Value| schema.get("type").is_some_and(|name| name == "number");
                names.extend(properties.iter().filter(|(_, schema)| is_number(schema)).map(|(name, _)| name.clone()));
            }
            let inner: Vec<&Value> = match schema {
                Value::Object(fields) => fields.values().collect(),
                Value::Array(values) => values.iter().collect(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
            };
            inner.into_iter().for_each(|inner| collect(inner, names));
        }
        let contract = Contract::load().expect("the contract loads");
        let mut decimals = HashSet::new();
        collect(contract.document(), &mut decimals);
        assert!(decimals.contains("holdMinutes") && contract.counts.contains("minutes"));
        assert_eq!(decimals.intersection(&contract.counts).collect::<Vec<_>>(), Vec::<&String>::new());
    }
}
