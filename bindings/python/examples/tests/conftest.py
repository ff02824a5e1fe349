"""Fixtures of the tests: a receiver, a fake of the OpenAI API, and a watch for other hosts."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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

#: The hosts outside of this machine that a library has tried to reach.
reached: list[str] = []
_connect, _getaddrinfo = socket.socket.connect, socket.getaddrinfo


def _is_local(host: object) -> bool:
    return host in (None, "", "localhost", "127.0.0.1", "::1", b"localhost", b"127.0.0.1")


def _connect_locally(self: socket.socket, address: Any) -> None:
    if isinstance(address, tuple) and not _is_local(address[0]):
        reached.append(str(address[0]))
        raise ConnectionRefusedError(f"the tests do not reach {address[0]}")
    _connect(self, address)


def _look_up_locally(host: Any, *args: Any, **kwargs: Any) -> Any:
    if not _is_local(host):
        reached.append(str(host))
        raise socket.gaierror(f"the tests do not look up {host}")
    return _getaddrinfo(host, *args, **kwargs)


# Before any of the libraries is imported.
socket.socket.connect = _connect_locally  # type: ignore[method-assign,assignment]
socket.getaddrinfo = _look_up_locally


class Arrived:
    """The spans that a receiver has, by the key of their sender."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.endpoint = f"{receiver.url}/v1/traces"

    @property
    def count(self) -> int:
        return sum(map(len, self.receiver.spans.values()))

    def wait_until(self, is_true: Callable[[], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not is_true() and time.monotonic() < deadline:
            time.sleep(0.02)

    def wait_for(self, count: int) -> None:
        """Waits until this many spans have arrived, and a little longer for one too many."""
        self.wait_until(lambda: self.count >= count)
        time.sleep(0.1)
        assert self.count == count, {key: len(it) for key, it in self.receiver.spans.items()}

    def keys_by_trace(self) -> dict[int, set[str]]:
        places: dict[int, set[str]] = defaultdict(set)
        for key, spans in self.receiver.spans.items():
            for span in spans:
                places[int.from_bytes(span.trace_id, "big")].add(key)
        return places

    def counted(self, tenant_of: dict[int, str], key_of: dict[str, str]) -> Counter[str]:
        """Counts the spans of tenants' traces, those at a wrong key, and those of other traces."""
        found = Counter[str]()
        for sender, spans in self.receiver.spans.items():
            for span in spans:
                tenant = tenant_of.get(int.from_bytes(span.trace_id, "big"))
                if tenant is None:
                    found["other"] += 1
                    continue
                found["arrived"] += 1
                found["wrong"] += sender != f"Bearer {key_of[tenant]}"
        return found

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

    def attributes_at(self, key: str) -> list[dict[str, object]]:
        return [attributes(span) for span in self.at(key)]

    def calls_at(self, key: str, *names: str) -> Counter[tuple[object, ...]]:
        """Counts the values of these attributes, over the spans at a key that have all of them."""
        found = [it for it in self.attributes_at(key) if all(name in it for name in names)]
        return Counter(tuple(it[name] for name in names) for it in found)

    def assert_apart(self, key_of: dict[str, str]) -> None:
        """No span at the key of a tenant has the name of another one in its text."""
        assert set(self.receiver.spans) == set(key_of.values())
        for key, spans in self.receiver.spans.items():
            text = "".join(map(str, spans))
            assert [tenant for tenant in key_of if tenant in text] == [
                tenant for tenant, own in key_of.items() if own == key
            ]


def attributes(span: Span) -> dict[str, object]:
    return {it.key: getattr(it.value, it.value.WhichOneof("value")) for it in span.attributes}


@pytest.fixture
def arrived() -> Iterator[Arrived]:
    receiver = Receiver()
    yield Arrived(receiver)
    receiver.close()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenAI]:
    """The fake, to which the OpenAI SDK and LiteLLM are pointed by the environment."""
    fake = FakeOpenAI()
    monkeypatch.setenv("OPENAI_BASE_URL", fake.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    yield fake
    fake.close()


@pytest.fixture(autouse=True)
def nothing_leaves() -> Iterator[None]:
    yield
    assert reached == []
