//! In which format an answer is written: `_format` and `_pretty`, else the `Accept` header, else JSON.
//!
//! <https://hl7.org/fhir/R4/http.html#mime-type>

use crate::{
    api::{
        error::{ApiError, ParameterError},
        parameters::{self, FORMAT, PRETTY, Parameter},
    },
    fhir::{outcome::IssueType, xml::json_to_xml},
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header::{self, ACCEPT, HeaderMap},
};
use bytes::Bytes;

pub const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";
pub const FHIR_XML: &str = "application/fhir+xml; charset=utf-8";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Json,
    Xml,
}

impl Format {
    /// A mime type (without parameters) or the short form that `_format` also takes.
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "json" | "application/fhir+json" | "application/json" | "text/json" => Some(Self::Json),
            "xml" | "application/fhir+xml" | "application/xml" | "text/xml" => Some(Self::Xml),
            _ => None,
        }
    }
}

impl Format {
    /// What a `Content-Type` names: a mime type in UTF-8, and if it names a version of FHIR, R4.
    pub fn of_content(named: &str) -> Option<Self> {
        let format = named_format(named).filter(|_| named.contains('/'))?;
        let mut charsets = named.split(';').skip(1).filter_map(|part| part.split_once('='));
        let utf8 = |charset: &str| charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8");
        charsets.all(|(name, value)| !name.trim().eq_ignore_ascii_case("charset") || utf8(value)).then_some(format)
    }
}

/// Format and layout of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Representation {
    pub format: Format,
    pub pretty: bool,
}

impl Representation {
    /// From the URL and the headers.
    pub fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let query = request.query_string();
        if query.is_empty() {
            return Self::chosen(&[], request.headers());
        }
        Self::chosen(&parameters::decode(query)?, request.headers())
    }

    /// From parameters that were already decoded, and the headers.
    pub fn chosen(parameters: &[Parameter], headers: &HeaderMap) -> Result<Self, ApiError> {
        let value = |name| parameters.iter().find(|p| p.name == name).map(|p| p.value.as_str());
        let pretty = match value(PRETTY) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                let error = ParameterError::new(PRETTY, IssueType::Value, "must be true or false");
                return Err(ApiError::Parameters(vec![error]));
            }
        };
        let format = match value(FORMAT) {
            // An unescaped + of a mime type arrives as a space.
            Some(format) => named_format(&format.replace(' ', "+")),
            None => accepted_format(headers),
        };
        Ok(Self { format: format.ok_or(ApiError::NotAcceptable)?, pretty })
    }

    /// Finishes an answer whose body is a resource in JSON.
    pub fn write(self, mut answer: HttpResponseBuilder, json: Bytes) -> HttpResponse {
        answer.insert_header((header::VARY, "Accept"));
        // A patient's data, perhaps: no shared cache may keep it, and a private one asks again.
        answer.insert_header((header::CACHE_CONTROL, "private, no-cache"));
        match self.body(json) {
            Ok(body) => answer.content_type(self.content_type()).body(body),
            // Nothing that names the content: it is stored, and it is ours to repair.
            Err(error) => HttpResponse::from_error(error),
        }
    }

    pub fn content_type(self) -> &'static str {
        match self.format {
            Format::Json => FHIR_JSON,
            Format::Xml => FHIR_XML,
        }
    }

    /// JSON goes out as the bytes that came in, unless it is to be laid out.
    pub fn body(self, json: Bytes) -> Result<Bytes, ApiError> {
        match (self.format, self.pretty) {
            (Format::Json, false) => Ok(json),
            (Format::Json, true) => pretty_json(&json),
            // XML is always laid out.
            (Format::Xml, _) => Ok(json_to_xml(&json)?.into()),
        }
    }
}

fn pretty_json(json: &[u8]) -> Result<Bytes, ApiError> {
    let value: serde_json::Value = serde_json::from_slice(json).map_err(|_| ApiError::Unwritable)?;
    let text = serde_json::to_vec_pretty(&value).map_err(|_| ApiError::Unwritable)?;
    Ok(text.into())
}

