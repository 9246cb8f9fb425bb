//! The fhir room: from one system type to another, <http://hl7.org/fhirpath/N1/#conversion>.

use super::misplaced;
use crate::fhir::path::context::EvaluationError;
use crate::fhir::path::equality::quantity;
use crate::fhir::path::evaluate::{Evaluated, Evaluator, Scope};
use crate::fhir::path::item::{Collection, Item, decimal};
use crate::fhir::path::quantity::{Quantity, calendar_unit};
use crate::fhir::path::syntax::{Call, Function};
use crate::fhir::path::temporal::{Moment, MomentKind};
use rust_decimal::Decimal;
use serde_json::Value;
use smallvec::smallvec;
use std::borrow::Cow;

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn conversion(
        &self,
        function: Function,
        call: &'a Call,
        input: &[Item<'a>],
        scope: Scope<'_, 'a>,
    ) -> Evaluated<'a> {
        let Some(item) = self.single(input, "the input of a conversion")? else { return Ok(Collection::new()) };
        let system = item.to_system(self.context.types);
        if system.as_element().is_some_and(|element| element.value.is_none()) {
            return Ok(Collection::new());
        }
        let converted: Option<Item<'a>> = match function {
            Function::ToBoolean | Function::ConvertsToBoolean => to_boolean(&system).map(Item::Boolean),
            Function::ToInteger | Function::ConvertsToInteger => to_integer(&system).map(Item::Integer),
            Function::ToDecimal | Function::ConvertsToDecimal => to_decimal(&system).map(Item::Decimal),
            Function::ToDate | Function::ConvertsToDate => {
                to_moment(&system, MomentKind::Date).map(|m| Item::Moment(m.to_date()))
            }
            Function::ToDateTime | Function::ConvertsToDateTime => {
                to_moment(&system, MomentKind::DateTime).map(|m| Item::Moment(m.to_date_time()))
            }
            Function::ToTime | Function::ConvertsToTime => to_moment(&system, MomentKind::Time).map(Item::Moment),
            Function::ToText | Function::ConvertsToText => to_text(item, &system).map(Item::String),
            Function::ToQuantity | Function::ConvertsToQuantity => {
                let found = to_quantity(&system)?;
                match (found, self.text_argument(call, 0, scope)?) {
                    (Some(found), Some(unit)) => {
                        let wanted = match calendar_unit(&unit) {
                            Some(unit) => Quantity::with_calendar_unit(unit),
                            None => Quantity::with_unit(unit),
                        };
                        found.in_unit_of(&wanted)?.map(|q| Item::Quantity(Box::new(q)))
                    }
                    (found, _) => found.map(|q| Item::Quantity(Box::new(q))),
                }
            }
            _ => return misplaced(call),
        };
        let converted = Ok(converted.into_iter().collect());
        match function {
            Function::ConvertsToBoolean
            | Function::ConvertsToInteger
            | Function::ConvertsToDecimal
            | Function::ConvertsToDate
            | Function::ConvertsToDateTime
            | Function::ConvertsToTime
            | Function::ConvertsToText
            | Function::ConvertsToQuantity => self.would(&converted),
            _ => converted,
        }
    }
}

fn to_boolean(item: &Item<'_>) -> Option<bool> {
    match item {
        Item::Boolean(value) => Some(*value),
        Item::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        Item::Integer(value) => match value {
            1 => Some(true),
            0 => Some(false),
            _ => None,
        },
        Item::Decimal(value) if *value == Decimal::ONE => Some(true),
        Item::Decimal(value) if value.is_zero() => Some(false),
        _ => None,
    }
}

fn to_integer(item: &Item<'_>) -> Option<i64> {
    match item {
        Item::Boolean(value) => Some(i64::from(*value)),
        Item::Integer(value) => Some(*value),
        Item::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn to_decimal(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Boolean(value) => Some(Decimal::from(u8::from(*value))),
        Item::Integer(value) => Some(Decimal::from(*value)),
        Item::Decimal(value) => Some(*value),
        Item::String(text) => decimal_text(text),
        _ => None,
    }
}

/// `(\+|-)?\d+(\.\d+)?`
fn decimal_text(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (all_digits(whole) && all_digits(fraction)).then(|| decimal(text)).flatten()
}

fn to_moment(item: &Item<'_>, kind: MomentKind) -> Option<Moment> {
    match item {
        Item::Moment(moment) => moment.is_or_becomes(kind).then_some(*moment),
        Item::String(text) => match kind {
            MomentKind::Date => Moment::parse_date(text).or_else(|| Moment::parse_date_time(text)),
            MomentKind::DateTime => Moment::parse_date_time(text),
            MomentKind::Time => Moment::parse_time(text.strip_prefix('T').unwrap_or(text)),
        },
        _ => None,
    }
}

/// A primitive keeps its own text: `0.50` stays `0.50`, a date keeps its offset as it was written.
fn to_text<'a>(item: &Item<'a>, system: &Item<'a>) -> Option<Cow<'a, str>> {
    match item.as_element().and_then(|element| element.value) {
        Some(Value::String(text)) => return Some(Cow::Borrowed(text)),
        Some(Value::Number(number)) => return Some(Cow::Borrowed(number.as_str())),
        _ => {}
    }
    Some(match system {
        Item::Boolean(true) => Cow::Borrowed("true"),
        Item::Boolean(false) => Cow::Borrowed("false"),
        Item::Integer(value) => Cow::Owned(value.to_string()),
        Item::Decimal(value) => Cow::Owned(value.to_string()),
        Item::String(text) => text.clone(),
        Item::Moment(moment) => Cow::Owned(moment.to_string()),
        Item::Quantity(quantity) => Cow::Owned(quantity.to_string()),
        Item::Element(_) | Item::Type(_) => return None,
    })
}

/// `4`, `4.5 'mg'`, `4 days`
fn to_quantity<'a>(item: &Item<'a>) -> Result<Option<Quantity<'a>>, EvaluationError> {
    let text = match item {
        Item::String(text) => text.as_ref(),
        Item::Boolean(value) => return Ok(Some(Quantity::without_unit(Decimal::from(u8::from(*value))))),
        _ => return Ok(quantity(item)),
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '+' | '-' | '.')).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let Some(value) = decimal_text(digits) else { return Ok(None) };
    let unit = rest.trim();
    let quoted = unit.strip_prefix('\'').and_then(|u| u.strip_suffix('\''));
    Ok(match (unit.is_empty(), quoted, calendar_unit(unit)) {
        (true, _, _) => Some(Quantity::without_unit(value)),
        (_, Some(code), _) => Some(Quantity { value, ..Quantity::with_unit(Cow::Owned(code.to_owned())) }),
        (_, _, Some(unit)) if rest.starts_with(char::is_whitespace) => {
            Some(Quantity { value, ..Quantity::with_calendar_unit(unit) })
        }
        _ => None,
    })
}

/// Text as a collection of one item.
pub(super) fn text<'a>(text: impl Into<Cow<'a, str>>) -> Collection<'a> {
    smallvec![Item::String(text.into())]
}
