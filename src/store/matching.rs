//! The store room: whether a resource passes a filter, by its keys, whatever the engine. Names are the engine's numbers.

use super::keys::{Key, KeyValue, Keys};
use super::{CodeSet, DatePrefix, NumberTest, TextMatching, UriRelation};
use crate::fhir::search::{NumberKey, normalize};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A filter, made ready.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Not(Box<Test>),
    Leaf(Leaf),
    Composite(Vec<CompositeTest>),
    Id(String),
    LastUpdated {
        prefix: DatePrefix,
        low: i64,
        high: i64,
    },
    /// What needs more than the keys: the engine answers it.
    Beyond(Beyond),
}

/// A test of single values.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) fields: Vec<FieldTest>,
    pub(super) value: ValueTest,
}

/// A field whose values count.
#[derive(Debug, Clone)]
pub(super) struct FieldTest {
    pub(super) field: i64,
    /// The index has rows of it.
    pub(super) is_indexed: bool,
    /// Only references to that type: its number (if any resource names it) and its name.
    pub(super) target: Option<(Option<i64>, String)>,
}

#[derive(Debug, Clone)]
pub(super) enum ValueTest {
    Exists,
    /// `None`: any.
    Token {
        system: Option<i64>,
        code: Option<String>,
    },
    TokenIn(CodeSet),
    /// `none`: the number of the empty text.
    Uri {
        relation: UriRelation,
        uri: String,
        none: i64,
    },
    Date {
        prefix: DatePrefix,
        low: i64,
        high: i64,
    },
    Text {
        matching: TextMatching,
        /// Normal, unless it is looked for exactly.
        text: String,
    },
    Number(NumberTest),
    Quantity {
        number: NumberTest,
        unit: UnitKey,
    },
}

#[derive(Debug, Clone)]
pub(super) enum UnitKey {
    Any,
    /// A code of a system; where the resource is in base units, the base unit and the number in it.
    Code {
        system: i64,
        code: Option<i64>,
        canonical: Option<(i64, NumberTest)>,
    },
    /// A code or words.
    Words(i64),
}

/// Parts of one element that must all match; of a numbered one the parts must have its number, if they are not of the
/// resource.
#[derive(Debug, Clone)]
pub(super) struct CompositeTest {
    pub(super) is_numbered: bool,
    pub(super) parts: Vec<(Leaf, bool)>,
}

#[derive(Debug, Clone)]
pub(super) enum Beyond {
    /// A text beside a code: it is in the resource's body.
    Text {
        fields: Vec<String>,
        text: String,
    },
    /// An identifier's type, as `system|code`, and its value.
    OfType {
        fields: Vec<String>,
        of: String,
        value: String,
    },
    Chain {
        fields: Vec<FieldTest>,
        resource_type: String,
        test: Box<Test>,
    },
    Has {
        resource_type: String,
        fields: Vec<FieldTest>,
        test: Box<Test>,
    },
}

/// A resource that is looked at.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) seq: i64,
    /// The number of its type.
    pub(super) collection: i64,
    pub(super) id: String,
    pub(super) last_updated: i64,
    pub(super) keys: Keys,
}

/// What the engine knows.
pub(super) trait Oracle {
    type Error;

    /// The text of a name's number.
    fn text(&self, name: i64) -> Result<String, Self::Error>;

    fn beyond(&self, test: &Beyond, subject: &Subject) -> Result<bool, Self::Error>;
}

