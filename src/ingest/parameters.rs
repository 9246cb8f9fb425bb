//! The pipeline: search parameters of the installation's own. A stored SearchParameter that is active gives rows to all that
//! is written, and so does one of a package that the gateway was started with; what was stored before is indexed anew in the background, and then it can be searched by. How far that is
//! is noted in the store, so that a restart goes on where it ended.

use super::{Gateway, IngestError};
use crate::fhir::definitions::SearchParameter as Definition;
use crate::fhir::search::added::{self, Added, MOST_ADDED};
use crate::ingest::timeline::json;
use crate::store::{Filter, FilterValue, SearchQuery};
use serde_json::{Value, json as made};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OnceCell};

/// Resources of one step: other writers wait so long.
const STEP: usize = 200;
/// Steps after which it is noted how far it is.
const NOTED: u64 = 10;
/// Writes that made their rows before a parameter was known are stored by then.
const UNDER_WAY: Duration = Duration::from_secs(2);
/// Several gateways on one store: how often each looks what the others were given, and after which time it is taken for
/// certain that all know of it.
const LOOKED_FOR: Duration = Duration::from_secs(2);
const KNOWN_TO_ALL: Duration = Duration::from_secs(8);
/// After a failure of the store.
const PAUSE: Duration = Duration::from_secs(5);
/// One gateway indexes; the others wait for it.
const INDEXING: &str = "search-parameters";
/// The canonicals that packages gave when a gateway last began.
const OF_PACKAGES: &str = "search-parameters of packages";
const PAGE: usize = 100;

/// The installation's parameters, and how far each is.
#[derive(Default)]
pub struct Parameters {
    /// Those of the packages that the gateway was started with.
    of_packages: Vec<Definition>,
    /// Do other gateways work on the same store?
    shared: bool,
    loaded: OnceCell<()>,
    changed: Notify,
    progress: Mutex<BTreeMap<String, Progress>>,
}

