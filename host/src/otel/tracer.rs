//! Starting spans: the one place where a root is told from a child.

use std::cell::Cell;
use std::sync::Arc;

use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanKind, TraceContextExt as _, TraceFlags, Tracer,
};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};

use super::attributes::{self, StartAttributes};
use super::mark::{self, Mark};
use super::otel_tracer::OtelTracer;
use super::runtime_context::RuntimeContextExt as _;
use super::shared::Shared;
use super::span::RoutingSpan;
use crate::context::RootSpan;
use crate::registry::Selection;

/// A tracer of [`RoutingTracerProvider`](super::RoutingTracerProvider) for one
/// instrumentation scope. Cheap to clone.
///
/// # Cost
/// Beyond the SDK's own span, a root span costs the selection and a `tracestate`
/// of one member more; a child costs reading the mark and counting one reference.
/// No lock is taken.
#[derive(Clone, Debug)]
pub struct RoutingTracer {
    shared: Arc<Shared>,
    scope: Arc<InstrumentationScope>,
}

impl RoutingTracer {
    pub(super) fn new(shared: Arc<Shared>, scope: InstrumentationScope) -> Self {
        Self {
            shared,
            scope: Arc::new(scope),
        }
    }

    /// A child: in the tracer of its parent, whatever else is said.
    fn start_child(
        &self,
        number: u64,
        builder: SpanBuilder,
        parent_cx: &Context,
        parent: &SpanContext,
    ) -> RoutingSpan {
        let Some(tracer) = self.shared.routes.tracer(number) else {
            if parent.is_sampled() {
                self.shared.count_tracer_gone();
            }
            return RoutingSpan::showing(parent.clone());
        };
        let span = tracer.with_scope(&self.scope, |sdk| {
            sdk.build_with_context(builder, parent_cx)
        });
        let own = opentelemetry::trace::Span::span_context(&span);
        if !own.is_valid() {
            tracer.stop();
            if parent.is_sampled() {
                tracer.count_lost();
            }
            return RoutingSpan::showing(parent.clone());
        }
        // Nearly always none: samplers copy the parent's `tracestate`.
        let marked =
            mark::copy(own.trace_state(), parent.trace_state()).map(|state| with_state(own, state));
        RoutingSpan::routed(span, tracer, marked)
    }

    /// A root, or the first span here of a trace that came from elsewhere.
    fn start_root(
        &self,
        mut builder: SpanBuilder,
        parent_cx: &Context,
        parent: &SpanContext,
    ) -> RoutingSpan {
        let Some(selection) = self.select(&builder, parent_cx) else {
            return RoutingSpan::showing(parent.clone());
        };
        let (Some(tracer), Some(name)) = (selection.tracer(), selection.tracer_name()) else {
            return RoutingSpan::showing(parent.clone());
        };
        let mark = self.shared.routes.mark(tracer, name);
        let own = builder.attributes.take();
        builder.attributes = Some(attributes::with_reason(
            &selection,
            mark.name().clone(),
            own,
        ));
        let tracer = tracer.clone();
        drop(selection);
        self.start_in(tracer, &mark, builder, parent_cx, parent)
    }

    fn start_in(
        &self,
        tracer: Arc<OtelTracer>,
        mark: &Mark,
        builder: SpanBuilder,
        parent_cx: &Context,
        parent: &SpanContext,
    ) -> RoutingSpan {
        let span = tracer.with_scope(&self.scope, |sdk| {
            // With our mark in the remote parent the exporter never sees the one
            // that came in.
            if parent.is_valid() && parent.is_remote() {
                let marked = with_state(parent, mark.put(parent.trace_state()));
                sdk.build_with_context(builder, &parent_cx.with_remote_span_context(marked))
            } else {
                sdk.build_with_context(builder, parent_cx)
            }
        });
        let own = opentelemetry::trace::Span::span_context(&span);
        if !own.is_valid() {
            tracer.stop();
            tracer.count_lost();
            return RoutingSpan::showing(adrift(parent, mark));
        }
        let marked =
            (!mark.is_in(own.trace_state())).then(|| with_state(own, mark.put(own.trace_state())));
        RoutingSpan::routed(span, tracer, marked)
    }

    /// None for a span that a selector starts while it decides.
    fn select(&self, builder: &SpanBuilder, parent_cx: &Context) -> Option<Selection<OtelTracer>> {
        let _selecting = Selecting::enter()?;
        let attributes = StartAttributes::new(builder.attributes.as_deref().unwrap_or_default());
        let kind = kind(builder.span_kind.as_ref());
        let span = RootSpan::with_attributes(&builder.name, kind, &attributes);
        let run = parent_cx
            .runtime_context()
            .unwrap_or(&self.shared.knows_nothing);
        Some(self.shared.registry.select(&run.view_with_span(&span)))
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
        match self.tracer_of(parent) {
            Some(number) => self.start_child(number, builder, parent_cx, parent),
            None => self.start_root(builder, parent_cx, parent),
        }
    }
}

impl RoutingTracer {
    /// The tracer of a parent; none if what starts below it is a root here: there
    /// is no parent, it is remote, or it is of another provider.
    fn tracer_of(&self, parent: &SpanContext) -> Option<u64> {
        if !parent.is_valid() || parent.is_remote() {
            return None;
        }
        mark::read(parent.trace_state(), self.shared.routes.provider())
    }
}

fn kind(kind: Option<&SpanKind>) -> &'static str {
    match kind {
        Some(SpanKind::Client) => "client",
        Some(SpanKind::Server) => "server",
        Some(SpanKind::Producer) => "producer",
        Some(SpanKind::Consumer) => "consumer",
        Some(SpanKind::Internal) | None => "internal",
    }
}

fn with_state(context: &SpanContext, state: opentelemetry::trace::TraceState) -> SpanContext {
    SpanContext::new(
        context.trace_id(),
        context.span_id(),
        context.trace_flags(),
        context.is_remote(),
        state,
    )
}

/// What a root shows whose tracer is shut down: a local context with the mark, so
/// that its children are not asked for anew.
fn adrift(parent: &SpanContext, mark: &Mark) -> SpanContext {
    let state = mark.put(parent.trace_state());
    if parent.is_valid() {
        let (trace, span) = (parent.trace_id(), parent.span_id());
        return SpanContext::new(trace, span, parent.trace_flags(), false, state);
    }
    let ids = RandomIdGenerator::default();
    let (trace, span) = (ids.new_trace_id(), ids.new_span_id());
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
