//! The store room: one search under way: what it reads, and how much it has looked at.

use super::index::Index;
use super::lead::FEW;
use super::plan::Scope;
use super::scan::Scan;
use crate::fhir::search::{self, IndexValue};
use crate::store::StoreError;
use crate::store::keys::KeyValue;
use crate::store::matching::{Beyond, FieldTest, Oracle, Subject, Test};
use crate::store::rows::NO_NAME;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

pub(in crate::store) type Searched<T> = Result<T, StoreError>;

/// Resources that one search may look at: some seconds.
const MOST_LOOKS: usize = 1_000_000;

/// A look into a resource's body takes as long as so many looks at its keys.
const BODY_LOOKS: usize = 10;

/// Resources that are asked for at once where that saves time.
pub(super) const TOGETHER: usize = 256;

/// Resources that are kept ready at most: some kilobytes each.
const MOST_NEAR: usize = 4096;

/// Of those that refer to a resource so many are looked at first.
const FIRST_SOURCES: usize = 32;

pub(in crate::store) struct Searcher<'a> {
    pub(super) index: &'a dyn Index,
    looks: Cell<usize>,
    texts: RefCell<HashMap<i64, String>>,
    types: RefCell<HashMap<i64, String>>,
    near: RefCell<Near>,
}

/// What a remote index was asked for ahead of its use.
#[derive(Default)]
struct Near {
    subjects: HashMap<i64, Option<Rc<Subject>>>,
    seqs: HashMap<(i64, String), Option<i64>>,
}

impl<'a> Searcher<'a> {
    pub(super) fn new(index: &'a dyn Index) -> Self {
        Self {
            index,
            looks: Cell::new(0),
            texts: RefCell::default(),
            types: RefCell::default(),
            near: RefCell::default(),
        }
    }

    /// How many resources it has looked at.
    #[cfg(test)]
    pub(super) fn looks(&self) -> usize {
        self.looks.get()
    }

    fn look(&self, looks: usize) -> Searched<()> {
        self.looks.set(self.looks.get() + looks);
        if self.looks.get() > MOST_LOOKS {
            return Err(StoreError::TooCostly(
                "the search would look at too many resources: add a filter that few match, such as a patient, a code or a date",
            ));
        }
        Ok(())
    }

    pub(super) fn collection(&self, resource_type: &str) -> Searched<Option<i64>> {
        self.index.collection(resource_type)
    }

    pub(super) fn name(&self, text: &str) -> Searched<Option<i64>> {
        if text.is_empty() { Ok(Some(NO_NAME)) } else { self.index.name(text) }
    }

    pub(super) fn seq(&self, collection: i64, id: &str) -> Searched<Option<i64>> {
        if self.index.is_remote()
            && let Some(known) = self.near.borrow().seqs.get(&(collection, id.to_owned()))
        {
            return Ok(*known);
        }
        Ok(self.index.seqs(collection, &[id])?.pop().flatten())
    }

    pub(super) fn subject(&self, seq: i64) -> Searched<Option<Rc<Subject>>> {
        self.look(1)?;
        if self.index.is_remote()
            && let Some(known) = self.near.borrow().subjects.get(&seq)
        {
            return Ok(known.clone());
        }
        Ok(self.index.subjects(&[seq])?.pop().flatten().map(Rc::new))
    }

    /// The next resources of a walk; it may have them at hand afterwards.
    pub(super) fn step(&self, scan: &Scan, limit: usize) -> Searched<Vec<i64>> {
        let Some(subjects) = self.index.listed(scan, limit)? else { return self.scan(scan, limit) };
        self.forget_many(limit);
        let seqs = subjects.iter().map(|subject| subject.seq).collect();
        let subjects = subjects.into_iter().map(|subject| (subject.seq, Some(Rc::new(subject))));
        self.near.borrow_mut().subjects.extend(subjects);
        Ok(seqs)
    }

    /// Makes room for so many.
    fn forget_many(&self, coming: usize) {
        let subjects = &mut self.near.borrow_mut().subjects;
        if subjects.len() + coming > MOST_NEAR {
            subjects.clear();
        }
    }

    /// Has these at hand for what comes next.
    pub(super) fn approach(&self, seqs: &[i64]) -> Searched<()> {
        if !self.index.is_remote() {
            return Ok(());
        }
        let is_known = |seq: &i64| self.near.borrow().subjects.contains_key(seq);
        if !seqs.iter().all(is_known) {
            self.forget_many(seqs.len());
            self.fetch(seqs)?;
        }
        Ok(())
    }

