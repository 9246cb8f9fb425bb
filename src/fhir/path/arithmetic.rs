//! The fhir room: FHIRPath's arithmetic, <http://hl7.org/fhirpath/N1/#math>, in decimals without rounding errors.

use super::context::EvaluationError;
use super::equality::{number, quantity};
use super::evaluate::{Evaluated, Evaluator};
use super::item::{Collection, Item};
use super::quantity::{Quantity, Unit};
use super::syntax::Operator;
use super::temporal::Moment;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use smallvec::smallvec;
use std::borrow::Cow;

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn calculate(&self, operator: Operator, left: &[Item<'a>], right: &[Item<'a>]) -> Evaluated<'a> {
        let what = "an operand of a calculation";
        let (Some(left), Some(right)) = (self.single(left, what)?, self.single(right, what)?) else {
            return Ok(Collection::new());
        };
        let types = self.context.types;
        let result = match (left.to_system(types), right.to_system(types)) {
            (Item::Integer(a), Item::Integer(b)) => integers(operator, a, b)?,
            (Item::String(a), Item::String(b)) if operator == Operator::Add => {
                self.charge((a.len() + b.len()) / 16)?;
                Some(Item::String(Cow::Owned(format!("{a}{b}"))))
            }
            (Item::Moment(moment), Item::Quantity(duration)) => Some(Item::Moment(shift(operator, moment, &duration)?)),
            (Item::Element(element), _) | (_, Item::Element(element)) => match element.value {
                None => None,
                Some(_) => return Err(EvaluationError::Cannot("a value that is no number".to_owned())),
            },
            (a, b) => match (number(&a), number(&b)) {
                (Some(a), Some(b)) => decimals(operator, a, b)?,
                _ => match (quantity(&a), quantity(&b)) {
                    (Some(a), Some(b)) => quantities(operator, &a, &b)?.map(|q| Item::Quantity(Box::new(q))),
                    _ => return Err(EvaluationError::Fault("a calculation with what is no number".to_owned())),
                },
            },
        };
        Ok(result.into_iter().collect())
    }

    pub(super) fn negate(&self, operand: Collection<'a>) -> Evaluated<'a> {
        let Some(item) = self.single(&operand, "the operand of a sign")? else { return Ok(Collection::new()) };
        Ok(smallvec![match item.to_system(self.context.types) {
            Item::Integer(value) => Item::Integer(value.checked_neg().ok_or_else(out_of_range)?),
            Item::Decimal(value) => Item::Decimal(-value),
            Item::Quantity(quantity) => Item::Quantity(Box::new(Quantity { value: -quantity.value, ..*quantity })),
            _ => return Err(EvaluationError::Fault("a sign before what is no number".to_owned())),
        }])
    }
}

pub(super) fn out_of_range() -> EvaluationError {
    EvaluationError::Cannot("a number out of range".to_owned())
}

/// `None`: a division by zero.
fn integers<'a>(operator: Operator, a: i64, b: i64) -> Result<Option<Item<'a>>, EvaluationError> {
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::IntegerDivide | Operator::Modulo if b == 0 => return Ok(None),
        Operator::IntegerDivide => a.checked_div(b),
        Operator::Modulo => a.checked_rem(b),
        _ => return decimals(operator, a.into(), b.into()),
    };
    result.map(|value| Some(Item::Integer(value))).ok_or_else(out_of_range)
}

fn decimals<'a>(operator: Operator, a: Decimal, b: Decimal) -> Result<Option<Item<'a>>, EvaluationError> {
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide | Operator::IntegerDivide | Operator::Modulo if b.is_zero() => return Ok(None),
        Operator::Divide => a.checked_div(b).map(|quotient| quotient.normalize()),
        Operator::Modulo => a.checked_rem(b),
        Operator::IntegerDivide => {
            let whole = a.checked_div(b).and_then(|q| q.trunc().to_i64()).ok_or_else(out_of_range)?;
            return Ok(Some(Item::Integer(whole)));
        }
        _ => return Err(EvaluationError::Fault("a calculation with what is no number".to_owned())),
    };
    result.map(|value| Some(Item::Decimal(value))).ok_or_else(out_of_range)
}

fn quantities<'a>(
    operator: Operator,
    a: &Quantity<'a>,
    b: &Quantity<'a>,
) -> Result<Option<Quantity<'a>>, EvaluationError> {
    let one = Unit::Ucum(Cow::Borrowed("1"));
    let (value, unit) = match operator {
        Operator::Add | Operator::Subtract => {
            let Some((a, b, unit)) = a.aligned(b, false)? else { return Ok(None) };
            (if operator == Operator::Add { a.checked_add(b) } else { a.checked_sub(b) }, unit)
        }
        Operator::Multiply if a.unit == one => (a.value.checked_mul(b.value), b.unit.clone()),
        Operator::Multiply if b.unit == one => (a.value.checked_mul(b.value), a.unit.clone()),
        Operator::Divide if b.value.is_zero() => return Ok(None),
        Operator::Divide if b.unit == one => (a.value.checked_div(b.value), a.unit.clone()),
        Operator::Divide => match a.aligned(b, false)? {
            Some((a, b, _)) => (a.checked_div(b), one),
            None => return Err(EvaluationError::Cannot(format!("{} / {}", a.unit, b.unit))),
        },
        _ => return Err(EvaluationError::Cannot("this calculation with quantities".to_owned())),
    };
    Ok(Some(Quantity { value: value.ok_or_else(out_of_range)?, unit }))
}

/// <http://hl7.org/fhirpath/N1/#datetime-arithmetic>
fn shift(operator: Operator, moment: Moment, duration: &Quantity<'_>) -> Result<Moment, EvaluationError> {
    let sign = match operator {
        Operator::Add => Decimal::ONE,
        Operator::Subtract => Decimal::NEGATIVE_ONE,
        _ => return Err(EvaluationError::Fault("a date can be added to and subtracted from only".to_owned())),
    };
    let unit = duration
        .duration_unit()
        .ok_or_else(|| EvaluationError::Fault(format!("a date moved by {duration}, which is no time")))?;
    moment
        .plus(sign * duration.value, unit)
        .ok_or_else(|| EvaluationError::Cannot(format!("a date out of the calendar: {moment} moved by {duration}")))
}
