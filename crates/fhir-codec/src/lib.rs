//! FHIR R4 resources to and from JSON and XML.
//!
//! fhirbolt's (de)serializers are generic, and a typed resource reaches every other one through
//! `contained`, so each crate that calls them compiles all 148 resource types again. These four
//! functions are not generic: the work is compiled here, once for each profile.
//!
//! Source of the formats: <https://hl7.org/fhir/R4/json.html>, <https://hl7.org/fhir/R4/xml.html>.

use fhirbolt::{
    model::r4::Resource,
    serde::{DeserializationConfig, DeserializationMode},
};

pub use fhirbolt::model::r4 as model;

/// Why a text is not a FHIR R4 resource, or a resource cannot be written.
///
/// The message may repeat parts of the input: show it to the sender, never log it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CodecError(String);

/// Unknown elements are errors: fhirbolt's other modes drop content silently.
const STRICT: DeserializationConfig = DeserializationConfig { mode: DeserializationMode::Strict };

/// Bytes of JSON that most resources fit into: one that grows from nothing is moved five times.
const USUAL_LENGTH: usize = 4096;

/// Reads one resource from JSON.
#[inline(never)]
pub fn from_json(bytes: &[u8]) -> Result<Resource, CodecError> {
    fhirbolt::json::from_slice(bytes, Some(STRICT)).map_err(|e| CodecError(e.to_string()))
}

/// Writes one resource as compact JSON, elements in the specification's order.
#[inline(never)]
pub fn to_json(resource: &Resource) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(USUAL_LENGTH);
    append_json(&mut bytes, resource)?;
    Ok(bytes)
}

/// Writes the same behind what stands there. After an error the end of `bytes` is half a resource.
#[inline(never)]
pub fn append_json(bytes: &mut Vec<u8>, resource: &Resource) -> Result<(), CodecError> {
    fhirbolt::json::to_writer(bytes, resource, None).map_err(|e| CodecError(e.to_string()))
}

/// Reads one resource from XML.
#[inline(never)]
pub fn from_xml(text: &str) -> Result<Resource, CodecError> {
    fhirbolt::xml::from_str(text, Some(STRICT)).map_err(|e| CodecError(e.to_string()))
}

/// Writes one resource as XML in the FHIR namespace.
#[inline(never)]
pub fn to_xml(resource: &Resource) -> Result<Vec<u8>, CodecError> {
    fhirbolt::xml::to_vec(resource, None).map_err(|e| CodecError(e.to_string()))
}
