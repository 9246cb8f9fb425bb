//! What only time brings about: the safety rules over all patients, again and again (mapping specification D-17).

use crate::ingest::{Gateway, Occasion};
use std::{sync::Arc, time::Duration};

/// So that a start is not slowed down, and a gateway that is started each day still judges.
const FIRST: Duration = Duration::from_secs(60);

/// Judges all patients a minute after the start and then every so many hours; 0: never.
pub async fn judge_each(gateway: Arc<Gateway>, hours: u32) {
    if hours == 0 {
        return;
    }
    tokio::time::sleep(FIRST).await;
    loop {
        match gateway.judge_all(Occasion::Scheduled).await {
            Ok((judged, changed)) => tracing::info!(judged, changed, "safety rules judged on schedule"),
            Err(error) => tracing::warn!(%error, "the safety rules could not be judged on schedule"),
        }
        tokio::time::sleep(Duration::from_secs(u64::from(hours).saturating_mul(3600))).await;
    }
}
