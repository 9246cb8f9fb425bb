//! The fhir room: whether a code is in a ValueSet or a CodeSystem,
//! <https://hl7.org/fhir/R4/valueset-operation-validate-code.html>.

use super::allowance::Allowance;
use super::code_system::CodeSystem;
use super::filter::passes;
use super::grammar;
use super::library::{Kind, Library, NotHere};
use super::terminology::{Code, Concept, Designation, Lookup, Membership};
use super::value_set::{Part, ValueSet};
use std::collections::HashMap;
use std::sync::Arc;

/// ValueSets that include each other go no deeper; R4's own go three deep.
const MAX_DEPTH: usize = 16;

/// How far a question about one code and ValueSets has come.
pub(super) struct Way<'a> {
    allowance: &'a Allowance,
    depth: usize,
    /// What was told of ValueSets on the way: each is looked at once, however often it is named.
    told: HashMap<Box<str>, Answer>,
    /// Codes of ValueSets that were expanded on the way.
    pub(super) expanded: HashMap<Box<str>, Vec<Arc<Concept>>>,
}

impl<'a> Way<'a> {
    pub(super) fn new(allowance: &'a Allowance) -> Self {
        Self { allowance, depth: 0, told: HashMap::new(), expanded: HashMap::new() }
    }

    /// A question about another code, from here on.
    pub(super) fn about_another(&self) -> Self {
        Self { depth: self.depth, ..Self::new(self.allowance) }
    }

    /// Goes into one more ValueSet for `step`, and comes back; refuses to go too far.
    pub(super) fn into<T>(&mut self, step: impl FnOnce(&mut Self) -> T) -> Result<T, String> {
        if self.depth > MAX_DEPTH {
            return Err(format!("ValueSets include each other more than {MAX_DEPTH} deep, or in a circle"));
        }
        self.spend(1)?;
        self.depth += 1;
        let told = step(self);
        self.depth -= 1;
        Ok(told)
    }

    pub(super) fn spend(&self, steps: usize) -> Result<(), String> {
        self.allowance.spend(steps)
    }

    pub(super) fn allowance(&self) -> &'a Allowance {
        self.allowance
    }
}

/// Yes with the concept, no, or why it cannot be told.
#[derive(Clone)]
pub(super) enum Answer {
    Yes(Arc<Concept>),
    No,
    Unknown(String),
}

impl From<Answer> for Membership {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Yes(concept) => Self::Member(concept),
            Answer::No => Self::NotMember,
            Answer::Unknown(reason) => Self::Unknown(reason),
        }
    }
}

impl Library {
    pub(super) fn value_set(&self, canonical: &str) -> Result<Arc<ValueSet>, String> {
        match self.find(Kind::ValueSet, canonical) {
            Ok(entry) => entry.value_set().map_err(|reason| format!("the ValueSet {canonical} is faulty: {reason}")),
            Err(NotHere::Unknown) => Err(format!("the ValueSet {canonical} is not here")),
            Err(NotHere::OtherVersion(here)) => {
                Err(format!("the ValueSet {canonical} is not here in that version, but as {here}"))
            }
        }
    }

    /// `Ok(None)`: no such CodeSystem is here.
    pub(super) fn code_system(&self, canonical: &str) -> Result<Option<Arc<CodeSystem>>, String> {
        match self.find(Kind::CodeSystem, canonical) {
            Ok(entry) => {
                entry.code_system().map(Some).map_err(|e| format!("the CodeSystem {canonical} is faulty: {e}"))
            }
            Err(NotHere::Unknown) => Ok(None),
            Err(NotHere::OtherVersion(here)) => {
                Err(format!("the CodeSystem {canonical} is not here in that version, but as {here}"))
            }
        }
    }

    /// `system` may carry a version. Without one a code that any version here has is known: what a newer version drops
    /// is still a code of the system.
    pub(super) fn lookup(&self, system: &str, code: &str) -> Lookup {
        let told = match self.code_system(system) {
            Ok(Some(found)) => found.lookup(code),
            Ok(None) => Lookup::Unknown(format!("the CodeSystem {system} is not here")),
            Err(reason) => Lookup::Unknown(reason),
        };
        match told {
            Lookup::Found(_) => told,
            Lookup::NotFound if system.contains('|') => told,
            Lookup::NotFound => {
                let older = self.of_url(Kind::CodeSystem, system).skip(1).filter_map(|entry| entry.code_system().ok());
                let found = older.filter_map(|older| older.find(code).map(|node| Arc::clone(&node.concept))).next();
                found.map_or(Lookup::NotFound, Lookup::Found)
            }
            Lookup::Unknown(reason) => grammar::lookup(system, code).unwrap_or(Lookup::Unknown(reason)),
        }
    }

