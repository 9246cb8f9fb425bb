//! The fhir room: the formats of the primitive types, <https://hl7.org/fhir/R4/datatypes.html#primitive>.

use crate::fhir::outcome::{IssueType, Severity};
use serde_json::Value;

/// A string holds at most 1 MiB. <https://hl7.org/fhir/R4/datatypes.html#string>
const MAX_STRING_BYTES: usize = 1024 * 1024;

/// A primitive type, as what its JSON must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primitive {
    Boolean,
    Integer,
    PositiveInt,
    UnsignedInt,
    Decimal,
    String,
    Markdown,
    Code,
    Id,
    Uri,
    Url,
    Canonical,
    Oid,
    Uuid,
    Date,
    DateTime,
    Instant,
    Time,
    Base64Binary,
    /// Its rules stand in `narrative.rs`.
    Xhtml,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub severity: Severity,
    pub code: IssueType,
    pub rule: &'static str,
    pub text: String,
}

impl Fault {
    fn format(text: String) -> Self {
        Self { severity: Severity::Error, code: IssueType::Value, rule: "primitive-format", text }
    }

    fn whitespace(severity: Severity, text: &str) -> Self {
        Self { severity, code: IssueType::Value, rule: "whitespace", text: text.into() }
    }
}

impl Primitive {
    /// The type of a FHIR name; `None`: not a primitive that R4 knows.
    pub fn of(type_name: &str) -> Option<Self> {
        Some(match type_name {
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "positiveInt" => Self::PositiveInt,
            "unsignedInt" => Self::UnsignedInt,
            "decimal" => Self::Decimal,
            "string" => Self::String,
            "markdown" => Self::Markdown,
            "code" => Self::Code,
            "id" => Self::Id,
            "uri" => Self::Uri,
            "url" => Self::Url,
            "canonical" => Self::Canonical,
            "oid" => Self::Oid,
            "uuid" => Self::Uuid,
            "date" => Self::Date,
            "dateTime" => Self::DateTime,
            "instant" => Self::Instant,
            "time" => Self::Time,
            "base64Binary" => Self::Base64Binary,
            "xhtml" => Self::Xhtml,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::PositiveInt => "positiveInt",
            Self::UnsignedInt => "unsignedInt",
            Self::Decimal => "decimal",
            Self::String => "string",
            Self::Markdown => "markdown",
            Self::Code => "code",
            Self::Id => "id",
            Self::Uri => "uri",
            Self::Url => "url",
            Self::Canonical => "canonical",
            Self::Oid => "oid",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::DateTime => "dateTime",
            Self::Instant => "instant",
            Self::Time => "time",
            Self::Base64Binary => "base64Binary",
            Self::Xhtml => "xhtml",
        }
    }

    /// Whether one value has the form of this type. `null` never comes here.
    pub fn check(self, value: &Value) -> Result<(), Fault> {
        let wrong = |form: &str| Err(json_type(self, form, value));
        match self {
            Self::Boolean if !value.is_boolean() => wrong("true or false, in JSON without quotes"),
            Self::Integer => self.integer(value, i64::from(i32::MIN)),
            Self::PositiveInt => self.integer(value, 1),
            Self::UnsignedInt => self.integer(value, 0),
            // The grammar of JSON numbers is that of decimals.
            Self::Decimal if !value.is_number() => wrong("a number, in JSON without quotes"),
            Self::Boolean | Self::Decimal => Ok(()),
            Self::String
            | Self::Markdown
            | Self::Code
            | Self::Id
            | Self::Uri
            | Self::Url
            | Self::Canonical
            | Self::Oid
            | Self::Uuid
            | Self::Date
            | Self::DateTime
            | Self::Instant
            | Self::Time
            | Self::Base64Binary
            | Self::Xhtml => value.as_str().map_or_else(|| wrong("text, in JSON a string"), |text| self.text(text)),
        }
    }

    fn integer(self, value: &Value, least: i64) -> Result<(), Fault> {
        let Value::Number(number) = value else {
            return Err(json_type(self, "a number, in JSON without quotes", value));
        };
        // `1.0` and `1e3` are no integers in FHIR; as_i64 refuses them.
        match number.as_i64() {
            Some(whole) if whole >= least && whole <= i64::from(i32::MAX) => Ok(()),
            Some(whole) => Err(Fault {
                severity: Severity::Error,
                code: IssueType::Value,
                rule: "primitive-range",
                text: format!("{whole} is outside {}: {least} to {}", self.name(), i32::MAX),
            }),
            None => Err(Fault::format(format!(
                "{} is no {}: a whole number without point and exponent is needed",
                shown(number.as_str()),
                self.name()
            ))),
        }
    }

    fn text(self, text: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Err(Fault {
                severity: Severity::Error,
                code: IssueType::Value,
                rule: "empty-string",
                text: "an empty string is not allowed: leave the element out".into(),
            });
        }
        let wanted = match self {
            Self::String | Self::Markdown => return string(self, text),
            Self::Xhtml | Self::Boolean | Self::Integer | Self::PositiveInt | Self::UnsignedInt | Self::Decimal => {
                return Ok(());
            }
            Self::Base64Binary => return base64(text),
            Self::Code => {
                if is_code(text) {
                    return Ok(());
                }
                return Err(Fault::whitespace(
                    Severity::Error,
                    "a code has no white space at its ends, and only single spaces within",
                ));
            }
            Self::Id if is_id(text) => return Ok(()),
            Self::Uri | Self::Url | Self::Canonical => return uri(self, text),
            Self::Oid if is_oid(text) => return Ok(()),
            Self::Uuid if is_uuid(text) => return Ok(()),
            Self::Date if is_date(text) => return Ok(()),
            Self::DateTime if is_date_time(text) => return Ok(()),
            Self::Instant if is_instant(text) => return Ok(()),
            Self::Time if is_time(text.as_bytes()) => return Ok(()),
            Self::Id => "1 to 64 of A-Z, a-z, 0-9, - and .",
            Self::Oid => "urn:oid: and numbers with points, such as urn:oid:1.2.3.4",
            Self::Uuid => "urn:uuid: and a UUID in small letters",
            Self::Date => "a day of the calendar as YYYY-MM-DD, or YYYY-MM, or YYYY",
            Self::DateTime => {
                "YYYY, YYYY-MM, YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss with seconds and a time zone such as Z or +02:00"
            }
            Self::Instant => "YYYY-MM-DDThh:mm:ss with seconds and a time zone such as Z or +02:00",
            Self::Time => "hh:mm:ss, from 00:00:00 to 23:59:59, without a time zone",
        };
        Err(Fault::format(format!("'{}' is no {}: {wanted} is needed", shown(text), self.name())))
    }
}

