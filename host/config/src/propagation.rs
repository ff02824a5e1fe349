//! Creates the context propagation of a provider from its table in the file.

use super::shape::{ContextTable, InboundName, OutboundName};
use spanmux_otel::{Inbound, Outbound, RoutingTracerProviderBuilder};

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

impl From<OutboundName> for Outbound {
    fn from(name: OutboundName) -> Self {
        match name {
            OutboundName::Tracestate => Self::Tracestate,
            OutboundName::Both => Self::TracestateAndBaggage,
        }
    }
}
