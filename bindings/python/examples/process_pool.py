"""Jobs of tenants in a pool of processes that are forked, as Celery and gunicorn do.

The parent loads the selectors, the components of the directory ``selectors``, before it forks; each
child decides with them at once. A child makes its own exporters, because those of the parent may
hold open connections, which two processes cannot share. It flushes after each job, because a pool
ends its children without notice.

    TRACES_ENDPOINT=http://127.0.0.1:4318/v1/traces python process_pool.py
"""

import multiprocessing
import os
from collections.abc import Iterable
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import spanmux
from spanmux.opentelemetry import RoutingTracerProvider, run_context

SELECTORS = Path(__file__).resolve().parents[3] / "selectors"
#: The tracers, and the keys with which they send. The first one is the default.
KEYS = {"quarantine": "key-q", "tenant-acme": "key-acme", "tenant-umbrella": "key-umbrella"}
_of_child: RoutingTracerProvider


def provider_of(endpoint: str, policy: spanmux.Policy) -> RoutingTracerProvider:
    """Returns a provider whose tracers send to one receiver, each with a key of its own."""

    def processor(key: str) -> BatchSpanProcessor:
        headers = {"authorization": f"Bearer {key}"}
        return BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, headers=headers))

    tracers = {name: processor(key) for name, key in KEYS.items()}
    return RoutingTracerProvider(tracers, selectors=policy)


def start_child(endpoint: str, policy: spanmux.Policy) -> None:
    """Prepares a child; in Celery, the signal ``worker_process_init`` calls such a function."""
    global _of_child
    _of_child = provider_of(endpoint, policy)


def job(tenant: str, number: int) -> tuple[str, int, int]:
    """Does one job in a child. Returns the tenant, the trace and the process."""
    tracer = _of_child.get_tracer("jobs")
    with run_context(tenant=tenant), tracer.start_as_current_span(f"job {number}") as span:
        tracer.start_span(f"step of {tenant}").end()
    if not _of_child.force_flush():
        raise RuntimeError("the spans of a job were not sent")
    return tenant, span.get_span_context().trace_id, os.getpid()


def run(
    endpoint: str, jobs: Iterable[tuple[str, int]], processes: int = 4
) -> list[tuple[str, int, int]]:
    """Does all jobs in a pool of children. The parent has sent spans of its own before."""
    with spanmux.Policy(SELECTORS) as policy:
        of_parent = provider_of(endpoint, policy)
        with run_context(tenant="acme"):
            of_parent.get_tracer("jobs").start_span("start").end()
        of_parent.force_flush()
        fork = multiprocessing.get_context("fork")
        with fork.Pool(processes, start_child, (endpoint, policy)) as pool:
            done = pool.starmap(job, jobs, chunksize=1)
        of_parent.shutdown()
    return done


if __name__ == "__main__":
    given = os.environ.get("TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces")
    print(run(given, [(tenant, number) for tenant in ("acme", "umbrella") for number in range(5)]))
