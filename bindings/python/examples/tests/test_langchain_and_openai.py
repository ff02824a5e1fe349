"""Questions of tenants through LangChain and the OpenAI SDK, at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import langchain_and_openai
from conftest import Arrived
from fake_openai import FakeOpenAI, answer_to, words

KEY_OF = {"acme": "Bearer key-acme", "umbrella": "Bearer key-umbrella", "stranger": "Bearer key-q"}
COUNT = 5


def test_each_question_is_whole_at_its_tenant(arrived: Arrived, fake: FakeOpenAI) -> None:
    with (
        langchain_and_openai.instrumented(arrived.endpoint) as provider,
        ThreadPoolExecutor(8) as pool,
    ):

        def one(tenant: str) -> list[str]:
            question = f"Is this {tenant} ?"
            return langchain_and_openai.ask(provider, tenant, question, f"model-{tenant}")

        for tenant, answers in zip(
            [*KEY_OF] * COUNT, pool.map(one, [*KEY_OF] * COUNT), strict=True
        ):
            assert answers == [answer_to(f"Is this {tenant} ?")] * 5

    assert len(fake.requests) == COUNT * len(KEY_OF) * 5
    assert sum(bool(it.get("stream")) for it in fake.requests) == COUNT * len(KEY_OF) * 2
    arrived.assert_apart(KEY_OF)
    arrived.assert_whole()
    for tenant, key in KEY_OF.items():
        question = words(f"Is this {tenant} ?")
        answer, system = question + 2, words("Be brief.")
        calls = arrived.calls_at(
            key, "llm.model_name", "llm.token_count.prompt", "llm.token_count.completion"
        )
        # A call of LangChain has a span of each library: two of the batch, and one of the stream.
        assert calls == {
            (f"model-{tenant}", system + question, answer): COUNT * 3 * 2,
            (f"model-{tenant}", question, answer): COUNT * 2,
        }
        names = [span.name for span in arrived.at(key)]
        assert {name: names.count(name) for name in set(names)} == {
            "question": COUNT,
            "RunnableSequence": COUNT * 3,
            "ChatPromptTemplate": COUNT * 3,
            "ChatOpenAI": COUNT * 3,
            "StrOutputParser": COUNT * 3,
            "ChatCompletion": COUNT * 5,
        }
