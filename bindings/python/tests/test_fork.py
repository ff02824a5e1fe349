"""Forks of a process with live threads."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

import spanmux
from conftest import SELECTORS

NAMES = ["console", "tenant-acme"]

has_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
pytestmark = has_fork


def exit_code(child: int, seconds: float) -> int:
    """Waits for a child, and ends one that hangs."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, 9)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


def test_sixty_forks_under_load(tmp_path: Path, cache: Path) -> None:
    shutil.copy(SELECTORS / "20-tenant.wasm", tmp_path)
    stop = threading.Event()
    with spanmux.Policy(tmp_path, cache=cache) as policy:

        def load(worker: int) -> None:
            number = 0
            while not stop.is_set():
                # Never learned, so that a component runs each time.
                policy.decide({"tenant": f"{worker}-{number}"}, NAMES)
                number += 1

        threads = [threading.Thread(target=load, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        try:
            for number in range(60):
                child = os.fork()
                if child == 0:
                    known = policy.decide({"tenant": "acme"}, NAMES).tracer == "tenant-acme"
                    new = policy.decide({"tenant": f"child-{number}"}, NAMES)
                    os._exit(0 if known and new.tracer == "console" else 1)
                assert exit_code(child, 30) == 0
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def test_child_watches_the_directory(tmp_path: Path, cache: Path) -> None:
    with spanmux.Policy(tmp_path, cache=cache) as policy:
        assert policy.decide({"tenant": "acme"}, NAMES).tracer == "console"
        child = os.fork()
        if child == 0:
            shutil.copy(SELECTORS / "20-tenant.wasm", tmp_path)
            deadline = time.monotonic() + 50
            while policy.decide({"tenant": "acme"}, NAMES).tracer != "tenant-acme":
                if time.monotonic() > deadline:
                    os._exit(1)
                time.sleep(0.01)
            os._exit(0)
        assert exit_code(child, 60) == 0
