//! Search in the fhir room: numbers as keys that sort as the numbers do, the span that a searched number covers, and
//! quantities in the base units of UCUM, <https://hl7.org/fhir/R4/search.html#number>,
//! <https://hl7.org/fhir/R4/search.html#quantity>.

use octofhir_ucum::{Number, get_canonical_units};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

pub const UCUM: &str = "http://unitsofmeasure.org";

/// A decimal number of any magnitude as bytes in the order of the numbers: no float, so 0.1 is 0.1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberKey(pub Vec<u8>);

/// Below and above all numbers.
impl NumberKey {
    pub const LOWEST: Self = NumberKey(Vec::new());

    pub fn highest() -> Self {
        NumberKey(vec![0xff])
    }

    /// The digits in pairs behind the place of the first one; of negative numbers all of it turned round.
    fn of(number: Number) -> Self {
        let (digits, exponent) = number.to_integer_and_exponent();
        if digits == 0 {
            return NumberKey(vec![0x80]);
        }
        let all = digits.unsigned_abs().to_string();
        let text = all.trim_end_matches('0');
        // 0.d1d2d3… × 10^place; what is out of range is at its end.
        let place = i64::from(exponent) + i64::try_from(all.len()).unwrap_or(0);
        let place = u16::try_from(place.clamp(-16_000, 16_000) + 16_000).unwrap_or(0);
        let mut key = vec![0x81];
        key.extend(place.to_be_bytes());
        let digits: Vec<u8> = text.bytes().map(|digit| digit - b'0').collect();
        key.extend(digits.chunks(2).map(|pair| pair[0] * 10 + pair.get(1).copied().unwrap_or(0) + 1));
        if number.is_negative() {
            key.iter_mut().for_each(|byte| *byte = 0xfe - *byte);
            // A longer number is further from zero.
            key.push(0xff);
        }
        NumberKey(key)
    }
}

/// A number as it was written.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    value: Number,
    /// Half of what its last digit stands for.
    half: Number,
}

impl Decimal {
    /// `5.4`, `-100`, `1e2`; `None`: no number.
    pub fn parse(text: &str) -> Option<Self> {
        // Who writes more digits does not measure.
        if text.len() > 1000 || text.starts_with('+') {
            return None;
        }
        let value = Number::parse(text).filter(|_| !text.contains(char::is_whitespace))?;
        let (body, exponent) = match text.split_once(['e', 'E']) {
            Some((body, exponent)) => (body, exponent.parse::<i32>().ok().filter(|e| e.abs() < 10_000)?),
            None => (text, 0),
        };
        let decimals = body.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        // R4's own example takes 1e2 for 95 to 105: one digit more than is written.
        let unwritten = i32::from(body.len() != text.len() && !body.contains('.'));
        let place = exponent - i32::try_from(decimals).ok()? - unwritten - 1;
        Some(Self { value, half: Number::from_i64(5).checked_mul(Number::power_of_ten(place))? })
    }

    pub fn key(self) -> NumberKey {
        NumberKey::of(self.value)
    }

    /// The numbers that are this one as precisely as it was written: from the first to before the second.
    pub fn span(self) -> Option<(NumberKey, NumberKey)> {
        self.around(self.half)
    }

    /// A tenth to either side.
    pub fn about(self) -> Option<(NumberKey, NumberKey)> {
        self.around(self.value.abs().checked_mul(Number::power_of_ten(-1))?)
    }

    fn around(self, distance: Number) -> Option<(NumberKey, NumberKey)> {
        let (low, high) = (self.value.checked_sub(distance)?, self.value.checked_add(distance)?);
        Some((NumberKey::of(low), NumberKey::of(high)))
    }

    /// The same quantity in base units. `None`: the unit is none of UCUM's, or its scale is not linear.
    pub fn in_base_units(self, code: &str) -> Option<(Arc<str>, Self)> {
        let unit = base_unit(code)?;
        let value = self.value.checked_mul(unit.factor).and_then(|value| value.checked_add(unit.offset))?;
        let half = self.half.checked_mul(unit.factor)?;
        Some((unit.name, Self { value: rounded(value)?, half }))
    }
}

