//! The fhir room: dates, dateTimes and times that may be known only in part, <http://hl7.org/fhirpath/N1/#date>,
//! <http://hl7.org/fhirpath/N1/#datetime-1>, <http://hl7.org/fhirpath/N1/#datetime-arithmetic>.

use super::quantity::CalendarUnit;
use jiff::civil::{self, DateTime};
use jiff::{SignedDuration, Span};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::cmp::Ordering;
use std::fmt;

/// A date, dateTime or time. What lies below its precision is not known, which makes comparisons three-valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    pub(super) kind: MomentKind,
    pub(super) precision: Precision,
    /// Fields below the precision are the lowest that they can be.
    at: DateTime,
    /// Minutes east of UTC.
    offset: Option<i16>,
    /// Whether it was written with milliseconds; it changes the text only.
    has_fraction: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MomentKind {
    Date,
    DateTime,
    Time,
}

/// Seconds carry their fraction: 10.0 and 10 are equally precise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// Farthest that two offsets lie apart: from -12:00 to +14:00.
const WIDEST_OFFSETS: SignedDuration = SignedDuration::from_hours(26);

/// Reads fixed numbers of digits from the front.
struct Digits<'t>(&'t [u8]);

impl Digits<'_> {
    fn number(&mut self, count: usize) -> Option<i16> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let number = digits.iter().try_fold(0i16, |sum, b| {
            b.is_ascii_digit().then(|| i16::from(b - b'0')).and_then(|d| sum.checked_mul(10)?.checked_add(d))
        })?;
        self.0 = rest;
        Some(number)
    }

    fn field(&mut self) -> Option<i8> {
        self.number(2).and_then(|n| i8::try_from(n).ok())
    }

    fn skip(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Nanoseconds of the digits behind a dot; what lies below a nanosecond is cut off.
    fn fraction(&mut self) -> Option<i32> {
        let length = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(length).filter(|_| length > 0)?;
        self.0 = rest;
        let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        Some(padded.fold(0i32, |sum, b| sum * 10 + i32::from(b - b'0')))
    }
}

impl Moment {
    /// `2020`, `2020-05`, `2020-05-17`.
    pub fn parse_date(text: &str) -> Option<Self> {
        Self::parse(text, MomentKind::Date)
    }

    /// A date, or one with `T`, a time of any precision, and perhaps an offset.
    pub fn parse_date_time(text: &str) -> Option<Self> {
        Self::parse(text, MomentKind::DateTime)
    }

    /// `14`, `14:30`, `14:30:00`, `14:30:00.123`.
    pub fn parse_time(text: &str) -> Option<Self> {
        let mut digits = Digits(text.as_bytes());
        let (precision, time) = clock(&mut digits)?;
        let at = DateTime::from_parts(civil::date(1, 1, 1), time);
        let has_fraction = text.contains('.');
        digits.0.is_empty().then_some(Moment { kind: MomentKind::Time, precision, at, offset: None, has_fraction })
    }

    /// What stands behind the `@` of a literal.
    pub(super) fn parse_literal(text: &str) -> Option<Self> {
        match text.strip_prefix('T') {
            Some(time) => Self::parse_time(time),
            None if text.contains('T') => Self::parse_date_time(text),
            None => Self::parse_date(text),
        }
    }

    fn parse(text: &str, kind: MomentKind) -> Option<Self> {
        let mut digits = Digits(text.as_bytes());
        let year = digits.number(4)?;
        let (mut precision, mut month, mut day) = (Precision::Year, 1, 1);
        if digits.skip(b'-') {
            (precision, month) = (Precision::Month, digits.field()?);
            if digits.skip(b'-') {
                (precision, day) = (Precision::Day, digits.field()?);
            }
        }
        let date = civil::Date::new(year, month, day).ok()?;
        let (mut time, mut offset) = (civil::Time::midnight(), None);
        if digits.skip(b'T') && !digits.0.is_empty() {
            if kind == MomentKind::Date || precision < Precision::Day {
                return None;
            }
            (precision, time) = clock(&mut digits)?;
            offset = zone(&mut digits)?;
        }
        let (at, has_fraction) = (DateTime::from_parts(date, time), text.contains('.'));
        digits.0.is_empty().then_some(Moment { kind, precision, at, offset, has_fraction })
    }