fn named_format(text: &str) -> Option<Format> {
    let mut parts = text.split(';').map(str::trim);
    let format = Format::parse(parts.next()?)?;
    fhir_version_fits(parts).then_some(format)
}

/// A mime type may name the FHIR version. <https://hl7.org/fhir/R4/http.html#version-parameter>
fn fhir_version_fits<'a>(mut parts: impl Iterator<Item = &'a str>) -> bool {
    parts.all(|part| match part.split_once('=') {
        Some((name, version)) if name.trim().eq_ignore_ascii_case("fhirVersion") => {
            matches!(version.trim().trim_matches('"'), "4.0" | "4.0.1")
        }
        Some(_) | None => true,
    })
}

/// The format that `Accept` weighs highest; the one named first wins a tie, JSON where only wildcards stand.
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1>
fn accepted_format(headers: &HeaderMap) -> Option<Format> {
    let mut accepted = Accepted::default();
    let mut values = headers.get_all(ACCEPT).peekable();
    if values.peek().is_none() {
        return Some(Format::Json);
    }
    for range in values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
        accepted.add(range);
    }
    accepted.best()
}

/// Weights in thousandths. A wildcard's counts for a format that is not named itself.
#[derive(Default)]
struct Accepted {
    json: Option<u16>,
    xml: Option<u16>,
    any: Option<u16>,
    first: Format,
}

impl Accepted {
    /// Takes in one media range; those that cannot be read or are not ours are left out, as the RFC has it.
    fn add(&mut self, range: &str) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        if !fhir_version_fits(parts.clone()) {
            return;
        }
        let weight = parts
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(Some(1000), |(_, weight)| thousandths(weight.trim()));
        if matches!(name, "*/*" | "application/*" | "text/*") {
            self.any = self.any.max(weight);
            return;
        }
        // The short forms belong to `_format` alone.
        let Some(format) = Format::parse(name).filter(|_| name.contains('/')) else {
            return;
        };
        if self.json.is_none() && self.xml.is_none() {
            self.first = format;
        }
        match format {
            Format::Json => self.json = self.json.max(weight),
            Format::Xml => self.xml = self.xml.max(weight),
        }
    }

    fn best(&self) -> Option<Format> {
        let json = self.json.or(self.any).unwrap_or(0);
        let xml = self.xml.or(self.any).unwrap_or(0);
        match (json, xml) {
            (0, 0) => None,
            (json, xml) if json > xml => Some(Format::Json),
            (json, xml) if xml > json => Some(Format::Xml),
            (_, _) => Some(self.first),
        }
    }
}

/// `1`, `0.5`, `0.123`: <https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2>
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if whole.len() != 1 || fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = format!("{whole}{fraction:0<3}").parse().ok()?;
    (value <= 1000).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn accept(value: &str) -> Option<Format> {
        let request = TestRequest::default().insert_header(("Accept", value)).to_http_request();
        accepted_format(request.headers())
    }

    #[test]
    fn accept_weighs_the_formats() {
        let cases = [
            ("*/*", Some(Format::Json)),
            ("application/fhir+xml", Some(Format::Xml)),
            ("text/xml", Some(Format::Xml)),
            ("application/fhir+json;q=0.5, application/fhir+xml;q=0.9", Some(Format::Xml)),
            ("application/fhir+xml;q=0.5, */*;q=0.9", Some(Format::Json)),
            ("application/fhir+json;q=0, */*;q=0.1", Some(Format::Xml)),
            ("application/fhir+xml, application/fhir+json", Some(Format::Xml)),
            ("APPLICATION/FHIR+XML; fhirVersion=4.0", Some(Format::Xml)),
            ("application/fhir+json; fhirVersion=\"4.0\"", Some(Format::Json)),
            ("application/fhir+json; fhirVersion=3.0", None),
            ("text/html", None),
            ("json", None),
            ("application/fhir+json;q=0", None),
            ("application/fhir+json;q=2", None),
        ];
        for (value, expected) in cases {
            assert_eq!(accept(value), expected, "{value}");
        }
    }
}