fn json_type(wanted: Primitive, form: &str, found: &Value) -> Fault {
    Fault {
        severity: Severity::Error,
        code: IssueType::Structure,
        rule: "json-type",
        text: format!("a value of the type {} is {form}, and this is {}", wanted.name(), json_name(found)),
    }
}

/// What a JSON value is, in words.
pub fn json_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// At most 60 characters of what was sent, for a message.
pub fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn string(kind: Primitive, text: &str) -> Result<(), Fault> {
    if text.len() > MAX_STRING_BYTES {
        return Err(Fault {
            severity: Severity::Error,
            code: IssueType::TooLong,
            rule: "string-size",
            text: format!("a string holds at most 1 MiB, and this one has {} bytes", text.len()),
        });
    }
    if text.bytes().any(|byte| byte < 32 && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        return Err(Fault::format(
            "control characters other than tab, line feed and carriage return are not allowed".into(),
        ));
    }
    if text.trim().is_empty() {
        return Err(Fault::whitespace(Severity::Warning, "a string should not consist of white space only"));
    }
    if kind == Primitive::String && text.trim().len() != text.len() {
        return Err(Fault::whitespace(Severity::Warning, "a string should not start or end with white space"));
    }
    Ok(())
}

fn is_code(text: &str) -> bool {
    let mut after_space = true;
    for character in text.chars() {
        let space = character.is_whitespace();
        if space && after_space {
            return false;
        }
        after_space = space;
    }
    !after_space
}

/// The form of a resource id.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

