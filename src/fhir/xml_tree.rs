//! The fhir room: a resource's XML as the JSON that the validator takes, <https://hl7.org/fhir/R4/xml.html>.
//!
//! The codec refuses a faulty resource at its first fault. Here every well-formed XML becomes JSON, so that the
//! validator can tell all faults: an element that R4 does not know keeps its name, an attribute that is none of FHIR's
//! becomes `@name`, stray text [`TEXT`], what stands out of order [`ORDER`], an element that should be an attribute
//! [`ELEMENT`].

use super::definitions::Definitions;
use super::definitions::structure::{Element, ElementIndex, Kind, Structure};
use super::json::Unreadable;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, Writer};
use serde_json::{Map, Number, Value};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

const FHIR: &str = "http://hl7.org/fhir";
const MAX_DEPTH: usize = 100;

/// Keys under which the validator finds what only XML can get wrong; their values say which element it is.
pub const TEXT: &str = "#text";
pub const ORDER: &str = "#order";
pub const ELEMENT: &str = "#element";

/// Reads one XML document whose root is a resource.
pub fn read(xml: &[u8], definitions: &Definitions) -> Result<Value, Unreadable> {
    let text = std::str::from_utf8(xml.strip_prefix(b"\xef\xbb\xbf").unwrap_or(xml))
        .map_err(|error| Unreadable::new(format!("byte {} is not UTF-8", error.valid_up_to() + 1)))?;
    let root = tree(text).map_err(|(reason, place)| {
        let line = text.as_bytes().iter().take(place).filter(|byte| **byte == b'\n').count() + 1;
        Unreadable { reason: format!("the XML cannot be read at line {line}: {reason}"), line }
    })?;
    Ok(resource(&root, definitions))
}

/// One element of the XML.
#[derive(Debug, Default)]
struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
    text: String,
}

/// Reads the tree without recursion. The error: a reason, and how many bytes were read.
fn tree(text: &str) -> Result<Node, (String, usize)> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Node> = Vec::new();
    let mut root = None;
    loop {
        let event = reader.read_event().map_err(|error| (error.to_string(), reader.buffer_position()))?;
        let place = reader.buffer_position();
        let fault = |reason: &str| (reason.to_owned(), place);
        match event {
            Event::Start(tag)
                if tag.name().as_ref() == b"div" && open.last().is_some_and(|node| node.name == "text") =>
            {
                let div = narrative(&mut reader, tag).map_err(|reason| (reason, place))?;
                close(div, &mut open, &mut root).map_err(|reason| fault(&reason))?;
            }
            Event::Start(tag) => {
                if open.len() >= MAX_DEPTH {
                    return Err((format!("elements are more than {MAX_DEPTH} deep in each other"), place));
                }
                open.push(node(&tag, open.is_empty()).map_err(|reason| fault(&reason))?);
            }
            Event::Empty(tag) => {
                let empty = node(&tag, open.is_empty()).map_err(|reason| fault(&reason))?;
                close(empty, &mut open, &mut root).map_err(|reason| fault(&reason))?;
            }
            Event::End(_) => {
                let node = open.pop().ok_or_else(|| fault("an end without a start"))?;
                close(node, &mut open, &mut root).map_err(|reason| fault(&reason))?;
            }
            Event::Text(found) => {
                let found = found.unescape().map_err(|error| fault(&error.to_string()))?;
                stray(&found, &mut open).map_err(|reason| fault(&reason))?;
            }
            Event::CData(found) => {
                stray(&String::from_utf8_lossy(&found), &mut open).map_err(|reason| fault(&reason))?;
            }
            Event::DocType(_) => return Err(fault("a document type is not taken")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if open.is_empty() => return root.ok_or_else(|| fault("there is no element")),
            Event::Eof => return Err(fault("an element is not closed")),
        }
    }
}

fn close(node: Node, open: &mut [Node], root: &mut Option<Node>) -> Result<(), String> {
    match (open.last_mut(), &root) {
        (Some(parent), _) => parent.children.push(node),
        (None, None) => *root = Some(node),
        (None, Some(_)) => return Err("there is more than one root".into()),
    }
    Ok(())
}

fn stray(text: &str, open: &mut [Node]) -> Result<(), String> {
    let text = text.trim();
    match open.last_mut() {
        _ if text.is_empty() => {}
        Some(node) => node.text.push_str(text),
        None => return Err("text stands outside of the resource".into()),
    }
    Ok(())
}

