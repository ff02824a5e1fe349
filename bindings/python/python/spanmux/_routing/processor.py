"""Sends each span to the processors of its tracer."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import get_current_span

from .context import current_facts
from .decide import Decider
from .exporting import ExportingProcessor
from .known_routes import KnownRoutes
from .route import Route, RoutedTracer, logger
from .sampler import Pending

if TYPE_CHECKING:
    from opentelemetry.context import Context

#: The attribute of a span object that holds its route.
_ROUTE = "_spanmux_route"
#: The routes of ended traces that are kept for children which know ids only.
_MAX_ENDED = 4_096
#: Open spans of an SDK whose spans do not keep their processor.
_MAX_OPEN = 100_000


class RoutingProcessor(SpanProcessor):
    """Decides once for each local root span. Children follow it.

    A child finds the route on the object of its parent, which is in the context, also after the
    parent has ended. A context that has been rebuilt from ids finds it by the trace id, for as long
    as a span of the trace exists, and for the last few thousand roots.
    """

    def __init__(
        self,
        decider: Decider,
        pending: Pending,
        tracers: Sequence[RoutedTracer],
        copy_to_spans: Sequence[str],
        copy_to_root_spans: Sequence[str],
    ) -> None:
        """Creates a processor above these tracers."""
        self._decider = decider
        self._pending = pending
        self._tracers = tuple(tracers)
        self._everywhere = RoutedTracer("*", ())
        self._to_spans = tuple(copy_to_spans)
        self._to_root_spans = (*copy_to_spans, *copy_to_root_spans)
        self._known = KnownRoutes(_MAX_ENDED)
        self._open: OrderedDict[tuple[int, int], Route] = OrderedDict()
        self._is_shut_down = False

    def add_everywhere(self, processor: SpanProcessor) -> None:
        """Adds a processor that receives the spans of every tracer."""
        self._everywhere.add(processor)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Finds the route of a span and calls the processors of its tracer."""
        parent = get_current_span(parent_context)
        route: Route | None = getattr(parent, _ROUTE, None)
        is_root = False
        if route is None:
            route, is_root = self._find(span, parent_context)
        setattr(span, _ROUTE, route)
        tracer = route.tracer
        if self._to_root_spans:
            self._copy(span, self._to_root_spans if is_root else self._to_spans)
        if self._everywhere.processors:
            self._remember(span, route)
            self._everywhere.on_start(span, parent_context)
        elif getattr(span, "_span_processor", None) is self:
            # The end of the span goes to the tracer at once.
            span._span_processor = tracer  # pyright: ignore
        else:
            self._remember(span, route)
        tracer.on_start(span, parent_context)

    def _find(self, span: Span, context: Context | None) -> tuple[Route, bool]:
        parent = span.parent
        ids = span.get_span_context()
        if parent is not None and not parent.is_remote:
            # The context was rebuilt from the ids of a span of this process.
            route = self._known.find(parent.trace_id, parent.span_id)
            if route is not None:
                return route, False
        pending = self._pending
        route = pending.route
        if route is not None and pending.trace_id == ids.trace_id:
            pending.route = None
        else:
            # The sampler was replaced, or the trace is older than what is remembered.
            parent_ids = get_current_span(context).get_span_context()
            route = self._decider.route(context, parent_ids, span.name, span.kind, span.attributes)
            for key, value in route.attributes.items():
                span.set_attribute(key, value)
        self._known.add(ids.trace_id, ids.span_id, route)
        return route, True

    def _copy(self, span: Span, keys: Sequence[str]) -> None:
        facts = current_facts()
        own = span.attributes or {}
        for key in keys:
            value = facts.get(key)
            if isinstance(value, (str, bool, int, float)) and key not in own:
                span.set_attribute(key, value)

    def _remember(self, span: Span, route: Route) -> None:
        ids = span.get_span_context()
        self._open[(ids.trace_id, ids.span_id)] = route
        if len(self._open) > _MAX_OPEN:
            # Another thread may have emptied it.
            with suppress(KeyError):
                self._open.popitem(last=False)

    def _on_ending(self, span: Span) -> None:
        route: Route | None = getattr(span, _ROUTE, None)
        if route is not None:
            self._everywhere._on_ending(span)
            route.tracer._on_ending(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Calls the processors of the tracer of this span."""
        ids = span.context
        if ids is None:
            return
        route = self._open.pop((ids.trace_id, ids.span_id), None)
        route = route or self._known.find(ids.trace_id, 0)
        if route is not None:
            self._everywhere.on_end(span)
            route.tracer.on_end(span)

    def after_fork(self) -> None:
        """Forgets what other threads of the parent had open."""
        self._open = OrderedDict()

    def shutdown(self) -> None:
        """Shuts all tracers down in parallel, within 30 seconds. A second call does nothing."""
        self.shutdown_within(30.0)

    def shutdown_within(self, seconds: float) -> bool:
        """Shuts all tracers down in parallel. Returns ``False`` if one did not end in time."""
        if self._is_shut_down:
            return True
        self._is_shut_down = True

        def shutdown(processor: SpanProcessor, left: float) -> None:
            if isinstance(processor, ExportingProcessor):
                processor.shutdown_within(max(0.0, left))
            else:
                processor.shutdown()

        return self._each(shutdown, seconds, "shutdown")

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flushes all tracers in parallel. Returns ``False`` if one failed or was too slow."""

        def flush(processor: SpanProcessor, left: float) -> bool | None:
            return processor.force_flush(max(1, int(left * 1000)))

        return self._each(flush, timeout_millis / 1000, "flush")

    def _each(
        self, step: Callable[[SpanProcessor, float], bool | None], seconds: float, what: str
    ) -> bool:
        deadline = time.monotonic() + seconds
        results: dict[int, bool] = {}

        def run(tracer: RoutedTracer, processor: SpanProcessor) -> None:
            try:
                outcome = step(processor, deadline - time.monotonic())
                results[id(processor)] = outcome is not False
            except Exception:
                results[id(processor)] = False
                logger.exception("the %s of the tracer %r failed", what, tracer.name)

        # One processor may serve several tracers.
        work: dict[int, tuple[RoutedTracer, SpanProcessor]] = {}
        for tracer in (*self._tracers, self._everywhere):
            for processor in tracer.processors:
                work.setdefault(id(processor), (tracer, processor))
        threads: list[tuple[RoutedTracer, threading.Thread]] = []
        for tracer, processor in work.values():
            # A daemon: a processor that hangs must not keep the process alive.
            thread = threading.Thread(
                target=run, args=(tracer, processor), name=f"spanmux-{what}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                # The interpreter is shutting down, or the system refuses another thread.
                run(tracer, processor)
                continue
            threads.append((tracer, thread))
        for tracer, thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                logger.warning(
                    "the %s of the tracer %r did not end within %.1f s", what, tracer.name, seconds
                )
        return len(results) == len(work) and all(results.values())
