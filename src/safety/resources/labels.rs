//! The safety room: the labels of a finding are those of what it rests on (D-20): who may not see the fact does not see
//! the alert.

use crate::safety::facts::{Facts, Key, Label};
use crate::safety::finding::Finding;
use serde_json::{Value, json};

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// From the least to the most strict.
const RANKS: &[&str] = &["U", "L", "M", "N", "R", "V"];
/// Marks of the whole record: they hold for whatever is made of it.
const MARKS: &[&str] = &["HTEST", "EMP"];

/// `meta.security` of a finding: restricted mental health content at least, for it tells of the treatment.
pub(in crate::safety) fn of(facts: &Facts, finding: &Finding) -> Vec<Value> {
    of_sources(facts, finding.evidence.iter().map(|one| one.source))
}

/// The same for whatever rests on these resources.
pub(in crate::safety) fn of_sources(facts: &Facts, sources: impl IntoIterator<Item = Key>) -> Vec<Value> {
    let bits = sources.into_iter().fold(0_u64, |bits, source| bits | facts.sources[source].labels);
    let has = |place: usize| bits & (1 << place.min(63)) != 0;
    let found: Vec<&Label> = facts
        .labels
        .iter()
        .enumerate()
        .filter(|(place, label)| has(*place) || MARKS.contains(&label.code.as_str()))
        .map(|(_, label)| label)
        .collect();
    let rank = |code: &str| RANKS.iter().position(|own| *own == code);
    let strictest = found
        .iter()
        .filter(|label| label.system == CONFIDENTIALITY)
        .filter_map(|label| rank(&label.code))
        .max()
        .filter(|rank| RANKS[*rank] == "V");
    let confidentiality = match strictest {
        Some(_) => json!({ "system": CONFIDENTIALITY, "code": "V", "display": "very restricted" }),
        None => json!({ "system": CONFIDENTIALITY, "code": "R", "display": "restricted" }),
    };
    let mental_health = json!({ "system": ACT_CODE, "code": "MH", "display": "mental health information sensitivity" });
    let mut labels = vec![confidentiality, mental_health];
    for label in found.into_iter().filter(|label| label.system != CONFIDENTIALITY) {
        if labels.iter().any(|own| own["code"] == label.code.as_str() && own["system"] == label.system.as_str()) {
            continue;
        }
        labels.push(if label.display.is_empty() {
            json!({ "system": label.system, "code": label.code })
        } else {
            json!({ "system": label.system, "code": label.code, "display": label.display })
        });
    }
    labels
}
