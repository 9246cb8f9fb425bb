//! Rules across fields, judged on the raw record so that they are told together with the schema's errors.

use super::fault::Fault;
use super::kind::Kind;
use serde_json::Value;

/// All errors and warnings of a record that no single field shows.
pub fn judge(_kind: Kind, _record: &Value) -> Vec<Fault> {
    Vec::new()
}
