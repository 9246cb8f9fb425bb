//! Many records at once, and yet a patient's in the order of the file: later records refer to earlier ones.
//!
//! Each patient has a lane; a lane takes one record after the other. An intake may give a patient several identifiers,
//! and each later record names any of them: from then on they all lead to one lane.

use super::{Record, report::Report, source::Found};
use crate::ingest::{Gateway, Judging, Kind, Occasion};
use crate::kap::json;
use serde::Deserialize;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};
use tokio::{
    runtime::Handle,
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{self, UnboundedSender},
        oneshot,
    },
    task::JoinSet,
};

/// Enough that the store has a group to commit while the next is mapped. More would not be faster, and leave the last records
/// unevenly divided: some lanes have many still when the others have none.
const LANES: usize = 128;

/// KiB of records that were read and are not dealt with yet. What a record becomes is some twenty times its size, but
/// only one of each lane is being mapped.
const ROOM: u32 = 32 * 1024;

/// Identifiers remembered because they lead to another lane than their own. When they are more, all lanes are waited
/// for, and it starts afresh.
const MOST_DETOURS: usize = 100_000;

enum Step {
    Record(Record, OwnedSemaphorePermit),
    /// Answers when all before it is done.
    Wait(oneshot::Sender<()>),
}

pub struct Lanes {
    lanes: Vec<UnboundedSender<Step>>,
    workers: JoinSet<()>,
    room: Arc<Semaphore>,
    detours: HashMap<u64, usize>,
    report: Arc<Report>,
    runtime: Handle,
}

/// What must be known of a record before it is read in full.
#[derive(Deserialize)]
struct Head {
    kind: Option<String>,
    patient: Option<Patient>,
}

#[derive(Deserialize)]
struct Patient {
    identifier: Option<Identifier>,
    #[serde(default)]
    identifiers: Vec<Identifier>,
}

#[derive(Deserialize, Hash)]
struct Identifier {
    system: Option<String>,
    value: Option<String>,
}

impl Lanes {
    /// Must be called on a runtime.
    pub fn start(gateway: Arc<Gateway>, report: Arc<Report>) -> Self {
        let mut workers = JoinSet::new();
        let lanes = (0..LANES)
            .map(|_| {
                let (sender, mut steps) = mpsc::unbounded_channel();
                let (gateway, report) = (Arc::clone(&gateway), Arc::clone(&report));
                workers.spawn(async move {
                    // The safety rules look at a patient when the lane turns to another, not at each record.
                    let mut unjudged: Option<String> = None;
                    while let Some(step) = steps.recv().await {
                        match step {
                            Step::Record(record, _room) => {
                                let Some(patient) = store(&gateway, &report, &record).await else { continue };
                                if unjudged.as_ref().is_some_and(|last| *last != patient) {
                                    judge(&gateway, unjudged.take()).await;
                                }
                                unjudged = Some(patient);
                            }
                            Step::Wait(done) => {
                                judge(&gateway, unjudged.take()).await;
                                // Nobody waits any more where this fails.
                                let _ = done.send(());
                            }
                        }
                    }
                    judge(&gateway, unjudged.take()).await;
                });
                sender
            })
            .collect();
        let room = Arc::new(Semaphore::new(usize::try_from(ROOM).unwrap_or(usize::MAX)));
        Self { lanes, workers, room, detours: HashMap::new(), report, runtime: Handle::current() }
    }

