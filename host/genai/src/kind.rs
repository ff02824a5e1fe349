//! Kinds of AI spans.

use opentelemetry::trace::SpanKind;

/// A kind of AI span. Its implementations are marker types: [`AgentRun`](super::AgentRun),
/// [`Generation`](super::Generation) and so on.
pub trait AiSpanKind: sealed::Kind + 'static {
    /// The `gen_ai.operation.name`. Empty where the conventions define none.
    const OPERATION: &'static str;

    /// The OpenTelemetry span kind.
    const SPAN_KIND: SpanKind;

    /// The `openinference.span.kind`.
    const OPEN_INFERENCE: &'static str;
}

pub(super) mod sealed {
    pub trait Kind {
        /// The first word of the span name, if it is not the operation.
        const VERB: Option<&'static str> = None;

        /// The attribute of the final status, if the kind has one.
        const STATUS: Option<&'static str> = None;

        /// OpenInference's attribute for the parameters of a call, as one object.
        const PARAMETERS: &'static str = "llm.invocation_parameters";
    }
}
