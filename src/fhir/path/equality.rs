//! The fhir room: equal, equivalent, less and greater, <http://hl7.org/fhirpath/N1/#equality>,
//! <http://hl7.org/fhirpath/N1/#comparison>.

use super::context::EvaluationError;
use super::evaluate::Evaluator;
use super::item::{Collection, Item, decimal};
use super::quantity::Quantity;
use rust_decimal::Decimal;
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Deepest JSON that is compared.
const MAX_DEPTH: usize = 128;
/// Up to here comparing each with each is quicker than hashing.
const FEW: usize = 8;

impl<'a> Evaluator<'_, 'a> {
    /// `None`: one of them is empty, or dates are not known precisely enough.
    pub(super) fn equal(&self, a: &[Item<'a>], b: &[Item<'a>]) -> Result<Option<bool>, EvaluationError> {
        if a.is_empty() || b.is_empty() {
            return Ok(None);
        }
        if a.len() != b.len() {
            return Ok(Some(false));
        }
        let mut known = true;
        for (a, b) in a.iter().zip(b) {
            match self.same(a, b)? {
                Some(false) => return Ok(Some(false)),
                Some(true) => {}
                None => known = false,
            }
        }
        Ok(known.then_some(true))
    }

    /// `=` of two items.
    pub(super) fn same(&self, a: &Item<'a>, b: &Item<'a>) -> Result<Option<bool>, EvaluationError> {
        self.charge(1)?;
        let types = self.context.types;
        match (a.to_system(types), b.to_system(types)) {
            (Item::Boolean(a), Item::Boolean(b)) => Ok(Some(a == b)),
            (Item::String(a), Item::String(b)) => {
                self.charge(a.len().min(b.len()) / 64)?;
                Ok(Some(a == b))
            }
            (Item::Integer(a), Item::Integer(b)) => Ok(Some(a == b)),
            (Item::Moment(a), Item::Moment(b)) => match a.is_comparable_to(&b) {
                true => Ok(a.compare(&b).map(Ordering::is_eq)),
                false => Ok(Some(false)),
            },
            (Item::Element(a), Item::Element(b)) => match (a.value, b.value) {
                (Some(a), Some(b)) => self.same_json(a, b, 0).map(Some),
                (None, None) => Ok(Some(a.sibling == b.sibling)),
                _ => Ok(Some(false)),
            },
            (Item::Type(a), Item::Type(b)) => Ok(Some(a == b)),
            // A date's text against a string.
            (Item::Moment(_), Item::String(text)) => Ok(Some(primitive_text(a) == Some(&text))),
            (Item::String(text), Item::Moment(_)) => Ok(Some(primitive_text(b) == Some(&text))),
            (a, b) => match (number(&a), number(&b)) {
                (Some(a), Some(b)) => Ok(Some(a == b)),
                _ => match (quantity(&a), quantity(&b)) {
                    (Some(a), Some(b)) => Ok(a.compare(&b, false)?.map(Ordering::is_eq)),
                    _ => Ok(Some(false)),
                },
            },
        }
    }

    fn same_json(&self, a: &Value, b: &Value, depth: usize) -> Result<bool, EvaluationError> {
        self.charge(1)?;
        if std::ptr::eq(a, b) {
            return Ok(true);
        }
        if depth > MAX_DEPTH {
            return Err(EvaluationError::Cannot("elements nested too deep to compare".to_owned()));
        }
        match (a, b) {
            (Value::Number(a), Value::Number(b)) => Ok(same_number(a.as_str(), b.as_str())),
            (Value::Array(a), Value::Array(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.iter().zip(b) {
                    if !self.same_json(a, b, depth + 1)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Object(a), Value::Object(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (key, a) in a {
                    match b.get(key) {
                        Some(b) if self.same_json(a, b, depth + 1)? => {}
                        _ => return Ok(false),
                    }
                }
                Ok(true)
            }
            _ => Ok(a == b),
        }
    }

    /// `~` of two collections: the order does not count.
    pub(super) fn equivalent(&self, a: &[Item<'a>], b: &[Item<'a>]) -> Result<bool, EvaluationError> {
        if a.len() != b.len() {
            return Ok(false);
        }
        let mut open: Vec<&Item<'a>> = b.iter().collect();
        for a in a {
            let mut found = None;
            for (position, b) in open.iter().enumerate() {
                if self.alike(a, b)? {
                    found = Some(position);
                    break;
                }
            }
            match found {
                Some(position) => drop(open.swap_remove(position)),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// `~` of two items.
    fn alike(&self, a: &Item<'a>, b: &Item<'a>) -> Result<bool, EvaluationError> {
        self.charge(1)?;
        let types = self.context.types;
        match (a.to_system(types), b.to_system(types)) {
            (Item::String(a), Item::String(b)) => {
                self.charge((a.len() + b.len()) / 16)?;
                Ok(normalized(&a) == normalized(&b))
            }
            (Item::Element(a), Item::Element(b)) => match (a.value, b.value) {
                (Some(a), Some(b)) => self.alike_json(a, b, 0),
                (a, b) => Ok(a.is_none() && b.is_none()),
            },
            (Item::Moment(a), Item::Moment(b)) => {
                Ok(a.is_comparable_to(&b) && a.compare(&b).is_some_and(Ordering::is_eq))
            }
            (a, b) => match (number(&a), number(&b)) {
                (Some(a), Some(b)) => Ok(roughly_equal(a, b)),
                _ => match (quantity(&a), quantity(&b)) {
                    (Some(a), Some(b)) => Ok(a.aligned(&b, true)?.is_some_and(|(a, b, _)| roughly_equal(a, b))),
                    _ => Ok(self.same(&a, &b)? == Some(true)),
                },
            },
        }
    }

    fn alike_json(&self, a: &Value, b: &Value, depth: usize) -> Result<bool, EvaluationError> {
        self.charge(1)?;
        if depth > MAX_DEPTH {
            return Err(EvaluationError::Cannot("elements nested too deep to compare".to_owned()));
        }
        match (a, b) {
            (Value::String(a), Value::String(b)) => {
                self.charge((a.len() + b.len()) / 16)?;
                Ok(normalized(a) == normalized(b))
            }
            (Value::Number(a), Value::Number(b)) => Ok(match (decimal(a.as_str()), decimal(b.as_str())) {
                (Some(a), Some(b)) => roughly_equal(a, b),
                _ => a == b,
            }),
            (Value::Array(a), Value::Array(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                let mut open: Vec<&Value> = b.iter().collect();
                for a in a {
                    let mut found = None;
                    for (position, b) in open.iter().enumerate() {
                        if self.alike_json(a, b, depth + 1)? {
                            found = Some(position);
                            break;
                        }
                    }
                    match found {
                        Some(position) => drop(open.swap_remove(position)),
                        None => return Ok(false),
                    }
                }
                Ok(true)
            }
            (Value::Object(a), Value::Object(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (key, a) in a {
                    match b.get(key) {
                        Some(b) if self.alike_json(a, b, depth + 1)? => {}
                        _ => return Ok(false),
                    }
                }
                Ok(true)
            }
            _ => Ok(a == b),
        }
    }

    /// `None`: one is empty, or dates or units do not tell.
    pub(super) fn compare(&self, a: &[Item<'a>], b: &[Item<'a>]) -> Result<Option<Ordering>, EvaluationError> {
        let (Some(a), Some(b)) =
            (self.single(a, "an operand of a comparison")?, self.single(b, "an operand of a comparison")?)
        else {
            return Ok(None);
        };
        let types = self.context.types;
        match (a.to_system(types), b.to_system(types)) {
            (Item::Integer(a), Item::Integer(b)) => Ok(Some(a.cmp(&b))),
            (Item::String(a), Item::String(b)) => {
                self.charge(a.len().min(b.len()) / 64)?;
                Ok(Some(a.cmp(&b)))
            }
            (Item::Moment(a), Item::Moment(b)) if a.is_comparable_to(&b) => Ok(a.compare(&b)),
            (Item::Element(element), _) | (_, Item::Element(element)) => match element.value {
                // A primitive of extensions only has no value.
                None => Ok(None),
                Some(_) => Err(EvaluationError::Cannot("a value that cannot be compared".to_owned())),
            },
            (a, b) => match (number(&a), number(&b)) {
                (Some(a), Some(b)) => Ok(Some(a.cmp(&b))),
                _ => match (quantity(&a), quantity(&b)) {
                    (Some(a), Some(b)) => a.compare(&b, false),
                    _ => Err(EvaluationError::Fault("a comparison of different types".to_owned())),
                },
            },
        }
    }

    /// The items without those that equal an earlier one.
    pub(super) fn distinct(
        &self,
        items: impl IntoIterator<Item = Item<'a>>,
    ) -> Result<Collection<'a>, EvaluationError> {
        let mut set = Set::default();
        for item in items {
            set.add(self, item)?;
        }
        Ok(set.items)
    }

    /// Equal items have equal hashes.
    fn hash(&self, item: &Item<'a>) -> Result<u64, EvaluationError> {
        let mut hasher = DefaultHasher::new();
        let types = self.context.types;
        match item.to_system(types) {
            Item::Boolean(value) => value.hash(&mut hasher),
            Item::Integer(value) => Decimal::from(value).hash(&mut hasher),
            Item::Decimal(value) => value.normalize().hash(&mut hasher),
            Item::String(text) => {
                self.charge(text.len() / 64)?;
                text.hash(&mut hasher);
            }
            Item::Moment(moment) => moment.instant().hash(&mut hasher),
            // Units convert.
            Item::Quantity(_) => {}
            Item::Type(of) => of.hash(&mut hasher),
            Item::Element(element) => {
                if let Some(value) = element.value {
                    return self.hash_json(value, 0);
                }
            }
        }
        Ok(hasher.finish())
    }

    fn hash_json(&self, value: &Value, depth: usize) -> Result<u64, EvaluationError> {
        self.charge(1)?;
        let mut hasher = DefaultHasher::new();
        if depth <= MAX_DEPTH {
            match value {
                Value::Number(number) => match decimal(number.as_str()) {
                    Some(value) => value.normalize().hash(&mut hasher),
                    None => number.as_str().hash(&mut hasher),
                },
                Value::String(text) => text.hash(&mut hasher),
                Value::Bool(flag) => flag.hash(&mut hasher),
                Value::Null => {}
                Value::Array(values) => {
                    for value in values {
                        self.hash_json(value, depth + 1)?.hash(&mut hasher);
                    }
                }
                Value::Object(map) => {
                    let mut sum = 0u64;
                    for (key, value) in map {
                        let mut member = DefaultHasher::new();
                        key.hash(&mut member);
                        self.hash_json(value, depth + 1)?.hash(&mut member);
                        // The order of members does not count.
                        sum = sum.wrapping_add(member.finish());
                    }
                    sum.hash(&mut hasher);
                }
            }
        }
        Ok(hasher.finish())
    }
}

/// Items that are all different, in the order in which they came.
#[derive(Default)]
pub(super) struct Set<'a> {
    pub items: Collection<'a>,
    /// From a hash to places; empty while there are few.
    places: HashMap<u64, Vec<usize>>,
}

impl<'a> Set<'a> {
    /// Whether it was new.
    pub fn add(&mut self, evaluator: &Evaluator<'_, 'a>, item: Item<'a>) -> Result<bool, EvaluationError> {
        if self.contains(evaluator, &item)? {
            return Ok(false);
        }
        self.items.push(item);
        if self.items.len() == FEW + 1 {
            for (place, item) in self.items.iter().enumerate() {
                self.places.entry(evaluator.hash(item)?).or_default().push(place);
            }
        } else if self.items.len() > FEW
            && let Some(last) = self.items.last()
        {
            self.places.entry(evaluator.hash(last)?).or_default().push(self.items.len() - 1);
        }
        Ok(true)
    }

    pub fn contains(&self, evaluator: &Evaluator<'_, 'a>, item: &Item<'a>) -> Result<bool, EvaluationError> {
        if self.items.len() <= FEW {
            for known in &self.items {
                if evaluator.same(known, item)? == Some(true) {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        for place in self.places.get(&evaluator.hash(item)?).into_iter().flatten() {
            if let Some(known) = self.items.get(*place)
                && evaluator.same(known, item)? == Some(true)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

pub(super) fn number(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Integer(value) => Some(Decimal::from(*value)),
        Item::Decimal(value) => Some(*value),
        Item::Element(_) | Item::Boolean(_) | Item::String(_) | Item::Moment(_) | Item::Quantity(_) | Item::Type(_) => {
            None
        }
    }
}

/// A quantity, or a number as one of unit 1.
pub(super) fn quantity<'a>(item: &Item<'a>) -> Option<Quantity<'a>> {
    match item {
        Item::Quantity(quantity) => Some((**quantity).clone()),
        Item::Integer(_)
        | Item::Decimal(_)
        | Item::Element(_)
        | Item::Boolean(_)
        | Item::String(_)
        | Item::Moment(_)
        | Item::Type(_) => number(item).map(Quantity::without_unit),
    }
}

/// The text of a primitive in the JSON.
fn primitive_text<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    item.as_element().and_then(|element| element.value).and_then(Value::as_str)
}

fn same_number(a: &str, b: &str) -> bool {
    a == b || matches!((decimal(a), decimal(b)), (Some(a), Some(b)) if a == b)
}

/// Equal in the places of the less precise one.
fn roughly_equal(a: Decimal, b: Decimal) -> bool {
    let places = a.normalize().scale().min(b.normalize().scale());
    a.round_dp(places) == b.round_dp(places)
}

/// Without case, and blanks as one space.
fn normalized(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