    pub(super) fn in_value_set(&self, canonical: &str, code: &Code, way: &mut Way) -> Answer {
        if let Some(told) = way.told.get(canonical) {
            return way.spend(1).map_or_else(Answer::Unknown, |()| told.clone());
        }
        let told = way.into(|way| self.in_this_set(canonical, code, way)).unwrap_or_else(Answer::Unknown);
        // The first one is asked about once.
        if way.depth > 0 {
            way.told.insert(canonical.into(), told.clone());
        }
        told
    }

    fn in_this_set(&self, canonical: &str, code: &Code, way: &mut Way) -> Answer {
        let set = match self.value_set(canonical) {
            Ok(set) => set,
            Err(reason) => return Answer::Unknown(reason),
        };
        let composed = set.compose.as_ref().map(|compose| {
            let included = self.in_any(&compose.include, code, way);
            let Answer::Yes(concept) = included else { return included };
            if compose.without_inactive && self.is_inactive(&concept) {
                return Answer::No;
            }
            match self.in_any(&compose.exclude, code, way) {
                Answer::Yes(_) => Answer::No,
                Answer::No => Answer::Yes(concept),
                Answer::Unknown(reason) => Answer::Unknown(reason),
            }
        });
        let expanded = |otherwise| match &set.expansion {
            Some(codes) => listed(codes, code).map_or(Answer::No, |concept| Answer::Yes(Arc::clone(concept))),
            None => Answer::Unknown(otherwise),
        };
        match composed {
            Some(Answer::Unknown(reason)) => expanded(reason),
            Some(told) => told,
            None => expanded(format!("the ValueSet {canonical} does not say what is in it")),
        }
    }

    fn in_any(&self, parts: &[Part], code: &Code, way: &mut Way) -> Answer {
        let mut unknown = None;
        for part in parts {
            if let Err(reason) = way.spend(1 + part.concepts.as_ref().map_or(0, |concepts| concepts.len() / 16)) {
                return Answer::Unknown(reason);
            }
            match self.in_part(part, code, way) {
                Answer::Yes(concept) => return Answer::Yes(concept),
                Answer::No => {}
                Answer::Unknown(reason) => unknown = unknown.or(Some(reason)),
            }
        }
        unknown.map_or(Answer::No, Answer::Unknown)
    }

    /// In all that the part names: its system, its list or its filters, and each of its ValueSets.
    fn in_part(&self, part: &Part, code: &Code, way: &mut Way) -> Answer {
        let mut found = None;
        let mut unknown = None;
        if part.system.is_some() {
            match self.in_system(part, code, way) {
                Answer::Yes(concept) => found = Some(concept),
                Answer::No => return Answer::No,
                Answer::Unknown(reason) => unknown = Some(reason),
            }
        }
        for set in &part.value_sets {
            match self.in_value_set(set, code, way) {
                Answer::Yes(concept) => found = found.or(Some(concept)),
                Answer::No => return Answer::No,
                Answer::Unknown(reason) => unknown = unknown.or(Some(reason)),
            }
        }
        match (unknown, found) {
            (Some(reason), _) => Answer::Unknown(reason),
            (None, Some(concept)) => Answer::Yes(concept),
            (None, None) => Answer::Unknown("a part of the ValueSet names neither system nor ValueSet".into()),
        }
    }

