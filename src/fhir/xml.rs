//! FHIR XML as other systems read it. <https://hl7.org/fhir/R4/xml.html>

use super::codec::{self, CodecError};
use super::model::Resource;
use quick_xml::{Reader, events::Event};
use serde_json::Value;
use std::mem;

/// What stands for a narrative while the codec writes the rest: this, its number, [`PLACE_END`].
const PLACE: &str = r#"<div xmlns="http://www.w3.org/1999/xhtml">"#;
const PLACE_END: &str = "</div>";

/// Why a resource cannot be written as XML. Names no content.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("the JSON cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    #[error("narrative {0} is no well-formed XML")]
    Narrative(usize),
}

/// Writes one resource as XML, laid out. [`json_to_xml`] does the same for stored bytes.
pub fn to_xml(resource: &Resource) -> Result<Vec<u8>, Unwritable> {
    json_to_xml(&codec::to_json(resource)?)
}

/// Writes a resource's JSON as XML, laid out.
///
/// FHIR keeps strings in attributes, where an XML reader turns a plain line break or tab into a space: they become
/// character references here. <https://www.w3.org/TR/xml/#AVNormalize>
///
/// In a narrative white space is content: it goes out as it came, while the codec would trim it and lay it out. So the
/// codec writes a place for each narrative, and the narratives are put there afterwards.
pub fn json_to_xml(json: &[u8]) -> Result<Vec<u8>, Unwritable> {
    let mut value: Value = serde_json::from_slice(json)?;
    let mut narratives = Vec::new();
    take_narratives(&mut value, &mut narratives)?;
    let xml = if narratives.is_empty() {
        codec::to_xml(&codec::from_json(json)?)?
    } else {
        codec::to_xml(&codec::from_json(&serde_json::to_vec(&value)?)?)?
    };
    Ok(put_narratives(&keep_line_breaks(&xml), &narratives))
}

/// `div` is the name of one element only, that of `Narrative`.
fn take_narratives(value: &mut Value, taken: &mut Vec<String>) -> Result<(), Unwritable> {
    match value {
        Value::Object(members) => members.iter_mut().try_for_each(|(name, member)| match (name.as_str(), member) {
            ("div", Value::String(div)) => {
                let place = format!("{PLACE}{}{PLACE_END}", taken.len());
                taken.push(mem::replace(div, place));
                taken.last().filter(|div| is_one_element(div)).map(drop).ok_or(Unwritable::Narrative(taken.len()))
            }
            (_, member) => take_narratives(member, taken),
        }),
        Value::Array(items) => items.iter_mut().try_for_each(|item| take_narratives(item, taken)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// What is put between other elements must not close them, nor open others.
fn is_one_element(xml: &str) -> bool {
    let mut reader = Reader::from_str(xml);
    let mut depth = 0_usize;
    let mut roots = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => {
                roots += usize::from(depth == 0);
                depth += 1;
            }
            Ok(Event::Empty(_)) => roots += usize::from(depth == 0),
            // The reader itself refuses an end that has no start, or another name.
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Text(text)) if depth == 0 && !text.iter().all(u8::is_ascii_whitespace) => return false,
            Ok(Event::DocType(_) | Event::Decl(_)) | Err(_) => return false,
            Ok(Event::CData(_)) if depth == 0 => return false,
            Ok(Event::Eof) => return depth == 0 && roots == 1,
            Ok(Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::PI(_)) => {}
        }
    }
}

/// `<` is always escaped in the attributes around: a place is never part of a text.
fn put_narratives(xml: &[u8], narratives: &[String]) -> Vec<u8> {
    if narratives.is_empty() {
        return xml.to_vec();
    }
    let text = String::from_utf8_lossy(xml);
    let mut parts = text.split(PLACE);
    let mut whole = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (number, after) = part.split_once(PLACE_END).unwrap_or((part, ""));
        let narrative = number.parse().ok().and_then(|number: usize| narratives.get(number));
        whole.extend_from_slice(narrative.map_or("", String::as_str).as_bytes());
        whole.extend_from_slice(after.as_bytes());
    }
    whole
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

    fn xml(div: &str) -> Result<String, Unwritable> {
        let patient = serde_json::json!({ "resourceType": "Patient", "text": { "status": "additional", "div": div },
            "contained": [{ "resourceType": "Organization", "text": { "status": "generated", "div": "<div>in\n it</div>" },
                "id": "o", "name": "<div xmlns=\"http://www.w3.org/1999/xhtml\">0</div>" }] });
        json_to_xml(patient.to_string().as_bytes()).map(|xml| String::from_utf8(xml).expect("text"))
    }

    #[test]
    fn narratives_keep_their_white_space() {
        let div = "<div xmlns=\"http://www.w3.org/1999/xhtml\"><b>a</b> <i>b</i><p>c\n  d</p><pre> e <![CDATA[<f>]]></pre></div>";
        let written = xml(div).expect("XML");
        assert!(written.contains(div), "{written}");
        assert!(written.contains("<div>in\n it</div>"), "{written}");
        assert!(written.contains("&#62;0&#60;/div&#62;"), "{written}");
    }

    #[test]
    fn narratives_that_would_break_the_xml_are_refused() {
        for div in
            ["<div>", "</div><div>", "<div></div><div/>", "<div>a</b></div>", "a<div/>", "", "<!DOCTYPE a><div/>"]
        {
            assert!(matches!(xml(div), Err(Unwritable::Narrative(_))), "{div}");
        }
    }

    #[test]
    fn line_breaks_in_attributes_become_references_and_others_stay() {
        let xml = b"<a b=\"1\n2\t'3'\r\" c='\"\n'>\n\"it's\n\"<d/>\n</a>";
        let kept = String::from_utf8(keep_line_breaks(xml)).expect("text");
        assert_eq!(kept, "<a b=\"1&#10;2&#9;'3'&#13;\" c='\"&#10;'>\n\"it's\n\"<d/>\n</a>");
    }
}
