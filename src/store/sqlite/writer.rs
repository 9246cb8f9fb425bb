//! The store room: one thread writes, and commits all requests that wait in one transaction (group commit), so that
//! many of them share one fsync.

use super::flush::Flush;
use super::pages::Pages;
use super::pending::{Pending, Undo};
use super::places::Changed;
use super::recent::Recent;
use super::record::Recorder;
use super::unavailable;
use crate::store::body::{check_record, check_transaction};
use crate::store::once::{Once, Onced, Work, Worked};
use crate::store::transaction::{Transacted, Transaction};
use crate::store::{Committed, RecordWrite, Reindexed, StoreError, Write};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Requests that share one transaction at most: bounds the memory and the time until the first is answered.
const GROUP: usize = 512;

/// Requests that may wait; further callers wait for a place.
const QUEUE: usize = 1024;

/// How long nobody must write before the rows that wait go into the index tables.
const LEISURE: Duration = Duration::from_millis(300);

/// How long a failing disk makes the store unready, unless a record is stored before. Then records are let in again:
/// where nobody sends to a gateway that is not ready, nothing else could show that the disk is well.
const DISTRUST: Duration = Duration::from_secs(60);

/// The handle on the writer thread. Dropping it lets the thread finish what it has taken, and waits for it.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    task: Task,
    reply: oneshot::Sender<Result<Answer, StoreError>>,
}

#[derive(Debug)]
enum Answer {
    Committed(Committed),
    Transacted(Transacted),
    Onced(Onced),
    Reindexed(Reindexed),
    Noted,
    Checked,
}

enum Task {
    Commit {
        tenant: String,
        write: Box<RecordWrite>,
    },
    Transact {
        tenant: String,
        transaction: Box<Transaction>,
    },
    Once {
        tenant: String,
        work: Work,
        once: Once,
    },
    Reindex {
        tenant: String,
        resource_type: String,
        after: i64,
        count: usize,
    },
    Note {
        tenant: String,
        name: String,
        text: Option<String>,
    },
    /// Writes the readiness row.
    Check,
}

impl Task {
    /// Ids of the resources that it may change.
    fn ids(&self) -> Vec<&str> {
        match self {
            Self::Commit { write, .. } | Self::Once { work: Work::Record(write), .. } => {
                writes(write).map(|write| write.id.as_str()).collect()
            }
            Self::Transact { transaction, .. } | Self::Once { work: Work::Transaction(transaction), .. } => {
                transaction.changes.iter().map(|change| change.action.id()).collect()
            }
            // Search rows and notes are in no answer that is kept in memory.
            Self::Reindex { .. } | Self::Note { .. } | Self::Check => Vec::new(),
        }
    }
}

fn writes(record: &RecordWrite) -> impl Iterator<Item = &Write> {
    record.writes.iter().chain(&record.retractions)
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        recent: Arc<Recent>,
        pages: Arc<Pages>,
        pending: Arc<Pending>,
    ) -> Result<Self, StoreError> {
        let clock = Clock::start(&connection).map_err(unavailable)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let cannot_start = |error| StoreError::Unavailable(format!("the writer cannot start: {error}"));
        let inbox =
            Inbox { receiver, clock: Builder::new_current_thread().enable_time().build().map_err(cannot_start)? };
        let room = Room { connection, clock, pending, pages };
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(room, inbox, &recent))
            .map_err(cannot_start)?;
        Ok(Self { jobs: Some(sender), thread: Some(thread) })
    }

    pub(super) async fn commit(&self, tenant: &str, write: RecordWrite) -> Result<Committed, StoreError> {
        check_record(&write)?;
        match self.send(Task::Commit { tenant: tenant.to_owned(), write: Box::new(write) }).await? {
            Answer::Committed(committed) => Ok(committed),
            Answer::Transacted(_) | Answer::Onced(_) | Answer::Reindexed(_) | Answer::Noted | Answer::Checked => {
                Err(mistaken())
            }
        }
    }

    pub(super) async fn transact(&self, tenant: &str, transaction: Transaction) -> Result<Transacted, StoreError> {
        check_transaction(&transaction)?;
        let task = Task::Transact { tenant: tenant.to_owned(), transaction: Box::new(transaction) };
        match self.send(task).await? {
            Answer::Transacted(transacted) => Ok(transacted),
            Answer::Committed(_) | Answer::Onced(_) | Answer::Reindexed(_) | Answer::Noted | Answer::Checked => {
                Err(mistaken())
            }
        }
    }

    pub(super) async fn once(&self, tenant: &str, work: Work, once: Once) -> Result<Onced, StoreError> {
        match &work {
            Work::Record(write) => check_record(write)?,
            Work::Transaction(transaction) => check_transaction(transaction)?,
        }
        match self.send(Task::Once { tenant: tenant.to_owned(), work, once }).await? {
            Answer::Onced(onced) => Ok(onced),
            Answer::Committed(_) | Answer::Transacted(_) | Answer::Reindexed(_) | Answer::Noted | Answer::Checked => {
                Err(mistaken())
            }
        }
    }

    pub(super) async fn reindex(
        &self,
        tenant: &str,
        resource_type: &str,
        after: i64,
        count: usize,
    ) -> Result<Reindexed, StoreError> {
        let (tenant, resource_type) = (tenant.to_owned(), resource_type.to_owned());
        match self.send(Task::Reindex { tenant, resource_type, after, count }).await? {
            Answer::Reindexed(reindexed) => Ok(reindexed),
            Answer::Committed(_) | Answer::Transacted(_) | Answer::Onced(_) | Answer::Noted | Answer::Checked => {
                Err(mistaken())
            }
        }
    }

    pub(super) async fn set_note(&self, tenant: &str, name: &str, text: Option<String>) -> Result<(), StoreError> {
        let (tenant, name) = (tenant.to_owned(), name.to_owned());
        self.send(Task::Note { tenant, name, text }).await.map(|_| ())
    }

    pub(super) async fn check(&self) -> Result<(), StoreError> {
        self.send(Task::Check).await.map(|_| ())
    }

    async fn send(&self, task: Task) -> Result<Answer, StoreError> {
        let stopped = || StoreError::Unavailable("the writer has stopped".into());
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(Job { task, reply }).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

fn mistaken() -> StoreError {
    StoreError::Unavailable("the writer answered another question".into())
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has told its callers so already.
            let _ = thread.join();
        }
    }
}

