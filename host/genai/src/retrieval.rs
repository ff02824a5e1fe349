//! Searches in data sources.

use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, StringValue};
use serde_json::{Value, json};

use super::ai::Ai;
use super::attributes::Attributes;
use super::builder::{AiSpanBuilder, Side};
use super::keys;
use super::kind::{AiSpanKind, sealed};
use super::span::AiSpan;

/// A search in a data source, with the span name `retrieval DATA_SOURCE`.
#[derive(Debug)]
pub enum Retrieval {}

impl sealed::Kind for Retrieval {}

impl AiSpanKind for Retrieval {
    const OPERATION: &'static str = "retrieval";
    const SPAN_KIND: SpanKind = SpanKind::Client;
    const OPEN_INFERENCE: &'static str = "RETRIEVER";
}

impl Retrieval {
    pub(super) fn builder(ai: &Ai, parent: Context, source: String) -> AiSpanBuilder<Self> {
        let mut builder = AiSpanBuilder::new(ai, parent, source.clone());
        builder.attributes.say(keys::DATA_SOURCE, source);
        builder
    }
}

impl AiSpanBuilder<Retrieval> {
    /// Sets the provider of the data source.
    pub fn provider(mut self, provider: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::PROVIDER, provider.into());
        self
    }

    /// Sets the requested number of documents.
    pub fn top_k(mut self, documents: u32) -> Self {
        let documents = i64::from(documents);
        self.attributes.say(keys::TOP_K, documents);
        self.attributes.say(keys::RETRIEVAL_TOP_K, documents);
        self
    }

    /// Sets the query (content).
    pub fn query(self, text: impl Into<String>) -> Self {
        let query = Value::String(text.into());
        self.with_content(Side::Input, move |attributes| {
            attributes.say_content(keys::QUERY, &query);
            attributes.say_value(keys::INPUT, &query);
        })
    }
}

impl AiSpan<Retrieval> {
    /// Records the documents found (content).
    pub fn documents(&self, documents: impl IntoIterator<Item = Document>) {
        self.say_content(Side::Output, |attributes| {
            let documents: Vec<Document> = documents.into_iter().collect();
            say_documents(&documents, attributes);
        });
    }
}

/// A document of a search result.
///
/// # Examples
/// ```
/// use spanmux::genai::Document;
///
/// let document = Document::new("faq-7").score(0.91).content("Refunds take a week.");
/// # drop(document);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a document has no effect until it is recorded on a span"]
pub struct Document {
    id: String,
    score: Option<f64>,
    content: Option<String>,
}

impl Document {
    /// Creates a document with this id.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            score: None,
            content: None,
        }
    }

    /// Sets the relevance score.
    pub fn score(mut self, score: f64) -> Self {
        self.score = Some(score);
        self
    }

    /// Sets the text.
    pub fn content(mut self, content: impl Into<String>) -> Self {
        self.content = Some(content.into());
        self
    }

    fn gen_ai(&self) -> Value {
        let mut document = json!({"id": self.id});
        if let Some(score) = self.score {
            document["score"] = score.into();
        }
        if let Some(content) = &self.content {
            document["content"] = content.as_str().into();
        }
        document
    }
}

fn say_documents(documents: &[Document], attributes: &mut Attributes) {
    let list = documents.iter().map(Document::gen_ai).collect();
    attributes.say_json(keys::DOCUMENTS, &list);
    if !attributes.has_open_inference() {
        return;
    }
    let limits = *attributes.limits();
    for (number, document) in documents.iter().take(limits.items).enumerate() {
        let prefix = keys::RETRIEVED;
        attributes.say_numbered(prefix, number, "document.id", document.id.clone());
        if let Some(score) = document.score {
            attributes.say_numbered(prefix, number, "document.score", score);
        }
        if let Some(content) = &document.content {
            let content = limits.text(content);
            attributes.say_numbered(prefix, number, "document.content", content);
        }
    }
}
