//! One message of a conversation with a model.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::attributes::Attributes;
use super::limits::ContentLimits;

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
    Media {
        modality: Cow<'static, str>,
        mime_type: String,
        source: Source,
    },
}

/// The location of the bytes of a media part.
#[derive(Clone, Debug, PartialEq)]
enum Source {
    Base64(String),
    Uri(String),
    File(String),
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

    /// Adds an image, a sound or a video as base64 text. The modality is `image`, `audio` or
    /// `video`. If the text exceeds the [limits](super::ContentLimits), a text with its type and
    /// size replaces it, because truncated media cannot be decoded.
    #[must_use = "the method returns the message"]
    pub fn base64(
        self,
        modality: impl Into<Cow<'static, str>>,
        mime_type: impl Into<String>,
        base64: impl Into<String>,
    ) -> Self {
        self.media(
            modality.into(),
            mime_type.into(),
            Source::Base64(base64.into()),
        )
    }

    /// Adds an image, a sound or a video by its URI.
    #[must_use = "the method returns the message"]
    pub fn uri(
        self,
        modality: impl Into<Cow<'static, str>>,
        mime_type: impl Into<String>,
        uri: impl Into<String>,
    ) -> Self {
        self.media(modality.into(), mime_type.into(), Source::Uri(uri.into()))
    }

    /// Adds a file that was uploaded to the provider, by its id.
    #[must_use = "the method returns the message"]
    pub fn file(
        self,
        modality: impl Into<Cow<'static, str>>,
        mime_type: impl Into<String>,
        file_id: impl Into<String>,
    ) -> Self {
        self.media(
            modality.into(),
            mime_type.into(),
            Source::File(file_id.into()),
        )
    }

    fn media(mut self, modality: Cow<'static, str>, mime_type: String, source: Source) -> Self {
        self.parts.push(Part::Media {
            modality,
            mime_type,
            source,
        });
        self
    }

    /// Sets the reason why the model stopped, for a message that it generated. Defaults to that
    /// of the span, or to `tool_call` for a message with tool calls and `stop` for any other.
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

    /// Sets the reason of an output message that has none: its schema requires one.
    pub(super) fn complete(&mut self, of_span: Option<&str>) {
        let calls = |part: &Part| matches!(part, Part::ToolCall { .. });
        self.finish_reason.get_or_insert_with(|| {
            let by_content = if self.parts.iter().any(calls) {
                "tool_call"
            } else {
                "stop"
            };
            of_span.unwrap_or(by_content).to_owned()
        });
    }

    /// Adds the message as OpenInference's numbered attributes.
    pub(super) fn say_numbered(&self, attributes: &mut Attributes, prefix: &str, number: usize) {
        attributes.say_numbered(prefix, number, "message.role", self.role.clone());
        let mut seen = Numbers::default();
        for part in &self.parts {
            part.say_numbered(attributes, prefix, number, &mut seen);
        }
    }
}

/// The numbers of the next tool call and the next content of a message.
#[derive(Default)]
struct Numbers {
    calls: usize,
    contents: usize,
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
            Self::Media {
                modality,
                mime_type,
                source,
            } => {
                let (kind, name, value) = match source {
                    Source::Base64(text) => ("blob", "content", text),
                    Source::Uri(uri) => ("uri", "uri", uri),
                    Source::File(id) => ("file", "file_id", id),
                };
                let mut part = json!({"type": kind, "modality": modality, "mime_type": mime_type});
                part[name] = value.as_str().into();
                part
            }
        }
    }

    fn say_numbered(
        &self,
        attributes: &mut Attributes,
        prefix: &str,
        number: usize,
        seen: &mut Numbers,
    ) {
        let limits = *attributes.limits();
        let mut say = |name: &str, value: String| {
            attributes.say_numbered(prefix, number, name, value);
        };
        match self {
            Self::Text(text) => say("message.content", limits.text(text)),
            Self::Reasoning(text) => {
                let content = seen.next_content();
                say(&format!("{content}.type"), "reasoning".into());
                say(&format!("{content}.text"), limits.text(text));
            }
            Self::Media {
                modality,
                mime_type,
                source,
            } => {
                let content = seen.next_content();
                say(&format!("{content}.type"), modality.to_string());
                let url = source.url(mime_type, &limits);
                say(&format!("{content}.{modality}.{modality}.url"), url);
            }
            Self::ToolCall {
                id,
                name,
                arguments,
            } => {
                let call = |word| format!("message.tool_calls.{}.tool_call.{word}", seen.calls);
                say(&call("id"), id.clone());
                say(&call("function.name"), name.clone());
                say(&call("function.arguments"), limits.json(arguments));
                seen.calls += 1;
            }
            Self::ToolResult { id, result } => {
                say("message.tool_call_id", id.clone());
                say("message.content", limits.json(result));
            }
        }
    }
}

impl Numbers {
    fn next_content(&mut self) -> String {
        let content = format!("message.contents.{}.message_content", self.contents);
        self.contents += 1;
        content
    }
}

impl Source {
    fn url(&self, mime_type: &str, limits: &ContentLimits) -> String {
        match self {
            Self::Uri(uri) => uri.clone(),
            Self::File(id) => format!("file:{id}"),
            Self::Base64(text) if limits.fits(text) => format!("data:{mime_type};base64,{text}"),
            Self::Base64(text) => super::limits::media_mark(mime_type, text.len()),
        }
    }
}
