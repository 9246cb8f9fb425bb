//! The fhir room: a resource's JSON as the validator takes it, <https://hl7.org/fhir/R4/json.html>.
//!
//! serde_json keeps the last of two members with one name and says nothing; a validator would then look at half of
//! what was sent. Here that is an error.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Why a text is no resource that can be looked at. Repeats no value of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreadable {
    pub reason: String,
    /// Counted from 1; 0 where it is about no line.
    pub line: usize,
}

impl Unreadable {
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), line: 0 }
    }
}

/// Reads one JSON text in UTF-8, with or without a byte order mark. serde_json refuses more than 128 levels.
pub fn read(bytes: &[u8]) -> Result<Value, Unreadable> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
        .map_err(|error| Unreadable::new(format!("byte {} is not UTF-8", error.valid_up_to() + 1)))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    Element.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        let told = error.to_string();
        let reason = told.rfind(" at line ").map_or(told.as_str(), |end| &told[..end]);
        let (line, column) = (error.line(), error.column());
        Unreadable { reason: format!("the JSON is broken at line {line}, column {column}: {reason}"), line }
    })
}

struct Element;

impl<'de> DeserializeSeed<'de> for Element {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Element)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = object.next_key_seed(Name)? {
            let Some(name) = name else {
                return object.next_value::<String>()?.parse().map(Value::Number).map_err(A::Error::custom);
            };
            let value = object.next_value_seed(Element)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice in one object"));
            }
        }
        Ok(Value::Object(members))
    }
}

/// With `arbitrary_precision` serde_json hands a number over as a map with one private name. Asked for an option, it
/// answers `Some` for a name of the text and a bare string for its own mark: `None` here.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_some<D: Deserializer<'de>>(self, name: D) -> Result<Option<String>, D::Error> {
        serde::Deserialize::deserialize(name).map(Some)
    }

    fn visit_str<E: Error>(self, _mark: &str) -> Result<Option<String>, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_serde_json_reads_with_all_digits() {
        let text = r#"{"a":[1,-2,1.50,1e+3,123456789012345678901234567890,null,true,"x\u00e4"],"$b":{}}"#;
        let value = read(text.as_bytes()).expect("JSON");
        assert_eq!(value.to_string(), text.replace("\\u00e4", "ä"));
        assert_eq!(value, serde_json::from_str::<Value>(text).expect("JSON"));
    }

    #[test]
    fn a_name_twice_is_an_error_with_its_line() {
        let error = read(b"{\"a\": 1,\n\"b\": {\"c\": 1, \"c\": 2}}").expect_err("twice");
        assert!(error.line == 2 && error.reason.contains("twice"), "{error:?}");
    }

    #[test]
    fn broken_or_too_deep_text_is_an_error() {
        for text in ["", "{", "{}x", "\u{fffe}", &"[".repeat(100_000), "{\"a\":NaN}", "nul"] {
            assert!(read(text.as_bytes()).is_err(), "{}", &text[..text.len().min(10)]);
        }
        assert!(read(b"\xff{}").expect_err("no UTF-8").reason.contains("UTF-8"));
        assert_eq!(read(b"\xef\xbb\xbf{}").expect("a mark is no content"), serde_json::json!({}));
    }
}
