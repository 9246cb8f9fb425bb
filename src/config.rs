//! Configuration: what the operator may set, and where each value comes from. Imports nothing of ours.
//!
//! A flag wins over an environment variable, that over the file, that over the default.

use serde::Deserialize;
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// Every environment variable of the gateway starts with this; one that we do not know is an error.
pub const ENVIRONMENT_PREFIX: &str = "KAP_GATEWAY_";

/// The largest body that is taken where nothing else is said: 1 MiB.
const DEFAULT_BODY_LIMIT: usize = 1024 * 1024;
const DEFAULT_PAGE_SIZE: usize = 50;
const DEFAULT_PAGE_SIZE_MAX: usize = 1000;
/// Far above any machine's processors: more is a slip, and the system might not give as many threads.
const MOST_WORKERS: usize = 512;
/// Connections to a database: each is a process there.
const DEFAULT_CONNECTIONS: usize = 24;
const MOST_CONNECTIONS: usize = 500;

/// What can be set, in one place or another: nothing here has a default yet.
///
/// The same names stand in the file (`data_file`), in the environment (`KAP_GATEWAY_DATA_FILE`) and as flags
/// (`--data-file`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "KAP_GATEWAY_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// Listen on an address that other machines reach, although nobody is asked who they are
    #[arg(long, env = "KAP_GATEWAY_ALLOW_UNPROTECTED", value_name = "true|false",
          num_args = 0..=1, default_missing_value = "true")]
    pub allow_unprotected: Option<bool>,

    /// SQLite file that keeps everything; it is made if it is not there [default: kap-gateway.db]
    #[arg(long, env = "KAP_GATEWAY_DATA_FILE", value_name = "FILE")]
    pub data_file: Option<PathBuf>,

    /// PostgreSQL database that keeps everything, instead of a file: postgres://user@host/name
    #[arg(long, env = "KAP_GATEWAY_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<Secret>,

    /// File with the password of the database's user: on the command line others on this machine would see it
    #[arg(long, env = "KAP_GATEWAY_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    pub database_password_file: Option<PathBuf>,

    /// Certificates in PEM by which the database's own is verified [default: those of the system]
    #[arg(long, env = "KAP_GATEWAY_DATABASE_CA", value_name = "FILE")]
    pub database_ca: Option<PathBuf>,

    /// Most connections to the database [default: 24]
    #[arg(long, env = "KAP_GATEWAY_DATABASE_CONNECTIONS", value_name = "NUMBER")]
    pub database_connections: Option<usize>,

    /// Where clients reach the gateway, for links in answers [default: http:// and the listen address]
    #[arg(long, env = "KAP_GATEWAY_PUBLIC_BASE_URL", value_name = "URL")]
    pub public_base_url: Option<String>,

    /// Largest request body, in bytes [default: 1048576]
    #[arg(long, env = "KAP_GATEWAY_BODY_LIMIT", value_name = "BYTES")]
    pub body_limit: Option<usize>,

    /// Largest request body under /fhir, in bytes: a Bundle may be large [default: 33554432]
    #[arg(long, env = "KAP_GATEWAY_FHIR_BODY_LIMIT", value_name = "BYTES")]
    pub fhir_body_limit: Option<usize>,

    /// Bodies of more than 1 MiB that are in memory at one time; others wait [default: 4]
    #[arg(long, env = "KAP_GATEWAY_LARGE_BODIES", value_name = "NUMBER")]
    pub large_bodies: Option<usize>,

    /// Most entries of a batch or transaction [default: 5000]
    #[arg(long, env = "KAP_GATEWAY_BUNDLE_ENTRIES", value_name = "NUMBER")]
    pub bundle_entries: Option<usize>,

    /// Most elements in each other in a body under /fhir, 120 at most [default: 100]
    #[arg(long, env = "KAP_GATEWAY_CONTENT_DEPTH", value_name = "NUMBER")]
    pub content_depth: Option<usize>,

    /// Most resources that come along with one page of a search [default: 1000]
    #[arg(long, env = "KAP_GATEWAY_INCLUDE_LIMIT", value_name = "NUMBER")]
    pub include_limit: Option<usize>,

    /// Most links of a chained search parameter, and of _has, 10 at most [default: 5]
    #[arg(long, env = "KAP_GATEWAY_CHAIN_LINKS", value_name = "NUMBER")]
    pub chain_links: Option<usize>,

    /// Seconds for one request, from its head to its answer; 0: any [default: 60]
    #[arg(long, env = "KAP_GATEWAY_REQUEST_SECONDS", value_name = "SECONDS")]
    pub request_seconds: Option<u32>,

    /// Seconds in which a request's body must arrive [default: 30]
    #[arg(long, env = "KAP_GATEWAY_BODY_SECONDS", value_name = "SECONDS")]
    pub body_seconds: Option<u32>,

    /// Resources on a page where the client does not say [default: 50]
    #[arg(long, env = "KAP_GATEWAY_PAGE_SIZE", value_name = "NUMBER")]
    pub page_size: Option<usize>,

    /// Most resources on a page, whatever the client says [default: 1000]
    #[arg(long, env = "KAP_GATEWAY_PAGE_SIZE_MAX", value_name = "NUMBER")]
    pub page_size_max: Option<usize>,

    /// Certificate chain in PEM: with it the gateway speaks HTTPS, and reads it again at SIGHUP
    #[arg(long, env = "KAP_GATEWAY_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,

    /// Private key of the certificate, in PEM
    #[arg(long, env = "KAP_GATEWAY_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// OpenTelemetry collector that gets traces by OTLP over HTTP, for example http://127.0.0.1:4318
    #[arg(long, env = "KAP_GATEWAY_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// Threads that answer requests [default: one for each processor]
    #[arg(long, env = "KAP_GATEWAY_WORKERS", value_name = "NUMBER")]
    pub workers: Option<usize>,

    /// FHIR package (.tgz), folder or file with conformance resources of your own (profiles with snapshots); may be
    /// given more than once
    #[arg(long = "package", env = "KAP_GATEWAY_PACKAGES", value_name = "FILE", value_delimiter = ',')]
    pub packages: Option<Vec<PathBuf>>,

    /// Folder with instruments of your own, a .toml file each
    #[arg(long, env = "KAP_GATEWAY_INSTRUMENTS", value_name = "FOLDER")]
    pub instruments: Option<PathBuf>,

    /// Another way to make a tier than an instrument's default: c-ssrs-screener=spier; may be given more than once
    #[arg(long = "tiering", env = "KAP_GATEWAY_TIERINGS", value_name = "INSTRUMENT=TIERING", value_delimiter = ',')]
    pub tierings: Option<Vec<String>>,

    /// TOML file with this installation's values for the safety rules, over those that the program carries
    #[arg(long, env = "KAP_GATEWAY_SAFETY_RULES", value_name = "FILE")]
    pub safety_rules: Option<PathBuf>,

    /// Hours between two judgements of all patients by the safety rules that depend on time; 0: never [default: 24]
    #[arg(long, env = "KAP_GATEWAY_SAFETY_RULES_HOURS", value_name = "HOURS")]
    pub safety_rules_hours: Option<u32>,

    /// Whether resources that are written through /fhir must be valid R4 and keep the KAP guide's profiles that they
    /// claim (on), every profile that they claim (strict), or have R4's elements alone (off) [default: on]
    #[arg(long, env = "KAP_GATEWAY_VALIDATE_WRITES", value_name = "strict|on|off", value_enum)]
    pub validate_writes: Option<WriteValidation>,

    /// Hours for which the answer to a request with an Idempotency-Key is kept [default: 24]
    #[arg(long, env = "KAP_GATEWAY_IDEMPOTENCY_HOURS", value_name = "HOURS")]
    pub idempotency_hours: Option<u32>,

    /// How log lines are written to standard error [default: text]
    #[arg(long, env = "KAP_GATEWAY_LOG_FORMAT", value_name = "FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,

    /// Which log lines are written; each request makes one at level info [default: info]
    #[arg(long, env = "KAP_GATEWAY_LOG_LEVEL", value_name = "LEVEL", value_enum)]
    pub log_level: Option<LogLevel>,
}

