//! The safety room: a FHIR date or dateTime as far as rules need it.

use jiff::civil::Date;
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

/// A point or a stretch of time. Elapsed time is true time; days are those of the sender's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The instant, or the first one of the day, month or year.
    pub start: Timestamp,
    /// The same instant, or the last one.
    pub last: Timestamp,
    /// The day by the sender's clock; the first, of a month or year.
    pub day: Date,
    pub last_day: Date,
    offset: Offset,
    /// Was a time of day told?
    pub is_instant: bool,
}

impl Moment {
    /// `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or an instant with an offset. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 10 {
            let pieces = Pieces::parse(text).ok()?;
            let offset = pieces.to_numeric_offset()?;
            let local = pieces.date().to_datetime(pieces.time()?);
            let start = offset.to_timestamp(local).ok()?;
            let day = pieces.date();
            return Some(Self { start, last: start, day, last_day: day, offset, is_instant: true });
        }
        let mut parts = text.split('-');
        let mut next = |digits: usize| -> Option<Option<i16>> {
            let Some(part) = parts.next() else { return Some(None) };
            let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse().ok()).flatten().map(Some)
        };
        let (year, month, day) = (next(4)??, next(2)?, next(2)?);
        let of = |number: Option<i16>| number.and_then(|number| i8::try_from(number).ok());
        let (first, last) = match (of(month), of(day)) {
            (Some(month), Some(day)) => {
                let day = Date::new(year, month, day).ok()?;
                (day, day)
            }
            (Some(month), None) => {
                let first = Date::new(year, month, 1).ok()?;
                (first, first.last_of_month())
            }
            (None, _) => {
                let first = Date::new(year, 1, 1).ok()?;
                (first, first.last_of_year())
            }
        };
        let at = |day: Date| Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok();
        let last_start = at(last)?;
        let last_instant = last_start.checked_add(Span::new().hours(24)).ok()?;
        Some(Self {
            start: at(first)?,
            last: last_instant,
            day: first,
            last_day: last,
            offset: Offset::UTC,
            is_instant: false,
        })
    }

    /// An instant by the clock of another moment.
    pub fn with_start(self, start: Timestamp) -> Self {
        let day = start.to_zoned(TimeZone::fixed(self.offset)).date();
        Self { start, last: start, day, last_day: day, offset: self.offset, is_instant: true }
    }

    /// As a FHIR dateTime.
    pub fn fhir(&self) -> String {
        if self.is_instant {
            self.start.to_zoned(TimeZone::fixed(self.offset)).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        } else if self.day == self.last_day {
            self.day.to_string()
        } else if self.day.month() == self.last_day.month() {
            self.day.strftime("%Y-%m").to_string()
        } else {
            self.day.strftime("%Y").to_string()
        }
    }

    /// For a sentence: day, and minute where it is known.
    pub fn words(&self) -> String {
        if self.is_instant {
            self.start.to_zoned(TimeZone::fixed(self.offset)).strftime("%Y-%m-%d %H:%M").to_string()
        } else {
            self.fhir()
        }
    }

    /// Is it on the other's day or before it, at the earliest; at its instant or before it where both tell one?
    pub fn is_by(&self, other: &Self) -> bool {
        if self.is_instant && other.is_instant { self.start <= other.start } else { self.day <= other.last_day }
    }
}

/// Whole minutes from one instant to another.
pub fn minutes(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).div_euclid(60)
}

/// The instant so many hours later; the end of time where that is further.
pub fn later(from: Timestamp, hours: i64) -> Timestamp {
    from.checked_add(jiff::SignedDuration::from_hours(hours.clamp(-10_000_000, 10_000_000))).unwrap_or(Timestamp::MAX)
}

/// Whole years between two days, as ages are counted.
pub fn years(from: Date, to: Date) -> i64 {
    let full = i64::from(to.year()) - i64::from(from.year());
    if (to.month(), to.day()) < (from.month(), from.day()) { full - 1 } else { full }
}

/// The day so many months later, kept within its month.
pub fn months_later(day: Date, months: i64) -> Date {
    day.checked_add(Span::new().months(months.clamp(0, 12_000))).unwrap_or(Date::MAX)
}

/// Days from one day to another.
pub fn days(from: Date, to: Date) -> i64 {
    i64::from(from.duration_until(to).as_hours() as i32 / 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_stretches_and_instants_are_points() {
        let year = Moment::parse("2024").expect("a year");
        assert_eq!((year.day.to_string(), year.last_day.to_string()), ("2024-01-01".into(), "2024-12-31".into()));
        let month = Moment::parse("2024-02").expect("a month");
        assert_eq!(month.last_day.to_string(), "2024-02-29");
        let instant = Moment::parse("2026-02-02T23:30:00-05:00").expect("an instant");
        assert_eq!(instant.day.to_string(), "2026-02-02", "the sender's day, not that of UTC");
        assert_eq!(instant.fhir(), "2026-02-02T23:30:00-05:00");
        assert_eq!(instant.words(), "2026-02-02 23:30");
        for wrong in ["", "26", "2026-13", "2026-02-30", "2026-02-02T10:00:00", "tomorrow", "2026-2-2", "2026-02-02T"] {
            assert!(Moment::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn age_turns_on_the_birthday() {
        let date = |text: &str| text.parse::<Date>().expect("a date");
        assert_eq!(years(date("1961-05-12"), date("2026-05-11")), 64);
        assert_eq!(years(date("1961-05-12"), date("2026-05-12")), 65);
        assert_eq!(days(date("2026-02-27"), date("2026-03-02")), 3);
        assert_eq!(months_later(date("2025-08-31"), 6).to_string(), "2026-02-28");
    }
}
