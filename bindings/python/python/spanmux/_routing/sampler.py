"""Decides before a root span exists, so that the decision is part of its context."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span

from .decide import Decider, with_member
from .route import Route

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.util.types import Attributes, AttributeValue


class Pending(threading.local):
    """The route of the root span that this thread is about to start."""

    trace_id: int = 0
    route: Route | None = None


class RoutingSampler(Sampler):
    """Samples as another sampler does, and decides the routes of sampled root spans."""

    def __init__(
        self,
        inner: Sampler,
        decider: Decider,
        pending: Pending,
        writes_tracestate: bool,
    ) -> None:
        """Wraps a sampler."""
        self._inner = inner
        self._decider = decider
        self._pending = pending
        self._writes_tracestate = writes_tracestate

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Samples a span, and decides its route if it is a local root."""
        result = self._inner.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )
        parent = get_current_span(parent_context).get_span_context()
        is_child = parent.is_valid and not parent.is_remote
        if is_child or result.decision is Decision.DROP:
            return result
        route = self._decider.route(parent_context, parent, name, kind, attributes)
        if not route.tracer.keeps(trace_id, parent.is_valid):
            return SamplingResult(Decision.DROP, None, result.trace_state)
        self._pending.trace_id = trace_id
        self._pending.route = route
        state = result.trace_state or TraceState()
        if self._writes_tracestate:
            state = with_member(state, route.tracer.name)
        sampled = cast("Mapping[str, AttributeValue]", result.attributes or {})  # pyright: ignore[reportUnknownMemberType]
        added = dict(sampled)
        added.update(route.attributes)
        return SamplingResult(result.decision, added, state)

    def get_description(self) -> str:
        """Returns the description of the inner sampler."""
        return f"Routing({self._inner.get_description()})"
