//! A value of a record and where it stands. The pointer is written out only when there is a fault to point at.

use super::fault::{Fault, FaultKind};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

/// Deeper than any field of the contract stands.
const DEEPEST: usize = 10;

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// One value of a record. A field of another type than asked for reads as absent: the schema tells of it.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    value: &'a Value,
    steps: [Option<Step<'a>>; DEEPEST],
}

impl<'a> Place<'a> {
    pub fn record(value: &'a Value) -> Self {
        Self { value, steps: [None; DEEPEST] }
    }

    fn step(self, step: Step<'a>, value: &'a Value) -> Self {
        let mut steps = self.steps;
        if let Some(free) = steps.iter_mut().find(|step| step.is_none()) {
            *free = Some(step);
        }
        Self { value, steps }
    }

    pub fn value(self) -> &'a Value {
        self.value
    }

    /// Deeper than the contract goes: what stands here is unknown to it, and the schema tells of that.
    pub fn is_beyond_the_contract(self) -> bool {
        self.steps[DEEPEST - 2].is_some()
    }

    /// The field, where it stands in the record.
    pub fn at(self, name: &'a str) -> Option<Self> {
        self.value.get(name).map(|value| self.step(Step::Name(name), value))
    }

    pub fn has(self, name: &str) -> bool {
        self.value.get(name).is_some()
    }

    /// The elements of the list in that field; none where there is no list.
    pub fn each(self, name: &'a str) -> impl Iterator<Item = Self> {
        let elements = self.value.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let list = self.step(Step::Name(name), self.value);
        elements.iter().enumerate().map(move |(index, value)| list.step(Step::Index(index), value))
    }

    pub fn text(self, name: &str) -> Option<&'a str> {
        self.value.get(name).and_then(Value::as_str)
    }

    pub fn flag(self, name: &str) -> Option<bool> {
        self.value.get(name).and_then(Value::as_bool)
    }

    pub fn decimal(self, name: &str) -> Option<Decimal> {
        let Value::Number(number) = self.value.get(name)? else { return None };
        number.as_str().parse().ok()
    }

    /// The instant of a date and time: its offset decides, not the clock's face.
    pub fn instant(self, name: &str) -> Option<Timestamp> {
        self.text(name)?.parse().ok()
    }

    pub fn pointer(self) -> String {
        let mut pointer = String::new();
        for step in self.steps.iter().flatten() {
            pointer.push('/');
            match step {
                Step::Name(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Step::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }

    /// The pointer of a field of this object, there or not.
    pub fn pointer_to(self, name: &'a str) -> String {
        self.step(Step::Name(name), self.value).pointer()
    }
}

/// What the rules found.
#[derive(Default)]
pub struct Findings(pub Vec<Fault>);

impl Findings {
    /// A field that is needed because of what stands beside it.
    pub fn needed(&mut self, place: Place, name: &str, sentence: &str) {
        self.0.push(Fault::error(FaultKind::Required, place.pointer_to(name), sentence));
    }

    /// A field that contradicts another.
    pub fn conflict(&mut self, place: Place, name: &str, sentence: impl Into<String>) {
        self.0.push(Fault::error(FaultKind::Invariant, place.pointer_to(name), sentence));
    }

    /// An element that contradicts itself.
    pub fn conflict_here(&mut self, place: Place, sentence: &str) {
        self.0.push(Fault::error(FaultKind::Invariant, place.pointer(), sentence));
    }

    pub fn value(&mut self, place: Place, name: &str, sentence: impl Into<String>) {
        self.0.push(Fault::error(FaultKind::Value, place.pointer_to(name), sentence));
    }

    /// A word that is not in the set of those that are known.
    pub fn code(&mut self, place: Place, name: &str, sentence: impl Into<String>) {
        self.0.push(Fault::error(FaultKind::CodeInvalid, place.pointer_to(name), sentence));
    }

    pub fn warning(&mut self, place: Place, name: &str, sentence: impl Into<String>) {
        self.0.push(Fault::warning(FaultKind::Invariant, place.pointer_to(name), sentence));
    }
}
