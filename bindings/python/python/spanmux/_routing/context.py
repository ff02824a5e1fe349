"""The run context: the application's facts about the run that is about to be traced."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

# Never changed once it is set. A plain dict is read fastest.
_current: ContextVar[dict[str, Any]] = ContextVar("spanmux_run_context")
_EMPTY: dict[str, Any] = {}


@contextmanager
def run_context(
    facts: Mapping[str, object] | None = None, /, **more: object
) -> Generator[Mapping[str, Any], None, None]:
    """Adds facts for the root spans that start inside of the block.

    Blocks can be nested; the inner value of a key wins. The facts follow ``contextvars``: an
    asyncio task inherits them, and a thread does if it runs in a copy of the context.

    >>> with run_context({"user.tier": "gold"}, tenant="acme") as facts:
    ...     dict(facts)
    {'user.tier': 'gold', 'tenant': 'acme'}
    """
    merged = {**_current.get(_EMPTY), **(facts or {}), **more}
    token = _current.set(merged)
    try:
        yield MappingProxyType(merged)
    finally:
        # A generator can be closed in another context, where this value was never set.
        with suppress(ValueError):
            _current.reset(token)


def current_run_context() -> Mapping[str, Any]:
    """Returns the current facts. The mapping cannot be changed."""
    return MappingProxyType(_current.get(_EMPTY))


def current_facts() -> dict[str, Any]:
    """Returns the current facts, which must not be changed."""
    return _current.get(_EMPTY)
