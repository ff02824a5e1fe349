//! Saying once that spans are lost, and once that they are no longer.

use super::{DeliveryCounts, Names};

/// Whether spans of one exporter are being lost.
#[derive(Debug, Default)]
pub(super) struct Health {
    seen: DeliveryCounts,
    /// What was counted when the first of them was lost.
    failing_since: Option<DeliveryCounts>,
}

impl Health {
    /// Looks at what was counted since the last look, and logs a change.
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
