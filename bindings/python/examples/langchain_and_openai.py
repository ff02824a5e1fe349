"""LangChain and the OpenAI SDK, instrumented by OpenInference, with a tracer for each tenant.

The selectors are the components of the directory ``selectors``. All spans of a question go to the
tracer of its tenant: those of the chain, also on the threads of a batch, and those of the SDK.

    OPENAI_API_KEY=… TRACES_ENDPOINT=http://127.0.0.1:4318/v1/traces python langchain_and_openai.py

``OPENAI_BASE_URL`` names another server that has the same API.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from openai import OpenAI
from openinference.instrumentation.langchain import LangChainInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from spanmux.opentelemetry import RoutingTracerProvider, run_context

SELECTORS = Path(__file__).resolve().parents[3] / "selectors"
#: The tracers, and the keys with which they send. The first one is the default.
KEYS = {"quarantine": "key-q", "tenant-acme": "key-acme", "tenant-umbrella": "key-umbrella"}


@contextmanager
def instrumented(endpoint: str) -> Iterator[RoutingTracerProvider]:
    """Instruments both libraries with a provider, which sends its last spans at the end."""

    def processor(key: str) -> BatchSpanProcessor:
        headers = {"authorization": f"Bearer {key}"}
        return BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, headers=headers))

    tracers = {name: processor(key) for name, key in KEYS.items()}
    provider = RoutingTracerProvider(tracers, selectors=SELECTORS)
    instrumentors = (LangChainInstrumentor(), OpenAIInstrumentor())
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=provider)
    try:
        yield provider
    finally:
        for instrumentor in instrumentors:
            instrumentor.uninstrument()
        provider.shutdown()


def ask(provider: RoutingTracerProvider, tenant: str, question: str, model: str) -> list[str]:
    """Asks by a chain and by the SDK, with and without a stream, in one trace."""
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{question}")])
    chain = prompt | ChatOpenAI(model=model, stream_usage=True) | StrOutputParser()
    create = OpenAI().chat.completions.create
    given: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": question}]}
    tracer = provider.get_tracer("questions")
    with run_context(tenant=tenant), tracer.start_as_current_span("question"):
        answers = chain.batch([{"question": question}] * 2)  # On two threads.
        answers.append("".join(chain.stream({"question": question})))
        answers.append(create(**given).choices[0].message.content)
        stream = create(**given, stream=True, stream_options={"include_usage": True})
        answers.append("".join(it.choices[0].delta.content or "" for it in stream if it.choices))
    return answers


if __name__ == "__main__":
    with instrumented(os.environ["TRACES_ENDPOINT"]) as made:
        print(ask(made, "acme", "Why is the sky blue?", "gpt-4o-mini"))
