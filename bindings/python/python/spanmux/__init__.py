"""Decide, trace by trace, which tracer receives a trace.

>>> import spanmux
>>> policy = spanmux.Policy("selectors")  # doctest: +SKIP
>>> decision = policy.decide(
...     {"environment": "production"}, tracers=["langfuse", "console"], default="console"
... )  # doctest: +SKIP
>>> decision.tracer, decision.fallback  # doctest: +SKIP
('langfuse', None)

For OpenTelemetry, see :mod:`spanmux.opentelemetry`; for tests, :mod:`spanmux.testing`.
"""

import os
import weakref
from typing import TYPE_CHECKING

from . import _main_interpreter

_main_interpreter.require()

from ._native import Decision, PolicyError, __version__  # noqa: E402
from ._native import Policy as _Policy  # noqa: E402

__all__ = ["Decision", "Policy", "PolicyError", "__version__"]

# Every open policy, so that a fork copies none in the middle of a change.
_policies: "weakref.WeakSet[_Policy]" = weakref.WeakSet()
# The policies that the fork under way holds.
_held: "list[_Policy]" = []


class Policy(_Policy):
    """Live selectors that decide which tracer receives a trace.

    ``path`` is a directory of selectors, a component (``.wasm``), or a configuration file
    (``spanmux.toml``), of which only the table ``[selectors]`` is used.

    ``on_event`` is called with each event of :mod:`spanmux.events`, on a thread of its own. An
    exception in it goes to ``sys.unraisablehook``.

    A policy reserves no address space for sandboxes, unless ``small`` is ``False`` (or the
    configuration file says ``small = false``): then runs of components on several threads are
    faster, and gigabytes of addresses are reserved.

    Decisions never raise because of a context or a selector: they go to the fallback tracer, and
    the decision has the reason. The constructor raises :class:`PolicyError` if the path cannot be
    used.
    """

    # The arguments are those of the native constructor, which has the types.
    if not TYPE_CHECKING:

        def __init__(self, *_args: object, **_kwargs: object) -> None:
            """Remembers the policy for forks of the process."""
            _policies.add(self)


def _before_fork() -> None:
    _held.extend(_policies)
    for policy in _held:
        policy._before_fork()


def _after_fork(is_child: bool) -> None:
    held = list(_held)
    _held.clear()
    for policy in held:
        policy._after_fork(is_child)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(False),
        after_in_child=lambda: _after_fork(True),
    )
