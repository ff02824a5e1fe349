//! The runtime context of a run, attached to an OpenTelemetry context.

use opentelemetry::Context;

use spanmux_core::RuntimeContext;

/// Attaches a [`RuntimeContext`] to an OpenTelemetry [`Context`], where a root
/// span that starts under it finds it.
///
/// # Cost
/// Attaching copies the context's few values. Reading takes one look-up.
///
/// # Examples
/// ```
/// use opentelemetry::Context;
/// use spanmux::RuntimeContext;
/// use spanmux::otel::RuntimeContextExt;
///
/// let run = RuntimeContext::builder().set("tenant", "acme").build()?;
/// let _guard = Context::current().with_runtime_context(run).attach();
///
/// let context = Context::current();
/// let tenant = context.runtime_context().map(|run| run.view().text("tenant"));
/// assert_eq!(tenant, Some(Some("acme")));
/// # Ok::<(), spanmux::ContextError>(())
/// ```
pub trait RuntimeContextExt {
    /// A copy of this context in which `run` is attached, in place of any other.
    #[must_use = "the context itself is not changed"]
    fn with_runtime_context(&self, run: RuntimeContext) -> Self;

    /// What is attached, if anything.
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
