//! What kinds of AI spans there are.

use opentelemetry::trace::SpanKind;

/// A kind of AI span. The types that are one stand for nothing else:
/// [`AgentRun`](super::AgentRun), [`Generation`](super::Generation) and so on.
pub trait AiSpanKind: sealed::Kind + 'static {
    /// `gen_ai.operation.name`; empty where the conventions have none.
    const OPERATION: &'static str;

    /// OpenTelemetry's kind of the span.
    const SPAN_KIND: SpanKind;

    /// `openinference.span.kind`.
    const OPEN_INFERENCE: &'static str;
}

pub(super) mod sealed {
    pub trait Kind {
        /// With what its name begins, if not with the operation.
        const VERB: Option<&'static str> = None;

        /// Where it says how it came out, if it does.
        const STATUS: Option<&'static str> = None;

        /// What OpenInference calls the parameters of a call, as one object.
        const PARAMETERS: &'static str = "llm.invocation_parameters";
    }
}
