//! Search in the fhir room: what the elements of each datatype put into the index.
//! <https://hl7.org/fhir/R4/search.html#ptypes>

use super::datatype::Datatype;
use super::node::Node;
use super::number::{Decimal, NumberKey, UCUM};
use super::{IndexQuantity, IndexValue, SearchType, parse_date};

/// Adds the values that an element of that datatype has for a parameter of that kind.
pub(super) fn push_values(kind: SearchType, of: Datatype, element: &Node<'_>, out: &mut Vec<IndexValue>) {
    match kind {
        SearchType::Token => push_tokens(of, element, out),
        SearchType::String => push_texts(of, element, out),
        SearchType::Date => out.extend(span(of, element).map(|(low, high)| IndexValue::Date { low, high })),
        SearchType::Reference => push_references(of, element, out),
        SearchType::Quantity => out.extend(quantity(of, element).map(|value| IndexValue::Quantity(Box::new(value)))),
        SearchType::Number => {
            out.extend(number(of, element).map(|(low, high)| IndexValue::Number { low, high }));
        }
        SearchType::Uri => out.extend(element.as_str().and_then(uri)),
        SearchType::Composite => {}
    }
}

/// Adds what stands beside the values of an element.
pub(super) fn push_aside(kind: SearchType, of: Datatype, element: &Node<'_>, out: &mut Vec<IndexValue>) {
    if !matches!(kind, SearchType::Token | SearchType::Reference) {
        return;
    }
    let texts = |name: &str| element.text(name).map(|text| IndexValue::Text(text.to_owned()));
    out.extend(["text", "display"].into_iter().filter_map(texts));
    if of == Datatype::CodeableConcept {
        element.all("coding").iter().for_each(|coding| push_aside(kind, Datatype::Coding, coding, out));
    } else if of == Datatype::Identifier {
        let Some(of_type) = element.get("type") else { return };
        push_aside(kind, Datatype::CodeableConcept, of_type, out);
        let types = of_type.all("coding").iter().map(|coding| {
            let part = |name| coding.text(name).unwrap_or_default();
            let system = format!("{}|{}", part("system"), part("code"));
            IndexValue::Token { system, code: element.text("value").unwrap_or_default().to_owned() }
        });
        out.extend(types);
    }
}

fn token(system: Option<&str>, code: &str) -> IndexValue {
    IndexValue::Token { system: system.unwrap_or_default().to_owned(), code: code.to_owned() }
}

fn uri(text: &str) -> Option<IndexValue> {
    (!text.is_empty()).then(|| IndexValue::Uri(text.to_owned()))
}

/// <https://hl7.org/fhir/R4/search.html#token>
fn push_tokens(of: Datatype, element: &Node<'_>, out: &mut Vec<IndexValue>) {
    match (of, element) {
        (Datatype::CodeableConcept, _) => {
            element.all("coding").iter().for_each(|coding| push_tokens(Datatype::Coding, coding, out));
        }
        (Datatype::Coding, _) => out.extend(element.text("code").map(|code| token(element.text("system"), code))),
        (Datatype::Identifier, _) => {
            out.extend(element.text("value").map(|value| token(element.text("system"), value)))
        }
        (Datatype::ContactPoint, _) => out.extend(element.text("value").map(|value| token(None, value))),
        (_, Node::Text(code)) => out.push(token(None, code)),
        (_, Node::Bool(value)) => out.push(token(None, if *value { "true" } else { "false" })),
        (_, Node::Number(_) | Node::Array(_) | Node::Object(_) | Node::Null) => {}
    }
}

/// <https://hl7.org/fhir/R4/search.html#string>
fn push_texts(of: Datatype, element: &Node<'_>, out: &mut Vec<IndexValue>) {
    const NAME: [&str; 5] = ["family", "given", "prefix", "suffix", "text"];
    const ADDRESS: [&str; 7] = ["text", "line", "city", "district", "state", "postalCode", "country"];
    let mut parts = |names: &[&str]| {
        let texts = names.iter().flat_map(|name| element.all(name)).filter_map(Node::as_str);
        out.extend(texts.filter(|text| !text.trim().is_empty()).map(|text| IndexValue::Text(text.to_owned())));
    };
    match of {
        Datatype::HumanName => parts(&NAME),
        Datatype::Address => parts(&ADDRESS),
        Datatype::CodeableConcept => parts(&["text"]),
        Datatype::Text
        | Datatype::Boolean
        | Datatype::Number
        | Datatype::Coding
        | Datatype::Identifier
        | Datatype::ContactPoint
        | Datatype::Date
        | Datatype::Period
        | Datatype::Timing
        | Datatype::Quantity
        | Datatype::Money
        | Datatype::Range
        | Datatype::Reference
        | Datatype::Uri
        | Datatype::Canonical
        | Datatype::Resource => {
            let text = element.as_str().filter(|text| !text.trim().is_empty());
            out.extend(text.map(|text| IndexValue::Text(text.to_owned())));
        }
    }
}

