//! Bytes that mean harm, or come from a broken sender: an answer in bounded time, never a panic.

use super::{judge, records};
use kap_gateway::kap::fault::{Fault, FaultKind, MOST_FAULTS};
use kap_gateway::kap::instruments::Registry;
use kap_gateway::kap::json::{MOST_NESTING, read_strict};
use kap_gateway::kap::kind::Kind;
use std::time::{Duration, Instant};

fn faults(bytes: &[u8]) -> Vec<Fault> {
    read_strict(bytes).expect_err("the bytes are refused")
}

#[track_caller]
fn one_fault(bytes: &[u8], kind: FaultKind, pointer: &str, word: &str) {
    let faults = faults(bytes);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!((faults[0].kind, faults[0].pointer.as_str()), (kind, pointer), "{faults:?}");
    assert!(faults[0].sentence.contains(word), "{faults:?}");
}

#[test]
fn other_encodings_are_named() {
    let utf16: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked: Vec<u8> = [0xFF, 0xFE].into_iter().chain(utf16.iter().copied()).collect();
    one_fault(&utf16, FaultKind::Unreadable, "", "UTF-16");
    one_fault(&marked, FaultKind::Unreadable, "", "UTF-16");
    one_fault(b"\xEF\xBB\xBF{}", FaultKind::Unreadable, "", "byte order mark");
    one_fault(b"{\"name\": \"M\xFCller\"}", FaultKind::Unreadable, "", "byte 12");
}

