//! Choices that a seed decides: the same seed makes the same choices on every machine and in every version.

use serde_json::{Number, Value};

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and good enough to choose by. Not for secrets.
#[derive(Debug, Clone)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// The choices of one patient of one seed: no patient's depend on how many came before.
    pub fn new(seed: u64, patient: u64) -> Self {
        let mut of_seed = Self { state: seed };
        Self { state: of_seed.next().wrapping_add(patient.wrapping_mul(0xD1B5_4A32_D192_ED03)) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to `most`, both included; `least` where `most` is below it.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let choices = u64::try_from(most.saturating_sub(least)).unwrap_or(0).saturating_add(1);
        least.saturating_add(i64::try_from(self.next() % choices).unwrap_or(0))
    }

    /// True in so many cases of a hundred.
    pub fn percent(&mut self, share: i64) -> bool {
        self.between(1, 100) <= share
    }

    pub fn pick<T: Copy, const N: usize>(&mut self, choices: &[T; N]) -> T {
        const { assert!(N > 0) };
        choices[usize::try_from(self.next() % N as u64).unwrap_or(0)]
    }

    /// One of a list that may be empty.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let place = self.next().checked_rem(choices.len() as u64)?;
        choices.get(usize::try_from(place).ok()?)
    }
}

/// `scaled` / 10^`places` as a JSON number with exactly so many places: (412, 1) is `41.2`.
pub fn decimal(scaled: i64, places: usize) -> Value {
    let (sign, digits) = (if scaled < 0 { "-" } else { "" }, scaled.unsigned_abs().to_string());
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let text = if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") };
    text.parse::<Number>().map_or(Value::from(scaled), Value::Number)
}

/// A quantity of the contract.
pub fn quantity(scaled: i64, places: usize, unit: &str) -> Value {
    serde_json::json!({ "value": decimal(scaled, places), "unit": unit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_the_places_that_were_asked_for() {
        let texts =
            [(412, 1), (50, 2), (-7, 2), (3, 0), (0, 1)].map(|(scaled, places)| decimal(scaled, places).to_string());
        assert_eq!(texts, ["41.2", "0.50", "-0.07", "3", "0.0"]);
    }

    #[test]
    fn a_patients_choices_depend_on_the_seed_and_on_nothing_before() {
        let draw = |seed, patient| {
            let mut chance = Chance::new(seed, patient);
            (0..8).map(|_| chance.between(0, 999)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, 3), draw(7, 3));
        assert_ne!(draw(7, 3), draw(7, 4));
        assert_ne!(draw(7, 3), draw(8, 3));
    }

    #[test]
    fn a_number_stays_between_its_bounds() {
        let mut chance = Chance::new(1, 1);
        assert!((0..1000).all(|_| (-3..=4).contains(&chance.between(-3, 4))));
        assert_eq!(chance.between(5, 1), 5);
        assert_eq!(chance.between(i64::MAX - 1, i64::MAX).max(0) / 2, (i64::MAX - 1) / 2);
    }
}
