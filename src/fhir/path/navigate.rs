//! The fhir room: from an element to the elements in it, <http://hl7.org/fhirpath/N1/#path-selection>,
//! <https://hl7.org/fhir/R4/fhirpath.html#polymorphism>.

use super::context::EvaluationError;
use super::evaluate::Evaluator;
use super::item::{Collection, Element, Item};
use super::types::{Member, Type, TypeKind};
use serde_json::{Map, Value};
use std::borrow::Cow;

impl<'a> Evaluator<'_, 'a> {
    /// Whether the item is of the type that a path begins with.
    pub(super) fn is_named(&self, item: &Item<'a>, name: &str) -> Result<bool, EvaluationError> {
        // Types of objects begin with a capital, elements do not.
        if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            return Ok(false);
        }
        let Some(element) = item.as_element() else { return Ok(false) };
        match (element.of, self.context.types.named(name)) {
            (Some(of), Some(named)) => Ok(self.context.types.is_a(of, named)),
            (Some(_), None) => Ok(false),
            (None, _) => Ok(element.value.and_then(|v| v.get("resourceType")).and_then(Value::as_str) == Some(name)),
        }
    }

    /// Adds the items that `name` leads to.
    pub(super) fn member(&self, item: &Item<'a>, name: &str, out: &mut Collection<'a>) -> Result<(), EvaluationError> {
        match item {
            Item::Element(element) => self.element_member(element, name, out),
            Item::Quantity(quantity) => {
                match name {
                    "value" => out.push(Item::Decimal(quantity.value)),
                    "unit" | "code" => out.push(Item::String(Cow::Owned(quantity.unit_text()))),
                    _ => {}
                }
                Ok(())
            }
            Item::Type(of) => {
                match name {
                    "name" => out.push(Item::String(Cow::Borrowed(of.name))),
                    "namespace" => out.push(Item::String(Cow::Borrowed(of.namespace))),
                    _ => {}
                }
                Ok(())
            }
            Item::Boolean(_) | Item::Integer(_) | Item::Decimal(_) | Item::String(_) | Item::Moment(_) => Ok(()),
        }
    }

    fn element_member(
        &self,
        element: &Element<'a>,
        name: &str,
        out: &mut Collection<'a>,
    ) -> Result<(), EvaluationError> {
        if element.is_out_of_reach() {
            return Err(out_of_reach());
        }
        let Some(Value::Object(map)) = holder(element) else { return Ok(()) };
        let types = self.context.types;
        match element.of.map(|of| types.member(of, name)) {
            Some(Some(Member::Element(of) | Member::Alternative(of))) => self.property(map, name, of, out),
            Some(Some(Member::Choice)) => {
                for (key, of) in self.choices(map, name, element.of) {
                    // One of the two keys may stand alone, and both are one item.
                    self.property(map, key, of, out);
                }
            }
            Some(None) => {}
            None => match map.contains_key(name) || map.contains_key(&format!("_{name}")) {
                true => self.untyped_property(map, name, out),
                false => {
                    for (key, of) in self.choices(map, name, None) {
                        self.property(map, key, of, out);
                    }
                }
            },
        }
        Ok(())
    }

    /// The properties of a choice: `valueQuantity` for `value`. A valid resource has one.
    fn choices(&self, map: &'a Map<String, Value>, name: &str, of: Option<Type>) -> Vec<(&'a str, Type)> {
        let types = self.context.types;
        let mut found: Vec<(&'a str, Type)> = Vec::new();
        for key in map.keys() {
            let key = key.strip_prefix('_').unwrap_or(key);
            let Some(suffix) = key.strip_prefix(name).filter(|s| !s.is_empty()) else { continue };
            let choice = match of {
                Some(of) => match types.member(of, key) {
                    Some(Member::Alternative(choice)) => Some(choice),
                    Some(Member::Element(_) | Member::Choice) | None => None,
                },
                None => types.named(suffix).or_else(|| types.named(&uncapitalized(suffix))),
            };
            if let Some(choice) = choice
                && found.last().is_none_or(|(known, _)| *known != key)
                && !found.iter().any(|(known, _)| *known == key)
            {
                found.push((key, choice));
            }
        }
        found
    }

    /// Adds what stands under `key` and, for a primitive, under `_key`.
    fn property(&self, map: &'a Map<String, Value>, key: &str, of: Type, out: &mut Collection<'a>) {
        let is_primitive = self.context.types.kind(of) == TypeKind::Primitive;
        self.add(map.get(key), if is_primitive { sibling(map, key) } else { None }, of, out);
    }

    /// Adds a property's items; `beside` is what stands under `_key`.
    fn add(&self, value: Option<&'a Value>, beside: Option<&'a Value>, of: Type, out: &mut Collection<'a>) {
        let types = self.context.types;
        match types.kind(of) {
            TypeKind::Primitive => add_primitives(value, beside, Some(of), out),
            TypeKind::Complex => add_objects(value, out, |_| Some(of)),
            TypeKind::Resource => add_objects(value, out, |v| resource_type(v).and_then(|name| types.named(name))),
        }
    }

    fn untyped_property(&self, map: &'a Map<String, Value>, key: &str, out: &mut Collection<'a>) {
        let types = self.context.types;
        match key {
            "extension" | "modifierExtension" => {
                add_objects(map.get(key), out, |_| types.named("Extension"));
            }
            _ => {
                add_primitives(map.get(key), sibling(map, key), None, out);
                for item in out.iter_mut() {
                    if let Item::Element(element) = item
                        && element.of.is_none()
                        && let Some(name) = element.value.and_then(resource_type)
                    {
                        element.of = types.named(name);
                    }
                }
            }
        }
    }

    /// Adds the children of the item in the order of the JSON.
    pub(super) fn children(&self, item: &Item<'a>, out: &mut Collection<'a>) -> Result<(), EvaluationError> {
        let Item::Element(element) = item else { return Ok(()) };
        if element.is_out_of_reach() {
            return Err(out_of_reach());
        }
        let Some(Value::Object(map)) = holder(element) else { return Ok(()) };
        let before = out.len();
        let has_siblings = map.keys().any(|key| key.starts_with('_'));
        for (key, value) in map {
            let (name, value, beside) = match key.strip_prefix('_') {
                // Told with the value.
                Some(name) if map.contains_key(name) => continue,
                Some(name) => (name, None, Some(value)),
                None if key == "resourceType" => continue,
                None => (key.as_str(), Some(value), if has_siblings { sibling(map, key) } else { None }),
            };
            match element.of.map(|of| self.context.types.property(of, name)) {
                Some(Some(of)) => self.add(value, beside, of, out),
                Some(None) | None => self.untyped_property(map, name, out),
            }
        }
        self.charge(1 + out.len() - before)
    }
}

