"""The events of a policy, for the ``on_event`` of :class:`spanmux.Policy`.

Each class is one kind of event. ``isinstance`` or ``match`` tells them apart:

>>> from spanmux import events
>>> def report(event: events.Event) -> str:
...     match event:
...         case events.SelectorRefused(selector=name, reason=reason):
...             return f"{name}: {reason}"
...         case events.SelectorSuspended(selector=name):
...             return f"{name} does not run"
...     return ""
>>> report(events.SelectorSuspended(selector="20-tenant", reason="it trapped", back_off=1.0))
'20-tenant does not run'
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "CacheUnusable",
    "ChainChanged",
    "DirectoryUnreadable",
    "Event",
    "EventsMissed",
    "RestartFailed",
    "SelectorLoaded",
    "SelectorPrinted",
    "SelectorRefused",
    "SelectorRemoved",
    "SelectorResumed",
    "SelectorRevoked",
    "SelectorSuspended",
]


@dataclass(frozen=True)
class SelectorLoaded:
    """A file was loaded and its selector is live. ``digest`` is its SHA-256."""

    selector: str
    path: str
    digest: str
    bytes: int


@dataclass(frozen=True)
class SelectorRefused:
    """A file could not be loaded.

    If ``kept``, its previous content stays live. Otherwise, decisions that reach its position go to
    the fallback tracer.
    """

    selector: str
    path: str
    reason: str
    kept: bool


@dataclass(frozen=True)
class SelectorRevoked:
    """A live selector is no longer listed in the lock file.

    Decisions that reach its position go to the fallback tracer.
    """

    selector: str
    path: str
    reason: str


@dataclass(frozen=True)
class SelectorRemoved:
    """A file was removed, and its selector left the chain."""

    selector: str
    path: str


@dataclass(frozen=True)
class ChainChanged:
    """A new chain of a watched directory is live."""

    selectors: list[str]


@dataclass(frozen=True)
class DirectoryUnreadable:
    """A watched directory cannot be read. Its chain is unchanged."""

    path: str
    reason: str


@dataclass(frozen=True)
class SelectorSuspended:
    """A selector does not run for ``back_off`` seconds. Its cached decisions stay available."""

    selector: str
    reason: str
    back_off: float


@dataclass(frozen=True)
class SelectorResumed:
    """The suspension of a selector ended."""

    selector: str


@dataclass(frozen=True)
class SelectorPrinted:
    """A component printed text while it decided."""

    selector: str
    text: str


@dataclass(frozen=True)
class CacheUnusable:
    """The compile cache cannot be used, so selectors are compiled at each start."""

    directory: str
    reason: str


@dataclass(frozen=True)
class RestartFailed:
    """The child of a fork decides with the selectors of its parent, and watches no directory."""

    reason: str


@dataclass(frozen=True)
class EventsMissed:
    """The callback was too slow for ``count`` events, which are lost."""

    count: int


Event = (
    SelectorLoaded
    | SelectorRefused
    | SelectorRevoked
    | SelectorRemoved
    | ChainChanged
    | DirectoryUnreadable
    | SelectorSuspended
    | SelectorResumed
    | SelectorPrinted
    | CacheUnusable
    | RestartFailed
    | EventsMissed
)
