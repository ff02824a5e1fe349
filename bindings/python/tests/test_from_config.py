"""A provider from a configuration file: the exporters of the Rust library deliver the spans."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

import spanmux
from receiver import Receiver
from spanmux.opentelemetry import RoutingTracerProvider, run_context

Open = Callable[..., RoutingTracerProvider]


def by_tenant(context: dict[str, object], tracers: list[str]) -> str | None:
    tenant = context.get("tenant")
    return tenant if isinstance(tenant, str) else None


BY_TENANT = [("by-tenant", by_tenant)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def open_config(tmp_path: Path) -> Iterator[Open]:
    opened: list[RoutingTracerProvider] = []

    def make(text: str, **settings: object) -> RoutingTracerProvider:
        path = tmp_path / "spanmux.toml"
        path.write_text(text)
        provider = RoutingTracerProvider.from_config(
            path,
            selectors=BY_TENANT,
            shutdown_on_exit=False,
            **settings,  # type: ignore[arg-type]
        )
        opened.append(provider)
        return provider

    yield make
    for provider in opened:
        provider.shutdown(5_000)


def otlp(receiver: Receiver, *tracers: str) -> str:
    return receiver.config({name: f"key of {name}" for name in tracers})


def closed_port() -> int:
    """A port of loopback on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_spans_arrive_at_their_tracer_and_are_counted(
    receiver: Receiver, open_config: Open
) -> None:
    provider = open_config(otlp(receiver, "console", "acme"))
    tracer = provider.get_tracer("tests", "1.0", attributes={"team": "a"})
    for tenant in ["acme", "console", "acme"]:
        with run_context(tenant=tenant), tracer.start_as_current_span(f"root of {tenant}"):
            tracer.start_span("child").end()
    assert provider.force_flush(10_000)
    names = {key: sorted(span.name for span in spans) for key, spans in receiver.spans.items()}
    assert names == {
        "key of acme": ["child", "child", "root of acme", "root of acme"],
        "key of console": ["child", "root of console"],
    }
    delivery = provider.delivery()
    assert delivery["acme"]["otlp"]["ended"] == delivery["acme"]["otlp"]["delivered"] == 4
    assert delivery["console"]["otlp"]["delivered"] == 2
    assert delivery["console"]["otlp"]["lost"] == 0


def test_every_part_of_a_span_arrives(receiver: Receiver, open_config: Open) -> None:
    provider = open_config(otlp(receiver, "only"))
    tracer = provider.get_tracer("tests", "1.0", "https://example.com/schema")
    other = tracer.start_span("other")
    other.end()
    with tracer.start_as_current_span(
        "root", kind=SpanKind.CLIENT, links=[Link(other.get_span_context(), {"why": "retry"})]
    ) as root:
        root.set_attributes(
            {
                "text": "größe",
                "yes": True,
                "count": 7,
                "big": 2**62,
                "ratio": 0.5,
                "texts": ["a", "b"],
                "counts": [1, 2],
                "flags": [True, False],
                "ratios": [0.5, 1.5],
                "none": [],
                "password": "hunter2",
            }
        )
        root.add_event("retried", {"attempt": 2})
        root.set_status(Status(StatusCode.ERROR, "no answer"))
        child = tracer.start_span("child", start_time=1_000, attributes={"lone": "\udc80"})
        child.end(2_000)
    assert provider.force_flush(10_000)
    spans = {span.name: span for span in receiver.spans["key of only"]}
    root_span, child_span = spans["root"], spans["child"]
    values = {it.key: it.value for it in root_span.attributes}
    assert values["text"].string_value == "größe"
    assert values["yes"].bool_value is True
    assert values["count"].int_value == 7
    assert values["big"].int_value == 2**62
    assert values["ratio"].double_value == 0.5
    assert [it.string_value for it in values["texts"].array_value.values] == ["a", "b"]
    assert [it.int_value for it in values["counts"].array_value.values] == [1, 2]
    assert [it.bool_value for it in values["flags"].array_value.values] == [True, False]
    assert [it.double_value for it in values["ratios"].array_value.values] == [0.5, 1.5]
    assert len(values["none"].array_value.values) == 0
    assert values["password"].string_value == "[REDACTED]"
    assert values["spanmux.tracer"].string_value == "only"
    assert root_span.kind == 3  # client
    assert (root_span.status.code, root_span.status.message) == (2, "no answer")
    assert [(it.name, it.attributes[0].value.int_value) for it in root_span.events] == [
        ("retried", 2)
    ]
    assert root_span.links[0].span_id == other.get_span_context().span_id.to_bytes(8, "big")
    assert root_span.links[0].attributes[0].value.string_value == "retry"
    assert child_span.parent_span_id == root_span.span_id
    assert child_span.trace_id == root_span.trace_id
    assert (child_span.start_time_unix_nano, child_span.end_time_unix_nano) == (1_000, 2_000)
    assert provider.delivery()["only"]["otlp"]["redacted"] == 1


