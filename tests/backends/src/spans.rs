//! Spans that the service starts itself, through OpenTelemetry.

use std::sync::Arc;

use opentelemetry::trace::{SpanKind, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use spanway::otel::RoutingTracer;

use crate::ledger::Ledger;
use crate::plan::{CHAT_MODEL, Operation, Usage};

/// Starts spans and notes them. Cheap to clone.
#[derive(Clone)]
pub struct Spans {
    tracer: Arc<RoutingTracer>,
    ledger: Ledger,
}

impl Spans {
    pub fn new(tracer: RoutingTracer, ledger: Ledger) -> Self {
        Self {
            tracer: Arc::new(tracer),
            ledger,
        }
    }

    /// Starts a span like any other below `parent`. It ends when the last clone of
    /// the context that is returned is dropped.
    pub fn plain(&self, parent: &Context, name: &'static str, kind: SpanKind) -> Context {
        self.start(parent, name.to_owned(), kind, Vec::new())
    }

    pub fn agent(&self, parent: &Context, name: &'static str) -> Context {
        let attributes = vec![
            operation(Operation::Agent),
            KeyValue::new("gen_ai.agent.name", name),
        ];
        self.start(
            parent,
            format!("invoke_agent {name}"),
            SpanKind::Internal,
            attributes,
        )
    }

    /// A call of the chat model, which counts `usage`.
    pub fn chat(&self, parent: &Context, usage: Usage) -> Context {
        let mut attributes = vec![
            operation(Operation::Chat),
            KeyValue::new("gen_ai.provider.name", "openai"),
            KeyValue::new("gen_ai.request.model", CHAT_MODEL.request),
            KeyValue::new("gen_ai.response.model", CHAT_MODEL.response),
        ];
        let counted = [
            ("gen_ai.usage.input_tokens", usage.input),
            ("gen_ai.usage.output_tokens", usage.output),
            ("gen_ai.usage.cache_read.input_tokens", usage.cached),
            ("gen_ai.usage.reasoning_tokens", usage.reasoning),
        ];
        for (key, count) in counted {
            let count = count.and_then(|count| i64::try_from(count).ok());
            attributes.extend(count.map(|count| KeyValue::new(key, count)));
        }
        let name = format!("chat {}", CHAT_MODEL.request);
        self.start(parent, name, SpanKind::Client, attributes)
    }

    pub fn tool(&self, parent: &Context, name: &'static str) -> Context {
        let attributes = vec![
            operation(Operation::Tool),
            KeyValue::new("gen_ai.tool.name", name),
        ];
        self.start(
            parent,
            format!("execute_tool {name}"),
            SpanKind::Internal,
            attributes,
        )
    }

    fn start(
        &self,
        parent: &Context,
        name: String,
        kind: SpanKind,
        attributes: Vec<KeyValue>,
    ) -> Context {
        let span = self
            .tracer
            .span_builder(name)
            .with_kind(kind)
            .with_attributes(attributes)
            .start_with_context(&*self.tracer, parent);
        let context = parent.with_span(span);
        self.ledger.note(context.span().span_context());
        context
    }
}

fn operation(operation: Operation) -> KeyValue {
    KeyValue::new(
        "gen_ai.operation.name",
        operation.name().unwrap_or_default(),
    )
}
