//! The planned spans of a run.

use std::fmt;
use std::ops::Add;

/// The operation of a span, as in `gen_ai.operation.name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Not an operation of a model: an ordinary span.
    Plain,
    Agent,
    Chat,
    Tool,
    Embeddings,
    Retrieval,
    Workflow,
}

impl Operation {
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Agent => Some("invoke_agent"),
            Self::Chat => Some("chat"),
            Self::Tool => Some("execute_tool"),
            Self::Embeddings => Some("embeddings"),
            Self::Retrieval => Some("retrieval"),
            Self::Workflow => Some("invoke_workflow"),
        }
    }
}

/// The requested model, and the model named in the response.
pub const CHAT_MODEL: Model = Model {
    request: "gpt-5-mini",
    response: "gpt-5-mini-2025-08-07",
};
pub const EMBEDDING_MODEL: Model = Model {
    request: "text-embedding-3-small",
    response: "text-embedding-3-small",
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    pub request: &'static str,
    pub response: &'static str,
}

/// Tokens of one call. `None` if not reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usage {
    pub input: Option<u64>,
    pub output: Option<u64>,
    /// Input tokens that were read from the provider's cache.
    pub cached: Option<u64>,
    /// Output tokens that were used for reasoning.
    pub reasoning: Option<u64>,
}

impl Usage {
    /// Returns the usage of a run's `turn`. The numbers differ for each run, turn and kind of
    /// token, so that none can pass for another.
    pub fn of_turn(run: u32, turn: u32) -> Self {
        let (run, turn) = (u64::from(run), u64::from(turn));
        Self {
            input: Some(2_000 + 10 * run + 5_000 * turn),
            output: Some(300 + run + 1_000 * turn),
            cached: Some(1_024 + 128 * turn),
            reasoning: Some(64 + 64 * turn),
        }
    }

    /// Returns the usage of a run's embedding.
    pub fn of_embedding(run: u32) -> Self {
        Self {
            input: Some(9 + u64::from(run)),
            ..Self::default()
        }
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or_default() + b.unwrap_or_default()),
        };
        Self {
            input: sum(self.input, other.input),
            output: sum(self.output, other.output),
            cached: sum(self.cached, other.cached),
            reasoning: sum(self.reasoning, other.reasoning),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = [self.input, self.output, self.cached, self.reasoning];
        let each = each.map(|count| count.map_or("-".to_owned(), |count| count.to_string()));
        f.write_str(&each.join("/"))
    }
}

/// One span of a run.
#[derive(Clone, Copy, Debug)]
pub struct PlannedSpan {
    pub operation: Operation,
    pub model: Option<Model>,
    pub usage: Usage,
}

impl PlannedSpan {
    pub fn new(operation: Operation) -> Self {
        Self {
            operation,
            model: None,
            usage: Usage::default(),
        }
    }

    pub fn chat(run: u32, turn: u32) -> Self {
        Self {
            operation: Operation::Chat,
            model: Some(CHAT_MODEL),
            usage: Usage::of_turn(run, turn),
        }
    }

    pub fn embedding(run: u32) -> Self {
        Self {
            operation: Operation::Embeddings,
            model: Some(EMBEDDING_MODEL),
            usage: Usage::of_embedding(run),
        }
    }
}
