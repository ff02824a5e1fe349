//! Calls of generating models.

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

/// A call of a generating model, with the span name `chat MODEL`.
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
    /// Replaces the operation `chat`, for example with `text_completion` or
    /// `generate_content`.
    pub fn operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.set_operation(operation.into());
        self
    }

    /// Sets the provider of the model: `openai`, `anthropic`, `aws.bedrock`.
    pub fn provider(mut self, provider: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::PROVIDER, provider.into());
        self
    }

    /// Sets the address and port of the model's server.
    pub fn server(mut self, address: impl Into<StringValue>, port: u16) -> Self {
        self.attributes.say(keys::SERVER_ADDRESS, address.into());
        self.attributes.say(keys::SERVER_PORT, i64::from(port));
        self
    }

    /// Sets the sampling temperature.
    pub fn temperature(self, temperature: f64) -> Self {
        self.parameter("temperature", keys::TEMPERATURE, temperature)
    }

    /// Sets the cumulative probability from which tokens are sampled, 0 to 1.
    pub fn top_p(self, top_p: f64) -> Self {
        self.parameter("top_p", keys::TOP_P, top_p)
    }

    /// Sets the number of most likely tokens from which tokens are sampled.
    /// The attribute is an integer, as the conventions define, unless the number has a fraction.
    pub fn top_k(self, top_k: f64) -> Self {
        if top_k.fract() == 0.0 {
            // The conversion saturates.
            return self.parameter("top_k", keys::TOP_K, top_k as i64);
        }
        self.parameter("top_k", keys::TOP_K, top_k)
    }

    /// Sets the effort that the model spends on reasoning: `low`, `medium`, `high`.
    pub fn reasoning_level(mut self, level: impl Into<String>) -> Self {
        let level = level.into();
        self.attributes.say(keys::REASONING_LEVEL, level.clone());
        self.parameters
            .insert("reasoning_effort".to_owned(), level.into());
        self
    }

    /// Sets the name and the version of the prompt template.
    ///
    /// # Examples
    /// ```
    /// # use opentelemetry::trace::TracerProvider;
    /// # let tracer = opentelemetry_sdk::trace::SdkTracerProvider::default().tracer("shop");
    /// use spanmux::genai::Ai;
    ///
    /// let call = Ai::new(tracer)
    ///     .generation("gpt-5-mini")
    ///     .prompt("support-answer", "3")
    ///     .reasoning_level("low")
    ///     .start();
    /// call.end();
    /// ```
    pub fn prompt(mut self, name: impl Into<StringValue>, version: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::PROMPT_NAME, name.into());
        self.attributes.say(keys::PROMPT_VERSION, version.into());
        self
    }

    /// Sets the maximum number of generated tokens.
    pub fn max_tokens(self, tokens: u64) -> Self {
        self.parameter("max_tokens", keys::MAX_TOKENS, integer(tokens))
    }

    /// Sets the penalty for tokens in proportion to their frequency.
    pub fn frequency_penalty(self, penalty: f64) -> Self {
        self.parameter("frequency_penalty", keys::FREQUENCY_PENALTY, penalty)
    }

    /// Sets the penalty for tokens that occurred at all.
    pub fn presence_penalty(self, penalty: f64) -> Self {
        self.parameter("presence_penalty", keys::PRESENCE_PENALTY, penalty)
    }

    /// Sets the sampling seed.
    pub fn seed(self, seed: i64) -> Self {
        self.parameter("seed", keys::SEED, seed)
    }

    /// Sets the requested number of answers.
    pub fn choices(self, count: u32) -> Self {
        self.parameter("n", keys::CHOICE_COUNT, i64::from(count))
    }

    /// Sets the sequences at which the model stops.
    pub fn stop_sequences<T: Into<String>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
        self.attributes
            .say_texts(keys::STOP_SEQUENCES, texts.clone());
        self.parameters.insert("stop".into(), texts.into());
        self
    }

    /// Sets the requested output type: `text`, `json`, `image`, `speech`.
    pub fn output_type(mut self, output: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::OUTPUT_TYPE, output.into());
        self
    }

    /// Marks the answer as streamed.
    pub fn streaming(self) -> Self {
        self.parameter("stream", keys::STREAM, true)
    }

    /// Sets the names of the tools that the model may call.
    pub fn tools<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        messages::say_tools(&names, &mut self.attributes);
        self
    }

    /// Sets the instructions that are separate from the messages (content).
    pub fn instructions(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.with_first_content(Side::Input, move |attributes| {
            messages::say_model_instructions(&text, attributes);
        })
    }

    /// Sets the input messages (content).
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
    /// Records the time of the first part of a stream. Only the first call has an effect.
    ///
    /// The attribute is `gen_ai.response.time_to_first_chunk`, in seconds since the start of
    /// the span. OpenInference has no attribute for it.
    pub fn first_token(&self) {
        let Some(after) = self.first_token_after() else {
            return;
        };
        self.say(|attributes| {
            attributes.say(keys::TIME_TO_FIRST_CHUNK, after.as_secs_f64());
            attributes.say_for_langfuse(keys::LANGFUSE_COMPLETION_START, now());
        });
    }

    /// Records the token usage.
    pub fn usage(&self, usage: Usage) {
        self.say(|attributes| usage.say(attributes));
    }

    /// Records the reason why the model stopped: `stop`, `length`, `tool_call`,
    /// `content_filter`.
    pub fn finish_reason(&self, reason: impl Into<StringValue>) {
        let reason = reason.into();
        self.finish_output(reason.as_str());
        self.say(|attributes| {
            attributes.say_texts(keys::FINISH_REASONS, [reason.clone()]);
            attributes.say(keys::FINISH_REASON, reason);
        });
    }

    /// Records the model that answered. It can differ from the requested one.
    pub fn response_model(&self, model: impl Into<StringValue>) {
        self.say(|attributes| attributes.say(keys::RESPONSE_MODEL, model.into()));
    }

    /// Records the provider's id of the response.
    pub fn response_id(&self, id: impl Into<StringValue>) {
        self.say(|attributes| attributes.say(keys::RESPONSE_ID, id.into()));
    }

    /// Records the output messages (content).
    pub fn output(&self, messages: impl Into<Messages>) {
        self.say_finished(messages.into(), Messages::say_model_output);
    }
}

/// Returns the current time in ISO 8601 format.
fn now() -> String {
    let now = SystemTime::now();
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let whole = Duration::from_millis(since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }));
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + whole).to_string()
}
