//! One message of a conversation with a model.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::attributes::Attributes;

/// One message of a conversation with a model.
///
/// # Examples
/// ```
/// use serde_json::json;
/// use spanmux::genai::Message;
///
/// let conversation = [
///     Message::user("Where is order 17?"),
///     Message::assistant("").tool_call("call-1", "search_orders", json!({"id": 17})),
///     Message::tool("call-1", json!({"state": "shipped"})),
///     Message::assistant("It was shipped.").finish_reason("stop"),
/// ];
/// # drop(conversation);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    role: Cow<'static, str>,
    parts: Vec<Part>,
    finish_reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Reasoning(String),
    ToolCall {
        id: String,
        name: String,
        arguments: Value,
    },
    ToolResult {
        id: String,
        result: Value,
    },
}

impl Message {
    /// Creates a message with any role. An empty text adds no part.
    pub fn new(role: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        let text = text.into();
        let parts = if text.is_empty() {
            Vec::new()
        } else {
            vec![Part::Text(text)]
        };
        Self {
            role: role.into(),
            parts,
            finish_reason: None,
        }
    }

    /// Creates a system message.
    pub fn system(text: impl Into<String>) -> Self {
        Self::new("system", text)
    }

    /// Creates a user message.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new("user", text)
    }

    /// Creates a message of the model.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new("assistant", text)
    }

    /// Creates a message with a tool's result.
    pub fn tool(call_id: impl Into<String>, result: impl Into<Value>) -> Self {
        let mut message = Self::new("tool", "");
        let (id, result) = (call_id.into(), result.into());
        message.parts.push(Part::ToolResult { id, result });
        message
    }

    /// Adds the reasoning that the model disclosed.
    #[must_use = "the method returns the message"]
    pub fn reasoning(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Reasoning(text.into()));
        self
    }

    /// Adds a tool call that the model requests.
    #[must_use = "the method returns the message"]
    pub fn tool_call(
        mut self,
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<Value>,
    ) -> Self {
        let (id, name, arguments) = (id.into(), name.into(), arguments.into());
        self.parts.push(Part::ToolCall {
            id,
            name,
            arguments,
        });
        self
    }

    /// Sets the reason why the model stopped, for a message that it generated.
    #[must_use = "the method returns the message"]
    pub fn finish_reason(mut self, reason: impl Into<String>) -> Self {
        self.finish_reason = Some(reason.into());
        self
    }

    /// Converts the message to the format of the GenAI conventions.
    pub(super) fn gen_ai(&self) -> Value {
        let parts: Vec<Value> = self.parts.iter().map(Part::gen_ai).collect();
        let mut message = json!({"role": self.role, "parts": parts});
        if let Some(reason) = &self.finish_reason {
            message["finish_reason"] = reason.as_str().into();
        }
        message
    }

    /// Adds the message as OpenInference's numbered attributes.
    pub(super) fn say_numbered(&self, attributes: &mut Attributes, prefix: &str, number: usize) {
        attributes.say_numbered(prefix, number, "message.role", self.role.clone());
        let mut calls = 0;
        for part in &self.parts {
            part.say_numbered(attributes, prefix, number, &mut calls);
        }
    }
}

impl Part {
    fn gen_ai(&self) -> Value {
        match self {
            Self::Text(text) => json!({"type": "text", "content": text}),
            Self::Reasoning(text) => json!({"type": "reasoning", "content": text}),
            Self::ToolCall {
                id,
                name,
                arguments,
            } => json!({"type": "tool_call", "id": id, "name": name, "arguments": arguments}),
            Self::ToolResult { id, result } => {
                json!({"type": "tool_call_response", "id": id, "response": result})
            }
        }
    }

    fn say_numbered(
        &self,
        attributes: &mut Attributes,
        prefix: &str,
        number: usize,
        calls: &mut usize,
    ) {
        let limits = *attributes.limits();
        let mut say = |name: &str, value: String| {
            attributes.say_numbered(prefix, number, name, value);
        };
        match self {
            Self::Text(text) => say("message.content", limits.text(text)),
            Self::Reasoning(text) => {
                say(
                    "message.contents.0.message_content.type",
                    "reasoning".into(),
                );
                say("message.contents.0.message_content.text", limits.text(text));
            }
            Self::ToolCall {
                id,
                name,
                arguments,
            } => {
                let call = |word| format!("message.tool_calls.{calls}.tool_call.{word}");
                say(&call("id"), id.clone());
                say(&call("function.name"), name.clone());
                say(&call("function.arguments"), limits.json(arguments));
                *calls += 1;
            }
            Self::ToolResult { id, result } => {
                say("message.tool_call_id", id.clone());
                say("message.content", limits.json(result));
            }
        }
    }
}
