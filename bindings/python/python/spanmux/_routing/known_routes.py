"""The routes of traces by their ids, for contexts that were rebuilt from ids."""

from __future__ import annotations

import weakref
from collections import deque
from contextlib import suppress

from .route import Route


class KnownRoutes:
    """The routes of the last traces, and of older ones for as long as a span of them exists."""

    def __init__(self, recent: int) -> None:
        """Creates a table that keeps this number of traces whose spans are gone."""
        self._limit = recent
        self._by_trace: dict[int, Route] = {}
        # A trace has several local roots if a caller's trace enters this process more than once.
        self._by_root: dict[tuple[int, int], Route] = {}
        self._order: deque[Route] = deque()
        self._older: weakref.WeakValueDictionary[int | tuple[int, int], Route] = (
            weakref.WeakValueDictionary()
        )

    def __len__(self) -> int:
        """Returns the number of local roots that are known."""
        return len(self._order) + len(self._older)

    def find(self, trace_id: int, span_id: int) -> Route | None:
        """Returns the route of a local root with these ids, or of its trace."""
        root = (trace_id, span_id)
        return (
            self._by_root.get(root)
            or self._by_trace.get(trace_id)
            or self._older.get(root)
            or self._older.get(trace_id)
        )

    def add(self, trace_id: int, span_id: int, route: Route) -> None:
        """Adds the route of a local root."""
        route.root = (trace_id, span_id)
        before = self._by_trace.get(trace_id)
        if before is not None:
            self._by_root[before.root] = before
            self._by_root[route.root] = route
        self._by_trace[trace_id] = route
        self._order.append(route)
        if len(self._order) > self._limit:
            # Another thread may have taken the last one.
            with suppress(IndexError):
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        route = self._order.popleft()
        root = route.root
        # A later root of the trace stays.
        if self._by_trace.get(root[0]) is route:
            del self._by_trace[root[0]]
        if self._by_root:
            self._by_root.pop(root, None)
        reference = weakref.ref(route)
        del route
        # A span of the trace still exists.
        if (used := reference()) is not None:
            self._older[root] = used
            self._older.setdefault(root[0], used)
