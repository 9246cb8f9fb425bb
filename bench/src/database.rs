//! The load harness: a PostgreSQL with its own defaults, for a server that keeps its data in one.

use crate::AnyError;
use crate::process;
use crate::server::{end, free_port};
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Database {
    child: Child,
    port: u16,
}

impl Database {
    /// # Errors
    ///
    /// There is no PostgreSQL, or it does not start.
    pub fn start(folder: &Path) -> Result<Self, AnyError> {
        let programs = programs().ok_or("no PostgreSQL was found (initdb and postgres): apt-get install postgresql")?;
        let (data, port) = (folder.join("postgresql"), free_port()?);
        fs::create_dir_all(&data)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        let user = unprivileged();
        if let Some(user) = &user {
            let _ = Command::new("chown").arg(format!("{user}:{user}")).arg(&data).status()?;
        }
        let as_user = |program: &str| {
            let mut command = Command::new("setpriv");
            if let Some(user) = &user {
                command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
            }
            // PostgreSQL takes INT as an order to end at once, in good order.
            command
                .args(["--pdeathsig", "INT", "--"])
                .arg(programs.join(program))
                .current_dir("/")
                .stdin(Stdio::null());
            command
        };
        let mut initdb = as_user("initdb");
        initdb.args(["--auth=trust", "--username=kap", "--encoding=UTF8", "--locale=C", "-D"]).arg(&data);
        let made = initdb.output()?;
        if !made.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)).into());
        }
        let log = File::create(folder.join("postgresql.log"))?;
        let mut postgres = as_user("postgres");
        postgres.arg("-D").arg(&data).arg("-k").arg(&data).args([
            "-p",
            &port.to_string(),
            "-c",
            "listen_addresses=127.0.0.1",
        ]);
        let child = postgres.stdout(Stdio::null()).stderr(log).spawn()?;
        let mut database = Self { child, port };
        let patience = Instant::now() + Duration::from_secs(60);
        while !is_ready(&data) || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if Instant::now() > patience || database.child.try_wait()?.is_some() {
                return Err("PostgreSQL does not start".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(database)
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://kap@127.0.0.1:{}/postgres", self.port)
    }

    #[must_use]
    pub fn memory(&self) -> u64 {
        process::memory(self.child.id())
    }

    #[must_use]
    pub fn processor_time(&self) -> Duration {
        process::processor_time(self.child.id())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// The server says so in the file that it keeps.
fn is_ready(data: &Path) -> bool {
    let kept = fs::read_to_string(data.join("postmaster.pid"));
    kept.is_ok_and(|kept| kept.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
}

fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    installed.sort();
    let mut places = std::env::split_paths(&path).chain(installed.into_iter().rev()).chain(["/usr/local/bin".into()]);
    places.find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// PostgreSQL does not run as root: then another user's number.
fn unprivileged() -> Option<String> {
    if fs::metadata("/proc/self").map(|own| own.uid()).unwrap_or(1) != 0 {
        return None;
    }
    ["postgres", "nobody"].into_iter().find_map(|user| {
        let number = Command::new("id").args(["-u", user]).output().ok().filter(|found| found.status.success())?;
        Some(String::from_utf8(number.stdout).ok()?.trim().to_owned())
    })
}
