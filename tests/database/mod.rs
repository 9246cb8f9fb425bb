//! A PostgreSQL for tests: one of their own in a temporary folder, which ends with them however they end; or the one that
//! `KAP_TEST_POSTGRES` names.
//!
//! Where there is none the tests fail: an engine that nobody tested is not kept by being skipped.

// Each test binary takes what it needs.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub const INSTALL: &str = "no PostgreSQL was found for the tests (initdb and postgres in PATH, /usr/lib/postgresql/*/bin or \
    /usr/local/bin): install one (Debian and Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17), or name \
    one that tests may fill in KAP_TEST_POSTGRES=postgres://user@host/database";

/// A new, empty database; all tests of a binary share one server.
pub async fn empty_database() -> String {
    add_database(shared()).await
}

/// Takes a database of the shared server away with all that is in it, whoever still uses it: hundreds of tests leave
/// gigabytes otherwise. One that stays is no fault of what was tested.
pub async fn drop_database(database: &str) {
    let dropped = tokio::time::timeout(Duration::from_secs(30), try_drop(database)).await;
    if let Ok(Err(error)) = dropped {
        println!("a database of a test stays: {error}");
    }
}

async fn try_drop(database: &str) -> Result<(), tokio_postgres::Error> {
    let name = database.split('?').next().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
    let (client, connection) = tokio_postgres::connect(shared(), tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await?;
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = '{name}' AND backend_type = 'client backend'"
    );
    // Who was told to go is gone a moment later.
    while !client.query(&cut, &[]).await?.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    client.batch_execute(&format!("DROP DATABASE {name}")).await?;
    drop(client);
    connection.await.map_or(Ok(()), |ended| ended)
}

/// A database of the server that all tests of a binary share.
fn shared() -> &'static str {
    static OWN: OnceLock<Server> = OnceLock::new();
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        let given = std::env::var("KAP_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
        given.unwrap_or_else(|| OWN.get_or_init(|| Server::start(&[])).url())
    })
}

/// Adds a database beside the one that is named.
async fn add_database(url: &str) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    let name = format!("kap_test_{}_{clock}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    let (server, parameters) = url.split_once('?').map_or((url, None), |(url, after)| (url, Some(after)));
    let (place, _) = server.rsplit_once('/').unwrap();
    let parameters = parameters.map(|parameters| format!("?{parameters}")).unwrap_or_default();
    format!("{place}/{name}{parameters}")
}

/// Runs statements on a database as whoever looks after it would, and gives the first column of the last as text.
pub async fn sql(url: &str, statements: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut found = Vec::new();
    for message in client.simple_query(statements).await.unwrap() {
        if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
            found.push(row.get(0).unwrap_or_default().to_owned());
        }
    }
    drop(client);
    connection.await.unwrap().unwrap();
    found
}

/// A server of the tests' own.
pub struct Server {
    folder: PathBuf,
    bin: PathBuf,
    user: Option<String>,
    settings: Mutex<Vec<String>>,
    running: Mutex<Option<Running>>,
}

/// The shell that watches over the server ends it when nobody holds the other end any more.
struct Running {
    watch: Child,
    hold: ChildStdin,
}

impl Server {
    /// `settings` as on the command line of postgres: `name=value`.
    pub fn start(settings: &[&str]) -> Self {
        let bin = programs().expect(INSTALL);
        let folder = tempfile::Builder::new().prefix("kap-pg-").tempdir_in("/tmp").unwrap().keep();
        let user = unprivileged(&folder);
        let server = Self {
            folder,
            bin,
            user,
            settings: Mutex::new(settings.iter().map(|setting| (*setting).to_owned()).collect()),
            running: Mutex::new(None),
        };
        let made = server
            .command("initdb")
            .args(["--no-sync", "--auth=trust", "--username=kap", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(server.data())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.go_on();
        server
    }

    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Puts a file into the server's folder, for the server's eyes alone.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let owner = std::fs::metadata(self.data()).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
        path
    }

    /// The server's own database: by its socket, which no other test can have taken.
    pub fn url(&self) -> String {
        format!("postgres://kap@{}/postgres", self.folder.to_str().unwrap().replace('/', "%2F"))
    }

    pub async fn empty_database(&self) -> String {
        add_database(&self.url()).await
    }

    fn command(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        match &self.user {
            None => Command::new(program),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--regid", user, "--clear-groups", "--"]).arg(program);
                command
            }
        }
    }

    /// Starts it, again where it was stopped, and waits until it answers.
    pub fn go_on(&self) {
        const WATCH: &str = r#"trap "" INT TERM
            "$@" & pid=$!
            read -r how || { how=INT; alone=1; }
            kill -s "$how" $pid
            wait $pid
            [ -z "$alone" ] || rm -rf "$FOLDER""#;
        let mut shell = match &self.user {
            None => Command::new("sh"),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--regid", user, "--clear-groups", "--", "sh"]);
                command
            }
        };
        shell.args(["-c", WATCH, "watch"]).arg(self.bin.join("postgres")).arg("-D").arg(self.data());
        shell.arg("-k").arg(&self.folder).env("FOLDER", &self.folder);
        let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for setting in
            ["listen_addresses=", "max_connections=200"].into_iter().chain(settings.iter().map(String::as_str))
        {
            shell.args(["-c", setting]);
        }
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut watch = shell.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let hold = watch.stdin.take().unwrap();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(Running { watch, hold });
        let patience = Instant::now() + Duration::from_secs(60);
        while !self.is_ready() {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < patience, "the server does not start: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The server says so in the file that it keeps.
    fn is_ready(&self) -> bool {
        let kept = std::fs::read_to_string(self.data().join("postmaster.pid"));
        kept.is_ok_and(|kept| kept.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
    }

    /// Ends it as an operator does who restarts it: sessions are cut off.
    pub fn stop(&self) {
        self.end("INT");
    }

    /// `kill -9`. Its processes notice that they are alone, and end.
    pub fn kill(&self) {
        self.end("KILL");
        std::thread::sleep(Duration::from_secs(2));
        std::fs::remove_file(self.data().join("postmaster.pid")).unwrap();
    }

    /// From the next start on it also listens there.
    pub fn listen(&self, address: &str) {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        settings.push(format!("listen_addresses={address}"));
    }

    fn end(&self, how: &str) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { mut watch, mut hold }) = running {
            writeln!(hold, "{how}").unwrap();
            drop(hold);
            watch.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("INT");
        // A folder that stays is no fault of what was tested.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Where initdb and postgres are: the newest, if there are several.
fn programs() -> Option<PathBuf> {
    let has_both = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut installed: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    installed.sort();
    let places = std::env::split_paths(&path).chain(installed.into_iter().rev());
    places.chain(["/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from)).find(has_both)
}

/// PostgreSQL does not run as root: then another user owns the folder, and is named.
fn unprivileged(folder: &Path) -> Option<String> {
    if std::fs::metadata("/proc/self").map(|own| own.uid()).unwrap_or(1) != 0 {
        return None;
    }
    for user in ["postgres", "nobody"] {
        let number = Command::new("id").args(["-u", user]).output().ok().filter(|found| found.status.success());
        let number = number.and_then(|found| String::from_utf8(found.stdout).ok()?.trim().parse::<u32>().ok());
        if let Some(number) = number {
            chown(folder, Some(number), Some(number)).unwrap();
            return Some(number.to_string());
        }
    }
    panic!("PostgreSQL does not run as root, and there is neither a user postgres nor nobody");
}
