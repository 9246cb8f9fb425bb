//! The store room: how pending search rows come into the index tables: many at a time, in order, and in steps between which
//! other writes have their turn. After a crash they are made again from what the file names.

use super::ids;
use super::pending::{Pending, Rows};
use super::record::uncommittable;
use super::search_rows::{self, SearchRows};
use crate::store::keys::Keys;
use crate::store::rows::{Change, Row};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rows that wait before they go into the index tables: as many as there are resources, within these bounds. So each page of
/// the index takes some dozens of them at a time however large it is. So many take some 50 MB of memory; while they are on
/// their way as many may come behind them.
const FEWEST: usize = 100_000;
const MOST: usize = 800_000;

/// Rows of a step while others wait, while nobody does, and when nobody will.
const SHORT_STEP: usize = 2_000;
const LONG_STEP: usize = 4_000;
const LAST_STEPS: usize = 20_000;

/// What goes on while there are other writes.
#[derive(Default)]
pub(super) struct Flush {
    leaving: Option<Leaving>,
}

struct Leaving {
    rows: Arc<Rows>,
    /// The last row that is in the index tables.
    reached: Option<Row>,
    /// The last of the file's notes about these rows.
    mark: i64,
}

impl Flush {
    pub(super) fn is_under_way(&self) -> bool {
        self.leaving.is_some()
    }

    /// A step, if rows are on their way, or enough of them wait. `resources`: how many the file has, about; `came`:
    /// rows that came since the last step.
    pub(super) fn go_on(
        &mut self,
        connection: &mut Connection,
        pending: &Pending,
        resources: i64,
        came: usize,
    ) -> rusqlite::Result<()> {
        let enough = usize::try_from(resources).unwrap_or(MOST).clamp(FEWEST, MOST);
        if !self.is_under_way() && pending.waiting() < enough {
            return Ok(());
        }
        // Twice as many as come: so these have left before as many wait again.
        self.step(connection, pending, SHORT_STEP.max(2 * came))
    }

    /// A step while nobody waits.
    pub(super) fn go_on_at_leisure(&mut self, connection: &mut Connection, pending: &Pending) -> rusqlite::Result<()> {
        self.step(connection, pending, LONG_STEP)
    }

    fn step(&mut self, connection: &mut Connection, pending: &Pending, count: usize) -> rusqlite::Result<()> {
        let leaving = match &mut self.leaving {
            Some(leaving) => leaving,
            none if pending.waiting() > 0 => {
                let mark: Option<i64> = connection.query_row("SELECT max(seq) FROM pending", [], |row| row.get(0))?;
                none.insert(Leaving { rows: pending.depart(), reached: None, mark: mark.unwrap_or(0) })
            }
            None => return Ok(()),
        };
        let rows = leaving.rows.some(leaving.reached.as_ref(), count);
        let is_last = rows.len() < count;
        let reached = rows.last().map(|(row, _)| row.clone());
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        search_rows::write(&transaction, rows.into_iter())?;
        if is_last {
            transaction.execute("DELETE FROM pending WHERE seq <= ?1", [leaving.mark])?;
        }
        transaction.commit()?;
        leaving.reached = reached.or(leaving.reached.take());
        if is_last {
            self.leaving = None;
            pending.arrived();
        }
        Ok(())
    }

    /// All of them.
    pub(super) fn finish(&mut self, connection: &mut Connection, pending: &Pending) -> rusqlite::Result<()> {
        while self.is_under_way() || pending.waiting() > 0 {
            self.step(connection, pending, LAST_STEPS)?;
        }
        Ok(())
    }
}

