//! The store room: which rows of the index lead to the resources that a test may hold for. Few of them, and only those
//! resources are looked at.

use super::ordered;
use super::plan::Scope;
use super::scan::Scan;
use super::searcher::{Searched, Searcher};
use crate::store::keys::KeyValue;
use crate::store::matching::{Beyond, CompositeTest, Leaf, Test, UnitKey, ValueTest};
use crate::store::rows::{INDEXED_TEXT, NO_NAME, indexed_text};
use crate::store::{TextMatching, UriRelation};
use std::collections::BTreeSet;

/// Up to so many resources lead a search.
pub(super) const FEW: usize = 2000;

/// So few are looked at, whatever else the index could tell of them.
const FEWEST: usize = 16;
const FEWEST_REMOTE: usize = 50;

/// So few are looked for in the index of another filter before it is known how many that has.
const NARROWED: usize = 400;

/// Values of one filter that are looked up each by itself, and how many of them at once.
const MOST_SCANS: usize = 2000;
const SCANS_TOGETHER: usize = 64;

impl Searcher<'_> {
    /// The resources of the scope that the test may hold for, and perhaps some more. `None`: they are not few, or the
    /// index does not tell.
    pub(super) fn few(&self, scope: Scope<'_>, test: &Test) -> Searched<Option<BTreeSet<i64>>> {
        self.up_to(FEW, scope, test)
    }

    /// The same for another number than a few.
    pub(super) fn up_to(&self, most: usize, scope: Scope<'_>, test: &Test) -> Searched<Option<BTreeSet<i64>>> {
        match test {
            Test::All(tests) => {
                let mut fewest: Option<BTreeSet<i64>> = None;
                let (mut led_by, mut is_narrowed) = (0, false);
                let enough = if self.index.is_remote() { FEWEST_REMOTE } else { FEWEST };
                // Who is referred to is known only when all who refer to somebody have been looked at: what needs no other
                // resource leads before that.
                let asks_who_refers = tests.iter().any(Test::asks_who_refers);
                let is_late = |(_, test): &(usize, &Test)| asks_who_refers && test.is_far();
                let (late, first): (Vec<_>, Vec<_>) = tests.iter().enumerate().partition(is_late);
                for (number, test) in first.into_iter().chain(late) {
                    if is_narrowed && ordered(test).is_some() {
                        continue;
                    }
                    // More than another filter has already been found to have would lead nowhere.
                    let most = fewest.as_ref().map_or(most, BTreeSet::len);
                    if let Some(mut found) = self.up_to(most, scope, test)?
                        && fewest.as_ref().is_none_or(|fewest| found.len() < fewest.len())
                    {
                        // That many are found in an index sooner than the other filters' resources are counted.
                        if !is_narrowed && found.len() <= NARROWED {
                            (found, is_narrowed) = self.narrowed(found, tests, number, enough)?;
                        }
                        // To look further would take longer than to look at these.
                        if found.len() <= enough {
                            return Ok(Some(found));
                        }
                        (fewest, led_by) = (Some(found), number);
                    }
                }
                match fewest {
                    Some(fewest) if !is_narrowed => Ok(Some(self.narrowed(fewest, tests, led_by, enough)?.0)),
                    fewest => Ok(fewest),
                }
            }
            Test::Any(tests) => {
                let mut all = BTreeSet::new();
                for test in tests {
                    let Some(found) = self.up_to(most, scope, test)? else { return Ok(None) };
                    all.extend(found);
                    if all.len() > most {
                        return Ok(None);
                    }
                }
                Ok(Some(all))
            }
            Test::Not(_) => Ok(None),
            Test::Leaf(leaf) => match scans(leaf) {
                Some(scans) => self.scanned(scans, most),
                None => self.leaf_by_name(leaf, most),
            },
            Test::Composite(bases) => self.few_composite(bases, most),
            Test::Id(id) => Ok(Some(self.seq(scope.collection, id)?.into_iter().collect())),
            Test::LastUpdated { prefix, low, high } => match Scan::updated(scope.collection, *prefix, *low, *high) {
                Some(scan) => self.scanned(vec![scan], most),
                None => Ok(None),
            },
            Test::Beyond(Beyond::Text { .. } | Beyond::OfType { .. }) => Ok(None),
            Test::Beyond(Beyond::Chain { fields, resource_type, test }) => {
                let Some(targets) = self.few_matches(resource_type, test)? else { return Ok(None) };
                let Some(system) = self.name(resource_type)? else { return Ok(Some(BTreeSet::new())) };
                let scan = |id: &String, field| Scan::token(field, Some(id), Some(system));
                let scans = targets.iter().flat_map(|target| fields.iter().map(|field| scan(&target.id, field.field)));
                self.scanned(scans.collect(), most)
            }
            Test::Beyond(Beyond::Has { resource_type, fields, test }) => {
                let Some(sources) = self.few_matches(resource_type, test)? else { return Ok(None) };
                let Some(own_type) = self.name(scope.resource_type)? else { return Ok(Some(BTreeSet::new())) };
                let mut ids = BTreeSet::new();
                for source in &sources {
                    let of = source.keys.iter().filter(|key| fields.iter().any(|field| field.field == key.field));
                    for key in of {
                        if let KeyValue::Token { system, code } = &key.value
                            && *system == own_type
                        {
                            ids.insert(code.as_str());
                        }
                    }
                }
                Ok(Some(self.find(scope.collection, ids)?.into_iter().collect()))
            }
        }
    }

    /// Those that the index of tokens also has for each other filter that it leads alone, until they are few enough: to
    /// find a resource in an index is a tenth of the work of reading its keys. Also `false`: the index does not tell.
    fn narrowed(
        &self,
        mut found: BTreeSet<i64>,
        tests: &[Test],
        led_by: usize,
        enough: usize,
    ) -> Searched<(BTreeSet<i64>, bool)> {
        for (number, test) in tests.iter().enumerate() {
            if found.len() <= enough {
                break;
            }
            if number != led_by
                && let Some(scan) = ordered(test)
            {
                match self.index.among(&scan, &found)? {
                    Some(fewer) => found = fewer,
                    None => return Ok((found, false)),
                }
            }
        }
        Ok((found, true))
    }

    fn few_composite(&self, bases: &[CompositeTest], most: usize) -> Searched<Option<BTreeSet<i64>>> {
        let mut all = BTreeSet::new();
        for base in bases {
            let mut fewest: Option<BTreeSet<i64>> = None;
            for (part, _) in &base.parts {
                let found = match scans(part) {
                    Some(scans) => self.scanned(scans, most)?,
                    None => None,
                };
                if let Some(found) = found
                    && fewest.as_ref().is_none_or(|fewest| found.len() < fewest.len())
                {
                    fewest = Some(found);
                }
            }
            let Some(found) = fewest else { return Ok(None) };
            all.extend(found);
        }
        Ok((all.len() <= most).then_some(all))
    }

    /// The members of a value set, where they can be listed.
    fn leaf_by_name(&self, leaf: &Leaf, most: usize) -> Searched<Option<BTreeSet<i64>>> {
        let ValueTest::TokenIn(set) = &leaf.value else { return Ok(None) };
        let Some(codes) = set.codes.as_ref().filter(|_| leaf.fields.iter().all(|field| field.is_indexed)) else {
            return Ok(None);
        };
        let mut scans = Vec::new();
        for (system, code) in codes {
            // An element of type code stands without a system.
            for system in [self.name(system)?, Some(NO_NAME)].into_iter().flatten() {
                scans.extend(leaf.fields.iter().map(|field| Scan::token(field.field, Some(code), Some(system))));
            }
        }
        self.scanned(scans, most)
    }

    /// `None`: more than a few.
    fn scanned(&self, scans: Vec<Scan>, most: usize) -> Searched<Option<BTreeSet<i64>>> {
        if scans.len() > MOST_SCANS {
            return Ok(None);
        }
        let mut found = BTreeSet::new();
        for part in scans.chunks(if self.index.is_remote() { SCANS_TOGETHER } else { 1 }) {
            let limit = most + 1 - found.len().min(most);
            found.extend(self.index.scans(part, limit)?.into_iter().flatten());
            if found.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }
}