/// A text that no log and no help shows.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}

/// What resources that are written through /fhir must keep: R4 and every profile that they claim; R4 and the KAP guide's
/// profiles, and what breaks others is a warning; R4's elements alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum WriteValidation {
    Strict,
    #[default]
    On,
    Off,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object on each line.
    Json,
}

/// The least level of which log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
}

/// Where a PostgreSQL database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    pub url: Secret,
    pub password_file: Option<PathBuf>,
    /// `None`: the certificates of the system.
    pub ca: Option<PathBuf>,
    pub connections: usize,
}

/// What TLS needs, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The configuration of one gateway: complete, and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub listen: SocketAddr,
    /// Counts where there is no database.
    pub data_file: PathBuf,
    pub database: Option<Database>,
    /// Without a slash at the end. `None`: made from the address that was bound.
    pub public_base_url: Option<String>,
    /// In bytes.
    pub body_limit: usize,
    /// In bytes.
    pub fhir_body_limit: usize,
    pub large_bodies: usize,
    pub bundle_entries: usize,
    pub content_depth: usize,
    pub include_limit: usize,
    pub chain_links: usize,
    pub request_seconds: u32,
    pub body_seconds: u32,
    pub page_size: usize,
    pub page_size_max: usize,
    pub workers: Option<usize>,
    /// `None`: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// `None`: no traces.
    pub otlp_endpoint: Option<String>,
    /// In the order in which they are added: of two that define the same canonical, the later one counts.
    pub packages: Vec<PathBuf>,
    /// Instruments beside those that come with the gateway.
    pub instruments: Option<PathBuf>,
    /// `instrument=tiering`.
    pub tierings: Vec<String>,
    pub safety_rules: Option<PathBuf>,
    pub safety_rules_hours: u32,
    /// Off: what is written through /fhir is held to R4's elements alone.
    pub validate_writes: WriteValidation,
    /// How long answers to requests with an Idempotency-Key are kept.
    pub idempotency_hours: u32,
    pub log_format: LogFormat,
    pub log_level: LogLevel,
}

