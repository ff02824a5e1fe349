"""Agents of tenants that call a tool, at once."""

from __future__ import annotations

import asyncio

import openai_agents
from conftest import Arrived
from fake_openai import FakeOpenAI, answer_to, words

TENANTS = ["acme", "globex", "umbrella"]
COUNT = 5


def test_each_run_is_whole_at_its_tenant(arrived: Arrived, fake: FakeOpenAI) -> None:
    keys = {tenant: f"key-{number}" for number, tenant in enumerate(TENANTS)}

    async def all_of_them() -> list[str]:
        return await asyncio.gather(
            *(openai_agents.ask(it, f"Is this {it} ?", f"model-{it}") for it in TENANTS * COUNT),
            # A tenant without a tracer: its traces are dropped.
            openai_agents.ask("stranger", "Is this a stranger ?", "model"),
        )

    with openai_agents.instrumented(arrived.endpoint, keys):
        answers = asyncio.run(all_of_them())
    expected = [answer_to(f"Is this {it} ?") for it in TENANTS * COUNT]
    assert answers == [*expected, answer_to("Is this a stranger ?")]
    assert len(fake.requests) == 2 * len(answers)

    arrived.assert_apart({tenant: f"Bearer {key}" for tenant, key in keys.items()})
    arrived.assert_whole()
    for tenant, key in keys.items():
        question = words("Look at the weather.") + words(f"Is this {tenant} ?")
        names = ("llm.model_name", "llm.token_count.prompt", "llm.token_count.completion")
        assert arrived.calls_at(f"Bearer {key}", *names) == {
            # The call of the tool, and the answer with its result.
            (f"model-{tenant}", question, words("a call")): COUNT,
            (f"model-{tenant}", question + words("sunny"), words(answers[0])): COUNT,
        }
        tools = [it for it in arrived.attributes_at(f"Bearer {key}") if "tool.name" in it]
        assert [(it["tool.name"], it["output.value"]) for it in tools] == [
            ("weather", "sunny")
        ] * COUNT