impl Test {
    pub(super) fn holds<O: Oracle>(&self, subject: &Subject, oracle: &O) -> Result<bool, O::Error> {
        match self {
            Test::Any(tests) => {
                for test in tests {
                    if test.holds(subject, oracle)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::All(tests) => {
                // What the keys tell first: it may spare a way to the body or to other resources.
                for is_far in [false, true] {
                    for test in tests.iter().filter(|test| test.is_far() == is_far) {
                        if !test.holds(subject, oracle)? {
                            return Ok(false);
                        }
                    }
                }
                Ok(true)
            }
            Test::Not(test) => Ok(!test.holds(subject, oracle)?),
            Test::Leaf(leaf) => Ok(!leaf.elements(&subject.keys, oracle)?.is_empty()),
            Test::Composite(bases) => {
                for base in bases {
                    if base.holds(&subject.keys, oracle)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::Id(id) => Ok(subject.id == *id),
            Test::LastUpdated { prefix, low, high } => {
                Ok(date_holds(*prefix, (subject.last_updated, subject.last_updated), (*low, *high)))
            }
            Test::Beyond(beyond) => oracle.beyond(beyond, subject),
        }
    }

    /// Does it need the body, or other resources?
    pub(super) fn is_far(&self) -> bool {
        self.any_beyond(&|_| true)
    }

    /// Does it ask who refers to a resource?
    pub(super) fn asks_who_refers(&self) -> bool {
        self.any_beyond(&|beyond| matches!(beyond, Beyond::Has { .. }))
    }

    fn any_beyond(&self, is_it: &dyn Fn(&Beyond) -> bool) -> bool {
        match self {
            Test::Any(tests) | Test::All(tests) => tests.iter().any(|test| test.any_beyond(is_it)),
            Test::Not(test) => test.any_beyond(is_it),
            Test::Leaf(_) | Test::Composite(_) | Test::Id(_) | Test::LastUpdated { .. } => false,
            Test::Beyond(beyond) => is_it(beyond),
        }
    }
}

impl CompositeTest {
    fn holds<O: Oracle>(&self, keys: &Keys, oracle: &O) -> Result<bool, O::Error> {
        let mut common: Option<BTreeSet<u32>> = None;
        for (part, is_of_resource) in &self.parts {
            let found = part.elements(keys, oracle)?;
            if found.is_empty() {
                return Ok(false);
            }
            if self.is_numbered && !is_of_resource {
                common = Some(match common {
                    None => found,
                    Some(before) => before.intersection(&found).copied().collect(),
                });
            }
        }
        Ok(common.is_none_or(|elements| !elements.is_empty()))
    }
}

impl Leaf {
    /// The numbers of the elements in which a value matches.
    fn elements<O: Oracle>(&self, keys: &Keys, oracle: &O) -> Result<BTreeSet<u32>, O::Error> {
        let mut found = BTreeSet::new();
        for key in keys.iter() {
            let is_of = |field: &FieldTest| field.field == key.field && field.takes(&key.value);
            if self.fields.iter().any(is_of) && self.value.holds(key, oracle)? {
                found.insert(key.element);
            }
        }
        Ok(found)
    }
}

impl FieldTest {
    pub(super) fn takes(&self, value: &KeyValue) -> bool {
        let Some((number, name)) = &self.target else { return true };
        match value {
            // A url names the type before the id.
            KeyValue::Token { system, code } => {
                Some(*system) == *number || code.split('|').next().and_then(|url| url.rsplit('/').nth(1)) == Some(name)
            }
            KeyValue::Date { .. } | KeyValue::Text(_) | KeyValue::Number { .. } | KeyValue::Quantity(_) => true,
        }
    }
}

impl ValueTest {
    pub(super) fn holds<O: Oracle>(&self, key: &Key, oracle: &O) -> Result<bool, O::Error> {
        Ok(match (self, &key.value) {
            (ValueTest::Exists, _) => true,
            (ValueTest::Token { system: wanted, code: wanted_code }, KeyValue::Token { system, code }) => {
                wanted.is_none_or(|wanted| wanted == *system)
                    && wanted_code.as_ref().is_none_or(|wanted| wanted == code)
            }
            (ValueTest::TokenIn(set), KeyValue::Token { system, code }) => (set.holds)(&oracle.text(*system)?, code),
            (ValueTest::Uri { relation, uri, none }, KeyValue::Token { system, code }) => {
                system == none && uri_holds(*relation, code, uri)
            }
            (ValueTest::Date { prefix, low: from, high: to }, KeyValue::Date { low, high }) => {
                date_holds(*prefix, (*low, *high), (*from, *to))
            }
            (ValueTest::Text { matching, text: wanted }, KeyValue::Text(text)) => match matching {
                TextMatching::Begins => normalize(text).starts_with(wanted),
                TextMatching::Contains => normalize(text).contains(wanted),
                TextMatching::Exact => text == wanted,
            },
            (ValueTest::Number(test), KeyValue::Number { low, high }) => number_holds(test, low, high),
            (ValueTest::Quantity { number, unit }, KeyValue::Quantity(quantity)) => match unit {
                UnitKey::Any => number_holds(number, &quantity.low, &quantity.high),
                UnitKey::Code { system, code, canonical } => match (canonical, &quantity.canonical) {
                    (Some((wanted, number)), Some((base, low, high))) => {
                        wanted == base && number_holds(number, low, high)
                    }
                    (_, _) => {
                        *system == quantity.system
                            && *code == Some(quantity.code)
                            && number_holds(number, &quantity.low, &quantity.high)
                    }
                },
                UnitKey::Words(words) => {
                    (*words == quantity.code || *words == quantity.unit)
                        && number_holds(number, &quantity.low, &quantity.high)
                }
            },
            (_, _) => false,
        })
    }
}

fn uri_holds(relation: UriRelation, found: &str, wanted: &str) -> bool {
    match relation {
        UriRelation::Same => {
            found == wanted
                || !wanted.contains('|') && found.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('|'))
        }
        UriRelation::Below => found.starts_with(wanted),
        UriRelation::Above => wanted.starts_with(found),
    }
}

/// The prefixes as R4 defines them on spans. <https://hl7.org/fhir/R4/search.html#prefix>
fn date_holds(prefix: DatePrefix, (low, high): (i64, i64), (from, to): (i64, i64)) -> bool {
    let within = from <= low && high <= to;
    match prefix {
        DatePrefix::Eq => within,
        DatePrefix::Ne => !within,
        DatePrefix::Gt => high > to,
        DatePrefix::Lt => low < from,
        DatePrefix::Ge => high > to || within,
        DatePrefix::Le => low < from || within,
        DatePrefix::Sa => low > to,
        DatePrefix::Eb => high < from,
        DatePrefix::Ap => {
            let (from, to) = about(from, to);
            low <= to && high >= from
        }
    }
}

/// A tenth of the way from now to the date, on either side.
pub(super) fn about(from: i64, to: i64) -> (i64, i64) {
    let now = Timestamp::now().as_microsecond();
    let distance = from.saturating_sub(now).max(now.saturating_sub(to)).max(0);
    (from.saturating_sub(distance / 10), to.saturating_add(distance / 10))
}

/// A number of the resource is as exact as can be, and what it covers with a comparator or as a range is from `low` to
/// `high`.
fn number_holds(test: &NumberTest, low: &NumberKey, high: &NumberKey) -> bool {
    let NumberTest { prefix, value, from, to } = test;
    let within = from <= low && high < to;
    match prefix {
        DatePrefix::Eq => within,
        DatePrefix::Ne => !within,
        DatePrefix::Gt => high > value,
        DatePrefix::Lt => low < value,
        DatePrefix::Ge => high >= value,
        DatePrefix::Le => low <= value,
        DatePrefix::Sa => low > value,
        DatePrefix::Eb => high < value,
        DatePrefix::Ap => low < to && high >= from,
    }
}
