"""Calls of tenants through LiteLLM, at once, with and without a span around them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import litellm
import pytest

import litellm_otel
from conftest import Arrived
from fake_openai import FakeOpenAI, answer_to, words
from spanmux.opentelemetry import RoutingTracerProvider, run_context

TENANTS = ["acme", "globex", "umbrella"]
KEYS = {tenant: f"key-{number}" for number, tenant in enumerate(TENANTS)}
KEY_OF = {tenant: f"Bearer {key}" for tenant, key in KEYS.items()}
CALL = ("gen_ai.request.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
COUNT = 5


@pytest.fixture
def provider(arrived: Arrived, fake: FakeOpenAI) -> Iterator[RoutingTracerProvider]:
    provider = litellm_otel.instrumented(arrived.endpoint, KEYS)
    yield provider
    # LiteLLM copies its callbacks to other lists.
    litellm.logging_callback_manager._reset_all_callbacks()  # type: ignore[no-untyped-call]
    provider.shutdown()


def flush_until(arrived: Arrived, provider: RoutingTracerProvider, count: int) -> None:
    """Flushes until this many spans have arrived: LiteLLM makes them after its answers."""

    def is_there() -> bool:
        provider.force_flush()
        return arrived.count >= count

    arrived.wait_until(is_there)
    provider.force_flush()
    arrived.wait_for(count)


def test_each_question_is_whole_at_its_tenant(
    arrived: Arrived, provider: RoutingTracerProvider
) -> None:
    async def one(tenant: str) -> list[str]:
        question = f"Is this {tenant} ?"
        return await litellm_otel.ask(provider, tenant, question, f"openai/model-{tenant}")

    async def all_of_them() -> list[list[str]]:
        given = await asyncio.gather(*map(one, [*TENANTS * COUNT, "stranger"]))
        # Some spans are made in tasks of this loop.
        await asyncio.to_thread(flush_until, arrived, provider, len(TENANTS) * COUNT * 7)
        return given

    for tenant, answers in zip(
        [*TENANTS * COUNT, "stranger"], asyncio.run(all_of_them()), strict=True
    ):
        assert answers == [answer_to(f"Is this {tenant} ?")] * 3
    arrived.assert_apart(KEY_OF)
    arrived.assert_whole()
    for tenant, key in KEY_OF.items():
        prompt = words(f"Is this {tenant} ?")
        assert arrived.calls_at(key, *CALL) == {(f"model-{tenant}", prompt, prompt + 2): COUNT * 3}
        names = [span.name for span in arrived.at(key)]
        assert {name: names.count(name) for name in set(names)} == {
            "question": COUNT,
            "litellm_request": COUNT * 3,
            "raw_gen_ai_request": COUNT * 3,
        }


def test_calls_without_a_span_follow_the_run_context(
    arrived: Arrived, provider: RoutingTracerProvider
) -> None:
    """The span of a call is a root, which starts after the call in a copy of its context."""

    async def one(tenant: str) -> None:
        messages = [{"role": "user", "content": f"Is this {tenant} ?"}]
        given = {"model": f"openai/model-{tenant}", "messages": messages}
        with run_context(tenant=tenant):
            await litellm.acompletion(**given)
            stream = await litellm.acompletion(**given, stream=True)
            async for _ in stream:
                pass
            await asyncio.to_thread(litellm.completion, **given)

    async def all_of_them() -> None:
        await asyncio.gather(*map(one, TENANTS * COUNT))
        await asyncio.to_thread(flush_until, arrived, provider, len(TENANTS) * COUNT * 6)

    asyncio.run(all_of_them())
    arrived.assert_apart(KEY_OF)
    arrived.assert_whole()
    for tenant, key in KEY_OF.items():
        assert arrived.calls_at(key, CALL[0]) == {(f"model-{tenant}",): COUNT * 3}
