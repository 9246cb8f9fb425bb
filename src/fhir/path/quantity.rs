//! The fhir room: quantities and their units, <http://hl7.org/fhirpath/N1/#quantity>,
//! <https://hl7.org/fhir/R4/fhirpath.html#quantity>.

use super::context::EvaluationError;
use super::item::decimal;
use rust_decimal::Decimal;
use serde_json::Value;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A number with a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity<'a> {
    pub value: Decimal,
    pub(super) unit: Unit<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Unit<'a> {
    /// A UCUM code; `1` where there is no unit.
    Ucum(Cow<'a, str>),
    Calendar(CalendarUnit),
    /// A code of another system or a unit in words: comparable with itself only.
    Other(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum CalendarUnit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

/// `year`, `days`.
pub(super) fn calendar_unit(word: &str) -> Option<CalendarUnit> {
    Some(match word.strip_suffix('s').unwrap_or(word) {
        "year" => CalendarUnit::Year,
        "month" => CalendarUnit::Month,
        "week" => CalendarUnit::Week,
        "day" => CalendarUnit::Day,
        "hour" => CalendarUnit::Hour,
        "minute" => CalendarUnit::Minute,
        "second" => CalendarUnit::Second,
        "millisecond" => CalendarUnit::Millisecond,
        _ => return None,
    })
}

impl CalendarUnit {
    /// <http://hl7.org/fhirpath/N1/#toquantityunit-string-quantity> counts a year as 365 days and a month as 30.
    fn milliseconds(self) -> i64 {
        match self {
            CalendarUnit::Year => 365 * 86_400_000,
            CalendarUnit::Month => 30 * 86_400_000,
            CalendarUnit::Week => 7 * 86_400_000,
            CalendarUnit::Day => 86_400_000,
            CalendarUnit::Hour => 3_600_000,
            CalendarUnit::Minute => 60_000,
            CalendarUnit::Second => 1_000,
            CalendarUnit::Millisecond => 1,
        }
    }

    /// How many make a year; a year has twelve months.
    pub fn per_year(self) -> i64 {
        if self == CalendarUnit::Month { 12 } else { CalendarUnit::Year.milliseconds() / self.milliseconds() }
    }

    pub fn per_month(self) -> i64 {
        CalendarUnit::Month.milliseconds() / self.milliseconds()
    }

    pub fn per_day(self) -> i64 {
        CalendarUnit::Day.milliseconds() / self.milliseconds()
    }

    fn ucum(self) -> &'static str {
        match self {
            CalendarUnit::Year => "a",
            CalendarUnit::Month => "mo",
            CalendarUnit::Week => "wk",
            CalendarUnit::Day => "d",
            CalendarUnit::Hour => "h",
            CalendarUnit::Minute => "min",
            CalendarUnit::Second => "s",
            CalendarUnit::Millisecond => "ms",
        }
    }

    fn word(self) -> &'static str {
        match self {
            CalendarUnit::Year => "year",
            CalendarUnit::Month => "month",
            CalendarUnit::Week => "week",
            CalendarUnit::Day => "day",
            CalendarUnit::Hour => "hour",
            CalendarUnit::Minute => "minute",
            CalendarUnit::Second => "second",
            CalendarUnit::Millisecond => "millisecond",
        }
    }
}

impl<'a> Quantity<'a> {
    /// One of that unit.
    pub(super) fn with_unit(code: Cow<'a, str>) -> Self {
        Quantity { value: Decimal::ONE, unit: Unit::Ucum(code) }
    }

    pub(super) fn with_calendar_unit(unit: CalendarUnit) -> Self {
        Quantity { value: Decimal::ONE, unit: Unit::Calendar(unit) }
    }

    pub(super) fn without_unit(value: Decimal) -> Self {
        Quantity { value, unit: Unit::Ucum(Cow::Borrowed("1")) }
    }

    /// A FHIR Quantity. With a comparator (`<`) it is no number, and one without value has none either.
    pub(super) fn from_element(value: &'a Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if value.get("comparator").is_some_and(|c| !c.is_null()) {
            return None;
        }
        let number = match value.get("value")? {
            Value::Number(number) => decimal(number.as_str())?,
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        let unit = match (text("system"), text("code"), text("unit")) {
            (Some("http://unitsofmeasure.org"), Some(code), _) => Unit::Ucum(Cow::Borrowed(code)),
            (_, Some(code), _) => Unit::Other(code),
            (_, None, Some(words)) => Unit::Other(words),
            (_, None, None) => Unit::Ucum(Cow::Borrowed("1")),
        };
        Some(Quantity { value: number, unit })
    }

    pub(super) fn unit_text(&self) -> String {
        match &self.unit {
            Unit::Ucum(code) => code.to_string(),
            Unit::Calendar(unit) => unit.word().to_owned(),
            Unit::Other(words) => (*words).to_owned(),
        }
    }

    /// The unit of time for calculations with dates. A year and a month of UCUM are averages, not of the calendar.
    pub(super) fn duration_unit(&self) -> Option<CalendarUnit> {
        match &self.unit {
            Unit::Calendar(unit) => Some(*unit),
            Unit::Ucum(code) => match &**code {
                "wk" => Some(CalendarUnit::Week),
                "d" => Some(CalendarUnit::Day),
                "h" => Some(CalendarUnit::Hour),
                "min" => Some(CalendarUnit::Minute),
                "s" => Some(CalendarUnit::Second),
                "ms" => Some(CalendarUnit::Millisecond),
                // Words in quotes mean the same as without: `2 'days'`.
                word => calendar_unit(word),
            },
            Unit::Other(_) => None,
        }
    }