    pub(super) fn now(zoned: &jiff::Zoned) -> Self {
        Moment {
            kind: MomentKind::DateTime,
            precision: Precision::Second,
            at: zoned.datetime(),
            offset: i16::try_from(zoned.offset().seconds() / 60).ok(),
            has_fraction: true,
        }
    }

    /// A date and a dateTime become each other; a time is neither.
    pub(super) fn is_or_becomes(&self, kind: MomentKind) -> bool {
        (self.kind == MomentKind::Time) == (kind == MomentKind::Time)
    }

    /// As a date; a dateTime loses its time.
    pub(super) fn to_date(self) -> Self {
        let at = DateTime::from_parts(self.at.date(), civil::Time::midnight());
        let precision = self.precision.min(Precision::Day);
        Moment { kind: MomentKind::Date, precision, at, offset: None, has_fraction: false }
    }

    pub(super) fn to_date_time(self) -> Self {
        Moment { kind: MomentKind::DateTime, ..self }
    }

    pub(super) fn to_time(self) -> Self {
        let at = DateTime::from_parts(civil::date(1, 1, 1), self.at.time());
        Moment { kind: MomentKind::Time, at, offset: None, ..self }
    }

    /// The same for all that compare as equal.
    pub(super) fn instant(&self) -> (Precision, DateTime) {
        let east = SignedDuration::from_mins(self.offset.unwrap_or_default().into());
        (self.precision, self.at.saturating_sub(east))
    }

    /// `None`: not known, because one of them is less precise or has no offset.
    pub(super) fn compare(&self, other: &Moment) -> Option<Ordering> {
        let (mut a, mut b) = (self.at, other.at);
        let coarser = self.precision.min(other.precision);
        if coarser >= Precision::Hour && self.offset != other.offset {
            match (self.offset, other.offset) {
                (Some(east), Some(other_east)) => {
                    a = a.checked_sub(SignedDuration::from_mins(i64::from(east))).ok()?;
                    b = b.checked_sub(SignedDuration::from_mins(i64::from(other_east))).ok()?;
                }
                _ => {
                    let apart = a.duration_until(b);
                    return (apart.abs() > WIDEST_OFFSETS).then(|| a.cmp(&b));
                }
            }
        }
        let ordering = fields(a, coarser).cmp(&fields(b, coarser));
        match ordering {
            Ordering::Equal if self.precision != other.precision => None,
            Ordering::Equal | Ordering::Less | Ordering::Greater => Some(ordering),
        }
    }

    /// Whether the two are comparable kinds: a date and a dateTime are.
    pub(super) fn is_comparable_to(&self, other: &Moment) -> bool {
        (self.kind == MomentKind::Time) == (other.kind == MomentKind::Time)
    }

    /// `None`: out of the calendar. Digits behind the point count for seconds only. What is coarser than the unit is
    /// counted in its own precision: `@2014 + 24 months` is `@2016`.
    pub(super) fn plus(&self, amount: Decimal, unit: CalendarUnit) -> Option<Self> {
        let whole = amount.trunc().to_i64()?;
        let (amount, unit) = match (self.precision, unit) {
            (Precision::Year, CalendarUnit::Year) => (whole, CalendarUnit::Year),
            (Precision::Year, _) => (whole.checked_div(unit.per_year())?, CalendarUnit::Year),
            (Precision::Month, CalendarUnit::Year | CalendarUnit::Month) => (whole, unit),
            (Precision::Month, _) => (whole.checked_div(unit.per_month())?, CalendarUnit::Month),
            (Precision::Day, CalendarUnit::Year | CalendarUnit::Month | CalendarUnit::Week | CalendarUnit::Day) => {
                (whole, unit)
            }
            (Precision::Day, _) => (whole.checked_div(unit.per_day())?, CalendarUnit::Day),
            (Precision::Hour | Precision::Minute | Precision::Second, CalendarUnit::Second) => {
                let nanos = amount.checked_mul(Decimal::from(1_000_000_000))?.trunc().to_i64()?;
                return self.moved_by(SignedDuration::from_nanos(nanos));
            }
            (Precision::Hour | Precision::Minute | Precision::Second, _) => (whole, unit),
        };
        let span = match unit {
            CalendarUnit::Year => Span::new().try_years(amount),
            CalendarUnit::Month => Span::new().try_months(amount),
            CalendarUnit::Week => Span::new().try_weeks(amount),
            CalendarUnit::Day => Span::new().try_days(amount),
            CalendarUnit::Hour => return self.moved_by(SignedDuration::try_from_hours(amount)?),
            CalendarUnit::Minute => return self.moved_by(SignedDuration::try_from_mins(amount)?),
            CalendarUnit::Second => return self.moved_by(SignedDuration::from_secs(amount)),
            CalendarUnit::Millisecond => return self.moved_by(SignedDuration::from_millis(amount)),
        };
        if self.kind == MomentKind::Time {
            return None;
        }
        let at = self.at.checked_add(span.ok()?).ok().filter(|at| at.year() >= 1)?;
        Some(Moment { at, ..*self })
    }

