//! Any leaf of any fixture, replaced by what does not belong there, is told at that very leaf.

use super::{CONTRACT, kind_of, read, records};
use kap_gateway::kap::check::check;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Every record with the pointers of its leaves.
static RECORDS: LazyLock<Vec<(Value, Vec<String>)>> = LazyLock::new(|| {
    let with_leaves = |record: Value| {
        let mut pointers = Vec::new();
        leaves(&record, String::new(), &mut pointers);
        (record, pointers)
    };
    records().iter().map(|path| with_leaves(read(path))).collect()
});

fn leaves(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                leaves(inner, format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(elements) => {
            for (index, inner) in elements.iter().enumerate() {
                leaves(inner, format!("{pointer}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(pointer),
    }
}

/// Values of types that the leaf does not have.
fn strangers(leaf: &Value) -> Vec<Value> {
    [json!(null), json!(true), json!(7), json!("?"), json!([]), json!({"unexpected": 1}), json!([7])]
        .into_iter()
        .filter(|stranger| std::mem::discriminant(stranger) != std::mem::discriminant(leaf))
        .collect()
}

const EXTREME_NUMBERS: [&str; 8] = [
    "0",
    "-0",
    "999999999999999999",
    "-999999999999999999",
    "0.000000000000000001",
    "0.00",
    "1.000000000000000000",
    "-1",
];

const EXTREME_TEXTS: [&str; 7] = [
    "\"0000-01-01T00:00:00Z\"",
    "\"0001-01-01T00:00:00+14:00\"",
    "\"9999-12-31T23:59:59.999999999-14:00\"",
    "\"9999-12-31\"",
    "\"é\"",
    "\"2026-1é\"",
    "\"\"",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_leaf_of_the_wrong_type_is_told_at_that_leaf(record: Index, leaf: Index, stranger: Index) {
        let (record, pointers) = record.get(&RECORDS);
        let pointer = leaf.get(pointers);
        let mut wrong = record.clone();
        let place = wrong.pointer_mut(pointer).expect("the leaf");
        let strangers = strangers(place);
        *place = stranger.get(&strangers).clone();
        let faults = check(&CONTRACT, kind_of(record), &wrong, None);
        prop_assert!(faults.errors.iter().any(|fault| &fault.pointer == pointer), "{pointer}: {faults:#?}");
    }

    #[test]
    fn an_unknown_field_is_told_at_that_field(record: Index, leaf: Index, name in "[a-z]{3,8}X[ /~`]?") {
        let (record, pointers) = record.get(&RECORDS);
        let object = leaf.get(pointers).rsplit_once('/').map_or("", |(parent, _)| parent);
        let mut wrong = record.clone();
        let Some(Value::Object(fields)) = wrong.pointer_mut(object) else { return Ok(()) };
        fields.insert(name.clone(), json!(1));
        let faults = check(&CONTRACT, kind_of(record), &wrong, None);
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let expected = format!("{object}/{escaped}");
        prop_assert_eq!(faults.errors.iter().map(|fault| &fault.pointer).collect::<Vec<_>>(), vec![&expected]);
    }

    /// Arithmetic and times at the ends of what can be written: two leaves at once, so that they meet in a rule.
    #[test]
    fn extreme_values_are_judged_without_a_panic(record: Index, leaves: [Index; 2], extremes: [Index; 2]) {
        let (record, pointers) = record.get(&RECORDS);
        let mut wrong = record.clone();
        for (leaf, extreme) in leaves.iter().zip(&extremes) {
            if let Some(place) = wrong.pointer_mut(&pointers[leaf.index(pointers.len())]) {
                let kin = if place.is_number() { &EXTREME_NUMBERS[..] } else { &EXTREME_TEXTS[..] };
                *place = serde_json::from_str(kin[extreme.index(kin.len())]).expect("JSON");
            }
        }
        super::judge(kind_of(record), wrong.to_string().as_bytes());
    }

    #[test]
    fn a_record_with_any_byte_changed_is_judged_without_a_panic(record: Index, place: Index, byte: u8) {
        let (record, _) = record.get(&RECORDS);
        let mut bytes = record.to_string().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        super::judge(kind_of(record), &bytes);
    }

    #[test]
    fn any_json_is_judged_without_a_panic(text in "[\\[\\]{}\",:0-9a-z.eE+-]{0,200}") {
        for kind in kap_gateway::kap::kind::Kind::ALL {
            super::judge(*kind, text.as_bytes());
        }
    }
}
