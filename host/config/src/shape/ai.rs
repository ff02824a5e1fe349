//! The structure of `[ai]`.

use schemars::JsonSchema;
use serde::Deserialize;

use spanmux_genai::{AiOptions, Dialect};

/// Settings for AI spans.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AiTable {
    /// Records content: messages, instructions, queries, documents, and tool inputs and
    /// outputs. Defaults to `false`.
    #[serde(default)]
    capture_content: bool,
    /// The attribute conventions of AI spans. Defaults to "gen-ai".
    #[serde(default)]
    dialect: DialectName,
    /// Adds Langfuse's own attributes. Defaults to `false`.
    #[serde(default)]
    langfuse: bool,
}

impl From<AiTable> for AiOptions {
    fn from(table: AiTable) -> Self {
        Self::new()
            .capture_content(table.capture_content)
            .dialect(table.dialect.into())
            .langfuse(table.langfuse)
    }
}

/// The attribute conventions of AI spans.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum DialectName {
    /// The GenAI semantic conventions of OpenTelemetry.
    #[default]
    GenAi,
    /// OpenInference.
    OpenInference,
    /// Both conventions on every AI span.
    Both,
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::GenAi => Self::GenAi,
            DialectName::OpenInference => Self::OpenInference,
            DialectName::Both => Self::Both,
        }
    }
}
