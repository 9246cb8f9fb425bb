//! The codes of outside terminologies that a sender may use and that we can vouch for.
//!
//! The tables of the mapping hold some; `known.tsv` holds system, code and display, one line each, from the mapping specification's verified list.

use std::collections::HashMap;
use std::sync::LazyLock;

type Displays = HashMap<(&'static str, &'static str), &'static str>;

static LISTED: LazyLock<Displays> = LazyLock::new(|| {
    include_str!("known.tsv")
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('\t');
            Some(((cells.next()?, cells.next()?), cells.next()?))
        })
        .collect()
});

/// The list goes before the tables.
static KNOWN: LazyLock<Displays> = LazyLock::new(|| {
    let of_tables = super::rows().map(|(system, code, display)| ((system, code), display));
    of_tables.chain(LISTED.iter().map(|(&code, &display)| (code, display))).collect()
});

/// The display of a code that we know (empty where none is verified), or `None` for a code that we do not.
pub fn display(system: &str, code: &str) -> Option<&'static str> {
    KNOWN.get(&(system, code)).copied()
}

/// Every row of the list: system, code, display.
pub fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    LISTED.iter().map(|(&(system, code), &display)| (system, code, display))
}