/// The object that holds an element's members: itself, or what stands beside a primitive.
fn holder<'a>(element: &Element<'a>) -> Option<&'a Value> {
    match element.value {
        Some(value @ Value::Object(_)) => Some(value),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) | None => {
            element.sibling
        }
    }
}

fn out_of_reach() -> EvaluationError {
    EvaluationError::Cannot("the resource that a reference leads to is not at hand".to_owned())
}

fn resource_type(value: &Value) -> Option<&str> {
    value.get("resourceType").and_then(Value::as_str)
}

fn uncapitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// `_key`, looked up without making that text where the key is short.
fn sibling<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    let mut name = smallvec::SmallVec::<[u8; 64]>::new();
    name.push(b'_');
    name.extend_from_slice(key.as_bytes());
    std::str::from_utf8(&name).ok().and_then(|name| map.get(name))
}

fn add_objects<'a>(value: Option<&'a Value>, out: &mut Collection<'a>, of: impl Fn(&'a Value) -> Option<Type>) {
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Array(values)) => {
            let items = values.iter().filter(|v| !v.is_null());
            out.extend(items.map(|v| Item::Element(Element { value: Some(v), sibling: None, of: of(v) })));
        }
        Some(value @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_))) => {
            out.push(Item::Element(Element { value: Some(value), sibling: None, of: of(value) }));
        }
    }
}

/// Pairs values with what stands beside them; where both are missing there is no item.
fn add_primitives<'a>(value: Option<&'a Value>, beside: Option<&'a Value>, of: Option<Type>, out: &mut Collection<'a>) {
    let mut add = |value: Option<&'a Value>, sibling: Option<&'a Value>| {
        let value = value.filter(|v| !v.is_null());
        let sibling = sibling.filter(|v| v.is_object());
        if value.is_some() || sibling.is_some() {
            out.push(Item::Element(Element { value, sibling, of }));
        }
    };
    match (value.and_then(Value::as_array), beside.and_then(Value::as_array)) {
        (None, None) => add(value, beside),
        (values, besides) => {
            let values = values.map_or(&[][..], Vec::as_slice);
            let besides = besides.map_or(&[][..], Vec::as_slice);
            for index in 0..values.len().max(besides.len()) {
                add(values.get(index), besides.get(index));
            }
        }
    }
}
