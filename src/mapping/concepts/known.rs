//! The codes of outside terminologies that a sender may use and that we can vouch for.
//!
//! `known.tsv` holds system, code and display, one line each, from the mapping specification's verified list.

use std::collections::HashMap;
use std::sync::LazyLock;

static ROWS: LazyLock<HashMap<(&str, &str), &str>> = LazyLock::new(|| {
    include_str!("known.tsv")
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('\t');
            Some(((cells.next()?, cells.next()?), cells.next()?))
        })
        .collect()
});

/// The display of a code that we know (empty where none is verified), or `None` for a code that we do not.
pub fn display(system: &str, code: &str) -> Option<&'static str> {
    ROWS.get(&(system, code)).copied()
}

/// Every row: system, code, display.
pub fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    ROWS.iter().map(|(&(system, code), &display)| (system, code, display))
}
