//! What a backend stored, in its own words.

use serde_json::{Map, Value};

use crate::plan::{Model, Operation, Usage};

/// One span as a backend's own API returns it.
#[derive(Clone, Debug)]
pub struct StoredSpan {
    /// The backend, and its project, experiment or file.
    pub place: String,
    /// In lower-case hex, as are all ids here.
    pub trace: String,
    pub id: String,
    pub parent: Option<String>,
    /// The backend's own word for the kind of the span.
    pub kind: String,
    /// As the backend shows it.
    pub model: Option<String>,
    /// As the backend counts them.
    pub usage: Usage,
    pub attributes: Map<String, Value>,
}

impl StoredSpan {
    /// The text of an attribute.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.attributes.get(key)?.as_str()
    }
}

/// A count among the attributes as they were sent. A library's count is a text
/// there if its type is `u64`: the bridge from `tracing` has no integer for it.
pub fn count(attributes: &Map<String, Value>, key: &str) -> Option<u64> {
    let value = attributes.get(key)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The tokens of reasoning, of which no backend here has a count of its own. The
/// conventions' key, and the library's.
pub fn reasoning(attributes: &Map<String, Value>) -> Option<u64> {
    const KEYS: [&str; 2] = [
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
    ];
    KEYS.iter().find_map(|key| count(attributes, key))
}

/// How a backend shows what a span was of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Phoenix,
    Mlflow,
    /// A file of OTLP lines: the attributes as they were sent.
    Otlp,
}

impl Dialect {
    /// The dialect that is spoken at a place.
    pub fn at(place: &str) -> Self {
        match place.split('/').next() {
            Some("phoenix") => Self::Phoenix,
            Some("mlflow") => Self::Mlflow,
            _ => Self::Otlp,
        }
    }

    /// The word for the kind of a span.
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

    /// The name that is shown for a model.
    pub fn model(self, model: Model) -> &'static str {
        match self {
            Self::Phoenix | Self::Otlp => model.request,
            Self::Mlflow => model.response,
        }
    }
}
