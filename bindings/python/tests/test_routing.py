"""The routing of spans."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

import spanmux
from conftest import SELECTORS, Make, Tracers
from spanmux.opentelemetry import RoutingTracerProvider, current_run_context, run_context


def remote(trace_id: int, state: TraceState | None = None) -> otel_context.Context:
    ids = SpanContext(trace_id, 99, True, TraceFlags(1), state or TraceState())
    return trace.set_span_in_context(NonRecordingSpan(ids))


def test_children_follow_their_root(tracers: Make) -> None:
    made = tracers()
    with run_context(tenant="acme"), made.tracer.start_as_current_span("root") as root:
        with made.tracer.start_as_current_span("child"):
            made.tracer.start_span("grandchild").end()
        inside = otel_context.get_current()
    # After the root has ended, without its run context, by object and by ids.
    made.tracer.start_span("late", context=inside).end()
    rebuilt = trace.set_span_in_context(NonRecordingSpan(root.get_span_context()))
    made.tracer.start_span("rebuilt", context=rebuilt).end()
    assert made.names() == {"tenant-acme": ["grandchild", "child", "root", "late", "rebuilt"]}


def test_root_has_the_reason_and_children_do_not(tracers: Make) -> None:
    made = tracers()
    with run_context(tenant="acme"), made.tracer.start_as_current_span("root"):
        made.tracer.start_span("child").end()
    child, root = made.spans("tenant-acme")
    assert not child.attributes
    assert root.attributes is not None
    assert root.attributes["spanmux.tracer"] == "tenant-acme"
    assert root.attributes["spanmux.selector"] == "20-tenant"
    assert len(str(root.attributes["spanmux.selector.digest"])) == 64
    assert "spanmux.fallback" not in root.attributes
    assert root.context is not None
    assert root.context.trace_state.get("spanmux") == "tenant-acme"


def test_wrong_context_reaches_the_fallback_and_not_the_caller(tracers: Make) -> None:
    made = tracers(fallback="langfuse")
    with run_context(tenant={1, 2}):
        made.tracer.start_span("root").end()
    (root,) = made.spans("langfuse")
    assert root.attributes is not None
    assert root.attributes["spanmux.fallback"] == "incomplete_context"
    assert "`tenant`" in str(root.attributes["spanmux.fallback.reason"])


@pytest.mark.parametrize(
    ("inbound", "expected"), [("select", "tenant-acme"), ("tracestate", "langfuse")]
)
def test_choice_of_a_remote_parent(tracers: Make, inbound: str, expected: str) -> None:
    made = tracers(inbound=inbound)
    state = TraceState([("spanmux", "langfuse:1-2"), ("vendor", "1")])
    with run_context(tenant="acme"):
        made.tracer.start_span("root", context=remote(5, state)).end()
    assert made.names() == {expected: ["root"]}
    (root,) = made.spans(expected)
    assert root.context is not None
    assert list(root.context.trace_state.items()) == [("spanmux", expected), ("vendor", "1")]


def test_unknown_choice_of_a_remote_parent_is_decided_here(tracers: Make) -> None:
    made = tracers(inbound="both")
    with run_context(tenant="acme"):
        made.tracer.start_span("a", context=remote(5, TraceState([("spanmux", "no")]))).end()
        carried = baggage.set_baggage("spanmux.tracer", "langfuse", remote(6))
        made.tracer.start_span("b", context=carried).end()
    assert made.names() == {"tenant-acme": ["a"], "langfuse": ["b"]}


def test_two_local_roots_of_one_trace_can_differ(tracers: Make) -> None:
    made = tracers()
    with run_context(tenant="acme"):
        first = made.tracer.start_span("first", context=remote(7))
    second = made.tracer.start_span("second", context=remote(7))
    for name, parent in (("of first", first), ("of second", second)):
        made.tracer.start_span(name, context=trace.set_span_in_context(parent)).end()
        rebuilt = NonRecordingSpan(parent.get_span_context())
        made.tracer.start_span(name, context=trace.set_span_in_context(rebuilt)).end()
    first.end()
    second.end()
    assert made.names() == {
        "tenant-acme": ["of first", "of first", "first"],
        "console": ["of second", "of second", "second"],
    }


def test_32_members_of_tracestate_are_kept_at_most(tracers: Make) -> None:
    made = tracers()
    state = TraceState([(f"v{number}", "1") for number in range(32)])
    span = made.tracer.start_span("root", context=remote(8, state))
    members = list(span.get_span_context().trace_state)
    assert members == ["spanmux", *(f"v{number}" for number in range(31))]


def test_unsampled_root_is_not_decided(tracers: Make) -> None:
    made = tracers(sampler=ALWAYS_OFF)
    span = made.tracer.start_span("root")
    assert not span.is_recording()
    assert len(made.provider._routing._known) == 0


def test_memory_is_released_with_the_spans(tracers: Make) -> None:
    made = tracers()
    for _ in range(6_000):
        made.tracer.start_span("root").end()
    made.exporters["console"].clear()
    routing = made.provider._routing
    assert len(routing._known) <= 4_096
    assert not routing._open


def test_route_of_an_old_open_trace_is_found_by_its_ids(tracers: Make) -> None:
    made = tracers()
    with run_context(tenant="acme"):
        root = made.tracer.start_span("root")
    for _ in range(5_000):
        made.tracer.start_span("other").end()
    ids = root.get_span_context()
    for rebuilt in [ids, SpanContext(ids.trace_id, 7, False, TraceFlags(1))]:
        context = trace.set_span_in_context(NonRecordingSpan(rebuilt))
        made.tracer.start_span("child", context=context).end()
    assert [span.name for span in made.spans("tenant-acme")] == ["child", "child"]
    # One for the root, one for its trace.
    assert len(made.provider._routing._known) == 4_096 + 2


def test_keys_are_copied(tracers: Make) -> None:
    made = tracers(
        copy_to_spans=["session.id"], copy_to_root_spans=["tenant"], baggage_keys=["tenant"]
    )
    facts = {"session.id": "s1", "tenant": "acme"}
    with run_context(facts), made.tracer.start_as_current_span("root"):
        made.tracer.start_span("child", attributes={"session.id": "own"}).end()
    child, root = made.spans("tenant-acme")
    assert child.attributes == {"session.id": "own"}
    assert root.attributes is not None
    assert (root.attributes["session.id"], root.attributes["tenant"]) == ("s1", "acme")
    carried = baggage.set_baggage("tenant", "acme")
    made.tracer.start_span("from baggage", context=carried).end()
    assert made.names()["tenant-acme"][-1] == "from baggage"


class Broken(SpanProcessor):
    def on_start(self, span: object, parent_context: object = None) -> None:
        raise RuntimeError("on_start")

    def on_end(self, span: ReadableSpan) -> None:
        raise RuntimeError("on_end")

    def shutdown(self) -> None:
        raise RuntimeError("shutdown")

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        raise RuntimeError("flush")


class Hanging(SpanProcessor):
    def __init__(self) -> None:
        self.release = threading.Event()

    def shutdown(self) -> None:
        self.release.wait()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self.release.wait()


def test_broken_and_hanging_processors_affect_nobody_else(
    policy: object, caplog: pytest.LogCaptureFixture
) -> None:
    good, hanging = InMemorySpanExporter(), Hanging()
    provider = RoutingTracerProvider(
        {"console": [Broken(), SimpleSpanProcessor(good)], "other": hanging},
        selectors=policy,  # type: ignore[arg-type]
        shutdown_on_exit=False,
    )
    for _ in range(3):
        provider.get_tracer("x").start_span("root").end()
    assert len(good.get_finished_spans()) == 3
    logged = [record for record in caplog.records if "failed in on_" in record.message]
    assert len(logged) == 1, "one message for each processor"
    assert provider.force_flush(200) is False
    provider.shutdown(200)
    hanging.release.set()


def test_processor_of_the_whole_provider_is_noticed(
    tracers: Make, caplog: pytest.LogCaptureFixture
) -> None:
    made, everywhere, acme = tracers(), InMemorySpanExporter(), InMemorySpanExporter()
    made.provider.add_span_processor(SimpleSpanProcessor(everywhere))
    assert "SimpleSpanProcessor" in caplog.text and "provider.at(" in caplog.text
    view = made.provider.at("tenant-acme")
    view.add_span_processor(SimpleSpanProcessor(acme))
    tracer = view.get_tracer("library")
    with run_context(tenant="acme"), tracer.start_as_current_span("root"):
        tracer.start_span("child").end()
    tracer.start_span("default").end()
    view.shutdown()
    assert [span.name for span in acme.get_finished_spans()] == ["child", "root"]
    names = [span.name for span in everywhere.get_finished_spans()]
    assert names == ["child", "root", "default"]
    assert made.names() == {"tenant-acme": ["child", "root"], "console": ["default"]}
    with pytest.raises(ValueError, match="the tracers are: console"):
        made.provider.at("nobody")


def test_wrong_settings_are_refused(policy: object) -> None:
    exporter = InMemorySpanExporter()
    for settings, message in [
        ({"tracers": {}}, "at least one tracer"),
        ({"tracers": {"a": exporter}, "default": "b"}, "the default tracer 'b'"),
        ({"tracers": {"a": exporter}, "fallback": "b"}, "the fallback tracer 'b'"),
        ({"tracers": {"a": exporter}, "inbound": "all"}, "inbound must be one of"),
        ({"tracers": {"a": [3]}}, "needs a span processor or a span exporter, not int"),
        ({"tracers": {"": exporter}}, "name"),
    ]:
        with pytest.raises(ValueError, match=message):
            RoutingTracerProvider(selectors=policy, shutdown_on_exit=False, **settings)  # type: ignore[arg-type]


def test_run_context_follows_tasks_generators_and_copies(tracers: Make) -> None:
    made = tracers()

    def start(name: str) -> None:
        made.tracer.start_span(name).end()

    def generator() -> Generator[int, None, None]:
        with run_context(tenant="acme"), made.tracer.start_as_current_span("generator"):
            yield 1
            start("in generator")
            yield 2

    # A generator that is closed in another context.
    items = generator()
    contextvars.copy_context().run(next, items)
    next(items)
    items.close()

    async def task(tenant: str | None) -> None:
        with run_context(tenant=tenant) if tenant else run_context():
            await asyncio.sleep(0)
            with made.tracer.start_as_current_span(f"task {tenant}"):
                await asyncio.sleep(0.001)
                start(f"child {tenant}")

    async def main() -> None:
        cancelled = asyncio.create_task(task("acme"))
        others = [asyncio.create_task(task(it)) for it in ("acme", None, "acme", None)]
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(cancelled, *others, return_exceptions=True)

    asyncio.run(main())
    with run_context(tenant="acme"):
        copied = contextvars.copy_context()
    thread = threading.Thread(target=lambda: copied.run(start, "thread"))
    thread.start()
    thread.join()
    assert dict(current_run_context()) == {}
    names = made.names()
    # The generator was resumed in a context that never had its facts.
    assert set(names["console"]) == {"task None", "child None", "in generator"}
    assert set(names["tenant-acme"]) == {"generator", "task acme", "child acme", "thread"}


def test_concurrent_traces_are_never_mixed(cache: Path) -> None:
    def by_tenant(context: dict[str, object], _: list[str]) -> str:
        return str(context["tenant"])

    names = [f"tenant-{number}" for number in range(50)]
    policy = spanmux.Policy(
        SELECTORS, watch=False, cache=cache, selectors=[("by-tenant", by_tenant)]
    )
    made = Tracers(policy, ["console", *names])

    def request(number: int) -> None:
        tenant = f"tenant-{number % 50}"
        start = made.tracer.start_as_current_span
        with run_context(tenant=tenant), start(tenant), start(tenant):
            made.tracer.start_span(tenant).end()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(request, range(2_000)))
    for number in range(50):
        spans = made.spans(f"tenant-{number}")
        assert [span.name for span in spans] == [f"tenant-{number}"] * 120
    assert made.spans("console") == []
    made.provider.shutdown()


def test_library_is_quiet(tracers: Make, caplog: pytest.LogCaptureFixture) -> None:
    made = tracers()
    with caplog.at_level(logging.DEBUG, logger="spanmux"):
        with run_context(tenant="acme"):
            made.tracer.start_span("root").end()
        assert made.provider.force_flush()
    assert caplog.records == []
