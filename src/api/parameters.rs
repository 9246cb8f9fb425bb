//! Parameters of a URL or a form, and the `Prefer` header: decoded once, then every one is used or refused.
//!
//! <https://hl7.org/fhir/R4/http.html#parameters>, <https://hl7.org/fhir/R4/search.html#errors>

use crate::{
    api::error::{ApiError, ParameterError},
    fhir::outcome::IssueType,
};
use actix_web::{HttpRequest, http::header::HeaderName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::{borrow::Cow, fmt::Write};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Taken by every interaction that answers with a resource.
pub const FORMAT: &str = "_format";
pub const PRETTY: &str = "_pretty";

/// What stays readable in links that we write; everything else is percent-encoded.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':');

/// One `name=value`, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    pub value: String,
}

impl Parameter {
    pub fn new(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: value.into() }
    }
}

/// What to do with parameters that we do not know: the client may ask to have them ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    Strict,
    Lenient,
}

impl Handling {
    /// `Prefer: handling=lenient`; anything else is strict. <https://www.rfc-editor.org/rfc/rfc7240>
    pub fn of(request: &HttpRequest) -> Self {
        if prefers(request, "handling=lenient") { Self::Lenient } else { Self::Strict }
    }
}

/// Does some `Prefer` header hold that preference?
pub fn prefers(request: &HttpRequest, preference: &str) -> bool {
    request
        .headers()
        .get_all(PREFER)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .any(|sent| sent.trim().eq_ignore_ascii_case(preference))
}

/// Reads `a=b&c=d` (a query string or a form body).
pub fn decode(text: &str) -> Result<Vec<Parameter>, ApiError> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok(Parameter { name: decode_part(name)?, value: decode_part(value)? })
        })
        .collect()
}

fn decode_part(text: &str) -> Result<String, ApiError> {
    let text = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    decode_percent(&text)
}

/// Percent-decoding that refuses what the crate's lets pass: a `%` without two hex digits, bytes that are not
/// UTF-8, and NUL, which no FHIR string may hold.
pub fn decode_percent(text: &str) -> Result<String, ApiError> {
    let well_formed =
        text.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit()));
    let decoded = percent_decode_str(text).decode_utf8();
    match decoded {
        Ok(decoded) if well_formed && !decoded.contains('\0') => Ok(decoded.into_owned()),
        Ok(_) | Err(_) => Err(ApiError::MalformedUrl),
    }
}

/// Writes parameters as a query string, without the `?`.
pub fn encode(parameters: &[Parameter]) -> String {
    let mut query = String::new();
    for parameter in parameters {
        if !query.is_empty() {
            query.push('&');
        }
        // Writing to a String cannot fail.
        let _ = write!(
            query,
            "{}={}",
            utf8_percent_encode(&parameter.name, ESCAPED),
            utf8_percent_encode(&parameter.value, ESCAPED)
        );
    }
    query
}

/// Errors for every parameter that is not in `known`, and for every repetition (these take one value each).
pub fn check_names(parameters: &[Parameter], known: &[&str]) -> Vec<ParameterError> {
    let mut errors = Vec::new();
    for (at, parameter) in parameters.iter().enumerate() {
        let repeated = parameters[..at].iter().any(|earlier| earlier.name == parameter.name);
        if !known.contains(&parameter.name.as_str()) {
            errors.push(ParameterError::new(
                &parameter.name,
                IssueType::NotSupported,
                format!("is not known here; known: {}", known.join(", ")),
            ));
        } else if repeated {
            errors.push(repetition(&parameter.name));
        }
    }
    errors
}

/// For parameters that may be given only once.
pub fn repetition(name: &str) -> ParameterError {
    ParameterError::new(name, IssueType::Invalid, "may be given only once")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_gives_back_what_was_encoded() {
        let parameters = vec![Parameter::new("identifier", "urn:x|a,b\\,c&d=e+f ü%"), Parameter::new("_count", "2")];
        assert_eq!(decode(&encode(&parameters)).expect("own encoding"), parameters);
    }

    #[test]
    fn malformed_percent_encoding_is_refused() {
        for text in ["a=%", "a=%4", "a=%zz", "%ff=1", "a=%00"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }
}
