//! Search in the fhir room: a resource's JSON, read only as far as its search rows need it.
//!
//! Texts are borrowed from the bytes, and elements that no search parameter names are passed over: a
//! `serde_json::Value` of the whole resource takes several times as long, on every write.

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// One JSON value.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Text(Cow<'a, str>),
    Bool(bool),
    Array(Vec<Node<'a>>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
    /// A number with all its digits.
    Number(String),
    Null,
}

impl<'a> Node<'a> {
    /// The members of the resource that `wanted` names, which is in order.
    pub(super) fn read(body: &'a [u8], wanted: &[String]) -> Result<Self, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let node = Wanted(wanted).deserialize(&mut json)?;
        json.end()?;
        Ok(node)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Node::as_str)
    }

    /// The items of a list, or the one element itself.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Node::Array(items) => items,
            Node::Null => &[],
            Node::Text(_) | Node::Bool(_) | Node::Number(_) | Node::Object(_) => std::slice::from_ref(self),
        }
    }

    /// The items of the member of that name.
    pub(super) fn all(&self, name: &str) -> &[Self] {
        self.get(name).map_or(&[], Node::items)
    }

    /// The member of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Node::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, node)| node),
            Node::Text(_) | Node::Bool(_) | Node::Number(_) | Node::Array(_) | Node::Null => None,
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            Node::Bool(_) | Node::Number(_) | Node::Array(_) | Node::Object(_) | Node::Null => None,
        }
    }
}

/// A member's name.
struct Name<'a>(Cow<'a, str>);

impl<'a> Deserialize<'a> for Name<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'a> Visitor<'a> for NameVisitor {
            type Value = Name<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

impl<'a> Deserialize<'a> for Node<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'a> Visitor<'a> for NodeVisitor {
    type Value = Node<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }

    /// Objects; and numbers, which serde_json shows as an object of one member where it keeps their digits.
    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        const NUMBER: &str = "$serde_json::private::Number";
        let mut members = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            let value = map.next_value()?;
            if members.is_empty()
                && name == NUMBER
                && let Node::Text(digits) = value
            {
                return Ok(Node::Number(digits.into_owned()));
            }
            members.push((name, value));
        }
        Ok(Node::Object(members))
    }
}

/// Reads an object's members of these names, and passes over the others.
struct Wanted<'w>(&'w [String]);

impl<'a> DeserializeSeed<'a> for Wanted<'_> {
    type Value = Node<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Wanted<'_> {
    type Value = Node<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a resource")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            if self.0.binary_search_by(|wanted| wanted.as_str().cmp(&name)).is_ok() {
                members.push((name, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Node::Object(members))
    }
}
