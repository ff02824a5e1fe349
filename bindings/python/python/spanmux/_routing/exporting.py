"""Hands ended spans to the exporters of a configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from .._native import Exporters
from .route import logger

if TYPE_CHECKING:
    from opentelemetry.context import Context


class ExportingProcessor(SpanProcessor):
    """Hands the spans of one tracer to its exporters.

    They leave through the redaction, the queue and the disk buffer of the file. The thread that
    ends a span never waits for a backend.
    """

    def __init__(self, exporters: Exporters, tracer: str, wants_starts: bool) -> None:
        """Creates a processor for a tracer of the file."""
        self._exporters = exporters
        self._tracer = tracer
        self._wants_starts = wants_starts

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Reports the start, if the exporter prints whole traces."""
        if self._wants_starts:
            ids = span.get_span_context()
            if ids.trace_flags.sampled:
                self._exporters.started(self._tracer, ids.trace_id, ids.span_id)

    def on_end(self, span: ReadableSpan) -> None:
        """Hands the span to the exporters."""
        ids = span.context
        if ids is not None and ids.trace_flags.sampled:
            self._exporters.ended(self._tracer, span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Waits until the ended spans are delivered. Returns ``False`` if some were not."""
        problem = self._exporters.flush(self._tracer, timeout_millis / 1000)
        return self._tell("flush", problem)

    def shutdown(self) -> None:
        """Delivers the spans that have ended, within 30 seconds, and stops the exporters."""
        self.shutdown_within(30.0)

    def shutdown_within(self, seconds: float) -> None:
        """Delivers the spans that have ended, and stops the exporters."""
        self._tell("shutdown", self._exporters.shut_down(self._tracer, seconds))

    def _tell(self, what: str, problem: str | None) -> bool:
        if problem is not None:
            logger.warning("the %s of the tracer %r: %s", what, self._tracer, problem)
        return problem is None
