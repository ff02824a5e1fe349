//! A tracer of any type.

use opentelemetry::Context;
use opentelemetry::trace::{SpanBuilder, TraceContextExt as _, Tracer};

/// A tracer whose type is forgotten, so that AI spans have none of their own.
pub(super) trait AnyTracer: Send + Sync {
    /// Starts a span and puts it into its parent's context.
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
