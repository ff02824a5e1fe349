//! Redaction of sensitive values, filters for noisy spans, and limits for the size of
//! attributes. All of them apply before spans leave the process.
//!
//! This work runs on the thread of the exporter, not on the thread that ends a span.

mod filter;
mod json;
mod keys;
mod limits;
mod redaction;
#[cfg(test)]
mod tests;
mod texts;
mod value;

pub use filter::SpanFilter;
pub use limits::AttributeLimits;
pub use redaction::{Mask, Redaction};

use std::borrow::Cow;
use std::ops::AddAssign;

use opentelemetry::KeyValue;
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;

/// The span attribute with the number of truncated values.
const CUT: &str = "spanmux.cut";

/// The processing of the spans of one exporter before they are sent.
#[derive(Clone, Debug, Default)]
pub struct Scrub {
    /// The values that are redacted.
    pub redaction: Redaction,
    /// The largest attributes.
    pub limits: AttributeLimits,
    /// A span is kept only if all filters keep it.
    pub filters: Vec<SpanFilter>,
}

/// Counts of the processing of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scrubbed {
    /// Spans that were dropped by a filter.
    pub(crate) filtered: u64,
    /// Values that were redacted.
    pub(crate) redacted: u64,
    /// Values that were truncated.
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

    pub(crate) fn span(&self, span: &mut SpanData, scrubbed: &mut Scrubbed) {
        let before = scrubbed.cut;
        self.texts(span, scrubbed);
        self.attributes(&mut span.attributes, scrubbed);
        for event in &mut span.events.events {
            self.attributes(&mut event.attributes, scrubbed);
        }
        for link in &mut span.links.links {
            self.attributes(&mut link.attributes, scrubbed);
        }
        let cut = scrubbed.cut - before;
        if cut > 0 {
            span.attributes.push(KeyValue::new(CUT, cut as i64));
        }
        scrubbed.cut += left_out(span);
    }

    /// Redacts the free text of a span (name and status description), where secrets can be
    /// recognized only by their shape.
    fn texts(&self, span: &mut SpanData, scrubbed: &mut Scrubbed) {
        if let Some(name) = self.redaction.without_secrets(&span.name, scrubbed) {
            span.name = Cow::Owned(name);
        }
        if let Status::Error { description } = &mut span.status
            && let Some(text) = self.redaction.without_secrets(description, scrubbed)
        {
            *description = Cow::Owned(text);
        }
    }

    fn attributes(&self, attributes: &mut [KeyValue], scrubbed: &mut Scrubbed) {
        for attribute in attributes {
            self.value(attribute.key.as_str(), &mut attribute.value, scrubbed);
        }
    }
}

/// Returns the number of items that the SDK dropped, as recorded on the span.
fn left_out(span: &SpanData) -> u64 {
    let events = span.events.iter().map(|it| it.dropped_attributes_count);
    let links = span.links.iter().map(|it| it.dropped_attributes_count);
    let whole = [
        span.dropped_attributes_count,
        span.events.dropped_count,
        span.links.dropped_count,
    ];
    let all = whole.into_iter().chain(events).chain(links);
    all.map(u64::from).sum()
}

impl AddAssign for Scrubbed {
    fn add_assign(&mut self, other: Self) {
        self.filtered += other.filtered;
        self.redacted += other.redacted;
        self.cut += other.cut;
    }
}