/// Jobs as they come in.
struct Inbox {
    receiver: mpsc::Receiver<Job>,
    /// Tells how long none came.
    clock: Runtime,
}

enum Came {
    Jobs,
    /// None in the time given.
    Nothing,
    /// None will come any more.
    End,
}

impl Inbox {
    /// Waits for jobs, at most so long.
    fn wait(&mut self, jobs: &mut Vec<Job>, most: Option<Duration>) -> Came {
        let Self { receiver, clock } = self;
        let came = match most {
            None => receiver.blocking_recv_many(jobs, GROUP),
            Some(most) => {
                let in_time = clock.block_on(async { timeout(most, receiver.recv_many(jobs, GROUP)).await });
                match in_time {
                    Ok(came) => came,
                    Err(_) => return Came::Nothing,
                }
            }
        };
        if came > 0 { Came::Jobs } else { Came::End }
    }
}

/// What the writer works with.
struct Room {
    connection: Connection,
    clock: Clock,
    pending: Arc<Pending>,
    pages: Arc<Pages>,
}

fn run(mut room: Room, mut inbox: Inbox, recent: &Recent) {
    room.connection.set_prepared_statement_cache_capacity(64);
    let mut group = Vec::with_capacity(GROUP);
    let mut disk = Disk::default();
    let mut flush = Flush::default();
    let mut flushed = Ok(());
    loop {
        // What is under way goes on at once, unless the disk refused it.
        let patience = match flush.is_under_way() {
            true if flushed.is_ok() => Some(Duration::ZERO),
            false if room.pending.waiting() == 0 => None,
            true | false => Some(LEISURE),
        };
        let was_well = flushed.is_ok();
        flushed = match inbox.wait(&mut group, patience) {
            Came::Jobs => {
                let (tasks, replies): (Vec<_>, Vec<_>) = group.drain(..).map(|job| (job.task, job.reply)).unzip();
                let waited = room.pending.waiting();
                let answers = answers(&mut room, &tasks);
                recent.forget(tasks.iter().flat_map(Task::ids));
                for ((task, reply), answer) in tasks.iter().zip(replies).zip(answers) {
                    let answer = disk.judge(task, answer);
                    // A caller that no longer waits has its record stored all the same.
                    let _ = reply.send(answer);
                }
                let came = room.pending.waiting().saturating_sub(waited);
                flush.go_on(&mut room.connection, &room.pending, room.clock.seq, came)
            }
            Came::Nothing => flush.go_on_at_leisure(&mut room.connection, &room.pending),
            Came::End => break,
        };
        // Once: it is tried again and again.
        if let (Err(error), true) = (&flushed, was_well) {
            tracing::warn!(%error, "search rows wait in memory: they could not be moved into the index tables");
        }
    }
    // What fails here is found again at the next start.
    let _ = flush.finish(&mut room.connection, &room.pending);
}