    fn fetch(&self, seqs: &[i64]) -> Searched<()> {
        let unknown: Vec<i64> =
            seqs.iter().copied().filter(|seq| !self.near.borrow().subjects.contains_key(seq)).collect();
        for part in unknown.chunks(TOGETHER) {
            let found = self.index.subjects(part)?;
            let found = part.iter().copied().zip(found.into_iter().map(|subject| subject.map(Rc::new)));
            self.near.borrow_mut().subjects.extend(found);
        }
        Ok(())
    }

    /// The same, and also what the test leads to from them.
    pub(super) fn approach_for(&self, seqs: &[i64], test: &Test) -> Searched<()> {
        if !self.index.is_remote() {
            return Ok(());
        }
        self.approach(seqs)?;
        self.follow(&self.at_hand(seqs), test)
    }

    fn at_hand(&self, seqs: &[i64]) -> Vec<Rc<Subject>> {
        let near = self.near.borrow();
        seqs.iter().filter_map(|seq| near.subjects.get(seq)?.clone()).collect()
    }

    fn follow(&self, subjects: &[Rc<Subject>], test: &Test) -> Searched<()> {
        match test {
            Test::Any(tests) => tests.iter().try_for_each(|test| self.follow(subjects, test)),
            Test::All(tests) => {
                // Nothing is followed from those that are out by their keys.
                let (far, near): (Vec<&Test>, Vec<&Test>) = tests.iter().partition(|test| test.is_far());
                let mut left = Vec::new();
                for subject in subjects.iter().filter(|_| !far.is_empty()) {
                    let mut is_in = true;
                    for test in &near {
                        is_in = is_in && test.holds(subject, self)?;
                    }
                    left.extend(is_in.then(|| Rc::clone(subject)));
                }
                far.into_iter().try_for_each(|test| self.follow(&left, test))
            }
            Test::Not(test) => self.follow(subjects, test),
            Test::Beyond(Beyond::Chain { fields, resource_type, test }) => {
                let (Some(system), Some(collection)) = (self.name(resource_type)?, self.collection(resource_type)?)
                else {
                    return Ok(());
                };
                let mut ids = BTreeSet::new();
                for key in subjects.iter().flat_map(|subject| subject.keys.iter()) {
                    if let KeyValue::Token { system: of, code } = &key.value
                        && *of == system
                        && fields.iter().any(|field| field.field == key.field)
                    {
                        ids.insert(code.as_str());
                    }
                }
                let targets = self.find(collection, ids)?;
                // Those that it comes from stay at hand.
                self.fetch(&targets)?;
                self.follow(&self.at_hand(&targets), test)
            }
            Test::Leaf(_)
            | Test::Composite(_)
            | Test::Id(_)
            | Test::LastUpdated { .. }
            | Test::Beyond(Beyond::Text { .. } | Beyond::OfType { .. } | Beyond::Has { .. }) => Ok(()),
        }
    }

    /// The row numbers of resources that are there; it has them at hand afterwards.
    pub(super) fn find(&self, collection: i64, ids: BTreeSet<&str>) -> Searched<Vec<i64>> {
        let ids: Vec<&str> = ids.into_iter().collect();
        let mut all = Vec::with_capacity(ids.len());
        for part in ids.chunks(TOGETHER) {
            let found = self.index.seqs(collection, part)?;
            if self.index.is_remote() {
                let seqs = &mut self.near.borrow_mut().seqs;
                if seqs.len() > MOST_NEAR {
                    seqs.clear();
                }
                seqs.extend(part.iter().map(|id| (collection, (*id).to_owned())).zip(found.iter().copied()));
            }
            all.extend(found.into_iter().flatten());
        }
        Ok(all)
    }

    pub(super) fn scan(&self, scan: &Scan, limit: usize) -> Searched<Vec<i64>> {
        Ok(self.index.scans(std::slice::from_ref(scan), limit)?.pop().unwrap_or_default())
    }

    /// The resources of a type for which a test holds. `None`: the index does not tell that they are few.
    pub(super) fn few_matches(&self, resource_type: &str, test: &Test) -> Searched<Option<Vec<Rc<Subject>>>> {
        let Some(collection) = self.collection(resource_type)? else { return Ok(Some(Vec::new())) };
        let Some(seqs) = self.few(Scope { collection, resource_type }, test)? else { return Ok(None) };
        Ok(Some(self.matches(&seqs, test)?))
    }

