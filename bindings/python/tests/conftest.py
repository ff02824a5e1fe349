"""What the tests share: the example selectors, and tracers that remember their spans."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import spanmux
from spanmux.opentelemetry import RoutingTracerProvider

ROOT = Path(__file__).resolve().parents[3]
SELECTORS = ROOT / "selectors"
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def target() -> Path:
    """The directory of what Cargo builds."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compile cache for all tests."""
    return tmp_path_factory.mktemp("cache") / "compiled"


@pytest.fixture
def policy(cache: Path) -> Iterator[spanmux.Policy]:
    with spanmux.Policy(SELECTORS, cache=cache, watch=False) as policy:
        yield policy


class Tracers:
    """A provider whose tracers remember their spans."""

    def __init__(self, policy: spanmux.Policy, names: list[str], **settings: object) -> None:
        self.exporters = {name: InMemorySpanExporter() for name in names}
        processors = {name: SimpleSpanProcessor(it) for name, it in self.exporters.items()}
        self.provider = RoutingTracerProvider(
            processors,
            selectors=policy,
            shutdown_on_exit=False,
            **settings,  # type: ignore[arg-type]
        )
        self.tracer = self.provider.get_tracer("tests")

    def spans(self, name: str) -> list[ReadableSpan]:
        return list(self.exporters[name].get_finished_spans())

    def names(self) -> dict[str, list[str]]:
        """The names of the spans of each tracer that has any."""
        found = {name: [span.name for span in self.spans(name)] for name in self.exporters}
        return {name: spans for name, spans in found.items() if spans}


Make = Callable[..., Tracers]


@pytest.fixture
def tracers(policy: spanmux.Policy) -> Iterator[Make]:
    made: list[Tracers] = []

    def make(*names: str, **settings: object) -> Tracers:
        one = Tracers(policy, list(names) or ["console", "langfuse", "tenant-acme"], **settings)
        made.append(one)
        return one

    yield make
    for one in made:
        one.provider.shutdown()
