"""Each program as its docstring says to run it, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Arrived
from fake_openai import FakeOpenAI

EXAMPLES = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("program", "key", "spans"),
    [
        ("celery_tenants.py", "key-acme", 10),
        ("langchain_and_openai.py", "key-acme", 18),
        ("litellm_otel.py", "key", 7),
        ("openai_agents.py", "key", 8),
        ("process_pool.py", "key-acme", 11),
    ],
)
def test_program(
    program: str,
    key: str,
    spans: int,
    arrived: Arrived,
    fake: FakeOpenAI,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRACES_ENDPOINT", arrived.endpoint)
    # A library that sends to another host would go this way.
    monkeypatch.setenv("HTTPS_PROXY", fake.proxy)
    monkeypatch.delenv("LITELLM_LOCAL_MODEL_COST_MAP")
    done = subprocess.run(
        [sys.executable, EXAMPLES / program], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    found = [span.name for span in arrived.at(f"Bearer {key}")]
    assert len(found) == spans, (found, done.stderr)
    arrived.assert_whole()
    assert fake.tunnels == []
