"""Tasks of tenants in a Celery worker, whose pool of processes is forked (prefork).

The parent of the pool loads the selectors, the components of the directory ``selectors``, and each
child decides with them at once. A child makes its own exporters, because two processes cannot share
an open connection, and shuts them down when it ends. Broker and results are directories here, so
that no server is needed.

    TRACES_ENDPOINT=http://127.0.0.1:4318/v1/traces python celery_tenants.py

starts a worker, sends tasks and stops the worker. In production, a worker is started alone:

    celery --app celery_tenants worker --concurrency 4
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from celery import Celery
from celery.result import AsyncResult
from celery.signals import (
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutdown,
)
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import spanmux
from spanmux.opentelemetry import RoutingTracerProvider, run_context

SELECTORS = Path(__file__).resolve().parents[3] / "selectors"
ENDPOINT = os.environ.get("TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces")
#: The tracers, and the keys with which they send. The first one is the default.
KEYS = {"quarantine": "key-q", "tenant-acme": "key-acme", "tenant-umbrella": "key-umbrella"}


def app_in(folder: Path) -> Celery:
    """Returns an application whose broker and results are in a directory."""
    for name in ("queue", "control", "results"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    app = Celery("tenants", broker="filesystem://", backend=f"file://{folder / 'results'}")
    app.conf.update(
        broker_transport_options={
            "data_folder_in": str(folder / "queue"),
            "data_folder_out": str(folder / "queue"),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.05,
        },
        broker_connection_retry_on_startup=True,
        # The worker confirms a task when it is done.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
    )
    return app


app = app_in(Path(os.environ.get("TENANTS_FOLDER") or tempfile.mkdtemp(prefix="tenants-")))
_policy: spanmux.Policy
_of_child: RoutingTracerProvider


@worker_init.connect
def open_policy(**_: object) -> None:
    """Loads the selectors once, before the pool forks."""
    global _policy
    _policy = spanmux.Policy(SELECTORS)


@worker_shutdown.connect
def close_policy(**_: object) -> None:
    """Stops watching the selectors."""
    _policy.close()


@worker_process_init.connect
def start_child(**_: object) -> None:
    """Makes the exporters of a child, each with the key of its tenant."""
    global _of_child

    def processor(key: str) -> BatchSpanProcessor:
        headers = {"authorization": f"Bearer {key}"}
        return BatchSpanProcessor(OTLPSpanExporter(endpoint=ENDPOINT, headers=headers))

    tracers = {name: processor(key) for name, key in KEYS.items()}
    _of_child = RoutingTracerProvider(tracers, selectors=_policy)


@worker_process_shutdown.connect
def stop_child(**_: object) -> None:
    """Sends what is left."""
    _of_child.shutdown()


@app.task(name="job")
def job(tenant: str, number: int) -> tuple[str, str, int]:
    """Does one job of a tenant. Returns the tenant, the trace and the process."""
    tracer = _of_child.get_tracer("jobs")
    with run_context(tenant=tenant), tracer.start_as_current_span(f"job {number}") as span:
        tracer.start_span(f"step of {tenant}").end()
    # JSON has no number of this size.
    return tenant, f"{span.get_span_context().trace_id:032x}", os.getpid()


def start_worker(folder: Path, processes: int, *options: str) -> "subprocess.Popen[bytes]":
    """Starts a worker for the tasks of a directory."""
    here = str(Path(__file__).parent)
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "celery", "--app", "celery_tenants", "worker"]
    command += ["--pool", "prefork", "--concurrency", str(processes), "--loglevel", "warning"]
    environment = {**os.environ, "TENANTS_FOLDER": str(folder), "PYTHONPATH": path}
    return subprocess.Popen(
        [*command, "--without-gossip", "--without-mingle", "--without-heartbeat", *options],
        env=environment,
    )


def run(
    folder: Path, jobs: Iterable[tuple[str, int]], processes: int = 4, *options: str
) -> list[tuple[str, str, int]]:
    """Does all jobs in a worker, and stops it when they are done."""
    tasks = app_in(folder).signature
    sent: list[AsyncResult] = [tasks("job", args=one).apply_async() for one in jobs]
    worker = start_worker(folder, processes, *options)
    try:
        return [tuple(result.get(timeout=120, interval=0.05)) for result in sent]
    finally:
        # A warm shutdown: the children end their tasks.
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(timeout=30)
        except subprocess.TimeoutExpired:
            # The pool of Celery can wait for a lock of a child that has ended.
            worker.kill()
            worker.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as given:
        print(run(Path(given), [(tenant, n) for tenant in ("acme", "umbrella") for n in range(5)]))