/// The span of a date, dateTime, instant, Period or Timing.
fn span(of: Datatype, element: &Node<'_>) -> Option<(i64, i64)> {
    if let Node::Text(text) = element {
        return parse_date(text);
    }
    if of == Datatype::Timing {
        // From the first of its events and bounds to the last.
        let events = element.all("event").iter().filter_map(|event| span(Datatype::Date, event));
        let bounds = element.get("repeat").and_then(|repeat| repeat.get("boundsPeriod"));
        let bounds = bounds.and_then(|period| span(Datatype::Period, period));
        return events.chain(bounds).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    }
    let date = |name: &str| element.text(name).and_then(parse_date);
    let (start, end) = (date("start"), date("end"));
    if start.is_none() && end.is_none() {
        return None;
    }
    Some((start.map_or(i64::MIN, |(low, _)| low), end.map_or(i64::MAX, |(_, high)| high)))
}

/// <https://hl7.org/fhir/R4/search.html#reference>
fn push_references(of: Datatype, element: &Node<'_>, out: &mut Vec<IndexValue>) {
    match of {
        Datatype::Reference => {
            out.extend(element.text("reference").and_then(reference));
            if let Some(identifier) = element.get("identifier")
                && let Some(value) = identifier.text("value")
            {
                let system = identifier.text("system").unwrap_or_default().to_owned();
                let is_alone = element.get("reference").is_none();
                out.push(IndexValue::ReferenceIdentifier { system, value: value.to_owned(), is_alone });
            }
        }
        Datatype::Resource => {
            if let (Some(resource_type), Some(id)) = (element.text("resourceType"), element.text("id")) {
                out.push(IndexValue::Reference { resource_type: resource_type.to_owned(), id: id.to_owned() });
            }
        }
        Datatype::Uri
        | Datatype::Canonical
        | Datatype::Text
        | Datatype::Boolean
        | Datatype::Number
        | Datatype::Coding
        | Datatype::CodeableConcept
        | Datatype::Identifier
        | Datatype::ContactPoint
        | Datatype::HumanName
        | Datatype::Address
        | Datatype::Date
        | Datatype::Period
        | Datatype::Timing
        | Datatype::Quantity
        | Datatype::Money
        | Datatype::Range => out.extend(element.as_str().and_then(reference)),
    }
}

/// `Type/id`, with or without a version, is on this server; what lies in the resource itself (`#p`) is not searched.
fn reference(text: &str) -> Option<IndexValue> {
    let (resource_type, id) = match text.split('/').collect::<Vec<_>>()[..] {
        [resource_type, id] | [resource_type, id, "_history", _] => (resource_type, id),
        _ => ("", ""),
    };
    let is_type = resource_type.starts_with(|letter: char| letter.is_ascii_uppercase());
    if is_type && !id.is_empty() && !resource_type.contains(':') {
        return Some(IndexValue::Reference { resource_type: resource_type.to_owned(), id: id.to_owned() });
    }
    (!text.starts_with('#')).then(|| uri(text)).flatten()
}

fn key(element: Option<&Node<'_>>) -> Option<NumberKey> {
    decimal(element?).map(Decimal::key)
}

fn decimal(element: &Node<'_>) -> Option<Decimal> {
    match element {
        Node::Number(text) => Decimal::parse(text),
        Node::Text(_) | Node::Bool(_) | Node::Array(_) | Node::Object(_) | Node::Null => None,
    }
}

fn number(of: Datatype, element: &Node<'_>) -> Option<(NumberKey, NumberKey)> {
    if of == Datatype::Range {
        let end = |name: &str| key(element.get(name).and_then(|quantity| quantity.get("value")));
        return open((end("low"), end("high")));
    }
    decimal(element).map(|number| (number.key(), number.key()))
}

/// A range without one of its ends goes on without end.
fn open(ends: (Option<NumberKey>, Option<NumberKey>)) -> Option<(NumberKey, NumberKey)> {
    match ends {
        (None, None) => None,
        (low, high) => Some((low.unwrap_or(NumberKey::LOWEST), high.unwrap_or_else(NumberKey::highest))),
    }
}

/// <https://hl7.org/fhir/R4/search.html#quantity>
fn quantity(of: Datatype, element: &Node<'_>) -> Option<IndexQuantity> {
    let is_range = of == Datatype::Range;
    let (low, high) = if is_range { (element.get("low"), element.get("high")) } else { (Some(element), Some(element)) };
    let unit = low.filter(|low| low.get("value").is_some()).or(high)?;
    let text = |name: &str| unit.text(name).unwrap_or_default().to_owned();
    let (system, code) = if of == Datatype::Money {
        ("urn:iso:std:iso:4217".to_owned(), text("currency"))
    } else {
        (text("system"), text("code"))
    };
    let number = |side: Option<&Node<'_>>| side?.get("value").and_then(decimal);
    let (low, high) = (number(low), if is_range { number(high) } else { None });
    let ends = |convert: &dyn Fn(Decimal) -> Option<NumberKey>| {
        if is_range {
            return open((low.and_then(convert), high.and_then(convert)));
        }
        let key = convert(low?)?;
        // `< 5` is anything below.
        Some(match unit.text("comparator") {
            Some("<" | "<=") => (NumberKey::LOWEST, key),
            Some(">" | ">=") => (key, NumberKey::highest()),
            Some(_) | None => (key.clone(), key),
        })
    };
    let (plain_low, plain_high) = ends(&|number| Some(number.key()))?;
    let canonical = || {
        let base = low.or(high)?.in_base_units(&code)?.0;
        let (low, high) = ends(&|number| Some(number.in_base_units(&code)?.1.key()))?;
        Some((base, low, high))
    };
    let canonical = if system == UCUM { canonical() } else { None };
    Some(IndexQuantity { low: plain_low, high: plain_high, unit: text("unit"), system, code, canonical })
}