    fn in_system(&self, part: &Part, code: &Code, way: &Way) -> Answer {
        let (Some(system), Some(url)) = (&part.system, part.system_url()) else { return Answer::No };
        if code.system.is_some_and(|given| given != url) {
            return Answer::No;
        }
        let pinned = system.split_once('|').map(|(_, version)| version);
        if pinned.zip(code.version).is_some_and(|(pinned, given)| pinned != given) {
            return Answer::No;
        }
        if let Some(concepts) = &part.concepts {
            return match listed(concepts, code) {
                Some(concept) => Answer::Yes(Arc::clone(concept)),
                None => self.listed_in_other_case(concepts, code, system),
            };
        }
        if part.filters.is_empty() {
            let asked = pinned.or(code.version).map(|version| format!("{url}|{version}"));
            let here = asked.filter(|asked| self.find(Kind::CodeSystem, asked).is_ok() || pinned.is_some());
            return match (self.lookup(here.as_deref().unwrap_or(system), code.code), code.version) {
                (Lookup::Found(concept), _) => Answer::Yes(concept),
                (Lookup::NotFound, Some(version)) if here.is_none() => {
                    Answer::Unknown(format!("the CodeSystem {url} is not here in version {version}"))
                }
                (Lookup::NotFound, _) => Answer::No,
                (Lookup::Unknown(reason), _) => Answer::Unknown(reason),
            };
        }
        let found = match self.code_system(system) {
            Ok(Some(found)) => found,
            Ok(None) => return self.in_grammar(part, system, code),
            Err(reason) => return Answer::Unknown(reason),
        };
        match (found.find(code.code), found.lookup(code.code)) {
            (_, Lookup::Unknown(reason)) => Answer::Unknown(reason),
            (None, _) | (_, Lookup::NotFound) => Answer::No,
            (Some(node), Lookup::Found(_)) => match passes(&found, node, &part.filters, way.allowance()) {
                Ok(true) => Answer::Yes(Arc::clone(&node.concept)),
                Ok(false) => Answer::No,
                Err(reason) => Answer::Unknown(reason),
            },
        }
    }

    fn in_grammar(&self, part: &Part, system: &str, code: &Code) -> Answer {
        match self.lookup(system, code.code) {
            Lookup::Found(concept) => match grammar::passes(system, code.code, &part.filters) {
                Some(true) => Answer::Yes(concept),
                Some(false) => Answer::No,
                None => {
                    Answer::Unknown(format!("the CodeSystem {system} is not here, so its codes cannot be filtered"))
                }
            },
            Lookup::NotFound => Answer::No,
            Lookup::Unknown(reason) => Answer::Unknown(reason),
        }
    }

    /// A list writes codes in one case; a system may not heed it.
    fn listed_in_other_case(&self, concepts: &[Arc<Concept>], code: &Code, system: &str) -> Answer {
        if !concepts.iter().any(|c| c.code.eq_ignore_ascii_case(code.code)) {
            return Answer::No;
        }
        match self.code_system(system) {
            Ok(Some(found)) => match found.lookup(code.code) {
                Lookup::Found(concept) if concepts.iter().any(|c| c.code == concept.code) => Answer::Yes(concept),
                Lookup::Found(_) | Lookup::NotFound => Answer::No,
                Lookup::Unknown(reason) => Answer::Unknown(reason),
            },
            Ok(None) | Err(_) => Answer::No,
        }
    }

    /// A list of codes does not say which are out of use: their system does.
    fn is_inactive(&self, concept: &Concept) -> bool {
        let known = concept.system.as_deref().map(|system| self.lookup(system, &concept.code));
        concept.inactive || matches!(known, Some(Lookup::Found(known)) if known.inactive)
    }

    /// A listed concept with what its system knows of it.
    pub(super) fn completed(&self, concept: &Concept, system: &str) -> Concept {
        let mut concept = concept.clone();
        if let Ok(Some(found)) = self.code_system(system)
            && let Some(node) = found.find(&concept.code)
        {
            concept.is_abstract = node.concept.is_abstract;
            concept.inactive = node.concept.inactive;
            concept.definition.clone_from(&node.concept.definition);
            concept.designations.extend(node.concept.designations.iter().cloned());
            match (&concept.display, &node.concept.display) {
                (None, known) => concept.display = known.clone(),
                (Some(own), Some(known)) if own != known => {
                    concept.designations.push(Designation { language: None, value: known.clone() });
                }
                (Some(_), Some(_) | None) => {}
            }
        }
        concept
    }
}

fn listed<'a>(concepts: &'a [Arc<Concept>], code: &Code) -> Option<&'a Arc<Concept>> {
    let fits = |c: &&Arc<Concept>| c.code == code.code && (code.system.is_none() || c.system.as_deref() == code.system);
    concepts.iter().find(fits)
}