    /// Both values in one unit, which is returned too: the finer one, or loosely, for `~`, the coarser one.
    /// `Ok(None)`: they measure different things.
    pub(super) fn aligned(
        &self,
        other: &Quantity<'a>,
        loosely: bool,
    ) -> Result<Option<(Decimal, Decimal, Unit<'a>)>, EvaluationError> {
        if self.unit == other.unit {
            return Ok(Some((self.value, other.value, self.unit.clone())));
        }
        let (Some(a), Some(b)) = (self.unit.scale(loosely), other.unit.scale(loosely)) else {
            return Err(EvaluationError::Cannot(format!("how {} and {} relate", self.unit, other.unit)));
        };
        if a.base != b.base {
            return Ok(None);
        }
        let takes_first = (a.factor <= b.factor) != loosely;
        let common = if takes_first { (a.factor, &self.unit) } else { (b.factor, &other.unit) };
        let scaled = |value: Decimal, factor: Decimal| {
            value.checked_mul(factor).and_then(|v| v.checked_div(common.0)).ok_or_else(super::arithmetic::out_of_range)
        };
        Ok(Some((scaled(self.value, a.factor)?, scaled(other.value, b.factor)?, common.1.clone())))
    }

    /// `None`: it measures something else.
    pub(super) fn in_unit_of(self, wanted: &Quantity<'a>) -> Result<Option<Self>, EvaluationError> {
        if self.unit == wanted.unit {
            return Ok(Some(self));
        }
        let Some((a, one, _)) = self.aligned(&Quantity { value: Decimal::ONE, ..wanted.clone() }, true)? else {
            return Ok(None);
        };
        let value = a.checked_div(one).ok_or_else(super::arithmetic::out_of_range)?;
        Ok(Some(Quantity { value, unit: wanted.unit.clone() }))
    }

    pub(super) fn compare(&self, other: &Quantity<'a>, loosely: bool) -> Result<Option<Ordering>, EvaluationError> {
        Ok(self.aligned(other, loosely)?.map(|(a, b, _)| a.cmp(&b)))
    }
}

/// How a unit counts in what it is a multiple of.
struct Scale<'u> {
    base: &'u str,
    factor: Decimal,
}

/// Powers of ten that UCUM's prefixes stand for, longest name first.
const PREFIXES: [(&str, i64, u32); 10] = [
    ("da", 10, 0),
    ("k", 1_000, 0),
    ("h", 100, 0),
    ("M", 1_000_000, 0),
    ("d", 1, 1),
    ("c", 1, 2),
    ("m", 1, 3),
    ("u", 1, 6),
    ("n", 1, 9),
    ("p", 1, 12),
];

impl<'a> Unit<'a> {
    /// The scale of the units that need no more than a prefix. `None`: not known here, as for `mg/dL`. Loosely, for
    /// `~`, a calendar day counts as the 24 hours of UCUM.
    fn scale(&self, loosely: bool) -> Option<Scale<'_>> {
        let code = match self {
            Unit::Ucum(code) => &**code,
            // Seconds are the same in both; years to minutes are not, or not surely.
            Unit::Calendar(unit @ (CalendarUnit::Second | CalendarUnit::Millisecond)) => unit.ucum(),
            Unit::Calendar(unit) if loosely => unit.ucum(),
            Unit::Calendar(unit @ (CalendarUnit::Year | CalendarUnit::Month)) => {
                return Some(Scale {
                    base: "calendar month",
                    factor: if *unit == CalendarUnit::Year { 12.into() } else { 1.into() },
                });
            }
            Unit::Calendar(unit) => {
                return Some(Scale { base: "s", factor: Decimal::new(unit.milliseconds(), 3) });
            }
            Unit::Other(_) => return None,
        };
        let fixed = match code {
            "1" => ("1", 1),
            "%" => return Some(Scale { base: "1", factor: Decimal::new(1, 2) }),
            "min" => ("s", 60),
            "h" => ("s", 3_600),
            "d" => ("s", 86_400),
            "wk" => ("s", 604_800),
            "mo" => ("mo", 1),
            "a" => ("mo", 12),
            _ => match base_unit(code) {
                Some(base) => (base, 1),
                None => {
                    return PREFIXES.iter().find_map(|(prefix, factor, places)| {
                        let base = code.strip_prefix(prefix).and_then(base_unit)?;
                        Some(Scale { base, factor: Decimal::new(*factor, *places) })
                    });
                }
            },
        };
        Some(Scale { base: fixed.0, factor: fixed.1.into() })
    }
}

fn base_unit(code: &str) -> Option<&'static str> {
    ["g", "m", "s", "mol", "L", "V", "Pa", "Hz", "J", "W"]
        .into_iter()
        .find(|known| *known == code)
        .or_else(|| (code == "l").then_some("L"))
}

impl fmt::Display for Unit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unit::Ucum(code) => write!(f, "'{code}'"),
            Unit::Calendar(unit) => f.write_str(unit.word()),
            Unit::Other(words) => write!(f, "'{words}'"),
        }
    }
}

impl fmt::Display for Quantity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.unit)
    }
}
