//! Units: what senders write for a UCUM unit, and what it is in the one that FHIR gets.
//!
//! `mcg` and `µg` are `ug` in UCUM: the sender's word stays beside the code. A rate such as `mcg/kg/min` is converted
//! to the unit of the guide's value set; the sender's figure stays beside it. The contract lists what is understood;
//! the factors are the UCUM library's. Mapping specification D-04.

use octofhir_ucum::{Number, evaluate, parse_expression};
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What FHIR gets, where it is not the sender's unit already.
const CONVERTED: &[(&str, &str)] = &[
    ("ug/kg", "mg/kg"),
    ("ug/min", "mg/min"),
    ("ug/h", "mg/h"),
    ("g/h", "mg/h"),
    ("ug/kg/min", "mg/kg/h"),
    ("ug/kg/h", "mg/kg/h"),
    ("mg/kg/min", "mg/kg/h"),
    ("mL/min", "mL/h"),
];

/// Other words for a part of a unit, between the slashes.
const WORDS: &[(&str, &str)] = &[
    ("mcg", "ug"),
    ("µg", "ug"),
    ("μg", "ug"),
    ("ml", "mL"),
    ("cc", "mL"),
    ("hr", "h"),
    ("lb", "[lb_av]"),
    ("lbs", "[lb_av]"),
    ("in", "[in_i]"),
    ("°C", "Cel"),
    ("degC", "Cel"),
    ("°F", "[degF]"),
    ("degF", "[degF]"),
    ("mmHg", "mm[Hg]"),
    ("mIU", "m[IU]"),
    ("uIU", "u[IU]"),
    ("µIU", "u[IU]"),
    ("μIU", "u[IU]"),
];

/// A unit as it was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// UCUM.
    pub code: &'static str,
    /// What a figure in the sender's unit is multiplied with; one where only the word differs.
    pub factor: Decimal,
}

/// Units that were met before: there are few, and each needs the library once.
static KNOWN: LazyLock<HashMap<&'static str, Unit>> = LazyLock::new(|| {
    CONVERTED.iter().filter_map(|&(from, code)| Some((from, Unit { code, factor: factor(from, code)? }))).collect()
});

/// Units that FHIR gets as they are; the contract lists them.
const KEPT: &[&str] = &[
    "mg",
    "ug",
    "g",
    "mL",
    "mg/kg",
    "kg",
    "[lb_av]",
    "mg/min",
    "mg/h",
    "mg/kg/h",
    "mL/h",
    "mm[Hg]",
    "/min",
    "%",
    "Cel",
    "[degF]",
    "cm",
    "[in_i]",
    "kg/m2",
    "ms",
    "U/L",
    "mg/dL",
    "mmol/L",
    "m[IU]/mL",
    "u[IU]/mL",
    "m[IU]/L",
    "mL/min/{1.73_m2}",
    "g/dL",
    "ng/mL",
    "{troche}",
    "{lozenge}",
    "{tablet}",
    "{capsule}",
    "{suppository}",
    "{spray}",
    "{device}",
];

/// The unit that a word of the contract means; `None` for a word that it does not list.
pub fn understand(word: &str) -> Option<Unit> {
    let kept = |word: &str| KEPT.iter().find(|kept| **kept == word).map(|code| Unit { code, factor: Decimal::ONE });
    if let Some(unit) = kept(word) {
        return Some(unit);
    }
    if word == "bpm" {
        return kept("/min");
    }
    let parts: Vec<&str> =
        word.split('/').map(|part| WORDS.iter().find(|(own, _)| *own == part).map_or(part, |(_, ucum)| ucum)).collect();
    let ucum = parts.join("/");
    kept(&ucum).or_else(|| KNOWN.get(ucum.as_str()).copied())
}

/// A figure in another unit of the same kind, exactly; `None` where there is no such way.
pub fn convert(value: Decimal, from: &str, to: &str) -> Option<Decimal> {
    let unit = understand(from)?;
    let value = value.checked_mul(unit.factor)?;
    if unit.code == to { Some(value) } else { value.checked_mul(factor(unit.code, to)?) }
}

