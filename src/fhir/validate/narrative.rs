//! The fhir room: the XHTML of a narrative, txt-1 and txt-2, <https://hl7.org/fhir/R4/narrative.html#xhtml>.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;
use std::collections::HashSet;

const NAMESPACE: &[u8] = b"http://www.w3.org/1999/xhtml";

const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "kbd",
    "li",
    "map",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
];

/// On every element.
const ATTRIBUTES: &[&str] = &[
    "abbr",
    "accesskey",
    "align",
    "axis",
    "char",
    "charoff",
    "class",
    "colspan",
    "dir",
    "headers",
    "id",
    "lang",
    "rowspan",
    "scope",
    "span",
    "style",
    "tabindex",
    "title",
    "valign",
    "width",
    "xml:lang",
    "xml:space",
];

/// On one element each.
const OF_ELEMENT: &[(&str, &[&str])] = &[
    ("a", &["charset", "coords", "href", "hreflang", "name", "rel", "rev", "shape", "type"]),
    ("area", &["alt", "coords", "href", "nohref", "shape"]),
    ("blockquote", &["cite"]),
    ("img", &["alt", "border", "height", "ismap", "longdesc", "src", "usemap"]),
    ("map", &["name"]),
    ("pre", &["space"]),
    ("q", &["cite"]),
    ("table", &["border", "cellpadding", "cellspacing", "frame", "rules", "summary"]),
    ("td", &["nowrap"]),
];

/// What is wrong with a narrative: the invariant that it breaks, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XhtmlFault {
    pub rule: &'static str,
    pub text: String,
}

fn fault(text: impl Into<String>) -> XhtmlFault {
    XhtmlFault { rule: "txt-1", text: text.into() }
}

/// Checks a `Narrative.div`; the first fault is told. Reads it once from start to end, without recursion.
pub fn check(xhtml: &str) -> Result<(), XhtmlFault> {
    let mut reader = Reader::from_str(xhtml);
    let mut open: usize = 0;
    let mut has_root = false;
    let mut has_content = false;
    loop {
        let event = reader.read_event().map_err(|error| fault(format!("the XHTML is not well-formed: {error}")))?;
        match event {
            Event::Start(tag) => {
                has_content |= start(&tag, open, &mut has_root)?;
                open += 1;
            }
            Event::Empty(tag) => has_content |= start(&tag, open, &mut has_root)?,
            // The reader has compared its name with that of the start.
            Event::End(_) => {
                open =
                    open.checked_sub(1).ok_or_else(|| fault("the XHTML is not well-formed: an end without a start"))?;
            }
            Event::Text(text) => {
                let text = text.unescape().map_err(|error| fault(format!("the XHTML is not well-formed: {error}; there are no named entities but those of XML: write the character or its number")))?;
                has_content |= content(&text, open)?;
            }
            Event::CData(text) => {
                let text = String::from_utf8_lossy(&text);
                has_content |= content(&text, open)?;
            }
            Event::Comment(_) => {}
            Event::Decl(_) | Event::PI(_) => {
                return Err(fault("processing instructions are not allowed in a narrative"));
            }
            Event::DocType(_) => return Err(fault("a document type is not allowed in a narrative")),
            Event::Eof => break,
        }
    }
    if open > 0 {
        return Err(fault("the XHTML is not well-formed: an element is not closed"));
    }
    if !has_root {
        return Err(fault("a narrative is one <div> in the XHTML namespace"));
    }
    if !has_content {
        return Err(XhtmlFault {
            rule: "txt-2",
            text: "the narrative has no text and no image: say something or leave it out".into(),
        });
    }
    Ok(())
}

fn content(text: &str, open: usize) -> Result<bool, XhtmlFault> {
    let is_blank = text.trim().is_empty();
    if !is_blank && open == 0 {
        return Err(fault("text stands outside of the <div>"));
    }
    Ok(!is_blank)
}

