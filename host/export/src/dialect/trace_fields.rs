//! Session, user and tags of a trace.
//!
//! Some backends filter and add up by the session of each span, and show no cost for a trace with
//! the session on its root alone. Children are sent before their root, so the fields are read when
//! the first local span starts.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;
use opentelemetry::trace::TraceId;
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;
use parking_lot::Mutex;

use super::fields::Id;

/// The maximum number of traces whose fields are kept. The oldest are forgotten first.
const MAX_TRACES: usize = 16_384;

/// The maximum number of bytes of the fields of one trace. Larger ones are not shared.
const MAX_BYTES: usize = 1_024;

const SHARED: [Id; 4] = [Id::Session, Id::Conversation, Id::User, Id::Tags];

/// The fields of the traces of one exporter.
#[derive(Debug, Default)]
pub(crate) struct TraceFields(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    traces: HashMap<TraceId, Vec<KeyValue>, RandomState>,
    /// The traces, the oldest first.
    order: VecDeque<TraceId>,
}

impl TraceFields {
    /// Reads the fields of a local root that starts.
    pub(crate) fn started(&self, span: &SpanData) {
        let fields = fields(span);
        let bytes: usize = fields.iter().map(|of| of.value.as_str().len()).sum();
        if !fields.is_empty() && bytes <= MAX_BYTES {
            let trace = span.span_context.trace_id();
            self.0.lock().insert(trace, fields);
        }
    }

    /// Adds the fields of the trace that a span does not have.
    pub(super) fn apply(&self, span: &mut SpanData) {
        let state = self.0.lock();
        let Some(fields) = state.traces.get(&span.span_context.trace_id()) else {
            return;
        };
        for (id, field) in SHARED
            .iter()
            .filter_map(|id| Some((id, find(fields, *id)?)))
        {
            if !has(&span.attributes, *id) {
                span.attributes.push(field.clone());
            }
        }
    }
}

impl State {
    /// Keeps the fields of the first local root. Others may have their own.
    fn insert(&mut self, trace: TraceId, fields: Vec<KeyValue>) {
        if let Entry::Vacant(vacant) = self.traces.entry(trace) {
            vacant.insert(fields);
            self.order.push_back(trace);
        }
        if self.order.len() > MAX_TRACES
            && let Some(oldest) = self.order.pop_front()
        {
            self.traces.remove(&oldest);
        }
    }
}

fn fields(span: &SpanData) -> Vec<KeyValue> {
    let found = SHARED.iter().filter_map(|id| find(&span.attributes, *id));
    found.cloned().collect()
}

/// Returns the attribute of a field with a value.
fn find(attributes: &[KeyValue], id: Id) -> Option<&KeyValue> {
    let is_text = |value: &Value| matches!(value, Value::String(_) | Value::Array(_));
    let of_name = |name| {
        let mut all = attributes.iter().rev();
        all.find(|of| of.key.as_str() == name && is_text(&of.value))
    };
    id.field().names().find_map(of_name)
}

/// Returns `true` if there is an attribute of a field, also with a value that is not shared.
fn has(attributes: &[KeyValue], id: Id) -> bool {
    let mut names = id.field().names();
    names.any(|name| attributes.iter().any(|of| of.key.as_str() == name))
}
