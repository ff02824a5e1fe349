"""The events of a policy, for a callback."""

from __future__ import annotations

import doctest
import os
import queue
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import spanmux
from conftest import ROOT, SELECTORS
from spanmux import events
from test_fork import exit_code, has_fork

NAMES = ["console", "tenant-acme"]


class Seen:
    """A callback that keeps the events."""

    def __init__(self) -> None:
        self.events: queue.Queue[events.Event] = queue.Queue()

    def __call__(self, event: events.Event) -> None:
        self.events.put(event)

    def next(self) -> events.Event:
        return self.events.get(timeout=60)


def test_changes_of_a_directory_are_typed_events(tmp_path: Path, cache: Path) -> None:
    seen = Seen()
    shutil.copy(SELECTORS / "20-tenant.wasm", tmp_path)
    with spanmux.Policy(tmp_path, cache=cache, on_event=seen):
        loaded = seen.next()
        assert isinstance(loaded, events.SelectorLoaded)
        assert (loaded.selector, len(loaded.digest)) == ("20-tenant", 64)
        assert Path(loaded.path) == tmp_path / "20-tenant.wasm"
        assert loaded.bytes == (tmp_path / "20-tenant.wasm").stat().st_size
        assert seen.next() == events.ChainChanged(["20-tenant"])

        (tmp_path / "30-new.wasm").write_bytes(b"no component")
        refused = seen.next()
        assert isinstance(refused, events.SelectorRefused)
        assert (refused.selector, refused.kept) == ("30-new", False)
        assert seen.next() == events.ChainChanged(["20-tenant", "30-new"])

        (tmp_path / "30-new.wasm").unlink()
        removed = events.SelectorRemoved("30-new", str(tmp_path / "30-new.wasm"))
        assert seen.next() == removed


def test_callback_may_use_the_policy(tmp_path: Path, cache: Path) -> None:
    shutil.copy(SELECTORS / "20-tenant.wasm", tmp_path)
    decided: queue.Queue[str | None] = queue.Queue()
    opened: queue.Queue[spanmux.Policy] = queue.Queue()

    def decide(event: events.Event) -> None:
        if isinstance(event, events.ChainChanged):
            policy = opened.get(timeout=60)
            decided.put(policy.decide({"tenant": "acme"}, NAMES).tracer)
            policy.close()

    opened.put(spanmux.Policy(tmp_path, cache=cache, on_event=decide))
    assert decided.get(timeout=60) == "tenant-acme"


def test_exception_reaches_no_caller(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(SELECTORS / "20-tenant.wasm", tmp_path)
    raised: queue.Queue[Any] = queue.Queue()
    monkeypatch.setattr(sys, "unraisablehook", raised.put)

    def fail(event: events.Event) -> None:
        raise ValueError(type(event).__name__)

    with spanmux.Policy(tmp_path, cache=cache, on_event=fail) as policy:
        assert policy.decide({"tenant": "acme"}, NAMES).tracer == "tenant-acme"
        # The second event arrives although the first one failed.
        for name in ["SelectorLoaded", "ChainChanged"]:
            reported = raised.get(timeout=60)
            assert (reported.exc_type, str(reported.exc_value)) == (ValueError, name)
            assert reported.object is fail


def test_callback_must_be_callable() -> None:
    with pytest.raises(TypeError, match="on_event is not callable"):
        spanmux.Policy(SELECTORS, on_event=3)  # type: ignore[arg-type]


def test_process_ends_with_an_open_policy(cache: Path) -> None:
    program = (
        "import spanmux, time\n"
        f"policy = spanmux.Policy({str(SELECTORS)!r}, cache={str(cache)!r},\n"
        "    on_event=lambda event: (print(type(event).__name__, flush=True), time.sleep(60)))\n"
        "policy.decide({'tenant': 'acme'}, ['console'])\n"
        "time.sleep(0.1)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() in ([], ["SelectorLoaded"])


@has_fork
def test_child_of_a_fork_has_its_own_events(tmp_path: Path, cache: Path) -> None:
    shutil.copy(SELECTORS / "20-tenant.wasm", tmp_path)
    seen = Seen()
    with spanmux.Policy(tmp_path, cache=cache, on_event=seen):
        assert [type(seen.next()) for _ in range(2)] == [
            events.SelectorLoaded,
            events.ChainChanged,
        ]
        child = os.fork()
        if child == 0:
            try:
                found = [type(seen.next()) for _ in range(2)]
            except BaseException:
                os._exit(2)
            os._exit(0 if found == [events.SelectorLoaded, events.ChainChanged] else 1)
        assert exit_code(child, 60) == 0
        assert seen.events.empty()


def test_every_event_of_the_library_has_a_class() -> None:
    source = (ROOT / "bindings/python/src/event.rs").read_text()
    for name in events.__all__:
        if name != "Event":
            assert f'"{name}"' in source


def test_examples_of_the_module() -> None:
    assert doctest.testmod(events).failed == 0
