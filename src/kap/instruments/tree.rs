//! The kap room: a TOML file that is read field by field, so that all its faults are told at once, each with its line.

use rust_decimal::Decimal;
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One thing that is wrong with a file of the registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileFault {
    pub file: String,
    /// From 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// The field: `scores[0].range.most`; empty for the whole file.
    pub place: String,
    /// What is wrong and what to do.
    pub sentence: String,
}

impl fmt::Display for FileFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file)?;
        if self.line > 0 {
            write!(out, ", line {}", self.line)?;
        }
        if !self.place.is_empty() {
            write!(out, ", {}", self.place)?;
        }
        write!(out, ": {}", self.sentence)
    }
}

/// The text of a file, and what was found wrong with it so far.
pub struct Sheet<'t> {
    file: &'t str,
    text: &'t str,
    faults: RefCell<Vec<FileFault>>,
}

impl<'t> Sheet<'t> {
    pub fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, faults: RefCell::new(Vec::new()) }
    }

    /// The file as a table; its mistakes of syntax are told.
    pub fn parse(&self) -> Spanned<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let start = error.span().map_or(0, |span| span.start);
            self.tell(start, String::new(), format!("This is no TOML: {}.", error.message()));
        }
        table
    }

    pub fn root<'s>(&'s self, table: &'s Spanned<DeTable<'t>>) -> Node<'s> {
        Node { sheet: self, table: table.get_ref(), start: 0, place: String::new(), known: RefCell::default() }
    }

    fn tell(&self, start: usize, place: String, sentence: String) {
        let line = 1 + self.text.get(..start).map_or(0, |before| before.matches('\n').count());
        self.faults.borrow_mut().push(FileFault { file: self.file.to_owned(), line, place, sentence });
    }

    pub fn into_faults(self) -> Vec<FileFault> {
        self.faults.into_inner()
    }
}

/// A table of the file. What is asked for is known; `finish` tells of the rest.
pub struct Node<'s> {
    sheet: &'s Sheet<'s>,
    table: &'s DeTable<'s>,
    start: usize,
    place: String,
    known: RefCell<Vec<&'static str>>,
}