/// Remembers that the disk refused a record. The readiness row alone does not tell: a disk that is full for records
/// may still have room for that.
#[derive(Default)]
struct Disk {
    refused: Option<Instant>,
}

impl Disk {
    fn judge(&mut self, task: &Task, answer: rusqlite::Result<Answer>) -> Result<Answer, StoreError> {
        let is_check = matches!(task, Task::Check);
        match &answer {
            Ok(
                Answer::Committed(Committed::Stored(_))
                | Answer::Onced(Onced::Now(Worked::Record(Committed::Stored(_)))),
            ) => self.refused = None,
            // One without changes has asked nothing of the disk.
            Ok(
                Answer::Transacted(Transacted::Done(done))
                | Answer::Onced(Onced::Now(Worked::Transaction(Transacted::Done(done)))),
            ) if !done.is_empty() => self.refused = None,
            Err(error) if !is_check && is_of_the_disk(error) => self.refused = Some(Instant::now()),
            Ok(Answer::Committed(Committed::Superseded))
            | Ok(Answer::Transacted(Transacted::Superseded | Transacted::Refused(_) | Transacted::Done(_)))
            | Ok(Answer::Onced(_) | Answer::Reindexed(_) | Answer::Noted)
            | Ok(Answer::Checked)
            | Err(_) => {}
        }
        if is_check && self.refused.is_some_and(|at| at.elapsed() < DISTRUST) {
            return Err(StoreError::Unavailable("the disk refused the last record".into()));
        }
        answer.map_err(unavailable)
    }
}

fn is_of_the_disk(error: &rusqlite::Error) -> bool {
    const OF_THE_DISK: [ErrorCode; 4] =
        [ErrorCode::DiskFull, ErrorCode::SystemIoFailure, ErrorCode::CannotOpen, ErrorCode::ReadOnly];
    error.sqlite_error_code().is_some_and(|code| OF_THE_DISK.contains(&code))
}

/// Commits the tasks together; if one of them fails, or the disk has no space for all, each by itself: so one that
/// fails does not fail the rest. (A savepoint for each would do too, and costs every page that the group shares.)
fn answers(room: &mut Room, tasks: &[Task]) -> Vec<rusqlite::Result<Answer>> {
    match (commit_together(room, tasks), tasks) {
        (Ok(answers), _) => answers.into_iter().map(Ok).collect(),
        (Err(error), [_]) => vec![Err(error)],
        (Err(_), tasks) => tasks.chunks(1).flat_map(|task| answers(room, task)).collect(),
    }
}

/// All tasks in one transaction. `Err`: none of them is stored.
fn commit_together(room: &mut Room, tasks: &[Task]) -> rusqlite::Result<Vec<Answer>> {
    let Room { connection, clock, pending, pages } = room;
    let mut undo = Undo::default();
    match commit(connection, clock, pending, &mut undo, tasks) {
        Ok((answers, changed)) => {
            pages.stamp(&changed);
            Ok(answers)
        }
        Err(error) => {
            pending.take_back(undo);
            Err(error)
        }
    }
}

fn commit(
    connection: &mut Connection,
    clock: &mut Clock,
    pending: &Pending,
    undo: &mut Undo,
    tasks: &[Task],
) -> rusqlite::Result<(Vec<Answer>, Changed)> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut recorder = Recorder::new(&transaction, clock, pending, undo);
    let answers = tasks
        .iter()
        .map(|task| match task {
            Task::Commit { tenant, write } => recorder.store(tenant, write).map(Answer::Committed),
            Task::Transact { tenant, transaction } => recorder.transact(tenant, transaction).map(Answer::Transacted),
            Task::Once { tenant, work, once } => recorder.once(tenant, work, once).map(Answer::Onced),
            Task::Reindex { tenant, resource_type, after, count } => {
                recorder.reindex(tenant, resource_type, *after, *count).map(Answer::Reindexed)
            }
            Task::Note { tenant, name, text } => {
                recorder.set_note(tenant, name, text.as_deref()).map(|()| Answer::Noted)
            }
            Task::Check => recorder.check().map(|()| Answer::Checked),
        })
        .collect::<rusqlite::Result<_>>()?;
    recorder.show_rows();
    let changed = std::mem::take(&mut recorder.changed);
    drop(recorder);
    transaction.commit()?;
    Ok((answers, changed))
}

/// Gives each version its own `lastUpdated`, also when the machine's clock stands still or goes back, and each resource
/// its own row number: a number that a deleted resource left free would give its past versions to another.
pub(super) struct Clock {
    last: i64,
    seq: i64,
}

