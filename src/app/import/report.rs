//! What became of the records: counts, the errors with their places, the progress bar.

use super::{lines, source::Found};
use crate::ingest::{IngestError, Receipt, RecordOutcome};
use crate::store::WriteOutcome;
use indicatif::{HumanCount, ProgressBar};
use std::sync::Arc;
use std::{
    io::{self, Write},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

/// Counts of an import; they may be read while it goes on.
#[derive(Debug, Default)]
pub struct Tally {
    created: AtomicU64,
    updated: AtomicU64,
    unchanged: AtomicU64,
    older: AtomicU64,
    refused: AtomicU64,
    warnings: AtomicU64,
    resources: AtomicU64,
}

impl Tally {
    /// Records dealt with, whatever became of them.
    pub fn records(&self) -> u64 {
        let counts = [&self.created, &self.updated, &self.unchanged, &self.older, &self.refused];
        counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Records that were not taken.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Versions of resources written.
    pub fn resources(&self) -> u64 {
        self.resources.load(Ordering::Relaxed)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records() == 0
    }

    /// All counts in one line.
    pub fn sentence(&self) -> String {
        let count = |count: &AtomicU64| HumanCount(count.load(Ordering::Relaxed));
        let mut sentence = format!(
            "{} records: {} new, {} corrected, {} there already",
            HumanCount(self.records()),
            count(&self.created),
            count(&self.updated),
            count(&self.unchanged),
        );
        if self.older.load(Ordering::Relaxed) > 0 {
            sentence.push_str(&format!(", {} older than what is stored", count(&self.older)));
        }
        sentence.push_str(&format!(
            ", {} refused; {} resources written; {} warnings",
            count(&self.refused),
            count(&self.resources),
            count(&self.warnings)
        ));
        sentence
    }
}

pub struct Report {
    tally: Arc<Tally>,
    errors: Mutex<Errors>,
    bar: ProgressBar,
    started: Instant,
    /// The store or the file of errors cannot take more.
    is_broken: AtomicBool,
}

struct Errors {
    out: Box<dyn Write + Send>,
    broken: Option<String>,
}

impl Report {
    pub fn new(tally: Arc<Tally>, out: Box<dyn Write + Send>, bar: ProgressBar) -> Self {
        let errors = Mutex::new(Errors { out, broken: None });
        Self { tally, errors, bar, started: Instant::now(), is_broken: AtomicBool::new(false) }
    }

    pub fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }

    pub fn taken(&self, found: &Found, receipt: &Receipt) {
        let is_written = |outcome| match outcome {
            WriteOutcome::Created | WriteOutcome::Updated => true,
            WriteOutcome::Unchanged => false,
        };
        let written = receipt.resources.iter().filter(|resource| is_written(resource.outcome)).count();
        add(&self.tally.resources, written);
        add(&self.tally.warnings, receipt.warnings.len());
        let count = match receipt.outcome {
            RecordOutcome::Created => &self.tally.created,
            // An import withdraws nothing.
            RecordOutcome::Updated | RecordOutcome::Withdrawn => &self.tally.updated,
            RecordOutcome::Unchanged => &self.tally.unchanged,
        };
        add(count, 1);
        self.went_on(found);
    }

    pub fn not_taken(&self, found: &Found, error: &IngestError) {
        match error {
            // What a newer revision has replaced: a file that holds both is imported again without an error.
            IngestError::Stale { .. } => {
                add(&self.tally.older, 1);
                self.went_on(found);
            }
            IngestError::Store(error) => self.broke(format!("{}: {error}", place(found))),
            IngestError::Unreadable(_)
            | IngestError::Refused(_)
            | IngestError::Conflicting { .. }
            | IngestError::Withdrawn { .. }
            | IngestError::Incomparable { .. }
            | IngestError::Contended
            | IngestError::UnknownRecord
            | IngestError::Ambiguous { .. }
            | IngestError::UnknownPatient
            | IngestError::UnknownCourse
            | IngestError::UnknownComposition
            | IngestError::Rebuild(_)
            | IngestError::Internal(_) => self.refused(found, &lines(error)),
        }
    }

    /// Tells why a record was not taken.
    pub fn refused(&self, found: &Found, lines: &[String]) {
        let place = place(found);
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.bar.suspend(|| lines.iter().try_for_each(|line| writeln!(errors.out, "{place}: {line}")));
        drop(errors);
        if let Err(error) = written {
            self.broke(format!("the errors cannot be written: {error}"));
        }
        add(&self.tally.refused, 1);
        self.went_on(found);
    }

    fn broke(&self, reason: String) {
        self.is_broken.store(true, Ordering::Relaxed);
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).broken.get_or_insert(reason);
    }

    fn went_on(&self, found: &Found) {
        self.bar.inc(found.progress);
        let records = self.tally.records();
        if records.is_multiple_of(64) && !self.bar.is_hidden() {
            let a_second = |count: u64| HumanCount((count as f64 / self.started.elapsed().as_secs_f64()) as u64);
            let (records, resources) = (HumanCount(records), a_second(self.tally.resources()));
            let rate = a_second(self.tally.records());
            let refused = self.tally.refused();
            self.bar.set_message(format!("{records} records, {rate}/s, {resources} resources/s, {refused} refused"));
        }
    }

    /// Writes what is left to write. `Err`: why the import ended before its time.
    pub fn finish(&self) -> Result<(), String> {
        self.bar.finish_and_clear();
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let flushed: io::Result<()> = errors.out.flush();
        match (errors.broken.take(), flushed) {
            (Some(reason), _) => Err(reason),
            (None, Err(error)) => Err(format!("the errors cannot be written: {error}")),
            (None, Ok(())) => Ok(()),
        }
    }
}

fn add(count: &AtomicU64, number: usize) {
    count.fetch_add(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// `file` or `file:line`.
fn place(found: &Found) -> String {
    match found.line {
        Some(line) => format!("{}:{line}", found.file),
        None => found.file.to_string(),
    }
}
