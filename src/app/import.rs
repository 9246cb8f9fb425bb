//! `import`: records from files into the store, many at a time, by the same pipeline as over HTTP.
//!
//! A bad record is told and passed over. An import that was broken off is started again: what is stored already stays
//! as it is. Memory is bounded by the bytes of the records under way.

mod lanes;
mod report;
mod source;

pub use report::Tally;

use crate::{
    app::input::InputError,
    config::Config,
    consent::{Door, PermitAll},
    fhir::definitions::AddError,
    ingest::{ContractError, Gateway, IngestError, Kind, Rules, RulesFileError},
    store::StoreError,
};
use indicatif::{ProgressBar, ProgressStyle};
use lanes::Lanes;
use report::Report;
use source::{Found, Source};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    sync::Arc,
};

/// What is to be imported, and where the errors go.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// Files and folders; `-` is standard input.
    pub files: Vec<PathBuf>,
    /// `None`: standard error.
    pub errors: Option<PathBuf>,
}

/// Why nothing, or not all, was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Unreadable(#[from] InputError),
    #[error(
        "there is no record in what was named: files in folders are taken by their names (.json, .ndjson, .jsonl, each perhaps with .gz)"
    )]
    Nothing,
    #[error("cannot open the store: {0}")]
    Open(StoreError),
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Rules(#[from] RulesFileError),
    #[error(transparent)]
    Package(#[from] AddError),
    #[error("cannot write the errors to {}: {source}", path.display())]
    Errors { path: PathBuf, source: io::Error },
    #[error(
        "{done} records were dealt with, then the import ended: {reason}. Started again, it leaves those as they are"
    )]
    Broken { done: u64, reason: String },
}

impl ImportError {
    /// Was nothing started, because the command was not right?
    pub fn is_misuse(&self) -> bool {
        match self {
            Self::Unreadable(_)
            | Self::Nothing
            | Self::Open(_)
            | Self::Rules(_)
            | Self::Package(_)
            | Self::Errors { .. } => true,
            Self::Contract(error) => matches!(error, ContractError::Instruments(_)),
            Self::Broken { .. } => false,
        }
    }
}

/// Imports all files. `tally` counts while it goes on.
pub async fn import(config: &Config, job: &Job, tally: Arc<Tally>) -> Result<(), ImportError> {
    let contract = super::contract(config)?;
    let sources = source::find(&job.files)?;
    let errors = errors(job)?;
    let rules = Rules::load(config.safety_rules.as_deref())?;
    let store = super::store::open(config).map_err(ImportError::Open)?;
    let door = Door::new(store, Arc::new(PermitAll));
    let base = format!("http://{}/fhir", config.listen);
    let definitions = super::definitions(&config.packages)?;
    let parameters = super::parameters(config, &definitions);
    let gateway = Arc::new(Gateway { contract, door, base, rules, parameters });
    let bar = progress(&sources);
    let report = Arc::new(Report::new(Arc::clone(&tally), errors, bar.clone()));
    let lanes = Lanes::start(gateway, Arc::clone(&report));
    let most_bytes = config.body_limit;
    // Reading blocks; it has a thread of its own, which waits for room before it reads on.
    let reading = tokio::task::spawn_blocking(move || {
        let mut lanes = lanes;
        for source in &sources {
            let goes_on = source.records(&bar, most_bytes, &mut |found| lanes.take(found));
            if !goes_on {
                break;
            }
        }
        lanes.finish()
    });
    match reading.await {
        Ok(workers) => workers.join_all().await,
        Err(error) => return Err(ImportError::Broken { done: tally.records(), reason: error.to_string() }),
    };
    let broken = |reason| ImportError::Broken { done: tally.records(), reason };
    report.finish().map_err(broken)?;
    if tally.is_empty() { Err(ImportError::Nothing) } else { Ok(()) }
}

fn errors(job: &Job) -> Result<Box<dyn Write + Send>, ImportError> {
    let Some(path) = &job.errors else { return Ok(Box::new(io::stderr())) };
    let file = File::create(path).map_err(|source| ImportError::Errors { path: path.clone(), source })?;
    Ok(Box::new(BufWriter::new(file)))
}

/// On a terminal alone: elsewhere it stays hidden.
fn progress(sources: &[Source]) -> ProgressBar {
    let sizes: Option<u64> = sources.iter().map(Source::size).sum();
    let (bar, template) = match sizes {
        Some(bytes) => (ProgressBar::new(bytes), "{wide_bar} {percent:>3} %  {msg}  {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Why one record was not taken, a line each: severity, place in the record, sentence.
fn lines(error: &IngestError) -> Vec<String> {
    match error {
        IngestError::Unreadable(faults) => super::map::lines(faults),
        IngestError::Refused(faults) => super::map::lines(faults.errors.iter().chain(&faults.warnings)),
        IngestError::Conflicting { revision } => vec![format!(
            "error: /source/revision: revision {revision} of this record is stored with other content: a correction needs a newer revision"
        )],
        IngestError::Incomparable { stored } => vec![format!(
            "error: /source/revision: revision {stored} of this record is stored: a record's revisions are all numbers or all instants"
        )],
        IngestError::Withdrawn { revision } => vec![format!(
            "error: /source/revision: this record was withdrawn; a revision newer than {revision} would bring it again"
        )],
        IngestError::Stale { .. }
        | IngestError::Contended
        | IngestError::UnknownRecord
        | IngestError::Ambiguous { .. }
        | IngestError::UnknownPatient
        | IngestError::UnknownCourse
        | IngestError::UnknownComposition
        | IngestError::Store(_)
        | IngestError::Rebuild(_)
        | IngestError::Internal(_) => vec![format!("error: {error}")],
    }
}

/// One record on its way.
struct Record {
    found: Found,
    kind: Kind,
}
