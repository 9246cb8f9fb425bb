//! The schemas of openapi.yaml, enforced: the ones that the documentation shows are the ones that decide.
//!
//! OpenAPI 3.1 schemas are JSON Schema 2020-12 (<https://spec.openapis.org/oas/v3.1.1.html#schema-object>).

use super::fault::{Fault, FaultKind};
use super::kind::Kind;
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde_json::{Value, json};

/// The API's description, as `/openapi.yaml` serves it.
pub const OPENAPI: &str = include_str!("../../openapi.yaml");

/// Why the embedded contract cannot be used: a mistake of ours, found at start-up.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error("openapi.yaml is not readable as YAML: {0}")]
    Yaml(String),
    #[error("openapi.yaml has no usable schema for {kind}: {reason}")]
    Schema { kind: &'static str, reason: String },
}

/// One compiled schema for each kind of record.
pub struct Contract {
    validators: Vec<(Kind, jsonschema::Validator)>,
    document: Value,
}

impl Contract {
    /// Compiles the embedded schemas. Once, at start-up; nothing is fetched.
    pub fn load() -> Result<Self, ContractError> {
        // Plain YAML 1.2 booleans only, so that an enum's `no` or `on` stays a word.
        let options = serde_saphyr::options! { strict_booleans: true };
        let document: Value = serde_saphyr::from_str_with_options(OPENAPI, options)
            .map_err(|error| ContractError::Yaml(error.to_string()))?;
        let validators = Kind::ALL
            .iter()
            .map(|kind| Ok((*kind, compile(&document, *kind)?)))
            .collect::<Result<_, ContractError>>()?;
        Ok(Self { validators, document })
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
        if validator.is_valid(record) {
            return Vec::new();
        }
        let mut faults: Vec<Fault> = validator.iter_errors(record).flat_map(|error| self.faults(&error)).collect();
        // One value can break several keywords of its schema at once (an empty text: length and pattern); the
        // sender needs to be told once.
        faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        faults.dedup_by(|later, earlier| later.pointer == earlier.pointer);
        faults
    }

    fn faults(&self, error: &ValidationError) -> Vec<Fault> {
        eprintln!("{} | {} | {} | {:?}", error.instance_path(), error.schema_path(), error.evaluation_path(), error.absolute_keyword_location());
        vec![]
    }
}

fn compile(document: &Value, kind: Kind) -> Result<jsonschema::Validator, ContractError> {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{}", kind.schema()),
        "components": document.get("components"),
    });
    jsonschema::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .offline()
        .build(&schema)
        .map_err(|error| ContractError::Schema { kind: kind.schema(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look() {
        let contract = Contract::load().unwrap_or_else(|e| panic!("{e}"));
        contract.check(Kind::Outcome, &json!({"kind":"intake","source":{"system":"a b","recordId":"x","revision":[]},"at":"2026-13-01","results":[{"instrument":"x","timepoint":{"phase":"during","minutes":1.5}, "foo":1}],"bar":2,"patient":[], "recordedAt": "2026-02-30T10:00:00Z"}));
    }
}