/// Checks a start tag; true where it is an image.
fn start(tag: &BytesStart<'_>, open: usize, has_root: &mut bool) -> Result<bool, XhtmlFault> {
    let name = tag.name();
    let name = name.as_ref();
    if open == 0 {
        if *has_root || name != b"div" {
            return Err(fault("a narrative is one <div> and nothing beside it"));
        }
        *has_root = true;
    }
    if !among(ELEMENTS, name) {
        return Err(fault(format!("the element <{}> is not allowed in a narrative", shown(name))));
    }
    let mut namespaced = false;
    let mut keys = HashSet::new();
    // The reader would compare each attribute with all before it: 60,000 took seconds.
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| fault(format!("the XHTML is not well-formed: {error}")))?;
        let key = attribute.key.as_ref();
        if !keys.insert(attribute.key) {
            return Err(fault(format!(
                "the XHTML is not well-formed: {} stands twice on <{}>",
                shown(key),
                shown(name)
            )));
        }
        if key == b"xmlns" {
            if attribute.value.as_ref() != NAMESPACE {
                return Err(fault("the namespace of a narrative is http://www.w3.org/1999/xhtml"));
            }
            namespaced = true;
            continue;
        }
        let own = OF_ELEMENT.iter().any(|(element, own)| element.as_bytes() == name && among(own, key));
        if !own && !among(ATTRIBUTES, key) && !key.starts_with(b"xmlns:") {
            return Err(fault(format!(
                "the attribute {} is not allowed on <{}> in a narrative",
                shown(key),
                shown(name)
            )));
        }
        let value =
            attribute.unescape_value().map_err(|error| fault(format!("the XHTML is not well-formed: {error}")))?;
        if matches!(key, b"href" | b"src" | b"longdesc" | b"cite") && is_script(&value) {
            return Err(fault(format!("the {} of <{}> is a script", shown(key), shown(name))));
        }
    }
    if open == 0 && !namespaced {
        return Err(fault("the <div> of a narrative names its namespace: xmlns=\"http://www.w3.org/1999/xhtml\""));
    }
    Ok(name == b"img")
}

/// Browsers pass over white space and control characters in front of and within a scheme.
fn is_script(link: &str) -> bool {
    let scheme: String = link
        .chars()
        .filter(|character| !character.is_whitespace() && !character.is_control())
        .take_while(|character| *character != ':')
        .take(12)
        .collect();
    link.contains(':') && (scheme.eq_ignore_ascii_case("javascript") || scheme.eq_ignore_ascii_case("vbscript"))
}

fn among(names: &[&str], name: &[u8]) -> bool {
    names.iter().any(|known| known.as_bytes() == name)
}

fn shown(name: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&name[..name.len().min(40)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn div(inner: &str) -> String {
        format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inner}</div>")
    }

    #[test]
    fn formatting_tables_links_and_images_are_allowed() {
        for inner in [
            "Some <b>bold</b> and <i>it</i><br/>",
            "<table class=\"grid\"><tr><td colspan=\"2\">1 &lt; 2 &#160; &amp;</td></tr></table>",
            "<a href=\"http://example.org\" title=\"x\">link</a><a name=\"here\"/>",
            "<img src=\"#img\" alt=\"a picture\"/>",
            "<p style=\"color: red\" xml:lang=\"en\">p<!-- comment --></p>",
        ] {
            assert_eq!(check(&div(inner)), Ok(()), "{inner}");
        }
    }

    #[test]
    fn what_can_run_or_load_is_refused() {
        for inner in [
            "a<script>alert(1)</script>",
            "a<iframe src=\"x\"/>",
            "a<form/>",
            "a<p onclick=\"x()\">b</p>",
            "<a href=\"javascript:alert(1)\">x</a>",
            "<a href=\" java&#10;script:alert(1)\">x</a>",
            "a<style>b</style>",
            "a<object/>",
            "a<?php x?>",
            "a<SCRIPT/>",
            "a<p href=\"x\">b</p>",
        ] {
            assert_eq!(check(&div(inner)).unwrap_err().rule, "txt-1", "{inner}");
        }
    }

    #[test]
    fn a_narrative_is_one_well_formed_div_with_its_namespace() {
        for xhtml in [
            "plain text".to_string(),
            "<div>a</div>".to_string(),
            "<div xmlns=\"http://example.org\">a</div>".to_string(),
            "<p xmlns=\"http://www.w3.org/1999/xhtml\">a</p>".to_string(),
            format!("{}{}", div("a"), div("b")),
            format!("{} tail", div("a")),
            div("<p>a</b>"),
            "<div xmlns=\"http://www.w3.org/1999/xhtml\">a".to_string(),
            "</div>".to_string(),
            div("a &nbsp; b"),
            div("<p class=\"a\" class=\"b\">a</p>"),
            format!("<!DOCTYPE html>{}", div("a")),
        ] {
            assert_eq!(check(&xhtml).unwrap_err().rule, "txt-1", "{xhtml}");
        }
    }

    #[test]
    fn a_narrative_says_something() {
        for inner in ["", "  \n ", "<p> </p>", "<!-- a comment -->", "&#32;"] {
            assert_eq!(check(&div(inner)).unwrap_err().rule, "txt-2", "{inner}");
        }
    }

    #[test]
    fn deep_nesting_does_not_overflow() {
        let deep = 200_000;
        let xhtml = div(&format!("{}x{}", "<b>".repeat(deep), "</b>".repeat(deep)));
        assert_eq!(check(&xhtml), Ok(()));
    }
}
