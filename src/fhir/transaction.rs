//! A transaction Bundle, spliced from resources that are already written.
//!
//! <https://hl7.org/fhir/R4/http.html#transaction>

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a query value.
const QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/');

/// One entry: a resource in JSON and how the receiver should take it.
pub struct TransactionEntry<'a> {
    pub resource_type: &'a str,
    pub id: &'a str,
    pub body: &'a [u8],
    /// System and value of the identifier to look for: created only where it is not found. Otherwise it is put at
    /// its own id.
    pub create_unless_found: Option<(&'a str, &'a str)>,
}

/// The Bundle as JSON; `base` is the address that full URLs start with, without a slash at the end.
pub fn transaction<'a>(base: &str, entries: impl IntoIterator<Item = TransactionEntry<'a>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 * 1024);
    out.extend_from_slice(br#"{"resourceType":"Bundle","type":"transaction","entry":["#);
    for (place, entry) in entries.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let (resource_type, id) = (entry.resource_type, entry.id);
        out.extend_from_slice(br#"{"fullUrl":"#);
        text(&mut out, &format!("{base}/{resource_type}/{id}"));
        out.extend_from_slice(br#","resource":"#);
        out.extend_from_slice(entry.body);
        match entry.create_unless_found {
            None => {
                out.extend_from_slice(br#","request":{"method":"PUT","url":"#);
                text(&mut out, &format!("{resource_type}/{id}"));
            }
            Some((system, value)) => {
                out.extend_from_slice(br#","request":{"method":"POST","url":"#);
                text(&mut out, resource_type);
                out.extend_from_slice(br#","ifNoneExist":"#);
                let token = format!("{}|{}", token_part(system), token_part(value));
                text(&mut out, &format!("identifier={}", utf8_percent_encode(&token, QUERY)));
            }
        }
        out.extend_from_slice(b"}}");
    }
    out.extend_from_slice(b"]}");
    out
}

/// A JSON string.
fn text(out: &mut Vec<u8>, value: &str) {
    out.extend_from_slice(serde_json::Value::from(value).to_string().as_bytes());
}

/// <https://hl7.org/fhir/R4/search.html#escaping>
fn token_part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '|' | ',' | '$') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
