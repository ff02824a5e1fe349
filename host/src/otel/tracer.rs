//! Starting spans: the one place where a root is told from a child.

use std::cell::Cell;
use std::sync::Arc;

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanKind, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer,
};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};

use super::attributes::{self, StartAttributes};
use super::external;
use super::mark::{self, Mark};
use super::otel_tracer::OtelTracer;
use super::routes::Lineage;
use super::runtime_context::RuntimeContextExt as _;
use super::scope::Scope;
use super::shared::Shared;
use super::span::RoutingSpan;
use super::trace_id::Offer;
use crate::context::RootSpan;
use crate::registry::Selection;

/// A tracer of [`RoutingTracerProvider`](super::RoutingTracerProvider) for one
/// instrumentation scope. Cheap to clone.
///
/// # Cost
/// Beyond the SDK's own span, a root span costs the selection and the attributes
/// that tell of it, one list; a child costs reading the trace id and counting one
/// reference, and allocates nothing. No lock is taken. The [module](super) says
/// when the choice is in the `tracestate` instead, which is dearer.
#[derive(Clone, Debug)]
pub struct RoutingTracer {
    pub(super) shared: Arc<Shared>,
    pub(super) scope: Arc<Scope>,
}

impl RoutingTracer {
    pub(super) fn new(shared: Arc<Shared>, scope: InstrumentationScope) -> Self {
        Self {
            shared,
            scope: Arc::new(Scope::new(scope)),
        }
    }

    /// A child: in the tracer of its parent, whatever else is said.
    fn start_child(
        &self,
        tracer: Arc<OtelTracer>,
        builder: SpanBuilder,
        parent_cx: &Context,
        parent: &SpanContext,
    ) -> RoutingSpan {
        RoutingSpan::start(tracer, &self.scope, builder, parent_cx, |tracer| {
            RoutingSpan::stopped(tracer, parent.is_sampled(), parent.clone())
        })
    }

    /// A child of a trace whose tracer is no more.
    fn start_nothing(&self, parent: &SpanContext) -> RoutingSpan {
        if parent.is_sampled() {
            self.shared.count_tracer_gone();
        }
        RoutingSpan::showing(parent.clone())
    }

    /// A root, or the first span here of a trace that came from elsewhere.
    fn start_root(
        &self,
        mut builder: SpanBuilder,
        parent_cx: &Context,
        parent: &SpanContext,
    ) -> RoutingSpan {
        if parent.is_valid()
            && let Some(external) = external::of(parent_cx, parent)
        {
            return self.start_external(external, builder, parent_cx, parent);
        }
        let Some(selection) = self.select(&builder, parent_cx) else {
            return RoutingSpan::showing(parent.clone());
        };
        let (Some(tracer), Some(name)) = (selection.tracer(), selection.tracer_name()) else {
            return RoutingSpan::showing(parent.clone());
        };
        let own = builder.attributes.take();
        builder.attributes = Some(attributes::with_reason(&selection, name, own));
        // The id of a trace that has begun already is not ours to choose.
        if !parent.is_valid()
            && let Some(id) = self.shared.routes.trace_id(tracer, name)
        {
            return self.start_with_id(id, tracer.clone(), builder, parent_cx);
        }
        let route = self.shared.routes.route(tracer, name);
        self.start_with_mark(route.mark(), tracer.clone(), builder, parent_cx, parent)
    }

    fn start_with_id(
        &self,
        id: TraceId,
        tracer: Arc<OtelTracer>,
        builder: SpanBuilder,
        parent_cx: &Context,
    ) -> RoutingSpan {
        let _offer = Offer::of(id);
        RoutingSpan::start(tracer, &self.scope, builder, parent_cx, |tracer| {
            RoutingSpan::stopped(tracer, true, adrift(id, TraceState::NONE))
        })
    }

