//! A transaction Bundle, written resource by resource.
//!
//! <https://hl7.org/fhir/R4/http.html#transaction>

use super::codec::{self, CodecError};
use super::model::Resource;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a query value.
const QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/');

/// Bytes that most entries fit into: a Bundle that grows from nothing is moved many times.
const USUAL_LENGTH: usize = 2560;

/// One entry: a resource and how the receiver should take it.
pub struct TransactionEntry<'a> {
    pub resource_type: &'a str,
    pub id: &'a str,
    pub resource: &'a Resource,
    /// System and value of the identifier to look for: created only where it is not found. Otherwise it is put at
    /// its own id.
    pub create_unless_found: Option<(&'a str, &'a str)>,
}

/// The Bundle as JSON; `base` is the address that full URLs start with, without a slash at the end.
pub fn transaction<'a>(
    base: &str,
    entries: impl ExactSizeIterator<Item = TransactionEntry<'a>>,
) -> Result<Vec<u8>, CodecError> {
    let mut out: Vec<u8> = Vec::with_capacity(USUAL_LENGTH * (entries.len() + 1));
    let base = text(base);
    // The quote at the end goes: each full URL goes on behind it.
    let base = base.strip_suffix('"').unwrap_or(&base);
    out.extend_from_slice(br#"{"resourceType":"Bundle","type":"transaction","entry":["#);
    for (place, entry) in entries.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        // Type names and ids have no character that JSON would escape.
        let (resource_type, id) = (entry.resource_type, entry.id);
        push(&mut out, &[r#"{"fullUrl":"#, base, "/", resource_type, "/", id, r#"","resource":"#]);
        codec::append_json(&mut out, entry.resource)?;
        match entry.create_unless_found {
            None => {
                push(&mut out, &[r#","request":{"method":"PUT","url":""#, resource_type, "/", id, "\""]);
            }
            Some((system, value)) => {
                let token = format!("{}|{}", token_part(system), token_part(value));
                let query = text(&format!("identifier={}", utf8_percent_encode(&token, QUERY)));
                let parts = [r#","request":{"method":"POST","url":""#, resource_type, r#"","ifNoneExist":"#, &query];
                push(&mut out, &parts);
            }
        }
        out.extend_from_slice(b"}}");
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

/// A JSON string with its quotes.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

fn push(out: &mut Vec<u8>, parts: &[&str]) {
    parts.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
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
