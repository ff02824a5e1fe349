//! Agent runs.

use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, StringValue};

use super::ai::Ai;
use super::builder::{AiSpanBuilder, Side};
use super::keys;
use super::kind::{AiSpanKind, sealed};
use super::messages::{self, Messages};
use super::span::AiSpan;

/// An agent run, with the span name `invoke_agent NAME`.
#[derive(Debug)]
pub enum AgentRun {}

impl sealed::Kind for AgentRun {}

impl AiSpanKind for AgentRun {
    const OPERATION: &'static str = "invoke_agent";
    const SPAN_KIND: SpanKind = SpanKind::Internal;
    const OPEN_INFERENCE: &'static str = "AGENT";
}

impl AgentRun {
    pub(super) fn builder(ai: &Ai, parent: Context, name: String) -> AiSpanBuilder<Self> {
        let mut builder = AiSpanBuilder::new(ai, parent, name.clone());
        builder.attributes.say(keys::AGENT_NAME, name);
        builder
    }
}

impl AiSpanBuilder<AgentRun> {
    /// Sets the id of the agent.
    pub fn id(mut self, id: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::AGENT_ID, id.into());
        self
    }

    /// Sets the description of the agent's purpose.
    pub fn description(mut self, description: impl Into<StringValue>) -> Self {
        self.attributes
            .say(keys::AGENT_DESCRIPTION, description.into());
        self
    }

    /// Sets the version of the agent.
    pub fn version(mut self, version: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::AGENT_VERSION, version.into());
        self
    }

    /// Sets the provider of the model: `openai`, `anthropic`.
    pub fn provider(mut self, provider: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::PROVIDER, provider.into());
        self
    }

    /// Sets the model that the agent uses.
    pub fn model(mut self, model: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::MODEL, model.into());
        self
    }

    /// Sets the maximum number of steps.
    pub fn max_steps(mut self, steps: u32) -> Self {
        self.attributes.say(keys::AGENT_MAX_STEPS, i64::from(steps));
        self
    }

    /// Sets the names of the tools that the agent may use.
    pub fn tools<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        messages::say_tools(&names, &mut self.attributes);
        self
    }

    /// Marks the agent as running in another process: the span kind is `Client`.
    pub fn remote(self) -> Self {
        self.span_kind(SpanKind::Client)
    }

    /// Sets the instructions (content).
    pub fn instructions(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.with_content(Side::Input, move |attributes| {
            messages::say_instructions(&text, attributes);
        })
    }

    /// Sets the input messages (content).
    pub fn input(self, messages: impl Into<Messages>) -> Self {
        let messages = messages.into();
        self.with_content(Side::Input, move |attributes| {
            messages.say_input(attributes);
        })
    }
}

impl AiSpan<AgentRun> {
    /// Records the output messages (content).
    pub fn output(&self, messages: impl Into<Messages>) {
        self.say_finished(messages.into(), Messages::say_output);
    }

    /// Records the reason why the agent stopped.
    pub fn finish_reason(&self, reason: impl Into<StringValue>) {
        let reason = reason.into();
        self.finish_output(reason.as_str());
        self.say(|attributes| attributes.say_texts(keys::FINISH_REASONS, [reason]));
    }
}
