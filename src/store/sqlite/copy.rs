//! The store room: a copy of the data file while it is in use, and back. <https://sqlite.org/lang_vacuum.html#vacuuminto>
//!
//! A copy is of one moment: everything that was acknowledged before it began, and of what came later all or nothing of
//! a transaction. It is read whole once before it gets its name, so a file of that name is a whole copy.

use super::{Place, schema, unavailable};
use crate::store::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Current resources; their past versions are in it too.
    pub resources: u64,
    pub records: u64,
    /// In bytes.
    pub size: u64,
}

/// Copies the data file `from`, which a gateway may be using, into `to`, which must not be there.
pub fn backup(from: &Path, to: &Path) -> Result<Copied, StoreError> {
    let from = Place::of(from)?.path;
    if !from.is_file() {
        return Err(refused(&from, "is no data file: there is nothing to back up"));
    }
    absent(to)?;
    let unfinished = Unfinished::beside(to);
    let source =
        Connection::open_with_flags(&from, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let source = source.map_err(unavailable)?;
    source.busy_timeout(super::BUSY_TIMEOUT).map_err(unavailable)?;
    known(&source, &from)?;
    let name = unfinished.0.to_str().ok_or_else(|| refused(to, "must be named in UTF-8"))?;
    source.execute("VACUUM INTO ?1", [name]).map_err(unavailable)?;
    drop(source);
    finish(unfinished, to)
}

/// Makes `to`, which must not be there, of a backup. The backup stays as it is.
pub fn restore(from: &Path, to: &Path) -> Result<Copied, StoreError> {
    if !from.is_file() {
        return Err(refused(from, "is no file: there is nothing to restore"));
    }
    let place = Place::of(to)?;
    // Nobody may start on the file while it is made.
    let _claim = place.claim()?;
    for beside in ["", "-wal", "-shm"] {
        absent(&with_suffix(&place.path, beside))?;
    }
    let unfinished = Unfinished::beside(&place.path);
    fs::copy(from, &unfinished.0).map_err(|error| refused(to, &format!("cannot be written: {error}")))?;
    finish(unfinished, &place.path)
}

/// What a data file holds, which a gateway may be using; an error where it is none, or damaged.
pub fn look(path: &Path) -> Result<Copied, StoreError> {
    let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(unavailable)?;
    file.busy_timeout(super::BUSY_TIMEOUT).map_err(unavailable)?;
    whole(&file, path, "quick_check")
}

/// Checks the file and counts what it holds.
fn whole(file: &Connection, path: &Path, check: &str) -> Result<Copied, StoreError> {
    known(file, path)?;
    let found: Result<String, _> = file.query_row(&format!("PRAGMA {check}(1)"), [], |row| row.get(0));
    if found.map_err(unavailable)? != "ok" {
        return Err(refused(path, &format!("is damaged: it does not pass SQLite's {check}; restore a backup")));
    }
    let count = |table: &str| file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
    let size = path.metadata().map_err(|error| refused(path, &format!("cannot be looked at: {error}")))?.len();
    Ok(Copied {
        resources: count("resource").map_err(unavailable)?,
        records: count("record").map_err(unavailable)?,
        size,
    })
}

/// Reads the copy whole, has it on the disk, and gives it its name.
fn finish(unfinished: Unfinished, to: &Path) -> Result<Copied, StoreError> {
    let copy = Connection::open_with_flags(&unfinished.0, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(unavailable)?;
    let copied = whole(&copy, &unfinished.0, "integrity_check")?;
    drop(copy);
    let unwritten = |error: io::Error| refused(to, &format!("cannot be written: {error}"));
    let file = File::open(&unfinished.0).map_err(unwritten)?;
    file.sync_all().map_err(unwritten)?;
    // Two backups into one name: the one that is there first stays.
    fs::hard_link(&unfinished.0, to).map_err(unwritten)?;
    drop(unfinished);
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritten)?;
    Ok(copied)
}

/// Is it a data file of a schema that this program knows?
fn known(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get::<_, usize>(0));
    match version.map_err(|_| refused(path, "is no data file of kap-gateway"))? {
        0 => Err(refused(path, "is no data file of kap-gateway")),
        version if version > schema::VERSION => {
            Err(refused(path, &format!("has schema version {version}, this program knows up to {}", schema::VERSION)))
        }
        _ => Ok(()),
    }
}

fn absent(path: &Path) -> Result<(), StoreError> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(refused(path, &format!("cannot be looked at: {error}"))),
        Ok(_) => Err(refused(path, "is there already, and nothing is overwritten: name another, or move it away")),
    }
}

fn refused(path: &Path, why: &str) -> StoreError {
    StoreError::Unavailable(format!("{} {why}", path.display()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// A file under a name that nobody takes for a whole copy; it goes when this is dropped.
struct Unfinished(PathBuf);

impl Unfinished {
    fn beside(path: &Path) -> Self {
        Self(with_suffix(path, &format!(".{}.unfinished", std::process::id())))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = fs::remove_file(&self.0);
    }
}
