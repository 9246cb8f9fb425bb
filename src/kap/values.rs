//! Values that keep the sender's text: decimals, instants, quantities, coded words.
//!
//! Precision is clinical information (`0.50` is not `0.5`), and so is the offset of a time, so both are kept as
//! they were written and computed with only where a rule needs it.

use super::records::shared::Code;
use serde::{Deserialize, Serialize};

/// A closed set of the contract's words: an enum that reads, writes and prints its words, and no other.
macro_rules! closed_set {
    ($(#[$meta:meta])* pub enum $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(#[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word of the set, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word as the contract writes it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The member with that word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.as_str() == word)
            }
        }
    };
}
pub(crate) use closed_set;

/// A decimal number with the digits that the sender wrote.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Decimal(serde_json::Number);

/// serde_json hands a decimal out of a `Value` as an `f64` wherever that prints as the same digits, and `0.000001`
/// does, although a number made of that `f64` would print as `1e-6`. The contract takes no exponents, so the plain
/// digits are the sender's.
impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        if number.as_str().contains('e')
            && let Some(plain) = number.as_f64().and_then(|value| value.to_string().parse().ok())
        {
            return Ok(Self(plain));
        }
        Ok(Self(number))
    }
}

impl Decimal {
    /// From digits such as `41.20`; `None` where the text is no JSON number.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// For computing; `None` beyond 28 digits, which the contract's limits exclude.
    pub fn value(&self) -> Option<rust_decimal::Decimal> {
        self.0.as_str().parse().ok()
    }
}

/// A computed mass in mg to six decimals, halves away from zero: finer than any pharmacy measures.
pub fn round_milligrams(computed: rust_decimal::Decimal) -> rust_decimal::Decimal {
    computed.round_dp_with_strategy(6, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

/// A point in time with an offset, as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DateTime(pub String);

impl DateTime {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The instant: the offset decides, not the clock's face.
    pub fn instant(&self) -> Option<jiff::Timestamp> {
        self.0.parse().ok()
    }
}

/// A number with its UCUM unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    pub value: Decimal,
    pub unit: String,
}

/// A word of a closed set, or the sender's own words, with the sender's codes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Termed {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Orders the corrections of one record (mapping specification D-01).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(serde_json::Value);

impl Revision {
    /// The revision as the sender wrote it.
    pub fn text(&self) -> String {
        match &self.0 {
            serde_json::Value::String(instant) => instant.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            other @ (serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_)) => other.to_string(),
        }
    }

    /// From the text that `text` gave.
    pub fn from_text(text: &str) -> Self {
        match text.parse::<i64>() {
            Ok(number) => Self(number.into()),
            Err(_) => Self(text.into()),
        }
    }

    /// Is this one newer (`Greater`), older, or the same? `None`: one counts, the other is an instant.
    pub fn compare(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (&self.0, &other.0) {
            (serde_json::Value::Number(mine), serde_json::Value::Number(theirs)) => {
                Some(mine.as_i64()?.cmp(&theirs.as_i64()?))
            }
            (serde_json::Value::String(mine), serde_json::Value::String(theirs)) => {
                let (mine, theirs): (jiff::Timestamp, jiff::Timestamp) = (mine.parse().ok()?, theirs.parse().ok()?);
                Some(mine.cmp(&theirs))
            }
            _ => None,
        }
    }
}
