//! Spanmux's delivery counts of each tracer.

use std::collections::BTreeMap;

use spanmux::delivery::Loss;
use spanmux::otel::RoutingTracerProvider;

/// The delivery counts of a tracer.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    pub ended: u64,
    pub delivered: u64,
    pub retries: u64,
    /// Delivered spans that were buffered on disk meanwhile.
    pub replayed: u64,
    /// Lost spans by cause.
    lost: BTreeMap<&'static str, u64>,
}

impl Delivery {
    /// Returns the number of lost spans.
    pub fn lost(&self) -> u64 {
        self.lost.values().sum()
    }

    /// Returns the number of lost spans whose last request got no answer in time.
    pub fn unanswered(&self) -> u64 {
        let timed_out = self.lost.get(Loss::TimedOut.as_str());
        timed_out.copied().unwrap_or_default()
    }

    /// Formats the causes of loss.
    pub fn causes(&self) -> String {
        let causes = self.lost.iter().filter(|(_, spans)| **spans > 0);
        let causes: Vec<_> = causes
            .map(|(cause, spans)| format!("{cause} {spans}"))
            .collect();
        causes.join(", ")
    }

    fn since(mut self, before: &Self) -> Self {
        self.ended -= before.ended;
        self.delivered -= before.delivered;
        self.retries -= before.retries;
        self.replayed -= before.replayed;
        for (cause, spans) in &mut self.lost {
            *spans -= before.lost.get(cause).copied().unwrap_or_default();
        }
        self
    }
}

/// The delivery counts of every tracer.
#[derive(Clone, Debug)]
pub struct Deliveries(BTreeMap<String, Delivery>);

impl Deliveries {
    /// Reads the current counts.
    pub fn read(provider: &RoutingTracerProvider) -> Self {
        let mut deliveries = BTreeMap::new();
        for tracer in provider.delivery() {
            let delivery: &mut Delivery = deliveries.entry(tracer.tracer).or_default();
            for (_, counts) in tracer.exporters {
                delivery.ended += counts.ended;
                delivery.delivered += counts.delivered;
                delivery.retries += counts.retries;
                delivery.replayed += counts.replayed;
                for cause in Loss::ALL {
                    *delivery.lost.entry(cause.as_str()).or_default() += counts.lost_to(cause);
                }
            }
        }
        Self(deliveries)
    }

    /// Returns the counts since `before`.
    pub fn since(self, before: &Self) -> Self {
        let since = |(tracer, delivery): (String, Delivery)| {
            let delivery = delivery.since(&before.of(&tracer));
            (tracer, delivery)
        };
        Self(self.0.into_iter().map(since).collect())
    }

    /// Returns the counts of one tracer.
    pub fn of(&self, tracer: &str) -> Delivery {
        self.0.get(tracer).cloned().unwrap_or_default()
    }
}
