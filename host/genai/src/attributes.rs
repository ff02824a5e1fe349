//! Attributes, with the names of the selected dialect.

use opentelemetry::{Array, KeyValue, StringValue, Value};

use super::keys::{Key, ValueKeys};
use super::limits::ContentLimits;
use super::options::AiOptions;
use spanmux_otel::keep_last;

/// Collects the attributes of one span, or of one change to it.
#[derive(Debug)]
pub(super) struct Attributes {
    options: AiOptions,
    list: Vec<KeyValue>,
    /// Number of input messages that already have an index. The instructions count as one.
    pub(super) input_messages: usize,
}

impl Attributes {
    pub(super) fn new(options: &AiOptions) -> Self {
        Self {
            options: *options,
            list: Vec::new(),
            input_messages: 0,
        }
    }

    pub(super) fn limits(&self) -> &ContentLimits {
        &self.options.limits
    }

    pub(super) fn has_open_inference(&self) -> bool {
        self.options.dialect.has_open_inference()
    }

    /// Adds a value under its name in each selected dialect that defines one.
    pub(super) fn say(&mut self, key: Key, value: impl Into<Value>) {
        let dialect = self.options.dialect;
        let gen_ai = dialect.has_gen_ai() && !key.gen_ai.is_empty();
        let open_inference = dialect.has_open_inference()
            && !key.open_inference.is_empty()
            && !(gen_ai && key.gen_ai == key.open_inference);
        match (gen_ai, open_inference) {
            (true, true) => {
                let value = value.into();
                self.list.push(KeyValue::new(key.gen_ai, value.clone()));
                self.list.push(KeyValue::new(key.open_inference, value));
            }
            (true, false) => self.list.push(KeyValue::new(key.gen_ai, value)),
            (false, true) => self.list.push(KeyValue::new(key.open_inference, value)),
            (false, false) => {}
        }
    }

    /// Adds a list of strings.
    pub(super) fn say_texts<T: Into<StringValue>>(
        &mut self,
        key: Key,
        texts: impl IntoIterator<Item = T>,
    ) {
        let texts = texts.into_iter().map(Into::into).collect();
        self.say(key, Value::Array(Array::String(texts)));
    }

    /// Adds a value as JSON text, truncated to the limits.
    pub(super) fn say_json(&mut self, key: Key, value: &serde_json::Value) {
        let text = self.limits().json(value);
        self.say(key, text);
    }

    /// Adds a list of messages as JSON text. The truncated list is still a list of messages.
    pub(super) fn say_messages(&mut self, key: Key, list: &serde_json::Value) {
        let text = self.limits().messages(list).to_string();
        self.say(key, text);
    }

    /// Adds a string unchanged and any other value as JSON text.
    pub(super) fn say_content(&mut self, key: Key, value: &serde_json::Value) {
        match value.as_str() {
            Some(text) => {
                let text = self.limits().text(text);
                self.say(key, text);
            }
            None if super::limits::is_messages(value) => self.say_messages(key, value),
            None => self.say_json(key, value),
        }
    }

    /// Adds the input or output for which the GenAI conventions have a specific attribute.
    pub(super) fn say_value(&mut self, keys: ValueKeys, value: &serde_json::Value) {
        if self.has_open_inference() {
            self.say_content(keys.specific, value);
            self.say_mime_type(keys, value);
        }
    }

    /// Adds the input or output for which the GenAI conventions have no attribute.
    pub(super) fn say_any_value(&mut self, keys: ValueKeys, value: &serde_json::Value) {
        self.say_content(keys.generic, value);
        self.say_mime_type(keys, value);
    }

    fn say_mime_type(&mut self, keys: ValueKeys, value: &serde_json::Value) {
        let mime_type = if value.is_string() {
            "text/plain"
        } else {
            "application/json"
        };
        self.say(keys.mime_type, mime_type);
    }

    /// Adds one of OpenInference's numbered attributes: `prefix.number.name`.
    pub(super) fn say_numbered(
        &mut self,
        prefix: &str,
        number: usize,
        name: &str,
        value: impl Into<Value>,
    ) {
        let key = format!("{prefix}.{number}.{name}");
        self.list.push(KeyValue::new(key, value));
    }

    pub(super) fn say_for_langfuse(&mut self, key: &'static str, value: impl Into<Value>) {
        if self.options.langfuse {
            self.list.push(KeyValue::new(key, value));
        }
    }

    pub(super) fn append(&mut self, more: &Self) {
        self.list.extend_from_slice(&more.list);
    }

    pub(super) fn push(&mut self, attribute: KeyValue) {
        self.list.push(attribute);
    }

    /// Returns the attributes with the last value of each key.
    pub(super) fn into_list(mut self) -> Vec<KeyValue> {
        keep_last(&mut self.list);
        self.list
    }
}
