"""Decides before a root span exists, so that the decision is part of its context."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from opentelemetry.sdk.trace.sampling import (
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
)
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span

from .decide import Decider, Members
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
        inner: Sampler | None,
        decider: Decider,
        pending: Pending,
        members: Members | None,
    ) -> None:
        """Wraps a sampler, or follows the parent and samples every trace that begins here.

        ``members`` writes the choice to the ``tracestate``.
        """
        self._inner = inner
        self._decider = decider
        self._pending = pending
        self._members = members

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
        parent = get_current_span(parent_context).get_span_context()
        inner = self._inner
        if inner is None:
            # As `ParentBased(ALWAYS_ON)`, which costs more than the decision.
            state = parent.trace_state if parent.is_valid else None
            if parent.is_valid and not parent.trace_flags.sampled:
                return SamplingResult(Decision.DROP, None, state)
            decision = Decision.RECORD_AND_SAMPLE
            added: Mapping[str, AttributeValue] | None = attributes or None
        else:
            result = inner.should_sample(
                parent_context, trace_id, name, kind, attributes, links, trace_state
            )
            if result.decision is Decision.DROP:
                return result
            decision, state = result.decision, result.trace_state
            added = cast("Mapping[str, AttributeValue]", result.attributes)  # pyright: ignore[reportUnknownMemberType]
        if parent.is_valid and not parent.is_remote:
            return SamplingResult(decision, added, state)
        route = self._decider.route(parent_context, parent, name, kind, attributes)
        tracer = route.tracer
        if not tracer.keeps(trace_id, parent.is_valid):
            return SamplingResult(Decision.DROP, None, state)
        self._pending.trace_id = trace_id
        self._pending.route = route
        if self._members is not None:
            state = self._members.put(state, tracer.name)
        merged = {**added, **route.attributes} if added else route.attributes
        return SamplingResult(decision, merged, state)

    def get_description(self) -> str:
        """Returns the description of the inner sampler."""
        inner = self._inner or ParentBased(ALWAYS_ON)
        return f"Routing({inner.get_description()})"
