"""Policies and decisions."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import spanmux
from conftest import SELECTORS

NAMES = ["console", "langfuse", "tenant-acme"]


def test_decision_names_the_tracer_and_the_selector(policy: spanmux.Policy) -> None:
    decision = policy.decide({"tenant": "acme"}, tracers=NAMES, default="console")
    assert decision.tracer == "tenant-acme"
    assert decision.selector == "20-tenant"
    assert decision.digest is not None and len(decision.digest) == 64
    assert decision.fallback is None and decision.cause is None and decision.chosen
    assert policy.decide({"tenant": "acme"}, tracers=NAMES, default="console").cached


def test_abstention_goes_to_the_default(policy: spanmux.Policy) -> None:
    decision = policy.decide({}, tracers=NAMES, default="langfuse", fallback="console")
    assert (decision.tracer, decision.cause, decision.fallback) == ("langfuse", "abstained", None)
    assert policy.decide(None, tracers=NAMES).tracer == "console"


def test_root_span_is_part_of_the_context(policy: spanmux.Policy) -> None:
    decision = policy.decide({}, ["console", "discard"], span=("GET /healthz", "server", None))
    assert decision.tracer == "discard", decision.reason


@dataclasses.dataclass
class User:
    tier: str
    ids: list[int]


class Raises(Mapping[str, object]):
    def __getitem__(self, key: str) -> object:
        raise RuntimeError("no")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("broken mapping")

    def __len__(self) -> int:
        return 1


CYCLE: list[object] = []
CYCLE.append(CYCLE)
DEEP: object = 1
for _ in range(500):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ({"a": {1}}, "`a`"),
        ({"a": object()}, "`a`"),
        ({"a": b"bytes"}, "`a`"),
        ({"a": User}, "`a`"),
        ({"a": 10**30}, "does not fit into 64 bits"),
        ({"a": [10**30]}, "does not fit into 64 bits"),
        ({"a": "\ud800"}, "lone surrogate"),
        ({"a": ["\ud800"]}, "lone surrogate"),
        ({1: "a"}, "a key must be a str, not int"),
        ({"a": {1: 2}}, "a key must be a str, not int"),
        ({"a": CYCLE}, "nested"),
        ({"a": DEEP}, "nested"),
        ({"a": "x" * 10_000_000}, "bytes"),
        ({str(number): 1 for number in range(100_000)}, "keys"),
        ([], "must be a mapping, not list"),
        ("text", "must be a mapping, not str"),
        (Raises(), "broken mapping"),
    ],
)
def test_wrong_context_is_a_fallback_and_names_the_key(
    policy: spanmux.Policy, context: object, reason: str
) -> None:
    decision = policy.decide(context, NAMES, fallback="langfuse")  # type: ignore[arg-type]
    assert (decision.tracer, decision.fallback) == ("langfuse", "incomplete_context")
    assert reason in decision.reason


def test_every_type_reaches_a_selector(cache: Path) -> None:
    seen: list[dict[str, object]] = []

    def look(context: dict[str, object], tracers: list[str]) -> None:
        seen.append(context)
        assert tracers == NAMES

    facts = {
        "none": None,
        "true": True,
        "one": 1,
        "float": 1.5,
        "text": "é",
        "list": [1, None, "x", {"a": True}],
        "tuple": (1, 2),
        "user": User("gold", [1]),
    }
    policy = spanmux.Policy(SELECTORS, watch=False, cache=cache, selectors=[("look", look)])
    assert policy.decide(facts, NAMES).cause == "abstained"
    expected = {**facts, "tuple": [1, 2], "user": {"tier": "gold", "ids": [1]}}
    assert seen == [expected], "asked once, although a component had to run"
    assert seen[0]["true"] is True and not isinstance(seen[0]["one"], bool)


def test_function_decides_and_its_mistakes_are_fallbacks(cache: Path) -> None:
    def by_answer(context: dict[str, object], _: list[str]) -> str | None:
        answer = context.get("answer")
        if isinstance(answer, str) and answer.startswith("raise"):
            raise ValueError(answer)
        return answer  # type: ignore[return-value]

    policy = spanmux.Policy(SELECTORS, watch=False, cache=cache, selectors=[("py", by_answer)])
    assert policy.selectors[0] == "py"
    chosen = policy.decide({"answer": "langfuse"}, NAMES)
    assert (chosen.tracer, chosen.selector, chosen.digest) == ("langfuse", "py", None)
    assert policy.decide({"answer": "nobody"}, NAMES).fallback == "unknown_tracer"
    raised = policy.decide({"answer": "raise it"}, NAMES)
    assert (raised.fallback, raised.tracer) == ("failed", "console")
    assert "raise it" in raised.reason
    assert policy.decide({"answer": 7}, NAMES).fallback == "failed"


def test_explain_has_every_format(policy: spanmux.Policy) -> None:
    policy.decide({"tenant": "acme"}, NAMES)
    assert "tenant-acme" in policy.explain()
    assert isinstance(json.loads(policy.explain(format="json")), list)
    assert policy.explain(NAMES, format="mermaid").startswith("flowchart")
    assert "<svg" in policy.explain(NAMES, format="svg")
    with pytest.raises(ValueError, match="available: text, json, mermaid, svg"):
        policy.explain(format="pdf")  # type: ignore[arg-type]


def test_change_of_the_directory_is_applied(tmp_path: Path, cache: Path) -> None:
    with spanmux.Policy(tmp_path, cache=cache) as policy:
        assert policy.decide({"tenant": "acme"}, NAMES).cause == "no_selector"
        shutil.copy(SELECTORS / "20-tenant.wasm", tmp_path)
        deadline = time.monotonic() + 60
        while policy.decide({"tenant": "acme"}, NAMES).tracer != "tenant-acme":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        status = policy.status()
        assert status is not None
        assert [file["name"] for file in status["files"]] == ["20-tenant"]
    assert policy.status() is None
    assert policy.decide({"tenant": "acme"}, NAMES).tracer == "tenant-acme"


def test_refused_file_keeps_its_place_and_has_a_reason(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "10-broken.wasm").write_bytes(b"no component")
    with spanmux.Policy(tmp_path, cache=cache) as policy:
        assert policy.decide({}, NAMES).fallback == "unavailable"
        status = policy.status()
        assert status is not None and status["files"][0]["refused"]


def test_mistakes_of_the_caller_raise(policy: spanmux.Policy, tmp_path: Path) -> None:
    with pytest.raises(spanmux.PolicyError, match="nothing exists at"):
        spanmux.Policy(tmp_path / "missing")
    (tmp_path / "spanmux.toml").write_text("service = 3\ntracer = 4\n")
    with pytest.raises(spanmux.PolicyError) as caught:
        spanmux.Policy(tmp_path / "spanmux.toml")
    assert len(str(caught.value).splitlines()) == 3
    with pytest.raises(ValueError, match="registered already"):
        policy.decide({}, ["a", "a"])
    with pytest.raises(ValueError, match="the default tracer"):
        policy.decide({}, ["a"], default="b")
    with pytest.raises(ValueError, match="no limit is named"):
        spanmux.Policy(SELECTORS, limits={"fule": 1})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not callable"):
        spanmux.Policy(SELECTORS, selectors=[("x", 3)])  # type: ignore[list-item]


def test_selector_that_cannot_start_is_a_fallback() -> None:
    policy = spanmux.Policy(SELECTORS, watch=False, limits={"fuel": 1})
    decision = policy.decide({"tenant": "acme"}, NAMES)
    assert decision.fallback == "unavailable"
    assert "ran out of fuel" in decision.reason
