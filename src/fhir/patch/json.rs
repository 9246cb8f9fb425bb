//! The fhir room: JSON Patch, <https://www.rfc-editor.org/rfc/rfc6902>. The crate applies it; here it is read, so that all
//! faults are told at once, and copies are bounded.

use super::PatchError;
use json_patch::jsonptr::{Pointer, PointerBuf};
use json_patch::{
    AddOperation, CopyOperation, MoveOperation, PatchErrorKind, PatchOperation, RemoveOperation, ReplaceOperation,
    TestOperation,
};
use serde_json::Value;

#[derive(Debug)]
pub struct Operation(PatchOperation);

impl Operation {
    pub(super) fn read(operation: &Value) -> Result<Self, String> {
        let members = operation.as_object().ok_or("is no object")?;
        let text = |name: &str| match members.get(name) {
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(format!("has a {name} that is no text")),
            None => Err(format!("has no {name}")),
        };
        let pointer = |name: &str| -> Result<PointerBuf, String> {
            Pointer::parse(text(name)?)
                .map(ToOwned::to_owned)
                .map_err(|_| format!("has a {name} that is no JSON Pointer"))
        };
        let value = || members.get("value").cloned().ok_or_else(|| "has no value".to_owned());
        let path = || pointer("path");
        Ok(Self(match text("op")? {
            "add" => PatchOperation::Add(AddOperation { path: path()?, value: value()? }),
            "remove" => PatchOperation::Remove(RemoveOperation { path: path()? }),
            "replace" => PatchOperation::Replace(ReplaceOperation { path: path()?, value: value()? }),
            "move" => PatchOperation::Move(MoveOperation { from: pointer("from")?, path: path()? }),
            "copy" => PatchOperation::Copy(CopyOperation { from: pointer("from")?, path: path()? }),
            "test" => PatchOperation::Test(TestOperation { path: path()?, value: value()? }),
            _ => return Err("has an op that is none of add, remove, replace, move, copy and test".to_owned()),
        }))
    }
}

pub(super) fn apply(operations: &[Operation], resource: &mut Value, most_bytes: usize) -> Result<(), PatchError> {
    let mut copied = 0;
    for (place, Operation(operation)) in operations.iter().enumerate() {
        if let PatchOperation::Copy(CopyOperation { from, .. }) = operation {
            // A few copies of the whole into itself would fill the memory.
            copied += from.resolve(&*resource).map_or(0, size);
            if copied > most_bytes {
                return Err(PatchError::new(place, format!("copies more than {most_bytes} bytes in all")));
            }
        }
        json_patch::patch_unsafe(resource, std::slice::from_ref(operation))
            .map_err(|error| PatchError::new(place, told(&error.kind)))?;
    }
    Ok(())
}

fn told(kind: &PatchErrorKind) -> &'static str {
    match kind {
        PatchErrorKind::TestFailed => "tests for a value that is not there",
        PatchErrorKind::InvalidFromPointer => "names a place in its from that is not there",
        PatchErrorKind::CannotMoveInsideItself => "moves a value into itself",
        PatchErrorKind::InvalidPointer => "names a place in its path that is not there",
        // The crate may add kinds.
        _ => "cannot be done",
    }
}

/// About how many bytes the value takes as JSON.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 2,
        Value::Object(members) => members.iter().map(|(name, member)| name.len() + size(member) + 4).sum::<usize>() + 2,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Patch;
    use super::*;
    use serde_json::json;

    fn patched(patch: Value, resource: &Value) -> Result<Value, String> {
        let Patch::Json(operations) = Patch::json(&patch).map_err(|errors| format!("{errors:?}"))? else {
            return Err("another patch".into());
        };
        let mut patched = resource.clone();
        apply(&operations, &mut patched, 10_000).map(|()| patched).map_err(|error| error.to_string())
    }

    #[test]
    fn operations_change_the_resource_in_turn_and_numbers_keep_their_digits() {
        let value: Value = serde_json::from_str("0.50").expect("a number");
        let patch = json!([
            { "op": "test", "path": "/active", "value": true },
            { "op": "add", "path": "/name/-", "value": { "family": "Testpatient" } },
            { "op": "replace", "path": "/active", "value": false },
            { "op": "add", "path": "/dose", "value": value },
            { "op": "remove", "path": "/name/0" },
        ]);
        let patched = patched(patch, &json!({ "active": true, "name": [{}] })).expect("patched");
        assert_eq!(patched.to_string(), r#"{"active":false,"name":[{"family":"Testpatient"}],"dose":0.50}"#);
    }

    #[test]
    fn faulty_operations_are_all_told() {
        let patch =
            json!([{ "op": "banana", "path": "" }, 1, { "op": "add", "path": "/a" }, { "op": "add", "path": "a" }]);
        let errors = Patch::json(&patch).expect_err("faulty");
        assert_eq!(errors.iter().map(|error| error.operation).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn operations_that_do_not_fit_the_resource_are_errors() {
        let resource = json!({ "active": true, "name": [] });
        for operation in [
            json!({ "op": "test", "path": "/active", "value": false }),
            json!({ "op": "remove", "path": "/banana" }),
            json!({ "op": "replace", "path": "/name/7", "value": 1 }),
            json!({ "op": "add", "path": "/name/7", "value": 1 }),
            json!({ "op": "copy", "from": "/banana", "path": "/b" }),
            json!({ "op": "move", "from": "/name", "path": "/name/a" }),
        ] {
            assert!(patched(json!([operation]), &resource).is_err(), "{operation}");
        }
    }

    #[test]
    fn copies_that_double_the_resource_again_and_again_are_stopped() {
        let copies: Vec<_> = (0..40).map(|n| json!({ "op": "copy", "from": "", "path": format!("/{n}") })).collect();
        let error = patched(Value::Array(copies), &json!({ "a": "b" })).expect_err("too much");
        assert!(error.contains("copies more than"), "{error}");
    }
}
