//! Attaches a runtime context to an OpenTelemetry context.

use opentelemetry::Context;

use spanmux_core::RuntimeContext;

/// Attaches a [`RuntimeContext`] to an OpenTelemetry [`Context`]. Root spans that start
/// under that context use it.
///
/// # Cost
/// Attaching copies the few values of the context. Reading takes one lookup.
///
/// # Examples
/// ```
/// use opentelemetry::Context;
/// use spanmux::RuntimeContext;
/// use spanmux::otel::RuntimeContextExt;
///
/// let run = RuntimeContext::builder().set("tenant", "acme").build();
/// let _guard = Context::current().with_runtime_context(run).attach();
///
/// let context = Context::current();
/// let tenant = context.runtime_context().map(|run| run.view().text("tenant"));
/// assert_eq!(tenant, Some(Some("acme")));
/// # Ok::<(), spanmux::ContextError>(())
/// ```
pub trait RuntimeContextExt {
    /// Returns a copy of this context with `run` attached, replacing any other.
    #[must_use = "the context itself is not changed"]
    fn with_runtime_context(&self, run: RuntimeContext) -> Self;

    /// Returns the attached runtime context, if any.
    fn runtime_context(&self) -> Option<&RuntimeContext>;
}

impl RuntimeContextExt for Context {
    fn with_runtime_context(&self, run: RuntimeContext) -> Self {
        self.with_value(run)
    }

    fn runtime_context(&self) -> Option<&RuntimeContext> {
        self.get()
    }
}