    /// A time goes round the clock.
    fn moved_by(&self, duration: SignedDuration) -> Option<Self> {
        let at = if self.kind == MomentKind::Time {
            DateTime::from_parts(self.at.date(), self.at.time().wrapping_add(duration))
        } else {
            self.at.checked_add(duration).ok().filter(|at| at.year() >= 1)?
        };
        // What was not known stays unknown.
        let at = truncated(at, self.precision);
        Some(Moment { at, ..*self })
    }
}

/// The fields down to a precision, those below at their lowest.
fn truncated(at: DateTime, precision: Precision) -> DateTime {
    let (hour, minute, second, nanos) = (at.hour(), at.minute(), at.second(), at.subsec_nanosecond());
    let time = match precision {
        Precision::Year | Precision::Month | Precision::Day => civil::Time::new(0, 0, 0, 0),
        Precision::Hour => civil::Time::new(hour, 0, 0, 0),
        Precision::Minute => civil::Time::new(hour, minute, 0, 0),
        Precision::Second => civil::Time::new(hour, minute, second, nanos),
    };
    DateTime::from_parts(at.date(), time.unwrap_or_default())
}

/// Comparable down to the precision.
fn fields(at: DateTime, precision: Precision) -> [i32; 7] {
    let known = |of: Precision, value: i32| if precision >= of { value } else { 0 };
    [
        i32::from(at.year()),
        known(Precision::Month, at.month().into()),
        known(Precision::Day, at.day().into()),
        known(Precision::Hour, at.hour().into()),
        known(Precision::Minute, at.minute().into()),
        known(Precision::Second, at.second().into()),
        known(Precision::Second, at.subsec_nanosecond()),
    ]
}

/// `14`, `14:30`, `14:30:00.123`; a leap second counts as the second before it.
fn clock(digits: &mut Digits) -> Option<(Precision, civil::Time)> {
    let hour = digits.field()?;
    let (mut precision, mut minute, mut second, mut nanos) = (Precision::Hour, 0, 0, 0);
    if digits.skip(b':') {
        (precision, minute) = (Precision::Minute, digits.field()?);
        if digits.skip(b':') {
            (precision, second) = (Precision::Second, digits.field()?);
            if digits.skip(b'.') {
                nanos = digits.fraction()?;
            }
        }
    }
    let second = if second == 60 { 59 } else { second };
    civil::Time::new(hour, minute, second, nanos).ok().map(|time| (precision, time))
}

/// Outer `None`: not an offset. Inner `None`: there is none.
fn zone(digits: &mut Digits) -> Option<Option<i16>> {
    if digits.0.is_empty() {
        return Some(None);
    }
    if digits.skip(b'Z') {
        return Some(Some(0));
    }
    let sign = if digits.skip(b'-') {
        -1
    } else if digits.skip(b'+') {
        1
    } else {
        return None;
    };
    let hours = digits.number(2)?;
    let minutes = if digits.skip(b':') { digits.number(2)? } else { return None };
    (hours <= 14 && minutes < 60).then_some(Some(sign * (hours * 60 + minutes)))
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at;
        if self.kind != MomentKind::Time {
            write!(f, "{:04}", at.year())?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", at.month())?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", at.day())?;
            }
            if self.precision >= Precision::Hour {
                write!(f, "T")?;
            }
        }
        if self.precision >= Precision::Hour {
            write!(f, "{:02}", at.hour())?;
        }
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", at.minute())?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", at.second())?;
            match at.subsec_nanosecond() {
                0 if !self.has_fraction => {}
                nanos if nanos % 1_000_000 == 0 => write!(f, ".{:03}", nanos / 1_000_000)?,
                nanos => write!(f, ".{nanos:09}")?,
            }
        }
        match self.offset {
            Some(0) => write!(f, "Z"),
            Some(east) => {
                let sign = if east < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", east.abs() / 60, east.abs() % 60)
            }
            None => Ok(()),
        }
    }
}
