//! The complete input or output of a model or an agent.

use serde_json::{Value, json};

use super::attributes::Attributes;
use super::keys;
use super::message::Message;

/// One or more messages. A plain string is one message of the speaker.
#[derive(Clone, Debug, PartialEq)]
pub struct Messages(Said);

#[derive(Clone, Debug, PartialEq)]
enum Said {
    Text(String),
    Messages(Vec<Message>),
}

impl From<&str> for Messages {
    fn from(text: &str) -> Self {
        Self(Said::Text(text.to_owned()))
    }
}

impl From<String> for Messages {
    fn from(text: String) -> Self {
        Self(Said::Text(text))
    }
}

impl From<Message> for Messages {
    fn from(message: Message) -> Self {
        Self(Said::Messages(vec![message]))
    }
}

impl From<Vec<Message>> for Messages {
    fn from(messages: Vec<Message>) -> Self {
        Self(Said::Messages(messages))
    }
}

impl<const N: usize> From<[Message; N]> for Messages {
    fn from(messages: [Message; N]) -> Self {
        Self(Said::Messages(messages.into()))
    }
}

impl Messages {
    /// Records an agent's input: the list of the GenAI conventions and OpenInference's
    /// single value.
    pub(super) fn say_input(self, attributes: &mut Attributes) {
        let (list, value) = self.forms("user");
        attributes.say_messages(keys::INPUT_MESSAGES, &gen_ai(&list));
        attributes.say_value(keys::INPUT, &value);
    }

    /// Records an output. `reason` is the reason why the span stopped, if it is known.
    pub(super) fn say_output(self, reason: Option<&str>, attributes: &mut Attributes) {
        let (mut list, value) = self.forms("assistant");
        list.iter_mut().for_each(|message| message.complete(reason));
        let messages = gen_ai(&list);
        attributes.say_messages(keys::OUTPUT_MESSAGES, &messages);
        // A plain text is its own value.
        let value = if value.is_string() { &value } else { &messages };
        attributes.say_value(keys::OUTPUT, value);
    }

    /// Records a model's input: the same, and OpenInference's numbered messages.
    pub(super) fn say_model_input(self, attributes: &mut Attributes) {
        let list = self.clone().forms("user").0;
        let from = attributes.input_messages;
        say_numbered(attributes, keys::LLM_INPUT_MESSAGES, from, &list);
        self.say_input(attributes);
    }

    pub(super) fn say_model_output(self, reason: Option<&str>, attributes: &mut Attributes) {
        let list = self.clone().forms("assistant").0;
        say_numbered(attributes, keys::LLM_OUTPUT_MESSAGES, 0, &list);
        self.say_output(reason, attributes);
    }

    /// Returns the messages, and the single value for inputs and outputs.
    fn forms(self, speaker: &'static str) -> (Vec<Message>, Value) {
        match self.0 {
            Said::Text(text) => (vec![Message::new(speaker, text.as_str())], text.into()),
            Said::Messages(messages) => {
                let value = gen_ai(&messages);
                (messages, value)
            }
        }
    }
}

/// Records the instructions, which have an attribute of their own. OpenInference's first
/// message is added by [`say_model_instructions`].
pub(super) fn say_instructions(text: &str, attributes: &mut Attributes) {
    let text = attributes.limits().text(text);
    let part = json!([{"type": "text", "content": text}]);
    attributes.say(keys::INSTRUCTIONS, part.to_string());
}

pub(super) fn say_model_instructions(text: &str, attributes: &mut Attributes) {
    say_instructions(text, attributes);
    let message = [Message::system(text)];
    say_numbered(attributes, keys::LLM_INPUT_MESSAGES, 0, &message);
    attributes.input_messages += message.len();
}

/// Records the names of the tools that a model or an agent may use.
pub(super) fn say_tools(names: &[String], attributes: &mut Attributes) {
    let definitions = attributes.limits().tools(names);
    attributes.say(keys::TOOL_DEFINITIONS, definitions.to_string());
    if attributes.has_open_inference() {
        for (number, name) in names.iter().enumerate() {
            attributes.say_numbered(keys::LLM_TOOLS, number, "tool.name", name.clone());
        }
    }
}

/// The reason why a span stopped, and the output that was recorded before it was known.
#[derive(Debug, Default)]
pub(super) struct Finish {
    pub(super) reason: Option<String>,
    pub(super) output: Option<Messages>,
}

fn gen_ai(messages: &[Message]) -> Value {
    messages.iter().map(Message::gen_ai).collect()
}

fn say_numbered(attributes: &mut Attributes, prefix: &str, from: usize, messages: &[Message]) {
    if attributes.has_open_inference() {
        let kept = attributes.limits().items;
        for (number, message) in messages.iter().take(kept).enumerate() {
            message.say_numbered(attributes, prefix, from + number);
        }
    }
}
