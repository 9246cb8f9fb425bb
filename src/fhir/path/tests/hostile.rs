//! The fhir room: FHIRPath that means harm, and any other text and JSON.

use super::sample::{PATIENT, SAMPLE_TYPES, outcome};
use crate::fhir::path::{Context, EvaluationError, Expression, Item, Moment};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn a_parse_error_names_place_and_expectation() {
    let texts = [
        ("", 0),
        ("1 +", 3),
        ("name.", 5),
        ("name.where(", 11),
        ("(1", 2),
        ("'open", 0),
        ("name given", 5),
        ("name.where()", 10),
        ("name.first(1)", 10),
        ("'\\x'", 1),
        ("1 is 2", 5),
        ("@2020-13", 0),
        ("$that", 0),
        ("a ? b", 2),
        ("/* open", 0),
        ("99999999999999999999999999999.9", 0),
    ];
    for (text, position) in texts {
        let error = Expression::parse(text).unwrap_err();
        assert_eq!(error.position, position, "{text}: {error}");
        assert!(!error.expected.is_empty() && !error.found.is_empty(), "{text}: {error}");
    }
}

#[test]
fn nesting_has_an_end() {
    for text in [
        format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("{}1", "-".repeat(30_000)),
        format!("{}true{}", "iif(true, ".repeat(5_000), ", 1)".repeat(5_000)),
        format!("1{}", " + 1".repeat(10_000)),
        format!("1{}1{}", "[".repeat(10_000), "]".repeat(10_000)),
    ] {
        assert!(Expression::parse(&text).is_err(), "{} bytes", text.len());
    }
}

#[test]
fn long_chains_are_no_nesting() {
    assert_eq!(outcome(&PATIENT, &format!("1{}", " + 1".repeat(1_000))), Ok("1001".to_owned()));
    assert_eq!(outcome(&PATIENT, &format!("name{}.count()", ".first()".repeat(5_000))), Ok("1".to_owned()));
    let choice: Vec<String> = (0..500).map(|n| format!("id = '{n}'")).collect();
    assert_eq!(outcome(&PATIENT, &choice.join(" or ")), Ok("false".to_owned()));
}

/// Each would take hours, or all memory.
#[test]
fn work_has_an_end() {
    let items: Vec<Value> = (0..2_000).map(|n| json!({"linkId": n.to_string(), "item": [{"linkId": "x"}]})).collect();
    let large = json!({"resourceType": "Questionnaire", "item": items});
    for text in [
        "descendants().select(%resource.descendants().select(%resource.descendants()))",
        "descendants().where(%resource.descendants().where(%resource.descendants().exists(1 = 2)).exists())",
        "item.aggregate($total.combine($total).combine($this), 1)",
        "item.aggregate($total & $total, 'xxxxxxxxxxxxxxxx').length()",
        "1.repeat($this + 1)",
        "'a'.repeat($this & 'a')",
        "item.aggregate($total.replace('a', 'aaaaaaaaaaaaaaaa'), 'aaaaaaaa').length()",
        "item.select(linkId.matches('(' & linkId & '){1,9}'))",
    ] {
        let result = outcome(&large, text);
        assert!(matches!(result, Err(EvaluationError::GaveUp(_))), "{text}: {result:?}");
    }
}

#[test]
fn patterns_take_linear_time_and_bounded_memory() {
    // One that backtracks would not come back from this.
    let text = format!("'{}!'.matches('^(a+)+$')", "a".repeat(20_000));
    assert_eq!(outcome(&PATIENT, &text), Ok("false".to_owned()));
    for pattern in ["(((a{999}){999}){999})", "(?=a)", "(a", "\\\\1"] {
        let result = outcome(&PATIENT, &format!("'a'.matches('{pattern}')"));
        assert!(matches!(result, Err(EvaluationError::Cannot(_))), "{pattern}: {result:?}");
    }
}

