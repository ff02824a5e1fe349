//! The rules of a policy in a readable format.

use std::str::FromStr;

use spanmux_core::{Chain, TracerNames};
use spanmux_explain::Rules;

/// The width of text, in columns.
const COLUMNS: usize = 100;

/// A format of [`Policy::explain`](super::Policy::explain).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExplainFormat {
    /// Text for a terminal.
    Text,
    /// A JSON array with an object per selector.
    Json,
    /// Mermaid flow charts.
    Mermaid,
    /// SVG pictures, one after the other.
    Svg,
}

impl ExplainFormat {
    /// The words for the formats.
    pub const NAMES: [&str; 4] = ["text", "json", "mermaid", "svg"];
}

impl FromStr for ExplainFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "mermaid" => Ok(Self::Mermaid),
            "svg" => Ok(Self::Svg),
            _ => Err(format!(
                "no format is named {name:?}; available: {}",
                Self::NAMES.join(", ")
            )),
        }
    }
}

/// Shows the learned rules of each component of a chain.
pub(crate) fn explain(chain: &Chain, tracers: &TracerNames, format: ExplainFormat) -> String {
    let explanations = chain.selectors().filter_map(|one| one.explanation(tracers));
    let rules: Vec<Rules> = explanations.map(|one| Rules::new(&one)).collect();
    let joined = |show: &dyn Fn(&Rules) -> String| {
        let shown: Vec<_> = rules.iter().map(show).collect();
        shown.join("\n")
    };
    match format {
        ExplainFormat::Text => joined(&|rules| rules.text(COLUMNS).to_string()),
        ExplainFormat::Mermaid => joined(&Rules::to_mermaid),
        ExplainFormat::Svg => joined(&Rules::to_svg),
        ExplainFormat::Json => {
            let shown: Vec<_> = rules
                .iter()
                .map(|rules| rules.to_json().to_string())
                .collect();
            format!("[{}]", shown.join(","))
        }
    }
}
