//! Redaction of sensitive values, filters for noisy spans, and limits for the size of
//! attributes. All of them apply before spans leave the process.
//!
//! This work runs on the thread of the exporter, not on the thread that ends a span.

mod content;
mod fields;
mod filter;
mod json;
mod key_words;
mod keys;
mod known_keys;
mod limits;
mod pairs;
mod percent;
mod rules;
mod scope;
mod shapes;
mod shorten;
mod steps;
#[cfg(test)]
mod tests;
mod texts;
mod value;

pub use filter::SpanFilter;
#[cfg(feature = "otlp")]
pub(crate) use keys::is_sensitive;
pub use limits::AttributeLimits;
pub use rules::{Mask, Redaction};
#[doc(hidden)]
pub use shorten::{kept_and_omitted, safe_end};

use std::borrow::Cow;
use std::ops::AddAssign;
use std::sync::Arc;

use opentelemetry::trace::Status;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SpanData;

use crate::delivery::DroppedParents;
use crate::dialect::{TraceFields, Translated, Translator};
use crate::exporters::{Dialect, RemoteParent, shares_its_tracer};
use known_keys::{KnownKey, KnownKeys};

/// The span attribute with the number of truncated values.
pub(crate) const CUT: &str = "spanmux.cut";

/// The processing of the spans of one exporter before they are sent.
#[derive(Clone, Debug, Default)]
pub struct SpanProcessing {
    /// The values that are redacted.
    pub redaction: Redaction,
    /// Removes content, such as prompts and messages.
    pub omits_content: bool,
    /// The largest attributes.
    pub limits: AttributeLimits,
    /// A span is kept only if all filters keep it.
    pub filters: Vec<SpanFilter>,
    /// The dropped spans, for their children. `None` without a filter.
    pub(crate) dropped: Option<Arc<DroppedParents>>,
    /// The handling of remote parents. `None` leaves it to the exporter.
    pub remote_parent: Option<RemoteParent>,
    /// The attribute names of the backend. `None` leaves them to the exporter.
    pub dialect: Option<Dialect>,
    /// The translator to the dialect. `None` without a dialect.
    pub(crate) translator: Option<Translator>,
}

/// Counts of the processing of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProcessingCounts {
    /// Spans that were dropped by a filter.
    pub(crate) filtered: u64,
    /// Values that were redacted.
    pub(crate) redacted: u64,
    /// Values that were truncated.
    pub(crate) cut: u64,
}

impl SpanProcessing {
    pub(crate) fn batch(&self, batch: &mut Vec<SpanData>) -> ProcessingCounts {
        let before = batch.len();
        if let Some(translator) = &self.translator {
            batch.iter_mut().for_each(|span| translator.prepare(span));
        }
        match &self.dropped {
            Some(dropped) => {
                let remote_parent = self.remote_parent.unwrap_or_default();
                dropped.remove(batch, remote_parent, |span| self.keeps(span));
            }
            None => {
                batch.retain(|span| self.keeps(span));
                batch.iter_mut().for_each(|span| self.parent(span));
            }
        }
        let mut processed = ProcessingCounts {
            filtered: (before - batch.len()) as u64,
            ..ProcessingCounts::default()
        };
        let mut keys = KnownKeys::default();
        // Most spans of a batch have the scope of the one before.
        let mut clean: Option<InstrumentationScope> = None;
        for span in batch {
            let before = processed.cut;
            let scope = &mut span.instrumentation_scope;
            if clean.as_ref() != Some(scope) {
                let has_changed = self.scope(scope, &mut processed);
                clean = (!has_changed).then(|| scope.clone());
            }
            self.rest_of_span(span, before, &mut processed, &mut keys);
        }
        processed
    }

    fn parent(&self, span: &mut SpanData) {
        if let Some(remote_parent) = self.remote_parent {
            let is_followed = shares_its_tracer(span);
            remote_parent.apply(span, || is_followed);
        }
    }

    /// Returns `true` if the processing needs the data of a span that starts.
    pub(crate) fn wants_start(&self, is_local_root: bool) -> bool {
        self.dropped.is_some() || is_local_root && self.trace_fields().is_some()
    }

    fn trace_fields(&self) -> Option<&TraceFields> {
        self.translator.as_ref()?.trace_fields.as_deref()
    }

    /// Called when a span starts, if the processing wants it.
    pub(crate) fn started(&self, span: &SpanData, is_local_root: bool) {
        if is_local_root && let Some(fields) = self.trace_fields() {
            fields.started(span);
        }
        if let Some(dropped) = &self.dropped
            && span.span_context.is_sampled()
            && !self.keeps(span)
        {
            dropped.started(span);
        }
    }

    pub(crate) fn keeps(&self, span: &SpanData) -> bool {
        self.filters.iter().all(|filter| filter.keeps(span))
    }

