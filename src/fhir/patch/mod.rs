//! The fhir room: changes of a resource in parts, as JSON Patch and as FHIRPath Patch.
//! <https://hl7.org/fhir/R4/http.html#patch>

mod json;
mod path;

use crate::fhir::definitions::Definitions;
use crate::fhir::path::Types;
use serde_json::Value;

/// Operations of one patch: each may be as costly as the resource is large.
const MOST_OPERATIONS: usize = 1_000;

/// A patch that was read.
#[derive(Debug)]
pub enum Patch {
    Json(Vec<json::Operation>),
    Path(Vec<path::Operation>),
}

/// What is wrong with an operation. Repeats no value of the resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("operation {operation} {problem}")]
pub struct PatchError {
    /// Counted from 0.
    pub operation: usize,
    /// Goes on from "operation 3".
    pub problem: String,
}

impl PatchError {
    fn new(operation: usize, problem: impl Into<String>) -> Self {
        Self { operation, problem: problem.into() }
    }
}

/// What a patch is applied with.
pub struct Rules<'a> {
    pub definitions: &'a Definitions,
    pub types: &'a Types,
    /// Bytes that a patch may make of a resource by copying its parts.
    pub most_bytes: usize,
}

impl Patch {
    /// RFC 6902: a list of operations. All that is wrong with them at once.
    pub fn json(body: &Value) -> Result<Self, Vec<PatchError>> {
        let operations =
            body.as_array().ok_or_else(|| vec![PatchError::new(0, "is missing: a JSON Patch is a list")])?;
        all(operations, json::Operation::read).map(Self::Json)
    }

    /// Parameters with operations, <https://hl7.org/fhir/R4/fhirpatch.html>. Likewise.
    pub fn path(parameters: &Value) -> Result<Self, Vec<PatchError>> {
        let operations = match parameters.get("parameter") {
            None => &[],
            Some(Value::Array(operations)) => operations.as_slice(),
            Some(_) => return Err(vec![PatchError::new(0, "is missing: parameter is a list")]),
        };
        all(operations, path::Operation::read).map(Self::Path)
    }

    /// Changes the resource by all operations in turn. With an error the resource may be changed in part: throw it away.
    pub fn apply(&self, resource: &mut Value, rules: &Rules) -> Result<(), PatchError> {
        match self {
            Self::Json(operations) => json::apply(operations, resource, rules.most_bytes),
            Self::Path(operations) => path::apply(operations, resource, rules),
        }
    }
}

fn all<T>(operations: &[Value], read: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, Vec<PatchError>> {
    if operations.len() > MOST_OPERATIONS {
        let problem = format!("is one too many: a patch has {MOST_OPERATIONS} at most here");
        return Err(vec![PatchError::new(MOST_OPERATIONS, problem)]);
    }
    let mut taken = Vec::new();
    let mut errors = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        match read(operation) {
            Ok(operation) => taken.push(operation),
            Err(problem) => errors.push(PatchError::new(place, problem)),
        }
    }
    if errors.is_empty() { Ok(taken) } else { Err(errors) }
}
