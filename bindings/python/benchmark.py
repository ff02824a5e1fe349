"""Measures the package beside the plain SDK, side by side in one run.

    pip install spanmux[opentelemetry]      # a release build
    python bindings/python/benchmark.py     # in the repository

Both sides do the same work in turns, and the median of the ratios is printed.
"""

from __future__ import annotations

import functools
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import spanmux
from spanmux.opentelemetry import RoutingTracerProvider, run_context

SELECTORS = Path(__file__).resolve().parents[2] / "benches" / "selectors"
ROUNDS = 61
TRACERS = ["langfuse", "datadog", "console"]
FACTS: dict[str, object] = {
    **{f"key.{number}": f"value {number}" for number in range(16)},
    "tenant": "acme",
    "tier": "free",
    "region": "us-east",
    "environment": "production",
}
Work = Callable[[], object]


class Nowhere(SpanExporter):
    """Discards every batch."""

    def export(self, spans: object) -> SpanExportResult:
        """Does nothing."""
        return SpanExportResult.SUCCESS


class Dropped(SpanProcessor):
    """Drops each span, as a queue with another thread would add noise."""

    def on_end(self, span: ReadableSpan) -> None:
        """Does nothing."""


def timed(work: Work, times: int) -> float:
    """Returns the nanoseconds of processor time that one run of the work takes."""
    before = time.thread_time_ns()
    for _ in range(times):
        work()
    return (time.thread_time_ns() - before) / times


def runs(work: Work) -> int:
    """Returns how often the work runs in about 5 ms."""
    times = 1
    while timed(work, times) * times < 5e6:
        times *= 2
    return times


def alone(name: str, work: Work) -> None:
    """Prints the time of a work that has no counterpart."""
    times = runs(work)
    found = statistics.median(timed(work, times) for _ in range(ROUNDS))
    print(f"| {name} | | {found / 1000:.2f} µs | |")


def paired(name: str, plain: Work, routed: Work) -> None:
    """Prints the times of both sides, and the median of their ratios."""
    times = max(runs(plain), runs(routed))
    sides: list[tuple[float, float]] = []
    for number in range(ROUNDS):
        if number % 2:
            second, first = timed(routed, times), timed(plain, times)
        else:
            first, second = timed(plain, times), timed(routed, times)
        sides.append((first, second))
    ratio = statistics.median(second / first for first, second in sides)
    first, second = (statistics.median(side) / 1000 for side in zip(*sides, strict=True))
    print(f"| {name} | {first:.2f} µs | {second:.2f} µs | {ratio:.2f} |")


def decisions() -> None:
    """Measures decisions without spans."""
    for name, component in [("one key", "one-key"), ("four keys", "four-keys")]:
        policy = spanmux.Policy(SELECTORS / f"{component}.wasm")
        for facts, of in [(FACTS, "20 facts"), ({**dict(list(FACTS.items())[-4:])}, "4 facts")]:
            decide = functools.partial(policy.decide, facts, TRACERS)
            alone(f"decision, learned, {name}, {of}", decide)
        converted = MappingProxyType(FACTS)
        decide = functools.partial(policy.decide, converted, TRACERS)
        alone(f"decision, learned, {name}, 20 facts, no dict", decide)
    for small in (True, False):
        before = addresses()
        users = spanmux.Policy(SELECTORS / "users.wasm", limits={"cached_bytes": 0}, small=small)
        reserved = (addresses() - before) >> 20
        decide = functools.partial(users.decide, {"user": "u"}, TRACERS)
        alone(f"decision, not learned, small={small} ({reserved} MiB of addresses)", decide)


def spans() -> None:
    """Measures a root span and a child span."""
    plain = TracerProvider(shutdown_on_exit=False)
    plain.add_span_processor(Dropped())
    routed = RoutingTracerProvider(
        {name: Dropped() for name in TRACERS},
        selectors=SELECTORS / "one-key.wasm",
        shutdown_on_exit=False,
    )
    one, other = plain.get_tracer("bench"), routed.get_tracer("bench")
    # The plain SDK writes the same attributes.
    reason = {
        "spanmux.tracer": "langfuse",
        "spanmux.selector": "one-key",
        "spanmux.digest": "0" * 64,
    }
    with run_context(environment="production", tenant="acme", tier="free"):
        paired(
            "root span",
            lambda: one.start_span("answer", attributes=reason).end(),
            lambda: other.start_span("answer").end(),
        )
        first = trace.set_span_in_context(one.start_span("answer"))
        second = trace.set_span_in_context(other.start_span("answer"))
        paired(
            "child span",
            lambda: one.start_span("look up", context=first).end(),
            lambda: other.start_span("look up", context=second).end(),
        )


def addresses() -> int:
    """Returns the reserved address space of the process in bytes."""
    pages = Path("/proc/self/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


def resident() -> int:
    """Returns the resident memory of the process in kB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def tenants(count: int = 200) -> None:
    """Measures the threads and the memory of many tracers."""
    threads, memory = threading.active_count(), resident()
    processors = {f"tenant-{number}": BatchSpanProcessor(Nowhere()) for number in range(count)}
    own_threads, own_memory = threading.active_count() - threads, resident() - memory
    threads, memory = threading.active_count(), resident()
    native = len(list(Path("/proc/self/task").iterdir()))
    provider = RoutingTracerProvider(
        processors, selectors=SELECTORS / "one-key.wasm", shutdown_on_exit=False
    )
    added = len(list(Path("/proc/self/task").iterdir())) - native
    print(f"\n{count} tracers: the processors have {own_threads} threads, {own_memory >> 10} MiB.")
    print(f"The provider adds {added} threads, {(resident() - memory) >> 10} MiB.")
    provider.shutdown()


def main() -> None:
    """Prints the table."""
    print(f"Python {sys.version.split()[0]}, spanmux {spanmux.__version__}\n")
    print("| | SDK alone | Spanmux | times |\n|---|---:|---:|---:|")
    decisions()
    spans()
    tenants()


if __name__ == "__main__":
    main()
