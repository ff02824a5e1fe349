//! Calls of embedding models.

use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, StringValue};

use super::ai::Ai;
use super::attributes::Attributes;
use super::builder::{AiSpanBuilder, Side};
use super::keys;
use super::kind::{AiSpanKind, sealed};
use super::span::AiSpan;
use super::usage::integer;

/// A call of an embedding model, with the span name `embeddings MODEL`.
#[derive(Debug)]
pub enum Embedding {}

impl sealed::Kind for Embedding {
    const PARAMETERS: &'static str = "embedding.invocation_parameters";
}

impl AiSpanKind for Embedding {
    const OPERATION: &'static str = "embeddings";
    const SPAN_KIND: SpanKind = SpanKind::Client;
    const OPEN_INFERENCE: &'static str = "EMBEDDING";
}

impl Embedding {
    pub(super) fn builder(ai: &Ai, parent: Context, model: String) -> AiSpanBuilder<Self> {
        let mut builder = AiSpanBuilder::new(ai, parent, model.clone());
        builder.attributes.say(keys::EMBEDDING_MODEL, model);
        builder
    }
}

impl AiSpanBuilder<Embedding> {
    /// Sets the provider of the model.
    pub fn provider(mut self, provider: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::PROVIDER, provider.into());
        self
    }

    /// Sets the requested number of dimensions.
    pub fn dimensions(mut self, dimensions: u32) -> Self {
        self.attributes.say(keys::DIMENSIONS, i64::from(dimensions));
        self.parameters
            .insert("dimensions".into(), dimensions.into());
        self
    }

    /// Sets the requested encoding: `float`, `base64`.
    pub fn encoding_format(mut self, format: impl Into<String>) -> Self {
        let format = format.into();
        self.attributes
            .say_texts(keys::ENCODING_FORMATS, [format.clone()]);
        self.parameters
            .insert("encoding_format".into(), format.into());
        self
    }

    /// Sets the texts to embed (content).
    pub fn input<T: Into<String>>(self, texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
        self.with_content(Side::Input, move |attributes| {
            say_texts(texts, attributes);
        })
    }
}

impl AiSpan<Embedding> {
    /// Records the number of input tokens.
    pub fn input_tokens(&self, tokens: u64) {
        self.say(|attributes| attributes.say(keys::INPUT_TOKENS, integer(tokens)));
    }
}

/// Records the texts. OpenInference numbers them; the GenAI conventions have no attribute
/// for them.
fn say_texts(texts: Vec<String>, attributes: &mut Attributes) {
    if attributes.has_open_inference() {
        let kept = attributes.limits().items;
        for (number, text) in texts.iter().take(kept).enumerate() {
            let text = attributes.limits().text(text);
            attributes.say_numbered(keys::EMBEDDINGS, number, "embedding.text", text);
        }
    }
    attributes.say_any_value(keys::INPUT, &texts.into());
}