def test_resource_is_that_of_the_process_and_the_file(tmp_path: Path, open_config: Open) -> None:
    path = tmp_path / "spans.jsonl"
    provider = open_config(
        f"""
        service = "shop"
        [tracers.file]
        resource = {{ "deployment.environment" = "of the file" }}
        exporter = {{ type = "file", path = "{path}" }}
        """,
        resource=Resource.create({"host.name": "h-1", "deployment.environment": "of the process"}),
    )
    provider.get_tracer("tests").start_span("root").end()
    assert provider.force_flush(10_000)
    resource = json.loads(path.read_text())["resourceSpans"][0]["resource"]
    values = {it["key"]: it["value"].get("stringValue") for it in resource["attributes"]}
    assert values["service.name"] == "shop"
    assert values["telemetry.sdk.language"] == "python"
    assert values["host.name"] == "h-1"
    assert values["deployment.environment"] == "of the file"


def test_mistakes_are_reported_together_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "spanmux.toml"
    path.write_text(
        'service = "shop"\n'
        'tracers.a.exporter = { type = "langfues" }\n'
        'tracers.b.exporter = { type = "console" }\n'
        "tracers.b.sampling = { ratio = 2 }\n"
    )
    with pytest.raises(spanmux.PolicyError) as raised:
        RoutingTracerProvider.from_config(path)
    message = str(raised.value)
    assert 'unknown type "langfues"; did you mean "langfuse"?' in message
    assert "spanmux.toml:2:" in message and "spanmux.toml:4:" in message
    with pytest.raises(spanmux.PolicyError, match=r"missing\.toml"):
        RoutingTracerProvider.from_config(tmp_path / "missing.toml")


def test_program_provides_a_tracer(open_config: Open) -> None:
    text = 'service = "shop"\ntracers.own.type = "provided"\ntracers.no.exporter.type = "discard"'
    with pytest.raises(spanmux.PolicyError, match='the tracer "own" has the type "provided"'):
        open_config(text)
    exporter = InMemorySpanExporter()
    provider = open_config(text, tracers={"own": SimpleSpanProcessor(exporter)})
    assert provider.tracer_names == ["own", "no"]
    with run_context(tenant="own"):
        provider.get_tracer("tests").start_span("root").end()
    assert [span.name for span in exporter.get_finished_spans()] == ["root"]


def test_shares_of_traces_are_recorded_whole(receiver: Receiver, open_config: Open) -> None:
    inline = (
        f'{{ type = "otlp", endpoint = "{receiver.url}", headers = {{ authorization = "%s" }} }}'
    )
    text = 'service = "shop"\n' + "\n".join(
        f"[tracers.{name}]\nexporter = {inline % name}\nsampling = {sampling}"
        for name, sampling in [
            ("all", '"always"'),
            ("half", "{ ratio = 0.5 }"),
            ("none", '"never"'),
        ]
    )
    provider = open_config(text)
    tracer = provider.get_tracer("tests")
    for _ in range(200):
        for tenant in ["all", "half", "none"]:
            with run_context(tenant=tenant), tracer.start_as_current_span("root"):
                tracer.start_span("child").end()
    assert provider.force_flush(10_000)
    assert len(receiver.spans["all"]) == 400
    assert len(receiver.spans["none"]) == 0
    half = receiver.spans["half"]
    assert 120 < len(half) < 280
    roots = {span.trace_id for span in half if not span.parent_span_id}
    assert len(half) == 2 * len(roots)


