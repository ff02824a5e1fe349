"""An agent of the OpenAI Agents SDK that calls a tool, with a tracer for each tenant.

The instrumentation of OpenInference replaces the exporter of the SDK, so that no trace goes to
OpenAI. A Python function selects the tracer of the tenant.

    OPENAI_API_KEY=… TRACES_ENDPOINT=http://127.0.0.1:4318/v1/traces python openai_agents.py

``OPENAI_BASE_URL`` names another server that has the same API.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool
from openai import AsyncOpenAI
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from spanmux.opentelemetry import RoutingTracerProvider, run_context
from spanmux.testing import policy_of


def by_tenant(context: Mapping[str, object], tracers: list[str]) -> str | None:
    """Selects the tracer with the name of the tenant; the default takes unknown tenants."""
    tenant = context.get("tenant")
    return tenant if isinstance(tenant, str) and tenant in tracers else None


@contextmanager
def instrumented(endpoint: str, keys: Mapping[str, str]) -> Iterator[RoutingTracerProvider]:
    """Instruments the SDK with a provider that has a tracer for each tenant."""

    def processor(key: str) -> BatchSpanProcessor:
        headers = {"authorization": f"Bearer {key}"}
        return BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, headers=headers))

    tracers = {"drop": [], **{tenant: [processor(key)] for tenant, key in keys.items()}}
    provider = RoutingTracerProvider(tracers, selectors=policy_of(by_tenant))
    OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
    try:
        yield provider
    finally:
        OpenAIAgentsInstrumentor().uninstrument()
        provider.shutdown()


@function_tool
def weather() -> str:
    """Returns the weather."""
    return "sunny"


async def ask(tenant: str, question: str, model: str) -> str:
    """Asks an agent, which calls the tool and then answers."""
    async with AsyncOpenAI() as client:
        agent = Agent(
            name="forecaster",
            instructions="Look at the weather.",
            model=OpenAIChatCompletionsModel(model=model, openai_client=client),
            tools=[weather],
        )
        with run_context(tenant=tenant):
            return str((await Runner.run(agent, question)).final_output)


if __name__ == "__main__":
    with instrumented(os.environ["TRACES_ENDPOINT"], {"acme": os.environ.get("ACME_KEY", "key")}):
        print(asyncio.run(ask("acme", "Do I need an umbrella?", "gpt-4o-mini")))
