//! Creates the options for AI spans from their table in the file.

use super::config::Config;
use super::shape::{AiTable, DialectName};
use spanmux_genai::{AiOptions, Dialect};

impl Config {
    /// Returns the options for AI spans, for [`Ai`](spanmux_genai::Ai).
    ///
    /// # Examples
    /// ```
    /// use spanmux::genai::Ai;
    /// use spanmux::config::Config;
    ///
    /// let config = Config::from_toml(r#"
    ///     service = "shop"
    ///     ai.capture_content = true
    ///     tracers.nowhere.exporter.type = "discard"
    /// "#)?;
    /// let options = config.ai_options();
    /// assert!(options.captures_content());
    /// # Ok::<(), spanmux::config::ConfigError>(())
    /// ```
    pub fn ai_options(&self) -> AiOptions {
        self.ai.clone().into()
    }
}

impl From<AiTable> for AiOptions {
    fn from(table: AiTable) -> Self {
        Self::new()
            .capture_content(table.capture_content)
            .dialect(table.dialect.into())
            .langfuse(table.langfuse)
    }
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
