//! A stored span in the vocabulary of its backend.

use serde_json::{Map, Value};

use crate::plan::{Model, Operation, Usage};

/// A span as the API of a backend returns it.
#[derive(Clone, Debug)]
pub struct StoredSpan {
    /// The backend with its project, experiment or file.
    pub place: String,
    /// In lower-case hexadecimal, as all ids here.
    pub trace: String,
    pub id: String,
    pub parent: Option<String>,
    /// The backend's own name for the kind of the span.
    pub kind: String,
    /// As the backend shows it.
    pub model: Option<String>,
    /// As the backend counts it.
    pub usage: Usage,
    pub attributes: Map<String, Value>,
}

impl StoredSpan {
    /// Returns the text of an attribute.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.attributes.get(key)?.as_str()
    }
}

/// Returns a count among the original attributes. A library's `u64` is a string there, because the
/// bridge from `tracing` has no integer type for it.
pub fn count(attributes: &Map<String, Value>, key: &str) -> Option<u64> {
    let value = attributes.get(key)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Returns the reasoning tokens, which no backend here counts itself: by the key of the
/// conventions, or of the library.
pub fn reasoning(attributes: &Map<String, Value>) -> Option<u64> {
    const KEYS: [&str; 2] = [
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
    ];
    KEYS.iter().find_map(|key| count(attributes, key))
}

/// A backend's presentation of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Phoenix,
    Mlflow,
    /// A file of OTLP lines: the original attributes.
    Otlp,
}

impl Dialect {
    /// Returns the dialect of a place.
    pub fn at(place: &str) -> Self {
        match place.split('/').next() {
            Some("phoenix") => Self::Phoenix,
            Some("mlflow") => Self::Mlflow,
            _ => Self::Otlp,
        }
    }

    /// Returns the name for the kind of a span.
    pub fn kind(self, operation: Operation) -> &'static str {
        use Operation::{Agent, Chat, Embeddings, Plain, Retrieval, Tool, Workflow};
        match (self, operation) {
            (Self::Otlp, _) => operation.name().unwrap_or("-"),
            (Self::Phoenix, Plain | Workflow) => "UNKNOWN",
            (Self::Mlflow, Plain | Retrieval | Workflow) => "-",
            (Self::Phoenix, Retrieval) => "RETRIEVER",
            (_, Agent) => "AGENT",
            (_, Tool) => "TOOL",
            (_, Embeddings) => "EMBEDDING",
            (Self::Phoenix, Chat) => "LLM",
            (Self::Mlflow, Chat) => "CHAT_MODEL",
        }
    }

    /// Returns the displayed name of a model.
    pub fn model(self, model: Model) -> &'static str {
        match self {
            Self::Phoenix | Self::Otlp => model.request,
            Self::Mlflow => model.response,
        }
    }
}
