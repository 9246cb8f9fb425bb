//! The api room: what Prometheus reads at `/metrics`, <https://prometheus.io/docs/concepts/metric_types/>.
//!
//! Labels are the method, the route's pattern and the status: never a path, an id or a parameter, which may hold
//! patient data, and of which there is no end.

use crate::{
    api::{Api, Endpoint, error::ApiError},
    store::metered::{Operation, StoreObserver, Written},
};
use actix_web::{HttpResponse, http::Method, web};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use std::time::Duration;

/// What Prometheus expects of the text: OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds: from a read out of memory to a search that takes long.
const BUCKETS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StoreOperation {
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Change {
    change: &'static str,
}

/// What the store has done.
struct OfStore {
    durations: Family<StoreOperation, Histogram, fn() -> Histogram>,
    errors: Family<StoreOperation, Counter>,
    writes_waiting: Gauge,
    versions: Family<Change, Counter>,
}

/// The counts of one gateway since it started.
pub struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    under_way: Gauge,
    of_store: OfStore,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("kap_gateway");
        let answered = Family::default();
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let under_way = Gauge::default();
        registry.register("requests", "Requests that were answered", answered.clone());
        let help = "Time from a request's head to its answer";
        registry.register_with_unit("request_duration", help, Unit::Seconds, durations.clone());
        registry.register("requests_under_way", "Requests that are being answered now", under_way.clone());
        registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let of_store = OfStore {
            durations: Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram),
            errors: Family::default(),
            writes_waiting: Gauge::default(),
            versions: Family::default(),
        };
        let help = "Time that the store takes for one of its operations, waiting included";
        registry.register_with_unit("store_operation_duration", help, Unit::Seconds, of_store.durations.clone());
        registry.register("store_errors", "Operations of the store that failed", of_store.errors.clone());
        let help = "Writes that wait for their turn or for the disk now";
        registry.register("store_writes_waiting", help, of_store.writes_waiting.clone());
        registry.register("store_versions", "Versions of resources that were written", of_store.versions.clone());
        Self { registry, answered, durations, under_way, of_store }
    }
}

impl Metrics {
    /// A request under way, until what comes back is dropped: also where the client went away.
    pub fn begin(&self) -> UnderWay {
        self.under_way.inc();
        UnderWay(self.under_way.clone())
    }

    /// `route`: the pattern of its path, `none` where no route has it.
    pub fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        self.answered.get_or_create(&Answered { method, route: route.to_owned(), status }).inc();
        let route = Route { method, route: route.to_owned() };
        self.durations.get_or_create(&route).observe(took.as_secs_f64());
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl StoreObserver for Metrics {
    fn done(&self, operation: Operation, took: Duration, is_error: bool) {
        let operation = StoreOperation { operation: operation.name() };
        self.of_store.durations.get_or_create(&operation).observe(took.as_secs_f64());
        if is_error {
            self.of_store.errors.get_or_create(&operation).inc();
        }
    }

    fn writes_waiting(&self, change: i64) {
        self.of_store.writes_waiting.inc_by(change);
    }

    fn written(&self, written: Written) {
        let counts = [("created", written.created), ("updated", written.updated), ("deleted", written.deleted)];
        for (change, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            self.of_store.versions.get_or_create(&Change { change }).inc_by(count);
        }
    }
}

pub struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

pub fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint { method: Method::GET, path: "/metrics", interaction: None, route: || web::route().to(metrics) }]
}

async fn metrics(api: web::Data<Api>) -> Result<HttpResponse, ApiError> {
    let text = api.metrics.text().map_err(|_| ApiError::Unwritable)?;
    Ok(HttpResponse::Ok().content_type(OPEN_METRICS).body(text))
}
