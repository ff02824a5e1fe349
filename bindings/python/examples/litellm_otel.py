"""LiteLLM with its OpenTelemetry callback, and a tracer for each tenant.

LiteLLM makes its spans after a call, on a thread or in a task of its own, but in a copy of the
caller's context: there is the caller's span, whose tracer they follow. A Python function selects
the tracer of the tenant.

    OPENAI_API_KEY=… TRACES_ENDPOINT=http://127.0.0.1:4318/v1/traces python litellm_otel.py

``OPENAI_BASE_URL`` names another server that has the same API.
"""

import asyncio
import os
from collections.abc import Mapping

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # Fetches no list of prices.
# A span of its own for each call, which else adds its attributes to the caller's span.
os.environ["USE_OTEL_LITELLM_REQUEST_SPAN"] = "true"

import litellm
from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from spanmux.opentelemetry import RoutingTracerProvider, run_context
from spanmux.testing import policy_of


def by_tenant(context: Mapping[str, object], tracers: list[str]) -> str | None:
    """Selects the tracer with the name of the tenant; the default takes unknown tenants."""
    tenant = context.get("tenant")
    return tenant if isinstance(tenant, str) and tenant in tracers else None


def instrumented(endpoint: str, keys: Mapping[str, str]) -> RoutingTracerProvider:
    """Gives LiteLLM a provider that has a tracer for each tenant."""

    def processor(key: str) -> BatchSpanProcessor:
        headers = {"authorization": f"Bearer {key}"}
        return BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, headers=headers))

    tracers = {"drop": [], **{tenant: [processor(key)] for tenant, key in keys.items()}}
    provider = RoutingTracerProvider(tracers, selectors=policy_of(by_tenant))
    litellm.telemetry = False
    litellm.callbacks = [OpenTelemetry(OpenTelemetryConfig(), tracer_provider=provider)]
    return provider


async def ask(provider: RoutingTracerProvider, tenant: str, question: str, model: str) -> list[str]:
    """Asks for an answer at once, for a stream, and from a thread without a loop."""
    given = {"model": model, "messages": [{"role": "user", "content": question}]}
    tracer = provider.get_tracer("questions")
    with run_context(tenant=tenant), tracer.start_as_current_span("question"):
        answer = await litellm.acompletion(**given)
        usage = {"include_usage": True}
        stream = await litellm.acompletion(**given, stream=True, stream_options=usage)
        parts = [it.choices[0].delta.content or "" async for it in stream if it.choices]
        other = await asyncio.to_thread(litellm.completion, **given)
    return [answer.choices[0].message.content, "".join(parts), other.choices[0].message.content]


async def main() -> None:
    """Asks one question."""
    keys = {"acme": os.environ.get("ACME_KEY", "key")}
    provider = instrumented(os.environ["TRACES_ENDPOINT"], keys)
    print(await ask(provider, "acme", "Why is the sky blue?", "openai/gpt-4o-mini"))
    # The callbacks run after the answers. The provider sends the last spans when the process exits.
    await GLOBAL_LOGGING_WORKER.flush()


if __name__ == "__main__":
    asyncio.run(main())
