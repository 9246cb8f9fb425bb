//! That two patients are one, or are two after all. Mapping specification D-02.

use super::super::fault::{Fault, FaultKind, Faults};
use super::super::json;
use super::shared::{Practitioner, SystemIdentifier};
use super::withdrawal::{NotOne, of_decider, of_reason};
use serde::Deserialize;
use serde_json::Value;

/// The body of `$merge` and `$unmerge`: `PatientMerge` and `PatientUnmerge` of the contract.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatientMerge {
    pub survivor: Named,
    pub merged: Named,
    /// Why, in words.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who decided it.
    #[serde(default)]
    pub by: Option<Practitioner>,
}

/// A patient by one identifier.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub identifier: SystemIdentifier,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeWay {
    Merge,
    /// A reason must be given.
    Undo,
}

impl PatientMerge {
    /// Reads and checks; all faults at once.
    pub fn parse(body: &[u8], way: MergeWay) -> Result<Self, NotOne> {
        let value = json::read_strict(body).map_err(NotOne::Unreadable)?;
        let faults = faults(&value, way);
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

fn faults(value: &Value, way: MergeWay) -> Vec<Fault> {
    let Some(members) = value.as_object() else {
        let sentence = "The body is an object with `survivor` and `merged`.";
        return vec![Fault::error(FaultKind::Structure, "", sentence)];
    };
    let mut faults: Vec<Fault> = Vec::new();
    for name in members.keys().filter(|name| !matches!(name.as_str(), "survivor" | "merged" | "reason" | "by")) {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        let sentence = "There is no such field here: there are `survivor`, `merged`, `reason` and `by`.";
        faults.push(Fault::error(FaultKind::Structure, pointer, sentence));
    }
    for name in ["survivor", "merged"] {
        let identifier = value.get(name).and_then(|patient| patient.get("identifier"));
        let text =
            |part: &str| identifier.and_then(|own| own.get(part)?.as_str()).is_some_and(|text| !text.trim().is_empty());
        if !text("system") || !text("value") {
            let sentence = "The patient is named by an `identifier` with `system` and `value`.";
            faults.push(Fault::error(FaultKind::Required, format!("/{name}/identifier"), sentence));
        }
        let known = |holder: Option<&Value>, names: &[&str]| {
            holder.and_then(Value::as_object).is_none_or(|own| own.keys().all(|key| names.contains(&key.as_str())))
        };
        if !known(value.get(name), &["identifier"]) || !known(identifier, &["system", "value"]) {
            let sentence = "A patient is named by an `identifier` with `system` and `value`, and nothing else.";
            faults.push(Fault::error(FaultKind::Structure, format!("/{name}"), sentence));
        }
    }
    if way == MergeWay::Undo && !members.contains_key("reason") {
        faults.push(Fault::error(FaultKind::Required, "/reason", "Say why the two are not one."));
    }
    faults.extend(of_reason(members.get("reason")));
    faults.extend(of_decider(members.get("by")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str, way: MergeWay) -> Vec<String> {
        match PatientMerge::parse(body.as_bytes(), way) {
            Err(NotOne::Refused(faults)) => faults.errors.into_iter().map(|fault| fault.pointer).collect(),
            Err(NotOne::Unreadable(_)) => vec!["unreadable".to_owned()],
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn the_way_back_needs_a_reason_and_all_faults_are_told_at_once() {
        let two = r#""survivor":{"identifier":{"system":"urn:a:b","value":"1"}},"merged":{"identifier":{"system":"urn:a:b","value":"2"}}"#;
        assert!(refused(&format!("{{{two}}}"), MergeWay::Merge).is_empty());
        assert_eq!(refused(&format!("{{{two}}}"), MergeWay::Undo), ["/reason"]);
        assert!(refused(&format!(r#"{{{two},"reason":"two sisters"}}"#), MergeWay::Undo).is_empty());
        assert_eq!(
            refused(&format!(r#"{{{two},"reason":" ","by":{{}},"x":1}}"#), MergeWay::Merge),
            ["/by/identifier", "/reason", "/x"]
        );
        assert_eq!(refused("{}", MergeWay::Undo), ["/merged/identifier", "/reason", "/survivor/identifier"]);
        assert_eq!(refused("[]", MergeWay::Merge), [""]);
        assert_eq!(refused("{", MergeWay::Merge), ["unreadable"]);
    }
}