    /// Those of the resources for which the test holds.
    pub(super) fn matches(&self, seqs: &BTreeSet<i64>, test: &Test) -> Searched<Vec<Rc<Subject>>> {
        let mut found = Vec::new();
        let seqs: Vec<i64> = seqs.iter().copied().collect();
        for part in seqs.chunks(TOGETHER) {
            self.approach_for(part, test)?;
            for seq in part {
                if let Some(subject) = self.subject(*seq)?
                    && test.holds(&subject, self)?
                {
                    found.push(subject);
                }
            }
        }
        Ok(found)
    }

    pub(super) fn type_of(&self, subject: &Subject) -> Searched<String> {
        if let Some(known) = self.types.borrow().get(&subject.collection) {
            return Ok(known.clone());
        }
        let found = self.index.type_of(subject.collection)?;
        self.types.borrow_mut().insert(subject.collection, found.clone());
        Ok(found)
    }

    /// What a search by text needs is not in the index.
    fn aside(&self, subject: &Subject, fields: &[String], wanted: impl Fn(&IndexValue) -> bool) -> Searched<bool> {
        self.look(BODY_LOOKS)?;
        let body = self.index.body(subject.seq)?;
        let rows = search::extract_aside(&self.type_of(subject)?, &body);
        let rows = rows.map_err(|_| StoreError::Unavailable("a stored resource is not JSON".to_owned()))?;
        Ok(rows.iter().any(|row| fields.iter().any(|field| field == row.field) && wanted(&row.value)))
    }

    fn chain(&self, subject: &Subject, fields: &[FieldTest], resource_type: &str, test: &Test) -> Searched<bool> {
        let (Some(system), Some(collection)) = (self.name(resource_type)?, self.collection(resource_type)?) else {
            return Ok(false);
        };
        for key in subject.keys.iter() {
            let is_of = |field: &FieldTest| field.field == key.field && field.takes(&key.value);
            if let KeyValue::Token { system: of, code } = &key.value
                && *of == system
                && fields.iter().any(is_of)
                && let Some(seq) = self.seq(collection, code)?
                && let Some(target) = self.subject(seq)?
                && test.holds(&target, self)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Does a resource that the index has for a reference have it?
    pub(super) fn refers(&self, seq: i64, (field, id, system): &(i64, String, i64)) -> Searched<bool> {
        Ok(self.subject(seq)?.is_some_and(|source| refers(&source, *field, id, *system)))
    }

    fn has(&self, subject: &Subject, fields: &[FieldTest], test: &Test) -> Searched<bool> {
        let own_type = self.type_of(subject)?;
        let Some(system) = self.name(&own_type)? else { return Ok(false) };
        for field in fields.iter().filter(|field| field.target.as_ref().is_none_or(|(_, name)| *name == own_type)) {
            let mut after = i64::MIN;
            let mut most = FIRST_SOURCES;
            loop {
                // A part at a time: one of the first may do.
                let scan = Scan::token(field.field, Some(&subject.id), Some(system)).after(after);
                let sources = self.scan(&scan, most)?;
                self.approach_for(&sources, test)?;
                for seq in &sources {
                    if let Some(source) = self.subject(*seq)?
                        && refers(&source, field.field, &subject.id, system)
                        && test.holds(&source, self)?
                    {
                        return Ok(true);
                    }
                }
                match sources.last() {
                    Some(last) if sources.len() == most => after = *last,
                    Some(_) | None => break,
                }
                most = FEW;
            }
        }
        Ok(false)
    }
}

fn refers(source: &Subject, field: i64, id: &str, system: i64) -> bool {
    let is_it = |value: &KeyValue| matches!(value, KeyValue::Token { system: of, code } if *of == system && code == id);
    source.keys.iter().any(|key| key.field == field && is_it(&key.value))
}

impl Oracle for Searcher<'_> {
    type Error = StoreError;

    fn text(&self, name: i64) -> Searched<String> {
        if let Some(text) = self.texts.borrow().get(&name) {
            return Ok(text.clone());
        }
        let text = self.index.text(name)?;
        self.texts.borrow_mut().insert(name, text.clone());
        Ok(text)
    }

    fn beyond(&self, test: &Beyond, subject: &Subject) -> Searched<bool> {
        match test {
            Beyond::Text { fields, text } => self.aside(
                subject,
                fields,
                |value| matches!(value, IndexValue::Text(found) if search::normalize(found).starts_with(text)),
            ),
            Beyond::OfType { fields, of, value: wanted } => self.aside(
                subject,
                fields,
                |value| matches!(value, IndexValue::Token { system, code } if system == of && code == wanted),
            ),
            Beyond::Chain { fields, resource_type, test } => self.chain(subject, fields, resource_type, test),
            Beyond::Has { fields, test, .. } => self.has(subject, fields, test),
        }
    }
}
