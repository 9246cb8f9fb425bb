//! The composition root: configuration in, running service out.

use crate::{
    api::{self, Api, PageSize, observe::observe},
    config::{Config, LogFormat, LogLevel},
    store::{StoreError, sqlite::SqliteStore},
};
use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    web,
};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};
use tokio::task::JoinHandle;
use tracing::Level;

/// Seconds that requests under way have when the gateway stops.
const SHUTDOWN_SECONDS: u64 = 10;

/// Why the gateway did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot open the data file: {0}")]
    Store(#[from] StoreError),
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
    handle: ServerHandle,
    server: JoinHandle<io::Result<()>>,
}

/// Starts a gateway: opens the store, binds the address, answers.
pub fn run(config: &Config) -> Result<Running, AppError> {
    let store = Arc::new(SqliteStore::open(&config.data_file)?);
    let unbound = |source| AppError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).map_err(unbound)?;
    let address = listener.local_addr().map_err(unbound)?;
    let base_url = config.public_base_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let api = Api {
        store: store.clone(),
        base_url: base_url.clone(),
        page_size: PageSize { default: config.page_size, max: config.page_size_max },
        body_limit: config.body_limit,
    };
    let server = serve(api, listener, config.workers)?;
    Ok(Running { address, base_url, store, handle: server.handle(), server: tokio::spawn(server) })
}

fn serve(api: Api, listener: TcpListener, workers: Option<usize>) -> io::Result<Server> {
    let api = web::Data::new(api);
    let mut server =
        HttpServer::new(move || App::new().app_data(api.clone()).wrap(from_fn(observe)).configure(api::configure))
            .shutdown_timeout(SHUTDOWN_SECONDS)
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

/// Starts the log: lines go to standard error.
pub fn start_log(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
