//! The spans that were started, by the service or by libraries: the spans that a backend must have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use tracing::Subscriber;
use tracing::dispatcher::{Dispatch, WeakDispatch};
use tracing::span::Id;
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::layer::{Context, Layer};

/// The span ids of each trace in lower-case hexadecimal. Also a layer inside of OpenTelemetry's,
/// which sees the spans of libraries.
#[derive(Clone, Default)]
pub struct Ledger {
    traces: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>,
    dispatch: Arc<OnceLock<WeakDispatch>>,
}

impl Ledger {
    /// Records a span.
    pub fn note(&self, span: &SpanContext) {
        let mut traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        let spans = traces.entry(span.trace_id().to_string()).or_default();
        spans.insert(span.span_id().to_string());
    }

    /// Returns the spans of a trace.
    pub fn spans_of(&self, trace: &str) -> BTreeSet<String> {
        let traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        traces.get(trace).cloned().unwrap_or_default()
    }
}

impl<S: Subscriber> Layer<S> for Ledger {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    // Not on creation: OpenTelemetry's layer starts a span when it is entered.
    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let dispatch = self.dispatch.get().and_then(WeakDispatch::upgrade);
        let context = dispatch.and_then(|dispatch| get_otel_context(&id, &dispatch));
        if let Some(context) = context {
            self.note(context.span().span_context());
        }
    }
}
