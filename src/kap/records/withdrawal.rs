//! That a sender takes a record back. Mapping specification D-02.

use super::super::fault::{Fault, FaultKind, Faults};
use super::super::json;
use super::shared::Practitioner;
use serde::Deserialize;
use serde_json::Value;

/// A reason is one line: `Line` of the contract.
const LONGEST: usize = 1_000;

/// The body of `$withdraw`: `Withdrawal` of the contract.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Withdrawal {
    /// Why, in words.
    pub reason: String,
    /// Who decided it.
    #[serde(default)]
    pub by: Option<Practitioner>,
}

/// Why a body is no withdrawal.
#[derive(Debug)]
pub enum NotOne {
    /// No JSON that can be read.
    Unreadable(Vec<Fault>),
    /// All that is wrong with it.
    Refused(Faults),
}

impl Withdrawal {
    /// Reads and checks; all faults at once.
    pub fn parse(body: &[u8]) -> Result<Self, NotOne> {
        let value = json::read_strict(body).map_err(NotOne::Unreadable)?;
        let faults = faults(&value);
        if !faults.is_empty() {
            return Err(NotOne::Refused(Faults::sort(faults)));
        }
        serde_json::from_value(value).map_err(|_| {
            let sentence =
                "`by` is a practitioner: an `identifier` with `system` and `value`, and a `name` where it is known.";
            NotOne::Refused(Faults::sort(vec![Fault::error(FaultKind::Value, "/by", sentence)]))
        })
    }
}

fn faults(value: &Value) -> Vec<Fault> {
    let Some(members) = value.as_object() else {
        return vec![Fault::error(FaultKind::Structure, "", "A withdrawal is an object with a `reason`.")];
    };
    let mut faults: Vec<Fault> = members
        .keys()
        .filter(|name| !matches!(name.as_str(), "reason" | "by"))
        .map(|name| {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            Fault::error(FaultKind::Structure, pointer, "A withdrawal has no such field: it has `reason` and `by`.")
        })
        .collect();
    if !members.contains_key("reason") {
        faults.push(Fault::error(FaultKind::Required, "/reason", "Say why the record is withdrawn."));
    }
    faults.extend(of_reason(members.get("reason")));
    faults.extend(of_decider(members.get("by")));
    faults
}

/// What is wrong with a reason that is given.
pub(super) fn of_reason(reason: Option<&Value>) -> Option<Fault> {
    match reason? {
        Value::String(reason) if reason.trim().is_empty() || reason.chars().count() > LONGEST => {
            let sentence = format!("The reason has from 1 to {LONGEST} characters, not only spaces.");
            Some(Fault::error(FaultKind::Value, "/reason", sentence))
        }
        Value::String(_) => None,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(Fault::error(FaultKind::Value, "/reason", "The reason is a text."))
        }
    }
}

/// What is wrong with who decided, where somebody is named.
pub(super) fn of_decider(by: Option<&Value>) -> Option<Fault> {
    let identifier = by?.get("identifier").cloned().unwrap_or_default();
    let text = |name: &str| identifier[name].as_str().is_some_and(|text| !text.trim().is_empty());
    let sentence = "Who decided is named by an `identifier` with `system` and `value`.";
    (!text("system") || !text("value")).then(|| Fault::error(FaultKind::Required, "/by/identifier", sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> Vec<String> {
        match Withdrawal::parse(body.as_bytes()) {
            Err(NotOne::Refused(faults)) => faults.errors.into_iter().map(|fault| fault.pointer).collect(),
            Err(NotOne::Unreadable(_)) => vec!["unreadable".to_owned()],
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn a_withdrawal_needs_a_reason_and_tells_all_that_is_wrong() {
        assert!(refused(r#"{"reason":"entered for the wrong patient"}"#).is_empty());
        assert_eq!(refused("{}"), ["/reason"]);
        assert_eq!(refused(r#"{"reason":"  ","why":1,"by":{}}"#), ["/by/identifier", "/reason", "/why"]);
        assert_eq!(refused(r#"{"reason":7}"#), ["/reason"]);
        assert_eq!(refused("[]"), [""]);
        assert_eq!(refused("{"), ["unreadable"]);
        assert_eq!(refused(&format!(r#"{{"reason":"{}"}}"#, "x".repeat(1_001))), ["/reason"]);
        let by = r#"{"reason":"x","by":{"identifier":{"system":"urn:a:b","value":"c"},"phone":"1"}}"#;
        assert_eq!(refused(by), ["/by"]);
    }
}
