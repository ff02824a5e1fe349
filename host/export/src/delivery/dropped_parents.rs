//! Parents that a filter dropped.
//!
//! A child ends before its parent, and is usually sent before it. The filters are therefore asked
//! when a span starts, and again when it ends.

use std::collections::{HashMap, VecDeque};

use opentelemetry::trace::{SpanContext, SpanId, TraceId};
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;
use parking_lot::Mutex;

use crate::exporters::{RemoteParent, shares_its_tracer};

/// The maximum number of dropped spans whose children are moved. The oldest are forgotten, and
/// their later children keep their parent.
const MAX_KNOWN: usize = 65_536;

/// The maximum number of dropped spans above each other.
const MAX_DEPTH: usize = 64;

const COUNTS: usize = 4;

/// The counts of a model's tokens, in both dialects.
const USAGE: [Key; COUNTS] = [
    Key::from_static_str("gen_ai.usage.input_tokens"),
    Key::from_static_str("gen_ai.usage.output_tokens"),
    Key::from_static_str("llm.token_count.prompt"),
    Key::from_static_str("llm.token_count.completion"),
];

type Id = (TraceId, SpanId);

/// The dropped spans of one exporter.
#[derive(Debug, Default)]
pub(crate) struct DroppedParents(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    dropped: HashMap<Id, Parent>,
    /// The dropped spans, the oldest first.
    order: VecDeque<Id>,
    /// The usage of dropped spans by the ancestor that will be exported.
    usage: HashMap<Id, [i64; COUNTS]>,
}

/// The parent of a dropped span.
#[derive(Clone, Copy, Debug)]
struct Parent {
    span: SpanId,
    is_remote: bool,
    /// The parent is remote, and its part of the trace went to the same tracer.
    is_followed: bool,
}

impl DroppedParents {
    /// Records a span that the filters drop when it starts.
    pub(crate) fn started(&self, span: &SpanData) {
        let state = &mut *self.0.lock();
        state.record(span);
    }

    /// Removes the spans that the filters drop, moves the children of dropped spans to the
    /// nearest ancestor that is kept, and applies the handling of remote parents. A child of a
    /// dropped local root is handled as the local root.
    pub(crate) fn remove(
        &self,
        batch: &mut Vec<SpanData>,
        remote_parent: RemoteParent,
        keeps: impl Fn(&SpanData) -> bool,
    ) {
        let state = &mut *self.0.lock();
        batch.retain(|span| {
            let is_kept = keeps(span);
            if !is_kept {
                state.end(span);
            }
            is_kept
        });
        for span in batch {
            let parent = state.adopt(span);
            remote_parent.apply(span, || parent.is_followed);
        }
    }
}

impl State {
    fn record(&mut self, span: &SpanData) {
        let own = id(&span.span_context);
        if self.dropped.insert(own, parent(span)).is_none() {
            self.order.push_back(own);
        }
        if self.order.len() > MAX_KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.dropped.remove(&oldest);
        }
    }

    fn end(&mut self, span: &SpanData) {
        self.record(span);
        self.pass_on_usage(span);
    }

    /// Returns the nearest ancestor that is kept.
    fn ancestor(&self, trace: TraceId, parent: Parent) -> Parent {
        let above = |of: &Parent| self.dropped.get(&(trace, of.span)).copied();
        let chain = std::iter::successors(Some(parent), above);
        chain.take(MAX_DEPTH).last().unwrap_or(parent)
    }

    fn pass_on_usage(&mut self, span: &SpanData) {
        let mut own = USAGE.map(|key| number(span, &key).unwrap_or(0));
        let below = self.usage.remove(&id(&span.span_context));
        add(&mut own, below.unwrap_or_default());
        if own.iter().all(|tokens| *tokens == 0) {
            return;
        }
        let trace = span.span_context.trace_id();
        let ancestor = self.ancestor(trace, parent(span));
        if ancestor.span == SpanId::INVALID || ancestor.is_remote {
            return;
        }
        // Left by ancestors that ended before the spans below them.
        if self.usage.len() >= MAX_KNOWN {
            self.usage.clear();
        }
        add(self.usage.entry((trace, ancestor.span)).or_default(), own);
    }

    /// Moves a span to its nearest ancestor that is kept, and returns it.
    fn adopt(&mut self, span: &mut SpanData) -> Parent {
        let (trace, own) = id(&span.span_context);
        // Its name or its attributes have changed since it started.
        self.dropped.remove(&(trace, own));
        let ancestor = self.ancestor(trace, parent(span));
        span.parent_span_id = ancestor.span;
        span.parent_span_is_remote = ancestor.is_remote;
        if let Some(usage) = self.usage.remove(&(trace, own)) {
            add_usage(span, usage);
        }
        ancestor
    }
}

/// Adds the usage of dropped spans, unless the span has its own: that of an agent includes
/// the usage of its calls.
fn add_usage(span: &mut SpanData, usage: [i64; COUNTS]) {
    if USAGE.iter().any(|key| number(span, key).is_some()) {
        return;
    }
    let used = USAGE
        .into_iter()
        .zip(usage)
        .filter(|(_, tokens)| *tokens > 0);
    span.attributes
        .extend(used.map(|(key, tokens)| KeyValue::new(key, tokens)));
}

fn add(sum: &mut [i64; COUNTS], more: [i64; COUNTS]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum = sum.saturating_add(more);
    }
}

fn number(span: &SpanData, key: &Key) -> Option<i64> {
    let value = span.attributes.iter().rev().find(|of| of.key == *key)?;
    match value.value {
        Value::I64(number) => Some(number),
        _ => None,
    }
}

fn parent(span: &SpanData) -> Parent {
    Parent {
        span: span.parent_span_id,
        is_remote: span.parent_span_is_remote,
        is_followed: span.parent_span_is_remote && shares_its_tracer(span),
    }
}

fn id(span: &SpanContext) -> Id {
    (span.trace_id(), span.span_id())
}