/// The parts of the index that hold all rows for which the test can hold. `None`: the index is not in such an order.
pub(super) fn scans(leaf: &Leaf) -> Option<Vec<Scan>> {
    if leaf.fields.iter().any(|field| !field.is_indexed) {
        return None;
    }
    let each = |scan: &dyn Fn(i64) -> Vec<Scan>| leaf.fields.iter().flat_map(|field| scan(field.field)).collect();
    Some(match &leaf.value {
        ValueTest::Token { system, code } => each(&|field| vec![Scan::token(field, code.as_ref(), *system)]),
        ValueTest::Uri { relation: UriRelation::Same, uri, none } => each(&|field| {
            let same = Scan::token(field, Some(uri), Some(*none));
            let versions = (!uri.contains('|')).then(|| Scan::versions(field, uri));
            [Some(same), versions].into_iter().flatten().collect()
        }),
        ValueTest::Uri { relation: UriRelation::Above, uri, none } => {
            let ends = uri.char_indices().map(|(at, letter)| at + letter.len_utf8());
            let beginnings: Vec<&str> = ends.filter_map(|end| uri.get(..end)).collect();
            each(&|field| {
                let scan = |beginning: &&str| Scan::token(field, Some(&(*beginning).to_owned()), Some(*none));
                beginnings.iter().map(scan).collect()
            })
        }
        ValueTest::Date { prefix, low, high } => each(&|field| Scan::dates(field, *prefix, *low, *high)),
        ValueTest::Text { matching, text } => {
            let text = match matching {
                TextMatching::Begins | TextMatching::Exact => indexed_text(text),
                TextMatching::Contains => String::new(),
            };
            let is_whole = *matching == TextMatching::Exact && text.len() < INDEXED_TEXT - 8;
            each(&|field| vec![if is_whole { Scan::text(field, &text) } else { Scan::texts(field, &text) }])
        }
        ValueTest::Number(number) => each(&|field| vec![Scan::numbers(field, NO_NAME, number)]),
        ValueTest::Quantity { unit: UnitKey::Any | UnitKey::Words(_), .. } => {
            each(&|field| vec![Scan::all_numbers(field)])
        }
        ValueTest::Quantity { number, unit: UnitKey::Code { canonical, .. } } => each(&|field| {
            let plain = Scan::numbers(field, NO_NAME, number);
            let base = canonical.as_ref().map(|(base, number)| Scan::numbers(field, *base, number));
            [Some(plain), base].into_iter().flatten().collect()
        }),
        // Codes are not in the order of their texts.
        ValueTest::Uri { relation: UriRelation::Below, .. } | ValueTest::TokenIn(_) | ValueTest::Exists => return None,
    })
}
