//! The composition root: configuration in, running service out.

pub mod copies;
pub mod demo;
pub mod doctor;
pub mod generate;
pub mod import;
pub mod input;
pub mod map;
pub mod migrate_store;
mod schedule;
mod store;
pub mod telemetry;
mod tls;
pub mod validate;

// The command line takes everything through here.
pub use crate::{
    api::representation::{Format, Representation},
    config::{Config, ConfigError, LogLevel, Options, Secret, check_environment},
};

use crate::{
    api::{
        self, Api, Idempotency, PageSize, fhir::acceptance::GUIDE, idempotency::UnderWay, limits::Limits,
        metrics::Metrics, observe::observe,
    },
    config::WriteValidation,
    consent::{Door, PermitAll, Policy},
    fhir::{
        definitions::{AddError, Definitions},
        validate::Enforced,
    },
    ingest::{Contract, ContractError, Gateway, Parameters, Rules, RulesFileError},
    store::{Opened, StoreError, metered::MeteredStore},
};
use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::{Compress, NormalizePath, from_fn},
    web,
};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tls::{Certificate, TlsError};
use tokio::{sync::Semaphore, task::JoinHandle};

/// Seconds that requests under way have when the gateway stops.
const SHUTDOWN_SECONDS: u64 = 10;

/// How long the server's threads may take to let go of the store.
const LETTING_GO: Duration = Duration::from_secs(2);

/// Connections that one worker holds; further ones wait until it has room.
const MOST_CONNECTIONS: usize = 1024;

/// How long a client may take to send the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Why the gateway did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot open the store: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error("cannot speak TLS: {0}")]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Rules(#[from] RulesFileError),
    #[error("cannot use a package: {0}")]
    Package(#[from] AddError),
    #[error("the server ended: {0}")]
    Server(#[from] io::Error),
}

impl AppError {
    /// Was nothing started, because the configuration names instruments that are wrong?
    pub fn is_misuse(&self) -> bool {
        matches!(self, Self::Contract(ContractError::Instruments(_)))
    }
}

/// A gateway that answers requests.
pub struct Running {
    /// Where it listens; the port is the real one, also where 0 was configured.
    pub address: SocketAddr,
    /// Where clients reach it, without a slash at the end.
    pub base_url: String,
    pub store: Opened,
    pub gateway: Arc<Gateway>,
    certificate: Option<Arc<Certificate>>,
    handle: ServerHandle,
    server: JoinHandle<io::Result<()>>,
    /// What only time brings about is judged on a schedule.
    schedule: JoinHandle<()>,
    /// Search parameters that are added are indexed aside.
    indexing: JoinHandle<()>,
}

/// Starts a gateway: opens the store, binds the address, answers.
pub fn run(config: &Config) -> Result<Running, AppError> {
    run_with(config, Arc::new(PermitAll))
}

/// The same with another policy at the door.
pub fn run_with(config: &Config, policy: Arc<dyn Policy>) -> Result<Running, AppError> {
    // Before the data file is touched: a wrong file of rules stops the start.
    let rules = Rules::load(config.safety_rules.as_deref())?;
    let contract = contract(config)?;
    let certificate = config.tls.as_ref().map(Certificate::read).transpose()?;
    let store = store::open(config)?;
    let unbound = |source| AppError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).map_err(unbound)?;
    let address = listener.local_addr().map_err(unbound)?;
    let base_url = config.public_base_url.clone().unwrap_or_else(|| {
        let scheme = if certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{address}")
    });
    let metrics = Arc::new(Metrics::default());
    let definitions = definitions(&config.packages)?;
    let door = Door::new(Arc::new(MeteredStore::new(store.clone(), metrics.clone())), policy);
    let gateway = Arc::new(Gateway {
        contract,
        door: door.clone(),
        base: format!("{base_url}/fhir"),
        rules,
        parameters: parameters(config, &definitions),
    });
    let api = Api {
        door,
        gateway: gateway.clone(),
        base_url: base_url.clone(),
        page_size: PageSize { default: config.page_size, max: config.page_size_max },
        limits: limits(config),
        definitions,
        validator: OnceLock::new(),
        metrics,
        idempotency: Idempotency {
            kept_for: Duration::from_secs(u64::from(config.idempotency_hours).saturating_mul(3600)),
            under_way: UnderWay::default(),
        },
        validate_writes: config.validate_writes != WriteValidation::Off,
        enforced: match config.validate_writes {
            WriteValidation::Strict => Enforced::All,
            WriteValidation::On | WriteValidation::Off => Enforced::Own(GUIDE),
        },
    };
    let server = serve(api, listener, config.workers, certificate.as_ref())?;
    let schedule = tokio::spawn(schedule::judge_each(Arc::clone(&gateway), config.safety_rules_hours));
    let indexing = tokio::spawn({
        let gateway = Arc::clone(&gateway);
        async move { gateway.keep_parameters().await }
    });
    Ok(Running {
        address,
        base_url,
        store,
        gateway,
        certificate,
        handle: server.handle(),
        server: tokio::spawn(server),
        schedule,
        indexing,
    })
}

