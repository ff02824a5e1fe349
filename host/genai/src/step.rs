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

/// One step of a generation that has several: `model_step`.
///
/// Its tokens are part of the generation's, so they stand under names of their own,
/// and a backend does not add them up twice.
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
    /// What the model is given. Content.
    pub fn input(self, messages: impl Into<Messages>) -> Self {
        let messages = messages.into();
        self.with_content(Side::Input, move |attributes| {
            messages.say_input(attributes);
        })
    }
}

impl AiSpan<ModelStep> {
    /// The tokens of this step.
    pub fn usage(&self, usage: Usage) {
        self.say(|attributes| usage.say_of_step(attributes));
    }

    /// Why the step ended.
    pub fn finish_reason(&self, reason: impl Into<StringValue>) {
        self.say(|attributes| attributes.say(keys::STEP_FINISH_REASON, reason.into()));
    }

    /// What the model answers. Content.
    pub fn output(&self, messages: impl Into<Messages>) {
        self.say_content(Side::Output, |attributes| {
            messages.into().say_output(attributes);
        });
    }
}
