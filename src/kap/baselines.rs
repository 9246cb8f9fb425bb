//! The baselines that a record takes from another record: what it says that the other one says.

use rust_decimal::Decimal;
use serde_json::Value;

/// Deeper than results stand in a record.
const DEEPEST: usize = 8;

/// A score that the record says stands in an outcome record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Where it stands: the `baseline`.
    pub pointer: String,
    /// Key of the scale.
    pub instrument: String,
    pub score: Decimal,
    /// Whose record it is, and its id.
    pub system: String,
    pub record_id: String,
}

/// All of a record that keeps the contract, in its order.
pub fn claims(record: &Value) -> Vec<Claim> {
    let own_system = record["source"]["system"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    search(record, own_system, &mut String::new(), 0, &mut found);
    found
}

fn search(value: &Value, own_system: &str, pointer: &mut String, depth: usize, found: &mut Vec<Claim>) {
    if depth > DEEPEST {
        return;
    }
    let mut inside = |name: &str, value: &Value, found: &mut Vec<Claim>| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(name);
        search(value, own_system, pointer, depth + 1, found);
        pointer.truncate(length);
    };
    match value {
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                inside(&place.to_string(), item, found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(_, member)| member.is_array() || member.is_object()) {
                inside(name, member, found);
            }
            found.extend(claim(value, own_system, pointer));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn claim(result: &Value, own_system: &str, pointer: &str) -> Option<Claim> {
    let baseline = result.get("baseline")?;
    let record = baseline.get("record")?;
    let Value::Number(score) = baseline.get("score")? else { return None };
    Some(Claim {
        pointer: format!("{pointer}/baseline"),
        instrument: result["instrument"].as_str()?.to_owned(),
        score: score.as_str().parse().ok()?,
        system: record["system"].as_str().unwrap_or(own_system).to_owned(),
        record_id: record["recordId"].as_str()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_baseline_with_its_record_is_found_wherever_results_stand() {
        let record = json!({ "source": { "system": "urn:a:b" }, "results": [
            { "instrument": "phq-9", "score": 4, "baseline": { "score": 21 } },
            { "instrument": "phq-9", "score": 4, "baseline": { "score": 21.0, "record": { "recordId": "o-0" } } }],
            "deeper": { "results": [
                { "instrument": "gad-7", "baseline": { "score": 9, "record": { "recordId": "x", "system": "urn:c:d" } } }] } });
        let found = claims(&record);
        let told: Vec<(&str, &str, &str, &str)> = found
            .iter()
            .map(|one| (one.pointer.as_str(), one.instrument.as_str(), one.system.as_str(), one.record_id.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("/results/1/baseline", "phq-9", "urn:a:b", "o-0"),
                ("/deeper/results/0/baseline", "gad-7", "urn:c:d", "x")
            ]
        );
        assert_eq!(found[0].score, Decimal::from(21));
    }
}
