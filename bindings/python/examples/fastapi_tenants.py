"""A FastAPI service with a tenant for each request, whose traces stay apart.

Each tenant has a tracer with a batch processor, an exporter and a key of its own. The header
``x-tenant`` names the tenant of a request; a real service takes it from a verified token.

    TENANT_KEYS=acme=key-1,globex=key-2 uvicorn --factory fastapi_tenants:from_environment
    curl -H "x-tenant: acme" http://127.0.0.1:8000/answer

``TRACES_ENDPOINT`` is the receiver of OTLP; the default is ``http://127.0.0.1:4318/v1/traces``.
"""

import asyncio
import os
from collections.abc import Mapping

from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from starlette.types import ASGIApp, Receive, Scope, Send

from spanmux.opentelemetry import RoutingTracerProvider, run_context
from spanmux.testing import policy_of


def by_tenant(context: Mapping[str, object], tracers: list[str]) -> str | None:
    """Selects the tracer with the name of the tenant; the default takes unknown tenants."""
    tenant = context.get("tenant")
    return tenant if isinstance(tenant, str) and tenant in tracers else None


def provider_of(endpoint: str, keys: Mapping[str, str]) -> RoutingTracerProvider:
    """Returns a provider with a tracer for each tenant, and one that drops other traces."""

    def processor(key: str) -> BatchSpanProcessor:
        headers = {"authorization": f"Bearer {key}"}
        return BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, headers=headers))

    tracers = {"drop": [], **{tenant: [processor(key)] for tenant, key in keys.items()}}
    return RoutingTracerProvider(tracers, selectors=policy_of(by_tenant))


class TenantOfHeader:
    """Puts the tenant in the run context. A middleware of FastAPI is inside the root span."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps an instrumented app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        tenant = dict(scope.get("headers", ())).get(b"x-tenant", b"").decode("latin-1")
        with run_context(tenant=tenant):
            await self.app(scope, receive, send)


def service(provider: RoutingTracerProvider) -> ASGIApp:
    """Returns the service."""
    app = FastAPI()
    tracer = provider.get_tracer("service")

    @app.get("/answer")
    async def answer() -> dict[str, str]:
        with tracer.start_as_current_span("answer") as span:
            await asyncio.to_thread(lambda: tracer.start_span("look-up").end())
            return {"trace": f"{span.get_span_context().trace_id:032x}"}

    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=provider, exclude_spans=["receive", "send"]
    )
    return TenantOfHeader(app)


def from_environment() -> ASGIApp:
    """Returns the service with the settings of the environment."""
    keys = dict(pair.split("=", 1) for pair in os.environ["TENANT_KEYS"].split(","))
    endpoint = os.environ.get("TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces")
    return service(provider_of(endpoint, keys))
