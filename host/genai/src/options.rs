//! How AI spans are written.

use super::limits::ContentLimits;

/// In whose words AI spans are written. Names and kinds of spans are the same in
/// each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// The GenAI semantic conventions of OpenTelemetry, which most backends read.
    #[default]
    GenAi,
    /// OpenInference, which Phoenix and Arize speak, and MLflow and Langfuse read.
    OpenInference,
    /// Both, side by side. What they call the same is written once.
    Both,
}

impl Dialect {
    pub(super) fn has_gen_ai(self) -> bool {
        self != Self::OpenInference
    }

    pub(super) fn has_open_inference(self) -> bool {
        self != Self::GenAi
    }
}

/// How an [`Ai`](super::Ai) writes its spans, as a value.
///
/// # Examples
/// ```
/// use spanmux::genai::{AiOptions, Dialect};
///
/// let options = AiOptions::new().dialect(Dialect::Both).capture_content(true);
/// assert!(!AiOptions::new().captures_content());
/// assert!(options.captures_content());
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "options do nothing until an `Ai` is made with them"]
pub struct AiOptions {
    pub(super) dialect: Dialect,
    pub(super) capture: bool,
    pub(super) langfuse: bool,
    pub(super) limits: ContentLimits,
    pub(super) max_open: usize,
}

impl AiOptions {
    /// How many spans of one [`Ai`](super::Ai) are open at once unless said
    /// otherwise. Some 100 times what a busy process has, and some 100 MB of spans.
    pub const MAX_OPEN_SPANS: usize = 50_000;

    /// The GenAI conventions, no content, the default limits.
    pub fn new() -> Self {
        Self {
            dialect: Dialect::default(),
            capture: false,
            langfuse: false,
            limits: ContentLimits::new(),
            max_open: Self::MAX_OPEN_SPANS,
        }
    }

    /// In whose words.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Whether content is written: messages, instructions, queries, documents,
    /// arguments and results of tools, inputs and outputs. Off unless it is
    /// switched on. A trace can [hide](super::AiContextExt) it all the same.
    pub fn capture_content(mut self, capture: bool) -> Self {
        self.capture = capture;
        self
    }

    /// Writes two attributes more that only Langfuse reads: `langfuse.trace.tags`,
    /// and `langfuse.observation.completion_start_time` for the first token of a
    /// stream. Session and user it reads by the names that are always written.
    pub fn langfuse(mut self, langfuse: bool) -> Self {
        self.langfuse = langfuse;
        self
    }

    /// How much of content is kept.
    pub fn limits(mut self, limits: ContentLimits) -> Self {
        self.limits = limits;
        self
    }

    /// How many spans may be open at once. Those beyond do nothing, and are
    /// [counted](super::OpenSpans).
    pub fn max_open_spans(mut self, spans: usize) -> Self {
        self.max_open = spans;
        self
    }

    /// Whether content is written, where a trace does not hide it.
    pub fn captures_content(&self) -> bool {
        self.capture
    }
}

impl Default for AiOptions {
    fn default() -> Self {
        Self::new()
    }
}
