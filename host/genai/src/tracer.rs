//! A type-erased tracer.

use std::any::TypeId;

use opentelemetry::Context;
use opentelemetry::trace::{SpanBuilder, TraceContextExt as _, Tracer};

use spanmux_otel::RoutingTracer;

/// A type-erased tracer, so that AI spans need no type parameter for it.
pub(super) trait AnyTracer: Send + Sync {
    /// Starts a span and returns its parent's context with the span set.
    fn start(&self, builder: SpanBuilder, parent: &Context) -> Context;

    /// Returns `true` if setting an attribute of its spans again replaces the value.
    fn replaces_attributes(&self) -> bool;
}

impl<T> AnyTracer for T
where
    T: Tracer + Send + Sync + 'static,
    T::Span: Send + Sync + 'static,
{
    fn start(&self, builder: SpanBuilder, parent: &Context) -> Context {
        parent.with_span(self.build_with_context(builder, parent))
    }

    fn replaces_attributes(&self) -> bool {
        TypeId::of::<T>() == TypeId::of::<RoutingTracer>()
    }
}
