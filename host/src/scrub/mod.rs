//! What is taken out of spans before they leave: sensitive values, noisy spans,
//! what is too long or too deep.
//!
//! It happens on the exporter's thread, so the thread that ends a span does not pay
//! for it.

mod filter;
mod limits;
mod redaction;

pub use filter::SpanFilter;
pub use limits::AttributeLimits;
pub use redaction::{Mask, Redaction};

use opentelemetry_sdk::trace::SpanData;

/// All that is done to the spans of one exporter before they are sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scrub {
    pub(crate) redaction: Redaction,
    pub(crate) limits: AttributeLimits,
    /// A span must pass all of them.
    pub(crate) filters: Vec<SpanFilter>,
}

impl Scrub {
    pub(crate) fn batch(&self, batch: &mut Vec<SpanData>) {
        batch.retain(|span| self.filters.iter().all(|filter| filter.keeps(span)));
        for span in batch {
            self.limits.cut(span);
            self.redaction.redact(span);
        }
    }
}
