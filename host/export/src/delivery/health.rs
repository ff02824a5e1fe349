//! Logs one event when an exporter starts to lose spans and one when it delivers again.

use super::{DeliveryCounts, Names};

/// The loss state of one exporter.
#[derive(Debug, Default)]
pub(super) struct Health {
    seen: DeliveryCounts,
    /// The counts before the first loss. `None` while no spans are being lost.
    failing_since: Option<DeliveryCounts>,
}

impl Health {
    /// Compares `now` with the previous counts and logs a change of state.
    pub(super) fn look(&mut self, names: &Names, now: DeliveryCounts, error: Option<&str>) {
        let Names { service, exporter } = names;
        let lost = now.lost_since(&self.seen);
        let delivers = now.delivered > self.seen.delivered;
        let before = std::mem::replace(&mut self.seen, now);
        if lost.total() > 0 {
            if self.failing_since.is_none() {
                tracing::warn!(service, exporter, %lost, error, "spans are lost");
                self.failing_since = Some(before);
            }
        } else if delivers && let Some(since) = self.failing_since.take() {
            let lost = self.seen.lost_since(&since);
            tracing::info!(service, exporter, %lost, "spans are delivered again");
        }
    }
}
