//! Generic spans.

use std::borrow::Cow;

use opentelemetry::Context;
use opentelemetry::trace::SpanKind;
use serde_json::Value;

use super::ai::Ai;
use super::builder::AiSpanBuilder;
use super::kind::{AiSpanKind, sealed};
use super::span::AiSpan;

/// A span that no other kind fits: a processor, a condition, a loop, memory.
#[derive(Debug)]
pub enum Generic {}

impl sealed::Kind for Generic {}

impl AiSpanKind for Generic {
    const OPERATION: &'static str = "";
    const SPAN_KIND: SpanKind = SpanKind::Internal;
    const OPEN_INFERENCE: &'static str = "CHAIN";
}

impl Generic {
    pub(super) fn builder(
        ai: &Ai,
        parent: Context,
        name: Cow<'static, str>,
    ) -> AiSpanBuilder<Self> {
        AiSpanBuilder::new(ai, parent, String::new()).span_name(name)
    }
}

impl AiSpanBuilder<Generic> {
    /// Sets the input (content).
    pub fn input(self, input: impl Into<Value>) -> Self {
        self.with_any_input(input.into())
    }
}

impl AiSpan<Generic> {
    /// Records the output (content).
    pub fn output(&self, output: impl Into<Value>) {
        self.say_any_output(output.into());
    }
}
