//! Spans that the service starts itself: AI spans with the typed builders, and ordinary spans
//! through OpenTelemetry.

use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{SpanKind, TraceContextExt as _, Tracer as _};
use spanmux::genai::{Ai, AiParent, AiSpan, AiSpanBuilder, AiSpanKind};
use spanmux::otel::RoutingTracer;

use crate::ledger::Ledger;
use crate::plan::{CHAT_MODEL, EMBEDDING_MODEL, Usage};

/// Starts spans and records them. Cloning is cheap.
#[derive(Clone)]
pub struct Spans {
    pub ai: Ai,
    tracer: Arc<RoutingTracer>,
    ledger: Ledger,
}

impl Spans {
    pub fn new(tracer: RoutingTracer, ledger: Ledger) -> Self {
        Self {
            ai: Ai::new(tracer.clone()),
            tracer: Arc::new(tracer),
            ledger,
        }
    }

    /// Starts an AI span.
    pub fn start<K: AiSpanKind>(&self, builder: AiSpanBuilder<K>) -> AiSpan<K> {
        let span = builder.start();
        self.ledger.note(&span.span_context());
        span
    }

    /// Records a call of the chat model with this usage.
    pub fn chat(&self, parent: &impl AiParent, usage: Usage) {
        let call = parent.generation(CHAT_MODEL.request).provider("openai");
        let call = self.start(call);
        call.response_model(CHAT_MODEL.response);
        call.usage(usage.into());
        call.finish_reason("stop");
    }

    /// Records a call of the embedding model.
    pub fn embedding(&self, parent: &impl AiParent, usage: Usage) {
        let call = parent.embedding(EMBEDDING_MODEL.request).provider("openai");
        let call = self.start(call);
        call.input_tokens(usage.input.unwrap_or_default());
    }

    /// Starts a span of a library without AI below `parent`. It ends when the last clone of the
    /// returned context is dropped.
    pub fn ordinary(&self, parent: &Context, name: &'static str, kind: SpanKind) -> Context {
        let builder = self.tracer.span_builder(name).with_kind(kind);
        let context = parent.with_span(builder.start_with_context(&*self.tracer, parent));
        self.ledger.note(context.span().span_context());
        context
    }
}

impl From<Usage> for spanmux::genai::Usage {
    fn from(usage: Usage) -> Self {
        let Usage {
            input,
            output,
            cached,
            reasoning,
        } = usage;
        Self::new(input.unwrap_or_default(), output.unwrap_or_default())
            .cached(cached.unwrap_or_default())
            .reasoning(reasoning.unwrap_or_default())
    }
}