/// Finds the rows again that were in memory when the last program ended.
pub(super) fn recover(connection: &Connection, pending: &Pending) -> rusqlite::Result<()> {
    let mut rows = SearchRows::new(connection);
    rows.leave_aside()?;
    let mut resources = BTreeSet::new();
    let mut notes = connection.prepare("SELECT resource, before FROM pending ORDER BY seq")?;
    let mut notes = notes.query([])?;
    let mut before = Vec::new();
    while let Some(note) = notes.next()? {
        let resource: i64 = note.get(0)?;
        resources.insert(resource);
        if let Some(keys) = note.get_ref(1)?.as_blob_or_null().map_err(uncommittable)? {
            before.push((resource, Keys::read(keys).map_err(uncommittable)?));
        }
    }
    let mut current = connection.prepare("SELECT collection, id, search_keys FROM resource WHERE seq = ?1")?;
    let mut current = |resource: i64| -> rusqlite::Result<Option<(i64, String, Keys)>> {
        let read = |row: &rusqlite::Row<'_>| {
            let keys = Keys::read(row.get_ref(2)?.as_blob()?).map_err(uncommittable)?;
            Ok((row.get(0)?, row.get(1)?, keys))
        };
        current.query_row([resource], read).optional()
    };
    let mut deleted = connection.prepare("SELECT collection, id FROM deletion WHERE resource = ?1")?;
    let mut deleted = |resource: i64| -> rusqlite::Result<Option<(i64, String)>> {
        deleted.query_row([resource], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    };
    // First what is to go, then what is to be there: of a row that is in both the last word counts.
    for (resource, before) in &before {
        rows.remove(*resource, before);
    }
    pending.restore(rows.take());
    let mut ids = Vec::with_capacity(resources.len());
    for resource in resources {
        if let Some((collection, id, keys)) = current(resource)? {
            ids.push((ids::row(collection, &id, resource), Change::Add));
            rows.add(resource, &keys);
        } else if let Some((collection, id)) = deleted(resource)? {
            ids.push((ids::row(collection, &id, resource), Change::Remove));
        }
    }
    pending.restore(rows.take().chain(ids));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::search;
    use crate::store::code::code_number;
    use crate::store::sqlite::pending::Undo;
    use crate::store::sqlite::record::Recorder;
    use crate::store::sqlite::writer::Clock;
    use crate::store::sqlite::{ids, schema};
    use crate::store::transaction::{Action, Change as Asked, Expected, Transaction};
    use crate::store::{Write, WriteMode};
    use std::collections::BTreeMap;

    struct Desk {
        connection: Connection,
        clock: Clock,
        pending: Pending,
        turn: usize,
    }

    impl Desk {
        fn new() -> Self {
            let mut connection = Connection::open_in_memory().unwrap();
            connection.pragma_update(None, "foreign_keys", false).unwrap();
            schema::migrate(&mut connection).unwrap();
            let clock = Clock::start(&connection).unwrap();
            Self { connection, clock, pending: Pending::new(), turn: 0 }
        }

        fn put(&mut self, id: &str, status: &str) {
            let body = format!(
                r#"{{"resourceType":"Goal","id":"{id}","meta":{{}},"lifecycleStatus":"{status}","startDate":"2026-02-02",
                "description":{{"text":"sleep"}},"subject":{{"reference":"Patient/p1"}}}}"#
            );
            let index = search::extract("Goal", body.as_bytes()).unwrap();
            let write = Write {
                resource_type: "Goal".into(),
                id: id.into(),
                body: body.into(),
                mode: WriteMode::Unowned,
                patient: None,
                index,
            };
            self.run(Action::Put(write));
        }

        fn delete(&mut self, id: &str) {
            self.run(Action::Delete { resource_type: "Goal".into(), id: id.into() });
        }

        fn run(&mut self, action: Action) {
            let transaction =
                Transaction { changes: vec![Asked { action, expected: Expected::Any }], ..Transaction::default() };
            let mut undo = Undo::default();
            let open = self.connection.transaction().unwrap();
            let mut recorder = Recorder::new(&open, &mut self.clock, &self.pending, &mut undo);
            recorder.transact("default", &transaction).unwrap();
            recorder.show_rows();
            drop(recorder);
            open.commit().unwrap();
        }

        /// What is in memory is lost.
        fn crash(&mut self) {
            self.pending = Pending::new();
            self.clock = Clock::start(&self.connection).unwrap();
            recover(&self.connection, &self.pending).unwrap();
        }

        /// All search rows in the tables, by table.
        fn rows(&self) -> BTreeMap<&'static str, Vec<String>> {
            let all = |table: &'static str| {
                let mut statement = self.connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
                let columns = statement.column_count();
                let mut rows = statement.query([]).unwrap();
                let mut lines = Vec::new();
                while let Some(row) = rows.next().unwrap() {
                    let values = (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap()));
                    lines.push(values.collect::<Vec<_>>().join(" "));
                }
                (table, lines)
            };
            ["token", "date", "text", "number"].map(all).into()
        }

        fn notes(&self) -> i64 {
            self.connection.query_row("SELECT count(*) FROM pending", [], |row| row.get(0)).unwrap()
        }

        fn flush(&mut self) {
            Flush::default().finish(&mut self.connection, &self.pending).unwrap();
        }

        fn finds(&self, status: &str) -> bool {
            let sql = "SELECT EXISTS (SELECT 1 FROM token WHERE code = ?1)";
            self.connection.query_row(sql, [code_number(status)], |row| row.get(0)).unwrap()
        }
    }

    fn story(desk: &mut Desk, after_each: fn(&mut Desk)) {
        let steps: [fn(&mut Desk); 7] = [
            |desk| desk.put("g1", "proposed"),
            |desk| desk.put("g2", "planned"),
            |desk| desk.put("g1", "active"),
            |desk| desk.delete("g2"),
            |desk| desk.put("g2", "completed"),
            |desk| desk.put("g1", "proposed"),
            |desk| desk.delete("g2"),
        ];
        for step in steps {
            step(desk);
            after_each(desk);
        }
    }

    #[test]
    fn rows_are_the_same_whenever_they_go_into_the_tables_and_after_crashes() {
        let mut at_once = Desk::new();
        story(&mut at_once, Desk::flush);
        let wanted = at_once.rows();
        assert!(at_once.finds("proposed") && !at_once.finds("active") && !at_once.finds("completed"), "{wanted:?}");
        assert_eq!(at_once.notes(), 0);

        let mut at_last = Desk::new();
        story(&mut at_last, |_| {});
        assert!(at_last.rows().values().all(Vec::is_empty) && at_last.notes() == 7);
        at_last.flush();
        assert_eq!(at_last.rows(), wanted);

        let mut crashing = Desk::new();
        story(&mut crashing, Desk::crash);
        crashing.flush();
        assert_eq!(crashing.rows(), wanted);

        // What one step put into the tables, the next takes away, and that is lost.
        for first in 0..2 {
            let mut in_turns = Desk::new();
            in_turns.turn = first;
            story(&mut in_turns, |desk| {
                desk.turn += 1;
                if desk.turn % 2 == 0 { desk.flush() } else { desk.crash() }
            });
            in_turns.flush();
            assert_eq!(in_turns.rows(), wanted, "{first}");
        }

        let mut both = Desk::new();
        story(&mut both, |desk| {
            // Some rows are in the tables, and the program ends.
            let mut flush = Flush::default();
            flush.step(&mut desk.connection, &desk.pending, 3).unwrap();
            assert!(flush.is_under_way());
            desk.crash();
        });
        both.flush();
        assert_eq!(both.rows(), wanted);
        let own = Pending::new();
        assert_eq!(ids::find(&both.connection, &own.own_view(), 1, "g1").unwrap(), Some(1));
        assert_eq!(ids::find(&both.connection, &own.own_view(), 1, "g2").unwrap(), None);
    }

    #[test]
    fn what_comes_while_rows_are_on_their_way_stays_behind_them() {
        let mut desk = Desk::new();
        desk.put("g1", "proposed");
        let mut flush = Flush::default();
        flush.step(&mut desk.connection, &desk.pending, 1).unwrap();
        desk.put("g1", "active");
        while flush.is_under_way() {
            flush.step(&mut desk.connection, &desk.pending, 1).unwrap();
        }
        assert!(desk.finds("proposed") && !desk.finds("active"));
        assert_eq!(desk.notes(), 1, "of the second version the file still says that its rows are not in the tables");
        desk.flush();
        assert!(!desk.finds("proposed") && desk.finds("active"));
        assert_eq!(desk.notes(), 0);
    }
}
