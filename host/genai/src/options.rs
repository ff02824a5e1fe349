//! Options for AI spans.

use super::limits::ContentLimits;

/// The attribute names of AI spans. Span names and kinds are the same in every dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// The GenAI semantic conventions of OpenTelemetry, which most backends read.
    #[default]
    GenAi,
    /// OpenInference: the native format of Phoenix and Arize, also read by MLflow and
    /// Langfuse.
    OpenInference,
    /// Both dialects. An attribute with the same name in both is recorded once.
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

/// Options of an [`Ai`](super::Ai).
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
#[must_use = "options have no effect until an `Ai` is created with them"]
pub struct AiOptions {
    pub(super) dialect: Dialect,
    pub(super) capture: bool,
    pub(super) langfuse: bool,
    pub(super) limits: ContentLimits,
    pub(super) max_open: usize,
}

impl AiOptions {
    /// Default for the maximum number of open spans of one [`Ai`](super::Ai): about 100
    /// times the number in a busy process, and about 100 MB of spans.
    pub const MAX_OPEN_SPANS: usize = 50_000;

    /// Creates the default options: the GenAI conventions, no content, and the default
    /// limits.
    pub fn new() -> Self {
        Self {
            dialect: Dialect::default(),
            capture: false,
            langfuse: false,
            limits: ContentLimits::new(),
            max_open: Self::MAX_OPEN_SPANS,
        }
    }

    /// Sets the dialect in which spans are recorded. The exporters of this library translate
    /// spans to the dialect of their backend, so the default
    /// suits them. Set it for tracers with the exporters of another SDK.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Enables the capture of content: messages, instructions, queries, documents, arguments
    /// and results of tools, inputs and outputs. Defaults to `false`. A trace can still
    /// [hide](super::AiContextExt) its content.
    pub fn capture_content(mut self, capture: bool) -> Self {
        self.capture = capture;
        self
    }

    /// Adds two attributes that only Langfuse reads: `langfuse.trace.tags`, and
    /// `langfuse.observation.completion_start_time` for the first token of a stream.
    /// Langfuse reads the session and the user from the attributes that are always recorded.
    pub fn langfuse(mut self, langfuse: bool) -> Self {
        self.langfuse = langfuse;
        self
    }

    /// Sets the limits for content.
    pub fn limits(mut self, limits: ContentLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the maximum number of open spans. Further spans do nothing and are
    /// [counted](super::OpenSpans).
    pub fn max_open_spans(mut self, spans: usize) -> Self {
        self.max_open = spans;
        self
    }

    /// Returns `true` if content is recorded for traces that do not hide it.
    pub fn captures_content(&self) -> bool {
        self.capture
    }
}

impl Default for AiOptions {
    fn default() -> Self {
        Self::new()
    }
}