    /// Puts a record on its lane, and waits until there is room for it. Blocks; false: no more can be taken.
    pub fn take(&mut self, found: Found) -> bool {
        if self.report.is_broken() {
            return false;
        }
        let bytes = match &found.content {
            Ok(bytes) => bytes,
            Err(reason) => {
                self.report.refused(&found, &[format!("error: {reason}")]);
                return true;
            }
        };
        let (kind, identifiers) = match head(bytes) {
            Ok(head) => head,
            Err(lines) => {
                self.report.refused(&found, &lines);
                return true;
            }
        };
        let size = u32::try_from(bytes.len() / 1024).unwrap_or(ROOM).clamp(4, ROOM);
        let lane = self.lane(&identifiers);
        let room = Arc::clone(&self.room).acquire_many_owned(size);
        let (Ok(room), Some(lane)) = (self.runtime.block_on(room), self.lanes.get(lane)) else { return false };
        lane.send(Step::Record(Record { found, kind }, room)).is_ok()
    }

    /// The lane of a patient with these identifiers.
    fn lane(&mut self, identifiers: &[u64]) -> usize {
        let own = |detours: &HashMap<u64, usize>, identifier: &u64| {
            let usual = usize::try_from(identifier % LANES as u64).unwrap_or(0);
            detours.get(identifier).copied().unwrap_or(usual)
        };
        let Some((first, others)) = identifiers.split_first() else { return 0 };
        if self.detours.len() > MOST_DETOURS {
            (0..LANES).for_each(|lane| self.wait_for(lane));
            self.detours.clear();
        }
        let lane = own(&self.detours, first);
        for other in others {
            let of_other = own(&self.detours, other);
            if of_other != lane {
                // Records that name the patient so may still be under way there.
                self.wait_for(of_other);
                self.detours.insert(*other, lane);
            }
        }
        lane
    }

    fn wait_for(&self, lane: usize) {
        let (done, wait) = oneshot::channel();
        if self.lanes.get(lane).is_some_and(|lane| lane.send(Step::Wait(done)).is_ok()) {
            // An error means that the lane has ended: nothing is under way there.
            let _ = wait.blocking_recv();
        }
    }

    /// No more records come: the workers end when theirs are done.
    pub fn finish(self) -> JoinSet<()> {
        self.workers
    }
}

/// Kind and the patient's identifiers, or why they cannot be known, a line each.
fn head(bytes: &[u8]) -> Result<(Kind, Vec<u64>), Vec<String>> {
    let read: Option<Head> = serde_json::from_slice(bytes).ok();
    let kind = read.as_ref().and_then(|head| Kind::from_word(head.kind.as_deref()?));
    let (Some(head), Some(kind)) = (read, kind) else {
        return match json::read_strict(bytes) {
            Err(faults) => Err(super::super::map::lines(&faults)),
            // It can be read, and something in its head is of the wrong type: the check says what.
            Ok(value) => match value.get("kind").and_then(|kind| Kind::from_word(kind.as_str()?)) {
                Some(kind) => Ok((kind, Vec::new())),
                None => Err(vec![format!("error: /kind: {}", super::super::map::unknown_kind())]),
            },
        };
    };
    let identifiers =
        head.patient.into_iter().flat_map(|patient| patient.identifier.into_iter().chain(patient.identifiers));
    let number = |identifier: Identifier| {
        let mut hasher = DefaultHasher::new();
        identifier.hash(&mut hasher);
        hasher.finish()
    };
    Ok((kind, identifiers.map(number).collect()))
}

/// `Patient.id` of a record that was taken.
async fn store(gateway: &Gateway, report: &Report, Record { found, kind }: &Record) -> Option<String> {
    if report.is_broken() {
        return None;
    }
    let Ok(bytes) = &found.content else { return None };
    match gateway.ingest_judging(*kind, bytes, None, Judging::Later).await {
        Ok(receipt) => {
            report.taken(found, &receipt);
            Some(receipt.patient_id)
        }
        Err(error) => {
            report.not_taken(found, &error);
            None
        }
    }
}

async fn judge(gateway: &Gateway, patient: Option<String>) {
    if let Some(patient) = patient
        && let Err(error) = gateway.judge(&patient, Occasion::Written).await
    {
        // The records are stored; the next write to the patient judges again.
        tracing::warn!(%error, "the safety rules could not be judged");
    }
}
