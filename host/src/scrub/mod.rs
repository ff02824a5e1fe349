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

/// What was done to spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scrubbed {
    /// Spans that were left out.
    pub(crate) filtered: u64,
    /// Values that were replaced.
    pub(crate) redacted: u64,
    /// Values that were cut.
    pub(crate) cut: u64,
}

impl Scrub {
    pub(crate) fn batch(&self, batch: &mut Vec<SpanData>) -> Scrubbed {
        let before = batch.len();
        batch.retain(|span| self.keeps(span));
        let mut scrubbed = Scrubbed {
            filtered: (before - batch.len()) as u64,
            ..Scrubbed::default()
        };
        for span in batch {
            self.span(span, &mut scrubbed);
        }
        scrubbed
    }

    pub(crate) fn keeps(&self, span: &SpanData) -> bool {
        self.filters.iter().all(|filter| filter.keeps(span))
    }

    pub(crate) fn span(&self, span: &mut SpanData, _scrubbed: &mut Scrubbed) {
        self.limits.cut(span);
        self.redaction.redact(span);
    }
}