#[test]
fn broken_json_is_one_fault_with_line_and_column() {
    one_fault(b"{\n  \"a\": 1,\n}", FaultKind::Unreadable, "", "line 3, column 1");
    one_fault(b"", FaultKind::Unreadable, "", "line 1");
    one_fault(b"{} {}", FaultKind::Unreadable, "", "line 1, column 4");
    one_fault(b"{\"a\": NaN}", FaultKind::Unreadable, "", "line 1");
    one_fault(b"{\"a\": 01}", FaultKind::Unreadable, "", "line 1");
    one_fault(br#"{"a": "\ud800"}"#, FaultKind::Unreadable, "", "line 1");
    one_fault(br#"{"a": "\udc00x"}"#, FaultKind::Unreadable, "", "line 1");
    one_fault(b"{\"a\": \"\x00\"}", FaultKind::Unreadable, "", "line 1");
}

#[test]
fn a_name_that_stands_twice_is_told_where_it_stands() {
    one_fault(br#"{"a": {"b": 1, "b": 1}}"#, FaultKind::Structure, "/a/b", "more than once");
    one_fault(br#"{"x/y": 1, "x\/y": 2}"#, FaultKind::Structure, "/x~1y", "more than once");
    assert_eq!(faults(br#"{"a": [{"b": 1, "b": 2}], "c": "\u0000", "c": 1e5}"#).len(), 4);
}

#[test]
fn control_characters_are_told_where_they_stand() {
    one_fault(br#"{"a": ["x", "\u0000"]}"#, FaultKind::Value, "/a/1", "control character");
    one_fault(br#"{"a": "\u0085"}"#, FaultKind::Value, "/a", "control character");
    one_fault(br#"{"a": "\uffff"}"#, FaultKind::Value, "/a", "control character");
    one_fault(br#"{"a": {"b\u0000": 1}}"#, FaultKind::Structure, "/a", "name");
    assert!(read_strict(br#"{"a": "tab\tline\nreturn\r"}"#).is_ok());
}

#[test]
fn numbers_are_plain_decimals_of_bounded_length() {
    for number in [
        "1e5",
        "1E5",
        "1e999999",
        "-1e-999999",
        "1234567890123456789",
        "0.1234567890123456789",
        "0.0000000000000000001",
    ] {
        one_fault(format!("{{\"a\": {number}}}").as_bytes(), FaultKind::Value, "/a", "exponent");
    }
    for number in ["0", "-0", "0.50", "123456789012345678", "-12345678.9012345678", "0.000000000000000001"] {
        let text = format!("{{\"a\":{number}}}");
        let read = read_strict(text.as_bytes()).expect("a plain number");
        assert_eq!(read.to_string(), text, "the digits are kept");
    }
}

#[test]
fn nesting_beyond_the_limit_is_refused_and_up_to_it_read() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(read_strict(nested(MOST_NESTING).as_bytes()).is_ok());
    one_fault(nested(MOST_NESTING + 1).as_bytes(), FaultKind::Unreadable, "", "deeper");
    one_fault(nested(1_000_000).as_bytes(), FaultKind::Unreadable, "", "deeper");
    one_fault("[".repeat(1_000_000).as_bytes(), FaultKind::Unreadable, "", "deeper");
    one_fault("{\"a\":".repeat(100_000).as_bytes(), FaultKind::Unreadable, "", "deeper");
    let empty_at_the_limit = format!("{}{{}}{}", "[".repeat(MOST_NESTING), "]".repeat(MOST_NESTING));
    one_fault(empty_at_the_limit.as_bytes(), FaultKind::Unreadable, "", "deeper");
}

#[test]
fn the_private_name_of_a_number_is_an_ordinary_field() {
    let text = br#"{"kind": "outcome", "at": {"$serde_json::private::Number": "1e999999"}}"#;
    let record = read_strict(text).expect("readable");
    assert!(record["at"].is_object());
    let faults = judge(Kind::Outcome, text);
    assert!(faults.errors.iter().any(|fault| fault.pointer == "/at" && fault.sentence.contains("text in quotes")));
    let faults = judge(Kind::Outcome, br#"{"$serde_json::private::RawValue": "[]"}"#);
    assert!(faults.errors.iter().any(|fault| fault.pointer == "/$serde_json::private::RawValue"));
}

#[test]
fn large_and_repetitive_bodies_are_answered_in_bounded_time_and_size() {
    let digits = "9".repeat(10_000_000);
    let fields = (0..100_000).map(|n| format!("\"f{n}\":{n}")).collect::<Vec<_>>().join(",");
    let bodies = [
        format!("{{\"at\": {digits}}}"),
        format!("{{\"at\": \"{digits}\"}}"),
        format!("{{\"{digits}\": 1}}"),
        format!("{{{fields}}}"),
        format!("{{\"results\": [{}]}}", vec!["{\"instrument\":7}"; 100_000].join(",")),
        format!("{{\"results\": [{}]}}", vec!["1e9"; 1_000_000].join(",")),
        format!("[{}]", vec!["{\"a\":1,\"a\":1}"; 300_000].join(",")),
    ];
    for body in bodies {
        let start = Instant::now();
        let faults = judge(Kind::Outcome, body.as_bytes());
        assert!((1..=MOST_FAULTS + 1).contains(&faults.errors.len()), "{}", faults.errors.len());
        let size: usize = faults.errors.iter().map(|fault| fault.pointer.len() + fault.sentence.len()).sum();
        assert!(size < 500_000, "{size}");
        // An unoptimized build on a busy machine: the bound is against quadratic work, not a benchmark.
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    }
}

#[test]
fn faults_never_point_to_a_place_that_is_not_there() {
    let twins = r#"[{"id": "x"}, {"id": "x"}]"#;
    for depth in 0..MOST_NESTING - 3 {
        let body = format!("{}{twins}{}", "{\"a\":".repeat(depth + 1), "}".repeat(depth + 1));
        let record = read_strict(body.as_bytes()).expect("readable");
        for fault in kap_gateway::kap::rules::judge(Kind::Outcome, &record, Registry::built_in()) {
            assert!(record.pointer(&fault.pointer).is_some(), "{depth}: {}", fault.pointer);
        }
    }
}

#[test]
fn anything_that_is_no_object_is_refused() {
    for text in ["null", "true", "1", "\"x\"", "[]"] {
        for kind in Kind::ALL {
            let faults = judge(*kind, text.as_bytes());
            assert_eq!(faults.errors.len(), 1, "{faults:?}");
            assert_eq!(faults.errors[0].pointer, "");
        }
    }
}

#[test]
fn a_record_cut_off_anywhere_is_refused() {
    let path = &records()[0];
    let bytes = std::fs::read(path).expect("a readable record");
    let end = bytes.trim_ascii_end().len();
    for length in (0..end).step_by(7) {
        assert_eq!(faults(&bytes[..length])[0].kind, FaultKind::Unreadable);
    }
}
