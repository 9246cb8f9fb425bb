//! Everything that is wrong with one record, found in one go: schema and cross-field rules together.

use super::contract::Contract;
use super::fault::{Fault, FaultKind, Faults};
use super::kind::Kind;
use super::rules;
use serde_json::Value;

/// Judges a record that was sent as `kind` and, where the sender put it at a place of its own, as `record_id`.
pub fn check(contract: &Contract, kind: Kind, record: &Value, record_id: Option<&str>) -> Faults {
    let mut faults = contract.check(kind, record);
    faults.extend(rules::judge(kind, record, contract.instruments()));
    let own_id = record.pointer("/source/recordId").and_then(Value::as_str);
    if let (Some(own), Some(asked)) = (own_id, record_id)
        && own != asked
    {
        faults.push(Fault::error(
            FaultKind::Invariant,
            "/source/recordId",
            "`recordId` must be the record id of the path that the record was put to.",
        ));
    }
    Faults::sort(faults)
}
