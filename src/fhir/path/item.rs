//! The fhir room: what expressions pass around, <http://hl7.org/fhirpath/N1/#collections>.

use super::quantity::Quantity;
use super::temporal::Moment;
use super::types::{Primitive, Type, Types};
use rust_decimal::Decimal;
use serde_json::Value;
use smallvec::SmallVec;
use std::borrow::Cow;

/// What an expression evaluates to: items in order, none of them missing.
pub type Collection<'a> = SmallVec<[Item<'a>; 1]>;

/// One item of a collection.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// A place in the JSON.
    Element(Element<'a>),
    Boolean(bool),
    Integer(i64),
    Decimal(Decimal),
    String(Cow<'a, str>),
    /// Date, DateTime or Time.
    Moment(Moment),
    Quantity(Box<Quantity<'a>>),
    /// What `type()` answers.
    Type(TypeName<'a>),
}

/// An element of a resource, or the resource.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// Missing for a primitive that has but extensions, and for a resource that is only known by its type.
    pub value: Option<&'a Value>,
    /// The `_name` beside a primitive: its id and extensions.
    pub sibling: Option<&'a Value>,
    /// `None`: not known.
    pub of: Option<Type>,
}

/// `System.Integer`, `FHIR.Patient`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeName<'a> {
    pub namespace: &'static str,
    pub name: &'a str,
}

impl<'a> Item<'a> {
    /// A resource, by its `resourceType`.
    pub fn resource(value: &'a Value, types: &Types) -> Self {
        let of = value.get("resourceType").and_then(Value::as_str).and_then(|name| types.named(name));
        Item::Element(Element { value: Some(value), sibling: None, of })
    }

    /// An element: for a primitive `sibling` is what stands under `_name`, for all else `None`.
    pub fn element(of: Option<Type>, value: Option<&'a Value>, sibling: Option<&'a Value>) -> Self {
        let not_null = |v: &&Value| !v.is_null();
        Item::Element(Element { value: value.filter(not_null), sibling: sibling.filter(not_null), of })
    }

    /// The place in the JSON; `None` for computed values.
    pub fn as_element(&self) -> Option<&Element<'a>> {
        match self {
            Item::Element(element) => Some(element),
            Item::Boolean(_)
            | Item::Integer(_)
            | Item::Decimal(_)
            | Item::String(_)
            | Item::Moment(_)
            | Item::Quantity(_)
            | Item::Type(_) => None,
        }
    }

    /// The value as the system type that expressions calculate with. An element that has none (an object, a primitive
    /// without value, text that is no date) stays as it is.
    pub(super) fn to_system(&self, types: &Types) -> Item<'a> {
        match self {
            Item::Element(element) => element.system(types).unwrap_or(Item::Element(*element)),
            Item::Boolean(_)
            | Item::Integer(_)
            | Item::Decimal(_)
            | Item::String(_)
            | Item::Moment(_)
            | Item::Quantity(_)
            | Item::Type(_) => self.clone(),
        }
    }
}

impl<'a> Element<'a> {
    /// The value of a primitive as a system type; of a Quantity as a quantity.
    pub(super) fn system(&self, types: &Types) -> Option<Item<'a>> {
        let value = self.value?;
        match value {
            Value::Bool(flag) => Some(Item::Boolean(*flag)),
            Value::Number(number) => {
                let text = number.as_str();
                let whole = self.of.and_then(|t| types.primitive(t)) != Some(Primitive::Decimal);
                match text.parse::<i64>() {
                    Ok(integer) if whole => Some(Item::Integer(integer)),
                    _ => decimal(text).map(Item::Decimal),
                }
            }
            Value::String(text) => match self.of.and_then(|t| types.primitive(t)) {
                Some(Primitive::Date) => Moment::parse_date(text).map(Item::Moment),
                Some(Primitive::DateTime) => Moment::parse_date_time(text).map(Item::Moment),
                Some(Primitive::Time) => Moment::parse_time(text).map(Item::Moment),
                Some(Primitive::Boolean | Primitive::Integer | Primitive::Decimal | Primitive::String) | None => {
                    Some(Item::String(Cow::Borrowed(text)))
                }
            },
            Value::Object(_) if self.of.is_some_and(|t| types.is_quantity(t)) => {
                Quantity::from_element(value).map(|q| Item::Quantity(Box::new(q)))
            }
            Value::Object(_) | Value::Array(_) | Value::Null => None,
        }
    }

    /// A resource of which only the type is known.
    pub(super) fn is_out_of_reach(&self) -> bool {
        self.value.is_none() && self.sibling.is_none()
    }
}

/// A decimal with all digits; `None` outside of what can be held without rounding (28 digits).
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) {
        return Decimal::from_scientific(text).ok();
    }
    Decimal::from_str_exact(text).ok()
}