    pub(super) fn start_with_mark(
        &self,
        mark: &Mark,
        tracer: Arc<OtelTracer>,
        builder: SpanBuilder,
        parent_cx: &Context,
        parent: &SpanContext,
    ) -> RoutingSpan {
        let state = || mark.put(parent.trace_state());
        let start = |parent_cx| {
            RoutingSpan::start(tracer, &self.scope, builder, parent_cx, |tracer| {
                let shown = match parent.is_valid() {
                    true => local(parent, state()),
                    false => adrift(RandomIdGenerator::default().new_trace_id(), state()),
                };
                RoutingSpan::stopped(tracer, true, shown)
            })
        };
        let mut span = if parent.is_valid() && parent.is_remote() {
            // With our mark in the remote parent the exporter never sees the one
            // that came in.
            let marked = mark::with_state(parent, state());
            start(&parent_cx.with_remote_span_context(marked))
        } else {
            start(parent_cx)
        };
        let own = span.span_context().trace_state();
        if !mark.is_in(own) {
            span.show_state(mark.put(own));
        }
        span
    }

    /// None for a span that a selector starts while it decides.
    pub(super) fn select(
        &self,
        builder: &SpanBuilder,
        parent_cx: &Context,
    ) -> Option<Selection<OtelTracer>> {
        let _selecting = Selecting::enter()?;
        let attributes = StartAttributes::new(builder.attributes.as_deref().unwrap_or_default());
        let kind = kind(builder.span_kind.as_ref());
        let span = RootSpan::with_attributes(&builder.name, kind, &attributes);
        let run = parent_cx
            .runtime_context()
            .unwrap_or(&self.shared.knows_nothing);
        let selection = self.shared.registry.select(&run.view_with_span(&span));
        self.shared.telemetry.record(&selection);
        Some(selection)
    }
}

impl Tracer for RoutingTracer {
    type Span = RoutingSpan;

    fn build_with_context(&self, builder: SpanBuilder, parent_cx: &Context) -> RoutingSpan {
        if parent_cx.is_telemetry_suppressed() {
            return RoutingSpan::nowhere();
        }
        let parent = parent_cx.span();
        let parent = parent.span_context();
        let lineage = match parent.is_valid() && !parent.is_remote() {
            true => self.shared.routes.lineage(parent),
            false => Lineage::Root,
        };
        match lineage {
            Lineage::ById(tracer) => self.start_child(tracer, builder, parent_cx, parent),
            Lineage::ByMark(tracer) => {
                let mut span = self.start_child(tracer, builder, parent_cx, parent);
                // Nearly always there: samplers copy the parent's `tracestate`.
                let own = span.span_context().trace_state();
                if let Some(state) = mark::copy(own, parent.trace_state()) {
                    span.show_state(state);
                }
                span
            }
            Lineage::Gone => self.start_nothing(parent),
            Lineage::Root => self.start_root(builder, parent_cx, parent),
        }
    }
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

/// What the first span here of a trace shows whose tracer is shut down: the same
/// as a local context, so that its children follow.
fn local(parent: &SpanContext, state: TraceState) -> SpanContext {
    let (trace, span) = (parent.trace_id(), parent.span_id());
    SpanContext::new(trace, span, parent.trace_flags(), false, state)
}

/// What a root shows whose tracer is shut down: a local context that carries the
/// choice, so that its children are not asked for anew.
pub(super) fn adrift(trace: TraceId, state: TraceState) -> SpanContext {
    let span = RandomIdGenerator::default().new_span_id();
    SpanContext::new(trace, span, TraceFlags::NOT_SAMPLED, false, state)
}

thread_local! {
    static IS_SELECTING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, this thread is inside a selector. A selector that starts a root
/// span would otherwise be asked about it, and so on without end.
struct Selecting;

impl Selecting {
    fn enter() -> Option<Self> {
        (!IS_SELECTING.replace(true)).then_some(Self)
    }
}

impl Drop for Selecting {
    fn drop(&mut self) {
        IS_SELECTING.set(false);
    }
}
