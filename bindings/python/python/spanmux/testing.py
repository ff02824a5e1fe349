"""Tools for the tests of a program that uses Spanmux.

>>> from spanmux.testing import policy_of
>>> policy = policy_of(lambda context, tracers: context.get("tracer"))
>>> policy.decide({"tracer": "b"}, tracers=["a", "b"]).tracer
'b'

The cases of a ``cases.toml``, which ``spanmux test`` reads too, become parameters of pytest::

    @pytest.mark.parametrize("case", spanmux.testing.cases("cases.toml"), ids=str)
    def test_policy(case):
        case.check(policy)
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from . import Policy

if TYPE_CHECKING:
    from ._native import Selector

__all__ = ["Case", "cases", "policy_of"]


def policy_of(*functions: Selector, names: Sequence[str] = ()) -> Policy:
    """Returns a policy that consists of Python functions only, and needs no file.

    The functions are asked in order; ``names`` are the names of the selectors in decisions, which
    are otherwise those of the functions.
    """
    given = [*names, *(function.__name__ for function in functions[len(names) :])]
    selectors = list(zip(given, functions, strict=True))
    with tempfile.TemporaryDirectory() as empty:
        return Policy(empty, watch=False, selectors=selectors)


@dataclass(frozen=True)
class Case:
    """A runtime context and the expected decision. Every expectation that is set must hold."""

    name: str
    context: Mapping[str, Any]
    tracers: Sequence[str]
    fallback: str | None = None
    tracer: str | None = None
    cause: str | None = None
    reason: str | None = None
    selector: str | None = None
    path: str = field(default="", repr=False)

    def check(self, policy: Policy) -> None:
        """Raises ``AssertionError`` with every difference from the expected decision."""
        got = policy.decide(self.context, self.tracers, fallback=self.fallback)
        differences: list[str] = []

        def compare(what: str, expected: str | None, actual: str | None, holds: bool) -> None:
            if expected is not None and not holds:
                differences.append(f"{what}: expected {expected}, got {actual}")

        # A tracer without a cause must have been chosen by a selector.
        chosen = "chosen" if self.tracer is not None else None
        cause, actual = self.cause or chosen, got.cause or "chosen"
        compare("tracer", self.tracer, got.tracer, self.tracer == got.tracer)
        compare("cause", cause, actual, cause == actual)
        compare("reason", self.reason, got.reason, (self.reason or "") in got.reason)
        compare("selector", self.selector, got.selector, self.selector == got.selector)
        if differences:
            where = f"{self.path}: " if self.path else ""
            raise AssertionError(f"{where}{self.name}: {'; '.join(differences)}")

    def __str__(self) -> str:
        """Returns the name, which identifies the case in the output of pytest."""
        return self.name


def cases(path: str | PathLike[str]) -> list[Case]:
    """Reads the cases of a ``cases.toml``.

    Raises ``ValueError`` for a file that is not one, with the place. Python 3.11 or later is
    needed, or the package ``tomli``.
    """
    data = _toml(Path(path))
    known = {"tracers", "fallback", "case"}
    if unknown := sorted(set(data) - known):
        raise ValueError(f"{path}: unknown key {unknown[0]!r}; available: {', '.join(known)}")
    found: list[Case] = []
    for number, entry in enumerate(cast("list[dict[str, Any]]", data.get("case", [])), 1):
        inherited: dict[str, Any] = {
            "tracers": data.get("tracers", []),
            "fallback": data.get("fallback"),
        }
        entry = inherited | entry
        try:
            found.append(Case(**entry, path=str(path)))
        except TypeError as error:
            raise ValueError(f"{path}: case {number}: {error}") from None
    if not found:
        raise ValueError(f"{path}: no case; write one as [[case]]")
    return found


def _toml(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from None