/// The factor between two UCUM units of one dimension, neither of them special (no temperatures). Units with as many
/// slashes are taken part by part: a minute is no finite decimal of an hour, but an hour is 60 minutes.
fn factor(from: &str, to: &str) -> Option<Decimal> {
    let (above, below): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    if above.len() != below.len() {
        return quotient(from, to);
    }
    let mut parts = above.into_iter().zip(below);
    let (from, to) = parts.next()?;
    let product = parts.try_fold(quotient(from, to)?, |product, (from, to)| product.checked_mul(quotient(to, from)?));
    product.map(|product| product.normalize())
}

fn quotient(from: &str, to: &str) -> Option<Decimal> {
    let measure = |code: &str| evaluate(&parse_expression(code).ok()?).ok();
    let (from, to) = (measure(from)?, measure(to)?);
    if !from.is_commensurable(&to) || from.special.is_some() || to.special.is_some() {
        return None;
    }
    decimal(from.factor.checked_div(to.factor)?)
}

fn decimal(number: Number) -> Option<Decimal> {
    let (digits, exponent) = number.to_integer_and_exponent();
    let scale = u32::try_from(exponent.checked_neg()?.max(0)).ok()?;
    let power = u32::try_from(exponent.max(0)).ok()?;
    let digits = digits.checked_mul(10_i128.checked_pow(power)?)?;
    Decimal::try_from_i128_with_scale(digits, scale).ok().map(|found| found.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(word: &str) -> Option<(&'static str, String)> {
        understand(word).map(|unit| (unit.code, unit.factor.to_string()))
    }

    #[test]
    fn what_senders_write_is_understood() {
        for (word, code) in [
            ("mg", "mg"),
            ("mcg", "ug"),
            ("µg", "ug"),
            ("μg", "ug"),
            ("cc", "mL"),
            ("mmHg", "mm[Hg]"),
            ("bpm", "/min"),
            ("lb", "[lb_av]"),
            ("°F", "[degF]"),
            ("mg/kg/hr", "mg/kg/h"),
            ("ml/hr", "mL/h"),
            ("mIU/mL", "m[IU]/mL"),
        ] {
            assert_eq!(unit(word), Some((code, "1".to_owned())), "{word}");
        }
    }

    #[test]
    fn rates_are_converted_exactly() {
        // 1 ug/kg/min = 60 ug/kg/h = 0.06 mg/kg/h.
        assert_eq!(unit("mcg/kg/min"), Some(("mg/kg/h", "0.06".to_owned())));
        assert_eq!(unit("mg/kg/min"), Some(("mg/kg/h", "60".to_owned())));
        assert_eq!(unit("ug/min"), Some(("mg/min", "0.001".to_owned())));
        assert_eq!(unit("mL/min"), Some(("mL/h", "60".to_owned())));
        assert_eq!(unit("mcg/kg"), Some(("mg/kg", "0.001".to_owned())));
    }

    #[test]
    fn every_conversion_has_a_factor_and_a_unit_that_is_kept() {
        assert_eq!(KNOWN.len(), CONVERTED.len());
        assert!(CONVERTED.iter().all(|(_, to)| KEPT.contains(to)));
        assert!(KEPT.iter().all(|code| parse_expression(code).is_ok()));
    }

    #[test]
    fn a_figure_is_converted_within_its_kind_only() {
        let half: Decimal = "500.0".parse().unwrap();
        assert_eq!(convert(half, "mcg", "mg").map(|found| found.normalize().to_string()), Some("0.5".to_owned()));
        assert_eq!(convert(half, "g", "mg").map(|found| found.normalize().to_string()), Some("500000".to_owned()));
        let pounds: Decimal = "100".parse().unwrap();
        assert_eq!(
            convert(pounds, "lb", "kg").map(|found| found.normalize().to_string()),
            Some("45.359237".to_owned())
        );
        for (from, to) in [("mg", "mL"), ("mL", "mg"), ("°F", "Cel"), ("furlong", "cm"), ("", "mg"), ("IU", "mg")] {
            assert_eq!(convert(half, from, to), None, "{from} to {to}");
        }
    }
}
