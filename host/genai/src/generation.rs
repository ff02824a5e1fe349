//! Calls of models that generate.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, StringValue};

use super::ai::Ai;
use super::builder::{AiSpanBuilder, Side};
use super::keys::{self, Key};
use super::kind::{AiSpanKind, sealed};
use super::messages::{self, Messages};
use super::span::AiSpan;
use super::usage::{Usage, integer};

/// A call of a model that generates: `chat MODEL`.
#[derive(Debug)]
pub enum Generation {}

impl sealed::Kind for Generation {}

impl AiSpanKind for Generation {
    const OPERATION: &'static str = "chat";
    const SPAN_KIND: SpanKind = SpanKind::Client;
    const OPEN_INFERENCE: &'static str = "LLM";
}

impl Generation {
    pub(super) fn builder(ai: &Ai, parent: Context, model: String) -> AiSpanBuilder<Self> {
        let mut builder = AiSpanBuilder::new(ai, parent, model.clone());
        builder.attributes.say(keys::MODEL, model);
        builder
    }
}

impl AiSpanBuilder<Generation> {
    /// Another operation than `chat`: `text_completion`, `generate_content`.
    pub fn operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.set_operation(operation.into());
        self
    }

    /// Who provides the model: `openai`, `anthropic`, `aws.bedrock`.
    pub fn provider(mut self, provider: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::PROVIDER, provider.into());
        self
    }

    /// Where the model is called.
    pub fn server(mut self, address: impl Into<StringValue>, port: u16) -> Self {
        self.attributes.say(keys::SERVER_ADDRESS, address.into());
        self.attributes.say(keys::SERVER_PORT, i64::from(port));
        self
    }

    /// The temperature of sampling.
    pub fn temperature(self, temperature: f64) -> Self {
        self.parameter("temperature", keys::TEMPERATURE, temperature)
    }

    /// The share of probability that is sampled from, 0 to 1.
    pub fn top_p(self, top_p: f64) -> Self {
        self.parameter("top_p", keys::TOP_P, top_p)
    }

    /// How many of the likeliest tokens are sampled from.
    pub fn top_k(self, top_k: f64) -> Self {
        self.parameter("top_k", keys::TOP_K, top_k)
    }

    /// How many tokens may be generated.
    pub fn max_tokens(self, tokens: u64) -> Self {
        self.parameter("max_tokens", keys::MAX_TOKENS, integer(tokens))
    }

    /// How much repetition by count is punished.
    pub fn frequency_penalty(self, penalty: f64) -> Self {
        self.parameter("frequency_penalty", keys::FREQUENCY_PENALTY, penalty)
    }

    /// How much any repetition is punished.
    pub fn presence_penalty(self, penalty: f64) -> Self {
        self.parameter("presence_penalty", keys::PRESENCE_PENALTY, penalty)
    }

    /// The seed of sampling.
    pub fn seed(self, seed: i64) -> Self {
        self.parameter("seed", keys::SEED, seed)
    }

    /// How many answers are asked for.
    pub fn choices(self, count: u32) -> Self {
        self.parameter("n", keys::CHOICE_COUNT, i64::from(count))
    }

    /// The texts at which the model stops.
    pub fn stop_sequences<T: Into<String>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
        self.attributes
            .say_texts(keys::STOP_SEQUENCES, texts.clone());
        self.parameters.insert("stop".into(), texts.into());
        self
    }

    /// What is asked for: `text`, `json`, `image`, `speech`.
    pub fn output_type(mut self, output: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::OUTPUT_TYPE, output.into());
        self
    }

    /// The answer comes as a stream.
    pub fn streaming(self) -> Self {
        self.parameter("stream", keys::STREAM, true)
    }

    /// The names of the tools that the model may ask for.
    pub fn tools<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        messages::say_tools(&names, &mut self.attributes);
        self
    }

    /// What the model is told apart from the messages. Content.
    pub fn instructions(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.with_first_content(Side::Input, move |attributes| {
            messages::say_model_instructions(&text, attributes);
        })
    }

    /// What the model is given. Content.
    pub fn input(self, messages: impl Into<Messages>) -> Self {
        let messages = messages.into();
        self.with_content(Side::Input, move |attributes| {
            messages.say_model_input(attributes);
        })
    }

    fn parameter<V>(mut self, name: &str, key: Key, value: V) -> Self
    where
        V: Into<opentelemetry::Value> + Into<serde_json::Value> + Copy,
    {
        self.attributes
            .say(key, Into::<opentelemetry::Value>::into(value));
        self.parameters.insert(name.to_owned(), value.into());
        self
    }
}

impl AiSpan<Generation> {
    /// The first part of a stream has come. Only the first call counts.
    ///
    /// Written as `gen_ai.response.time_to_first_chunk`, in seconds since the start of
    /// the span. OpenInference has no word for it.
    pub fn first_token(&self) {
        let Some(after) = self.first_token_after() else {
            return;
        };
        self.say(|attributes| {
            attributes.say(keys::TIME_TO_FIRST_CHUNK, after.as_secs_f64());
            attributes.say_for_langfuse(keys::LANGFUSE_COMPLETION_START, now());
        });
    }

    /// The tokens that went in and came out.
    pub fn usage(&self, usage: Usage) {
        self.say(|attributes| usage.say(attributes));
    }

    /// Why the model stopped: `stop`, `length`, `tool_call`, `content_filter`.
    pub fn finish_reason(&self, reason: impl Into<StringValue>) {
        let reason = reason.into();
        self.say(|attributes| {
            attributes.say_texts(keys::FINISH_REASONS, [reason.clone()]);
            attributes.say(keys::FINISH_REASON, reason);
        });
    }

    /// The model that answered, which may be another than was asked for.
    pub fn response_model(&self, model: impl Into<StringValue>) {
        self.say(|attributes| attributes.say(keys::RESPONSE_MODEL, model.into()));
    }

    /// The provider's id of the answer.
    pub fn response_id(&self, id: impl Into<StringValue>) {
        self.say(|attributes| attributes.say(keys::RESPONSE_ID, id.into()));
    }

    /// What the model answers. Content.
    pub fn output(&self, messages: impl Into<Messages>) {
        self.say_content(Side::Output, |attributes| {
            messages.into().say_model_output(attributes);
        });
    }
}

/// Now, as ISO 8601 has it.
fn now() -> String {
    let now = SystemTime::now();
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let whole = Duration::from_millis(since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }));
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + whole).to_string()
}
