"""No tenant's spans reach another one: counted at a receiver, by the key of the sender."""

from __future__ import annotations

import asyncio
import base64
import contextvars
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from langfuse import Langfuse
from openinference.instrumentation import OITracer, TraceConfig
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from receiver import Receiver
from spanmux.opentelemetry import RoutingTracerProvider, run_context
from spanmux.testing import policy_of

TENANTS = 50
REQUESTS = 40
#: The spans of a request.
SPANS = 6


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def by_tenant(context: dict[str, object], _: list[str]) -> str | None:
    tenant = context.get("tenant")
    return tenant if isinstance(tenant, str) else None


def key(tenant: str) -> str:
    """The key with which a Langfuse client of this tenant sends."""
    pair = f"pk-{tenant}:sk-{tenant}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def client(tenant: str, receiver: Receiver, provider: TracerProvider) -> Langfuse:
    return Langfuse(
        public_key=f"pk-{tenant}",
        secret_key=f"sk-{tenant}",
        base_url=receiver.url,
        tracer_provider=provider,
        should_export_span=lambda _: True,
    )


class Requests:
    """Requests of tenants: spans of OpenTelemetry, Langfuse and OpenInference, some late."""

    def __init__(self, tracer: trace.Tracer, clients: dict[str, Langfuse]) -> None:
        self.tracer = tracer
        self.openinference = OITracer(tracer, TraceConfig())
        self.clients = clients
        self.sent: dict[int, str] = {}
        self.spans = 0

    def handle(self, tenant: str, late: Callable[[Callable[[], None]], object]) -> None:
        with self.tracer.start_as_current_span(f"root of {tenant}") as root:
            self.sent[root.get_span_context().trace_id] = tenant
            with self.clients[tenant].start_as_current_observation(name=f"generation of {tenant}"):
                self.tracer.start_span(f"call of {tenant}").end()
                model = self.openinference.start_as_current_span(
                    f"model of {tenant}", openinference_span_kind="llm"
                )
                with model:
                    self.tracer.start_span(f"request of {tenant}").end()
            inside = otel_context.get_current()
        late(lambda: self.tracer.start_span(f"late of {tenant}", context=inside).end())
        self.spans += SPANS

    async def on_tasks(self, tenants: list[str]) -> None:
        async def one(tenant: str) -> None:
            with run_context(tenant=tenant):
                await asyncio.sleep(random.random() / 100)
                later: list[Callable[[], None]] = []
                self.handle(tenant, later.append)
                await asyncio.sleep(random.random() / 100)
            for start in later:
                start()

        await asyncio.gather(*(one(tenant) for tenant in tenants))

    def on_threads(self, tenants: list[str]) -> None:
        with ThreadPoolExecutor(8) as pool, ThreadPoolExecutor(4) as later:

            def one(tenant: str) -> None:
                with run_context(tenant=tenant):
                    self.handle(tenant, lambda start: later.submit(start))

            futures = [pool.submit(contextvars.copy_context().run, one, it) for it in tenants]
            for future in futures:
                future.result()


def verdict(requests: Requests, receiver: Receiver) -> Counter[str]:
    """Counts the spans that arrived wrong, are lost, and the traces that are torn."""
    found: Counter[str] = Counter()
    places: dict[int, set[str]] = defaultdict(set)
    seen: set[tuple[bytes, str]] = set()
    for sender, spans in receiver.spans.items():
        for span in spans:
            trace_id = int.from_bytes(span.trace_id, "big")
            if trace_id not in requests.sent:
                continue
            places[trace_id].add(sender)
            seen.add((span.span_id, sender))
            found["arrived"] += 1
            found["wrong"] += sender != key(requests.sent[trace_id])
    found["torn"] = sum(len(senders) > 1 for senders in places.values())
    found["lost"] = requests.spans - len({span_id for span_id, _ in seen})
    return found