fn uri(kind: Primitive, text: &str) -> Result<(), Fault> {
    if text.chars().any(char::is_whitespace) {
        return Err(Fault::whitespace(Severity::Error, "a URI has no white space"));
    }
    let wanted = if text.starts_with("urn:uuid:") && !is_uuid(text.split('#').next().unwrap_or(text)) {
        "urn:uuid: is followed by a UUID in small letters"
    } else if text.starts_with("urn:oid:") && !is_oid(text) {
        "urn:oid: is followed by numbers with points"
    } else if text.starts_with("oid:") || text.starts_with("uuid:") {
        "an OID or UUID as a URI starts with urn:"
    } else {
        return Ok(());
    };
    Err(Fault::format(format!("'{}' is no {}: {wanted}", shown(text), kind.name())))
}

fn is_oid(text: &str) -> bool {
    let Some(arcs) = text.strip_prefix("urn:oid:") else { return false };
    let mut arcs = arcs.split('.');
    arcs.next().is_some_and(|first| matches!(first, "0" | "1" | "2"))
        && arcs.clone().next().is_some()
        && arcs.all(|arc| {
            !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()) && (arc == "0" || !arc.starts_with('0'))
        })
}

fn is_uuid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else { return false };
    uuid.len() == 36
        && uuid.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// How many bytes a base64 text stands for; `None`: it is none.
pub(super) fn base64_bytes(text: &str) -> Option<usize> {
    base64(text).ok()?;
    let digits = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').count();
    Some(digits * 3 / 4)
}

fn base64(text: &str) -> Result<(), Fault> {
    let mut count = 0usize;
    let mut padding = 0usize;
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {}
            _ => return Err(Fault::format("this is no base64: a character outside of its alphabet".into())),
        }
        count += 1;
    }
    if count == 0 || !count.is_multiple_of(4) || padding > 2 {
        return Err(Fault::format("this is no base64: its length is no multiple of four".into()));
    }
    Ok(())
}

/// Two digits as a number.
fn two(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(u32::from(tens - b'0') * 10 + u32::from(ones - b'0')),
        _ => None,
    }
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(year) = bytes.get(..4).and_then(|year| Some(two(&year[..2])? * 100 + two(&year[2..])?)) else {
        return false;
    };
    if year == 0 {
        return false;
    }
    match bytes.len() {
        4 => true,
        7 => bytes[4] == b'-' && two(&bytes[5..]).is_some_and(|month| (1..=12).contains(&month)),
        10 => {
            bytes[4] == b'-'
                && bytes[7] == b'-'
                && match (two(&bytes[5..7]), two(&bytes[8..])) {
                    (Some(month), Some(day)) => day >= 1 && day <= days_in(year, month),
                    _ => false,
                }
        }
        _ => false,
    }
}

/// 0 for a month that there is not.
fn days_in(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

fn is_date_time(text: &str) -> bool {
    if text.contains('T') { is_instant(text) } else { is_date(text) }
}

fn is_instant(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    if date.len() != 10 || !is_date(date) {
        return false;
    }
    let bytes = time.as_bytes();
    match bytes.iter().position(|byte| matches!(byte, b'Z' | b'+' | b'-')) {
        Some(zone) => is_time(&bytes[..zone]) && is_zone(&bytes[zone..]),
        None => false,
    }
}

fn is_zone(zone: &[u8]) -> bool {
    match zone {
        b"Z" => true,
        [b'+' | b'-', rest @ ..] if rest.len() == 5 && rest[2] == b':' => match (two(&rest[..2]), two(&rest[3..])) {
            (Some(14), Some(0)) => true,
            (Some(hours), Some(minutes)) => hours < 14 && minutes < 60,
            _ => false,
        },
        _ => false,
    }
}

fn is_time(time: &[u8]) -> bool {
    if time.len() < 8 || time[2] != b':' || time[5] != b':' {
        return false;
    }
    let (Some(hour), Some(minute), Some(second)) = (two(&time[..2]), two(&time[3..5]), two(&time[6..8])) else {
        return false;
    };
    // 60: a leap second.
    hour < 24
        && minute < 60
        && second <= 60
        && match &time[8..] {
            [] => true,
            [b'.', fraction @ ..] => !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit),
            _ => false,
        }
}

#[cfg(test)]
mod tests;
