//! The fhir room: FHIRPath's mathematics, <http://hl7.org/fhirpath/N1/#math-1>.

use super::misplaced;
use crate::fhir::path::arithmetic::out_of_range;
use crate::fhir::path::context::EvaluationError;
use crate::fhir::path::equality::number;
use crate::fhir::path::evaluate::{Evaluated, Evaluator, Scope};
use crate::fhir::path::item::{Collection, Item};
use crate::fhir::path::quantity::Quantity;
use crate::fhir::path::syntax::{Call, Function, Operator};
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};
use smallvec::smallvec;
use std::cmp::Ordering;
use std::slice;

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn math(
        &self,
        function: Function,
        call: &'a Call,
        input: &[Item<'a>],
        scope: Scope<'_, 'a>,
    ) -> Evaluated<'a> {
        match function {
            Function::Sum => return self.sum(input),
            Function::Avg => {
                let count = smallvec::SmallVec::<[Item<'a>; 1]>::from_iter([Item::Integer(input.len() as i64)]);
                return self.calculate(Operator::Divide, &self.sum(input)?, &count);
            }
            Function::Min => return self.extreme(input, Ordering::Less),
            Function::Max => return self.extreme(input, Ordering::Greater),
            _ => {}
        }
        let Some(item) = self.single(input, "the input of a calculation")? else { return Ok(Collection::new()) };
        let item = item.to_system(self.context.types);
        // For quantities the unit stays.
        let (value, quantity) = match &item {
            Item::Quantity(quantity) => (quantity.value, Some(quantity)),
            Item::Element(element) if element.value.is_none() => return Ok(Collection::new()),
            _ => match number(&item) {
                Some(value) => (value, None),
                None => return Err(EvaluationError::Fault(format!("{}() of what is no number", call.name))),
            },
        };
        let whole =
            |value: Decimal| value.to_i64().map(|value| smallvec![Item::Integer(value)]).ok_or_else(out_of_range);
        let same_kind = |value: Decimal| match (quantity, &item) {
            (Some(quantity), _) => Ok(smallvec![Item::Quantity(Box::new(Quantity { value, ..(**quantity).clone() }))]),
            (None, Item::Integer(_)) => whole(value),
            (None, _) => Ok(smallvec![Item::Decimal(value)]),
        };
        match function {
            Function::Abs => same_kind(value.abs()),
            Function::Ceiling => whole(value.ceil()),
            Function::Floor => whole(value.floor()),
            Function::Truncate => whole(value.trunc()),
            Function::Round => {
                let places = match call.arguments.is_empty() {
                    true => 0,
                    false => match self.integer_argument(call, 0, scope)? {
                        Some(places) => u32::try_from(places)
                            .map_err(|_| EvaluationError::Fault("round() to less than no places".to_owned()))?,
                        None => return Ok(Collection::new()),
                    },
                };
                let rounded = value.round_dp_with_strategy(places.min(28), RoundingStrategy::MidpointAwayFromZero);
                match quantity {
                    Some(_) => same_kind(rounded),
                    None => Ok(smallvec![Item::Decimal(rounded)]),
                }
            }
            Function::Exp => approximate(value, f64::exp),
            Function::Ln => approximate(value, f64::ln),
            Function::Sqrt => approximate(value, f64::sqrt),
            Function::Log => match self.number_argument(call, scope)? {
                Some(base) => {
                    let base = base.to_f64().ok_or_else(out_of_range)?;
                    approximate(value, |value| if base == 10.0 { value.log10() } else { value.log(base) })
                }
                None => Ok(Collection::new()),
            },
            Function::Power => match self.number_argument(call, scope)? {
                Some(exponent) => power(value, exponent, matches!(item, Item::Integer(_))),
                None => Ok(Collection::new()),
            },
            _ => misplaced(call),
        }
    }

    fn number_argument(&self, call: &'a Call, scope: Scope<'_, 'a>) -> Result<Option<Decimal>, EvaluationError> {
        let argument = self.argument(call, 0, scope)?;
        match self.single(&argument, "an argument")?.map(|item| number(&item.to_system(self.context.types))) {
            None => Ok(None),
            Some(Some(value)) => Ok(Some(value)),
            Some(None) => Err(EvaluationError::Fault("an argument that is no number".to_owned())),
        }
    }

    fn sum(&self, input: &[Item<'a>]) -> Evaluated<'a> {
        let mut total: Collection<'a> = input.first().map(|i| i.to_system(self.context.types)).into_iter().collect();
        for item in input.iter().skip(1) {
            self.charge(1)?;
            total = self.calculate(Operator::Add, &total, slice::from_ref(item))?;
        }
        Ok(total)
    }

    fn extreme(&self, input: &[Item<'a>], wanted: Ordering) -> Evaluated<'a> {
        let Some(mut best) = input.first() else { return Ok(Collection::new()) };
        for item in input.iter().skip(1) {
            self.charge(1)?;
            match self.compare(slice::from_ref(item), slice::from_ref(best))? {
                Some(ordering) if ordering == wanted => best = item,
                Some(_) => {}
                None => return Ok(Collection::new()),
            }
        }
        Ok(smallvec![best.clone()])
    }
}

/// The specification leaves the precision of these open; empty where there is no real number.
fn approximate<'a>(value: Decimal, function: impl Fn(f64) -> f64) -> Evaluated<'a> {
    let result = function(value.to_f64().ok_or_else(out_of_range)?);
    if !result.is_finite() {
        return Ok(Collection::new());
    }
    let result = Decimal::from_f64(result).ok_or_else(out_of_range)?;
    Ok(smallvec![Item::Decimal(result.normalize())])
}

/// Exact for whole exponents.
fn power<'a>(value: Decimal, exponent: Decimal, is_integer: bool) -> Evaluated<'a> {
    let whole = exponent.fract().is_zero().then(|| exponent.to_u32()).flatten().filter(|e| *e <= 4_096);
    let Some(exponent_left) = whole else {
        let exponent = exponent.to_f64().ok_or_else(out_of_range)?;
        return approximate(value, |value| value.powf(exponent));
    };
    let (mut result, mut factor, mut left) = (Decimal::ONE, value, exponent_left);
    while left > 0 {
        if left % 2 == 1 {
            result = result.checked_mul(factor).ok_or_else(out_of_range)?;
        }
        left /= 2;
        if left > 0 {
            factor = factor.checked_mul(factor).ok_or_else(out_of_range)?;
        }
    }
    Ok(smallvec![match result.to_i64() {
        Some(result) if is_integer => Item::Integer(result),
        _ => Item::Decimal(result),
    }])
}
