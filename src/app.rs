//! The composition root: configuration in, running service out.

pub mod demo;
pub mod generate;
pub mod import;
pub mod input;
pub mod map;
mod schedule;
pub mod validate;

// The command line takes everything through here.
pub use crate::{
    api::representation::{Format, Representation},
    config::{Config, ConfigError, LogLevel, Options, check_environment},
};

use crate::{
    api::{self, Api, PageSize, observe::observe},
    config::LogFormat,
    fhir::definitions::{AddError, Definitions},
    ingest::{Contract, ContractError, Gateway, Rules, RulesFileError},
    store::{StoreError, sqlite::SqliteStore},
};
use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    web,
};
use std::{
    io::{self, IsTerminal},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, OnceLock},
};
use tokio::task::JoinHandle;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Seconds that requests under way have when the gateway stops.
const SHUTDOWN_SECONDS: u64 = 10;

/// Connections that one worker holds; further ones wait until it has room.
const MOST_CONNECTIONS: usize = 1024;

/// Why the gateway did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot open the data file: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Rules(#[from] RulesFileError),
    #[error("cannot use a package: {0}")]
    Package(#[from] AddError),
    #[error("the server ended: {0}")]
    Server(#[from] io::Error),
}

/// A gateway that answers requests.
pub struct Running {
    /// Where it listens; the port is the real one, also where 0 was configured.
    pub address: SocketAddr,
    /// Where clients reach it, without a slash at the end.
    pub base_url: String,
    pub store: Arc<SqliteStore>,
    pub gateway: Arc<Gateway>,
    handle: ServerHandle,
    server: JoinHandle<io::Result<()>>,
    /// What only time brings about is judged on a schedule.
    schedule: JoinHandle<()>,
}

/// Starts a gateway: opens the store, binds the address, answers.
pub fn run(config: &Config) -> Result<Running, AppError> {
    // Before the data file is touched: a wrong file of rules stops the start.
    let rules = Rules::load(config.safety_rules.as_deref())?;
    let store = Arc::new(SqliteStore::open(&config.data_file)?);
    let unbound = |source| AppError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).map_err(unbound)?;
    let address = listener.local_addr().map_err(unbound)?;
    let base_url = config.public_base_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let gateway = Arc::new(Gateway {
        contract: Contract::load()?,
        store: store.clone(),
        base: format!("{base_url}/fhir"),
        rules,
    });
    let api = Api {
        store: store.clone(),
        gateway: gateway.clone(),
        base_url: base_url.clone(),
        page_size: PageSize { default: config.page_size, max: config.page_size_max },
        body_limit: config.body_limit,
        definitions: definitions(&config.packages)?,
        validator: OnceLock::new(),
    };
    let server = serve(api, listener, config.workers)?;
    let schedule = tokio::spawn(schedule::judge_each(Arc::clone(&gateway), config.safety_rules_hours));
    Ok(Running { address, base_url, store, gateway, handle: server.handle(), server: tokio::spawn(server), schedule })
}

/// The program's own definitions and those of the user's packages.
pub fn definitions(packages: &[PathBuf]) -> Result<Definitions, AddError> {
    let mut definitions = Definitions::base();
    for package in packages {
        definitions.add_package(package)?;
    }
    Ok(definitions)
}

fn serve(api: Api, listener: TcpListener, workers: Option<usize>) -> io::Result<Server> {
    let api = web::Data::new(api);
    let mut server =
        HttpServer::new(move || App::new().app_data(api.clone()).wrap(from_fn(observe)).configure(api::configure))
            .shutdown_timeout(SHUTDOWN_SECONDS)
            .max_connections(MOST_CONNECTIONS)
            // The command line decides when to stop.
            .disable_signals();
    if let Some(workers) = workers {
        server = server.workers(workers);
    }
    Ok(server.listen(listener)?.run())
}

impl Running {
    /// Waits for the signal to stop (Ctrl-C or SIGTERM), then lets requests under way finish.
    pub async fn until_signalled(self) -> Result<(), AppError> {
        wait_for_signal().await?;
        tracing::info!("stopping");
        self.stop().await
    }

    /// Lets requests under way finish, then ends.
    pub async fn stop(self) -> Result<(), AppError> {
        self.schedule.abort();
        self.handle.stop(true).await;
        self.server.await.map_err(io::Error::other)??;
        Ok(())
    }
}

#[cfg(unix)]
async fn wait_for_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// Starts the log: lines go to standard error. Of other crates only warnings are of interest.
pub fn start_log(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        // It writes a line for each connection that sends no HTTP: anybody could fill the log.
        .with_target("actix_http", LevelFilter::OFF)
        .with_target("kap_gateway", level);
    let lines = tracing_subscriber::fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(io::stderr);
    let registry = tracing_subscriber::registry().with(targets);
    match format {
        LogFormat::Text => registry.with(lines).init(),
        LogFormat::Json => registry.with(lines.json()).init(),
    }
}
