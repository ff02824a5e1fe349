"""A dict is read in place, and any other mapping is converted. The decisions are the same."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest

import spanmux
from conftest import SELECTORS

NAMES = ["console", "langfuse", "datadog", "tenant-acme", "tenant-umbrella"]
SPAN = ("answer", "server", {"http.route": "/health", "tenant": "span", "number": 3})
#: The keys that the example selectors ask, their parts, and keys that nobody asks.
KEYS = [
    "environment",
    "tenant",
    "user",
    "user.id",
    "user.tier",
    "region",
    "span.name",
    "span.http.route",
    "nobody",
    "",
    "\u00e9",
]
VALUES: list[Callable[[random.Random], object]] = [
    lambda random: random.choice(["production", "staging", "acme", "umbrella", "", "\u00e9\u4e16"]),
    lambda random: random.choice(["production", "acme", "gold", "free", "eu"]),
    lambda random: random.choice([None, True, False]),
    lambda random: random.choice([0, -1, 2**53 - 1, 1 - 2**53, 2**53, -(2**63), 2**64 - 1]),
    lambda random: random.choice([0.0, -0.0, 1.5, math.nan, math.inf, -math.inf, 1e300]),
    lambda random: random.choice([{}, {"tier": "gold", "id": "u-1"}, [1, "x"], ({"a": None},)]),
]
#: Values that make a context incomplete.
WRONG: list[object] = [{1}, b"bytes", "\ud800", 2**64, object, {1: 2}, "x" * (1 << 20)]


def context(random: random.Random) -> dict[object, object]:
    found: dict[object, object] = {}
    for key in random.sample(KEYS, random.randrange(len(KEYS))):
        found[key] = random.choice(VALUES)(random)
    if random.random() < 0.1:
        # Under a key that a selector asks, or one that nobody asks.
        found[random.choice(KEYS)] = random.choice(WRONG)
    if random.random() < 0.05:
        found[random.choice([1, None, "\udfff"])] = "value"
    if random.random() < 0.1:
        found.update({f"more.{number}": number for number in range(random.randrange(60))})
    return found


def outcome(decision: spanmux.Decision) -> tuple[object, ...]:
    return (
        decision.tracer,
        decision.selector,
        decision.digest,
        decision.fallback,
        decision.cause,
        decision.reason,
        decision.chosen,
        decision.cached,
    )


@pytest.mark.parametrize("seed", range(4))
def test_both_routes_decide_the_same(seed: int, cache: Path) -> None:
    seen: dict[str, list[str]] = {"in place": [], "converted": []}

    def policy(route: str) -> spanmux.Policy:
        def look(context: dict[str, object], tracers: list[str]) -> None:
            seen[route].append(repr(sorted(context.items())))

        return spanmux.Policy(SELECTORS, watch=False, cache=cache, selectors=[("look", look)])

    in_place, converted = policy("in place"), policy("converted")
    numbers = random.Random(seed)
    causes = set()
    for _ in range(1500):
        facts = context(numbers)
        names = numbers.choice([NAMES, NAMES[:2]])
        span = numbers.choice([None, SPAN])
        one = in_place.decide(facts, names, fallback="langfuse", span=span)  # type: ignore[arg-type]
        other = converted.decide(
            MappingProxyType(facts),  # type: ignore[arg-type]
            names,
            fallback="langfuse",
            span=span,
        )
        assert outcome(one) == outcome(other), facts
        causes.add(one.cause)
    assert seen["in place"] == seen["converted"]
    assert len(seen["in place"]) > 1000
    assert {None, "abstained", "unknown_tracer", "incomplete_context"} <= causes


def test_wrong_value_counts_whether_a_selector_asks_for_it_or_not(cache: Path) -> None:
    policy = spanmux.Policy(SELECTORS / "20-tenant.wasm", cache=cache)
    for _ in range(2):
        assert policy.decide({"tenant": "acme"}, NAMES).tracer == "tenant-acme"
    for key in ["tenant", "nobody"]:
        decision = policy.decide({"tenant": "acme", key: {1}}, NAMES, fallback="console")
        assert (decision.tracer, decision.fallback) == ("console", "incomplete_context")
        assert f"`{key}`" in decision.reason


def test_selector_may_change_the_dict(cache: Path) -> None:
    facts: dict[str, object] = {f"key {number}": f"text {number}" * 10 for number in range(20)}
    facts["tenant"] = "acme"
    kept = dict(facts)
    seen: list[dict[str, object]] = []

    def clear(context: dict[str, object], tracers: list[str]) -> None:
        facts.clear()
        seen.append(context)

    selectors = [("clear", clear), ("look", lambda context, _: seen.append(context))]
    path = SELECTORS / "20-tenant.wasm"
    policy = spanmux.Policy(path, cache=cache, selectors=selectors)
    assert policy.decide(facts, NAMES).tracer == "tenant-acme"
    assert facts == {} and seen == [kept, kept]


def test_learned_decisions_share_an_object(cache: Path) -> None:
    policy = spanmux.Policy(SELECTORS / "20-tenant.wasm", cache=cache)

    def decide(tenant: str | None, default: str = "console") -> spanmux.Decision:
        names = ["console", "tenant-acme", "tenant-umbrella"]
        context = {} if tenant is None else {"tenant": tenant}
        return policy.decide(context, names, default=default)

    for tenant in ["acme", "umbrella", "acme", "umbrella"]:
        assert decide(tenant).tracer == f"tenant-{tenant}"
    assert decide("acme").cached and decide("acme") is decide("acme")
    # Another reason for the same tracer.
    assert decide("acme").cause is None
    for _ in range(3):
        abstained = decide(None, default="tenant-acme")
        assert (abstained.tracer, abstained.cause) == ("tenant-acme", "abstained")
        assert (decide("acme").cause, decide("acme").selector) == (None, "20-tenant")
    # A failure has a text of its own.
    for tenant in ["stranger", "stranger", ""]:
        assert decide(tenant).fallback in ("unknown_tracer", "failed")
