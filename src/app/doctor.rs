//! The app room: `doctor` looks at what the gateway needs from this machine before, or while, it runs.
//!
//! It changes nothing but a probe file beside the data file, which it removes.

use super::{definitions, tls::Certificate};
use crate::{
    config::{Config, Database},
    store::{
        postgres::PostgresStore,
        sqlite::{copy, in_use},
    },
};
use std::{
    fmt,
    fs::{self, File},
    io::{self, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    time::Instant,
};

/// Less free space than this is worth a word: 1 GiB.
const LITTLE_SPACE: u64 = 1 << 30;
/// Writes that are made to find out how long the disk takes to make one durable.
const PROBES: u32 = 40;
/// Durable writes a second; a disk that is slower holds up every writer.
const FEW_SYNCS: f64 = 50.0;
/// No disk of today is so fast: one that says so keeps what was acknowledged in memory that a power cut empties.
const MANY_SYNCS: f64 = 30_000.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// The gateway runs, but somebody should know.
    Doubtful,
    /// The gateway does not start, or would lose data.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    pub about: &'static str,
    /// What was found and, where it is not right, what to do.
    pub sentence: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Right => "ok   ",
            Verdict::Doubtful => "check",
            Verdict::Wrong => "WRONG",
        };
        write!(out, "{word}  {:<14} {}", self.about, self.sentence)
    }
}

fn right(about: &'static str, sentence: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Right, about, sentence: sentence.into() }
}

fn doubtful(about: &'static str, sentence: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Doubtful, about, sentence: sentence.into() }
}

fn wrong(about: &'static str, sentence: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Wrong, about, sentence: sentence.into() }
}

/// Looks at everything: one fault hides no other.
pub fn examine(config: &Config) -> Vec<Finding> {
    let mut found = vec![right("configuration", "is complete; each value has been checked")];
    found.push(contract(config));
    found.push(packages(config));
    found.extend(config.tls.as_ref().map(|files| match Certificate::read(files) {
        Ok(_) => right("TLS", format!("{} and its key can be used", files.certificate.display())),
        Err(error) => wrong("TLS", error.to_string()),
    }));
    let used = match &config.database {
        Some(database) => {
            found.push(self::database(database));
            false
        }
        None => {
            let folder = folder_of(&config.data_file);
            found.push(space(&folder));
            found.push(syncs(&folder));
            let used = in_use(&config.data_file);
            found.push(data_file(&config.data_file, used));
            used
        }
    };
    found.push(address(config, used));
    found
}

fn database(database: &Database) -> Finding {
    match super::store::at(database, PostgresStore::look).and_then(|looked| looked) {
        Ok(sentence) => right("database", sentence),
        Err(error) => wrong("database", error.to_string()),
    }
}

fn contract(config: &Config) -> Finding {
    match super::contract(config) {
        Ok(_) => right("contract", "openapi.yaml and its schemas are read, and the instruments"),
        Err(error) => wrong("contract", error.to_string()),
    }
}

fn packages(config: &Config) -> Finding {
    match definitions(&config.packages) {
        Ok(_) => right("definitions", format!("R4, US Core, the KAP guide and {} packages", config.packages.len())),
        Err(error) => wrong("definitions", format!("a package cannot be used: {error}")),
    }
}

fn folder_of(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

fn space(folder: &Path) -> Finding {
    let free = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => return wrong("space", format!("{} cannot be looked at: {error}", folder.display())),
    };
    let sentence = format!("{} MiB are free in {}", free >> 20, folder.display());
    match free < LITTLE_SPACE {
        true => doubtful("space", format!("{sentence}: the store, its log and a backup beside it want more")),
        false => right("space", sentence),
    }
}

/// How many durable writes a second the disk makes, one after the other.
fn syncs(folder: &Path) -> Finding {
    match probe(&folder.join(format!(".kap-gateway-probe-{}", std::process::id()))) {
        Err(error) => {
            wrong("disk", format!("{} cannot be written: {error}; give it to the gateway's user", folder.display()))
        }
        Ok(rate) if rate < FEW_SYNCS => {
            doubtful("disk", format!("makes {rate:.0} durable writes a second: a lone writer waits for each"))
        }
        Ok(rate) if rate > MANY_SYNCS => doubtful(
            "disk",
            format!(
                "says that it makes {rate:.0} durable writes a second, more than a disk can: it may keep them in memory, \
                 which a power cut empties. Put the data file on a disk that keeps what it acknowledges"
            ),
        ),
        Ok(rate) => right("disk", format!("makes {rate:.0} durable writes a second")),
    }
}

fn probe(path: &Path) -> io::Result<f64> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    let started = Instant::now();
    let written = (0..PROBES).try_for_each(|_| file.write_all(&[0; 4096]).and_then(|()| file.sync_data()));
    let took = started.elapsed();
    fs::remove_file(path)?;
    written?;
    Ok(f64::from(PROBES) / took.as_secs_f64())
}

fn data_file(path: &Path, used: bool) -> Finding {
    if !path.exists() {
        return right("data file", format!("{} is not there yet: it is made at the start", path.display()));
    }
    let holds = match copy::look(path) {
        Ok(holds) => holds,
        Err(error) => return wrong("data file", error.to_string()),
    };
    let user = if used { "a gateway is using it" } else { "nobody is using it" };
    right(
        "data file",
        format!(
            "{} passes SQLite's quick check: {} resources of {} records; {user}",
            path.display(),
            holds.resources,
            holds.records
        ),
    )
}

fn address(config: &Config, used: bool) -> Finding {
    match TcpListener::bind(config.listen) {
        Ok(_) => right("address", format!("{} is free", config.listen)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && used => {
            right("address", format!("{} is taken, probably by the gateway that uses the data file", config.listen))
        }
        Err(error) => {
            wrong("address", format!("{} cannot be used: {error}; choose another with --listen", config.listen))
        }
    }
}