impl Parameters {
    pub fn new(of_packages: Vec<Definition>, shared: bool) -> Self {
        Self { of_packages, shared, ..Self::default() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Canonical of the SearchParameter.
    pub url: String,
    pub code: String,
    pub types: Vec<String>,
    pub state: ProgressState,
    /// Resources that were looked at, and those that got other rows.
    pub looked_at: u64,
    pub changed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgressState {
    Indexing,
    Searchable,
    /// It is stored and active, and cannot be served: why.
    Refused(String),
}

/// A place in the work, as it is noted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    /// Types that are done.
    types: usize,
    /// Row number of the last resource of the type under way.
    after: i64,
    looked_at: u64,
    changed: u64,
    is_done: bool,
}

impl Gateway {
    /// Everything that is written must have the rows of all parameters: whoever writes waits for this, once.
    pub async fn load_parameters(&self) -> Result<(), IngestError> {
        self.parameters.loaded.get_or_try_init(|| async { self.renew_parameters().await.map(drop) }).await.map(drop)
    }

    /// A SearchParameter was written.
    pub fn parameters_changed(&self) {
        self.parameters.changed.notify_one();
    }

    /// How far each is, by canonical.
    pub fn parameter_progress(&self) -> Vec<Progress> {
        self.progress().values().cloned().collect()
    }

    /// Keeps what can be searched by in step with what is stored, for as long as the gateway runs.
    pub async fn keep_parameters(&self) {
        loop {
            match self.follow_parameters().await {
                Ok(()) if self.parameters.shared => {
                    // Another gateway may have been given one.
                    let _ = tokio::time::timeout(LOOKED_FOR, self.parameters.changed.notified()).await;
                }
                Ok(()) => self.parameters.changed.notified().await,
                Err(error) => {
                    tracing::warn!(%error, "search parameters could not be indexed: it is tried again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn follow_parameters(&self) -> Result<(), IngestError> {
        let pending = self.renew_parameters().await?;
        if pending.is_empty() {
            return Ok(());
        }
        let until = if self.parameters.shared { KNOWN_TO_ALL } else { UNDER_WAY };
        tokio::time::sleep(until).await;
        let _alone = self.door.hold(INDEXING).await?;
        for added in pending {
            self.index(&added).await?;
        }
        Ok(())
    }

    /// Reads what is stored, and adds it; gives those of which rows are missing.
    async fn renew_parameters(&self) -> Result<Vec<Added>, IngestError> {
        let mut wanted = Vec::new();
        let mut progress = BTreeMap::new();
        let mut names = BTreeSet::new();
        let of_packages = self.parameters.of_packages.iter().map(|definition| {
            let (url, code, types) = (definition.url.clone(), definition.code.clone(), definition.base.clone());
            (url, code, types, Added::of(definition.clone(), ""))
        });
        let stored = self.stored_parameters().await?.into_iter().map(|(url, resource)| {
            let types = resource["base"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
            let code = resource["code"].as_str().unwrap_or_default().to_owned();
            (url, code, types.collect(), Added::read(&resource))
        });
        for (url, code, types, read) in of_packages.chain(stored) {
            let read = read.and_then(|added| {
                let taken = added.types().iter().find(|base| !names.insert(((*base).clone(), added.code().to_owned())));
                match taken {
                    Some(base) => Err(format!("another SearchParameter gives {base} the parameter {}", added.code())),
                    None if progress.contains_key(&url) => Err("another SearchParameter has its url".to_owned()),
                    None if wanted.len() >= MOST_ADDED => Err(format!("{MOST_ADDED} are served at most")),
                    None => Ok(added),
                }
            });
            let state = match &read {
                Ok(_) => ProgressState::Indexing,
                Err(reason) => ProgressState::Refused(reason.clone()),
            };
            let known = Progress { url: url.clone(), code, types, state, looked_at: 0, changed: 0 };
            progress.entry(url).or_insert(known);
            wanted.extend(read);
        }
        self.note_packages(&progress).await?;
        let mut indexed = BTreeSet::new();
        for added in &wanted {
            let place = self.place(added).await?;
            if place.is_done {
                indexed.insert(added.url().to_owned());
            }
            if let Some(known) = progress.get_mut(added.url()) {
                (known.looked_at, known.changed) = (place.looked_at, place.changed);
            }
        }
        // One that is refused now begins anew when it is wanted again: meanwhile another may have its rows.
        let is_refused = |known: &&Progress| matches!(known.state, ProgressState::Refused(_));
        let refused = progress.values().filter(is_refused).map(|known| known.url.clone());
        let gone = self.progress().keys().filter(|url| !progress.contains_key(*url)).cloned().collect::<Vec<_>>();
        let unwanted: Vec<String> = refused.chain(gone).collect();
        let pending = added::set(wanted, |added| indexed.contains(added.url()));
        for known in progress.values_mut().filter(|known| known.state == ProgressState::Indexing) {
            if !pending.iter().any(|added| added.url() == known.url) {
                known.state = ProgressState::Searchable;
            }
        }
        *self.progress() = progress;
        for url in unwanted {
            if self.door.note(&note(&url)).await?.is_some() {
                self.door.set_note(&note(&url), None).await?;
            }
        }
        Ok(pending)
    }

    /// What was written while a package was not there has no rows of its parameters: those that it no longer gives begin
    /// anew when it is there again.
    async fn note_packages(&self, progress: &BTreeMap<String, Progress>) -> Result<(), IngestError> {
        let now: BTreeSet<String> = self.parameters.of_packages.iter().map(|known| known.url.clone()).collect();
        let before = self.door.note(OF_PACKAGES).await?.unwrap_or_default();
        let before: BTreeSet<String> = serde_json::from_str(&before).unwrap_or_default();
        if before == now {
            return Ok(());
        }
        for url in before.iter().filter(|url| !progress.contains_key(*url)) {
            self.door.set_note(&note(url), None).await?;
        }
        Ok(self.door.set_note(OF_PACKAGES, Some(made!(now).to_string())).await?)
    }

    /// All SearchParameters that are stored and active, with their canonicals, the first stored first.
    async fn stored_parameters(&self) -> Result<Vec<(String, Value)>, IngestError> {
        let active = FilterValue::Token { system: None, code: Some("active".to_owned()) };
        let filters = vec![Filter { parameter: "status".to_owned(), any_of: vec![active] }];
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let query = SearchQuery {
                resource_type: "SearchParameter".to_owned(),
                filters: filters.clone(),
                count: PAGE,
                after,
                ..SearchQuery::default()
            };
            let page = self.inside().search(query).await?;
            for stored in &page.resources {
                let resource = json(stored)?;
                found.push((resource["url"].as_str().unwrap_or_default().to_owned(), resource));
            }
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// Makes the rows of all resources of its types anew, from where it was.
    async fn index(&self, added: &Added) -> Result<(), IngestError> {
        let mut place = self.place(added).await?;
        let mut steps = 0_u64;
        while let Some(resource_type) = added.types().get(place.types) {
            let step = self.door.reindex(resource_type, place.after, STEP).await?;
            place.looked_at += step.looked_at;
            place.changed += step.changed;
            match step.next {
                Some(next) => place.after = next,
                None => (place.types, place.after) = (place.types + 1, 0),
            }
            if let Some(known) = self.progress().get_mut(added.url()) {
                (known.looked_at, known.changed) = (place.looked_at, place.changed);
            }
            steps += 1;
            if steps.is_multiple_of(NOTED) {
                self.note(added, place).await?;
            }
        }
        place.is_done = true;
        self.note(added, place).await?;
        added::indexed(added);
        if let Some(known) = self.progress().get_mut(added.url()) {
            known.state = ProgressState::Searchable;
        }
        tracing::info!(looked_at = place.looked_at, changed = place.changed, "a search parameter was indexed");
        Ok(())
    }

    /// Where the work on it stands; at the beginning if it was another when that was noted.
    async fn place(&self, added: &Added) -> Result<Place, IngestError> {
        let text = self.door.note(&note(added.url())).await?.unwrap_or_default();
        let noted: Value = serde_json::from_str(&text).unwrap_or_default();
        if noted["of"] != digest(added).as_str() {
            return Ok(Place::default());
        }
        let number = |name: &str| noted[name].as_u64().unwrap_or_default();
        Ok(Place {
            types: usize::try_from(number("types")).unwrap_or_default(),
            after: noted["after"].as_i64().unwrap_or_default(),
            looked_at: number("lookedAt"),
            changed: number("changed"),
            is_done: noted["done"] == true,
        })
    }

    async fn note(&self, added: &Added, place: Place) -> Result<(), IngestError> {
        let Place { types, after, looked_at, changed, is_done } = place;
        let text = made!({
            "of": digest(added),
            "types": types,
            "after": after,
            "lookedAt": looked_at,
            "changed": changed,
            "done": is_done,
        });
        Ok(self.door.set_note(&note(added.url()), Some(text.to_string())).await?)
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Progress>> {
        self.parameters.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note(url: &str) -> String {
    format!("search-parameter {url}")
}

fn digest(added: &Added) -> String {
    Sha256::digest(added.definition()).iter().map(|byte| format!("{byte:02x}")).collect()
}
