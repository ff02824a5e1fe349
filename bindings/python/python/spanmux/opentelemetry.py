"""Routes the spans of OpenTelemetry: each trace goes to the tracer that a policy selects.

>>> from spanmux.opentelemetry import RoutingTracerProvider, run_context
>>> provider = RoutingTracerProvider(
...     tracers={"langfuse": langfuse_processor, "console": ConsoleSpanExporter()},
...     selectors="selectors",
... )  # doctest: +SKIP
>>> trace.set_tracer_provider(provider)  # doctest: +SKIP
>>> with run_context(environment="production", tenant="acme"):
...     agent.invoke(question)  # doctest: +SKIP

The decision is made once, when a root span starts. Its children go to the same tracer, on any
thread and in any task, also after the root has ended. Nothing here raises into the code that is
traced: a failure sends the trace to the fallback tracer, and the root span has the reason.
"""

from ._routing.context import current_run_context, run_context
from ._routing.provider import RoutingTracerProvider, TracerView

__all__ = ["RoutingTracerProvider", "TracerView", "current_run_context", "run_context"]
