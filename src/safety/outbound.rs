//! The safety room: R-80. A psychotherapy note never leaves without an authorization of its own (45 CFR
//! 164.508(a)(2)): whatever sends a resource out asks here first, and what cannot be read does not leave either.

use serde_json::Value;

const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const CATEGORY: &str = "https://kap-gateway.example.org/fhir/CodeSystem/kap-document-category";
/// Labels that only a psychotherapy note has; never judged by its confidentiality.
const LABELS: &[&str] = &["PSYTHPN", "HIPAAPsyNotes"];

/// Why a resource must not leave. The texts name no patient data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// Where in the resource the mark of a psychotherapy note stands, as a JSON Pointer.
    #[error(
        "R-80: the content is labelled as a psychotherapy note at {pointer}; it leaves only under an authorization of its own"
    )]
    PsychotherapyNote { pointer: String },
    #[error("R-80: the content cannot be read, so nobody can tell whether it is a psychotherapy note")]
    Unreadable,
}

/// Looks at a resource that is about to leave: at itself, at what it contains, and at every entry of a Bundle.
pub fn check(body: &[u8]) -> Result<(), Blocked> {
    // serde_json stops at 128 levels.
    let value: Value = serde_json::from_slice(body).map_err(|_| Blocked::Unreadable)?;
    if !value.is_object() {
        return Err(Blocked::Unreadable);
    }
    let mut pointer = String::new();
    if is_marked(&value, &mut pointer) { Err(Blocked::PsychotherapyNote { pointer }) } else { Ok(()) }
}

/// `pointer` grows to the place of the mark, and is as it was where there is none.
fn is_marked(value: &Value, pointer: &mut String) -> bool {
    match value {
        Value::Object(members) => {
            let is_coding = |system: &str| members.get("system").and_then(Value::as_str) == Some(system);
            let code = members.get("code").and_then(Value::as_str);
            let by_label = code.is_some_and(|code| LABELS.contains(&code)) && is_coding(ACT_CODE);
            let by_category = code == Some("psychotherapy-note") && is_coding(CATEGORY);
            if by_label || by_category {
                return true;
            }
            members.iter().any(|(name, member)| inside(member, name, pointer))
        }
        Value::Array(items) => items.iter().enumerate().any(|(place, item)| inside(item, &place.to_string(), pointer)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn inside(value: &Value, name: &str, pointer: &mut String) -> bool {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(name);
    let found = is_marked(value, pointer);
    if !found {
        pointer.truncate(length);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(value: Value) -> Result<(), Blocked> {
        check(value.to_string().as_bytes())
    }

    #[test]
    fn a_note_is_blocked_wherever_its_mark_stands() {
        let label = json!({ "system": ACT_CODE, "code": "PSYTHPN" });
        let note = json!({ "resourceType": "DocumentReference", "meta": { "security": [label] } });
        let at = |pointer: &str| Err(Blocked::PsychotherapyNote { pointer: pointer.to_owned() });
        assert_eq!(judged(note.clone()), at("/meta/security/0"));
        let bundle = json!({ "resourceType": "Bundle", "entry": [{}, { "resource": note }] });
        assert_eq!(judged(bundle), at("/entry/1/resource/meta/security/0"));
        let by_law = json!({ "resourceType": "Observation", "contained": [{ "meta": { "security": [
            { "system": ACT_CODE, "code": "HIPAAPsyNotes" }] } }] });
        assert!(judged(by_law).is_err());
        let by_category = json!({ "resourceType": "DocumentReference", "category": [{ "coding": [
            { "system": CATEGORY, "code": "psychotherapy-note" }] }] });
        assert!(judged(by_category).is_err());
        let in_document = json!({ "resourceType": "DocumentReference", "securityLabel": [{ "coding": [
            { "system": ACT_CODE, "code": "PSYTHPN" }] }] });
        assert!(judged(in_document).is_err());
    }

    #[test]
    fn ordinary_content_leaves() {
        let summary = json!({ "resourceType": "DocumentReference",
            "meta": { "security": [{ "system": ACT_CODE, "code": "MH" }] },
            "category": [{ "coding": [{ "system": CATEGORY, "code": "clinical-note" }] }],
            "description": "PSYTHPN is only a word here" });
        assert_eq!(judged(summary), Ok(()));
    }

    #[test]
    fn what_cannot_be_read_stays() {
        for body in ["", "{", "[]", "\"x\"", &"[".repeat(100_000)] {
            assert_eq!(check(body.as_bytes()), Err(Blocked::Unreadable), "{}", &body[..body.len().min(5)]);
        }
    }
}
