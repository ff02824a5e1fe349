"""The service of 10 tenants, with 200 requests at once over sockets."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

import fastapi_tenants
from conftest import Arrived

TENANTS = 10
REQUESTS = 20


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serves an app on loopback."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


async def ask(url: str, tenants: list[str], **headers: str) -> list[tuple[int, str]]:
    """Asks for all tenants at once. Returns the traces with their tenants."""
    limits = httpx.Limits(max_connections=len(tenants))
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:

        async def one(tenant: str) -> tuple[int, str]:
            answer = await client.get("/answer", headers={"x-tenant": tenant, **headers})
            return int(answer.raise_for_status().json()["trace"], 16), tenant

        return await asyncio.gather(*map(one, tenants))


def test_no_request_reaches_another_tenant(arrived: Arrived) -> None:
    keys = {f"tenant-{number}": f"key-{number}" for number in range(TENANTS)}
    provider = fastapi_tenants.provider_of(arrived.endpoint, keys)
    tenants = [*keys] * REQUESTS
    random.shuffle(tenants)
    with served(fastapi_tenants.service(provider)) as url:
        sent = dict(asyncio.run(ask(url, tenants)))
        # Traces of a tenant that has no tracer are dropped.
        asyncio.run(ask(url, ["stranger", ""]))
    provider.shutdown()

    assert len(sent) == TENANTS * REQUESTS
    found = Counter[str]()
    for sender, spans in arrived.receiver.spans.items():
        for span in spans:
            tenant = sent[int.from_bytes(span.trace_id, "big")]
            found["wrong"] += sender != f"Bearer {keys[tenant]}"
            found[span.name] += 1
    count = TENANTS * REQUESTS
    assert found == {"wrong": 0, "GET /answer": count, "answer": count, "look-up": count}
    arrived.assert_whole()


def test_callers_cannot_mix_tenants_by_a_trace_id(arrived: Arrived) -> None:
    """Two tenants send the same parent; each receives the part that is its own."""
    provider = fastapi_tenants.provider_of(arrived.endpoint, {"a": "key-a", "b": "key-b"})
    parent = f"00-{1:032x}-{2:016x}-01"
    with served(fastapi_tenants.service(provider)) as url:
        asyncio.run(ask(url, ["a", "b", "b"], traceparent=parent))
    provider.shutdown()
    counts = {key: len(spans) for key, spans in arrived.receiver.spans.items()}
    assert counts == {"Bearer key-a": 3, "Bearer key-b": 6}


def test_settings_of_the_environment(arrived: Arrived, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANT_KEYS", "acme=key-1,globex=key-2")
    monkeypatch.setenv("TRACES_ENDPOINT", arrived.endpoint)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with served(fastapi_tenants.from_environment()) as url:
        asyncio.run(ask(url, ["acme"]))
        arrived.wait_for(3)
    assert len(arrived.at("Bearer key-1")) == 3
