"""The tools for the tests of other programs."""

from __future__ import annotations

from pathlib import Path

import pytest

import spanmux
from conftest import SELECTORS
from spanmux import testing

FILE = """
tracers = ["console", "tenant-acme"]

[[case]]
name = "acme has a tracer"
context = { tenant = "acme" }
tracer = "tenant-acme"
selector = "20-tenant"

[[case]]
name = "an unknown tenant is a fallback"
context = { tenant = "stranger" }
cause = "unknown_tracer"
reason = "quarantine"

[[case]]
name = "no tenant abstains"
context = {}
cause = "abstained"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cases.toml"
    path.write_text(FILE)
    return path


def test_cases_hold(file: Path) -> None:
    policy = spanmux.Policy(SELECTORS / "20-tenant.wasm")
    cases = testing.cases(file)
    assert str(cases[0]) == "acme has a tracer"
    for case in cases:
        case.check(policy)


def test_difference_is_an_assertion(file: Path) -> None:
    policy = testing.policy_of(lambda context, tracers: "console")
    for case in testing.cases(file):
        with pytest.raises(AssertionError, match="expected"):
            case.check(policy)


def test_templates_are_read() -> None:
    for path in sorted((SELECTORS.parent / "templates").glob("*/cases.toml")):
        assert testing.cases(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no case"),
        ("[[case]]", "case 1"),
        ("[[case]]\nname = 'a'\ncontext = {}\ncolour = 1", "colour"),
        ("colour = 1", "unknown key 'colour'"),
        ("=", "line 1"),
    ],
)
def test_mistakes_of_a_file_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "cases.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        testing.cases(path)


def test_functions_are_asked_in_order() -> None:
    def first(context: dict[str, object], tracers: list[str]) -> None:
        return None

    def second(context: dict[str, object], tracers: list[str]) -> str:
        return tracers[-1]

    decision = testing.policy_of(first, second, names=["one"]).decide({}, ["a", "b"])
    assert (decision.tracer, decision.selector) == ("b", "second")
