//! Starts spans. This is the only place that distinguishes root spans from children.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanKind, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};

use super::attribute_list::keep_last;
use super::attributes::{self, StartAttributes};
use super::baggage;
use super::external;
use super::inbound::Followed;
use super::otel_tracer::OtelTracer;
use super::provider_state::ProviderState;
use super::reentrancy::ReentrancyGuard;
use super::routes::Lineage;
use super::runtime_context::RuntimeContextExt as _;
use super::scope::Scope;
use super::span::{RoutingSpan, Start};
use super::trace_id::Offer;
use super::tracestate::{self, TracestateEntry};
use spanmux_core::Selection;
use spanmux_core::{RootSpan, RuntimeContext};

/// A tracer of [`RoutingTracerProvider`](super::RoutingTracerProvider) for one
/// instrumentation scope. Cloning is cheap.
///
/// # Cost
/// In addition to the SDK's own span, a root span costs the selection and one list for
/// the attributes that explain it. A child decodes the trace id, counts one reference,
/// and allocates nothing. No lock is taken. The [module documentation](super) describes
/// when the selected tracer is carried in the `tracestate` instead, which costs more.
#[derive(Clone, Debug)]
pub struct RoutingTracer {
    pub(super) state: Arc<ProviderState>,
    pub(super) scope: Arc<Scope>,
    /// If `true`, a span whose parent context has no runtime context uses the one of the
    /// current context.
    looks_around: bool,
}

impl RoutingTracer {
    pub(super) fn new(state: Arc<ProviderState>, scope: InstrumentationScope) -> Self {
        Self {
            state,
            scope: Arc::new(Scope::new(scope)),
            looks_around: false,
        }
    }

    /// Returns the same tracer for callers whose parent contexts are not those that the
    /// application attached. `tracing` creates an empty one for `parent: None` and
    /// accepts any context in `set_parent`.
    #[cfg(feature = "layer")]
    pub(super) fn looking_around(self) -> Self {
        let looks_around = true;
        Self {
            looks_around,
            ..self
        }
    }

    /// Returns the runtime context of a span that starts under this context.
    pub(super) fn run<'a>(&'a self, cx: &'a Context) -> Cow<'a, RuntimeContext> {
        let run = match cx.runtime_context() {
            Some(run) => Cow::Borrowed(run),
            None if self.looks_around => Cow::Owned(current_run()),
            None => Cow::Borrowed(&self.state.knows_nothing),
        };
        let keys = &self.state.settings.baggage_keys;
        if keys.is_empty() {
            run
        } else {
            baggage::fill(run, keys, cx.baggage())
        }
    }

    /// Starts a child in the tracer of its parent.
    fn start_child(
        &self,
        tracer: Arc<OtelTracer>,
        builder: &mut SpanBuilder,
        parent_cx: &Context,
        parent: &SpanContext,
    ) -> RoutingSpan {
        let keys = &self.state.settings.span_keys;
        let mut copied = Vec::new();
        if !keys.is_empty() {
            let own = builder.attributes.as_deref().unwrap_or_default();
            keys.copy(&self.run(parent_cx), own, &mut copied);
        }
        if let Some(own) = &mut builder.attributes {
            attributes::remove_reserved(own);
            keep_last(own);
        }
        let start = Start {
            builder,
            copied,
            is_root: false,
        };
        RoutingSpan::start(tracer, &self.scope, start, parent_cx, |refused| {
            refused.showing(parent.is_sampled(), parent.clone())
        })
    }

    /// Starts a no-op child of a trace whose tracer has been dropped.
    fn start_nothing(&self, parent: &SpanContext) -> RoutingSpan {
        if parent.is_sampled() {
            self.state.count_tracer_gone();
        }
        RoutingSpan::showing(parent.clone())
    }

    /// Starts a root span, or the first local span of a trace from another process.
    fn start_root(
        &self,
        builder: &mut SpanBuilder,
        parent_cx: &Context,
        parent: &SpanContext,
    ) -> RoutingSpan {
        // A root span that was deliberately detached from the context of its thread, as
        // some exporter clients do.
        if Context::is_current_telemetry_suppressed() {
            return RoutingSpan::nowhere();
        }
        if parent.is_valid()
            && let Some(external) = external::of(parent_cx, parent)
        {
            return self.start_external(external, builder, parent_cx, parent);
        }
        let own = builder.attributes.take().unwrap_or_default();
        let run = self.run(parent_cx);
        let more = own.len();
        if let Some(followed) = self.follow(parent_cx, parent) {
            let ours = attributes::of_inbound(&followed, more);
            let start = self.root(builder, ours, &run, own);
            let Followed { name, tracer, .. } = followed;
            return self.start_in(&tracer, &name, start, parent_cx, parent);
        }
        let selection = self.select(builder, &own, &run);
        let (Some(tracer), Some(name)) = (selection.tracer(), selection.tracer_name()) else {
            return RoutingSpan::showing(parent.clone());
        };
        let ours = attributes::of_selection(&selection, name, more);
        let start = self.root(builder, ours, &run, own);
        self.start_in(tracer, name, start, parent_cx, parent)
    }