def test_context_of_the_file_is_followed(receiver: Receiver, open_config: Open) -> None:
    text = otlp(receiver, "console", "acme")
    text += '\n[context]\ninbound = "tracestate"\ncopy_to_spans = ["tenant"]\n'
    provider = open_config(text)
    caller = trace.SpanContext(
        1, 2, True, trace.TraceFlags(1), trace.TraceState([("spanmux", "acme")])
    )
    parent = trace.set_span_in_context(trace.NonRecordingSpan(caller))
    with run_context(tenant="console"):
        provider.get_tracer("tests").start_span("root", context=parent).end()
    assert provider.force_flush(10_000)
    [span] = receiver.spans["key of acme"]
    values = {it.key: it.value.string_value for it in span.attributes}
    assert values["tenant"] == "console"
    assert values["spanmux.inbound"] == "tracestate"
    assert span.parent_span_id == (2).to_bytes(8, "big")


def test_backend_that_hangs_delays_no_span(open_config: Open) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        port = listener.getsockname()[1]
        provider = open_config(
            f'service = "shop"\n'
            f'tracers.a.exporter = {{ type = "otlp", endpoint = "http://127.0.0.1:{port}" }}'
        )
        tracer = provider.get_tracer("tests")
        before = time.monotonic()
        for _ in range(100):
            tracer.start_span("root").end()
        # Far below the time of one request.
        assert time.monotonic() - before < 4.0
        assert not provider.force_flush(200)
        assert provider.delivery()["a"]["otlp"]["waiting"] == 100
        before = time.monotonic()
        provider.shutdown(300)
        assert time.monotonic() - before < 4.0
        counts = provider.delivery()["a"]["otlp"]
        assert counts["delivered"] == 0 and counts["ended"] == 100


def test_disk_buffer_keeps_spans_over_an_outage_and_a_restart(
    tmp_path: Path, open_config: Open, receiver: Receiver
) -> None:
    def text(endpoint: str) -> str:
        return f"""
            service = "shop"
            [tracers.a.exporter]
            type = "otlp"
            endpoint = "{endpoint}"
            spill = {{ directory = "{tmp_path}/buffer" }}
        """

    down = open_config(text(f"http://127.0.0.1:{closed_port()}"))
    for number in range(50):
        down.get_tracer("tests").start_span(f"span {number}").end()
    down.shutdown(5_000)
    counts = down.delivery()["a"]["otlp"]
    assert (counts["buffered"], counts["lost"]) == (50, 0)
    up = open_config(text(receiver.url))
    deadline = time.monotonic() + 30
    while len(receiver.spans[""]) < 50 and time.monotonic() < deadline:
        up.force_flush(5_000)
        time.sleep(0.05)
    assert sorted(span.name for span in receiver.spans[""]) == sorted(
        f"span {number}" for number in range(50)
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_children_of_a_fork_deliver_their_own_spans(receiver: Receiver, open_config: Open) -> None:
    provider = open_config(otlp(receiver, "acme"))
    tracer = provider.get_tracer("tests")
    tracer.start_span("of the parent").end()
    is_over = threading.Event()

    def load() -> None:
        while not is_over.is_set():
            tracer.start_span("load").end()
            # Slower than the exporter: a full queue loses spans, as it should.
            time.sleep(0.001)

    thread = threading.Thread(target=load)
    thread.start()
    children = []
    for number in range(10):
        child = os.fork()
        if child == 0:
            tracer.start_span(f"of child {number}").end()
            os._exit(0 if provider.force_flush(20_000) else 1)
        children.append(child)
    results = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    is_over.set()
    thread.join()
    assert results == [0] * 10
    assert provider.force_flush(10_000)
    names = [span.name for span in receiver.spans["key of acme"] if span.name != "load"]
    assert sorted(names) == sorted(["of the parent", *(f"of child {it}" for it in range(10))])


PROGRAM = """
import sys
from spanmux.opentelemetry import RoutingTracerProvider
provider = RoutingTracerProvider.from_config(sys.argv[1])
tracer = provider.get_tracer("tests")
with tracer.start_as_current_span("answer"):
    with tracer.start_as_current_span("look up"):
        pass
"""


def test_console_prints_the_whole_trace_at_the_exit_of_the_program(tmp_path: Path) -> None:
    path = tmp_path / "spanmux.toml"
    path.write_text('service = "shop"\ntracers.console.exporter.type = "console"')
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert "answer" in done.stdout and done.stdout.index("answer") < done.stdout.index("look up")
    assert len([line for line in lines if "shop" in line]) == 1, done.stdout
    assert done.stderr == ""