fn node(tag: &BytesStart<'_>, is_root: bool) -> Result<Node, String> {
    let name = utf8(tag.name().as_ref());
    if name.contains(':') {
        return Err("elements of FHIR are taken without a prefix: make its namespace the default one".into());
    }
    let mut node = Node { name, ..Node::default() };
    let mut namespaced = false;
    let mut keys = HashSet::new();
    // The reader would compare each attribute with all before it.
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if !keys.insert(attribute.key) {
            return Err("an attribute stands twice on one element".into());
        }
        let value = attribute.unescape_value().map_err(|error| error.to_string())?;
        match attribute.key.as_ref() {
            b"xmlns" if value == FHIR => namespaced = true,
            b"xmlns" => return Err(format!("the namespace of FHIR is {FHIR}")),
            // Where a schema is to be found is no content.
            key if key.starts_with(b"xmlns:") || key.starts_with(b"xsi:") => {}
            key => node.attributes.push((utf8(key), value.into_owned())),
        }
    }
    if is_root && !namespaced {
        return Err(format!("the root names the namespace of FHIR: xmlns=\"{FHIR}\""));
    }
    Ok(node)
}

/// A `div` with all that is in it, as text.
fn narrative(reader: &mut Reader<&[u8]>, tag: BytesStart<'_>) -> Result<Node, String> {
    let mut written = Writer::new(Vec::new());
    let mut depth = 1_usize;
    let mut event = Event::Start(tag);
    loop {
        written.write_event(&event).map_err(|error| error.to_string())?;
        if depth == 0 {
            return Ok(Node { name: "div".into(), text: utf8(&written.into_inner()), ..Node::default() });
        }
        event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Eof => return Err("the narrative is not closed".into()),
            Event::Empty(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn resource(node: &Node, definitions: &Definitions) -> Value {
    let mut members = Map::new();
    members.insert("resourceType".into(), node.name.as_str().into());
    // A type that is not known is told by the validator, which then looks no further.
    if let Ok(structure) = definitions.structure(&node.name) {
        fill(&mut members, node, &structure, 0, definitions);
    }
    Value::Object(members)
}

/// Writes attributes and children of an element into an object. `index` is the element of `structure` that it is.
fn fill(
    members: &mut Map<String, Value>,
    node: &Node,
    structure: &Arc<Structure>,
    index: ElementIndex,
    definitions: &Definitions,
) {
    let declared = |name: &str| structure.elements.get(index).and_then(|parent| child(structure, parent, name));
    for (name, value) in &node.attributes {
        if name == "value" && structure.kind == Kind::Primitive {
            continue;
        }
        let name = if is_attribute(structure, index, name) { name.clone() } else { format!("@{name}") };
        members.insert(name, value.as_str().into());
    }
    if !node.text.is_empty() {
        members.insert(TEXT.into(), node.text.as_str().into());
    }
    // Elements of one name as lists of what they hold and of what stands beside it, in the order of their first.
    let mut lists: Vec<(&str, Vec<(Value, Value)>)> = Vec::new();
    let mut place_of = HashMap::new();
    let mut furthest = 0;
    for below in &node.children {
        let pair = match declared(&below.name) {
            Some(_) if is_attribute(structure, index, &below.name) => {
                members.insert(ELEMENT.into(), below.name.as_str().into());
                continue;
            }
            Some((element, type_name)) => {
                // Elements stand in the snapshot as in the schema.
                if element < furthest {
                    members.entry(ORDER).or_insert_with(|| below.name.as_str().into());
                }
                furthest = furthest.max(element);
                converted(below, structure, element, type_name, definitions)
            }
            None => (unknown(below), Value::Null),
        };
        // A hostile element has a hundred thousand children of as many names.
        let place = *place_of.entry(below.name.as_str()).or_insert(lists.len());
        match lists.get_mut(place) {
            Some((_, pairs)) => pairs.push(pair),
            None => lists.push((&below.name, vec![pair])),
        }
    }
    for (name, mut pairs) in lists {
        let is_list = declared(name).is_some_and(|(index, _)| structure.elements.get(index).is_some_and(|e| e.is_list));
        let has = |side: fn(&(Value, Value)) -> &Value| pairs.iter().any(|pair| !side(pair).is_null());
        let (has_value, has_beside) = (has(|pair| &pair.0), has(|pair| &pair.1));
        // One that stands too often is a list too: the validator says that it may not be one.
        let (value, beside) = if is_list || pairs.len() > 1 {
            let (values, besides): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            (Value::Array(values), Value::Array(besides))
        } else {
            pairs.pop().unwrap_or_default()
        };
        if has_value || !has_beside {
            members.insert(name.to_owned(), value);
        }
        if has_beside {
            members.insert(format!("_{name}"), beside);
        }
    }
}

/// Which children of an element XML has as attributes: the ids of all but resources, and the urls of extensions.
fn is_attribute(structure: &Structure, index: ElementIndex, name: &str) -> bool {
    match name {
        "id" => structure.kind != Kind::Resource || index != 0,
        "url" => structure.type_name == "Extension" && index == 0,
        _ => false,
    }
}

/// The element of that name below another, and its type; of a choice the type that the name ends in.
fn child<'s>(structure: &'s Structure, parent: &'s Element, name: &str) -> Option<(ElementIndex, &'s str)> {
    let parent = parent.content_reference.and_then(|index| structure.elements.get(index)).unwrap_or(parent);
    parent.children.iter().find_map(|&index| {
        let element = structure.elements.get(index)?;
        if !element.is_choice {
            let type_name = element.types.first().map_or("", |of| of.code.as_str());
            return (element.name == name).then_some((index, type_name));
        }
        let suffix = name.strip_prefix(element.name.as_str())?;
        let fits = |code: &str| {
            let (mut own, mut asked) = (code.chars(), suffix.chars());
            own.next().map(|letter| letter.to_ascii_uppercase()) == asked.next() && own.as_str() == asked.as_str()
        };
        element.types.iter().map(|of| of.code.as_str()).find(|code| fits(code)).map(|code| (index, code))
    })
}

/// The value of an element, and what stands beside it where it is a primitive.
fn converted(
    node: &Node,
    structure: &Arc<Structure>,
    index: ElementIndex,
    type_name: &str,
    definitions: &Definitions,
) -> (Value, Value) {
    let mut members = Map::new();
    let has_own_children = structure
        .elements
        .get(index)
        .is_some_and(|element| !element.children.is_empty() || element.content_reference.is_some());
    if has_own_children {
        fill(&mut members, node, structure, index, definitions);
        return (Value::Object(members), Value::Null);
    }
    if type_name == "xhtml" {
        return (node.text.as_str().into(), Value::Null);
    }
    match definitions.structure(type_name) {
        Ok(of) if of.kind == Kind::Primitive => primitive(node, type_name, &of, definitions),
        Ok(of) if of.kind == Kind::Resource => match node.children.as_slice() {
            [inner] => (resource(inner, definitions), Value::Null),
            _ => (unknown(node), Value::Null),
        },
        Ok(of) => {
            fill(&mut members, node, &of, 0, definitions);
            (Value::Object(members), Value::Null)
        }
        Err(_) => (unknown(node), Value::Null),
    }
}

fn primitive(node: &Node, type_name: &str, of: &Arc<Structure>, definitions: &Definitions) -> (Value, Value) {
    let value = node.attributes.iter().find(|(name, _)| name == "value").map(|(_, value)| typed(value, type_name));
    let mut beside = Map::new();
    fill(&mut beside, node, of, 0, definitions);
    let beside = if beside.is_empty() { Value::Null } else { Value::Object(beside) };
    match value {
        Some(value) => (value, beside),
        // Neither a value nor anything beside it: an empty object, which the validator refuses.
        None if beside.is_null() => (Value::Object(Map::new()), Value::Null),
        None => (Value::Null, beside),
    }
}

/// In JSON numbers and truth values are no strings. What does not read as one stays a string, which is then an error.
fn typed(text: &str, type_name: &str) -> Value {
    let read = match type_name {
        "boolean" => text.parse::<bool>().ok().map(Value::Bool),
        "integer" | "positiveInt" | "unsignedInt" | "decimal" => text.parse::<Number>().ok().map(Value::Number),
        _ => None,
    };
    read.unwrap_or_else(|| text.into())
}

/// An element that R4 does not know here: only its name matters.
fn unknown(node: &Node) -> Value {
    match node.attributes.iter().find(|(name, _)| name == "value") {
        Some((_, value)) => value.as_str().into(),
        None => Value::Object(Map::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::{codec, xml::to_xml};
    use serde_json::json;

    fn parsed(xml: &str) -> Value {
        read(xml.as_bytes(), &Definitions::base()).expect("XML")
    }

    #[test]
    fn every_resource_of_the_guide_reads_the_same_from_xml_as_from_json() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/json");
        let definitions = Definitions::base();
        let mut compared = 0;
        for file in std::fs::read_dir(folder).expect("the guide").map(|file| file.expect("a file").path()) {
            if file.extension().is_none_or(|kind| kind != "json") {
                continue;
            }
            let json = std::fs::read(&file).expect("a file");
            let Ok(typed) = codec::from_json(&json) else { continue };
            let written: Value = serde_json::from_slice(&codec::to_json(&typed).expect("JSON")).expect("JSON");
            let xml = to_xml(&typed).expect("XML");
            assert_eq!(read(&xml, &definitions).expect("XML"), written, "{}", file.display());
            compared += 1;
        }
        assert!(compared > 50, "{compared}");
    }

    #[test]
    fn primitives_with_extensions_and_choices_are_as_in_json() {
        let xml = r#"<Patient xmlns="http://hl7.org/fhir"><id value="x"/>
            <name><given value="A"/><given id="g"><extension url="urn:e"><valueInteger value="3"/></extension></given></name>
            <active value="true"/><birthDate><extension url="urn:b"><valueDecimal value="1.50"/></extension></birthDate>
            </Patient>"#;
        let patient = parsed(xml);
        let name = json!({ "given": ["A", null], "_given": [null, { "id": "g", "extension": [{ "url": "urn:e", "valueInteger": 3 }] }] });
        assert_eq!(patient["name"], json!([name]));
        assert_eq!(patient["active"], json!(true));
        assert_eq!(patient["_birthDate"]["extension"][0]["valueDecimal"].to_string(), "1.50");
        assert!(patient.get("birthDate").is_none());
    }

    #[test]
    fn order_and_the_places_of_ids_are_kept_to_be_told() {
        let order = |inside: &str| parsed(&format!("<Patient xmlns=\"{FHIR}\">{inside}</Patient>"));
        let late = order(r#"<gender value="male"/><active value="true"/>"#);
        assert_eq!((&late[ORDER], &late["active"]), (&json!("active"), &json!(true)));
        let split = order(r#"<name><family value="x"/></name><gender value="male"/><name><family value="y"/></name>"#);
        assert_eq!(split[ORDER], "name");
        assert_eq!(split["name"].as_array().map(Vec::len), Some(2));
        let child = order(r#"<name id="a"><id value="b"/><family value="x"/></name>"#);
        assert_eq!(child["name"], json!([{ "id": "a", "#element": "id", "family": "x" }]));
        let attribute = parsed(&format!("<Patient xmlns=\"{FHIR}\" id=\"a\"><active value=\"true\"/></Patient>"));
        assert_eq!((attribute.get("id"), &attribute["@id"]), (None, &json!("a")));
        let right = order(r#"<id value="x"/><active value="true"/><name><family value="x"/><given value="y"/></name>"#);
        assert!(right.get(ORDER).is_none() && right["name"][0].get(ORDER).is_none());
    }

    #[test]
    fn what_fhir_does_not_know_is_kept_to_be_told() {
        let xml = r#"<Patient xmlns="http://hl7.org/fhir" status="final"><banana value="1"/><active value="maybe"/>
            <gender value="male"/><gender value="female"/>stray</Patient>"#;
        let patient = parsed(xml);
        assert_eq!(patient["@status"], "final");
        assert_eq!(patient["banana"], "1");
        assert_eq!(patient["active"], "maybe");
        assert_eq!(patient["gender"], json!(["male", "female"]));
        assert_eq!(patient["#text"], "stray");
    }

    #[test]
    fn broken_and_hostile_documents_are_refused_with_their_line() {
        let deep = format!("<Patient xmlns=\"{FHIR}\">{}", "<a>".repeat(100_000));
        let bomb = format!("<!DOCTYPE x [<!ENTITY a \"b\">]><Patient xmlns=\"{FHIR}\"><id value=\"&a;\"/></Patient>");
        for xml in [
            "",
            "x",
            "<Patient/>",
            "<Patient xmlns=\"urn:x\"/>",
            "<f:Patient xmlns:f=\"http://hl7.org/fhir\"/>",
            &deep,
            &bomb,
        ] {
            assert!(read(xml.as_bytes(), &Definitions::base()).is_err(), "{}", &xml[..xml.len().min(60)]);
        }
        let error = read(b"<Patient xmlns=\"http://hl7.org/fhir\">\n<id></name></Patient>", &Definitions::base());
        assert_eq!(error.expect_err("broken").line, 2);
    }

    #[test]
    fn many_names_take_time_in_proportion() {
        let children: String = (0..100_000).map(|number| format!("<a{number}/>")).collect();
        let attributes: String = (0..100_000).map(|number| format!(" b{number}=\"\"")).collect();
        let started = std::time::Instant::now();
        let patient = parsed(&format!("<Patient xmlns=\"{FHIR}\"{attributes}>{children}</Patient>"));
        assert_eq!(patient.as_object().expect("an object").len(), 200_001);
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
        let twice = format!("<Patient xmlns=\"{FHIR}\" a=\"\" a=\"\"/>");
        assert!(read(twice.as_bytes(), &Definitions::base()).is_err());
    }
}