#[test]
fn numbers_out_of_range_are_errors() {
    for text in [
        "9223372036854775807 + 1",
        "-9223372036854775807 - 2",
        "9223372036854775807 * 2",
        "10.power(40)",
        "99999999999999999999.0 * 99999999999999999999.0",
        "100.exp()",
        "@9999-12-31 + 1 year",
        "@0001-01-01 - 1 year",
        "@2020-01-01 + 9223372036854775807 days",
        "99999999999999999999.5.truncate()",
    ] {
        assert!(
            matches!(outcome(&PATIENT, text), Err(EvaluationError::Cannot(_))),
            "{text}: {:?}",
            outcome(&PATIENT, text)
        );
    }
    let huge: Value =
        serde_json::from_str(r#"{"resourceType":"Observation","valueQuantity":{"value":1e400}}"#).unwrap();
    assert!(matches!(outcome(&huge, "value.value > 1"), Err(EvaluationError::Cannot(_))));
}

#[test]
fn what_the_operands_do_not_allow_is_the_fault_of_the_expression() {
    for text in
        ["'a' - 1", "name.given + 1", "name < 1", "(1 | 2).not()", "1.startsWith('a')", "name.single()", "@2020 * 2"]
    {
        let result = outcome(&PATIENT, text);
        assert!(matches!(result, Err(EvaluationError::Fault(_) | EvaluationError::Cannot(_))), "{text}: {result:?}");
    }
}

#[test]
fn what_the_engine_does_not_have_is_an_error() {
    for text in
        ["name.mystery()", "1 is Mystery", "name.ofType(FHIR.Mystery)", "1 'mg/dL' < 1 'g/L'", "'x'.encode('rot13')"]
    {
        let result = outcome(&PATIENT, text);
        assert!(matches!(result, Err(EvaluationError::Cannot(_))), "{text}: {result:?}");
    }
}

#[test]
fn resources_of_the_wrong_shape_are_read_as_far_as_they_go() {
    for json in [
        json!({"resourceType": "Patient", "name": "text", "_name": [[[]]], "birthDate": {}, "_birthDate": 3}),
        json!({"resourceType": "Patient", "name": [[{"given": []}]], "active": "true", "_active": []}),
        json!({"resourceType": 3, "name": null}),
        json!([]),
        json!("text"),
        json!(null),
    ] {
        for text in [
            "name.given",
            "birthDate < today()",
            "descendants()",
            "active and true",
            "children().extension",
            "name = name",
        ] {
            // Any result, or an error; no panic.
            let _ = outcome(&json, text);
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::String),
        "[0-9]{4}(-[0-9]{2}){0,2}(T[0-9:.Z+]{0,12})?".prop_map(Value::String),
    ];
    let keys = prop_oneof![
        Just("name"),
        Just("_name"),
        Just("given"),
        Just("_given"),
        Just("birthDate"),
        Just("_birthDate"),
        Just("item"),
        Just("valueQuantity"),
        Just("value"),
        Just("code"),
        Just("extension"),
        Just("url"),
        Just("contained"),
        Just("reference"),
        Just("id"),
        Just("active"),
        Just("_"),
        Just(""),
    ];
    leaf.prop_recursive(4, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((keys.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

/// Pieces that often make an expression.
fn any_expression() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("name"),
        Just(".given"),
        Just(".where("),
        Just(")"),
        Just("("),
        Just("$this"),
        Just(" = "),
        Just(" | "),
        Just("'a'"),
        Just("1"),
        Just("2.5"),
        Just(" + "),
        Just(".first()"),
        Just(".descendants()"),
        Just(" and "),
        Just(".is("),
        Just("Patient"),
        Just("@2020-02-29"),
        Just(" + 1 year"),
        Just("3 'mg'"),
        Just(".toString()"),
        Just("[0]"),
        Just("{}"),
        Just("%resource"),
        Just(".repeat("),
        Just("item"),
        Just(" ~ "),
        Just(" < "),
        Just("-"),
        Just(".matches("),
        Just(".substring(1)"),
        Just("`"),
        Just("'"),
        Just("\\"),
        Just("//"),
        Just("birthDate"),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = Expression::parse(&text);
        let _ = Moment::parse_date(&text);
        let _ = Moment::parse_date_time(&text);
        let _ = Moment::parse_time(&text);
    }

    #[test]
    fn no_expression_over_any_json_panics(text in any_expression(), mut json in any_json()) {
        if let Value::Object(map) = &mut json {
            map.insert("resourceType".to_owned(), Value::from("Patient"));
        }
        if let Ok(expression) = Expression::parse(&text) {
            let focus = Item::resource(&json, &SAMPLE_TYPES);
            let mut context = Context::new(&SAMPLE_TYPES, focus.clone());
            context.steps = 20_000;
            let _ = expression.holds(&context, focus);
        }
    }
}
