//! The structure of `[context]`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::summary::ContextSummary;

/// Context propagation between processes, and runtime context keys copied to spans.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContextTable {
    /// The incoming tracer choice to follow. Callers control it, so follow it only if all
    /// callers are your own. Defaults to "select".
    #[serde(default)]
    pub(crate) inbound: InboundName,
    /// The carriers of the tracer choice in outgoing contexts. Defaults to "tracestate".
    #[serde(default)]
    pub(crate) outbound: OutboundName,
    /// Keys copied from the baggage into the runtime context of root spans. Callers control
    /// the baggage too.
    #[serde(default)]
    pub(crate) baggage_keys: Vec<String>,
    /// Keys of the runtime context that become attributes of every span.
    #[serde(default)]
    pub(crate) copy_to_spans: Vec<String>,
    /// Keys of the runtime context that become attributes of root spans.
    #[serde(default)]
    pub(crate) copy_to_root_spans: Vec<String>,
}

impl ContextTable {
    pub(crate) fn summary(&self) -> ContextSummary {
        ContextSummary {
            inbound: match self.inbound {
                InboundName::Select => "select",
                InboundName::Tracestate => "tracestate",
                InboundName::Baggage => "baggage",
                InboundName::Both => "both",
            },
            outbound: match self.outbound {
                OutboundName::Tracestate => "tracestate",
                OutboundName::Both => "both",
            },
            baggage_keys: self.baggage_keys.clone(),
            copy_to_spans: self.copy_to_spans.clone(),
            copy_to_root_spans: self.copy_to_root_spans.clone(),
        }
    }
}

/// The incoming tracer choice to follow.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum InboundName {
    /// Ignores incoming choices and runs the selectors, as for any root span.
    #[default]
    Select,
    /// Follows the choice in the `tracestate`.
    Tracestate,
    /// Follows the choice in the baggage.
    Baggage,
    /// Follows the choice in the `tracestate`, or else the one in the baggage.
    Both,
}

/// The carriers of the tracer choice in outgoing contexts.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OutboundName {
    /// Writes the choice to the `tracestate`.
    #[default]
    Tracestate,
    /// Writes the choice to the `tracestate` and the baggage.
    Both,
}
