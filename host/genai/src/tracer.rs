//! A type-erased tracer.

use opentelemetry::Context;
use opentelemetry::trace::{SpanBuilder, TraceContextExt as _, Tracer};

/// A type-erased tracer, so that AI spans need no type parameter for it.
pub(super) trait AnyTracer: Send + Sync {
    /// Starts a span and returns its parent's context with the span set.
    fn start(&self, builder: SpanBuilder, parent: &Context) -> Context;
}

impl<T> AnyTracer for T
where
    T: Tracer + Send + Sync,
    T::Span: Send + Sync + 'static,
{
    fn start(&self, builder: SpanBuilder, parent: &Context) -> Context {
        parent.with_span(self.build_with_context(builder, parent))
    }
}
