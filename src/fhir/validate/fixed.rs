//! The fhir room: `fixed[x]` and `pattern[x]`,
//! <https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_>.
//!
//! The depth of both walks is that of the definition's value, not of the data.

use serde_json::Value;

/// Whether a value is exactly the fixed one: same content, in whatever order of keys.
pub(super) fn equals(fixed: &Value, value: &Value) -> bool {
    match (fixed, value) {
        (Value::Object(fixed), Value::Object(value)) => {
            fixed.len() == value.len()
                && fixed.iter().all(|(key, wanted)| value.get(key).is_some_and(|v| equals(wanted, v)))
        }
        (Value::Array(fixed), Value::Array(value)) => {
            fixed.len() == value.len() && fixed.iter().zip(value).all(|(wanted, v)| equals(wanted, v))
        }
        _ => same_primitive(fixed, value),
    }
}

/// Whether a value has at least what the pattern has; of an array in the pattern each item must be met by one of the
/// value's.
pub(super) fn contains(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (Value::Object(pattern), Value::Object(value)) => {
            pattern.iter().all(|(key, wanted)| value.get(key).is_some_and(|v| contains(wanted, v)))
        }
        (Value::Array(pattern), Value::Array(value)) => {
            pattern.iter().all(|wanted| value.iter().any(|v| contains(wanted, v)))
        }
        _ => same_primitive(pattern, value),
    }
}

/// Decimals are compared as they are written: 1.0 and 1.00 differ in precision, and a fixed value means it.
fn same_primitive(wanted: &Value, value: &Value) -> bool {
    wanted == value
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fixed_is_the_same_content_in_any_order() {
        let fixed = json!({ "system": "http://loinc.org", "code": "1-8" });
        assert!(equals(&fixed, &json!({ "code": "1-8", "system": "http://loinc.org" })));
        assert!(!equals(&fixed, &json!({ "code": "1-8", "system": "http://loinc.org", "display": "x" })));
        assert!(!equals(&json!([1, 2]), &json!([2, 1])));
    }

    #[test]
    fn a_pattern_is_met_by_more() {
        let pattern = json!({ "coding": [{ "system": "http://loinc.org", "code": "1-8" }] });
        let value =
            json!({ "coding": [{ "code": "x" }, { "system": "http://loinc.org", "code": "1-8", "display": "d" }] });
        assert!(contains(&pattern, &value));
        assert!(!contains(&pattern, &json!({ "coding": [{ "system": "http://loinc.org" }, { "code": "1-8" }] })));
        assert!(!contains(&pattern, &json!({ "text": "x" })));
    }
}