fn limits(config: &Config) -> Limits {
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    Limits {
        body_limit: config.body_limit,
        fhir_body_limit: config.fhir_body_limit,
        large_bodies: Arc::new(Semaphore::new(config.large_bodies.min(Semaphore::MAX_PERMITS))),
        bundle_entries: config.bundle_entries,
        content_depth: config.content_depth,
        include_limit: config.include_limit,
        chain_links: config.chain_links,
        request_time: seconds(config.request_seconds),
        body_time: seconds(config.body_seconds),
    }
}

/// The contract with the instruments of the configuration.
pub fn contract(config: &Config) -> Result<Contract, ContractError> {
    Contract::with_folder(config.instruments.as_deref(), &config.tierings)
}

/// The program's own definitions and those of the user's packages.
pub fn definitions(packages: &[PathBuf]) -> Result<Definitions, AddError> {
    let mut definitions = Definitions::base();
    for package in packages {
        definitions.add_package(package)?;
    }
    Ok(definitions)
}

/// The search parameters of the configured packages: those that the program does not carry, or carries otherwise.
fn parameters(config: &Config, definitions: &Definitions) -> Parameters {
    let carried = if config.packages.is_empty() { Vec::new() } else { Definitions::base().search_parameters() };
    let mut of_packages = if config.packages.is_empty() { Vec::new() } else { definitions.search_parameters() };
    of_packages.retain(|own| !carried.contains(own));
    Parameters::new(of_packages, config.database.is_some())
}

fn serve(
    api: Api,
    listener: TcpListener,
    workers: Option<usize>,
    certificate: Option<&Arc<Certificate>>,
) -> Result<Server, AppError> {
    let api = web::Data::new(api);
    let app = move || {
        App::new()
            .app_data(api.clone())
            // Some client libraries write the base URL with a slash behind it, and post Bundles there.
            .wrap(NormalizePath::trim())
            .wrap(Compress::default())
            .wrap(from_fn(observe))
            .configure(api::configure)
    };
    let mut server = HttpServer::new(app)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .max_connections(MOST_CONNECTIONS)
        .client_request_timeout(HEAD_TIME)
        // The command line decides when to stop.
        .disable_signals();
    if let Some(workers) = workers {
        server = server.workers(workers);
    }
    let server = match certificate {
        Some(certificate) => server.listen_rustls_0_23(listener, certificate.server()?)?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
}

impl Running {
    /// Waits for the signal to stop (Ctrl-C or SIGTERM), then lets requests under way finish. SIGHUP reads the
    /// certificate again.
    pub async fn until_signalled(self) -> Result<(), AppError> {
        let renewing = renew_at_signal(self.certificate.clone())?;
        wait_for_signal().await?;
        renewing.abort();
        tracing::info!("stopping");
        self.stop().await
    }

    /// Lets requests under way finish, then ends.
    pub async fn stop(self) -> Result<(), AppError> {
        let Self { store, gateway, handle, server, schedule, indexing, .. } = self;
        schedule.abort();
        indexing.abort();
        handle.stop(true).await;
        server.await.map_err(io::Error::other)??;
        // Both were told to end.
        let _ = (schedule.await, indexing.await);
        drop(gateway);
        // The server's threads let go a moment after it. Who comes last closes the store, and a file is whole by itself
        // when it has been closed: the program's end would not wait for that.
        let patience = Instant::now() + LETTING_GO;
        while Arc::strong_count(&store) > 1 && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let closed = tokio::task::spawn_blocking(move || drop(store));
        Ok(closed.await.map_err(io::Error::other)?)
    }
}

/// Without a certificate SIGHUP does nothing; it must not end the gateway, as it otherwise would.
#[cfg(unix)]
fn renew_at_signal(certificate: Option<Arc<Certificate>>) -> io::Result<JoinHandle<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangups = signal(SignalKind::hangup())?;
    Ok(tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            match certificate.as_ref().map(|certificate| certificate.renew()) {
                Some(Ok(())) => tracing::info!("the certificate was read again"),
                Some(Err(error)) => tracing::error!(%error, "the certificate stays as it was"),
                None => tracing::info!("there is no certificate to read again"),
            }
        }
    }))
}

#[cfg(not(unix))]
fn renew_at_signal(_: Option<Arc<Certificate>>) -> io::Result<JoinHandle<()>> {
    Ok(tokio::spawn(async {}))
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