impl Clock {
    pub(super) fn start(connection: &Connection) -> rusqlite::Result<Self> {
        // One look into an index for each collection, instead of a walk over all resources.
        const LAST: &str =
            "SELECT max(coalesce(max((SELECT max(last_updated) FROM resource WHERE collection = collection.id)), 0),
                        coalesce(max((SELECT max(last_updated) FROM deletion WHERE collection = collection.id)), 0))
             FROM collection";
        const SEQ: &str = "SELECT max(coalesce((SELECT max(seq) FROM resource), 0),
                                      coalesce((SELECT max(resource) FROM deletion), 0))";
        let number = |sql| connection.query_row(sql, [], |row| row.get(0));
        Ok(Self { last: number(LAST)?, seq: number(SEQ)? })
    }

    /// The row number of a new resource.
    pub(super) fn next_seq(&mut self) -> i64 {
        self.seq += 1;
        self.seq
    }

    /// Microseconds since 1970-01-01T00:00:00Z, more than ever before in this store.
    pub(super) fn tick(&mut self) -> i64 {
        self.last = Timestamp::now().as_microsecond().max(self.last + 1);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema;
    use crate::store::{RecordKey, Write, WriteMode};

    fn task(id: &str) -> Task {
        let write = Write {
            resource_type: "Goal".into(),
            id: id.into(),
            body: format!(r#"{{"resourceType":"Goal","id":"{id}","meta":{{}}}}"#).into(),
            mode: WriteMode::Put,
            patient: None,
            index: vec![],
        };
        let key = RecordKey { kind: "outcome".into(), system: "s".into(), record_id: id.into() };
        let write = RecordWrite {
            key,
            revision: "1".into(),
            digest: [0; 32],
            based_on: None,
            writes: vec![write],
            retractions: vec![],
        };
        Task::Commit { tenant: "default".into(), write: Box::new(write) }
    }

    /// Commits good, bad, good as one group, where the database refuses the bad one in the given way.
    fn group_with_a_bad_one(refusal: &str) -> (Vec<bool>, Vec<String>) {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        let trigger = format!(
            "CREATE TRIGGER bad AFTER INSERT ON resource WHEN NEW.id = 'bad'
             BEGIN SELECT RAISE({refusal}, 'refused'); END"
        );
        connection.execute_batch(&trigger).unwrap();
        let clock = Clock::start(&connection).unwrap();
        let tasks = ["a", "bad", "b"].map(task);
        let mut room = Room { connection, clock, pending: Arc::new(Pending::new()), pages: Arc::new(Pages::new()) };
        let stored = answers(&mut room, &tasks).iter().map(Result::is_ok).collect();
        let mut records = room.connection.prepare("SELECT record_id FROM record ORDER BY seq").unwrap();
        let records = records.query_map([], |row| row.get(0)).unwrap();
        (stored, records.collect::<Result<_, _>>().unwrap())
    }

    #[test]
    fn failing_record_does_not_fail_its_group() {
        let (stored, records) = group_with_a_bad_one("ABORT");
        assert_eq!((stored, records), (vec![true, false, true], vec!["a".into(), "b".into()]));
    }

    #[test]
    fn group_that_fails_as_a_whole_is_tried_one_by_one() {
        let (stored, records) = group_with_a_bad_one("ROLLBACK");
        assert_eq!((stored, records), (vec![true, false, true], vec!["a".into(), "b".into()]));
    }

    #[test]
    fn store_is_unready_from_a_record_that_the_disk_refused_to_one_that_it_took() {
        let full = || Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None));
        let mistake = || Err(rusqlite::Error::InvalidQuery);
        let stored = || Ok(Answer::Committed(Committed::Stored(vec![])));
        let checked = || Ok(Answer::Checked);
        let mut disk = Disk::default();
        let mut ready_after = |answer| {
            let _ = disk.judge(&task("a"), answer);
            disk.judge(&Task::Check, checked()).is_ok()
        };
        assert!(ready_after(mistake()));
        assert!(!ready_after(full()));
        assert!(!ready_after(mistake()));
        assert!(!ready_after(Ok(Answer::Committed(Committed::Superseded))));
        assert!(ready_after(stored()));
    }

    #[test]
    fn clock_rises_when_the_machines_clock_goes_back() {
        let ahead = Timestamp::now().as_microsecond() + 3_600_000_000;
        let mut clock = Clock { last: ahead, seq: 0 };
        assert_eq!((clock.tick(), clock.tick()), (ahead + 1, ahead + 2));
    }
}
