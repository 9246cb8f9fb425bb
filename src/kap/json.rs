//! Bytes to JSON, strictly: what two readers could understand differently is an error here.
//!
//! <https://www.rfc-editor.org/rfc/rfc8259> leaves duplicate names, odd encodings and huge numbers to each reader.
//! A health record must not depend on who reads it, so all of these are refused with a pointer.

use super::fault::{Fault, FaultKind, MOST_FAULTS};
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::fmt;

/// So deep may lists and objects nest. The contract needs 8.
pub const MOST_NESTING: usize = 64;
/// So many digits may a number have, leading zeros not counted, and so many may stand after its point.
pub const MOST_DIGITS: usize = 18;
/// So many bytes may the name of a field have. The contract's longest has 26.
pub const LONGEST_NAME: usize = 200;

/// Reads one JSON text.
///
/// # Errors
/// All faults that leave the text readable (names twice, control characters, numbers that are not plain
/// decimals), or the one that does not: [`FaultKind::Unreadable`].
pub fn read_strict(bytes: &[u8]) -> Result<Value, Vec<Fault>> {
    let text = utf8(bytes).map_err(|sentence| vec![unreadable(sentence)])?;
    let faults = RefCell::new(Vec::new());
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Element { path: &Path::Record, depth: 0, faults: &faults };
    let read = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    let mut faults = faults.into_inner();
    match read {
        Ok(value) if faults.is_empty() => Ok(value),
        Ok(_) => Err(faults),
        // Our own reasons to stop are in `faults` already.
        Err(error) if error.is_data() && !faults.is_empty() => Err(faults),
        Err(error) => {
            faults.push(unreadable(format!(
                "The JSON is broken at line {}, column {}: {}.",
                error.line(),
                error.column(),
                reason(&error)
            )));
            Err(faults)
        }
    }
}

fn unreadable(sentence: impl Into<String>) -> Fault {
    Fault::error(FaultKind::Unreadable, "", sentence)
}

/// serde_json's reason without the place, which the sentence names itself. Syntax errors repeat no input.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, String> {
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        return Err("The body starts with a byte order mark. Send UTF-8 without one.".to_owned());
    }
    let utf16_mark = bytes.starts_with(&[0xFE, 0xFF]) || bytes.starts_with(&[0xFF, 0xFE]);
    if utf16_mark || bytes.iter().take(4).any(|byte| *byte == 0) {
        return Err("The body is UTF-16 or UTF-32. Send UTF-8.".to_owned());
    }
    std::str::from_utf8(bytes)
        .map_err(|error| format!("The body is not UTF-8: byte {} does not fit. Send UTF-8.", error.valid_up_to() + 1))
}

/// The way to the element that is being read, as links up the stack: made into a pointer only for a fault.
enum Path<'p> {
    Record,
    Name(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl Path<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Record => String::new(),
            Self::Name(parent, name) => {
                format!("{}/{}", parent.pointer(), name.replace('~', "~0").replace('/', "~1"))
            }
            Self::Index(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

/// Reads one element and notes what is wrong with it.
#[derive(Clone, Copy)]
struct Element<'p> {
    path: &'p Path<'p>,
    depth: usize,
    faults: &'p RefCell<Vec<Fault>>,
}

impl Element<'_> {
    /// An error only where the list of faults is full: then reading on helps nobody.
    fn note<E: Error>(&self, kind: FaultKind, pointer: String, sentence: &str) -> Result<(), E> {
        let mut faults = self.faults.borrow_mut();
        faults.push(Fault::error(kind, pointer, sentence));
        if faults.len() < MOST_FAULTS { Ok(()) } else { Err(E::custom("too many faults")) }
    }

    fn enter<E: Error>(&self) -> Result<(), E> {
        if self.depth < MOST_NESTING {
            return Ok(());
        }
        let sentence = format!("Lists and objects nest deeper than {MOST_NESTING} levels.");
        self.faults.borrow_mut().push(unreadable(sentence));
        Err(E::custom("too deep"))
    }

    fn text<E: Error>(&self, text: &str) -> Result<(), E> {
        if text.chars().any(is_forbidden) {
            self.note(
                FaultKind::Value,
                self.path.pointer(),
                "The text holds a control character. Of these only tab, line feed and carriage return are taken.",
            )?;
        }
        Ok(())
    }

    fn number<E: Error>(&self, text: &str) -> Result<Value, E> {
        if is_plain(text) {
            return text.parse().map(Value::Number).map_err(E::custom);
        }
        let sentence = format!(
            "The number must be written plainly, without an exponent, with at most {MOST_DIGITS} digits and at most {MOST_DIGITS} of them after the point."
        );
        self.note(FaultKind::Value, self.path.pointer(), &sentence)?;
        Ok(Value::Null)
    }
}

/// Control characters, and the two that XML cannot hold at all: <https://www.w3.org/TR/xml/#charsets>
fn is_forbidden(character: char) -> bool {
    (character.is_control() && !matches!(character, '\t' | '\n' | '\r')) || matches!(character, '\u{FFFE}' | '\u{FFFF}')
}

fn is_plain(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let leading_zeros = match whole {
        "0" => 1 + fraction.bytes().take_while(|byte| *byte == b'0').count(),
        _ => 0,
    };
    plain && fraction.len() <= MOST_DIGITS && whole.len() + fraction.len() - leading_zeros <= MOST_DIGITS
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
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

    // serde_json hands over short integers as such and every other number as its digits, by `visit_map`.
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.number(&value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.number(&value.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.text(text)?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut values = Vec::new();
        loop {
            let path = Path::Index(self.path, values.len());
            match list.next_element_seed(Element { path: &path, depth: self.depth + 1, ..self })? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        let mut entered = false;
        while let Some(name) = object.next_key_seed(FieldName)? {
            let NameOrMark::Field(name) = name else {
                let text: String = object.next_value()?;
                return self.number(&text);
            };
            if !entered {
                self.enter()?;
                entered = true;
            }
            if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
                self.note(
                    FaultKind::Structure,
                    self.path.pointer(),
                    "A field here has a name that is too long or holds a control character.",
                )?;
                object.next_value::<serde::de::IgnoredAny>()?;
                continue;
            }
            let path = Path::Name(self.path, &name);
            let value = object.next_value_seed(Element { path: &path, depth: self.depth + 1, ..self })?;
            if fields.contains_key(&name) {
                self.note(FaultKind::Structure, path.pointer(), "The field stands here more than once.")?;
            } else {
                fields.insert(name, value);
            }
        }
        if !entered {
            self.enter()?;
        }
        Ok(Value::Object(fields))
    }
}

/// The first thing in what serde_json hands over as a map: a field's name, or its mark for "this is a number".
///
/// With `arbitrary_precision` a number arrives as a map with one private name. Asked for an option, serde_json
/// answers `Some` for a name that stands in the text and a bare string for its mark, so a sender who writes the
/// private name is not mistaken for a number.
enum NameOrMark {
    Field(String),
    Number,
}

struct FieldName;

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = NameOrMark;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<NameOrMark, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for FieldName {
    type Value = NameOrMark;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("the name of a field")
    }

    fn visit_some<D: Deserializer<'de>>(self, name: D) -> Result<NameOrMark, D::Error> {
        serde::Deserialize::deserialize(name).map(NameOrMark::Field)
    }

    fn visit_str<E: Error>(self, _mark: &str) -> Result<NameOrMark, E> {
        Ok(NameOrMark::Number)
    }
}
