//! The structure of `[ai]`.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings for AI spans.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AiTable {
    /// Records content: messages, instructions, queries, documents, and tool inputs and
    /// outputs. Defaults to `false`.
    #[serde(default)]
    pub(crate) capture_content: bool,
    /// The attribute conventions in which AI spans are recorded. Defaults to "gen-ai". Exporters
    /// translate them to the dialect of their backend.
    #[serde(default)]
    pub(crate) dialect: DialectName,
    /// Adds Langfuse's own attributes. Defaults to `false`.
    #[serde(default)]
    pub(crate) langfuse: bool,
}

/// The attribute conventions of AI spans.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DialectName {
    /// The GenAI semantic conventions of OpenTelemetry.
    #[default]
    GenAi,
    /// OpenInference.
    OpenInference,
    /// Both conventions on every AI span.
    Both,
}
