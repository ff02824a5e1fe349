"""What the tests of the examples share: the receiver, the fake, and what arrived by key."""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

HERE = Path(__file__).resolve().parent
# The examples, and the receiver of the package's own tests.
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "tests")]
# Read by LiteLLM when it is imported: no list of prices is fetched.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
    os.environ[name] = "false"

from fake_openai import FakeOpenAI  # noqa: E402
from receiver import Receiver  # noqa: E402


class Arrived:
    """The spans that a receiver has, by the key of their sender."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.endpoint = f"{receiver.url}/v1/traces"

    @property
    def count(self) -> int:
        return sum(map(len, self.receiver.spans.values()))

    def wait_for(self, count: int, seconds: float = 20) -> None:
        """Waits until this many spans have arrived, and then for spans too many."""
        deadline = time.monotonic() + seconds
        while self.count < count and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.1)
        assert self.count == count, {key: len(it) for key, it in self.receiver.spans.items()}

    def keys_by_trace(self) -> dict[int, set[str]]:
        places: dict[int, set[str]] = defaultdict(set)
        for key, spans in self.receiver.spans.items():
            for span in spans:
                places[int.from_bytes(span.trace_id, "big")].add(key)
        return places

    def assert_whole(self) -> None:
        """Each trace is at one key, with one root, and with the parent of every other span."""
        assert all(len(keys) == 1 for keys in self.keys_by_trace().values())
        traces: dict[bytes, list[Span]] = defaultdict(list)
        for spans in self.receiver.spans.values():
            for span in spans:
                traces[span.trace_id].append(span)
        for spans in traces.values():
            ids = {span.span_id for span in spans}
            assert len(ids) == len(spans), "a span arrived twice"
            roots = [span.name for span in spans if span.parent_span_id not in ids]
            assert len(roots) == 1, roots

    def at(self, key: str) -> list[Span]:
        return list(self.receiver.spans.get(key, []))

    def llm(self, key: str, model: str) -> list[dict[str, object]]:
        """The attributes of the spans at a key that have this attribute of the model's name."""
        found = [attributes(span) for span in self.at(key)]
        return [it for it in found if model in it]


def attributes(span: Span) -> dict[str, object]:
    return {it.key: getattr(it.value, it.value.WhichOneof("value")) for it in span.attributes}


@pytest.fixture
def arrived() -> Iterator[Arrived]:
    receiver = Receiver()
    yield Arrived(receiver)
    receiver.close()


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    fake = FakeOpenAI()
    yield fake
    fake.close()
