//! The shape of `[ai]`.

use schemars::JsonSchema;
use serde::Deserialize;

use spanmux_genai::{AiOptions, Dialect};

/// How AI spans are written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AiTable {
    /// Whether content is written: messages, instructions, queries, documents, and what
    /// tools are given and give. It is not, unless this is true.
    #[serde(default)]
    capture_content: bool,
    /// In whose words spans say what they are. "gen-ai", unless it is said.
    #[serde(default)]
    dialect: DialectName,
    /// Whether Langfuse's own attributes are written too.
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

/// In whose words spans say what they are.
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