/// Why the gateway cannot be started as configured.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file {}: {source}", path.display())]
    UnreadableFile { path: PathBuf, source: std::io::Error },
    #[error("the configuration file {} is wrong: {source}", path.display())]
    WrongFile { path: PathBuf, source: Box<toml::de::Error> },
    #[error("the environment variable {0} is not known; `kap-gateway serve --help` lists those that are")]
    UnknownVariable(String),
    #[error(
        "refusing to listen on {0}: other machines could reach it, and this version does not ask who they are, so \
         anybody on that network could read and write patient records. Listen on 127.0.0.1, or pass \
         --allow-unprotected if something in front of the gateway controls access"
    )]
    Unprotected(SocketAddr),
    #[error("public_base_url must be http:// or https:// with a host, in printable ASCII, without ? and #")]
    WrongBaseUrl,
    #[error("tls_certificate and tls_key belong together: one of them is missing")]
    HalfTls,
    #[error(
        "otlp_endpoint must be http:// with a host, in printable ASCII, without ? and #: traces leave by plain HTTP, so \
         put a collector on this machine where they must go further"
    )]
    WrongOtlpEndpoint,
    #[error("data_file must name a file: what is kept nowhere is lost when the gateway stops")]
    WrongDataFile,
    #[error("data_file and database exclude each other: what is kept stands in one of them. Take one away")]
    TwoStores,
    #[error("database_password_file, database_ca and database_connections belong to a database, and none is named")]
    NoDatabase,
    #[error("database_connections must be 1 to {MOST_CONNECTIONS}")]
    Connections,
    #[error("workers must be {MOST_WORKERS} at most")]
    TooManyWorkers,
    #[error("{0} must be {1} at most")]
    TooMuch(&'static str, usize),
    #[error("{0} must be at least 1")]
    Zero(&'static str),
    #[error("page_size ({0}) is larger than page_size_max ({1})")]
    PageSizes(usize, usize),
}

impl Options {
    /// Reads a TOML file; a key that is not known is an error.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::UnreadableFile { path: path.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|source| ConfigError::WrongFile { path: path.to_owned(), source: Box::new(source) })
    }

    /// These values, and where there is none the other's.
    pub fn or(self, other: Self) -> Self {
        Self {
            listen: self.listen.or(other.listen),
            allow_unprotected: self.allow_unprotected.or(other.allow_unprotected),
            data_file: self.data_file.or(other.data_file),
            database: self.database.or(other.database),
            database_password_file: self.database_password_file.or(other.database_password_file),
            database_ca: self.database_ca.or(other.database_ca),
            database_connections: self.database_connections.or(other.database_connections),
            public_base_url: self.public_base_url.or(other.public_base_url),
            body_limit: self.body_limit.or(other.body_limit),
            fhir_body_limit: self.fhir_body_limit.or(other.fhir_body_limit),
            large_bodies: self.large_bodies.or(other.large_bodies),
            bundle_entries: self.bundle_entries.or(other.bundle_entries),
            content_depth: self.content_depth.or(other.content_depth),
            include_limit: self.include_limit.or(other.include_limit),
            chain_links: self.chain_links.or(other.chain_links),
            request_seconds: self.request_seconds.or(other.request_seconds),
            body_seconds: self.body_seconds.or(other.body_seconds),
            page_size: self.page_size.or(other.page_size),
            page_size_max: self.page_size_max.or(other.page_size_max),
            tls_certificate: self.tls_certificate.or(other.tls_certificate),
            tls_key: self.tls_key.or(other.tls_key),
            otlp_endpoint: self.otlp_endpoint.or(other.otlp_endpoint),
            workers: self.workers.or(other.workers),
            packages: self.packages.or(other.packages),
            instruments: self.instruments.or(other.instruments),
            tierings: self.tierings.or(other.tierings),
            safety_rules: self.safety_rules.or(other.safety_rules),
            safety_rules_hours: self.safety_rules_hours.or(other.safety_rules_hours),
            validate_writes: self.validate_writes.or(other.validate_writes),
            idempotency_hours: self.idempotency_hours.or(other.idempotency_hours),
            log_format: self.log_format.or(other.log_format),
            log_level: self.log_level.or(other.log_level),
        }
    }
}

