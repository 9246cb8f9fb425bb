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

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

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

    #[test]
    fn any_json_is_judged_without_a_panic(text in "[\\[\\]{}\",:0-9a-z.eE+-]{0,200}") {
        for kind in kap_gateway::kap::kind::Kind::ALL {
            super::judge(*kind, text.as_bytes());
        }
    }
}
