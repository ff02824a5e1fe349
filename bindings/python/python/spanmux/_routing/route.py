"""A tracer's processors, and the route of one trace to them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

if TYPE_CHECKING:
    from opentelemetry.context import Context

logger = logging.getLogger("spanmux")


class RoutedTracer(SpanProcessor):
    """The processors of one tracer. A failing processor affects no other one, and no caller."""

    def __init__(self, name: str, processors: tuple[SpanProcessor, ...]) -> None:
        """Creates a tracer of this name."""
        self.name = name
        #: The share of its traces that are recorded.
        self.share = 1.0
        # Replaced and never changed, so that they are read without a lock.
        self.processors = processors
        self._at_start = _overriding("on_start", processors)
        self._at_ending = _overriding("_on_ending", processors)
        self._reported: set[int] = set()

    def add(self, processor: SpanProcessor) -> None:
        """Adds a processor."""
        self.processors = (*self.processors, processor)
        self._at_start = _overriding("on_start", self.processors)
        self._at_ending = _overriding("_on_ending", self.processors)

    def keeps(self, trace_id: int, has_parent: bool) -> bool:
        """Returns ``False`` for a trace outside of the share. Another process may have sampled."""
        if self.share == 1.0 or (has_parent and self.share > 0.0):
            return True
        sampled = TraceIdRatioBased(self.share).should_sample(None, trace_id, "")
        return sampled.decision is not Decision.DROP

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Calls each processor."""
        for processor in self._at_start:
            try:
                processor.on_start(span, parent_context)
            except Exception:
                self._report(processor, "on_start")

    def _on_ending(self, span: Span) -> None:
        for processor in self._at_ending:
            try:
                processor._on_ending(span)
            except Exception:
                self._report(processor, "_on_ending")

    def on_end(self, span: ReadableSpan) -> None:
        """Calls each processor."""
        for processor in self.processors:
            try:
                processor.on_end(span)
            except Exception:
                self._report(processor, "on_end")

    def _report(self, processor: SpanProcessor, step: str) -> None:
        # Once for each processor: a broken exporter would fill the log.
        if id(processor) not in self._reported:
            self._reported.add(id(processor))
            logger.exception(
                "the processor %s of the tracer %r failed in %s; further failures are not logged",
                type(processor).__name__,
                self.name,
                step,
            )


#: Processors of the SDK whose methods do nothing.
_IDLE = (SpanProcessor, BatchSpanProcessor, SimpleSpanProcessor)


def _overriding(method: str, processors: tuple[SpanProcessor, ...]) -> tuple[SpanProcessor, ...]:
    """Returns the processors for which a call of this method does something."""
    idle = {getattr(kind, method) for kind in _IDLE}
    return tuple(it for it in processors if getattr(type(it), method, None) not in idle)


class Route:
    """The decision for one local root span: its tracer, and the text forms of the decision."""

    __slots__ = ("__weakref__", "attributes", "remote_parent", "root", "tracer")

    def __init__(
        self, tracer: RoutedTracer, attributes: dict[str, str], remote_parent: bool
    ) -> None:
        """Creates a route."""
        self.tracer = tracer
        self.attributes = attributes
        self.remote_parent = remote_parent
        #: The trace id and the span id of the local root, once it has started.
        self.root: tuple[int, int] = (0, 0)