impl TryFrom<Options> for Config {
    type Error = ConfigError;

    fn try_from(options: Options) -> Result<Self, ConfigError> {
        let tls = match (options.tls_certificate, options.tls_key) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(ConfigError::HalfTls),
        };
        if options.database.is_some() && options.data_file.is_some() {
            return Err(ConfigError::TwoStores);
        }
        let connections = options.database_connections.unwrap_or(DEFAULT_CONNECTIONS);
        if connections == 0 || connections > MOST_CONNECTIONS {
            return Err(ConfigError::Connections);
        }
        let database = match options.database {
            Some(url) => Some(Database {
                url,
                password_file: options.database_password_file,
                ca: options.database_ca,
                connections,
            }),
            None if options.database_password_file.is_some()
                || options.database_ca.is_some()
                || options.database_connections.is_some() =>
            {
                return Err(ConfigError::NoDatabase);
            }
            None => None,
        };
        let config = Self {
            listen: options.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
            data_file: options.data_file.unwrap_or_else(|| PathBuf::from("kap-gateway.db")),
            database,
            public_base_url: options.public_base_url.map(|url| url.trim_end_matches('/').to_owned()),
            body_limit: options.body_limit.unwrap_or(DEFAULT_BODY_LIMIT),
            fhir_body_limit: options.fhir_body_limit.unwrap_or(33_554_432),
            large_bodies: options.large_bodies.unwrap_or(4),
            bundle_entries: options.bundle_entries.unwrap_or(5_000),
            content_depth: options.content_depth.unwrap_or(100),
            include_limit: options.include_limit.unwrap_or(1_000),
            chain_links: options.chain_links.unwrap_or(5),
            request_seconds: options.request_seconds.unwrap_or(60),
            body_seconds: options.body_seconds.unwrap_or(30),
            page_size: options.page_size.unwrap_or(DEFAULT_PAGE_SIZE),
            page_size_max: options.page_size_max.unwrap_or(DEFAULT_PAGE_SIZE_MAX),
            workers: options.workers,
            tls,
            otlp_endpoint: options.otlp_endpoint,
            packages: options.packages.unwrap_or_default(),
            instruments: options.instruments,
            tierings: options.tierings.unwrap_or_default(),
            safety_rules: options.safety_rules,
            safety_rules_hours: options.safety_rules_hours.unwrap_or(24),
            validate_writes: options.validate_writes.unwrap_or_default(),
            idempotency_hours: options.idempotency_hours.unwrap_or(24),
            log_format: options.log_format.unwrap_or_default(),
            log_level: options.log_level.unwrap_or_default(),
        };
        if !config.listen.ip().is_loopback() && options.allow_unprotected != Some(true) {
            return Err(ConfigError::Unprotected(config.listen));
        }
        if config.public_base_url.as_deref().is_some_and(|url| !is_base_url(url)) {
            return Err(ConfigError::WrongBaseUrl);
        }
        if config.otlp_endpoint.as_deref().is_some_and(|url| !url.starts_with("http://") || !is_base_url(url)) {
            return Err(ConfigError::WrongOtlpEndpoint);
        }
        if config.data_file.as_os_str().is_empty() || config.data_file == Path::new(":memory:") {
            return Err(ConfigError::WrongDataFile);
        }
        if config.workers.is_some_and(|workers| workers > MOST_WORKERS) {
            return Err(ConfigError::TooManyWorkers);
        }
        let sizes = [
            ("body_limit", config.body_limit),
            ("fhir_body_limit", config.fhir_body_limit),
            ("large_bodies", config.large_bodies),
            ("bundle_entries", config.bundle_entries),
            ("content_depth", config.content_depth),
            ("include_limit", config.include_limit),
            ("body_seconds", usize::try_from(config.body_seconds).unwrap_or(1)),
            ("page_size", config.page_size),
            ("page_size_max", config.page_size_max),
            ("workers", config.workers.unwrap_or(1)),
            ("idempotency_hours", usize::try_from(config.idempotency_hours).unwrap_or(1)),
        ];
        if let Some((name, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(ConfigError::Zero(name));
        }
        let most = [("content_depth", config.content_depth, 120), ("chain_links", config.chain_links, 10)];
        if let Some((name, _, most)) = most.into_iter().find(|(_, value, most)| value > most) {
            return Err(ConfigError::TooMuch(name, most));
        }
        if config.page_size > config.page_size_max {
            return Err(ConfigError::PageSizes(config.page_size, config.page_size_max));
        }
        Ok(config)
    }
}