impl<'s> Node<'s> {
    fn value(&self, name: &'static str) -> Option<&'s Spanned<DeValue<'s>>> {
        self.known.borrow_mut().push(name);
        self.table.get(name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    fn inner(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// Something is wrong with this table.
    pub fn fault(&self, sentence: impl Into<String>) {
        self.sheet.tell(self.start, self.place.clone(), sentence.into());
    }

    /// Something is wrong with a field of it, there or not.
    pub fn fault_at(&self, name: &str, sentence: impl Into<String>) {
        let start = self.table.get(name).map_or(self.start, |value| value.span().start);
        self.sheet.tell(start, self.inner(name), sentence.into());
    }

    fn needed<T>(&self, name: &'static str, found: Option<T>) -> Option<T> {
        if found.is_none() && !self.has(name) {
            self.fault_at(name, format!("`{name}` is needed."));
        }
        found
    }

    fn typed<T>(&self, name: &'static str, wanted: &str, read: impl FnOnce(&'s DeValue<'s>) -> Option<T>) -> Option<T> {
        let value = self.value(name)?.get_ref();
        let found = read(value);
        if found.is_none() {
            self.fault_at(name, format!("`{name}` must be {wanted}."));
        }
        found
    }

    /// A text that says something.
    pub fn text(&self, name: &'static str) -> Option<&'s str> {
        let is_text = |text: &&str| !text.trim().is_empty() && text.trim() == *text && text.len() <= 2000;
        self.typed(name, "a text in quotes, not empty, without white space at its ends", |value| {
            value.as_str().filter(is_text)
        })
    }

    pub fn needed_text(&self, name: &'static str) -> Option<&'s str> {
        self.needed(name, self.text(name))
    }

    pub fn flag(&self, name: &'static str) -> Option<bool> {
        self.typed(name, "true or false", DeValue::as_bool)
    }

    pub fn integer(&self, name: &'static str) -> Option<i64> {
        self.typed(name, "a whole number", integer)
    }

    /// A number with its digits.
    pub fn number(&self, name: &'static str) -> Option<Decimal> {
        self.typed(name, "a number", number)
    }

    pub fn needed_number(&self, name: &'static str) -> Option<Decimal> {
        self.needed(name, self.number(name))
    }

    /// One of some words.
    pub fn word<T: Copy>(&self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let known: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        self.typed(name, &format!("one of {}", known.join(", ")), |value| {
            let own = value.as_str()?;
            words.iter().find(|(word, _)| *word == own).map(|(_, meaning)| *meaning)
        })
    }

    pub fn needed_word<T: Copy>(&self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.needed(name, self.word(name, words))
    }

    /// Two whole numbers, `[least, most]`.
    pub fn pair(&self, name: &'static str) -> Option<(i64, i64)> {
        let found = self.typed(name, "two whole numbers, [least, most]", |value| {
            let list: Vec<i64> = value.as_array()?.iter().map(|one| integer(one.get_ref())).collect::<Option<_>>()?;
            <[i64; 2]>::try_from(list).ok()
        });
        if let Some([least, most]) = found
            && least > most
        {
            self.fault_at(
                name,
                format!("The least points ({least}) are more than the most ({most}): turn them round."),
            );
        }
        // Turned round, so that nothing else is told of what rests on them.
        found.map(|[least, most]| (least.min(most), most.max(least)))
    }

    /// A list of texts; none where it is not there.
    pub fn texts(&self, name: &'static str) -> Vec<&'s str> {
        let found = self.typed(name, "a list of texts in quotes", |value| {
            value.as_array()?.iter().map(|one| one.get_ref().as_str()).collect::<Option<Vec<_>>>()
        });
        found.unwrap_or_default()
    }

    /// A list of lists of texts.
    pub fn groups(&self, name: &'static str) -> Vec<Vec<String>> {
        let found = self.typed(name, "a list of lists of texts in quotes", |value| {
            let group = |one: &Spanned<DeValue<'s>>| -> Option<Vec<String>> {
                one.get_ref().as_array()?.iter().map(|text| text.get_ref().as_str().map(str::to_owned)).collect()
            };
            value.as_array()?.iter().map(group).collect::<Option<Vec<_>>>()
        });
        found.unwrap_or_default()
    }

    pub fn table(&self, name: &'static str) -> Option<Node<'s>> {
        let table = self.typed(name, "a table", DeValue::as_table)?;
        let start = self.table.get(name).map_or(self.start, |value| value.span().start);
        Some(Node { sheet: self.sheet, table, start, place: self.inner(name), known: RefCell::default() })
    }

    pub fn needed_table(&self, name: &'static str) -> Option<Node<'s>> {
        self.needed(name, self.table(name))
    }

    /// A list of tables; none where it is not there.
    pub fn tables(&self, name: &'static str) -> Vec<Node<'s>> {
        let found = self.typed(name, "a list of tables", |value| {
            let table = |one: &'s Spanned<DeValue<'s>>| Some((one.span(), one.get_ref().as_table()?));
            value.as_array()?.iter().map(table).collect::<Option<Vec<(Range<usize>, _)>>>()
        });
        found
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(index, (span, table))| Node {
                sheet: self.sheet,
                table,
                start: span.start,
                place: self.inner(&format!("{name}[{index}]")),
                known: RefCell::default(),
            })
            .collect()
    }

    /// Tells of the fields that nobody asked for.
    pub fn finish(&self) {
        let mut known = self.known.borrow().clone();
        known.sort_unstable();
        known.dedup();
        for (name, _) in self.table.iter() {
            let name = name.get_ref();
            if !known.iter().any(|known| *known == name.as_ref()) {
                let all: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                self.fault_at(name, format!("This key is not known. Known here: {}.", all.join(", ")));
            }
        }
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<Decimal> {
    match value.as_float() {
        Some(float) => float.as_str().parse().ok(),
        None => integer(value).map(Decimal::from),
    }
}
