//! Codes: one row for each word of the contract that has one.
//!
//! Source: mapping specification §2 and its list of verified codes. A display is left out where the specification
//! does not give the terminology's own words.

pub mod instruments;
mod intake;
pub mod known;
mod tables;

pub use intake::*;
pub use tables::*;

/// A word of the contract and the code that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concept {
    pub word: &'static str,
    pub system: &'static str,
    pub code: &'static str,
    /// The terminology's own words; empty where none are verified.
    pub display: &'static str,
}

/// The row of a word.
pub fn by_word(table: &'static [Concept], word: &str) -> Option<&'static Concept> {
    table.iter().find(|row| row.word == word)
}

/// The row of a code.
pub fn by_code(table: &'static [Concept], system: &str, code: &str) -> Option<&'static Concept> {
    table.iter().find(|row| row.code == code && row.system == system)
}