fn is_base_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let printable = url.bytes().all(|byte| byte.is_ascii_graphic());
    printable && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['?', '#', '"']))
}

/// Refuses environment variables that look like ours and are not: a misspelt one would be ignored silently.
pub fn check_environment(
    names: impl IntoIterator<Item = String>,
    known: impl Fn(&str) -> bool,
) -> Result<(), ConfigError> {
    let mut ours = names.into_iter().filter(|name| name.starts_with(ENVIRONMENT_PREFIX));
    match ours.find(|name| !known(name)) {
        Some(name) => Err(ConfigError::UnknownVariable(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Options {
        toml::from_str(text).expect("a right file")
    }

    #[test]
    fn defaults_are_loopback_and_one_mebibyte() {
        let config = Config::try_from(Options::default()).expect("defaults hold");
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.body_limit, 1_048_576);
        assert_eq!((config.page_size, config.page_size_max), (50, 1000));
        assert_eq!(config.log_format, LogFormat::Text);
    }

    #[test]
    fn what_is_set_first_wins_value_by_value() {
        let flags = Options { page_size: Some(7), ..Options::default() };
        let merged = flags.or(file("page_size = 9\nbody_limit = 100\nlog_format = 'json'"));
        let config = Config::try_from(merged).expect("right");
        assert_eq!((config.page_size, config.body_limit, config.log_format), (7, 100, LogFormat::Json));
    }

    #[test]
    fn packages_of_the_flag_take_the_place_of_those_of_the_file() {
        let of_file = file("packages = ['a.tgz', 'b.tgz']");
        let paths = |options: Options| Config::try_from(options).expect("right").packages;
        assert_eq!(paths(of_file.clone()), ["a.tgz", "b.tgz"].map(PathBuf::from));
        let flag = Options { packages: Some(vec!["c.tgz".into()]), ..Options::default() };
        assert_eq!(paths(flag.or(of_file)), ["c.tgz"].map(PathBuf::from));
        assert!(paths(Options::default()).is_empty());
    }

    #[test]
    fn unknown_key_in_the_file_is_an_error() {
        let error = toml::from_str::<Options>("page_sise = 9").expect_err("misspelt");
        assert!(error.to_string().contains("page_sise"), "{error}");
    }

    #[test]
    fn other_machines_need_an_explicit_permission() {
        for address in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80"] {
            let listen = Some(address.parse().expect("an address"));
            let refused = Config::try_from(Options { listen, ..Options::default() });
            assert!(matches!(refused, Err(ConfigError::Unprotected(_))), "{address}");
            let allowed = Options { listen, allow_unprotected: Some(true), ..Options::default() };
            assert!(Config::try_from(allowed).is_ok(), "{address}");
            let denied = Options { listen, allow_unprotected: Some(false), ..Options::default() };
            assert!(Config::try_from(denied).is_err(), "{address}");
        }
    }

    #[test]
    fn wrong_values_are_refused() {
        for text in [
            "public_base_url = 'ftp://x'",
            "public_base_url = 'https://'",
            "public_base_url = 'https://x/?a'",
            "public_base_url = 'https://x y'",
            "public_base_url = 'https://ü'",
            "public_base_url = \"https://x\\r\\ny\"",
            "tls_certificate = 'only.pem'",
            "tls_key = 'only.pem'",
            "otlp_endpoint = 'https://x'",
            "otlp_endpoint = 'x:4318'",
            "data_file = ''",
            "data_file = ':memory:'",
            "workers = 513",
            "data_file = 'a.db'\ndatabase = 'postgres://kap@localhost/kap'",
            "database_ca = 'ca.pem'",
            "database = 'postgres://kap@localhost/kap'\ndatabase_connections = 0",
            "page_size = 0",
            "body_limit = 0",
            "workers = 0",
            "content_depth = 121",
            "chain_links = 11",
            "large_bodies = 0",
            "body_seconds = 0",
            "idempotency_hours = 0",
            "page_size = 20\npage_size_max = 10",
        ] {
            assert!(Config::try_from(file(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn url_of_the_database_is_shown_nowhere() {
        let options = file("database = 'postgres://kap:sesame@localhost/kap'");
        let shown = format!("{options:?} {:?}", Config::try_from(options.clone()).expect("right"));
        assert!(!shown.contains("sesame") && shown.contains("(secret)"), "{shown}");
    }

    #[test]
    fn misspelt_environment_variable_is_an_error() {
        let known = |name: &str| name == "KAP_GATEWAY_LISTEN";
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(check_environment(names(&["PATH", "KAP_GATEWAY_LISTEN"]), known).is_ok());
        let refused = check_environment(names(&["KAP_GATEWAY_LISTN"]), known);
        assert!(refused.expect_err("misspelt").to_string().contains("KAP_GATEWAY_LISTN"));
    }
}