    pub(crate) fn span(&self, span: &mut SpanData, processed: &mut ProcessingCounts) {
        if let Some(translator) = &self.translator {
            translator.prepare(span);
        }
        self.parent(span);
        let before = processed.cut;
        self.scope(&mut span.instrumentation_scope, processed);
        self.rest_of_span(span, before, processed, &mut KnownKeys::default());
    }

    /// Processes everything but the scope. `before` is the number of truncated values before it.
    fn rest_of_span(
        &self,
        span: &mut SpanData,
        before: u64,
        processed: &mut ProcessingCounts,
        keys: &mut KnownKeys,
    ) {
        if self.omits_content {
            processed.redacted += content::remove(span);
        }
        self.name("span.name", &mut span.name, processed);
        if let Status::Error { description } = &mut span.status {
            self.name("status.description", description, processed);
        }
        match &self.translator {
            Some(translator) => self.translated(span, translator, processed, keys),
            None => self.attributes(&mut span.attributes, processed, keys),
        }
        for event in &mut span.events.events {
            self.name("event.name", &mut event.name, processed);
            self.attributes(&mut event.attributes, processed, keys);
        }
        for link in &mut span.links.links {
            self.attributes(&mut link.attributes, processed, keys);
        }
        let cut = processed.cut - before;
        if cut > 0 {
            span.attributes.push(KeyValue::new(CUT, cut as i64));
        }
        processed.cut += left_out(span);
    }

    /// Redacts a text of a span other than an attribute.
    fn name(&self, key: &str, text: &mut Cow<'static, str>, processed: &mut ProcessingCounts) {
        if let Some(other) = self.redacted(key, text, processed) {
            *text = Cow::Owned(other);
        }
    }

    pub(crate) fn redact_attributes(&self, attributes: &mut [KeyValue]) {
        let (mut processed, mut keys) = Default::default();
        self.attributes(attributes, &mut processed, &mut keys);
    }

    fn attributes(
        &self,
        attributes: &mut [KeyValue],
        processed: &mut ProcessingCounts,
        keys: &mut KnownKeys,
    ) {
        for attribute in attributes {
            let known = keys.examine(&attribute.key, &self.redaction);
            self.attribute(attribute, known, processed);
        }
    }

    fn attribute(
        &self,
        attribute: &mut KeyValue,
        known: KnownKey,
        processed: &mut ProcessingCounts,
    ) {
        let key = attribute.key.as_str();
        self.value(key, known.hides, &mut attribute.value, processed);
        if known.has_secret
            && let Some(other) = self.redaction.without_secrets(key, processed)
        {
            attribute.key = other.into();
        }
    }

    /// Redacts the attributes, translates the span, and redacts the new attributes, because a rule
    /// may name the key of the backend. A value that the redaction kept or replaced under its
    /// recorded name is not redacted again.
    fn translated(
        &self,
        span: &mut SpanData,
        translator: &Translator,
        processed: &mut ProcessingCounts,
        keys: &mut KnownKeys,
    ) {
        let mut settled = Vec::new();
        for (position, attribute) in span.attributes.iter_mut().enumerate() {
            let known = keys.examine(&attribute.key, &self.redaction);
            let is_kept = self.redaction.excepts(attribute.key.as_str());
            let before = processed.redacted;
            self.attribute(attribute, known, processed);
            if is_kept {
                settled.push((position, Settled::Kept));
            } else if processed.redacted > before {
                let how = if known.hides {
                    Settled::Hidden
                } else {
                    Settled::Changed
                };
                settled.push((position, how));
            }
        }
        let Translated {
            from,
            sources,
            combined,
        } = translator.translate(span);
        let settled_at = |position: usize| {
            let found = settled.iter().find(|(at, _)| *at == position);
            found.map(|(_, how)| *how)
        };
        let are_parts_changed = combined.iter().any(|at| settled_at(*at).is_some());
        for (attribute, source) in span.attributes[from..].iter_mut().zip(sources) {
            let known = keys.examine(&attribute.key, &self.redaction);
            // A value that is counted under its recorded name does not count again.
            let mut again = ProcessingCounts::default();
            match source.map(|source| (settled_at(source.position), source.is_copy)) {
                Some((Some(Settled::Kept | Settled::Hidden), _)) => {}
                Some((Some(Settled::Changed), true)) => {
                    if known.hides {
                        self.attribute(attribute, known, &mut again);
                    }
                }
                Some((Some(Settled::Changed), false)) => {
                    self.attribute(attribute, known, &mut again);
                }
                None if are_parts_changed => self.attribute(attribute, known, &mut again),
                _ => self.attribute(attribute, known, processed),
            }
        }
    }
}

/// The result of the redaction of a recorded attribute, if its value is settled.
#[derive(Clone, Copy)]
enum Settled {
    /// An exception.
    Kept,
    /// Hidden as a whole.
    Hidden,
    /// Changed in parts.
    Changed,
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

impl AddAssign for ProcessingCounts {
    fn add_assign(&mut self, other: Self) {
        self.filtered += other.filtered;
        self.redacted += other.redacted;
        self.cut += other.cut;
    }
}
