//! The shape of `[context]`.

use schemars::JsonSchema;
use serde::Deserialize;

use spanmux_otel::{Inbound, Outbound, RoutingTracerProviderBuilder};

/// What crosses the borders of the process, and what is copied onto spans.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContextTable {
    /// Which choice of a tracer is followed that comes in with a request. Who calls
    /// writes it, so follow it where all callers are your own. "select", unless it is
    /// said.
    #[serde(default)]
    inbound: InboundName,
    /// Where the choice is written when a context leaves the process. "tracestate",
    /// unless it is said.
    #[serde(default)]
    outbound: OutboundName,
    /// Keys that a root span's runtime context takes from the baggage. Who calls
    /// writes that too.
    #[serde(default)]
    baggage_keys: Vec<String>,
    /// Keys of the runtime context that become attributes of every span.
    #[serde(default)]
    copy_to_spans: Vec<String>,
    /// Keys of the runtime context that become attributes of root spans.
    #[serde(default)]
    copy_to_root_spans: Vec<String>,
}

impl ContextTable {
    pub(crate) fn apply(
        self,
        builder: RoutingTracerProviderBuilder,
    ) -> RoutingTracerProviderBuilder {
        builder
            .inbound(self.inbound.into())
            .outbound(self.outbound.into())
            .baggage_keys(self.baggage_keys)
            .copy_to_spans(self.copy_to_spans)
            .copy_to_root_spans(self.copy_to_root_spans)
    }
}

/// Which choice of a tracer is followed that comes in with a request.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum InboundName {
    /// None: the selectors are asked, as for any root span.
    #[default]
    Select,
    /// That in the `tracestate`.
    Tracestate,
    /// That in the baggage.
    Baggage,
    /// That in the `tracestate`, or else that in the baggage.
    Both,
}

impl From<InboundName> for Inbound {
    fn from(name: InboundName) -> Self {
        match name {
            InboundName::Select => Self::Select,
            InboundName::Tracestate => Self::FollowTracestate,
            InboundName::Baggage => Self::FollowBaggage,
            InboundName::Both => Self::FollowBoth,
        }
    }
}

/// Where the choice is written when a context leaves the process.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum OutboundName {
    /// Into the `tracestate`.
    #[default]
    Tracestate,
    /// Into the `tracestate` and the baggage.
    Both,
}

impl From<OutboundName> for Outbound {
    fn from(name: OutboundName) -> Self {
        match name {
            OutboundName::Tracestate => Self::Tracestate,
            OutboundName::Both => Self::TracestateAndBaggage,
        }
    }
}
