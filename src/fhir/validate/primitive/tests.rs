//! The fhir room: the formats of the primitive types, value by value.

use super::*;
use serde_json::json;

fn rule(kind: Primitive, value: Value) -> Option<&'static str> {
    kind.check(&value).err().map(|fault| fault.rule)
}

fn all_pass(kind: Primitive, values: &[Value]) {
    for value in values {
        assert_eq!(kind.check(value), Ok(()), "{value} as {kind:?}");
    }
}

fn all_fail(kind: Primitive, wanted: &str, values: &[Value]) {
    for value in values {
        assert_eq!(rule(kind, value.clone()), Some(wanted), "{value} as {kind:?}");
    }
}

#[test]
fn dates_are_days_of_the_calendar() {
    let good = [json!("2024"), json!("2024-02"), json!("2024-02-29"), json!("2000-02-29"), json!("0001-01-01")];
    all_pass(Primitive::Date, &good);
    all_pass(Primitive::DateTime, &good);
    let bad = ["1974-13-45", "2023-02-29", "1900-02-29", "2024-04-31", "2024-00", "0000", "24-1-1", "02/11/2026"];
    for text in bad {
        all_fail(Primitive::Date, "primitive-format", &[json!(text)]);
        all_fail(Primitive::DateTime, "primitive-format", &[json!(text)]);
    }
    all_fail(Primitive::Date, "primitive-format", &[json!("2024-02-29T10:00:00Z"), json!("2024-02-2é")]);
}

#[test]
fn times_have_seconds_and_date_times_a_zone() {
    all_pass(Primitive::DateTime, &[json!("2024-02-29T10:00:00Z"), json!("2024-02-29T23:59:60.123456+14:00")]);
    all_pass(Primitive::Instant, &[json!("2024-02-29T10:00:00.1-05:30")]);
    let bad = [
        "2024-02-29T10:00Z",
        "2024-02-29T10:00:00",
        "2024-02-29T24:00:00Z",
        "2024-02-29T10:00:00+14:30",
        "2024-02-29T10:00:00.Z",
        "2024-02-30T10:00:00Z",
        "2024-02-29T10:00:00+0200",
        "2024-02T10:00:00Z",
        "2024-02-29 10:00:00Z",
    ];
    for text in bad {
        all_fail(Primitive::DateTime, "primitive-format", &[json!(text)]);
        all_fail(Primitive::Instant, "primitive-format", &[json!(text)]);
    }
    all_fail(Primitive::Instant, "primitive-format", &[json!("2024-02-29")]);
    all_pass(Primitive::Time, &[json!("00:00:00"), json!("23:59:59.5")]);
    all_fail(Primitive::Time, "primitive-format", &[json!("24:00:00"), json!("10:00"), json!("10:00:00Z")]);
}

#[test]
fn numbers_are_json_numbers_within_their_range() {
    let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    all_pass(Primitive::Decimal, &[number("35.00"), number("-1e-22"), number("0.1234567890123456789012345")]);
    all_fail(Primitive::Decimal, "json-type", &[json!("72.5"), json!(true)]);
    all_pass(Primitive::Integer, &[number("-2147483648"), number("2147483647"), number("0")]);
    all_fail(Primitive::Integer, "primitive-range", &[number("2147483648"), number("-2147483649")]);
    all_fail(Primitive::Integer, "primitive-format", &[number("1.0"), number("1e3"), number("99999999999999999999")]);
    all_fail(Primitive::PositiveInt, "primitive-range", &[number("0"), number("-1")]);
    all_pass(Primitive::UnsignedInt, &[number("0")]);
    all_fail(Primitive::UnsignedInt, "primitive-range", &[number("-1")]);
    all_fail(Primitive::Integer, "json-type", &[json!("1")]);
    all_fail(Primitive::Boolean, "json-type", &[json!("true"), json!(1)]);
}

#[test]
fn ids_oids_uuids_and_uris_have_their_form() {
    all_pass(Primitive::Id, &[json!("a-1.B"), json!("x".repeat(64))]);
    all_fail(Primitive::Id, "primitive-format", &[json!("a b"), json!("x".repeat(65)), json!("a_b"), json!("é")]);
    all_pass(Primitive::Oid, &[json!("urn:oid:1.2.3.4"), json!("urn:oid:2.16.840.1.113883")]);
    all_fail(
        Primitive::Oid,
        "primitive-format",
        &[json!("1.2.3"), json!("urn:oid:1"), json!("urn:oid:3.1"), json!("urn:oid:1.02")],
    );
    all_pass(Primitive::Uuid, &[json!("urn:uuid:c757873d-ec9a-4326-a141-556f43239520")]);
    all_fail(
        Primitive::Uuid,
        "primitive-format",
        &[json!("c757873d-ec9a-4326-a141-556f43239520"), json!("urn:uuid:C757873D-EC9A-4326-A141-556F43239520")],
    );
    for kind in [Primitive::Uri, Primitive::Url, Primitive::Canonical] {
        all_pass(kind, &[json!("http://example.org/a|1.0#b"), json!("Patient/1"), json!("mailto:a@b.c")]);
        all_fail(kind, "whitespace", &[json!("http://example.org/a b"), json!(" x")]);
        all_fail(
            kind,
            "primitive-format",
            &[json!("urn:uuid:1"), json!("urn:oid:x"), json!("oid:1.2"), json!("uuid:1")],
        );
    }
}

#[test]
fn codes_and_strings_keep_the_white_space_rules() {
    all_pass(Primitive::Code, &[json!("final"), json!("two words")]);
    all_fail(Primitive::Code, "whitespace", &[json!(" final"), json!("final "), json!("two  words")]);
    all_pass(Primitive::String, &[json!("a\tb\nc"), json!("é")]);
    all_fail(Primitive::String, "whitespace", &[json!(" a"), json!("  ")]);
    assert_eq!(Primitive::String.check(&json!(" a")).unwrap_err().severity, Severity::Warning);
    all_fail(Primitive::String, "primitive-format", &[json!("a\u{1}b")]);
    all_fail(Primitive::String, "empty-string", &[json!("")]);
    all_fail(Primitive::Code, "empty-string", &[json!("")]);
    all_fail(Primitive::String, "string-size", &[json!("x".repeat(1024 * 1024 + 1))]);
    all_pass(Primitive::String, &[json!("x".repeat(1024 * 1024))]);
    all_pass(Primitive::Markdown, &[json!("  indented\n")]);
}

#[test]
fn base64_has_its_alphabet_and_padding() {
    all_pass(Primitive::Base64Binary, &[json!("aGVsbG8="), json!("aGVs\n bG8="), json!("AAAA")]);
    all_fail(
        Primitive::Base64Binary,
        "primitive-format",
        &[json!("aGVsbG8"), json!("a*=="), json!("a=bc"), json!("===="), json!("   ")],
    );
}

#[test]
fn a_long_value_is_cut_in_the_message() {
    let fault = Primitive::Date.check(&json!("é".repeat(1000))).unwrap_err();
    assert!(fault.text.len() < 300, "{}", fault.text);
}
