//! Search in the fhir room: search parameters of the installation's own, <https://hl7.org/fhir/R4/searchparameter.html>.
//!
//! One that is added gives rows to all that is written from then on; what was stored before must be indexed anew, and until
//! then it is pending: no search takes it, for it would miss resources.

use super::{SearchType, catalogue};
use crate::fhir::definitions::SearchParameter as Definition;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

/// Parameters that may be added: each makes rows of every resource of its types.
pub const MOST_ADDED: usize = 200;

/// A SearchParameter that can be added: its definition, and the version that has it. Another version is another parameter,
/// whose rows are made anew: in between others may have been written without them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added(Definition, String);

#[derive(Default)]
struct State {
    /// By canonical: what was added, and whether it can be searched by.
    parameters: BTreeMap<String, (Added, bool)>,
    /// Type and name of those that cannot yet.
    pending: BTreeSet<(String, String)>,
}

static STATE: RwLock<Option<State>> = RwLock::new(None);
/// How many are pending: a search looks no further where none is.
static PENDING: AtomicUsize = AtomicUsize::new(0);
/// Counts changes, for what is made of all parameters.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

impl Added {
    /// Reads a SearchParameter; the reason if it cannot be served. What it may not be: composite, special, of all types at
    /// once, under a name that R4 or a guide has given.
    pub fn read(resource: &Value) -> Result<Self, String> {
        let definition = Definition::read(resource).ok_or("it lacks its url, code or type")?;
        let version = resource["meta"]["versionId"].as_str().unwrap_or_default();
        Self::of(definition, version)
    }

    /// Likewise, of a definition that was read; one of a package has no version here.
    pub fn of(definition: Definition, version: &str) -> Result<Self, String> {
        match SearchType::of_code(&definition.kind) {
            None => return Err(format!("parameters of the type {} are not served", definition.kind)),
            Some(SearchType::Composite) => return Err("composite parameters cannot be added".to_owned()),
            Some(_) => {}
        }
        let is_name = definition.code.starts_with(|first: char| first.is_ascii_alphabetic())
            && definition.code.len() <= 64
            && definition.code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !is_name {
            return Err("its code must be a letter and then letters, digits, - and _, 64 at most".to_owned());
        }
        if definition.base.is_empty() {
            return Err("it has no base: the resource types that it is for".to_owned());
        }
        match definition.base.iter().find_map(|base| catalogue::refusal(&definition, base)) {
            Some(reason) => Err(reason),
            None => Ok(Self(definition, version.to_owned())),
        }
    }

    pub fn url(&self) -> &str {
        &self.0.url
    }

    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The resource types that it is for.
    pub fn types(&self) -> &[String] {
        &self.0.base
    }

    /// All of it on which its rows depend.
    pub fn definition(&self) -> String {
        format!("{:?} {}", self.0, self.1)
    }
}

/// Has exactly these parameters added. Those that were not there as they are now become pending, unless `is_indexed` knows
/// that their rows are made; gives those that are pending.
pub fn set(wanted: Vec<Added>, is_indexed: impl Fn(&Added) -> bool) -> Vec<Added> {
    let mut guard = STATE.write().unwrap_or_else(PoisonError::into_inner);
    let state = guard.get_or_insert_default();
    let mut changed: BTreeSet<String> = BTreeSet::new();
    let mut parameters = BTreeMap::new();
    for added in wanted.into_iter().take(MOST_ADDED) {
        let known = state.parameters.remove(added.url());
        let is_searchable = match &known {
            Some((before, is_searchable)) if *before == added => *is_searchable,
            Some((before, _)) => {
                changed.extend(before.0.base.iter().chain(&added.0.base).cloned());
                false
            }
            None => {
                changed.extend(added.0.base.iter().cloned());
                is_indexed(&added)
            }
        };
        parameters.insert(added.url().to_owned(), (added, is_searchable));
    }
    // Those that are left are no longer wanted.
    changed.extend(state.parameters.values().flat_map(|(added, _)| added.0.base.iter().cloned()));
    state.parameters = parameters;
    renew_pending(state);
    if !changed.is_empty() {
        let all = state.parameters.values().map(|(added, _)| added.0.clone()).collect();
        catalogue::set_added(all, &changed);
        GENERATION.fetch_add(1, Ordering::SeqCst);
    }
    state.parameters.values().filter(|(_, is_searchable)| !is_searchable).map(|(added, _)| added.clone()).collect()
}

/// All rows of that parameter are made: it can be searched by, if it is still the same.
pub fn indexed(added: &Added) {
    let mut guard = STATE.write().unwrap_or_else(PoisonError::into_inner);
    let state = guard.get_or_insert_default();
    if let Some((known, is_searchable)) = state.parameters.get_mut(added.url())
        && known == added
    {
        *is_searchable = true;
    }
    renew_pending(state);
    GENERATION.fetch_add(1, Ordering::SeqCst);
}

fn renew_pending(state: &mut State) {
    let pending = state.parameters.values().filter(|(_, is_searchable)| !is_searchable);
    state.pending =
        pending.flat_map(|(added, _)| added.0.base.iter().map(|base| (base.clone(), added.0.code.clone()))).collect();
    PENDING.store(state.pending.len(), Ordering::Relaxed);
}

/// Is it added, and not all of its rows made?
pub fn is_pending(resource_type: &str, name: &str) -> bool {
    if PENDING.load(Ordering::Relaxed) == 0 {
        return false;
    }
    let guard = STATE.read().unwrap_or_else(PoisonError::into_inner);
    let key = (resource_type.to_owned(), name.to_owned());
    guard.as_ref().is_some_and(|state| state.pending.contains(&key))
}

/// Grows with each change of what can be searched by.
pub fn generation() -> usize {
    GENERATION.load(Ordering::SeqCst)
}
