"""Jobs in forked processes, counted at the receiver."""

from __future__ import annotations

import os
import random

import pytest

import process_pool
from conftest import Arrived

KEY_OF = {"acme": "key-acme", "umbrella": "key-umbrella", "stranger": "key-q"}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


def test_no_job_reaches_another_tenant(arrived: Arrived) -> None:
    jobs = [(tenant, number) for tenant in KEY_OF for number in range(1, 101)]
    random.shuffle(jobs)
    done = process_pool.run(arrived.endpoint, jobs, processes=6)
    tenant_of = {trace: tenant for tenant, trace, _ in done}
    processes = {process for _, _, process in done}
    assert len(tenant_of) == len(jobs)
    assert len(processes) > 1 and os.getpid() not in processes

    # One span of the parent.
    found = arrived.counted(tenant_of, KEY_OF)
    assert found == {"arrived": 2 * len(jobs), "wrong": 0, "other": 1}
    arrived.assert_whole()
