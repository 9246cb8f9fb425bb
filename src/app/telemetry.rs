//! The app room: log lines and traces. Neither holds patient data: what goes in is chosen in `api/observe.rs`.
//!
//! Traces go to an OpenTelemetry collector by OTLP over HTTP, <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.

use crate::{
    api::observe::TRACES,
    config::{Config, LogFormat, LogLevel},
};
use opentelemetry::{global, trace::TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use std::io::{self, BufWriter, IsTerminal};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Keeps log lines and traces going out; those that wait are sent when it is dropped. It waits for the collector's answer: drop
/// it outside of asynchronous code.
#[must_use = "dropped at once it ends log and traces"]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
    _lines: WorkerGuard,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.provider
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces were not delivered");
        }
    }
}

/// Starts the log: lines go to standard error, by a thread of its own that writes as many at once as wait: a line for each
/// request took a tenth of a read. None is dropped. Of other crates only warnings are of interest. Starts traces where an endpoint
/// is configured. To be called once, outside of asynchronous code.
pub fn start(config: &Config) -> Result<Telemetry, ExporterBuildError> {
    let provider = config.otlp_endpoint.as_deref().map(provider).transpose()?;
    let traces = provider.as_ref().map(|provider| {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("kap-gateway"));
        // Places in our sources say nothing to who reads traces.
        let layer = layer.with_location(false).with_threads(false).with_target(false).with_tracked_inactivity(false);
        layer.with_filter(Targets::new().with_target(TRACES, LevelFilter::INFO))
    });
    let out = BufWriter::with_capacity(64 * 1024, io::stderr());
    let (out, guard) = NonBlockingBuilder::default().lossy(false).thread_name("log").finish(out);
    let lines = tracing_subscriber::fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(out);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let lines = tracing_subscriber::registry().with(lines.with_filter(of_interest(config.log_level)));
    match traces {
        Some(traces) => lines.with(traces).init(),
        // An empty layer would ask for all spans, and get them made for nobody.
        None => lines.init(),
    }
    Ok(Telemetry { provider, _lines: guard })
}

fn of_interest(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        // It writes a line for each connection that sends no HTTP: anybody could fill the log.
        .with_target("actix_http", LevelFilter::OFF)
        .with_target("kap_gateway", level)
        .with_target(TRACES, LevelFilter::OFF)
}

fn provider(endpoint: &str) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpJson)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()?;
    // Only what is named here: the environment's own attributes could name the machine's user.
    let resource = Resource::builder_empty().with_service_name("kap-gateway").build();
    global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
