//! Steps of generations.

use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, StringValue};

use super::ai::Ai;
use super::builder::{AiSpanBuilder, Side};
use super::keys;
use super::kind::{AiSpanKind, sealed};
use super::messages::Messages;
use super::span::AiSpan;
use super::usage::Usage;

/// One step of a generation with several steps, with the span name `model_step`.
///
/// Its tokens are part of the generation's. They have attributes of their own, so that a
/// backend does not count them twice.
#[derive(Debug)]
pub enum ModelStep {}

impl sealed::Kind for ModelStep {
    const VERB: Option<&'static str> = Some("model_step");
}

impl AiSpanKind for ModelStep {
    const OPERATION: &'static str = "";
    const SPAN_KIND: SpanKind = SpanKind::Internal;
    const OPEN_INFERENCE: &'static str = "CHAIN";
}

impl ModelStep {
    pub(super) fn builder(ai: &Ai, parent: Context, number: u32) -> AiSpanBuilder<Self> {
        let mut builder = AiSpanBuilder::new(ai, parent, String::new());
        builder.attributes.say(keys::MODEL_STEP, i64::from(number));
        builder
    }
}

impl AiSpanBuilder<ModelStep> {
    /// Sets the input messages (content).
    pub fn input(self, messages: impl Into<Messages>) -> Self {
        let messages = messages.into();
        self.with_content(Side::Input, move |attributes| {
            messages.say_input(attributes);
        })
    }
}

impl AiSpan<ModelStep> {
    /// Records the token usage of this step.
    pub fn usage(&self, usage: Usage) {
        self.say(|attributes| usage.say_of_step(attributes));
    }

    /// Records the reason why the step ended.
    pub fn finish_reason(&self, reason: impl Into<StringValue>) {
        let reason = reason.into();
        self.finish_output(reason.as_str());
        self.say(|attributes| attributes.say(keys::STEP_FINISH_REASON, reason));
    }

    /// Records the output messages (content).
    pub fn output(&self, messages: impl Into<Messages>) {
        self.say_finished(messages.into(), Messages::say_output);
    }
}
