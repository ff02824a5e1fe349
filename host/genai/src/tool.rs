//! Tool calls.

use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, StringValue};
use serde_json::Value;

use super::ai::Ai;
use super::attributes::Attributes;
use super::builder::{AiSpanBuilder, Side};
use super::keys;
use super::kind::{AiSpanKind, sealed};
use super::span::AiSpan;

/// A tool call, with the span name `execute_tool NAME`.
#[derive(Debug)]
pub enum ToolCall {}

impl sealed::Kind for ToolCall {}

impl AiSpanKind for ToolCall {
    const OPERATION: &'static str = "execute_tool";
    const SPAN_KIND: SpanKind = SpanKind::Internal;
    const OPEN_INFERENCE: &'static str = "TOOL";
}

impl ToolCall {
    pub(super) fn builder(ai: &Ai, parent: Context, tool: String) -> AiSpanBuilder<Self> {
        let mut builder = AiSpanBuilder::new(ai, parent, tool.clone());
        builder.attributes.say(keys::TOOL_NAME, tool);
        builder
    }
}

impl AiSpanBuilder<ToolCall> {
    /// Sets the id that the model gave the call.
    pub fn call_id(mut self, id: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::TOOL_CALL_ID, id.into());
        self
    }

    /// Sets the type of the tool: `function`, `extension` or `datastore`.
    pub fn tool_type(mut self, tool_type: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::TOOL_TYPE, tool_type.into());
        self
    }

    /// Sets the description of the tool's purpose.
    pub fn description(mut self, description: impl Into<StringValue>) -> Self {
        self.attributes
            .say(keys::TOOL_DESCRIPTION, description.into());
        self
    }

    /// Sets the arguments (content).
    pub fn arguments(self, arguments: impl Into<Value>) -> Self {
        let arguments = arguments.into();
        self.with_content(Side::Input, move |attributes| {
            say_arguments(&arguments, attributes);
        })
    }
}

impl AiSpan<ToolCall> {
    /// Records the result (content).
    pub fn result(&self, result: impl Into<Value>) {
        self.say_content(Side::Output, |attributes| {
            say_result(&result.into(), attributes);
        });
    }
}

pub(super) fn say_arguments(arguments: &Value, attributes: &mut Attributes) {
    attributes.say_content(keys::ARGUMENTS, arguments);
    attributes.say_value(keys::INPUT, arguments);
}

pub(super) fn say_result(result: &Value, attributes: &mut Attributes) {
    attributes.say_content(keys::RESULT, result);
    attributes.say_value(keys::OUTPUT, result);
}
