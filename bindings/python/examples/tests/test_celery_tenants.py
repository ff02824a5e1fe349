"""Tasks in the forked processes of a Celery worker, counted at the receiver."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

import celery_tenants
from conftest import Arrived

KEY_OF = {"acme": "key-acme", "umbrella": "key-umbrella", "stranger": "key-q"}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


def test_no_task_reaches_another_tenant(
    arrived: Arrived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACES_ENDPOINT", arrived.endpoint)
    jobs = [(tenant, number) for tenant in KEY_OF for number in range(1, 61)]
    random.shuffle(jobs)
    done = celery_tenants.run(tmp_path, jobs, 3)
    tenant_of = {int(trace, 16): tenant for tenant, trace, _ in done}
    processes = {process for _, _, process in done}
    assert len(tenant_of) == len(jobs)
    assert len(processes) > 1 and os.getpid() not in processes

    found = arrived.counted(tenant_of, KEY_OF)
    assert found == {"arrived": 2 * len(jobs), "wrong": 0}
    arrived.assert_whole()
