//! The fhir room: JSON Patch, <https://www.rfc-editor.org/rfc/rfc6902>. The crate applies it; here it is read, so that all
//! faults are told at once, and copies are bounded.

use super::PatchError;
use crate::fhir::search::Decimal;
use json_patch::jsonptr::{Pointer, PointerBuf};
use json_patch::{
    AddOperation, CopyOperation, MoveOperation, PatchErrorKind, PatchOperation, RemoveOperation, ReplaceOperation,
    TestOperation,
};
use serde_json::{Number, Value};

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
        // The crate compares texts, and a client that read 0.50 may write 0.5.
        if let PatchOperation::Test(TestOperation { path, value }) = operation
            && path.resolve(&*resource).is_ok_and(|there| is_equal(there, value))
        {
            continue;
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

/// Equal as a `test` has it: numbers by their values. <https://www.rfc-editor.org/rfc/rfc6902#section-4.6>
fn is_equal(there: &Value, asked: &Value) -> bool {
    match (there, asked) {
        (Value::Number(there), Value::Number(asked)) => {
            let key = |number: &Number| Decimal::parse(&number.to_string()).map(Decimal::key);
            there == asked || key(there).is_some_and(|there| key(asked) == Some(there))
        }
        (Value::Array(there), Value::Array(asked)) => {
            there.len() == asked.len() && there.iter().zip(asked).all(|(there, asked)| is_equal(there, asked))
        }
        (Value::Object(there), Value::Object(asked)) => {
            let has = |(name, asked)| there.get(name).is_some_and(|there: &Value| is_equal(there, asked));
            there.len() == asked.len() && asked.iter().all(has)
        }
        (there, asked) => there == asked,
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

    /// RFC 6902: numbers are equal if their values are. Who reads 0.50 with JavaScript can write 0.5 only.
    #[test]
    fn tests_compare_numbers_by_value() {
        let resource: Value = serde_json::from_str(r#"{"dose":{"value":0.50,"of":[1,-0.0]}}"#).expect("JSON");
        let test = |path: &str, value: &str| {
            let value: Value = serde_json::from_str(value).expect("JSON");
            patched(json!([{ "op": "test", "path": path, "value": value }]), &resource).is_ok()
        };
        for value in ["0.50", "0.5", "5e-1", "0.500"] {
            assert!(test("/dose/value", value), "{value}");
        }
        assert!(test("/dose", r#"{"of":[1.0,0],"value":0.5}"#));
        for value in ["0.51", "\"0.50\"", "50", "-0.5", "5e99999", "null"] {
            assert!(!test("/dose/value", value), "{value}");
        }
        assert!(!test("/dose", r#"{"value":0.5}"#) && !test("/dose/of", "[1]") && !test("/banana", "1"));
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
