//! The shape of `[ai]`.

use schemars::JsonSchema;
use serde::Deserialize;

use spanmux_genai::{AiOptions, Dialect};

/// Settings of AI spans.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AiTable {
    /// Whether content is recorded: messages, instructions, queries, documents, and the arguments
    /// and results of tools. Defaults to false.
    #[serde(default)]
    capture_content: bool,
    /// The vocabulary of span attributes. Defaults to "gen-ai".
    #[serde(default)]
    dialect: DialectName,
    /// Whether Langfuse's own attributes are written as well.
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

/// The vocabulary of span attributes.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum DialectName {
    /// The GenAI semantic conventions of OpenTelemetry.
    #[default]
    GenAi,
    /// OpenInference.
    OpenInference,
    /// Both, side by side.
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
