//! The load harness: servers as files describe them (`bench/servers/*.toml`): how to start one, when it is ready, what it
//! takes.
//!
//! A server ends with the harness however that ends: `setpriv --pdeathsig` asks the kernel for it.

use crate::AnyError;
use crate::database::Database;
use crate::http::Target;
use crate::process;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for a server to be ready.
const START: Duration = Duration::from_secs(300);

/// In all texts `{kap}`, `{servers}`, `{data}`, `{port}` and `{postgres}` stand for what is known when it starts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    pub name: String,
    pub program: String,
    pub arguments: Vec<String>,
    /// Path of the FHIR base, without a slash at its end.
    pub base: String,
    /// Path that answers 200 when the server is ready.
    pub ready: String,
    /// What an answered write survives, for the report.
    pub durable: String,
    /// Files beside the program without which it cannot start.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Seconds under load before a measurement.
    #[serde(default = "one_second")]
    pub warm_up: u64,
    /// Whether a PostgreSQL of its own is started first.
    #[serde(default)]
    pub postgres: bool,
    /// The command that brings what is missing.
    pub get: Option<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Headers of every request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

fn one_second() -> u64 {
    1
}

/// Where programs and data are.
#[derive(Clone, Debug)]
pub struct Places {
    /// The gateway's program.
    pub kap: PathBuf,
    /// Folder of the other servers.
    pub servers: PathBuf,
    /// Folder on the disk to be measured; each server gets a folder in it, which is removed.
    pub work: PathBuf,
}

impl Description {
    /// # Errors
    ///
    /// The file cannot be read, or says something that is not known.
    pub fn read(path: &Path) -> Result<Self, AnyError> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?)
    }

    fn fill(&self, text: &str, places: &Places, data: &Path, port: u16, postgres: &str) -> String {
        text.replace("{kap}", &places.kap.to_string_lossy())
            .replace("{servers}", &places.servers.to_string_lossy())
            .replace("{data}", &data.to_string_lossy())
            .replace("{port}", &port.to_string())
            .replace("{postgres}", postgres)
    }

    /// What keeps it from starting, as a sentence.
    #[must_use]
    pub fn missing(&self, places: &Places) -> Option<String> {
        let fill = |text: &String| self.fill(text, places, Path::new(""), 0, "");
        // A name without a slash is looked up in PATH when it is started.
        let program = Some(&self.program).filter(|program| program.contains(['/', '{']));
        let absent = program.into_iter().chain(&self.needs).map(fill).find(|path| !Path::new(path).exists())?;
        let get = self.get.as_ref().map(|get| format!(" ({get})")).unwrap_or_default();
        Some(format!("{absent} is not there{get}"))
    }
}

#[derive(Debug)]
pub struct Running {
    pub description: Description,
    pub target: Target,
    /// Name and version as its CapabilityStatement says.
    pub version: String,
    /// From the start of the process to the first answer that it is ready.
    pub start_time: Duration,
    child: Child,
    database: Option<Database>,
    data: PathBuf,
}

impl Running {
    /// # Errors
    ///
    /// It cannot be started, ends by itself, or is not ready in five minutes; the error names its log.
    pub fn start(description: &Description, places: &Places) -> Result<Self, AnyError> {
        let port = free_port()?;
        let data = fs::canonicalize(&places.work)?.join(format!("server-{port}"));
        fs::create_dir_all(&data)?;
        let database = if description.postgres { Some(Database::start(&data)?) } else { None };
        let postgres = database.as_ref().map(Database::url).unwrap_or_default();
        let fill = |text: &String| description.fill(text, places, &data, port, &postgres);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).arg(fill(&description.program));
        command.args(description.arguments.iter().map(fill));
        command.envs(description.environment.iter().map(|(name, value)| (name, fill(value))));
        let log = data.join("log");
        command
            .current_dir(&data)
            .stdin(Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?);
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("setpriv {}: {error}", description.program))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if let Err(error) =
            wait(&mut child, &Target { address, base: String::new(), headers: String::new() }, &description.ready)
        {
            end(&mut child);
            let log = fs::read_to_string(&log).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(8).collect();
            return Err(
                format!("{}: {error}; its log ends, last line first: {}", description.name, last.join(" | ")).into()
            );
        }
        let start_time = started.elapsed();
        let headers: String = description.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let target = Target { address, base: description.base.clone(), headers };
        let version = version(&target);
        Ok(Self { description: description.clone(), target, version, start_time, child, database, data })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.description.name
    }

    /// Resident bytes of the program, and those of its database.
    #[must_use]
    pub fn memory(&self) -> (u64, u64) {
        (process::memory(self.child.id()), self.database.as_ref().map_or(0, Database::memory))
    }

    #[must_use]
    pub fn most_memory(&self) -> u64 {
        process::most_memory(self.child.id())
    }

    /// With its database.
    #[must_use]
    pub fn processor_time(&self) -> Duration {
        process::processor_time(self.child.id())
            + self.database.as_ref().map_or(Duration::ZERO, Database::processor_time)
    }

    /// Bytes on the disk.
    #[must_use]
    pub fn stored(&self) -> u64 {
        size(&self.data)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.child);
        self.database = None;
        // A folder that stays is no fault of what was measured.
        let _ = fs::remove_dir_all(&self.data);
    }
}

fn wait(child: &mut Child, target: &Target, ready: &str) -> Result<(), AnyError> {
    let patience = Instant::now() + START;
    loop {
        if let Some(status) = child.try_wait()? {
            return Err(format!("it has ended by itself, {status}").into());
        }
        // As long as it is not ready, whatever it says counts for nothing.
        if target.fetch(ready).is_ok_and(|answer| answer.status == 200) {
            return Ok(());
        }
        if Instant::now() > patience {
            return Err("it is not ready in five minutes".into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn version(target: &Target) -> String {
    let content = target.fetch("/metadata").ok().and_then(|answer| serde_json::from_slice(&answer.body).ok());
    let content: serde_json::Value = content.unwrap_or_default();
    let said = |name: &str| content["software"][name].as_str().unwrap_or("?").to_owned();
    format!("{} {}", said("name"), said("version"))
}

/// Asks the process to end, and makes it end after half a minute.
pub fn end(child: &mut Child) {
    let ask = |signal: &str, id: u32| {
        Command::new("kill").args(["-s", signal, &id.to_string()]).stderr(Stdio::null()).status()
    };
    // If it has ended already, there is nothing to do.
    let _ = ask("TERM", child.id());
    let patience = Instant::now() + Duration::from_secs(30);
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > patience {
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// # Errors
///
/// No port of the loopback address is free.
pub fn free_port() -> Result<u16, AnyError> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_description_beside_us_is_one() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers");
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 4);
        for file in files {
            let description = Description::read(&file).unwrap();
            assert!(description.ready.starts_with('/') && !description.base.ends_with('/'), "{}", file.display());
        }
    }

    #[test]
    fn a_server_whose_program_is_not_there_says_how_to_get_it() {
        let places = Places { kap: "/nowhere/kap".into(), servers: "/nowhere".into(), work: "/tmp".into() };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers");
        let helios = Description::read(&folder.join("helios.toml")).unwrap();
        assert_eq!(helios.missing(&places).unwrap(), "/nowhere/helios/bin/hfs is not there (bench/get helios)");
    }

    #[test]
    fn a_word_that_no_description_knows_is_refused() {
        let text = "name='x'\nprogram='x'\narguments=[]\nbase=''\nready='/'\ndurable='x'\nspeed='high'";
        assert!(toml::from_str::<Description>(text).unwrap_err().to_string().contains("speed"));
    }
}
