//! Search in the fhir room: a date of any precision as the span of time that it covers.
//!
//! <https://hl7.org/fhir/R4/search.html#date>

use jiff::civil::Date;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The first and the last microsecond (since 1970-01-01T00:00:00Z) of a FHIR date, dateTime or instant.
///
/// `2026` covers the year, `2026-02-02T15:00:00Z` the second; minutes are the least of a time. What has no offset is
/// read as UTC. `None`: not a date.
pub fn parse_date(text: &str) -> Option<(i64, i64)> {
    match text.split_once('T') {
        None => whole_days(text),
        Some((date, time)) => {
            let (midnight, _) = whole_days(date).filter(|_| date.len() == "2026-02-02".len())?;
            let (low, high) = time_of_day(time)?;
            Some((midnight + low, midnight + high))
        }
    }
}

fn whole_days(text: &str) -> Option<(i64, i64)> {
    let parts: Vec<&str> = text.split('-').collect();
    let (first, last) = match parts[..] {
        [year] => {
            let first = Date::new(digits(year, 4)?, 1, 1).ok()?;
            (first, first.last_of_year())
        }
        [year, month] => {
            let first = Date::new(digits(year, 4)?, digits(month, 2)?, 1).ok()?;
            (first, first.last_of_month())
        }
        [year, month, day] => {
            let date = Date::new(digits(year, 4)?, digits(month, 2)?, digits(day, 2)?).ok()?;
            (date, date)
        }
        _ => return None,
    };
    // Year 0 is no year of FHIR's.
    (first.year() > 0).then_some((midnight(first)?, midnight(last)? + DAY - 1))
}

/// jiff's timestamps end before 9999-12-31, which many write for "no end": so days are counted.
fn midnight(date: Date) -> Option<i64> {
    let days = Date::constant(1970, 1, 1).until(date).ok()?.get_days();
    Some(i64::from(days) * DAY)
}

/// Microseconds from midnight UTC for `hh:mm`, `hh:mm:ss` or `hh:mm:ss.f`, with `Z`, an offset, or neither.
fn time_of_day(text: &str) -> Option<(i64, i64)> {
    let (clock, offset) = match text.find(['Z', '+', '-']) {
        None => (text, 0),
        Some(at) => (text.get(..at)?, offset(text.get(at..)?)?),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, (second, precision)) = match parts[..] {
        [hour, minute] => (hour, minute, (0, MINUTE)),
        [hour, minute, second] => (hour, minute, seconds(second)?),
        _ => return None,
    };
    let low = below(hour, 24)? * HOUR + below(minute, 60)? * MINUTE + second - offset;
    Some((low, low + precision - 1))
}

/// Microseconds, and how many of them the last digit stands for.
fn seconds(text: &str) -> Option<(i64, i64)> {
    let (whole, fraction) = match text.split_once('.') {
        None => (text, None),
        Some((whole, fraction)) => (whole, Some(fraction)),
    };
    // A leap second is the last of its minute.
    let mut micros = below(whole, 61)?.min(59) * SECOND;
    let mut precision = SECOND;
    if let Some(fraction) = fraction {
        if fraction.is_empty() {
            return None;
        }
        for digit in fraction.chars() {
            let digit = i64::from(digit.to_digit(10)?);
            precision /= 10;
            micros += digit * precision;
        }
    }
    // Digits beyond microseconds add nothing.
    Some((micros, precision.max(1)))
}

fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, text) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = text.split_once(':')?;
    let offset = below(hours, 15)? * HOUR + below(minutes, 60)? * MINUTE;
    (offset <= 14 * HOUR).then_some(sign * offset)
}

fn below(text: &str, limit: i64) -> Option<i64> {
    digits::<i64>(text, 2).filter(|number| *number < limit)
}

fn digits<N: std::str::FromStr>(text: &str, length: usize) -> Option<N> {
    let well_formed = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn span(text: &str) -> (String, String) {
        let (low, high) = parse_date(text).unwrap();
        let instant = |micros| format!("{:.6}", Timestamp::from_microsecond(micros).unwrap());
        (instant(low), instant(high))
    }

    #[test]
    fn precision_gives_the_span() {
        for (text, low, high) in [
            ("2026", "2026-01-01T00:00:00.000000Z", "2026-12-31T23:59:59.999999Z"),
            ("2024-02", "2024-02-01T00:00:00.000000Z", "2024-02-29T23:59:59.999999Z"),
            ("1969-12-31", "1969-12-31T00:00:00.000000Z", "1969-12-31T23:59:59.999999Z"),
            ("2026-02-02T15:04Z", "2026-02-02T15:04:00.000000Z", "2026-02-02T15:04:59.999999Z"),
            ("2026-02-02T15:04:05Z", "2026-02-02T15:04:05.000000Z", "2026-02-02T15:04:05.999999Z"),
            ("2026-02-02T15:04:05.1Z", "2026-02-02T15:04:05.100000Z", "2026-02-02T15:04:05.199999Z"),
            ("2026-02-02T15:04:05.123456Z", "2026-02-02T15:04:05.123456Z", "2026-02-02T15:04:05.123456Z"),
            ("2026-02-02T15:04:05.1234569Z", "2026-02-02T15:04:05.123456Z", "2026-02-02T15:04:05.123456Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000000Z", "2016-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(span(text), (low.to_owned(), high.to_owned()), "{text}");
        }
    }

    #[test]
    fn offset_moves_the_span() {
        assert_eq!(span("2026-02-02T23:30:00-08:00").0, "2026-02-03T07:30:00.000000Z");
        assert_eq!(span("2026-01-01T00:30:00+14:00").0, "2025-12-31T10:30:00.000000Z");
        assert_eq!(parse_date("2026-02-02T15:04:05"), parse_date("2026-02-02T15:04:05Z"));
    }

    #[test]
    fn last_day_of_all_is_a_date() {
        let (low, high) = parse_date("9999-12-31").unwrap();
        assert_eq!((low, high - low), (253_402_214_400_000_000, DAY - 1));
        assert!(parse_date("9999-12-31T23:59:59-14:00").is_some());
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "26",
            "20260202",
            "2026-2-2",
            "2026-13",
            "2026-02-30",
            "2026-02-02-02",
            "0000",
            "-2026",
            "+2026",
            "2026-02-02T",
            "2026-02-02T15",
            "2026-02-02T24:00:00Z",
            "2026-02-02T15:60:00Z",
            "2026-02-02T15:00:61Z",
            "2026-02-02T15:00:00.Z",
            "2026-02-02T15:00:00.xZ",
            "2026-02-02T15:00:00ZZ",
            "2026-02-02T15:00:00+14:01",
            "2026-02-02T15:00:00+0100",
            "2026-02T15:00:00Z",
            "2026-02-02 15:00:00Z",
            " 2026",
            "２０２６",
            "2026-02-02T+1:00",
        ] {
            assert_eq!(parse_date(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[0-9TZ:.+-]{0,40}|.{0,20}") {
            if let Some((low, high)) = parse_date(&text) {
                prop_assert!(low <= high);
            }
        }

        #[test]
        fn instants_agree_with_jiff(micros in -60_000_000_000_000_000i64..250_000_000_000_000_000) {
            let text = format!("{:.6}", Timestamp::from_microsecond(micros).unwrap());
            prop_assert_eq!(parse_date(&text), Some((micros, micros)));
        }
    }
}