def play(provider: TracerProvider, clients: dict[str, Langfuse]) -> Requests:
    requests = Requests(provider.get_tracer("shop"), clients)
    tenants = [name for name in clients for _ in range(REQUESTS // 2)]
    random.shuffle(tenants)
    requests.on_threads(tenants)
    asyncio.run(requests.on_tasks(tenants))
    for one in clients.values():
        one.flush()
    provider.force_flush(60_000)
    return requests


def test_no_span_reaches_another_tenant(receiver: Receiver) -> None:
    tenants = [f"tenant-{number}" for number in range(TENANTS)]
    # A tracer needs no processor of its own: that of the client is added to its view.
    provider = RoutingTracerProvider(
        {name: [] for name in tenants},
        selectors=policy_of(by_tenant),
        shutdown_on_exit=False,
    )
    clients = {name: client(name, receiver, provider.at(name)) for name in tenants}
    requests = play(provider, clients)
    assert requests.spans == TENANTS * REQUESTS * SPANS
    found = verdict(requests, receiver)
    assert found == {"arrived": requests.spans, "wrong": 0, "torn": 0, "lost": 0}
    provider.shutdown()


def test_exporters_of_the_sdk_are_kept_apart(receiver: Receiver) -> None:
    def exporter(tenant: str) -> BatchSpanProcessor:
        headers = {"authorization": key(tenant)}
        endpoint = f"{receiver.url}/v1/traces"
        return BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, headers=headers))

    tenants = [f"tenant-{number}" for number in range(10)]
    provider = RoutingTracerProvider(
        {name: exporter(name) for name in tenants},
        selectors=policy_of(by_tenant),
        shutdown_on_exit=False,
    )
    tracer = provider.get_tracer("shop")
    sent: dict[int, str] = {}
    for number in range(500):
        tenant = random.choice(tenants)
        with run_context(tenant=tenant), tracer.start_as_current_span("root") as root:
            sent[root.get_span_context().trace_id] = tenant
            tracer.start_span(str(number)).end()
    provider.shutdown()
    arrived = [
        (int.from_bytes(span.trace_id, "big"), sender)
        for sender, spans in receiver.spans.items()
        for span in spans
    ]
    assert len(arrived) == 1_000
    assert all(sender == key(sent[trace_id]) for trace_id, sender in arrived)


def test_exporters_of_a_file_are_kept_apart(receiver: Receiver, tmp_path: Path) -> None:
    tenants = [f"tenant-{number}" for number in range(TENANTS)]
    path = tmp_path / "spanmux.toml"
    path.write_text(receiver.config({tenant: key(tenant) for tenant in tenants}))
    provider = RoutingTracerProvider.from_config(
        path, selectors=[("by-tenant", by_tenant)], shutdown_on_exit=False
    )
    tracer = provider.get_tracer("shop")
    sent: dict[int, str] = {}

    def one(tenant: str) -> None:
        with run_context(tenant=tenant), tracer.start_as_current_span("root") as root:
            sent[root.get_span_context().trace_id] = tenant
            inside = otel_context.get_current()
        tracer.start_span("late", context=inside).end()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, random.sample(tenants * REQUESTS, TENANTS * REQUESTS)))
    provider.shutdown()
    arrived = [
        (int.from_bytes(span.trace_id, "big"), sender)
        for sender, spans in receiver.spans.items()
        for span in spans
    ]
    assert len(arrived) == 2 * TENANTS * REQUESTS
    assert all(sender == key(sent[trace_id]) for trace_id, sender in arrived)
    delivery = provider.delivery().values()
    assert sum(counts["otlp"]["delivered"] for counts in delivery) == len(arrived)


def test_plain_clients_on_one_provider_leak(receiver: Receiver) -> None:
    """Shows that the check above can fail."""
    provider = TracerProvider(shutdown_on_exit=False)
    tenants = [f"plain-{number}" for number in range(4)]
    clients = {name: client(name, receiver, provider) for name in tenants}
    requests = play(provider, clients)
    found = verdict(requests, receiver)
    assert found["wrong"] > 0 and found["torn"] > 0, found
    provider.shutdown()