    /// Returns a root span with its attributes: ours, its own, and the copied ones.
    pub(super) fn root<'a>(
        &self,
        builder: &'a mut SpanBuilder,
        mut ours: Vec<KeyValue>,
        run: &RuntimeContext,
        mut own: Vec<KeyValue>,
    ) -> Start<'a> {
        let settings = &self.state.settings;
        let mut copied = Vec::with_capacity(settings.copied());
        settings.root_keys.copy(run, &own, &mut copied);
        settings.span_keys.copy(run, &own, &mut copied);
        attributes::remove_reserved(&mut own);
        keep_last(&mut own);
        ours.extend(own);
        builder.attributes = Some(ours);
        Start {
            builder,
            copied,
            is_root: true,
        }
    }

    /// Returns the tracer named by the parent if the inbound setting follows it.
    fn follow(&self, parent_cx: &Context, parent: &SpanContext) -> Option<Followed> {
        let ProviderState {
            registry,
            settings,
            inbound,
            truncated,
            ..
        } = &*self.state;
        settings
            .inbound
            .follow(registry, truncated, inbound, parent_cx, parent)
    }

    /// Starts the first local span of a trace in this tracer.
    fn start_in(
        &self,
        tracer: &Arc<OtelTracer>,
        name: &str,
        start: Start<'_>,
        parent_cx: &Context,
        parent: &SpanContext,
    ) -> RoutingSpan {
        // The id of a trace that has already begun is fixed.
        if !parent.is_valid()
            && let Some(id) = self.state.routes.trace_id(tracer, name)
        {
            return self.start_with_id(id, tracer.clone(), start, parent_cx);
        }
        let route = self.state.routes.route(tracer, name);
        self.start_with_entry(route.entry(), tracer.clone(), start, parent_cx, parent)
    }

    fn start_with_id(
        &self,
        id: TraceId,
        tracer: Arc<OtelTracer>,
        start: Start<'_>,
        parent_cx: &Context,
    ) -> RoutingSpan {
        let _offer = Offer::of(id);
        RoutingSpan::start(tracer, &self.scope, start, parent_cx, |refused| {
            refused.showing(true, adrift(id, TraceState::NONE))
        })
    }

    pub(super) fn start_with_entry(
        &self,
        entry: &TracestateEntry,
        tracer: Arc<OtelTracer>,
        to_start: Start<'_>,
        parent_cx: &Context,
        parent: &SpanContext,
    ) -> RoutingSpan {
        let state = || entry.put(parent.trace_state());
        let start = |parent_cx| {
            RoutingSpan::start(tracer, &self.scope, to_start, parent_cx, |refused| {
                let shown = if parent.is_valid() {
                    local(parent, state())
                } else {
                    adrift(RandomIdGenerator::default().new_trace_id(), state())
                };
                refused.showing(true, shown)
            })
        };
        let mut span = if parent.is_valid() && parent.is_remote() {
            // The remote parent gets our entry, so the exporter never sees the received
            // one.
            let marked = tracestate::with_state(parent, state());
            start(&parent_cx.with_remote_span_context(marked))
        } else {
            start(parent_cx)
        };
        let own = span.span_context().trace_state();
        if !entry.is_in(own) {
            span.show_state(entry.put(own));
        }
        span
    }

    pub(super) fn select(
        &self,
        builder: &SpanBuilder,
        own: &[KeyValue],
        run: &RuntimeContext,
    ) -> Selection<OtelTracer> {
        let attributes = StartAttributes::new(own);
        let kind = kind(builder.span_kind.as_ref());
        let span = RootSpan::with_attributes(&builder.name, kind, &attributes);
        let _guard = ReentrancyGuard::enter();
        let selection = self.state.registry.select(&run.view_with_span(&span));
        self.state.telemetry.record(&selection);
        selection
    }
}

impl Tracer for RoutingTracer {
    type Span = RoutingSpan;

    fn build_with_context(&self, mut builder: SpanBuilder, parent_cx: &Context) -> RoutingSpan {
        if parent_cx.is_telemetry_suppressed() {
            return RoutingSpan::nowhere();
        }
        let parent = parent_cx.span();
        let parent = parent.span_context();
        if ReentrancyGuard::is_current() {
            return RoutingSpan::showing(parent.clone());
        }
        let lineage = if parent.is_valid() && !parent.is_remote() {
            self.state.routes.lineage(parent)
        } else {
            Lineage::Root
        };
        match lineage {
            Lineage::ById(tracer) => self.start_child(tracer, &mut builder, parent_cx, parent),
            Lineage::ByTracestate(tracer) => {
                let mut span = self.start_child(tracer, &mut builder, parent_cx, parent);
                // Usually already present: samplers copy the parent's `tracestate`.
                let own = span.span_context().trace_state();
                if let Some(state) = tracestate::copy(own, parent.trace_state()) {
                    span.show_state(state);
                }
                span
            }
            Lineage::Gone => self.start_nothing(parent),
            Lineage::Root => self.start_root(&mut builder, parent_cx, parent),
        }
    }
}

/// Returns the runtime context that is attached to the current context.
fn current_run() -> RuntimeContext {
    Context::map_current(|cx| cx.runtime_context().cloned()).unwrap_or_default()
}

pub(super) fn kind(kind: Option<&SpanKind>) -> &'static str {
    match kind {
        Some(SpanKind::Client) => "client",
        Some(SpanKind::Server) => "server",
        Some(SpanKind::Producer) => "producer",
        Some(SpanKind::Consumer) => "consumer",
        Some(SpanKind::Internal) | None => "internal",
    }
}

/// Returns the context of the first local span of a trace when its tracer refused to
/// start it. It is a local context, so its children follow the same route.
fn local(parent: &SpanContext, state: TraceState) -> SpanContext {
    let (trace, span) = (parent.trace_id(), parent.span_id());
    SpanContext::new(trace, span, parent.trace_flags(), false, state)
}

/// Returns the context of a root span that its tracer refused to start. It is a local
/// context with the selected tracer, so its children do not select again.
pub(super) fn adrift(trace: TraceId, state: TraceState) -> SpanContext {
    let span = RandomIdGenerator::default().new_span_id();
    SpanContext::new(trace, span, TraceFlags::NOT_SAMPLED, false, state)
}
