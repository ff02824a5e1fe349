//! Starts root spans in external traces.

use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanContext, TraceState};

use super::attributes;
use super::detached::without_span;
use super::external::ExternalTrace;
use super::otel_tracer::OtelTracer;
use super::routes::Route;
use super::span::{RoutingSpan, Start};
use super::trace_id::Offer;
use super::tracer::{RoutingTracer, adrift};

impl RoutingTracer {
    /// Starts a root span in an external trace provided by the application. All root
    /// spans of the trace go to the tracer of the first one.
    pub(super) fn start_external(
        &self,
        external: &ExternalTrace,
        builder: &mut SpanBuilder,
        parent_cx: &Context,
        parent: &SpanContext,
    ) -> RoutingSpan {
        let found = self.external_route(external, builder, parent_cx);
        let Some((route, tracer, start)) = found else {
            return RoutingSpan::showing(parent.clone());
        };
        if external.parent.is_none() && tracer.has_routed_ids() {
            self.start_external_root(external, &route, tracer, start, parent_cx)
        } else {
            self.start_with_entry(route.entry(), tracer, start, parent_cx, parent)
        }
    }

    /// Returns the route of the trace, and the span with the attributes that explain it.
    fn external_route<'a>(
        &self,
        external: &ExternalTrace,
        builder: &'a mut SpanBuilder,
        parent_cx: &Context,
    ) -> Option<(Arc<Route>, Arc<OtelTracer>, Start<'a>)> {
        let own = builder.attributes.take().unwrap_or_default();
        let run = self.run(parent_cx);
        let more = own.len();
        if let Some((route, tracer)) = self.state.external.find(external.trace) {
            let ours = attributes::of_follower(route.name(), more);
            let start = self.root(builder, ours, &run, own);
            return Some((route, tracer, start));
        }
        let selection = self.select(builder, &own, &run);
        let (tracer, name) = (selection.tracer()?.clone(), selection.tracer_name()?);
        let own_route = self.state.routes.route(&tracer, name);
        let (route, tracer) = self
            .state
            .external
            .keep(external.trace, own_route.clone(), tracer);
        let ours = if Arc::ptr_eq(&route, &own_route) {
            attributes::of_selection(&selection, name, more)
        } else {
            attributes::of_follower(route.name(), more)
        };
        let start = self.root(builder, ours, &run, own);
        Some((route, tracer, start))
    }

    /// Starts the root span of the trace itself. Its trace id is fixed, so the
    /// `tracestate` entry carries the selected tracer.
    fn start_external_root(
        &self,
        external: &ExternalTrace,
        route: &Route,
        tracer: Arc<OtelTracer>,
        start: Start<'_>,
        parent_cx: &Context,
    ) -> RoutingSpan {
        let (id, entry) = (external.trace, route.entry());
        let no_parent = without_span(parent_cx);
        let offer = Offer::of(id);
        let mut span = RoutingSpan::start(tracer, &self.scope, start, &no_parent, |refused| {
            refused.showing(true, adrift(id, entry.put(&TraceState::NONE)))
        });
        drop(offer);
        let own = span.span_context().trace_state();
        if !entry.is_in(own) {
            span.show_state(entry.put(own));
        }
        span
    }
}
