//! FHIR XML as other systems read it. <https://hl7.org/fhir/R4/xml.html>

use super::{
    codec::{self, CodecError},
    model::Resource,
};

/// Writes one resource as XML, laid out.
///
/// FHIR keeps strings in attributes, where an XML reader turns a plain line break or tab into a space: they become
/// character references here. <https://www.w3.org/TR/xml/#AVNormalize>
pub fn to_xml(resource: &Resource) -> Result<Vec<u8>, CodecError> {
    codec::to_xml(resource).map(|xml| keep_line_breaks(&xml))
}

/// Within quoted attribute values only; the text between tags keeps its line breaks anyway.
fn keep_line_breaks(xml: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(xml.len());
    let mut in_tag = false;
    let mut quote = None;
    for &byte in xml {
        match (quote, byte) {
            (Some(_), b'\n') => kept.extend_from_slice(b"&#10;"),
            (Some(_), b'\r') => kept.extend_from_slice(b"&#13;"),
            (Some(_), b'\t') => kept.extend_from_slice(b"&#9;"),
            (_, byte) => kept.push(byte),
        }
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (None, b'"' | b'\'') if in_tag => quote = Some(byte),
            (None, b'<') => in_tag = true,
            (None, b'>') => in_tag = false,
            (_, _) => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_in_attributes_become_references_and_others_stay() {
        let xml = b"<a b=\"1\n2\t'3'\r\" c='\"\n'>\n\"it's\n\"<d/>\n</a>";
        let kept = String::from_utf8(keep_line_breaks(xml)).expect("text");
        assert_eq!(kept, "<a b=\"1&#10;2&#9;'3'&#13;\" c='\"&#10;'>\n\"it's\n\"<d/>\n</a>");
    }
}