/// To 15 digits: two ways of writing the same amount then come to the same number.
fn rounded(number: Number) -> Option<Number> {
    let (digits, exponent) = number.to_integer_and_exponent();
    let length = i32::try_from(digits.unsigned_abs().to_string().len()).ok()?;
    let surplus = length - 15;
    if surplus <= 0 {
        return Some(number);
    }
    let divisor = 10i128.checked_pow(u32::try_from(surplus).ok()?)?;
    let half = divisor / 2 * digits.signum();
    let digits = i64::try_from((digits + half) / divisor).ok()?;
    Number::from_i64(digits).checked_mul(Number::power_of_ten(exponent + surplus))
}

#[derive(Clone)]
struct BaseUnit {
    name: Arc<str>,
    factor: Number,
    offset: Number,
}

/// Units that one thread has met: a store meets some dozens. Whoever sends ever new ones starts it anew.
const KEPT_UNITS: usize = 500;

fn base_unit(code: &str) -> Option<BaseUnit> {
    thread_local! {
        static KNOWN: RefCell<HashMap<Box<str>, Option<BaseUnit>>> = RefCell::default();
    }
    if code.len() > 100 {
        return None;
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(unit) = known.get(code) {
            return unit.clone();
        }
        let unit = get_canonical_units(code).ok().map(|unit| BaseUnit {
            name: unit.unit.into(),
            factor: unit.factor,
            offset: unit.offset,
        });
        if known.len() >= KEPT_UNITS {
            known.clear();
        }
        known.insert(code.into(), unit.clone());
        unit
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(text: &str) -> NumberKey {
        Decimal::parse(text).unwrap().key()
    }

    #[test]
    fn span_is_as_wide_as_the_last_digit() {
        for (text, low, high) in [
            ("100", "99.5", "100.5"),
            ("100.00", "99.995", "100.005"),
            ("1e2", "95", "105"),
            ("5.40e-3", "0.005395", "0.005405"),
            ("-3", "-3.5", "-2.5"),
            ("0", "-0.5", "0.5"),
            ("1.5e-245", "1.45e-245", "1.55e-245"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().span(), Some((key(low), key(high))), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "x", "1,5", " 1", "1 ", "+1", "1e", "0x10", "--1", "1e99999999999", &"1".repeat(1001)] {
            assert!(Decimal::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn one_amount_in_two_units_is_one_number() {
        for ((a, unit_a), (b, unit_b)) in [
            (("1", "g"), ("1000", "mg")),
            (("5.4", "mg"), ("5400", "ug")),
            (("1", "[lb_av]"), ("453.59237", "g")),
            (("37", "Cel"), ("310.15", "K")),
            (("98.6", "[degF]"), ("37", "Cel")),
            (("1", "[in_i]"), ("2.54", "cm")),
        ] {
            let base = |text: &str, unit| {
                let (unit, value) = Decimal::parse(text).unwrap().in_base_units(unit).unwrap();
                (unit, value.key())
            };
            assert_eq!(base(a, unit_a), base(b, unit_b), "{a} {unit_a}");
        }
        assert!(Decimal::parse("1").unwrap().in_base_units("tablets of some kind").is_none());
    }

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_the_numbers(a in -10_000i64..10_000, b in -10_000i64..10_000, p in 0u32..5, q in 0u32..5) {
            let of = |n: i64, places: u32| rust_decimal::Decimal::new(n, places);
            let (one, other) = (of(a, p), of(b, q));
            prop_assert_eq!(key(&one.to_string()).cmp(&key(&other.to_string())), one.cmp(&other), "{} {}", one, other);
            prop_assert!(NumberKey::LOWEST < key(&one.to_string()) && key(&one.to_string()) < NumberKey::highest());
        }
    }
}
